// What the editor knows of an app's own files: JSON schemas, written here because the published ones are on the net.
// They say what is wrong for certain and let pass what they do not know.

import { Validator, type Schema } from "@cfworker/json-schema";
import { parse, printParseErrorCode, type ParseError } from "jsonc-parser";

import * as json from "./json";

export interface Mark {
  from: number;
  to: number;
  message: string;
}

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const names = { type: "array", items: { type: "string" } } as const;

const RESOURCES: Schema = {
  type: "object",
  required: ["language", "resources"],
  properties: {
    language: { type: "string", pattern: "^[a-z]{2,3}$" },
    resources: {
      type: "array",
      items: {
        type: "object",
        required: ["id", "value"],
        properties: {
          id: { type: "string", minLength: 1 },
          value: text,
          variables: {
            type: "array",
            items: {
              type: "object",
              required: ["key", "dataSource"],
              properties: { key: text, dataSource: text, defaultValue: text },
            },
          },
        },
        additionalProperties: false,
      },
    },
  },
};

/** A value that may be an expression, `["equals", …]`. */
const dynamic = (type: "string" | "boolean"): Schema => ({ anyOf: [{ type }, { type: "array" }] });

const LAYOUT: Schema = {
  type: "object",
  required: ["data"],
  properties: {
    $schema: text,
    data: {
      type: "object",
      required: ["layout"],
      properties: {
        layout: {
          type: "array",
          items: {
            type: "object",
            required: ["id", "type"],
            properties: {
              id: { type: "string", pattern: "^[0-9a-zA-Z][0-9a-zA-Z-]*$" },
              type: { type: "string", minLength: 1 },
              textResourceBindings: { type: "object", additionalProperties: dynamic("string") },
              dataModelBindings: {
                type: "object",
                additionalProperties: {
                  anyOf: [text, { type: "object", required: ["field"], properties: { field: text, dataType: text } }],
                },
              },
              required: dynamic("boolean"),
              readOnly: dynamic("boolean"),
              hidden: dynamic("boolean"),
              children: names,
              optionsId: text,
              options: {
                type: "array",
                items: { type: "object", required: ["label", "value"], properties: { label: text } },
              },
              maxLength: { type: "integer", minimum: 0 },
              maxCount: { type: "integer", minimum: 0 },
              minCount: { type: "integer", minimum: 0 },
            },
          },
        },
      },
    },
  },
};

const SETS: Schema = {
  type: "object",
  required: ["sets"],
  properties: {
    $schema: text,
    sets: {
      type: "array",
      items: {
        type: "object",
        required: ["id"],
        properties: { id: { type: "string", minLength: 1 }, dataType: text, tasks: names },
      },
    },
  },
};

const SETTINGS: Schema = {
  type: "object",
  properties: {
    $schema: text,
    pages: { type: "object", properties: { order: names, excludeFromPdf: names } },
  },
};

const METADATA: Schema = {
  type: "object",
  required: ["id", "org", "title", "dataTypes", "partyTypesAllowed"],
  properties: {
    id: { type: "string", pattern: "^[^/]+/[^/]+$" },
    org: text,
    title: { type: "object", additionalProperties: text },
    dataTypes: {
      type: "array",
      items: {
        type: "object",
        required: ["id"],
        properties: {
          id: { type: "string", minLength: 1 },
          allowedContentTypes: { anyOf: [names, { type: "null" }] },
          maxCount: { type: "integer", minimum: 0 },
          minCount: { type: "integer", minimum: 0 },
          maxSize: { anyOf: [{ type: "integer", minimum: 0 }, { type: "null" }] },
          taskId: { anyOf: [text, { type: "null" }] },
        },
      },
    },
    partyTypesAllowed: {
      type: "object",
      properties: { bankruptcyEstate: flag, organisation: flag, person: flag, subUnit: flag },
      additionalProperties: false,
    },
    autoDeleteOnProcessEnd: flag,
  },
};

const OPTIONS: Schema = {
  type: "array",
  items: { type: "object", required: ["value", "label"], properties: { label: text } },
};

const KNOWN: [RegExp, Schema][] = [
  [/^App\/config\/texts\/resource\.[a-z]{2,3}\.json$/, RESOURCES],
  [/^App\/ui\/(.+\/)?layouts\/[^/]+\.json$/, LAYOUT],
  [/^App\/ui\/layout-sets\.json$/, SETS],
  [/^App\/ui\/(.+\/)?Settings\.json$/, SETTINGS],
  [/^App\/config\/applicationmetadata\.json$/, METADATA],
  [/^App\/options\/[^/]+\.json$/, OPTIONS],
];

/** The schema of a file, when it is known what the file is. */
export const schemaOf = (path: string) => KNOWN.find(([pattern]) => pattern.test(path))?.[1];

/** What is wrong with a JSON text, first with its grammar, then by its schema. */
export function judge(path: string, content: string): Mark[] {
  const errors: ParseError[] = [];
  const value: unknown = parse(content.replace(/^\ufeff/, " "), errors, { allowTrailingComma: true });
  if (errors.length > 0) {
    return errors.map(({ error, offset, length }) => ({
      from: offset,
      to: offset + length,
      message: printParseErrorCode(error),
    }));
  }
  const schema = schemaOf(path);
  if (!schema) return [];
  const { errors: found } = new Validator(schema, "2020-12", false).validate(value);
  const deepest = found.filter(
    ({ instanceLocation }) =>
      !found.some((other) => other.instanceLocation.startsWith(`${instanceLocation}/`)),
  );
  const marks = deepest.map(({ instanceLocation, error }) => {
    const steps = instanceLocation
      .split("/")
      .slice(1)
      .map((step) => decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~"))
      .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    return { ...json.place(content, steps), message: error };
  });
  return marks.filter(
    (mark, index) => marks.findIndex((other) => other.from === mark.from && other.message === mark.message) === index,
  );
}

/** What is wrong with an XML text. */
export function judgeXml(content: string): Mark[] {
  const document = new DOMParser().parseFromString(content, "application/xml");
  const error = document.querySelector("parsererror");
  if (!error) return [];
  const message = (error.querySelector("div") ?? error).textContent?.trim() ?? "";
  const [, line, column] = /line (\d+) at column (\d+)/.exec(message) ?? [];
  const lines = content.split("\n");
  const before = lines.slice(0, Number(line ?? 1) - 1).reduce((sum, line) => sum + line.length + 1, 0);
  const at = Math.min(before + Number(column ?? 0), content.length);
  return [{ from: Math.max(0, at - 1), to: at, message }];
}
