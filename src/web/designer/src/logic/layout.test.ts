import { describe, expect, test } from "vitest";

import * as layout from "./layout";

const TEXT = `{
  "data": {
    "layout": [
      { "id": "head", "type": "Header", "textResourceBindings": { "title": "head" } },
      {
        "id": "group",
        "type": "Group",
        "children": ["a", "0:b"]
      },
      { "id": "a", "type": "Input" },
      { "id": "b", "type": "Input" }, // said by people
      { "id": "send", "type": "Button" }
    ]
  }
}
`;

const ids = (text: string) => (layout.components(text) ?? []).map((component) => component.id);
const top = (text: string) => layout.tree(layout.components(text) ?? []).map((twig) => twig.component.id);

describe("layouts", () => {
  test("groups hold their children", () => {
    const twigs = layout.tree(layout.components(TEXT) ?? []);
    expect(twigs.map(({ component, children }) => [component.id, children.map((child) => child.id)])).toEqual([
      ["head", []],
      ["group", ["a", "b"]],
      ["send", []],
    ]);
  });

  test("a move changes no component's own text", () => {
    const moved = layout.move(TEXT, "head", 2);
    expect(top(moved)).toEqual(["group", "send", "head"]);
    expect(moved).toContain('{ "id": "head", "type": "Header", "textResourceBindings": { "title": "head" } }');
    expect(moved).toContain("// said by people");
    expect(layout.move(moved, "head", 0)).toBe(TEXT);
  });

  test("a child moves within its group", () => {
    const moved = layout.move(TEXT, "b", 0);
    expect(layout.components(moved)?.find((one) => one.id === "group")?.children).toEqual(["0:b", "a"]);
    expect(ids(moved)).toEqual(ids(TEXT));
  });

  test("new components stand above the buttons, or where they were dropped", () => {
    const fresh = { id: "new", type: "Input" };
    expect(top(layout.add(TEXT, fresh))).toEqual(["head", "group", "new", "send"]);
    expect(top(layout.add(TEXT, fresh, 0))).toEqual(["new", "head", "group", "send"]);
    expect(top(layout.add(TEXT, fresh, 3))).toEqual(["head", "group", "send", "new"]);
    expect(top(layout.add(layout.EMPTY, fresh))).toEqual(["new"]);
    expect(layout.add(TEXT, fresh)).toContain('said by people\n      { "id": "new", "type": "Input" },\n');
    expect(layout.remove(layout.add(TEXT, fresh, 0), "new")).toBe(TEXT);
  });

  test("a group goes with its children, a child leaves its group", () => {
    expect(ids(layout.remove(TEXT, "group"))).toEqual(["head", "send"]);
    const without = layout.remove(TEXT, "b");
    expect(ids(without)).toEqual(["head", "group", "a", "send"]);
    expect(layout.components(without)?.[1]?.children).toEqual(["a"]);
  });

  test("properties are set and taken away without traces", () => {
    const set = layout.setProperty(TEXT, "a", ["dataModelBindings", "simpleBinding"], "x.y");
    expect(layout.binding(layout.components(set)?.[2] as layout.Component)).toBe("x.y");
    const unset = layout.setProperty(set, "a", ["dataModelBindings", "simpleBinding"], undefined);
    expect(layout.components(unset)?.[2]).toEqual({ id: "a", type: "Input" });
  });

  test("a new id is known to the group", () => {
    const renamed = layout.rename(TEXT, "b", "c");
    expect(layout.components(renamed)?.[1]?.children).toEqual(["a", "0:c"]);
    expect(ids(renamed)).toContain("c");
  });

  test("ids", () => {
    expect(layout.freeId("TextArea", ["text-area-1"])).toBe("text-area-2");
    for (const [id, problem] of [
      ["", "empty"],
      ["a b", "letters"],
      ["-a", "letters"],
      ["a", "taken"],
      ["a-1", undefined],
    ] as const) {
      expect(layout.idProblem(id, ["a"]), id).toBe(problem);
    }
  });

  test("what is no layout is not taken for one", () => {
    for (const text of [undefined, "", "{", "[]", "{}", '{"data":{"layout":[1]}}', '{"data":{"layout":{}}}']) {
      expect(layout.components(text), text).toBeUndefined();
    }
  });
});
