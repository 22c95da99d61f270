import { go, request, useRoute } from "@altinn-local/shared";
import { Alert, Button, Dialog, Heading, Link, Paragraph, Search, Textfield } from "@digdir/designsystemet-react";
import { FileIcon, PencilIcon, PlusIcon, TrashIcon } from "@navikt/aksel-icons";
import { useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useMemo, useRef, useState, type FormEvent } from "react";

import * as api from "../api";
import { isImage } from "../logic/upload";
import { CodeEditor, problems } from "../parts/CodeEditor";
import { DocumentProblem, useAddress, useApp, useDocument, useFileList, useFiles, useWork } from "../parts/app";
import { Loading, ProblemAlert } from "../parts/problems";
import { Upload } from "../parts/Upload";
import { useTexts } from "../texts";

export default function Files() {
  const t = useTexts();
  const files = useFiles();
  const { query } = useRoute();
  const path = query.get("path");
  const [words, setWords] = useState("");
  const wanted = useDeferredValue(words.trim().toLowerCase());
  const folders = useMemo(() => group((files.data ?? []).filter((path) => path.toLowerCase().includes(wanted))), [files.data, wanted]);
  return (
    <>
      <div className="page-head">
        <Heading level={1}>{t("files.title")}</Heading>
        <div className="actions">
          <Upload paths={files.data ?? []} />
          <NewFile paths={files.data ?? []} />
        </div>
      </div>
      <div className="split files">
        <section aria-label={t("files.tree")} className="tree">
          <Search>
            <Search.Input aria-label={t("files.search")} placeholder={t("files.search")} value={words} onChange={(event) => setWords(event.target.value)} />
            <Search.Clear aria-label={t("common.cancel")} onClick={() => setWords("")} />
          </Search>
          {files.isPending && <Loading />}
          <ProblemAlert problem={files.error} />
          {folders.map(([folder, names]) => (
            <details key={folder} open={wanted !== "" || path === null || path.startsWith(folder) || folder === ""}>
              <summary>{folder || "/"}</summary>
              <ul>
                {names.map((name) => (
                  <FileLink key={name} path={folder + name} name={name} current={folder + name === path} />
                ))}
              </ul>
            </details>
          ))}
        </section>
        <section className="sheet" aria-label={path ?? t("files.title")}>
          {path ? <OpenFile key={path} path={path} /> : <Paragraph className="quiet">{t("files.choose")}</Paragraph>}
        </section>
      </div>
    </>
  );
}

/** Paths by folder, those at the top first. */
function group(paths: string[]): [string, string[]][] {
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    const cut = path.lastIndexOf("/") + 1;
    const folder = path.slice(0, cut);
    folders.set(folder, [...(folders.get(folder) ?? []), path.slice(cut)]);
  }
  return [...folders].sort(([one], [other]) => one.localeCompare(other));
}

function FileLink({ path, name, current }: { path: string; name: string; current: boolean }) {
  const address = useAddress()("files", { path });
  return (
    <li>
      <a
        href={address}
        aria-current={current ? "true" : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          go(address);
        }}
      >
        <FileIcon aria-hidden />
        {name}
      </a>
    </li>
  );
}

function OpenFile({ path }: { path: string }) {
  const t = useTexts();
  const { id, drafts, mayChange } = useApp();
  const document = useDocument(path);
  const { text, opaque, phase, draft } = document;
  const { query } = useRoute();
  const [line, column] = [Number(query.get("line")), Number(query.get("column"))];
  const work = useWork();
  const address = useAddress();
  const [fault, setFault] = useState<unknown>();
  const remove = async () => {
    if (!confirm(t("files.deleteSure", { path }))) return;
    try {
      await work(async () => {
        const { etag } = await (await request(api.filePath(id, path))).json();
        await request(api.filePath(id, path), { method: "DELETE", headers: { "If-Match": `"${etag}"` } });
        drafts.forget(path);
        go(address("files"));
      });
    } catch (error) {
      setFault(error);
    }
  };
  const found = useMemo(() => (text === undefined ? [] : problems(path, text)), [path, text]);
  return (
    <>
      <div className="sheet-head">
        <Heading level={2} data-size="2xs" className="path">
          {path}
        </Heading>
        {mayChange && (
          <div className="actions">
            <MoveFile path={path} />
            <Button variant="tertiary" data-color="danger" icon aria-label={`${t("common.delete")} ${path}`} onClick={() => void remove()}>
              <TrashIcon aria-hidden fontSize="1.3rem" />
            </Button>
          </div>
        )}
      </div>
      <ProblemAlert problem={fault} />
      <DocumentProblem document={document} />
      {phase === "loading" && <Loading />}
      {opaque && <Opaque path={path} />}
      {text !== undefined && (
        <CodeEditor path={path} text={text} label={t("files.editor", { path })} readOnly={!mayChange} at={line > 0 ? { line, column } : undefined} onChange={(next) => draft.edit(next)} />
      )}
      <div role="status">
        {text !== undefined && found.length > 0 && (
          <Alert data-color="warning">
            <Paragraph>{t("files.problems", { n: found.length })}</Paragraph>
            <ul>
              {found.slice(0, 8).map(({ from, message }, index) => (
                <li key={index}>{t("files.line", { line: text.slice(0, from).split("\n").length, message })}</li>
              ))}
            </ul>
          </Alert>
        )}
      </div>
    </>
  );
}

/** What is no text: shown when it is an image, to be had, to be replaced. */
function Opaque({ path }: { path: string }) {
  const t = useTexts();
  const { id } = useApp();
  const size = useFileList().data?.find((file) => file.path === path)?.size;
  const address = api.rawPath(id, path);
  return (
    <div className="opaque">
      <Paragraph>{t("files.opaque", { size: size === undefined ? "" : `${Math.ceil(size / 1024)} kB` })}</Paragraph>
      {/* Its size changes its address: a replaced image is not shown from memory. */}
      {isImage(path) && <img src={`${address}&size=${size ?? 0}`} alt={t("files.imageOf", { path })} />}
      <div className="actions">
        <Link href={address} download={path.split("/").at(-1)}>
          {t("files.download")}
        </Link>
        <Upload path={path} />
      </div>
    </div>
  );
}

function NewFile({ paths }: { paths: string[] }) {
  const t = useTexts();
  const { id, mayChange } = useApp();
  const client = useQueryClient();
  const address = useAddress();
  const dialog = useRef<HTMLDialogElement>(null);
  const [path, setPath] = useState("App/");
  const [fault, setFault] = useState<unknown>();
  if (!mayChange) return null;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    try {
      if (!paths.includes(path)) {
        await request(api.filePath(id, path), { method: "PUT", body: "", headers: { "If-None-Match": "*" } });
        await client.invalidateQueries({ queryKey: ["files", id] });
        await client.invalidateQueries({ queryKey: ["status", id] });
      }
      dialog.current?.close();
      go(address("files", { path }));
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <>
      <Button variant="secondary" onClick={() => dialog.current?.showModal()}>
        <PlusIcon aria-hidden fontSize="1.4rem" />
        {t("files.new")}
      </Button>
      <Dialog ref={dialog} closeButton={t("common.close")} aria-labelledby="new-file">
        <form className="form" onSubmit={(event) => void submit(event)}>
          <Heading level={2} data-size="xs" id="new-file">
            {t("files.new")}
          </Heading>
          <Textfield label={t("files.path")} value={path} spellCheck={false} onChange={(event) => setPath(event.target.value)} />
          <ProblemAlert problem={fault} />
          <div className="actions">
            <Button type="submit">{t("common.add")}</Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}

function MoveFile({ path }: { path: string }) {
  const t = useTexts();
  const { id, drafts } = useApp();
  const work = useWork();
  const address = useAddress();
  const dialog = useRef<HTMLDialogElement>(null);
  const [to, setTo] = useState(path);
  const [fault, setFault] = useState<unknown>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    try {
      if (to === path) return dialog.current?.close();
      await work(async () => {
        await api.move(id, path, to);
        dialog.current?.close();
        drafts.forget(path);
        go(address("files", { path: to }));
      });
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <>
      <Button variant="tertiary" icon aria-label={`${t("files.rename")} ${path}`} onClick={() => dialog.current?.showModal()}>
        <PencilIcon aria-hidden fontSize="1.3rem" />
      </Button>
      <Dialog ref={dialog} closeButton={t("common.close")} aria-labelledby="move-file">
        <form className="form" onSubmit={(event) => void submit(event)}>
          <Heading level={2} data-size="xs" id="move-file">
            {t("files.rename")}
          </Heading>
          <Textfield label={t("files.newPath")} value={to} spellCheck={false} onChange={(event) => setTo(event.target.value)} />
          <ProblemAlert problem={fault} />
          <div className="actions">
            <Button type="submit">{t("files.rename")}</Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
