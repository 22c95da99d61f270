// The data model: a JSON schema whose root refers to a definition, as Altinn's own models do.

import * as json from "./json";

export interface Field {
  /** As bindings name it: `applicant.name`. */
  name: string;
  type: string;
  required: boolean;
  /** Inside of a list, where a binding needs the list's group. */
  repeated: boolean;
  /** Where it stands in the schema. */
  path: (string | number)[];
}

interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  required?: string[];
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  [name: string]: unknown;
}

type Path = (string | number)[];

const DEPTH = 8;

/** Follows `$ref` and the lone `oneOf`, `anyOf`, `allOf` that roots have. */
function settle(root: Schema, schema: Schema, path: Path, depth = 0): { schema: Schema; path: Path } {
  if (depth > DEPTH) return { schema, path };
  if (schema.$ref?.startsWith("#/")) {
    const steps = schema.$ref.slice(2).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    let found: unknown = root;
    for (const step of steps) found = (found as Record<string, unknown> | undefined)?.[step];
    return found ? settle(root, found as Schema, steps, depth + 1) : { schema, path };
  }
  if (!schema.properties) {
    for (const word of ["oneOf", "anyOf", "allOf"] as const) {
      const only = schema[word];
      if (only?.length === 1 && only[0]) return settle(root, only[0], [...path, word, 0], depth + 1);
    }
  }
  return { schema, path };
}

/** The fields of a model; `undefined` when the text is none. */
export function fields(text: string | undefined): Field[] | undefined {
  const root = json.read<Schema>(text);
  if (!root || typeof root !== "object") return undefined;
  const found: Field[] = [];
  const walk = (at: Schema, atPath: Path, prefix: string, repeated: boolean, depth: number) => {
    const { schema, path } = settle(root, at, atPath);
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      const own = settle(root, property, [...path, "properties", name]);
      const list = own.schema.type === "array";
      const inner = list ? settle(root, own.schema.items ?? {}, [...own.path, "items"]) : own;
      const full = prefix + name;
      found.push({
        name: full,
        type: typeText(own.schema),
        required: schema.required?.includes(name) ?? false,
        repeated,
        path: [...path, "properties", name],
      });
      if (inner.schema.properties && depth < DEPTH) {
        walk(inner.schema, inner.path, `${full}.`, repeated || list, depth + 1);
      }
    }
  };
  walk(root, [], "", false, 0);
  return found;
}

function typeText(schema: Schema): string {
  if (schema.type === "array") return "array";
  const type = Array.isArray(schema.type) ? schema.type.filter((type) => type !== "null").join(" | ") : schema.type;
  return type ?? (schema.properties ? "object" : "any");
}

/** Fields that a form component can keep its value in. */
export const bindable = (all: Field[]) =>
  all.filter((field) => !["object", "array"].includes(field.type) && !field.repeated);

/** Where new fields go: the object at the root. */
function rootObject(text: string): { schema: Schema; path: Path } | undefined {
  const root = json.read<Schema>(text);
  return root && settle(root, root, []);
}

/** Adds a field to the root object. */
export function addField(text: string, name: string, type: string): string {
  const root = rootObject(text);
  return root ? json.set(text, [...root.path, "properties", name], { type }) : text;
}

/** Takes a field away, and out of the list of those that are required. */
export const removeField = (text: string, field: Field): string =>
  json.set(setRequired(text, field, false), field.path, undefined);

/** Sets the type of a field. */
export const setType = (text: string, field: Field, type: string): string =>
  json.set(text, [...field.path, "type"], type);

/** Says whether a field must have a value. */
export function setRequired(text: string, field: Field, required: boolean): string {
  const owner = field.path.slice(0, -2);
  const name = String(field.path.at(-1));
  let schema = json.read<Schema>(text);
  for (const step of owner) schema = schema?.[String(step)] as Schema | undefined;
  const all = schema?.required ?? [];
  const next = all.filter((other) => other !== name);
  if (required) next.push(name);
  if (next.length === all.length && all.includes(name) === required) return text;
  return json.set(text, [...owner, "required"], next.length > 0 ? next : undefined);
}
