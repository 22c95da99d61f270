// Data types of applicationmetadata.json.

import * as json from "./json";

export interface DataType {
  id: string;
  allowedContentTypes?: string[] | null;
  /** In MB. */
  maxSize?: number | null;
  minCount?: number;
  /** 0 is no limit. */
  maxCount?: number;
  taskId?: string | null;
  appLogic?: { classRef?: string };
}

/** What is wrong with an id; `others` are those of the other data types. */
export function idFault(id: string, others: string[]): "letters" | "taken" | undefined {
  if (!/^[A-Za-zæøåÆØÅ0-9][\wæøåÆØÅ.-]*$/.test(id)) return "letters";
  return others.includes(id) ? "taken" : undefined;
}

/** `application/pdf, image/png` as a list; `undefined` when a part is no content type. */
export function contentTypes(text: string): string[] | undefined {
  const all = text.split(/[\s,;]+/).filter(Boolean);
  return all.every((one) => /^[\w.+-]+\/[\w.+*-]+$/.test(one)) ? [...new Set(all)] : undefined;
}

/** A whole number from `least` on; `null` for an empty text, `undefined` for what is none. */
export function whole(text: string, least: number): number | null | undefined {
  if (text.trim() === "") return null;
  const number = Number(text);
  return Number.isSafeInteger(number) && number >= least ? number : undefined;
}

/** Sets a field of a data type; `undefined` takes it away. */
export const set = (text: string, index: number, field: keyof DataType, value: unknown) => json.set(text, ["dataTypes", index, field], value);

/** An attachment of its own, at the end. */
export const add = (text: string, id: string) => {
  const count = json.read<{ dataTypes?: DataType[] }>(text)?.dataTypes?.length ?? 0;
  return json.insert(text, ["dataTypes"], count, { id, allowedContentTypes: [], maxCount: 0, minCount: 0 });
};

export const remove = (text: string, index: number) => json.remove(text, ["dataTypes"], index);

/** The ids of a process' steps, with their names. */
export function steps(bpmn: string | undefined): { id: string; name: string }[] {
  if (!bpmn) return [];
  const document = new DOMParser().parseFromString(bpmn, "application/xml");
  const tasks = [...document.getElementsByTagNameNS("http://www.omg.org/spec/BPMN/20100524/MODEL", "*")].filter((element) => /task$/i.test(element.localName));
  return tasks.flatMap((task) => {
    const id = task.getAttribute("id");
    return id ? [{ id, name: task.getAttribute("name") ?? "" }] : [];
  });
}
