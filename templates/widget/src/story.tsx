// The widget with knobs, without any app: `npm run story`, or `story.html` below the widget's address while
// `altinn-local up --profile widgets` runs. It plays the app's frontend: same attributes, properties and event.

import { useEffect, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import type { DataChanged, Value } from "./contract";
import "./main";
import "./story.css";

export function Story() {
  const [text, setText] = useState("How many?");
  const [description, setDescription] = useState("A whole number");
  const [value, setValue] = useState<Value>("2");
  const [error, setError] = useState("");
  const [readOnly, setReadOnly] = useState(false);
  const [summaryMode, setSummaryMode] = useState(false);
  const [heard, setHeard] = useState<DataChanged[]>([]);
  const frame = useRef<HTMLDivElement>(null);
  const widget = useRef<HTMLElement>(undefined);

  useEffect(() => {
    const element = document.createElement("__TAG__");
    element.id = "story-widget";
    const change = (event: Event) => {
      const { detail } = event as CustomEvent<DataChanged>;
      setHeard((before) => [detail, ...before].slice(0, 10));
      setValue(detail.value);
    };
    element.addEventListener("dataChanged", change);
    frame.current?.append(element);
    widget.current = element;
    return () => element.remove();
  }, []);

  useEffect(() => {
    const element = widget.current;
    element?.setAttribute("text", text);
    element?.setAttribute("readOnly", String(readOnly));
    element?.setAttribute("summaryMode", String(summaryMode));
    Object.assign(element ?? {}, {
      texts: { title: text, description },
      dataModelBindings: { simpleBinding: { dataType: "model", field: "count" } },
      formData: { simpleBinding: value },
      componentValidations: error ? { simpleBinding: { errors: [error] } } : undefined,
    });
  });

  return (
    <>
      <div ref={frame} className="frame" />
      <form className="knobs">
        <Text label="text" value={text} change={setText} />
        <Text label="texts.description" value={description} change={setDescription} />
        <Text label="formData.simpleBinding" value={String(value ?? "")} change={setValue} />
        <Text label="componentValidations" value={error} change={setError} />
        <Truth label="readOnly" value={readOnly} change={setReadOnly} />
        <Truth label="summaryMode" value={summaryMode} change={setSummaryMode} />
      </form>
      <pre className="heard">{heard.map((change) => `dataChanged ${JSON.stringify(change)}`).join("\n")}</pre>
    </>
  );
}

function Text({ label, value, change }: { label: string; value: string; change: (value: string) => void }) {
  return (
    <label>
      {label} <input value={value} onChange={(event) => change(event.target.value)} />
    </label>
  );
}

function Truth({ label, value, change }: { label: string; value: boolean; change: (value: boolean) => void }) {
  return (
    <label>
      <input type="checkbox" checked={value} onChange={(event) => change(event.target.checked)} /> {label}
    </label>
  );
}

const root = document.querySelector("#story");
if (root) {
  createRoot(root).render(<Story />);
}
