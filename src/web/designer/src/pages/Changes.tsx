import { go, useDates } from "@altinn-local/shared";
import { Alert, Button, Card, Dialog, Field, Heading, Label, Paragraph, Select, Tag, Textfield } from "@digdir/designsystemet-react";
import { ArrowUndoIcon, CloudDownIcon, CloudUpIcon, PlusIcon } from "@navikt/aksel-icons";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent } from "react";

import * as api from "../api";
import { useAddress, useApp, useStatus, useWork } from "../parts/app";
import { Loading, ProblemAlert } from "../parts/problems";
import { useTexts } from "../texts";

const COLORS = { added: "success", modified: "info", deleted: "neutral", conflict: "danger" } as const;

export default function Changes() {
  const t = useTexts();
  const { id } = useApp();
  const work = useWork();
  const status = useStatus(true);
  const [told, setTold] = useState("");
  const [pulls, setPulls] = useState(0);
  const pull = useMutation({
    mutationFn: () => work(() => api.pull(id)),
    onMutate: () => {
      setTold("");
      setPulls(pulls + 1);
    },
    onSuccess: ({ merging }) => setTold(merging ? "" : t("changes.pulled")),
  });
  return (
    <>
      <div className="page-head">
        <Heading level={1}>{t("changes.title")}</Heading>
        <div className="actions">
          <BranchChoice />
          <Button variant="secondary" loading={pull.isPending} onClick={() => pull.mutate()}>
            <CloudDownIcon aria-hidden fontSize="1.4rem" />
            {t("changes.pull")}
          </Button>
        </div>
      </div>
      <ProblemAlert problem={pull.error ?? status.error} />
      <div role="status" className="told">
        {told && <Alert data-color="success">{told}</Alert>}
      </div>
      {status.isPending && <Loading />}
      {status.data && <CopyChanges state={status.data} pulls={pulls} tell={setTold} />}
      <History />
    </>
  );
}

function CopyChanges({ state, pulls, tell }: { state: api.CopyState; pulls: number; tell: (text: string) => void }) {
  const t = useTexts();
  const { id, mayChange } = useApp();
  const work = useWork();
  const [message, setMessage] = useState("");
  const [tried, setTried] = useState(false);
  const { changes, aheadBy, behindBy, merging } = state;
  const send = useMutation({
    mutationFn: () =>
      work(async () => {
        if (changes.length > 0 || merging) await api.commit(id, message);
        return api.push(id);
      }),
    onMutate: () => tell(""),
    onSuccess: () => {
      setMessage("");
      setTried(false);
      tell(t("changes.sent"));
    },
  });
  // What stood in the way of sending may be gone after a pull.
  const { reset } = send;
  useEffect(() => reset(), [pulls, reset]);
  const abort = useMutation({ mutationFn: () => work(() => api.abort(id)) });
  const discard = useMutation({ mutationFn: (path: string | undefined) => work(() => api.discard(id, path)) });
  const empty = changes.length > 0 && !message.trim();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!empty && !send.isPending) send.mutate();
  };
  const sure = (path: string | undefined) => {
    const question = path === undefined ? t("changes.discardAllSure") : t("changes.discardSure", { path });
    if (confirm(question)) discard.mutate(path);
  };
  return (
    <>
      {behindBy > 0 && !merging && (
        <Alert data-color={aheadBy > 0 ? "warning" : "info"}>
          {aheadBy > 0 ? t("changes.diverged", { n: behindBy, own: aheadBy }) : t("changes.behind", { n: behindBy })}
        </Alert>
      )}
      {!state.published && <Paragraph className="quiet">{t("changes.unpublished")}</Paragraph>}
      {merging && (
        <Alert data-color="warning">
          <Paragraph>{t("changes.merging")}</Paragraph>
          <Button data-size="sm" variant="secondary" onClick={() => abort.mutate()}>
            {t("changes.abort")}
          </Button>
        </Alert>
      )}
      <ProblemAlert problem={abort.error ?? discard.error} />
      <Card className="changes">
        <div className="row">
          <Heading level={2} data-size="2xs">
            {t("changes.list")}
          </Heading>
          {changes.length > 1 && !merging && (
            <Button variant="tertiary" data-color="danger" data-size="sm" onClick={() => sure(undefined)}>
              {t("changes.discardAll")}
            </Button>
          )}
        </div>
        {changes.length === 0 && <Paragraph>{t("changes.none")}</Paragraph>}
        <ul className="plain">
          {changes.map((change) => (
            <li key={change.filePath}>
              <ChangedFile change={change} merging={merging} discard={() => sure(change.filePath)} />
            </li>
          ))}
        </ul>
        {mayChange && (changes.length > 0 || aheadBy > 0 || merging) && (
          <form onSubmit={submit} className="form" noValidate>
            {(changes.length > 0 || merging) && (
              <Textfield
                label={t("changes.message")}
                value={message}
                multiline
                rows={2}
                error={tried && empty && t("changes.message.empty")}
                onChange={(event) => setMessage(event.target.value)}
              />
            )}
            <ProblemAlert problem={send.error} />
            <div className="actions">
              <Button type="submit" loading={send.isPending}>
                <CloudUpIcon aria-hidden fontSize="1.4rem" />
                {changes.length > 0 || merging ? t("changes.send") : t("changes.push", { n: aheadBy })}
              </Button>
            </div>
          </form>
        )}
      </Card>
    </>
  );
}

function ChangedFile({ change, merging, discard }: { change: api.Change; merging: boolean; discard: () => void }) {
  const t = useTexts();
  const { id } = useApp();
  const work = useWork();
  const address = useAddress();
  const [open, setOpen] = useState(false);
  const path = change.filePath;
  const resolve = useMutation({ mutationFn: (take: "mine" | "theirs") => work(() => api.resolve(id, path, take)) });
  return (
    <>
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)} className="change">
        <summary>
          {change.resolved ? (
            <Tag data-size="sm" data-color="success">
              {t("changes.resolved")}
            </Tag>
          ) : (
            <Tag data-size="sm" data-color={COLORS[change.fileStatus]}>
              {t(`changes.${change.fileStatus}`)}
            </Tag>
          )}
          <span className="path">{path}</span>
        </summary>
        {open && <FileDiff path={path} />}
      </details>
      <div className="actions change-actions">
        {change.fileStatus === "conflict" ? (
          <>
            <Button data-size="sm" variant="secondary" aria-label={t("changes.mineOf", { path })} onClick={() => resolve.mutate("mine")}>
              {t("changes.mine")}
            </Button>
            <Button data-size="sm" variant="secondary" aria-label={t("changes.theirsOf", { path })} onClick={() => resolve.mutate("theirs")}>
              {t("changes.theirs")}
            </Button>
            <Button data-size="sm" variant="tertiary" aria-label={t("changes.editFileOf", { path })} onClick={() => go(address("files", { path }))}>
              {t("changes.editFile")}
            </Button>
          </>
        ) : (
          !merging && (
            <Button data-size="sm" variant="tertiary" data-color="danger" icon aria-label={t("changes.discardOf", { path })} title={t("changes.discard")} onClick={discard}>
              <ArrowUndoIcon aria-hidden fontSize="1.2rem" />
            </Button>
          )
        )}
      </div>
      <ProblemAlert problem={resolve.error} />
    </>
  );
}

function FileDiff({ path }: { path: string }) {
  const t = useTexts();
  const { id } = useApp();
  const diff = useQuery({ queryKey: ["diff", id, path], queryFn: () => api.diff(id, path) });
  if (diff.isPending) return <Loading />;
  if (diff.error) return <ProblemAlert problem={diff.error} />;
  if (diff.data.binary) return <Paragraph>{t("changes.binary")}</Paragraph>;
  return (
    <div className="diff" role="region" aria-label={t("changes.diff", { path })} tabIndex={0}>
      <table>
        <tbody>
          {diff.data.lines.map((line, index) => (
            <tr key={index} data-kind={line.kind}>
              <td className="number">{line.old ?? ""}</td>
              <td className="number">{line.new ?? ""}</td>
              <td className="sign">{line.kind === "@" ? "⋯" : line.kind}</td>
              <td className="line">{line.text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {diff.data.cut && <Paragraph>{t("changes.cut")}</Paragraph>}
    </div>
  );
}

function BranchChoice() {
  const t = useTexts();
  const { id } = useApp();
  const work = useWork();
  const branches = useQuery({ queryKey: ["branches", id], queryFn: () => api.branches(id) });
  const dialog = useRef<HTMLDialogElement>(null);
  const [name, setName] = useState("");
  const switching = useMutation({
    mutationFn: ({ name, create }: { name: string; create: boolean }) => work(() => api.goToBranch(id, name, create)),
    onSuccess: () => {
      setName("");
      dialog.current?.close();
    },
  });
  return (
    <>
      <Field className="inline-field">
        <Label>{t("changes.branch")}</Label>
        <Select
          value={branches.data?.current ?? ""}
          disabled={switching.isPending || !branches.data}
          onChange={(event) => switching.mutate({ name: event.target.value, create: false })}
        >
          {branches.data?.names.map((name) => (
            <Select.Option key={name} value={name}>
              {name}
            </Select.Option>
          ))}
        </Select>
      </Field>
      <Button variant="tertiary" icon aria-label={t("changes.branch.new")} title={t("changes.branch.new")} onClick={() => dialog.current?.showModal()}>
        <PlusIcon aria-hidden fontSize="1.4rem" />
      </Button>
      <Dialog ref={dialog} closeButton={t("common.close")} aria-labelledby="new-branch">
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim()) switching.mutate({ name: name.trim(), create: true });
          }}
        >
          <Heading level={2} data-size="xs" id="new-branch">
            {t("changes.branch.new")}
          </Heading>
          <Textfield label={t("changes.branch.name")} value={name} spellCheck={false} onChange={(event) => setName(event.target.value)} />
          <ProblemAlert problem={switching.error} />
          <div className="actions">
            <Button type="submit" loading={switching.isPending}>
              {t("changes.branch.create")}
            </Button>
          </div>
        </form>
      </Dialog>
      {switching.error && !dialog.current?.open && <ProblemAlert problem={switching.error} />}
    </>
  );
}

function History() {
  const t = useTexts();
  const when = useDates();
  const { id } = useApp();
  const commits = useQuery({ queryKey: ["commits", id], queryFn: () => api.commits(id) });
  return (
    <Card>
      <Heading level={2} data-size="2xs">
        {t("changes.history")}
      </Heading>
      <ProblemAlert problem={commits.error} />
      <ol className="plain history">
        {commits.data?.slice(0, 20).map((commit) => (
          <li key={commit.sha} className="row">
            <div>
              <div>{commit.message.split("\n")[0]}</div>
              <div className="quiet small">
                {commit.author}, {when(commit.date)}
              </div>
            </div>
            <div className="actions">
              {!commit.pushed && <Tag data-color="warning">{t("changes.notPushed")}</Tag>}
              <code>{commit.sha.slice(0, 8)}</code>
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}
