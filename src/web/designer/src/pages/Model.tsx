import { Go, go, useRoute } from "@altinn-local/shared";
import { Alert, Button, Checkbox, Field, Heading, Label, Link, Paragraph, Select, Textfield } from "@digdir/designsystemet-react";
import { PlusIcon, TrashIcon } from "@navikt/aksel-icons";
import { useState, type FormEvent } from "react";

import { follow, targetOf, type Refusal } from "../logic/csharp";
import * as json from "../logic/json";
import * as model from "../logic/model";
import { DocumentProblem, useAddress, useApp, useDocument, useFiles } from "../parts/app";
import { Loading, ProblemAlert } from "../parts/problems";
import { useTexts } from "../texts";

const TYPES = ["string", "integer", "number", "boolean"] as const;

export default function Model() {
  const t = useTexts();
  const files = useFiles();
  const address = useAddress();
  const { query } = useRoute();
  if (files.isPending) return <Loading />;
  const all = (files.data ?? []).filter((path) => /^App\/models\/[^/]+\.schema\.json$/.test(path));
  const path = all.find((path) => path === query.get("path")) ?? all[0];
  return (
    <>
      <div className="page-head">
        <Heading level={1}>{t("model.title")}</Heading>
        {all.length > 1 && path && (
          <Field className="inline-field">
            <Label>{t("model.file")}</Label>
            <Select value={path} onChange={(event) => go(address("model", { path: event.target.value }))}>
              {all.map((path) => (
                <Select.Option key={path} value={path}>
                  {path.replace("App/models/", "")}
                </Select.Option>
              ))}
            </Select>
          </Field>
        )}
        {path && (
          <Link
            className="end"
            href={address("files", { path })}
            onClick={(event) => {
              event.preventDefault();
              go(address("files", { path }));
            }}
          >
            {t("model.asJson")}
          </Link>
        )}
      </div>
      <ProblemAlert problem={files.error} />
      {path ? <Fields key={path} path={path} /> : <Paragraph>{t("model.none")}</Paragraph>}
    </>
  );
}

const METADATA = "App/config/applicationmetadata.json";

function Fields({ path }: { path: string }) {
  const t = useTexts();
  const { mayChange } = useApp();
  const address = useAddress();
  const paths = useFiles().data ?? [];
  const wanted = path.replace(".schema.json", ".cs");
  const file = paths.find((path) => path.toLowerCase() === wanted.toLowerCase()) ?? wanted;
  const document = useDocument(path);
  const source = useDocument(file);
  const metadata = useDocument(METADATA);
  const project = useDocument("App/App.csproj");
  const [refusal, setRefusal] = useState<{ refused: Refusal; name: string }>();
  if ([document, source, metadata, project].some(({ phase }) => phase === "loading")) return <Loading />;
  const { text } = document;
  const all = model.fields(text);
  if (!all || text === undefined) return <DocumentProblem document={document} readable={false} />;
  const change = (next: string) => {
    document.edit(next);
    const target = targetOf(path, json.read(metadata.text), next, project.text?.includes('"Altinn.App.') ?? false);
    const followed = follow(source.text, text, next, target);
    if ("text" in followed) source.edit(followed.text);
    setRefusal("text" in followed ? undefined : followed);
  };
  const typeName = (type: string) => {
    const known = TYPES.find((known) => known === type);
    return known ? t(`model.type.${known}`) : type;
  };
  return (
    <>
      <DocumentProblem document={document} />
      {source.problem && <DocumentProblem document={source} />}
      <div role="status">
        {refusal ? (
          <Alert data-color="warning" data-size="sm">
            {t(`model.class.${refusal.refused}`, { name: refusal.name, file })}
          </Alert>
        ) : (
          <Paragraph className="quiet" data-size="sm">
            {t("model.class", { file })}
          </Paragraph>
        )}
      </div>
      {!source.missing && (
        <Link asChild>
          <Go to={address("files", { path: file })}>{t("model.classOpen")}</Go>
        </Link>
      )}
      <ul className="fields">
        {all.map((field) => (
          <li key={field.name}>
            <code>{field.name}</code>
            {(TYPES as readonly string[]).includes(field.type) && mayChange ? (
              <Select
                aria-label={t("model.typeOf", { name: field.name })}
                value={field.type}
                onChange={(event) => change(model.setType(text, field, event.target.value))}
              >
                {TYPES.map((type) => (
                  <Select.Option key={type} value={type}>
                    {typeName(type)}
                  </Select.Option>
                ))}
              </Select>
            ) : (
              <span>{typeName(field.type)}</span>
            )}
            <Checkbox
              label={
                <>
                  <span aria-hidden>{t("model.required")}</span>
                  <span className="ds-sr-only">{t("model.requiredOf", { name: field.name })}</span>
                </>
              }
              value={field.name}
              checked={field.required}
              readOnly={!mayChange}
              onChange={(event) => change(model.setRequired(text, field, event.target.checked))}
            />
            {mayChange && (
              <Button
                variant="tertiary"
                data-color="danger"
                icon
                aria-label={t("model.delete", { name: field.name })}
                onClick={() => change(model.removeField(text, field))}
              >
                <TrashIcon aria-hidden fontSize="1.2rem" />
              </Button>
            )}
          </li>
        ))}
      </ul>
      {mayChange && <NewField taken={all.map((field) => field.name)} add={(name, type) => change(model.addField(text, name, type))} />}
    </>
  );
}

function NewField({ taken, add }: { taken: string[]; add: (name: string, type: string) => void }) {
  const t = useTexts();
  const [name, setName] = useState("");
  const [type, setType] = useState<string>("string");
  const [tried, setTried] = useState(false);
  const good = /^[A-Za-zæøåÆØÅ][A-Za-z0-9_æøåÆØÅ]*$/.test(name) && !taken.includes(name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!good) return;
    add(name, type);
    setName("");
    setTried(false);
  };
  return (
    <form className="new-field" onSubmit={submit} noValidate>
      <Textfield label={t("model.new")} value={name} spellCheck={false} error={tried && !good && t("model.new.bad")} onChange={(event) => setName(event.target.value)} />
      <Field>
        <Label>{t("common.type")}</Label>
        <Select value={type} onChange={(event) => setType(event.target.value)}>
          {TYPES.map((type) => (
            <Select.Option key={type} value={type}>
              {t(`model.type.${type}`)}
            </Select.Option>
          ))}
        </Select>
      </Field>
      <Button type="submit" variant="secondary">
        <PlusIcon aria-hidden fontSize="1.3rem" />
        {t("common.add")}
      </Button>
    </form>
  );
}
