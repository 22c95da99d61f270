// The process, drawn by bpmn-js. What the pages know of a step is its name and its type; all else is kept.

import { Alert, Button, Card, Field, Heading, Label, Paragraph, Select, Textfield } from "@digdir/designsystemet-react";
import { PlusIcon } from "@navikt/aksel-icons";
import Modeler from "bpmn-js/lib/Modeler";
import "bpmn-js/dist/assets/diagram-js.css";
import "bpmn-js/dist/assets/bpmn-js.css";
import "bpmn-js/dist/assets/bpmn-font/css/bpmn.css";
import { useEffect, useRef, useState } from "react";

import { TASK_TYPES, typeOf, withType, type Business, type Factory } from "../logic/process";
import { DocumentProblem, useApp, useDocument } from "../parts/app";
import { Loading } from "../parts/problems";
import { useTexts } from "../texts";

const PATH = "App/config/process/process.bpmn";

interface Shape {
  id: string;
  type: string;
  x: number;
  y: number;
  width: number;
  height: number;
  outgoing: { id: string; target: Shape }[];
  businessObject: Business;
}

interface Modeling {
  updateProperties: (shape: Shape, properties: Record<string, unknown>) => void;
  moveElements: (shapes: Shape[], by: { x: number; y: number }) => void;
  createShape: (shape: unknown, at: { x: number; y: number }, target: unknown) => Shape;
  removeShape: (shape: Shape) => void;
}

/** Room for a step, with its arrow. */
const ROOM = 160;

/** Puts a step into the arrow that leaves another, and gives it: what stands behind moves on. */
function stepAfter(modeler: Modeler, shape: Shape): Shape | undefined {
  const flow = shape.outgoing.find(({ target }) => target);
  if (!flow) return undefined;
  const registry = modeler.get<{ filter: (test: (shape: Shape) => boolean) => Shape[] }>("elementRegistry");
  const modeling = modeler.get<Modeling>("modeling");
  const edge = shape.x + shape.width;
  const behind = registry.filter(({ type, x }) => /(Task|Event|Gateway)$/.test(type) && x >= edge);
  modeling.moveElements(behind, { x: ROOM, y: 0 });
  const made = modeler.get<{ createShape: (what: { type: string }) => unknown }>("elementFactory").createShape({ type: "bpmn:Task" });
  const place = { x: edge + 10 + ROOM / 2, y: shape.y + shape.height / 2 };
  const step = modeling.createShape(made, place, flow);
  const factory = modeler.get<Factory>("moddle");
  modeling.updateProperties(step, { extensionElements: withType(factory, step.businessObject, "data") });
  return step;
}

export default function Process() {
  const t = useTexts();
  const document = useDocument(PATH);
  return (
    <>
      <div className="page-head">
        <Heading level={1}>{t("process.title")}</Heading>
      </div>
      <DocumentProblem document={document} />
      {document.phase === "loading" ? <Loading /> : document.text !== undefined && <Diagram text={document.text} edit={document.edit} />}
    </>
  );
}

function Diagram({ text, edit }: { text: string; edit: (text: string) => void }) {
  const t = useTexts();
  const { mayChange } = useApp();
  const place = useRef<HTMLDivElement>(null);
  const modeler = useRef<Modeler>(null);
  const written = useRef<string>(undefined);
  const latest = useRef(edit);
  latest.current = edit;
  const [tasks, setTasks] = useState<Shape[]>([]);
  const [selected, setSelected] = useState<string>();
  const [fault, setFault] = useState("");
  useEffect(() => {
    if (!place.current) return;
    const made = new Modeler({
      container: place.current,
      additionalModules: mayChange ? [] : [{ contextPadProvider: ["value", {}], paletteProvider: ["value", {}] }],
    });
    modeler.current = made;
    const list = () => {
      const registry = made.get<{ filter: (test: (shape: Shape) => boolean) => Shape[] }>("elementRegistry");
      setTasks([...registry.filter((shape) => /Task$/.test(shape.type))]);
    };
    made.on("commandStack.changed", () => {
      list();
      void made.saveXML({ format: true }).then(({ xml }) => {
        if (xml === undefined) return;
        written.current = xml;
        latest.current(xml);
      });
    });
    made.on("import.done", list);
    made.on("selection.changed", ({ newSelection }: { newSelection: Shape[] }) => {
      const task = newSelection.find((shape) => /Task$/.test(shape.type));
      setSelected(task?.id);
    });
    return () => {
      made.destroy();
      modeler.current = null;
      written.current = undefined;
    };
  }, [mayChange]);
  useEffect(() => {
    const made = modeler.current;
    if (!made || written.current === text) return;
    written.current = text;
    made.importXML(text).then(
      () => {
        setFault("");
        made.get<{ zoom: (how: string, where: string) => void }>("canvas").zoom("fit-viewport", "auto");
      },
      (error: unknown) => setFault(error instanceof Error ? error.message : String(error)),
    );
  }, [text, mayChange]);
  const task = tasks.find((task) => task.id === selected);
  const select = (id: string) => {
    const shape = tasks.find((task) => task.id === id);
    if (shape) modeler.current?.get<{ select: (shape: Shape) => void }>("selection").select(shape);
    setSelected(id || undefined);
  };
  const change = (shape: Shape, properties: Record<string, unknown>) =>
    modeler.current?.get<Modeling>("modeling").updateProperties(shape, properties);
  const addAfter = (shape: Shape) => {
    const step = modeler.current && stepAfter(modeler.current, shape);
    if (step) modeler.current?.get<{ select: (shape: Shape) => void }>("selection").select(step);
  };
  return (
    <>
      {fault && <Alert data-color="warning">{t("process.bad", { why: fault })}</Alert>}
      <div className="process">
        <div ref={place} className="diagram" role="region" aria-label={t("process.title")} />
        <Card className="process-side">
          <Field>
            <Label>{t("settings.task")}</Label>
            <Select value={selected ?? ""} onChange={(event) => select(event.target.value)}>
              <Select.Option value="">–</Select.Option>
              {tasks.map((task) => (
                <Select.Option key={task.id} value={task.id}>
                  {task.businessObject.name ? `${task.businessObject.name} (${task.id})` : task.id}
                </Select.Option>
              ))}
            </Select>
          </Field>
          {task ? (
            <fieldset className="form bare" disabled={!mayChange}>
              <legend className="ds-sr-only">{t("process.task", { id: task.id })}</legend>
              <Textfield
                label={t("process.name")}
                value={task.businessObject.name ?? ""}
                onChange={(event) => change(task, { name: event.target.value })}
              />
              <Field>
                <Label>{t("process.type")}</Label>
                <Select
                  value={typeOf(task.businessObject)}
                  onChange={(event) => {
                    const factory = modeler.current?.get<Factory>("moddle");
                    if (factory) change(task, { extensionElements: withType(factory, task.businessObject, event.target.value) });
                  }}
                >
                  {typeOf(task.businessObject) === "" && <Select.Option value="">{t("process.type.none")}</Select.Option>}
                  {TASK_TYPES.map((type) => (
                    <Select.Option key={type} value={type}>
                      {t(`process.type.${type}`)}
                    </Select.Option>
                  ))}
                </Select>
              </Field>
              {mayChange && (
                <div className="actions">
                  <Button variant="secondary" onClick={() => addAfter(task)}>
                    <PlusIcon aria-hidden fontSize="1.3rem" />
                    {t("process.add")}
                  </Button>
                  <Button variant="tertiary" data-color="danger" onClick={() => modeler.current?.get<Modeling>("modeling").removeShape(task)}>
                    {t("process.delete")}
                  </Button>
                </div>
              )}
            </fieldset>
          ) : (
            <Paragraph className="quiet">{t("process.hint")}</Paragraph>
          )}
          <Button
            variant="tertiary"
            onClick={() => modeler.current?.get<{ zoom: (how: string, where: string) => void }>("canvas").zoom("fit-viewport", "auto")}
          >
            {t("process.fit")}
          </Button>
        </Card>
      </div>
    </>
  );
}
