// Edits of JSON files that leave the rest of the text as people wrote it: a commit shows what was meant, no more.

import {
  applyEdits,
  findNodeAtLocation,
  modify,
  parse,
  parseTree,
  type FormattingOptions,
  type JSONPath,
  type Node,
} from "jsonc-parser";

/** The value of a text; comments and trailing commas are accepted, as apps' libraries do. */
export function read<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  const errors: [] = [];
  const value: unknown = parse(text.replace(/^\ufeff/, ""), errors, { allowTrailingComma: true });
  return errors.length === 0 ? (value as T) : undefined;
}

function formatting(text: string): FormattingOptions {
  const indent = /\n([ \t]+)/.exec(text)?.[1] ?? "  ";
  return {
    insertSpaces: !indent.startsWith("\t"),
    tabSize: indent.startsWith("\t") ? 4 : Math.min(indent.length, 8),
    eol: text.includes("\r\n") ? "\r\n" : "\n",
  };
}

/** Sets a value; `undefined` takes it away. */
export const set = (text: string, path: JSONPath, value: unknown): string =>
  applyEdits(text, modify(text, path, value, { formattingOptions: formatting(text) }));

/** Puts a value into a list, before the element at `index`, written as its neighbours are. */
export function insert(text: string, path: JSONPath, index: number, value: unknown): string {
  const elements = nodes(text, path);
  const neighbour = elements[Math.max(0, index - 1)];
  if (!neighbour) return set(text, path, [value]);
  const lead = /(?:\r?\n)?[ \t]*$/.exec(text.slice(0, neighbour.offset))?.[0] ?? "";
  const own = text.slice(neighbour.offset, neighbour.offset + neighbour.length);
  const written = own.includes("\n") ? tall(text, lead, value) : flat(value, own.startsWith("{ "));
  const after = elements[index];
  if (after) return text.slice(0, after.offset) + written + "," + (lead || " ") + text.slice(after.offset);
  const end = neighbour.offset + neighbour.length;
  return text.slice(0, end) + "," + (lead || " ") + written + text.slice(end);
}

/** Takes an element out of a list. */
export function remove(text: string, path: JSONPath, index: number): string {
  const elements = nodes(text, path);
  const [before, gone, after] = [elements[index - 1], elements[index], elements[index + 1]];
  if (!gone) return text;
  const end = gone.offset + gone.length;
  if (before) return text.slice(0, before.offset + before.length) + text.slice(end);
  if (after) return text.slice(0, gone.offset) + text.slice(after.offset);
  return set(text, path, []);
}

/** A value over several lines, as deep as `lead` is. */
function tall(text: string, lead: string, value: unknown): string {
  const { insertSpaces, tabSize, eol } = formatting(text);
  const indent = insertSpaces ? tabSize : "\t";
  return JSON.stringify(value, undefined, indent).replaceAll("\n", `${eol}${lead.replace(/[\r\n]/g, "")}`);
}

/** A value on one line: `{ "id": "a" }`, or without the spaces. */
function flat(value: unknown, airy: boolean): string {
  const space = airy ? " " : "";
  if (Array.isArray(value)) return `[${value.map((one) => flat(one, airy)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${flat(one, airy)}`);
  return pairs.length > 0 ? `{${space}${pairs.join(", ")}${space}}` : "{}";
}

/** Puts the elements of a list into another order; each element's own text stays as it is. */
export function reorder(text: string, path: JSONPath, order: number[]): string {
  const elements = nodes(text, path);
  if (order.length !== elements.length) throw new Error("an order names each element once");
  let result = text;
  // From the end, so that what was found before keeps its place.
  for (let place = elements.length - 1; place >= 0; place -= 1) {
    const [old, next] = [elements[place], elements[order[place] ?? -1]];
    if (!old || !next) throw new Error("an order names each element once");
    const part = text.slice(next.offset, next.offset + next.length);
    result = result.slice(0, old.offset) + part + result.slice(old.offset + old.length);
  }
  return result;
}

function nodes(text: string, path: JSONPath): Node[] {
  const root = parseTree(text, [], { allowTrailingComma: true });
  return (root && findNodeAtLocation(root, path)?.children) ?? [];
}

/** Where a value stands in the text; for marks in an editor. */
export function place(text: string, path: JSONPath): { from: number; to: number } {
  const root = parseTree(text, [], { allowTrailingComma: true });
  let node = root;
  for (let length = path.length; root && length >= 0; length -= 1) {
    node = findNodeAtLocation(root, path.slice(0, length));
    if (node) break;
  }
  return node ? { from: node.offset, to: node.offset + node.length } : { from: 0, to: 0 };
}
