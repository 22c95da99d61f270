import { describe, expect, test } from "vitest";

import * as json from "./json";
import * as model from "./model";
import { judge } from "./schemas";
import * as sets from "./sets";
import * as texts from "./texts";
import { isVersion, nextVersion } from "./version";

describe("texts", () => {
  const TEXT = '{\r\n    "language": "nb",\r\n    "resources": [\r\n        { "id": "a", "value": "1" }\r\n    ]\r\n}\r\n';

  test("an edit touches nothing else", () => {
    expect(texts.setText(TEXT, "a", "2")).toBe(TEXT.replace('"1"', '"2"'));
    expect(texts.setText(TEXT, "a", "1")).toBe(TEXT);
    const added = texts.setText(TEXT, "b", "3");
    expect(texts.resources(added)).toEqual([{ id: "a", value: "1" }, { id: "b", value: "3" }]);
    expect(added.replaceAll("\r\n", "")).not.toContain("\n");
    expect(added).toBe(TEXT.replace("}\r\n    ]", '},\r\n        { "id": "b", "value": "3" }\r\n    ]'));
    expect(texts.removeText(added, "b")).toBe(TEXT);
    expect(texts.resources(texts.removeText(TEXT, "a"))).toEqual([]);
    expect(texts.resources(texts.setText(texts.removeText(TEXT, "a"), "c", "1"))).toEqual([{ id: "c", value: "1" }]);
    expect(texts.resources(texts.removeText(added, "a"))).toEqual([{ id: "b", value: "3" }]);
    expect(texts.valueOf(texts.renameText(added, "a", "c"), "c")).toBe("1");
  });

  test("languages and ids", () => {
    const paths = ["App/config/texts/resource.nb.json", "App/config/texts/resource.xx.yaml", "x/App/config/texts/resource.en.json"];
    expect(texts.languagesOf(paths)).toEqual(["nb"]);
    expect(texts.idsOf([TEXT, texts.setText(TEXT, "b", ""), undefined, "{"])).toEqual(["a", "b"]);
  });
});

describe("sets of layouts", () => {
  const paths = ["App/ui/form/layouts/one.json", "App/ui/form/layouts/two.json", "App/ui/form/layouts/x/three.json", "App/ui/form/Settings.json"];

  test("named, or the one of older apps", () => {
    const [set] = sets.sets('{"sets":[{"id":"form","dataType":"model","tasks":["Task_1"]}]}', paths);
    expect(set).toEqual({ id: "form", folder: "App/ui/form", dataType: "model", tasks: ["Task_1"] });
    expect(sets.sets(undefined, ["App/ui/layouts/a.json"])[0]?.folder).toBe("App/ui");
    expect(sets.sets(undefined, ["README.md"])).toEqual([]);
  });

  test("the order is that of the settings; pages that it forgets are at the end", () => {
    const set = { id: "form", folder: "App/ui/form", dataType: undefined, tasks: [] };
    expect(sets.pages(set, '{"pages":{"order":["two","gone"]}}', paths)).toEqual(["two", "one"]);
    expect(sets.pages(set, "{", paths)).toEqual(["one", "two"]);
    const order = sets.withOrder('{"$schema":"x","pages":{"order":["a"],"hideCloseButton":true}}', ["b", "a"]);
    expect(json.read(order)).toEqual({ $schema: "x", pages: { order: ["b", "a"], hideCloseButton: true } });
    expect(json.read(sets.withOrder(undefined, ["a"]))).toEqual({ pages: { order: ["a"] } });
  });
});

describe("models", () => {
  const MODEL = JSON.stringify(
    {
      oneOf: [{ $ref: "#/$defs/Model" }],
      $defs: {
        Model: {
          type: "object",
          properties: {
            name: { type: "string" },
            address: { $ref: "#/$defs/Address" },
            rows: { type: "array", items: { $ref: "#/$defs/Address" } },
            self: { $ref: "#/$defs/Model" },
          },
          required: ["name"],
        },
        Address: { type: "object", properties: { street: { type: ["string", "null"] } } },
      },
    },
    undefined,
    2,
  );

  test("fields through references, lists and circles", () => {
    const all = model.fields(MODEL) ?? [];
    const named = (name: string) => all.find((field) => field.name === name);
    expect(named("name")).toMatchObject({ type: "string", required: true, repeated: false });
    expect(named("address.street")).toMatchObject({ type: "string", repeated: false });
    expect(named("rows.street")?.repeated).toBe(true);
    expect(model.bindable(all).map((field) => field.name).slice(0, 2)).toEqual(["name", "address.street"]);
    expect(all.length).toBeLessThan(200);
  });

  test("fields are added, required and taken away", () => {
    let text = model.addField(MODEL, "age", "integer");
    const age = () => (model.fields(text) ?? []).find((field) => field.name === "age") as model.Field;
    expect(age()).toMatchObject({ type: "integer", required: false });
    text = model.setRequired(text, age(), true);
    expect(age().required).toBe(true);
    text = model.setType(text, age(), "number");
    expect(age().type).toBe("number");
    text = model.removeField(text, age());
    expect(text).toBe(MODEL);
  });
});

describe("versions", () => {
  test("the next one", () => {
    expect(nextVersion([])).toBe("1.0.0");
    expect(nextVersion(["1.0.0", "1.10.2", "1.9.9", "beta", "v0.1.0"])).toBe("1.10.3");
    expect([isVersion("1.0.0"), isVersion(""), isVersion(".1"), isVersion("1/0")]).toEqual([true, false, false, false]);
  });
});

describe("schemas", () => {
  test("what is wrong is told where it is", () => {
    const path = "App/config/texts/resource.nb.json";
    expect(judge(path, '{"language":"nb","resources":[{"id":"a","value":"b"}]}')).toEqual([]);
    const text = '{"language":"nb","resources":[{"id":"a","value":7}]}';
    const marks = judge(path, text);
    expect(marks.length).toBeGreaterThan(0);
    expect(marks.map(({ from, to }) => text.slice(from, to))).toContain("7");
    expect(judge(path, "{").length).toBeGreaterThan(0);
    expect(judge("App/other.json", '{"a":1,}')).toEqual([]);
    expect(judge("App/other.json", "{a}").length).toBeGreaterThan(0);
  });

  test("expressions are no faults of a layout", () => {
    const path = "App/ui/form/layouts/one.json";
    const layout = (component: object) => JSON.stringify({ data: { layout: [{ id: "a", type: "Input", ...component }] } });
    expect(judge(path, layout({ required: ["equals", 1, 2] }))).toEqual([]);
    expect(judge(path, layout({ required: "yes" })).length).toBeGreaterThan(0);
    expect(judge(path, layout({ id: "a b" })).length).toBeGreaterThan(0);
  });
});
