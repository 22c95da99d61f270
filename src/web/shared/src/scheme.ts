// Light or dark: as the system has it, until the user says otherwise.

import { useSyncExternalStore } from "react";

/** What can be chosen. */
export type Scheme = "auto" | "light" | "dark";

const KEY = "altinn-local.scheme";
const heard = new Set<() => void>();

const read = (): Scheme => {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "auto";
};

/** Makes the document follow; called before anything is shown. */
export function applyScheme() {
  document.documentElement.dataset.colorScheme = read();
}

/** The scheme and how to choose another. */
export function useScheme(): [Scheme, (scheme: Scheme) => void] {
  const scheme = useSyncExternalStore((hear) => {
    heard.add(hear);
    return () => heard.delete(hear);
  }, read);
  const choose = (next: Scheme) => {
    localStorage.setItem(KEY, next);
    applyScheme();
    for (const hear of heard) hear();
  };
  return [scheme, choose];
}
