// What the user sees. While `altinn-local up --profile widgets` runs, a save of this file shows in the app at once and
// the component keeps its state, as long as the file exports nothing but components.

import { useState } from "react";
import type { WidgetProps } from "./contract";
import "./widget.css";

/** Asks for a number with two buttons: an example to start from. */
export function Widget({ text, texts, formData, componentValidations, summaryMode, readOnly, setValue }: WidgetProps) {
  const [changes, setChanges] = useState(0);
  const answer = Number(formData["simpleBinding"]) || 0;
  const errors = componentValidations?.["simpleBinding"]?.errors ?? [];

  if (summaryMode) {
    return (
      <p>
        {text}: <strong>{answer}</strong>
      </p>
    );
  }

  const change = (by: number) => {
    setChanges(changes + 1);
    setValue(answer + by);
  };

  return (
    <fieldset disabled={readOnly} aria-invalid={errors.length > 0}>
      <legend>{text}</legend>
      {texts["description"] && <p className="description">{texts["description"]}</p>}
      <div className="row">
        <button type="button" aria-label="−1" onClick={() => change(-1)}>
          −
        </button>
        <output>{answer}</output>
        <button type="button" aria-label="+1" onClick={() => change(1)}>
          +
        </button>
        <span className="changes">{changes} ×</span>
      </div>
      {errors.map((error) => (
        <p key={error} className="error" role="alert">
          {error}
        </p>
      ))}
    </fieldset>
  );
}
