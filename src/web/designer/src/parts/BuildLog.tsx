// How a build stands, its steps and its log, which grows while one looks; of one that failed, what the compiler said.

import { Go } from "@altinn-local/shared";
import { Alert, Button, Link, Tag } from "@digdir/designsystemet-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";

import * as api from "../api";
import { errors, logLine, ownFile, type Diagnostic } from "../logic/buildlog";
import { hasFailed } from "../logic/deployments";
import { useTexts, type Key } from "../texts";
import { useAddress, useApp, useFiles } from "./app";
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

/** `event` is the cluster's last word, which may be bad where the build's was good. */
export function StateTag({ build, event }: { build: api.Build; event?: api.Event | undefined }) {
  const t = useTexts();
  const { text, color } = hasFailed(event) ? ({ text: "state.clusterFailed", color: "danger" } as const) : stateOf(build);
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
  const told = useMemo(() => (running ? [] : errors(lines)), [running, lines]);
  const cancel = useMutation({ mutationFn: () => api.cancelBuild(id, build.id) });
  return (
    <>
      <ProblemAlert problem={fault ?? cancel.error} />
      {told.length > 0 && <Errors told={told} />}
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

function LogLine({ line }: { line: string }) {
  const { kind, text } = logLine(line);
  return <div data-kind={kind}>{text}</div>;
}

/** As many errors are shown; the first ones are mostly the cause of the rest. */
const SHOWN = 20;

/** What stopped the build; an error in a file of the app leads to its line. */
function Errors({ told }: { told: Diagnostic[] }) {
  const t = useTexts();
  const address = useAddress();
  const paths = useFiles().data ?? [];
  return (
    <Alert data-color="danger" data-size="sm" className="build-errors">
      <strong>{t("deploy.errors", { n: told.length })}</strong>
      <ul>
        {told.slice(0, SHOWN).map((error, index) => {
          const own = ownFile(error.file, paths);
          const place = [own ?? error.file, ...(error.line ? [t("deploy.errorLine", { line: error.line })] : [])].join(", ");
          return (
            <li key={index}>
              {own ? (
                <Link asChild>
                  <Go to={address("files", { path: own, ...(error.line ? { line: String(error.line), column: String(error.column ?? 1) } : {}) })}>{place}</Go>
                </Link>
              ) : (
                error.file && <span className="path">{place}</span>
              )}
              <div>
                {error.code && <code>{error.code}</code>} {error.message}
              </div>
            </li>
          );
        })}
      </ul>
      {told.length > SHOWN && <p>{t("deploy.errorsMore", { n: told.length - SHOWN })}</p>}
    </Alert>
  );
}

function Took({ step }: { step: api.Step }) {
  const t = useTexts();
  if (!step.started || !step.finished) return null;
  const seconds = (Date.parse(step.finished) - Date.parse(step.started)) / 1000;
  return <span className="quiet small">{t("deploy.took", { seconds: seconds.toFixed(seconds < 10 ? 1 : 0) })}</span>;
}
