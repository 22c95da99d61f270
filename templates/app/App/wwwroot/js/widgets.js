// Web components, which scripts of the app register. They get attributes and properties as Altinn's frontend gives
// them: what the element knows as a property is set as one, objects travel in attributes as JSON.

import { element } from "./dom.js";
import { fitting } from "./fields.js";
import { text, words } from "./texts.js";

export class Widgets {
  #app;
  #edit;
  // By id; they stay when the language changes, and keep what they know.
  #made = new Map();

  constructor(app, edit) {
    this.#app = app;
    this.#edit = edit;
  }

  component({ id, type, textResourceBindings: bound = {}, dataModelBindings = {}, tagName, ...rest }) {
    const { dataType } = this.#app;
    const bindings = Object.fromEntries(Object.entries(dataModelBindings).map(([key, binding]) =>
      [key, typeof binding === "string" ? { dataType, field: binding } : binding]));
    if (!this.#made.has(id)) {
      const made = document.createElement(tagName);
      made.addEventListener("dataChanged", ({ detail }) => this.#heard(tagName, bindings, detail));
      this.#made.set(id, { made, bindings });
    }
    const { made } = this.#made.get(id);
    const given = { "data-testid": tagName, ...rest, id, type, text: text(bound.title), summaryMode: false, getTextResourceAsString: (key) => text(key) };
    for (const [key, value] of Object.entries(given)) give(made, key, value);
    made.texts = Object.fromEntries(Object.entries(bound).map(([key, resource]) => [key, text(resource)]));
    made.dataModelBindings = bindings;
    made.language = { general: words() };
    return element("div", { className: "field" }, made);
  }

  fill(model, issues) {
    for (const { made, bindings } of this.#made.values()) {
      const keys = Object.entries(bindings);
      made.formData = Object.fromEntries(keys.map(([key, { field }]) => {
        const value = model[field] ?? "";
        return [key, typeof value === "object" ? value : String(value)];
      }));
      const wrong = keys.flatMap(([key, { field }]) => {
        const errors = issues.filter((issue) => issue.field === field).map((issue) => text(issue.customTextKey));
        return errors.length > 0 ? [[key, { errors }]] : [];
      });
      made.componentValidations = wrong.length > 0 ? Object.fromEntries(wrong) : undefined;
    }
  }

  #heard(tagName, bindings, { value, field }) {
    const { field: name } = bindings[field ?? "simpleBinding"] ?? {};
    if (!name) throw new Error(`${tagName}: the component has no binding \`${field}\``);
    const answer = fitting(typeof value === "number" ? String(value) : value, this.#app.schema[name]?.type);
    if (answer !== undefined) this.#edit(name, answer);
  }
}

function give(made, key, value) {
  const plain = value !== null && typeof value === "object" ? JSON.stringify(value) : value;
  if (key in made) {
    made[key] = plain;
  } else if (plain === false || plain == null || typeof plain === "function") {
    made.removeAttribute(key);
  } else {
    made.setAttribute(key, plain === true ? "" : plain);
  }
}
