// The properties of one component.

import { Button, Checkbox, Field, Fieldset, Label, Paragraph, Select, Textfield } from "@digdir/designsystemet-react";
import { PlusIcon, TrashIcon } from "@navikt/aksel-icons";
import { useState } from "react";

import * as layout from "../logic/layout";
import { bindable, fields } from "../logic/model";
import { kindOf } from "../logic/palette";
import type { LayoutSet } from "../logic/sets";
import { fileOf, setText, valueOf } from "../logic/texts";
import { isKey, useTexts } from "../texts";
import { useApp, useDocuments, useFiles } from "./app";

interface Props {
  component: layout.Component;
  taken: string[];
  set: LayoutSet;
  languages: string[];
  setProperty: (path: string[], value: unknown) => void;
  rename: (id: string) => void;
  remove: () => void;
}

export function Properties(props: Props) {
  const { component, remove } = props;
  const t = useTexts();
  const { mayChange } = useApp();
  const kind = kindOf(component.type);
  return (
    <fieldset className="form bare" disabled={!mayChange}>
      <legend className="ds-sr-only">{component.id}</legend>
      <IdField {...props} />
      {kind.texts.map((name) => (
        <TextFields key={name} name={name} {...props} />
      ))}
      {kind.bound && <Binding {...props} />}
      {kind.bound && <Flag name="required" label={t("ui.required")} {...props} />}
      {kind.bound && <Flag name="readOnly" label={t("ui.readOnly")} {...props} />}
      {component.type === "Header" && <Size {...props} />}
      {["Input", "TextArea"].includes(component.type) && <MaxLength {...props} />}
      {kind.choices && <Choices {...props} />}
      {mayChange && (
        <Button variant="secondary" data-color="danger" onClick={remove}>
          <TrashIcon aria-hidden fontSize="1.3rem" />
          {t("ui.delete")}
        </Button>
      )}
    </fieldset>
  );
}

function IdField({ component, taken, rename }: Props) {
  const t = useTexts();
  const [id, setId] = useState(component.id);
  const others = taken.filter((other) => other !== component.id);
  const problem = layout.idProblem(id, others);
  return (
    <Textfield
      label={t("common.id")}
      value={id}
      spellCheck={false}
      error={problem && t(`ui.id.${problem}`)}
      onChange={(event) => setId(event.target.value)}
      onBlur={() => {
        if (!problem && id !== component.id) rename(id);
      }}
    />
  );
}

/** A text of the component in each language. One that has no id yet gets one of the component's. */
function TextFields({ component, name, languages, setProperty }: Props & { name: string }) {
  const t = useTexts();
  const files = useDocuments(languages.map(fileOf));
  const id = component.textResourceBindings?.[name];
  const key = `ui.text.${name}`;
  const label = isKey(key) ? t(key) : name;
  // An expression or a literal text is not for this form.
  if (id !== undefined && typeof id !== "string") return <Paragraph>{t("ui.expression")}</Paragraph>;
  return (
    <Fieldset className="texts-of">
      <Fieldset.Legend>{label}</Fieldset.Legend>
      {id !== undefined && <Fieldset.Description>{t("ui.text.key", { id })}</Fieldset.Description>}
      {files.map((file, index) => {
        const language = languages[index] ?? "";
        return (
          <Textfield
            key={language}
            label={
              <>
                <span className="ds-sr-only">{label} </span>
                {language.toUpperCase()}
              </>
            }
            value={(id !== undefined && valueOf(file.text, id)) || ""}
            onChange={(event) => {
              if (file.text === undefined) return;
              const own = id ?? `${component.id}.${name}`;
              file.edit(setText(file.text, own, event.target.value));
              if (id === undefined) setProperty(["textResourceBindings", name], own);
            }}
          />
        );
      })}
    </Fieldset>
  );
}

function Binding({ component, set, setProperty }: Props) {
  const t = useTexts();
  const paths = useFiles().data ?? [];
  const schemas = paths.filter((path) => /^App\/models\/[^/]+\.schema\.json$/.test(path));
  const own = schemas.find((path) => path === `App/models/${set.dataType}.schema.json`) ?? schemas[0];
  const [model] = useDocuments(own === undefined ? [] : [own]);
  const all = bindable(fields(model?.text) ?? []);
  const bound = layout.binding(component);
  const known = bound === "" || all.some((field) => field.name === bound);
  return (
    <Field>
      <Label>{t("ui.field")}</Label>
      <Select
        value={bound}
        onChange={(event) => setProperty(["dataModelBindings", "simpleBinding"], event.target.value || undefined)}
      >
        <Select.Option value="">{t("ui.field.none")}</Select.Option>
        {!known && <Select.Option value={bound}>{bound}</Select.Option>}
        {all.map((field) => (
          <Select.Option key={field.name} value={field.name}>
            {field.name}
          </Select.Option>
        ))}
      </Select>
    </Field>
  );
}

function Flag({ component, name, label, setProperty }: Props & { name: string; label: string }) {
  const t = useTexts();
  const value = component[name];
  if (Array.isArray(value)) {
    return (
      <Paragraph data-size="sm">
        {label}: {t("ui.expression")}
      </Paragraph>
    );
  }
  return (
    <Checkbox
      label={label}
      value={name}
      checked={value === true}
      onChange={(event) => setProperty([name], event.target.checked || undefined)}
    />
  );
}

function Size({ component, setProperty }: Props) {
  const t = useTexts();
  return (
    <Field>
      <Label>{t("ui.size")}</Label>
      <Select value={String(component.size ?? "M")} onChange={(event) => setProperty(["size"], event.target.value)}>
        {["L", "M", "S"].map((size) => (
          <Select.Option key={size} value={size}>
            {size}
          </Select.Option>
        ))}
      </Select>
    </Field>
  );
}

function MaxLength({ component, setProperty }: Props) {
  const t = useTexts();
  return (
    <Textfield
      label={t("ui.maxLength")}
      type="number"
      min={1}
      value={typeof component.maxLength === "number" ? component.maxLength : ""}
      onChange={(event) => {
        const number = Number.parseInt(event.target.value, 10);
        setProperty(["maxLength"], number > 0 ? number : undefined);
      }}
    />
  );
}

function Choices({ component, setProperty }: Props) {
  const t = useTexts();
  const paths = useFiles().data ?? [];
  const lists = paths.flatMap((path) => /^App\/options\/([^/]+)\.json$/.exec(path)?.[1] ?? []);
  const own = component.optionsId ?? "";
  const options = component.options ?? [];
  const put = (next: typeof options) => setProperty(["options"], next);
  const choose = (id: string) => {
    if (id) setProperty(["optionsId"], id);
    else setProperty(["optionsId"], undefined);
  };
  return (
    <>
      <Field>
        <Label>{t("ui.optionsId")}</Label>
        <Select value={own} onChange={(event) => choose(event.target.value)}>
          <Select.Option value="">{t("ui.optionsId.none")}</Select.Option>
          {[...new Set([...lists, ...(own ? [own] : [])])].map((id) => (
            <Select.Option key={id} value={id}>
              {id}
            </Select.Option>
          ))}
        </Select>
      </Field>
      {!own && (
        <Fieldset>
          <Fieldset.Legend>{t("ui.options")}</Fieldset.Legend>
          {options.map((option, index) => (
            <div className="option" key={index}>
              <Textfield
                label={t("ui.option.label")}
                value={option.label}
                onChange={(event) => put(options.map((one, at) => (at === index ? { ...one, label: event.target.value } : one)))}
              />
              <Textfield
                label={t("ui.option.value")}
                value={option.value}
                onChange={(event) => put(options.map((one, at) => (at === index ? { ...one, value: event.target.value } : one)))}
              />
              <Button
                variant="tertiary"
                data-color="danger"
                icon
                aria-label={`${t("common.delete")} ${option.label || index + 1}`}
                onClick={() => put(options.filter((_, at) => at !== index))}
              >
                <TrashIcon aria-hidden fontSize="1.3rem" />
              </Button>
            </div>
          ))}
          <Button variant="tertiary" onClick={() => put([...options, { label: "", value: String(options.length + 1) }])}>
            <PlusIcon aria-hidden fontSize="1.3rem" />
            {t("ui.option.add")}
          </Button>
        </Fieldset>
      )}
    </>
  );
}
