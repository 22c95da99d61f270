import { go, useLanguage } from "@altinn-local/shared";
import { Card, Checkbox, Fieldset, Heading, Link, Textfield } from "@digdir/designsystemet-react";

import type { DataType } from "../logic/datatypes";
import * as json from "../logic/json";
import { languagesOf } from "../logic/texts";
import { DataTypes } from "../parts/DataTypes";
import { DocumentProblem, useAddress, useApp, useDocument, useFiles } from "../parts/app";
import { Loading } from "../parts/problems";
import { useTexts } from "../texts";

const PATH = "App/config/applicationmetadata.json";
const PARTIES = ["person", "organisation", "subUnit", "bankruptcyEstate"] as const;

interface Metadata {
  title?: Record<string, string>;
  partyTypesAllowed?: Record<string, boolean>;
  autoDeleteOnProcessEnd?: boolean;
  dataTypes?: DataType[];
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
      <DataTypes text={text} types={metadata.dataTypes ?? []} edit={document.edit} />
    </>
  );
}
