import { expect, test } from "vitest";

import { fill } from "./language";

test("texts are filled, and numbers choose their form", () => {
  expect(fill("{a} and {b}", { a: 1, b: "x" })).toBe("1 and x");
  expect(fill("{a} and {b}", { a: 1 })).toBe("1 and {b}");
  expect(fill("{n} file|{n} files", { n: 1 })).toBe("1 file");
  expect(fill("{n} file|{n} files", { n: 0 })).toBe("0 files");
  expect(fill("{n} text", { n: 7 })).toBe("7 text");
});
