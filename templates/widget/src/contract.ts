// What Altinn's app frontend gives to the web component of a layout component `Custom`, and what it hears from it.
// Only types: the code that reads them is `element.tsx`.

/** A value of the data model. A field that is not filled in is `""`. */
export type Value = string | number | boolean | null | undefined | Value[] | { [key: string]: Value };

/** Where a value lives: the id of a data type and the path in it. Frontends before version 4 give the path alone. */
export type Binding = { dataType: string; field: string } | string;

/** What is wrong with a field, as texts. */
export interface Messages {
  errors?: string[];
  warnings?: string[];
}

/** What the component is drawn from. It is drawn again each time one of them changes. */
export interface WidgetProps {
  /** The layout component's id, with the row's number inside a repeating group. */
  id: string;
  /** The text of `textResourceBindings.title`, in the user's language. */
  text: string;
  /** The texts of all `textResourceBindings`, by the same keys. */
  texts: Record<string, string>;
  /** The values, by the keys of `dataModelBindings`. */
  formData: Record<string, Value>;
  /** Where the values live, by key. */
  dataModelBindings: Record<string, Binding>;
  /**
   * What is wrong, by the keys of `dataModelBindings`. Frontends of version 4 give nothing here: they show the messages
   * below the component themselves.
   */
  componentValidations: Record<string, Messages> | undefined;
  /** The frontend's own texts, nested by area. */
  language: Record<string, unknown>;
  /** Whether the component is shown in a summary: only the answer, nothing to change. */
  summaryMode: boolean;
  /** Whether the user may look but not change. */
  readOnly: boolean;
  /** Whether an answer is needed. */
  required: boolean;
  /** Every other property of the layout component, by its name in lower case. */
  layout: Record<string, Value>;
  /** The text of a text resource. Frontends without it give the key back. */
  getTextResourceAsString: (key: string) => string;
  /** Sends a new value for a key of `dataModelBindings`; `simpleBinding` when none is named. */
  setValue: (value: Value, key?: string) => void;
}

/** The detail of event `dataChanged`. `field` is a key of `dataModelBindings`, not a path. */
export interface DataChanged {
  value: Value;
  field: string;
}
