/// <reference types="vite/client" />
import { expect, test } from "vitest";

import source from "../../../../../templates/app/App/models/model.cs?raw";
import schema from "../../../../../templates/app/App/models/model.schema.json?raw";
import { follow, targetOf, type Target } from "./csharp";
import * as model from "./model";

const TARGET: Target = { namespace: "Altinn.App.Models", name: "Model", newtonsoft: false };

const field = (schema: string, name: string) => {
  const found = model.fields(schema)?.find((field) => field.name === name);
  if (!found) throw new Error(name);
  return found;
};
const text = (followed: ReturnType<typeof follow>) => ("text" in followed ? followed.text : followed.refused);
/** The lines that differ, as `- old` and `+ new`. */
const lines = (before: string, after: string) => {
  const [old, next] = [before.split("\n"), after.split("\n")];
  const minus = (one: string[], other: string[], sign: string) => {
    const rest = [...other];
    return one.filter((line) => {
      const at = rest.indexOf(line);
      if (at >= 0) rest.splice(at, 1);
      return at < 0 && line.trim() !== "";
    }).map((line) => `${sign} ${line.trim()}`);
  };
  return [...minus(old, next, "-"), ...minus(next, old, "+")];
};

test("a new field stands in the class as its neighbours do, and goes again without a trace", () => {
  const next = model.addField(schema, "reason", "string");
  const made = text(follow(source, schema, next, TARGET));
  expect(lines(source, made)).toEqual(['+ [XmlElement("reason")]', '+ [JsonPropertyName("reason")]', "+ public string Reason { get; set; }"]);
  expect(text(follow(made, next, schema, TARGET))).toBe(source);
  const numbers = model.addField(next, "age", "integer");
  const two = text(follow(made, next, numbers, TARGET));
  expect(lines(made, two)).toEqual(['+ [XmlElement("age")]', '+ [JsonPropertyName("age")]', "+ public int? Age { get; set; }", "+ public bool ShouldSerializeAge() => Age.HasValue;"]);
  expect(text(follow(two, numbers, next, TARGET))).toBe(made);
});

test("types and what is required change in place, and rules stay", () => {
  const typed = model.setType(schema, field(schema, "ownShare"), "string");
  expect(lines(source, text(follow(source, schema, typed, TARGET)))).toEqual([
    "- public decimal? OwnShare { get; set; }",
    "- public bool ShouldSerializeOwnShare() => OwnShare.HasValue;",
    "+ public string OwnShare { get; set; }",
  ]);
  const must = model.setRequired(schema, field(schema, "eventType"), true);
  expect(lines(source, text(follow(source, schema, must, TARGET)))).toEqual(["+ [Required]"]);
  const may = model.setRequired(schema, field(schema, "eventName"), false);
  expect(lines(source, text(follow(source, schema, may, TARGET)))).toEqual(['- [Required(ErrorMessage = "error.required")]']);
});

test("a new class has all fields; names that are words of C# are marked", () => {
  let made = '{"properties":{}}';
  for (const [name, type] of [["event", "string"], ["sum", "number"], ["done", "boolean"]] as const) made = model.addField(made, name, type);
  made = model.setRequired(made, field(made, "event"), true);
  expect(text(follow(undefined, "{}", made, { namespace: "A.B", name: "Root", newtonsoft: true }))).toBe(`#nullable disable
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using System.Xml.Serialization;
using Newtonsoft.Json;

namespace A.B
{
    [XmlRoot("Root")]
    public class Root
    {
        [XmlElement("event")]
        [JsonProperty("event")]
        [JsonPropertyName("event")]
        [Required]
        public string @event { get; set; }

        [XmlElement("sum")]
        [JsonProperty("sum")]
        [JsonPropertyName("sum")]
        public decimal? sum { get; set; }

        [XmlElement("done")]
        [JsonProperty("done")]
        [JsonPropertyName("done")]
        public bool? done { get; set; }

        public bool ShouldSerializesum() => sum.HasValue;

        public bool ShouldSerializedone() => done.HasValue;
    }
}
`);
});

test("an order goes on, line ends stay, and classes inside are not the class", () => {
  const cs = ['class Model', "{", '  [XmlElement("a", Order = 4)]', '  [JsonProperty("a")]', "  public string a { get; set; }", "  public class Inner {", "    public string b { get; set; }", "  }", '  // } "', "}", ""].join("\r\n");
  const before = '{"properties":{"a":{"type":"string"}}}';
  const made = text(follow(cs, before, model.addField(before, "b", "string"), TARGET));
  expect(made.replaceAll("\r\n", "")).not.toContain("\n");
  expect(lines(cs, made)).toEqual(['+ [XmlElement("b", Order = 5)]', '+ [JsonProperty("b")]', "+ public string b { get; set; }"]);
  expect(made.indexOf("Order = 5")).toBeLessThan(made.indexOf("class Inner"));
});

test("what cannot be done well is refused, and nothing is half done", () => {
  const root = '{"properties":{"a":{"type":"object","properties":{"x":{"type":"string"}}},"d":{"type":"string"}}}';
  const cs = "class Model\n{\n    public A a { get; set; }\n    public DateTime? d { get; set; }\n}\n";
  const refused = (source: string | undefined, next: string, target = TARGET) => follow(source, root, next, target);
  expect(refused(undefined, root)).toEqual({ refused: "nested", name: "a" });
  expect(refused(cs, model.removeField(root, field(root, "a.x")))).toEqual({ refused: "nested", name: "a.x" });
  expect(refused(cs, model.setType(root, field(root, "d"), "integer"))).toEqual({ refused: "type", name: "d" });
  expect(refused("class Other { }", root)).toEqual({ refused: "noClass", name: "Model" });
  expect(refused(cs, model.addField(root, "Model", "string"))).toEqual({ refused: "name", name: "Model" });
  // A whole group may go, and fields beside groups may come.
  expect(lines(cs, text(refused(cs, model.removeField(root, field(root, "a")))))).toEqual(["- public A a { get; set; }"]);
  expect(lines(cs, text(refused(cs, model.addField(root, "e", "string"))))).toContain("+ public string e { get; set; }");
});

test("the class is the one that the metadata names", () => {
  const metadata = { dataTypes: [{ id: "pdf" }, { id: "model", appLogic: { classRef: "X.Y.Skjema" } }] };
  expect(targetOf("App/models/model.schema.json", metadata, schema, false)).toEqual({ namespace: "X.Y", name: "Skjema", newtonsoft: false });
  expect(targetOf("App/models/model.schema.json", undefined, schema, true)).toEqual({ namespace: "Altinn.App.Models", name: "Model", newtonsoft: true });
  expect(targetOf("App/models/my-form.schema.json", {}, "{}", false).name).toBe("Myform");
});
