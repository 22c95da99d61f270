// The web component: takes what the app's frontend gives as attributes and properties, and draws a React component from
// it. A custom element cannot be defined twice, so an edit of this file reloads the page; edits of `Widget.tsx` do not.

import type { ComponentType } from "react";
import { createRoot, type Root } from "react-dom/client";
import type { DataChanged, Value, WidgetProps } from "./contract";

type Given = Omit<WidgetProps, "id" | "layout" | "setValue">;

/** What may come as a property. Whatever does not may still come as an attribute. */
const PROPERTIES = [
  "text",
  "texts",
  "formData",
  "dataModelBindings",
  "componentValidations",
  "language",
  "summaryMode",
  "readOnly",
  "required",
  "getTextResourceAsString",
] as const satisfies (keyof Given)[];

/** Attributes that are no properties of the layout component. */
const OWN = new Set(["id", "class", "style", "data-testid", ...PROPERTIES.map((name) => name.toLowerCase())]);

/** A custom element that draws `Widget`. */
export function widgetElement(Widget: ComponentType<WidgetProps>): CustomElementConstructor {
  class WidgetElement extends HTMLElement {
    #root: Root | undefined;
    #given: Partial<Record<string, unknown>> = {};
    readonly #watch = new MutationObserver(() => this.#draw());

    connectedCallback() {
      this.#adopt();
      this.#root ??= createRoot(this);
      this.#watch.observe(this, { attributes: true });
      this.#draw();
    }

    disconnectedCallback() {
      this.#watch.disconnect();
      // An element that is only moved is back at once, and keeps its state.
      queueMicrotask(() => {
        if (!this.isConnected) {
          this.#root?.unmount();
          this.#root = undefined;
        }
      });
    }

    /** What was set before the element was defined hides the accessors until it is set again. */
    #adopt() {
      for (const name of PROPERTIES) {
        if (Object.hasOwn(this, name)) {
          const value: unknown = Reflect.get(this, name);
          Reflect.deleteProperty(this, name);
          this.#given[name] = value;
        }
      }
    }

    #draw() {
      this.#root?.render(<Widget {...this.#props()} />);
    }

    #props(): WidgetProps {
      const given = (name: keyof Given) => this.#given[name] ?? this.getAttribute(name) ?? undefined;
      const object = <T,>(name: keyof Given) => parsed(given(name)) as T | undefined;
      const flag = (name: keyof Given) => given(name) === true || given(name) === "" || given(name) === "true";
      const others = [...this.attributes].filter(({ name }) => !OWN.has(name));
      const getText = given("getTextResourceAsString");
      return {
        id: this.id,
        text: String(given("text") ?? ""),
        texts: object<WidgetProps["texts"]>("texts") ?? {},
        formData: object<WidgetProps["formData"]>("formData") ?? {},
        dataModelBindings: object<WidgetProps["dataModelBindings"]>("dataModelBindings") ?? {},
        componentValidations: object<Record<string, never>>("componentValidations"),
        language: object<WidgetProps["language"]>("language") ?? {},
        summaryMode: flag("summaryMode"),
        readOnly: flag("readOnly"),
        required: flag("required"),
        layout: Object.fromEntries(others.map(({ name, value }) => [name, parsed(value) as Value])),
        getTextResourceAsString:
          typeof getText === "function" ? (getText as WidgetProps["getTextResourceAsString"]) : (key) => key,
        setValue: this.#setValue,
      };
    }

    readonly #setValue = (value: Value, field = "simpleBinding") => {
      this.dispatchEvent(new CustomEvent<DataChanged>("dataChanged", { detail: { value, field } }));
    };

    static {
      for (const name of PROPERTIES) {
        Object.defineProperty(this.prototype, name, {
          configurable: true,
          get(this: WidgetElement): unknown {
            return this.#given[name];
          },
          set(this: WidgetElement, value: unknown) {
            this.#given[name] = value;
            this.#draw();
          },
        });
      }
    }
  }
  return WidgetElement;
}

/** Objects, numbers and truths travel in attributes as JSON; all else is text. */
function parsed(value: unknown): unknown {
  if (typeof value !== "string") {
    return value;
  }
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
