// An editor of text. Colours come from the page's own style sheet, so that it is light and dark as the page is.

import { css } from "@codemirror/lang-css";
import { html } from "@codemirror/lang-html";
import { javascript } from "@codemirror/lang-javascript";
import { json } from "@codemirror/lang-json";
import { xml } from "@codemirror/lang-xml";
import { yaml } from "@codemirror/lang-yaml";
import { syntaxHighlighting } from "@codemirror/language";
import { linter, lintGutter } from "@codemirror/lint";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";
import { basicSetup } from "codemirror";
import { useEffect, useRef } from "react";

import { judge, judgeXml, type Mark } from "../logic/schemas";

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";

const isXml = (path: string) => /\.(xml|bpmn|csproj|xsd|sln)$/.test(path) && !path.endsWith(".sln");

/** What is wrong with a file's text. */
export const problems = (path: string, text: string): Mark[] => {
  if (path.endsWith(".json")) return judge(path, text);
  return isXml(path) ? judgeXml(text) : [];
};

function language(path: string): Extension {
  if (path.endsWith(".json")) return json();
  if (isXml(path)) return xml();
  if (/\.ya?ml$/.test(path)) return yaml();
  if (/\.[cm]?[jt]sx?$/.test(path)) return javascript({ typescript: /\.[cm]?tsx?$/.test(path), jsx: path.endsWith("x") });
  if (path.endsWith(".css")) return css();
  if (/\.html?$/.test(path)) return html();
  return [];
}

interface Props {
  path: string;
  text: string;
  label: string;
  readOnly?: boolean;
  /** Where to go when it opens; both count from 1. */
  at?: { line: number; column: number } | undefined;
  onChange: (text: string) => void;
}

export function CodeEditor({ path, text, label, readOnly = false, at, onChange }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const change = useRef(onChange);
  change.current = onChange;
  const latest = useRef(text);
  latest.current = text;
  useEffect(() => {
    if (!place.current) return;
    const lines = latest.current.includes("\r\n") ? "\r\n" : "\n";
    const judged = linter(
      (view) => {
        const length = view.state.doc.length;
        return problems(path, view.state.doc.toString()).map(({ from, to, message }) => ({
          from: Math.min(from, length),
          to: Math.min(Math.max(to, from), length),
          message,
          severity: "error" as const,
        }));
      },
      { delay: 300 },
    );
    const state = EditorState.create({
      doc: latest.current,
      extensions: [
        EditorView.cspNonce.of(nonce),
        basicSetup,
        language(path),
        syntaxHighlighting(classHighlighter),
        lintGutter(),
        judged,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
        EditorState.readOnly.of(readOnly),
        EditorState.lineSeparator.of(lines),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) change.current(update.state.sliceDoc());
        }),
      ],
    });
    const made = new EditorView({ state, parent: place.current });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, [path, label, readOnly]);
  useEffect(() => {
    const made = view.current;
    if (!made || made.state.sliceDoc() === text) return;
    // Changed from outside, as by a pull: the place of the cursor is kept where it can be.
    made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: text } });
  }, [text]);
  useEffect(() => {
    const made = view.current;
    if (!made || !at) return;
    const line = made.state.doc.line(Math.min(Math.max(at.line, 1), made.state.doc.lines));
    const anchor = Math.min(line.from + Math.max(at.column, 1) - 1, line.to);
    made.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    made.focus();
  }, [path, at?.line, at?.column]);
  return <div ref={place} className="code" />;
}
