import { Button, Checkbox, Dialog, Heading, Paragraph, Search, Textarea, Textfield } from "@digdir/designsystemet-react";
import { PlusIcon, TrashIcon } from "@navikt/aksel-icons";
import { request } from "@altinn-local/shared";
import { useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useRef, useState, type FormEvent } from "react";

import * as api from "../api";
import * as texts from "../logic/texts";
import { DocumentProblem, useApp, useDocuments, useFiles } from "../parts/app";
import { Loading, ProblemAlert } from "../parts/problems";
import { useTexts } from "../texts";

export default function Texts() {
  const t = useTexts();
  const { mayChange } = useApp();
  const files = useFiles();
  const languages = texts.languagesOf(files.data ?? []);
  const documents = useDocuments(languages.map(texts.fileOf));
  const [words, setWords] = useState("");
  const [onlyMissing, setOnlyMissing] = useState(false);
  const wanted = useDeferredValue(words.trim().toLowerCase());
  if (files.isPending || documents.some((one) => one.phase === "loading")) return <Loading />;
  const values = documents.map((one) => new Map((texts.resources(one.text) ?? []).map(({ id, value }) => [id, value])));
  const ids = texts.idsOf(documents.map((one) => one.text));
  const lacks = (id: string) => values.some((all) => !all.get(id));
  const shown = ids.filter(
    (id) =>
      (!onlyMissing || lacks(id)) &&
      (id.toLowerCase().includes(wanted) || values.some((all) => all.get(id)?.toLowerCase().includes(wanted))),
  );
  const edit = (index: number, change: (text: string) => string) => {
    const document = documents[index];
    if (document?.text !== undefined) document.edit(change(document.text));
  };
  return (
    <>
      <div className="page-head">
        <Heading level={1}>{t("texts.title")}</Heading>
        {mayChange && (
          <div className="actions">
            <NewLanguage taken={languages} />
            <NewText ids={ids} add={(id) => languages.forEach((_, index) => edit(index, (text) => texts.setText(text, id, "")))} />
          </div>
        )}
      </div>
      <ProblemAlert problem={files.error} />
      {documents.map((document) => (
        <DocumentProblem key={document.path} document={document} readable={texts.resources(document.text) !== undefined} />
      ))}
      <div className="toolbar">
        <Search className="search">
          <Search.Input aria-label={t("texts.search")} placeholder={t("texts.search")} value={words} onChange={(event) => setWords(event.target.value)} />
          <Search.Clear aria-label={t("common.cancel")} onClick={() => setWords("")} />
        </Search>
        <Checkbox
          label={t("texts.missing", { n: ids.filter(lacks).length })}
          value="missing"
          checked={onlyMissing}
          onChange={(event) => setOnlyMissing(event.target.checked)}
        />
        <Paragraph className="quiet end" role="status">
          {t("texts.count", { n: shown.length })}
        </Paragraph>
      </div>
      <ul className="texts">
        {shown.map((id) => (
          <li key={id}>
            <div className="text-id">
              <code>{id}</code>
              {mayChange && (
                <Button
                  variant="tertiary"
                  data-color="danger"
                  icon
                  aria-label={t("texts.delete", { id })}
                  onClick={() => languages.forEach((_, index) => edit(index, (text) => texts.removeText(text, id)))}
                >
                  <TrashIcon aria-hidden fontSize="1.2rem" />
                </Button>
              )}
            </div>
            {languages.map((language, index) => {
              const value = values[index]?.get(id);
              return (
                <label key={language} className="text-value">
                  <span className="language" aria-hidden>
                    {language.toUpperCase()}
                  </span>
                  <Textarea
                    aria-label={t("texts.value", { id, language: language.toUpperCase() })}
                    lang={language}
                    rows={1}
                    readOnly={!mayChange}
                    placeholder={t("texts.untranslated")}
                    data-missing={!value || undefined}
                    value={value ?? ""}
                    onChange={(event) => edit(index, (text) => texts.setText(text, id, event.target.value))}
                  />
                </label>
              );
            })}
          </li>
        ))}
      </ul>
    </>
  );
}

function NewText({ ids, add }: { ids: string[]; add: (id: string) => void }) {
  const t = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const [id, setId] = useState("");
  const [tried, setTried] = useState(false);
  const wrong = !id.trim() ? t("ui.id.empty") : ids.includes(id.trim()) ? t("texts.taken") : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (wrong) return;
    add(id.trim());
    setId("");
    setTried(false);
    dialog.current?.close();
  };
  return (
    <>
      <Button onClick={() => dialog.current?.showModal()}>
        <PlusIcon aria-hidden fontSize="1.3rem" />
        {t("texts.new")}
      </Button>
      <Dialog ref={dialog} closeButton={t("common.close")} aria-labelledby="new-text">
        <form className="form" onSubmit={submit} noValidate>
          <Heading level={2} data-size="xs" id="new-text">
            {t("texts.new")}
          </Heading>
          <Textfield label={t("texts.newId")} value={id} spellCheck={false} error={tried && wrong} onChange={(event) => setId(event.target.value)} />
          <div className="actions">
            <Button type="submit">{t("common.add")}</Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}

function NewLanguage({ taken }: { taken: string[] }) {
  const t = useTexts();
  const { id } = useApp();
  const client = useQueryClient();
  const dialog = useRef<HTMLDialogElement>(null);
  const [code, setCode] = useState("");
  const [tried, setTried] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const wrong = /^[a-z]{2,3}$/.test(code) && !taken.includes(code) ? undefined : t("texts.language.bad");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (wrong) return;
    try {
      const path = api.filePath(id, texts.fileOf(code));
      await request(path, { method: "PUT", body: texts.emptyOf(code), headers: { "If-None-Match": "*" } });
      await client.invalidateQueries({ queryKey: ["files", id] });
      await client.invalidateQueries({ queryKey: ["status", id] });
      setCode("");
      setTried(false);
      dialog.current?.close();
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <>
      <Button variant="secondary" onClick={() => dialog.current?.showModal()}>
        {t("texts.language.new")}
      </Button>
      <Dialog ref={dialog} closeButton={t("common.close")} aria-labelledby="new-language">
        <form className="form" onSubmit={(event) => void submit(event)} noValidate>
          <Heading level={2} data-size="xs" id="new-language">
            {t("texts.language.new")}
          </Heading>
          <Textfield label={t("texts.language.code")} value={code} error={tried && wrong} onChange={(event) => setCode(event.target.value)} />
          <ProblemAlert problem={fault} />
          <div className="actions">
            <Button type="submit">{t("common.add")}</Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
