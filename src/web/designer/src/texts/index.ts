import { textsOf } from "@altinn-local/shared";

import { en } from "./en";
import { nb } from "./nb";

export type Key = keyof typeof nb;

/** Gives a function for the texts of these pages in the user's language. */
export const useTexts = textsOf<Key>({ nb, en });

/** Whether there is a text of this key. */
export const isKey = (key: string): key is Key => key in nb;
