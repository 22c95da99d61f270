// Norwegian and English texts, chosen by the user, else by the browser.

import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";

/** Languages of the pages. */
export type Language = "nb" | "en";

/** Texts of one language by key; `{name}` in a text is filled in. */
export type Texts<K extends string> = Record<K, string>;

const KEY = "altinn-local.language";

const preferred = (): Language => {
  const kept = localStorage.getItem(KEY);
  if (kept === "nb" || kept === "en") return kept;
  return /^(nb|nn|no|da|sv)\b/.test(navigator.language) ? "nb" : "en";
};

/** Fills `{name}` in a text. Of a text in two forms, `one|many`, the number `n` chooses. */
export function fill(text: string, values: Record<string, string | number> = {}): string {
  const [one = "", many = one] = text.split("|");
  const form = values.n === 1 ? one : many;
  return form.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}

interface Chosen {
  language: Language;
  choose: (language: Language) => void;
}

const Context = createContext<Chosen>({ language: "nb", choose: () => {} });

/** Gives its children a language; the document says which. */
export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(preferred);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const chosen = useMemo<Chosen>(
    () => ({
      language,
      choose: (next) => {
        localStorage.setItem(KEY, next);
        setLanguage(next);
      },
    }),
    [language],
  );
  return <Context value={chosen}>{children}</Context>;
}

/** The language, and how to choose another. */
export const useLanguage = () => useContext(Context);

/** A function that gives texts by key, for the texts of a package. */
export function textsOf<K extends string>(all: Record<Language, Texts<K>>) {
  return () => {
    const { language } = useLanguage();
    return useMemo(
      () => (key: K, values?: Record<string, string | number>) => fill(all[language][key], values),
      [language],
    );
  };
}

/** Dates as people of the language write them. */
export function useDates() {
  const { language } = useLanguage();
  return useMemo(() => {
    const locale = language === "nb" ? "nb-NO" : "en-GB";
    const format = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
    return (text: string | null | undefined) => {
      const date = text ? new Date(text) : undefined;
      return date && !Number.isNaN(date.valueOf()) ? format.format(date) : "";
    };
  }, [language]);
}
