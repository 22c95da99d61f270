// Fields that are typed into or chosen from.

import { element } from "./dom.js";
import { number, text, words } from "./texts.js";

/** A field with its label, description and place for an error. `typed` hears each change, `left` when it is done. */
export function field({ schema, options }, component, { typed, left }) {
  const { id, type, textResourceBindings: bound = {}, dataModelBindings = {} } = component;
  const { required, readOnly, maxLength, autocomplete, optionsId } = component;
  const name = dataModelBindings.simpleBinding;
  const kind = schema[name]?.type;
  const control = type === "Dropdown"
    ? element("select", {}, new Option(words().choose, ""), ...(options.get(optionsId) ?? []).map(({ value, label }) => new Option(text(label), value)))
    : element(type === "TextArea" ? "textarea" : "input");
  control.id = id;
  control.name = name;
  control.setAttribute("aria-describedby", `${id}-description ${id}-error`);
  if (readOnly) control.readOnly = true;
  if (required) control.setAttribute("aria-required", "true");
  if (maxLength) control.maxLength = maxLength;
  if (autocomplete) control.autocomplete = autocomplete;
  if (kind === "integer" || kind === "number") control.inputMode = "decimal";
  control.addEventListener("input", () => {
    const value = fitting(control.value, kind);
    if (value !== undefined) typed(name, value);
  });
  control.addEventListener("change", left);
  return element("div", { className: "field" },
    element("label", { htmlFor: id, textContent: text(bound.title) + (required ? " *" : "") }),
    element("p", { id: `${id}-description`, className: "description", textContent: bound.description ? text(bound.description) : "" }),
    control,
    element("p", { id: `${id}-error`, className: "error" }));
}

/** The value as the schema wants it; undefined where it does not fit, which then stays in the field and is not sent. */
export function fitting(value, kind) {
  if (value === "" || value == null) return null;
  if (typeof value !== "string") return value;
  if (kind !== "integer" && kind !== "number") return value;
  const typed = Number(value.replaceAll(/\s/g, "").replace(",", "."));
  const fits = kind === "integer" ? Number.isSafeInteger(typed) : Number.isFinite(typed);
  return fits ? typed : undefined;
}

/** Puts values and errors into the fields that are there, so that the one being typed in keeps its caret. */
export function fill(form, model, issues) {
  for (const control of form.querySelectorAll("[name]")) {
    const value = model[control.name] ?? "";
    if (control !== document.activeElement) {
      control.value = control.readOnly && typeof value === "number" ? number(value) : value;
    }
    const issue = issues.find(({ field }) => field === control.name);
    control.setAttribute("aria-invalid", issue !== undefined);
    document.getElementById(`${control.id}-error`).textContent = issue ? text(issue.customTextKey, issue.customTextParameters) : "";
  }
}
