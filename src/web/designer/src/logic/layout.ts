// Layouts of forms: `{"data": {"layout": [component…]}}`. Groups name their children by id; the list itself is flat.

import * as json from "./json";

export interface Component {
  id: string;
  type: string;
  textResourceBindings?: Record<string, string>;
  dataModelBindings?: Record<string, string | { field: string; dataType?: string }>;
  children?: string[];
  required?: unknown;
  readOnly?: unknown;
  optionsId?: string;
  options?: { label: string; value: string }[];
  [name: string]: unknown;
}

export interface Twig {
  component: Component;
  children: Component[];
}

const LIST = ["data", "layout"];

/** A page with nothing on it. */
export const EMPTY = `{
  "$schema": "https://altinncdn.no/toolkits/altinn-app-frontend/4/schemas/json/layout/layout.schema.v1.json",
  "data": {
    "layout": []
  }
}
`;

/** The components of a page; `undefined` when the text is no layout. */
export function components(text: string | undefined): Component[] | undefined {
  const value = json.read<{ data?: { layout?: unknown } }>(text);
  const list = value?.data?.layout;
  if (!Array.isArray(list)) return undefined;
  const is = (item: unknown): item is Component =>
    typeof item === "object" && item !== null && "id" in item && "type" in item;
  return list.every(is) ? list : undefined;
}

/** The id of a child: in repeating groups with several pages, `0:name` says on which page it stands. */
const bare = (child: string) => child.replace(/^\d+:/, "");

/** Components as the page shows them: those of groups below their group. */
export function tree(all: Component[]): Twig[] {
  const byId = new Map(all.map((component) => [component.id, component]));
  const nested = new Set(all.flatMap((component) => childIds(component)));
  return all
    .filter((component) => !nested.has(component.id))
    .map((component) => ({
      component,
      children: childIds(component).flatMap((id) => byId.get(id) ?? []),
    }));
}

const childIds = (component: Component) =>
  (Array.isArray(component.children) ? component.children : []).filter((id) => typeof id === "string").map(bare);

/** Moves a component to another place among its siblings. `to` counts siblings. */
export function move(text: string, id: string, to: number): string {
  const all = components(text) ?? [];
  const parent = all.find((component) => childIds(component).includes(id));
  if (parent) {
    const ids = childIds(parent);
    const order = shift(ids.length, ids.indexOf(id), to);
    return json.reorder(text, [...LIST, all.indexOf(parent), "children"], order);
  }
  const slots = tree(all).map((twig) => all.indexOf(twig.component));
  const from = slots.findIndex((slot) => all[slot]?.id === id);
  const shifted = shift(slots.length, from, to);
  const order = all.map((_, index) => index);
  slots.forEach((slot, index) => {
    order[slot] = slots[shifted[index] ?? index] ?? slot;
  });
  return json.reorder(text, LIST, order);
}

/** The order of `count` things after one of them moved. */
export function shift(count: number, from: number, to: number): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  const [moved] = order.splice(from, 1);
  if (moved !== undefined) order.splice(to, 0, moved);
  return order;
}

/** Adds a component before the sibling at `at`; without it, above the buttons that end the page. */
export function add(text: string, component: Component, at?: number): string {
  const all = components(text) ?? [];
  const top = tree(all).map((twig) => twig.component);
  const buttons = ["Button", "NavigationButtons", "NavigationBar", "PrintButton"];
  let index = at ?? top.length;
  if (at === undefined) while (index > 0 && buttons.includes(top[index - 1]?.type ?? "")) index -= 1;
  const before = top[index];
  return json.insert(text, LIST, before ? all.indexOf(before) : all.length, component);
}

/** Takes a component away, with all that is in it. */
export function remove(text: string, id: string): string {
  const all = components(text) ?? [];
  const gone = new Set([id]);
  for (const component of all) {
    if (gone.has(component.id)) for (const child of childIds(component)) gone.add(child);
  }
  let result = text;
  all.forEach((component, index) => {
    if (gone.has(component.id) || !component.children) return;
    const kept = component.children.filter((child) => !gone.has(bare(child)));
    if (kept.length !== component.children.length) {
      result = json.set(result, [...LIST, index, "children"], kept);
    }
  });
  for (let index = all.length - 1; index >= 0; index -= 1) {
    if (gone.has(all[index]?.id ?? "")) result = json.remove(result, LIST, index);
  }
  return result;
}

/** Sets a property of a component, as `["textResourceBindings", "title"]`; `undefined` takes it away. */
export function setProperty(text: string, id: string, path: string[], value: unknown): string {
  const all = components(text) ?? [];
  const index = all.findIndex((component) => component.id === id);
  if (index < 0) return text;
  const result = json.set(text, [...LIST, index, ...path], value);
  // No empty `{}` stays behind.
  const [parent, name] = path;
  const left = components(result)?.[index]?.[parent ?? ""];
  const empty = value === undefined && name !== undefined && typeof left === "object" && left !== null;
  if (empty && Object.keys(left).length === 0) return json.set(result, [...LIST, index, parent ?? ""], undefined);
  return result;
}

/** Gives a component another id, also where its group names it. */
export function rename(text: string, id: string, next: string): string {
  let result = text;
  (components(text) ?? []).forEach((component, index) => {
    if (component.id === id) result = json.set(result, [...LIST, index, "id"], next);
    component.children?.forEach((child, place) => {
      if (bare(child) !== id) return;
      const page = child.slice(0, child.length - id.length);
      result = json.set(result, [...LIST, index, "children", place], page + next);
    });
  });
  return result;
}

/** Why an id cannot be taken; nothing when it can. */
export function idProblem(id: string, taken: Iterable<string>): "empty" | "letters" | "taken" | undefined {
  if (!id) return "empty";
  if (!/^[0-9a-zA-Z][0-9a-zA-Z-]*$/.test(id)) return "letters";
  return [...taken].includes(id) ? "taken" : undefined;
}

/** A free id for a new component: `input-1`. */
export function freeId(type: string, taken: Iterable<string>): string {
  const used = new Set(taken);
  const word = type.replace(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase();
  for (let number = 1; ; number += 1) {
    if (!used.has(`${word}-${number}`)) return `${word}-${number}`;
  }
}

/** The field that a component is bound to. */
export function binding(component: Component): string {
  const bound = component.dataModelBindings?.simpleBinding;
  return typeof bound === "object" ? bound.field : (bound ?? "");
}
