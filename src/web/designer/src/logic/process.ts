// What Altinn adds to BPMN: each task has `<altinn:taskExtension><altinn:taskType>data</…>` among its extensions, and
// may have much more there. bpmn-js is not told what these elements are, and so keeps every one of them as it is.

export const TASK_TYPES = ["data", "confirmation", "signing", "payment", "feedback"] as const;

const SPACE = "http://altinn.no/process";
const EXTENSION = "altinn:taskExtension";
const TYPE = "altinn:taskType";

/** An element that bpmn-js only carries. */
interface Foreign {
  $type: string;
  $body?: string;
  $children?: Foreign[];
}

/** What bpmn-js knows of a task. */
export interface Business {
  name?: string;
  extensionElements?: { values?: Foreign[] };
}

/** bpmn-js' maker of elements. */
export interface Factory {
  create: (type: string, properties: Record<string, unknown>) => unknown;
  createAny: (type: string, space: string, properties: Record<string, unknown>) => unknown;
}

const extensionOf = (task: Business) => task.extensionElements?.values?.find((value) => value.$type === EXTENSION);

/** The type of a task; empty when none is set. */
export const typeOf = (task: Business): string =>
  extensionOf(task)?.$children?.find((child) => child.$type === TYPE)?.$body?.trim() ?? "";

/** The task's extensions with another type, all else as it was. */
export function withType(factory: Factory, task: Business, type: string): unknown {
  const values = task.extensionElements?.values ?? [];
  const old = extensionOf(task);
  const taskType = factory.createAny(TYPE, SPACE, { $body: type }) as Foreign;
  const children = old?.$children ?? [];
  const at = children.findIndex((child) => child.$type === TYPE);
  const next = at < 0 ? [taskType, ...children] : children.toSpliced(at, 1, taskType);
  const { $type: _, $children: __, ...attributes } = { ...old };
  const extension = factory.createAny(EXTENSION, SPACE, { ...attributes, $children: next }) as Foreign;
  const replaced = old ? values.map((value) => (value === old ? extension : value)) : [...values, extension];
  return factory.create("bpmn:ExtensionElements", { values: replaced });
}
