// The C# class of a data model follows its schema. It is edited in place: attributes, rules and messages that people
// wrote stay, and a commit shows the field that was meant. What this cannot do well it refuses, and changes nothing.

import { fields, type Field } from "./model";

/** Why a class does not follow; the pages have a text for each. */
export type Refusal = "nested" | "noClass" | "name" | "type";
export type Followed = { text: string } | { refused: Refusal; name: string };

/** The class that applicationmetadata.json names for a data type. */
export interface Target {
  namespace: string;
  name: string;
  /** Whether the app has Altinn's packages, which bring Newtonsoft's attributes. */
  newtonsoft: boolean;
}

const TYPES: Record<string, string> = { string: "string", integer: "int?", number: "decimal?", boolean: "bool?" };
/** Types that may be exchanged for another; a date or an enumeration was somebody's choice. */
const PLAIN = /^(string|int|long|decimal|double|float|bool)\??$/;
const KEYWORDS = new Set(
  "abstract as base bool break byte case catch char checked class const continue decimal default delegate do double else enum event explicit extern false finally fixed float for foreach goto if implicit in int interface internal is lock long namespace new null object operator out override params private protected public readonly ref return sbyte sealed short sizeof stackalloc static string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using virtual void volatile while".split(
    " ",
  ),
);

interface Property {
  /** In JSON. */
  name: string;
  /** In C#, without `@`. */
  own: string;
  type: string;
  attributes: string;
  /** Its lines, from the first attribute to the end of the last line. */
  from: number;
  to: number;
}

/** The target of a model's file, by what the metadata says of its data type. */
export function targetOf(path: string, metadata: { dataTypes?: { id: string; appLogic?: { classRef?: string } }[] } | undefined, schema: string, newtonsoft: boolean): Target {
  const id = path.split("/").at(-1)?.replace(".schema.json", "") ?? "";
  const logic = metadata?.dataTypes?.filter((type) => type.appLogic?.classRef) ?? [];
  const classRef = (logic.find((type) => type.id === id) ?? (logic.length === 1 ? logic[0] : undefined))?.appLogic?.classRef;
  const root = /"\$ref"\s*:\s*"#\/(?:\$defs|definitions)\/([A-Za-z_]\w*)"/.exec(schema)?.[1] ?? pascal(id.replace(/[^\wæøåÆØÅ]/g, ""));
  const full = classRef ?? `Altinn.App.Models.${root}`;
  const cut = full.lastIndexOf(".");
  return { namespace: full.slice(0, Math.max(cut, 0)) || "Altinn.App.Models", name: full.slice(cut + 1), newtonsoft };
}

const pascal = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

/** The class as it is to be when the schema goes from `before` to `after`; without a class, a new one. */
export function follow(source: string | undefined, before: string, after: string, target: Target): Followed {
  const own = (schema: string) => (fields(schema) ?? []).filter((field) => !field.name.includes("."));
  const [old, next] = [source === undefined ? [] : own(before), own(after)];
  const strange = source === undefined ? (fields(after) ?? []).find((field) => !TYPES[field.type]) : nestedChange(before, after);
  if (strange) return { refused: "nested", name: strange.name };
  let text = source ?? skeleton(target);
  if (!body(text, target.name)) return { refused: "noClass", name: target.name };
  for (const field of old.filter((field) => !next.some((one) => one.name === field.name))) text = removed(text, target, field);
  for (const field of next) {
    const was = old.find((one) => one.name === field.name);
    const property = read(text, target).find((one) => one.name === field.name);
    if (!property) {
      if (!TYPES[field.type]) continue;
      const result = added(text, target, field);
      if (result === undefined) return { refused: "name", name: field.name };
      text = result;
      continue;
    }
    if (was && was.type !== field.type) {
      if (!PLAIN.test(property.type) || !TYPES[field.type]) return { refused: "type", name: field.name };
      text = retyped(text, target, property, TYPES[field.type] ?? "");
    }
    if (was && was.required !== field.required) text = required(text, target, field);
  }
  return { text };
}

/** A field inside of another that came, went or became another. */
function nestedChange(before: string, after: string): Field | undefined {
  const [old, next] = [fields(before) ?? [], fields(after) ?? []];
  const same = (one: Field, all: Field[]) => all.some((other) => other.name === one.name && other.type === one.type && other.required === one.required);
  const gone = (one: Field, all: Field[]) => !all.some((other) => other.name === one.name.split(".")[0]);
  const changed = (from: Field[], to: Field[]) => from.find((one) => one.name.includes(".") && !same(one, to) && !gone(one, to));
  return changed(old, next) ?? changed(next, old) ?? next.find((one) => !TYPES[one.type] && !old.some((other) => other.name === one.name));
}

const skeleton = ({ namespace, name, newtonsoft }: Target) => `#nullable disable
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using System.Xml.Serialization;
${newtonsoft ? "using Newtonsoft.Json;\n" : ""}
namespace ${namespace}
{
    [XmlRoot("${name}")]
    public class ${name}
    {
    }
}
`;

/** Where the class begins and ends, between its braces. */
function body(text: string, name: string): { from: number; to: number } | undefined {
  const bare = blanked(text);
  const head = new RegExp(`\\bclass\\s+${name}\\b[^{;]*\\{`).exec(bare);
  if (!head) return undefined;
  const from = head.index + head[0].length;
  let depth = 1;
  for (let at = from; at < bare.length; at += 1) {
    if (bare[at] === "{") depth += 1;
    if (bare[at] === "}") depth -= 1;
    if (depth === 0) return { from, to: at };
  }
  return undefined;
}

/** The text with comments and strings as blanks, in which every brace is one. */
const blanked = (text: string) =>
  text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|@"(?:[^"]|"")*"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'/g, (part) => part.replace(/[^\n]/g, " "));

/** The properties of the class itself; those of classes inside of it are not its own. */
function read(text: string, target: Target): Property[] {
  const place = body(text, target.name);
  if (!place) return [];
  const bare = blanked(text);
  const found: Property[] = [];
  const shape = /((?:^[ \t]*(?:\[[^\n]*\]|\/\/\/[^\n]*)[ \t]*\r?\n)*)^[ \t]*public\s+([\w<>?.,[\] ]+?)\s+@?([\wæøåÆØÅ]+)\s*\{\s*get;\s*set;\s*\}[^\n]*(?:\n|$)/gm;
  shape.lastIndex = place.from;
  for (let match = shape.exec(text); match && match.index < place.to; match = shape.exec(text)) {
    const [whole, attributes = "", type = "", own = ""] = match;
    const inside = bare.slice(place.from, match.index + attributes.length);
    if (inside.split("{").length !== inside.split("}").length) continue;
    const name = /\[(?:JsonPropertyName|JsonProperty|XmlElement|XmlAttribute)\((?:\w+ *[=:] *)?"([^"]+)"/.exec(attributes)?.[1] ?? own;
    found.push({ name, own, type, attributes, from: match.index, to: match.index + whole.length });
  }
  return found;
}

const cut = (text: string, from: number, to: number, put = "") => text.slice(0, from) + put + text.slice(to);

/** Storage keeps the form as XML, in which a value that is not there is left out. */
const serialized = (own: string) => new RegExp(`(?:\\r?\\n)?^[ \\t]*public bool ShouldSerialize${own}\\(\\)[^\\n]*(?:\\n|$)`, "m");

function removed(text: string, target: Target, field: Field): string {
  const property = read(text, target).find((one) => one.name === field.name);
  if (!property) return text;
  // With the blank line that stood before it.
  const blank = /\n([ \t]*\r?\n)$/.exec(text.slice(0, property.from))?.[1]?.length ?? 0;
  return cut(text, property.from - blank, property.to).replace(serialized(property.own), "");
}

/** `undefined` when the class can have no property of this name. */
function added(text: string, target: Target, field: Field): string | undefined {
  const known = read(text, target);
  const place = body(text, target.name);
  if (!place) return undefined;
  const upper = known.some((one) => one.own !== one.name && one.own === pascal(one.name));
  const own = upper ? pascal(field.name) : field.name;
  const taken = own === target.name || known.some((one) => one.own === own) || new RegExp(`\\b${own}\\s*\\(`).test(text.slice(place.from, place.to));
  if (taken || !/^[A-Za-z_æøåÆØÅ][\wæøåÆØÅ]*$/.test(own)) return undefined;
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const indent = /^[ \t]*(?=public|\[)/m.exec(known.at(-1)?.attributes ?? "")?.[0] ?? `${/^([ \t]*)[^\n]*\bclass\b/m.exec(text)?.[1] ?? ""}    `;
  const orders = known.flatMap((one) => /Order *= *(\d+)/.exec(one.attributes)?.[1] ?? []).map(Number);
  const order = orders.length > 0 ? `, Order = ${Math.max(...orders) + 1}` : "";
  // Only attributes that its neighbours have, whose namespaces the file is sure to use.
  const wears = (attribute: string, otherwise: boolean) => (known.length > 0 ? known.some((one) => one.attributes.includes(`[${attribute}(`)) : otherwise);
  const type = TYPES[field.type] ?? "string";
  const lines = [
    ...(wears("XmlElement", true) ? [`[XmlElement("${field.name}"${order})]`] : []),
    ...(wears("JsonProperty", target.newtonsoft) ? [`[JsonProperty("${field.name}")]`] : []),
    ...(wears("JsonPropertyName", true) ? [`[JsonPropertyName("${field.name}")]`] : []),
    ...(field.required ? [mark(text)] : []),
    `public ${type} ${KEYWORDS.has(own) ? "@" : ""}${own} { get; set; }`,
  ].map((line) => indent + line + eol);
  const last = known.at(-1);
  const at = last?.to ?? text.indexOf("\n", place.from) + 1;
  const next = cut(text, at, at, (last ? eol : "") + lines.join(""));
  return withSerialized(next, target, own, type);
}

/** Adds or takes away what says whether a value is written. */
function withSerialized(text: string, target: Target, own: string, type: string): string {
  const has = serialized(own).test(text);
  if (!type.endsWith("?")) return has ? text.replace(serialized(own), "") : text;
  const place = body(text, target.name);
  if (has || !place) return text;
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const start = text.lastIndexOf("\n", place.to) + 1;
  const indent = `${text.slice(start, place.to)}    `;
  return cut(text, start, start, `${eol}${indent}public bool ShouldSerialize${own}() => ${KEYWORDS.has(own) ? "@" : ""}${own}.HasValue;${eol}`);
}

function retyped(text: string, target: Target, property: Property, type: string): string {
  const line = text.slice(property.from + property.attributes.length, property.to);
  const changed = line.replace(`public ${property.type} `, `public ${type} `);
  return withSerialized(cut(text, property.to - line.length, property.to, changed), target, property.own, type);
}

const mark = (text: string) =>
  /^\ufeff?using System\.ComponentModel\.DataAnnotations;/m.test(text) ? "[Required]" : "[System.ComponentModel.DataAnnotations.Required]";

function required(text: string, target: Target, field: Field): string {
  const property = read(text, target).find((one) => one.name === field.name);
  if (!property) return text;
  const end = property.from + property.attributes.length;
  const bare = property.attributes.replace(/^[ \t]*\[(?:System\.ComponentModel\.DataAnnotations\.)?Required\b[^\n]*\]\s*?\r?\n/gm, "");
  const indent = /^[ \t]*/.exec(text.slice(end))?.[0] ?? "";
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  return cut(text, property.from, end, field.required ? `${bare}${indent}${mark(text)}${eol}` : bare);
}
