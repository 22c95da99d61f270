import { act } from "react";
import { afterEach, expect, test, vi } from "vitest";
import type { DataChanged } from "./contract";
import { widgetElement } from "./element";
import { Widget } from "./Widget";
import "./main";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

/** The element as the app's frontend makes it: attributes first, properties once it is in the page. */
async function shown(properties: object, attributes: Record<string, string> = {}) {
  const element = document.createElement("__TAG__");
  for (const [name, value] of Object.entries({ text: "How many?", ...attributes })) {
    element.setAttribute(name, value);
  }
  await act(async () => document.body.append(element));
  await act(async () => void Object.assign(element, properties));
  return element;
}

afterEach(() => act(async () => document.body.replaceChildren()));

test("shows the title and the value", async () => {
  const element = await shown({ formData: { simpleBinding: "4" }, texts: { description: "Whole numbers" } });
  expect(element.querySelector("legend")?.textContent).toBe("How many?");
  expect(element.querySelector("output")?.textContent).toBe("4");
  expect(element.querySelector(".description")?.textContent).toBe("Whole numbers");
});

test("tells the frontend of a change and keeps its own state", async () => {
  const element = await shown({ formData: { simpleBinding: 4 } });
  const heard = vi.fn<(change: DataChanged) => void>();
  element.addEventListener("dataChanged", (event) => heard((event as CustomEvent<DataChanged>).detail));
  await act(async () => element.querySelector<HTMLButtonElement>("[aria-label='+1']")?.click());
  expect(heard).toHaveBeenCalledExactlyOnceWith({ value: 5, field: "simpleBinding" });
  await act(async () => void Object.assign(element, { formData: { simpleBinding: 5 } }));
  expect(element.querySelector("output")?.textContent).toBe("5");
  expect(element.querySelector(".changes")?.textContent).toBe("1 ×");
});

test("shows what is wrong", async () => {
  const element = await shown({ componentValidations: { simpleBinding: { errors: ["Too few"] } } });
  expect(element.querySelector("[role=alert]")?.textContent).toBe("Too few");
});

test("cannot be changed when the layout says so", async () => {
  const element = await shown({}, { readOnly: "true" });
  expect(element.querySelector("fieldset")?.disabled).toBe(true);
});

test("shows only the answer in a summary", async () => {
  const element = await shown({ formData: { simpleBinding: 7 } }, { summaryMode: "true" });
  expect(element.textContent).toBe("How many?: 7");
  expect(element.querySelector("button")).toBeNull();
});

test("takes what was set before the element was defined", async () => {
  const early = document.createElement("early-widget");
  Object.assign(early, { formData: { simpleBinding: 3 } });
  document.body.append(early);
  await act(async () => customElements.define("early-widget", widgetElement(Widget)));
  const now = document.querySelector("early-widget");
  expect(now?.querySelector("output")?.textContent).toBe("3");
});
