// The form: its pages, the components of a page, the properties of a component, and how it will look.

import { go, useLanguage, useRoute } from "@altinn-local/shared";
import { Button, Dialog, Field, Heading, Label, Link, Paragraph, Select, Tag, Textfield, ToggleGroup } from "@digdir/designsystemet-react";
import { PlusIcon, TrashIcon } from "@navikt/aksel-icons";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type FormEvent } from "react";

import { request } from "@altinn-local/shared";

import * as api from "../api";
import * as layout from "../logic/layout";
import { fresh, KINDS } from "../logic/palette";
import * as layoutSets from "../logic/sets";
import { fileOf, languagesOf, valueOf } from "../logic/texts";
import { DocumentProblem, useAddress, useApp, useDocument, useDocuments, useFiles, useWork } from "../parts/app";
import { Preview } from "../parts/Preview";
import { Loading, ProblemAlert } from "../parts/problems";
import { Properties } from "../parts/Properties";
import { DropPlace, PaletteItem, SortArea, SortItem, SortList } from "../parts/Sortable";
import { isKey, useTexts } from "../texts";

export default function Ui() {
  const t = useTexts();
  const files = useFiles();
  const setsFile = useDocument(layoutSets.SETS);
  const { query } = useRoute();
  const address = useAddress();
  if (files.isPending || setsFile.phase === "loading") return <Loading />;
  const all = layoutSets.sets(setsFile.text, files.data ?? []);
  const set = all.find((set) => set.id === query.get("set")) ?? all[0];
  return (
    <>
      <div className="page-head">
        <Heading level={1}>{t("ui.title")}</Heading>
        {all.length > 1 && set && (
          <Field className="inline-field">
            <Label>{t("ui.set")}</Label>
            <Select value={set.id} onChange={(event) => go(address("ui", { set: event.target.value }))}>
              {all.map((set) => (
                <Select.Option key={set.id} value={set.id}>
                  {set.id || "App/ui"}
                </Select.Option>
              ))}
            </Select>
          </Field>
        )}
      </div>
      <ProblemAlert problem={files.error} />
      {set ? <FormEditor key={set.id} set={set} paths={files.data ?? []} /> : <Paragraph>{t("ui.noSets")}</Paragraph>}
    </>
  );
}

function FormEditor({ set, paths }: { set: layoutSets.LayoutSet; paths: string[] }) {
  const { query } = useRoute();
  const settings = useDocument(layoutSets.settingsOf(set));
  const pages = layoutSets.pages(set, settings.text, paths);
  const wanted = query.get("page");
  const page = pages.find((page) => page === wanted) ?? pages[0];
  if (settings.phase === "loading") return <Loading />;
  return (
    <>
      <PageList set={set} pages={pages} current={page} settings={settings.text} reorder={settings.edit} />
      {page !== undefined && <PageEditor key={page} set={set} page={page} pages={pages} />}
    </>
  );
}

interface PageListProps {
  set: layoutSets.LayoutSet;
  pages: string[];
  current: string | undefined;
  settings: string | undefined;
  reorder: (text: string) => void;
}

function PageList({ set, pages, current, settings, reorder }: PageListProps) {
  const t = useTexts();
  const { mayChange } = useApp();
  const address = useAddress();
  const move = (id: string, place: number) => {
    const order = layout.shift(pages.length, pages.indexOf(id), place).map((index) => pages[index] ?? "");
    reorder(layoutSets.withOrder(settings, order));
  };
  return (
    <section className="page-list" aria-label={t("ui.pages")}>
      <SortArea names={new Map()} lists={new Map([["", pages]])} onMove={move}>
        <SortList ids={pages} label={t("ui.pages")}>
          {pages.map((page, index) => (
            <SortItem key={page} id={page} name={page} fixed={!mayChange}>
              <a
                href={address("ui", { set: set.id, page })}
                aria-current={page === current ? "page" : undefined}
                onClick={(event) => {
                  event.preventDefault();
                  go(address("ui", { set: set.id, page }));
                }}
              >
                <span className="quiet">{index + 1}</span> {page}
              </a>
            </SortItem>
          ))}
        </SortList>
      </SortArea>
      {mayChange && <NewPage set={set} pages={pages} settings={settings} reorder={reorder} />}
    </section>
  );
}

function NewPage({ set, pages, settings, reorder }: Omit<PageListProps, "current">) {
  const t = useTexts();
  const { id } = useApp();
  const client = useQueryClient();
  const address = useAddress();
  const dialog = useRef<HTMLDialogElement>(null);
  const [name, setName] = useState("");
  const [tried, setTried] = useState(false);
  const [fault, setFault] = useState<unknown>();
  const taken = pages.some((page) => page.toLowerCase() === name.toLowerCase());
  const wrong = !layoutSets.isPageName(name) ? t("ui.page.bad") : taken ? t("ui.page.taken") : undefined;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (wrong) return;
    try {
      const path = api.filePath(id, layoutSets.pageFile(set, name));
      await request(path, { method: "PUT", body: layout.EMPTY, headers: { "If-None-Match": "*" } });
      reorder(layoutSets.withOrder(settings, [...pages, name]));
      await client.invalidateQueries({ queryKey: ["files", id] });
      dialog.current?.close();
      setName("");
      setTried(false);
      go(address("ui", { set: set.id, page: name }));
    } catch (error) {
      setFault(error);
    }
  };
  return (
    <>
      <Button variant="tertiary" onClick={() => dialog.current?.showModal()}>
        <PlusIcon aria-hidden fontSize="1.3rem" />
        {t("ui.page.new")}
      </Button>
      <Dialog ref={dialog} closeButton={t("common.close")} aria-labelledby="new-page">
        <form className="form" onSubmit={(event) => void submit(event)} noValidate>
          <Heading level={2} data-size="xs" id="new-page">
            {t("ui.page.new")}
          </Heading>
          <Textfield label={t("ui.page.name")} value={name} error={tried && wrong} onChange={(event) => setName(event.target.value)} />
          <ProblemAlert problem={fault} />
          <div className="actions">
            <Button type="submit">{t("common.add")}</Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}

/** What a component is called in lists: its label in the user's language, else its id. */
export function useNames(languages: string[]) {
  const { language } = useLanguage();
  const own = languages.includes(language) ? language : (languages[0] ?? "nb");
  const [file] = useDocuments(languages.includes(own) ? [fileOf(own)] : []);
  return useMemo(
    () => ({
      language: own,
      text: (id: string | undefined) => (id === undefined ? undefined : (valueOf(file?.text, id) ?? id)),
    }),
    [own, file?.text],
  );
}

function PageEditor({ set, page, pages }: { set: layoutSets.LayoutSet; page: string; pages: string[] }) {
  const t = useTexts();
  const { mayChange } = useApp();
  const address = useAddress();
  const path = layoutSets.pageFile(set, page);
  const document = useDocument(path);
  const files = useFiles();
  const languages = languagesOf(files.data ?? []);
  const names = useNames(languages);
  const [selected, setSelected] = useState<string>();
  const [mode, setMode] = useState("edit");
  const panel = useRef<HTMLElement>(null);
  const all = layout.components(document.text);
  const others = useDocuments(pages.filter((other) => other !== page).map((other) => layoutSets.pageFile(set, other)));
  const taken = [...(all ?? []), ...others.flatMap((other) => layout.components(other.text) ?? [])].map((one) => one.id);
  useEffect(() => {
    if (selected !== undefined && all && !all.some((component) => component.id === selected)) setSelected(undefined);
  }, [all, selected]);
  if (document.phase === "loading") return <Loading />;
  if (!all || document.text === undefined) return <DocumentProblem document={document} readable={false} />;
  const text = document.text;
  const twigs = layout.tree(all);
  const typeName = (type: string) => (isKey(`type.${type}`) ? t(`type.${type}` as "type.Input") : type);
  const nameOf = (component: layout.Component) =>
    names.text(component.textResourceBindings?.title) ?? `${typeName(component.type)} ${component.id}`;
  const add = (type: string, place?: number) => {
    const id = layout.freeId(type, taken);
    document.edit(layout.add(text, fresh(type, id), place));
    setSelected(id);
  };
  const lists = new Map([["", twigs.map((twig) => twig.component.id)]]);
  for (const twig of twigs) lists.set(twig.component.id, twig.children.map((child) => child.id));
  const labels = new Map(all.map((component) => [component.id, nameOf(component)]));
  for (const { type } of KINDS) labels.set(type, typeName(type));
  const chosen = all.find((component) => component.id === selected);
  const row = (component: layout.Component, below?: React.ReactNode) => (
    <SortItem key={component.id} id={component.id} name={nameOf(component)} fixed={!mayChange} below={below}>
      <button
        type="button"
        className="component"
        aria-pressed={component.id === selected}
        onClick={() => {
          setSelected(component.id);
          // On narrow screens the properties stand below the list.
          if (matchMedia("(max-width: 60rem)").matches) requestAnimationFrame(() => panel.current?.focus());
        }}
      >
        <span className="component-name">{nameOf(component)}</span>
        <Tag data-size="sm" data-color="neutral">
          {typeName(component.type)}
        </Tag>
      </button>
    </SortItem>
  );
  return (
    <>
      <DocumentProblem document={document} />
      <div className="toolbar">
        <ToggleGroup data-toggle-group={t("ui.title")} value={mode} onChange={setMode} data-size="sm">
          <ToggleGroup.Item value="edit">{t("ui.edit")}</ToggleGroup.Item>
          <ToggleGroup.Item value="preview">{t("ui.preview")}</ToggleGroup.Item>
        </ToggleGroup>
        <Link
          className="end"
          href={address("files", { path })}
          onClick={(event) => {
            event.preventDefault();
            go(address("files", { path }));
          }}
        >
          {t("ui.asJson")}
        </Link>
        {mayChange && <DeletePage path={path} page={page} set={set} pages={pages} />}
      </div>
      {mode === "preview" ? (
        <section aria-label={t("ui.preview")} className="preview">
          <Paragraph className="quiet" data-size="sm">
            {t("ui.preview.hint")}
          </Paragraph>
          <Preview twigs={twigs} text={names.text} />
        </section>
      ) : (
        <SortArea names={labels} lists={lists} onMove={(id, place) => document.edit(layout.move(text, id, place))} onAdd={add}>
          <div className="form-editor">
            {mayChange && (
              <section aria-labelledby="palette" className="palette">
                <Heading level={2} data-size="2xs" id="palette">
                  {t("ui.palette")}
                </Heading>
                <div className="palette-items">
                  {KINDS.map(({ type }) => (
                    <PaletteItem key={type} type={type} label={t("ui.addComponent", { type: typeName(type) })} onPress={() => add(type)}>
                      {typeName(type)}
                    </PaletteItem>
                  ))}
                </div>
              </section>
            )}
            <section aria-labelledby="components" className="canvas">
              <Heading level={2} data-size="2xs" id="components">
                {t("ui.components")}
              </Heading>
              {twigs.length === 0 && (
                <DropPlace>
                  <Paragraph className="quiet">{t("ui.empty")}</Paragraph>
                </DropPlace>
              )}
              <SortList ids={lists.get("") ?? []} label={t("ui.components")}>
                {twigs.map((twig) =>
                  row(
                    twig.component,
                    twig.children.length > 0 && (
                      <SortList ids={twig.children.map((child) => child.id)} label={nameOf(twig.component)}>
                        {twig.children.map((child) => row(child))}
                      </SortList>
                    ),
                  ),
                )}
              </SortList>
            </section>
            <section aria-labelledby="properties" className="properties" ref={panel} tabIndex={-1}>
              <Heading level={2} data-size="2xs" id="properties">
                {t("ui.properties")}
              </Heading>
              {chosen ? (
                <Properties
                  key={chosen.id}
                  component={chosen}
                  taken={taken}
                  set={set}
                  languages={languages}
                  setProperty={(path, value) => document.edit(layout.setProperty(text, chosen.id, path, value))}
                  rename={(next) => {
                    document.edit(layout.rename(text, chosen.id, next));
                    setSelected(next);
                  }}
                  remove={() => {
                    document.edit(layout.remove(text, chosen.id));
                    setSelected(undefined);
                  }}
                />
              ) : (
                <Paragraph className="quiet">{t("ui.properties.none")}</Paragraph>
              )}
            </section>
          </div>
        </SortArea>
      )}
    </>
  );
}

function DeletePage({ path, page, set, pages }: { path: string; page: string; set: layoutSets.LayoutSet; pages: string[] }) {
  const t = useTexts();
  const { id } = useApp();
  const work = useWork();
  const address = useAddress();
  const settings = useDocument(layoutSets.settingsOf(set));
  const remove = async () => {
    if (!confirm(t("ui.page.deleteSure", { name: page }))) return;
    const left = pages.filter((other) => other !== page);
    settings.edit(layoutSets.withOrder(settings.text, left));
    await work(async () => {
      const { etag } = await (await request(api.filePath(id, path))).json();
      await request(api.filePath(id, path), { method: "DELETE", headers: { "If-Match": `"${etag}"` } });
    });
    go(address("ui", { set: set.id, page: left[0] ?? "" }));
  };
  return (
    <Button variant="tertiary" data-color="danger" icon aria-label={t("ui.page.delete")} title={t("ui.page.delete")} onClick={() => void remove()}>
      <TrashIcon aria-hidden fontSize="1.3rem" />
    </Button>
  );
}
