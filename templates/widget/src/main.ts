import { widgetElement } from "./element";
import { Widget } from "./Widget";

declare global {
  /** Tag names that `altinn-local up` serves from their source in this page. */
  var altinnLocalWidgets: Set<string> | undefined;
}

const TAG = "__TAG__";

// Beside the source the built bundle steps back, whichever of them is read first.
const outdone = import.meta.env.PROD && globalThis.altinnLocalWidgets?.has(TAG);
if (!outdone && !customElements.get(TAG)) {
  customElements.define(TAG, widgetElement(Widget));
}
