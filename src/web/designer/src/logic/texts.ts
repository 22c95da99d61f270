// Texts of an app: `App/config/texts/resource.{language}.json`, `{"language", "resources": [{"id", "value"}]}`.

import * as json from "./json";

export interface Resource {
  id: string;
  value: string;
  variables?: unknown;
}

const FOLDER = "App/config/texts/";

/** The file of a language. */
export const fileOf = (language: string) => `${FOLDER}resource.${language}.json`;

/** The order that Norwegians expect; others follow by name. */
const FIRST = ["nb", "nn", "en"];
const rank = (language: string) => (FIRST.includes(language) ? FIRST.indexOf(language) : FIRST.length);

/** The languages that files give. */
export const languagesOf = (paths: string[]) =>
  paths
    .flatMap((path) => /^App\/config\/texts\/resource\.([a-z]{2,3})\.json$/.exec(path)?.[1] ?? [])
    .sort((one, other) => rank(one) - rank(other) || one.localeCompare(other));

/** A language without texts. */
export const emptyOf = (language: string) => `${JSON.stringify({ language, resources: [] }, undefined, 2)}\n`;

/** The texts of a file; `undefined` when it is none. */
export function resources(text: string | undefined): Resource[] | undefined {
  const value = json.read<{ resources?: unknown }>(text)?.resources;
  if (!Array.isArray(value)) return undefined;
  const is = (item: unknown): item is Resource =>
    typeof item === "object" && item !== null && "id" in item && typeof item.id === "string";
  return value.every(is) ? value : undefined;
}

/** The value of a text. */
export const valueOf = (text: string | undefined, id: string) =>
  resources(text)?.find((resource) => resource.id === id)?.value;

/** Sets a text; one that is not there yet is put at the end. */
export function setText(text: string, id: string, value: string): string {
  const all = resources(text) ?? [];
  const index = all.findIndex((resource) => resource.id === id);
  if (index >= 0) return all[index]?.value === value ? text : json.set(text, ["resources", index, "value"], value);
  return json.insert(text, ["resources"], all.length, { id, value });
}

/** Takes a text away. */
export function removeText(text: string, id: string): string {
  const index = (resources(text) ?? []).findIndex((resource) => resource.id === id);
  return index < 0 ? text : json.remove(text, ["resources"], index);
}

/** Gives a text another id. */
export function renameText(text: string, id: string, next: string): string {
  const index = (resources(text) ?? []).findIndex((resource) => resource.id === id);
  return index < 0 ? text : json.set(text, ["resources", index, "id"], next);
}

/** All ids of some files, in the order of the files, each once. */
export const idsOf = (files: (string | undefined)[]) => [
  ...new Set(files.flatMap((file) => (resources(file) ?? []).map((resource) => resource.id))),
];
