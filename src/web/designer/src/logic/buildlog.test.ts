import { expect, test } from "vitest";

import { errors, logLine, ownFile } from "./buildlog";

const AT = "2026-11-21T22:03:04.1234567Z ";

test("lines lose their time and their mark", () => {
  expect(logLine(`${AT}##[section]Starting: Build`)).toEqual({ kind: "section", text: "Starting: Build" });
  expect(logLine(`${AT}##[warning]old`)).toEqual({ kind: "warning", text: "old" });
  expect(logLine(`${AT}plain`)).toEqual({ kind: "", text: "plain" });
  expect(logLine("no time: error here")).toEqual({ kind: "", text: "no time: error here" });
  expect(logLine(`${AT}A.cs(1,2): warning CS0168: unused`).kind).toBe("warning");
});

test("what the compiler says is found once, whoever repeats it", () => {
  const lines = [
    `${AT}##[section]Starting: Build image`,
    `${AT}#12 3.456 /src/App/logic/My File.cs(3,9): error CS1002: ; expected [/src/App/App.csproj]`,
    `${AT}#12 3.456 /src/App/logic/My File.cs(3,9): error CS1002: ; expected [/src/App/App.csproj]`,
    `${AT}#12 3.5 /src/App/A.cs(1,2): warning CS0168: unused [/src/App/App.csproj]`,
    `${AT}##[error]App/B.cs(7): error CS1513: } expected`,
    `${AT}/src/App/App.csproj : error NU1101: Unable to find package X. [/src/App/App.csproj]`,
    `${AT}CSC : error CS5001: Program does not contain a static 'Main' method`,
    `${AT}    2 Error(s)`,
    `${AT}##[error]The build failed.`,
  ];
  expect(errors(lines)).toEqual([
    { severity: "error", code: "CS1002", message: "; expected", file: "/src/App/logic/My File.cs", line: 3, column: 9 },
    { severity: "error", code: "CS1513", message: "} expected", file: "App/B.cs", line: 7 },
    { severity: "error", code: "NU1101", message: "Unable to find package X.", file: "/src/App/App.csproj" },
    { severity: "error", code: "CS5001", message: "Program does not contain a static 'Main' method", file: "" },
  ]);
});

test("without a compiler's word, the marked lines tell", () => {
  expect(errors([`${AT}a`, `${AT}##[error]git fetch failed`])).toEqual([{ severity: "error", code: "", message: "git fetch failed", file: "" }]);
  expect(errors([`${AT}all: error free`])).toEqual([]);
});

test("a file of the image is the app's file with the longest common end", () => {
  const paths = ["App/Foo.cs", "App/logic/Foo.cs", "App/App.csproj", "Foo.md"];
  for (const [file, own] of [
    ["/src/App/Foo.cs", "App/Foo.cs"],
    ["App\\logic\\Foo.cs", "App/logic/Foo.cs"],
    ["./App/Foo.cs", "App/Foo.cs"],
    ["logic/Foo.cs", "App/logic/Foo.cs"],
    ["Foo.cs", undefined],
    ["App.csproj", "App/App.csproj"],
    ["/usr/share/dotnet/sdk/x.targets", undefined],
    ["", undefined],
  ] as const) {
    expect(ownFile(file, paths), file).toBe(own);
  }
});
