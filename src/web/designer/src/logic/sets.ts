// Which layouts an app has: `App/ui/layout-sets.json` names sets, each a folder with layouts and settings; an app
// without that file has one set, `App/ui` itself.

import * as json from "./json";

export interface LayoutSet {
  id: string;
  folder: string;
  dataType: string | undefined;
  tasks: string[];
}

export const SETS = "App/ui/layout-sets.json";

/** The sets of an app. */
export function sets(text: string | undefined, paths: string[]): LayoutSet[] {
  const value = json.read<{ sets?: { id?: unknown; dataType?: string; tasks?: unknown }[] }>(text);
  const found = (value?.sets ?? []).flatMap(({ id, dataType, tasks }) =>
    typeof id === "string"
      ? [{ id, folder: `App/ui/${id}`, dataType, tasks: Array.isArray(tasks) ? tasks.map(String) : [] }]
      : [],
  );
  if (found.length > 0) return found;
  const single = paths.some((path) => path.startsWith("App/ui/layouts/"));
  return single ? [{ id: "", folder: "App/ui", dataType: undefined, tasks: [] }] : [];
}

export const settingsOf = (set: LayoutSet) => `${set.folder}/Settings.json`;
export const pageFile = (set: LayoutSet, page: string) => `${set.folder}/layouts/${page}.json`;

/** The pages of a set: in the order of its settings, then those that the settings do not name. */
export function pages(set: LayoutSet, settings: string | undefined, paths: string[]): string[] {
  const folder = `${set.folder}/layouts/`;
  const found = paths.flatMap((path) => {
    const name = path.startsWith(folder) ? path.slice(folder.length) : "";
    return name.endsWith(".json") && !name.includes("/") ? [name.slice(0, -5)] : [];
  });
  const order = orderOf(settings).filter((page) => found.includes(page));
  return [...order, ...found.filter((page) => !order.includes(page))];
}

const orderOf = (settings: string | undefined): string[] => {
  const order = json.read<{ pages?: { order?: unknown } }>(settings)?.pages?.order;
  return Array.isArray(order) ? order.filter((page) => typeof page === "string") : [];
};

/** Settings with this order of pages. */
export const withOrder = (settings: string | undefined, order: string[]): string => {
  const text = json.read(settings) ? (settings ?? "") : '{\n  "pages": {}\n}\n';
  return JSON.stringify(orderOf(text)) === JSON.stringify(order) ? text : json.set(text, ["pages", "order"], order);
};

/** Whether a page can have this name. */
export const isPageName = (name: string) => /^[0-9a-zA-ZæøåÆØÅ][0-9a-zA-ZæøåÆØÅ_-]{0,59}$/.test(name);
