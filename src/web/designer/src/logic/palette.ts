// The components that can be added, with what each of them begins with. Apps may use any other; those are shown and
// kept, and edited as JSON.

import type { Component } from "./layout";

export interface Kind {
  type: string;
  /** Texts that it shows, the main one first. */
  texts: string[];
  /** Whether it keeps a value of the data model. */
  bound: boolean;
  /** Whether it offers choices. */
  choices?: boolean;
  start?: Partial<Component>;
}

export const KINDS: Kind[] = [
  { type: "Header", texts: ["title"], bound: false, start: { size: "M" } },
  { type: "Paragraph", texts: ["title"], bound: false },
  { type: "Input", texts: ["title", "description", "help"], bound: true },
  { type: "TextArea", texts: ["title", "description", "help"], bound: true },
  { type: "Checkboxes", texts: ["title", "description", "help"], bound: true, choices: true },
  { type: "RadioButtons", texts: ["title", "description", "help"], bound: true, choices: true },
  { type: "Dropdown", texts: ["title", "description", "help"], bound: true, choices: true },
  { type: "Datepicker", texts: ["title", "description", "help"], bound: true },
  {
    type: "FileUpload",
    texts: ["title", "description"],
    bound: false,
    start: { displayMode: "list", maxFileSizeInMB: 25, maxNumberOfAttachments: 1, minNumberOfAttachments: 0 },
  },
  { type: "Alert", texts: ["title", "body"], bound: false, start: { severity: "info" } },
  { type: "Group", texts: ["title", "description"], bound: false, start: { children: [] } },
  { type: "Divider", texts: [], bound: false },
  { type: "NavigationButtons", texts: ["next", "back"], bound: false, start: { showBackButton: true } },
  { type: "Button", texts: ["title"], bound: false },
];

/** What is known of a type of component. */
export const kindOf = (type: string): Kind =>
  KINDS.find((kind) => kind.type === type) ?? { type, texts: ["title"], bound: false };

/** A new component. */
export const fresh = (type: string, id: string): Component => ({
  id,
  type,
  ...structuredClone(kindOf(type).start ?? {}),
  ...(kindOf(type).choices ? { options: [] } : {}),
});
