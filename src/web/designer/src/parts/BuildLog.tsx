// How a build stands, its steps and its log, which grows while one looks.

import { Button, Tag } from "@digdir/designsystemet-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import * as api from "../api";
import { useTexts, type Key } from "../texts";
import { useApp } from "./app";
import { ProblemAlert } from "./problems";

type Color = "neutral" | "info" | "success" | "danger" | "warning";

/** What a build's two words mean to people. */
export function stateOf({ status, result }: api.Build): { text: Key; color: Color } {
  if (status === "cancelling") return { text: "state.cancelling", color: "warning" };
  if (status === "inProgress") return { text: "state.running", color: "info" };
  if (status !== "completed") return { text: "state.waiting", color: "neutral" };
  if (result === "succeeded") return { text: "state.succeeded", color: "success" };
  if (result === "canceled") return { text: "state.canceled", color: "neutral" };
  if (result === "partiallySucceeded") return { text: "state.partial", color: "warning" };
  return { text: "state.failed", color: "danger" };
}

export function StateTag({ build }: { build: api.Build }) {
  const t = useTexts();
  const { text, color } = stateOf(build);
  return (
    <Tag data-color={color} className="state" data-state={text}>
      {t(text)}
    </Tag>
  );
}

/** Open while the build is under way and when it failed; otherwise opened by who wants to see it. */
export function BuildLog({ build, name, quiet = false }: { build: api.Build; name: string; quiet?: boolean }) {
  const t = useTexts();
  const running = build.status !== "completed";
  const wanted = (running || build.result === "failed") && !quiet;
  const [open, setOpen] = useState(wanted);
  useEffect(() => {
    if (wanted) setOpen(true);
  }, [wanted]);
  if (!build.id) return null;
  return (
    <details className="build" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("deploy.log")}</summary>
      {open && <Lines build={build} name={name} />}
    </details>
  );
}

function Lines({ build, name }: { build: api.Build; name: string }) {
  const t = useTexts();
  const { id, mayChange } = useApp();
  const client = useQueryClient();
  const [lines, setLines] = useState<string[]>([]);
  const [steps, setSteps] = useState<api.Step[]>([]);
  const [fault, setFault] = useState<unknown>();
  const [running, setRunning] = useState(build.status !== "completed");
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let next = 0;
    let timer: ReturnType<typeof setTimeout>;
    let gone = false;
    setLines([]);
    const ask = async () => {
      try {
        const told = await api.log(id, build.id, next);
        if (gone) return;
        next = told.next;
        setFault(undefined);
        setSteps(told.steps);
        if (told.lines.length > 0) setLines((before) => [...before, ...told.lines]);
        const open = told.build.status !== "completed";
        setRunning(open);
        if (open) timer = setTimeout(() => void ask(), 1_000);
        else {
          void client.invalidateQueries({ queryKey: ["releases", id] });
          void client.invalidateQueries({ queryKey: ["deployments", id] });
        }
      } catch (error) {
        if (gone) return;
        setFault(error);
        timer = setTimeout(() => void ask(), 3_000);
      }
    };
    void ask();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id, build.id, client]);
  // Who reads further up is not pulled down.
  const end = useRef(true);
  useEffect(() => {
    if (end.current) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines]);
  const cancel = useMutation({ mutationFn: () => api.cancelBuild(id, build.id) });
  return (
    <>
      <ProblemAlert problem={fault ?? cancel.error} />
      {steps.length > 0 && (
        <ol className="steps" aria-label={t("deploy.steps")}>
          {steps.map((step) => (
            <li key={step.name} data-state={step.state} data-result={step.result ?? ""}>
              {step.name} <Took step={step} />
            </li>
          ))}
        </ol>
      )}
      <div
        ref={box}
        className="log"
        role="log"
        aria-label={t("deploy.logOf", { name })}
        aria-live={running ? "polite" : "off"}
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          end.current = scrollHeight - scrollTop - clientHeight < 40;
        }}
      >
        {lines.length === 0 ? <span className="quiet">{t("deploy.logEmpty")}</span> : lines.map((line, index) => <LogLine key={index} line={line} />)}
      </div>
      {running && mayChange && (
        <Button variant="tertiary" data-color="danger" data-size="sm" loading={cancel.isPending} onClick={() => cancel.mutate()}>
          {t("deploy.cancel")}
        </Button>
      )}
    </>
  );
}

/** Azure DevOps begins each line with its time; `##[error]` marks what went wrong. */
function LogLine({ line }: { line: string }) {
  const text = line.replace(/^\d{4}-\d\d-\d\dT\S+Z /, "");
  const kind = /^##\[(\w+)\]/.exec(text)?.[1] ?? (/\berror\b.*\d|: error /i.test(text) ? "error" : "");
  return <div data-kind={kind}>{text.replace(/^##\[\w+\]/, "")}</div>;
}

function Took({ step }: { step: api.Step }) {
  const t = useTexts();
  if (!step.started || !step.finished) return null;
  const seconds = (Date.parse(step.finished) - Date.parse(step.started)) / 1000;
  return <span className="quiet small">{t("deploy.took", { seconds: seconds.toFixed(seconds < 10 ? 1 : 0) })}</span>;
}
