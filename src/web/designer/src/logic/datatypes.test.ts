import { expect, test } from "vitest";

import { add, contentTypes, idFault, remove, set, whole } from "./datatypes";
import * as json from "./json";
import { placeOf, tooLarge } from "./upload";

const TEXT = `{
  "id": "ttd/demo",
  "dataTypes": [
    { "id": "model", "allowedContentTypes": ["application/xml"], "maxCount": 1 }
  ]
}
`;

test("what is written into the fields is judged", () => {
  expect(["a-b.c_d", "Æ1", "", "-a", "a b", "model"].map((id) => idFault(id, ["model"]))).toEqual([undefined, undefined, "letters", "letters", "letters", "taken"]);
  expect(contentTypes(" application/pdf, image/png;image/png ")).toEqual(["application/pdf", "image/png"]);
  expect(contentTypes("image/*")).toEqual(["image/*"]);
  expect(contentTypes("")).toEqual([]);
  expect(contentTypes("pdf")).toBeUndefined();
  expect([whole("", 0), whole("0", 0), whole("0", 1), whole("1.5", 0), whole("x", 0), whole(" 7 ", 0)]).toEqual([null, 0, undefined, undefined, undefined, 7]);
});

test("a data type is edited in place", () => {
  expect(set(TEXT, 0, "maxSize", 5)).toContain('"maxCount": 1');
  expect(json.read(set(TEXT, 0, "maxCount", undefined))).toEqual({ id: "ttd/demo", dataTypes: [{ id: "model", allowedContentTypes: ["application/xml"] }] });
  const two = add(TEXT, "picture");
  expect(json.read<{ dataTypes: unknown[] }>(two)?.dataTypes[1]).toEqual({ id: "picture", allowedContentTypes: [], maxCount: 0, minCount: 0 });
  expect(remove(two, 1)).toBe(TEXT);
  expect(json.read(add("{}", "a"))).toMatchObject({ dataTypes: [{ id: "a" }] });
});

test("a file that is sent has a place and a limit", () => {
  expect(placeOf("/App/wwwroot/ ", "a b.png")).toBe("App/wwwroot/a b.png");
  expect(placeOf("", "a.png")).toBe("a.png");
  expect([tooLarge(10 * 1024 * 1024), tooLarge(10 * 1024 * 1024 + 1)]).toEqual([false, true]);
});
