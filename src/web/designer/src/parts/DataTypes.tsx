// The data types of an app: what may be sent in, how much of it, and at which step.

import { Button, Card, Details, Field, Heading, Label, Paragraph, Select, Tag, Textfield } from "@digdir/designsystemet-react";
import { PlusIcon, TrashIcon } from "@navikt/aksel-icons";
import { useState, type FormEvent } from "react";

import { add, contentTypes, idFault, remove, set, steps, whole, type DataType } from "../logic/datatypes";
import { useTexts } from "../texts";
import { useApp, useDocument } from "./app";

interface Props {
  text: string;
  types: DataType[];
  edit: (text: string) => void;
}

export function DataTypes({ text, types, edit }: Props) {
  const t = useTexts();
  const { mayChange } = useApp();
  const process = useDocument("App/config/process/process.bpmn");
  const tasks = steps(process.text);
  return (
    <Card className="data-types">
      <Heading level={2} data-size="xs">
        {t("settings.dataTypes")}
      </Heading>
      {types.map((type, index) => (
        <Details key={index}>
          <Details.Summary>
            {type.id} {type.appLogic?.classRef && <Tag data-size="sm">{t("types.form")}</Tag>}
          </Details.Summary>
          <Details.Content>
            <fieldset className="form bare" disabled={!mayChange}>
              <legend className="ds-sr-only">{type.id}</legend>
              <TypeFields type={type} others={types.filter((other) => other !== type).map(({ id }) => id)} tasks={tasks} change={(field, value) => edit(set(text, index, field, value))} />
              {mayChange && (
                <div className="actions">
                  <Button
                    type="button"
                    variant="tertiary"
                    data-color="danger"
                    aria-label={t("types.deleteOf", { id: type.id })}
                    onClick={() => {
                      if (confirm(t("types.deleteSure", { id: type.id }))) edit(remove(text, index));
                    }}
                  >
                    <TrashIcon aria-hidden fontSize="1.3rem" />
                    {t("common.delete")}
                  </Button>
                </div>
              )}
            </fieldset>
          </Details.Content>
        </Details>
      ))}
      {mayChange && <NewType taken={types.map(({ id }) => id)} add={(id) => edit(add(text, id))} />}
    </Card>
  );
}

interface FieldsProps {
  type: DataType;
  others: string[];
  tasks: { id: string; name: string }[];
  change: (field: keyof DataType, value: unknown) => void;
}

function TypeFields({ type, others, tasks, change }: FieldsProps) {
  const t = useTexts();
  const { classRef } = type.appLogic ?? {};
  const known = tasks.some(({ id }) => id === type.taskId);
  return (
    <>
      {classRef ? (
        <Paragraph data-size="sm">
          {t("types.class")} <code>{classRef}</code>
        </Paragraph>
      ) : (
        <Judged
          label={t("common.id")}
          value={type.id}
          judge={(id) => {
            const fault = idFault(id, others);
            return fault ? t(`types.id.${fault}`) : undefined;
          }}
          keep={(id) => change("id", id)}
        />
      )}
      <Judged
        label={t("settings.contentTypes")}
        hint={t("types.contentTypes.hint")}
        value={(type.allowedContentTypes ?? []).join(", ")}
        judge={(words) => (contentTypes(words) ? undefined : t("types.contentTypes.bad"))}
        keep={(words) => change("allowedContentTypes", contentTypes(words))}
      />
      <div className="numbers">
        <Count label={t("types.maxSize")} value={type.maxSize} least={1} keep={(number) => change("maxSize", number ?? undefined)} />
        <Count label={t("settings.minCount")} value={type.minCount ?? 0} least={0} keep={(number) => change("minCount", number ?? 0)} />
        <Count label={t("types.maxCount")} value={type.maxCount || null} least={0} keep={(number) => change("maxCount", number ?? 0)} />
      </div>
      <Field>
        <Label>{t("settings.task")}</Label>
        <Select value={type.taskId ?? ""} onChange={(event) => change("taskId", event.target.value || undefined)}>
          <Select.Option value="">{t("types.task.none")}</Select.Option>
          {type.taskId && !known && <Select.Option value={type.taskId}>{type.taskId}</Select.Option>}
          {tasks.map(({ id, name }) => (
            <Select.Option key={id} value={id}>
              {name ? `${name} (${id})` : id}
            </Select.Option>
          ))}
        </Select>
      </Field>
    </>
  );
}

interface JudgedProps {
  label: string;
  hint?: string;
  value: string;
  judge: (text: string) => string | undefined;
  keep: (text: string) => void;
  inputMode?: "numeric";
}

/** A text that is kept when it is left and right; what is wrong stays in the field, and out of the file. */
function Judged({ label, hint, value, judge, keep, inputMode }: JudgedProps) {
  const [own, setOwn] = useState<string>();
  const text = own ?? value;
  const fault = own === undefined ? undefined : judge(own);
  const leave = () => {
    if (own === undefined || fault) return;
    if (own !== value) keep(own);
    setOwn(undefined);
  };
  return <Textfield label={label} description={hint} value={text} error={fault} spellCheck={false} inputMode={inputMode} onChange={(event) => setOwn(event.target.value)} onBlur={leave} />;
}

function Count({ label, value, least, keep }: { label: string; value: number | null | undefined; least: number; keep: (number: number | null) => void }) {
  const t = useTexts();
  return (
    <Judged
      label={label}
      inputMode="numeric"
      value={value === null || value === undefined ? "" : String(value)}
      judge={(text) => (whole(text, least) === undefined ? t("types.number.bad", { least }) : undefined)}
      keep={(text) => keep(whole(text, least) ?? null)}
    />
  );
}

function NewType({ taken, add }: { taken: string[]; add: (id: string) => void }) {
  const t = useTexts();
  const [id, setId] = useState("");
  const [tried, setTried] = useState(false);
  const fault = idFault(id, taken);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (fault) return;
    add(id);
    setId("");
    setTried(false);
  };
  return (
    <form className="new-field" onSubmit={submit} noValidate>
      <Textfield label={t("types.new")} value={id} spellCheck={false} error={tried && fault && t(`types.id.${fault}`)} onChange={(event) => setId(event.target.value)} />
      <Button type="submit" variant="secondary">
        <PlusIcon aria-hidden fontSize="1.3rem" />
        {t("common.add")}
      </Button>
    </form>
  );
}
