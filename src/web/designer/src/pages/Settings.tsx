import { go, useLanguage } from "@altinn-local/shared";
import { Card, Checkbox, Fieldset, Heading, Link, Table, Textfield } from "@digdir/designsystemet-react";

import * as json from "../logic/json";
import { languagesOf } from "../logic/texts";
import { DocumentProblem, useAddress, useApp, useDocument, useFiles } from "../parts/app";
import { Loading } from "../parts/problems";
import { useTexts } from "../texts";

const PATH = "App/config/applicationmetadata.json";
const PARTIES = ["person", "organisation", "subUnit", "bankruptcyEstate"] as const;

interface Metadata {
  title?: Record<string, string>;
  partyTypesAllowed?: Record<string, boolean>;
  autoDeleteOnProcessEnd?: boolean;
  dataTypes?: {
    id: string;
    allowedContentTypes?: string[] | null;
    minCount?: number;
    maxCount?: number;
    taskId?: string | null;
  }[];
}

export default function Settings() {
  const t = useTexts();
  const { mayChange } = useApp();
  const { language } = useLanguage();
  const address = useAddress();
  const paths = useFiles().data ?? [];
  const document = useDocument(PATH);
  const { text, phase } = document;
  if (phase === "loading") return <Loading />;
  const metadata = json.read<Metadata>(text);
  const file = address("files", { path: PATH });
  const head = (
    <div className="page-head">
      <Heading level={1}>{t("settings.title")}</Heading>
      <Link
        className="end"
        href={file}
        onClick={(event) => {
          event.preventDefault();
          go(file);
        }}
      >
        {t("settings.asJson")}
      </Link>
    </div>
  );
  if (text === undefined || !metadata) {
    return (
      <>
        {head}
        <DocumentProblem document={document} readable={false} />
      </>
    );
  }
  const set = (path: (string | number)[], value: unknown) => document.edit(json.set(text, path, value));
  const languages = [...new Set([...languagesOf(paths), ...Object.keys(metadata.title ?? {})])];
  const names = new Intl.DisplayNames([language], { type: "language" });
  return (
    <>
      {head}
      <DocumentProblem document={document} />
      <div className="grid">
        <Card>
          <fieldset className="form bare" disabled={!mayChange}>
            <legend className="legend">{t("settings.names")}</legend>
            {languages.map((code) => (
              <Textfield
                key={code}
                label={t("settings.name", { language: names.of(code) ?? code })}
                value={metadata.title?.[code] ?? ""}
                lang={code}
                onChange={(event) => set(["title", code], event.target.value)}
              />
            ))}
          </fieldset>
        </Card>
        <Card>
          <Fieldset>
            <Fieldset.Legend>{t("settings.parties")}</Fieldset.Legend>
            <Fieldset.Description>{t("settings.parties.hint")}</Fieldset.Description>
            {PARTIES.map((party) => (
              <Checkbox
                key={party}
                label={t(`settings.${party}`)}
                value={party}
                readOnly={!mayChange}
                checked={metadata.partyTypesAllowed?.[party] === true}
                onChange={(event) => set(["partyTypesAllowed", party], event.target.checked)}
              />
            ))}
          </Fieldset>
          <Checkbox
            label={t("settings.delete")}
            value="delete"
            readOnly={!mayChange}
            checked={metadata.autoDeleteOnProcessEnd === true}
            onChange={(event) => set(["autoDeleteOnProcessEnd"], event.target.checked)}
          />
        </Card>
      </div>
      <Heading level={2} data-size="xs">
        {t("settings.dataTypes")}
      </Heading>
      <div className="table-box" tabIndex={0} role="region" aria-label={t("settings.dataTypes")}>
        <Table>
          <Table.Head>
            <Table.Row>
              <Table.HeaderCell>{t("common.id")}</Table.HeaderCell>
              <Table.HeaderCell>{t("settings.task")}</Table.HeaderCell>
              <Table.HeaderCell>{t("settings.contentTypes")}</Table.HeaderCell>
              <Table.HeaderCell>{t("settings.minCount")}</Table.HeaderCell>
              <Table.HeaderCell>{t("settings.maxCount")}</Table.HeaderCell>
            </Table.Row>
          </Table.Head>
          <Table.Body>
            {metadata.dataTypes?.map((type) => (
              <Table.Row key={type.id}>
                <Table.Cell>{type.id}</Table.Cell>
                <Table.Cell>{type.taskId ?? ""}</Table.Cell>
                <Table.Cell>{(type.allowedContentTypes ?? []).join(", ")}</Table.Cell>
                <Table.Cell>{type.minCount ?? 0}</Table.Cell>
                <Table.Cell>{type.maxCount || t("settings.noLimit")}</Table.Cell>
              </Table.Row>
            ))}
          </Table.Body>
        </Table>
      </div>
    </>
  );
}
