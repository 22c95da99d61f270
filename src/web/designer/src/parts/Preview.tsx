// A plain rendering of a page of a form. It keeps no values and goes nowhere.

import { Alert, Button, Card, Checkbox, Divider, Field, Fieldset, Heading, Label, Paragraph, Radio, Select, Textfield } from "@digdir/designsystemet-react";

import * as json from "../logic/json";
import type { Component, Twig } from "../logic/layout";
import { useTexts } from "../texts";
import { useDocuments, useFiles } from "./app";

type Text = (id: string | undefined) => string | undefined;

/** The code lists of the app that the page uses: what people read of each choice. */
function useLists(components: Component[]): Map<string, string[]> {
  const ids = [...new Set(components.flatMap(({ optionsId }) => optionsId ?? []))];
  const known = useFiles().data ?? [];
  const paths = ids.map((id) => `App/options/${id}.json`).filter((path) => known.includes(path));
  const files = useDocuments(paths);
  return new Map(
    files.map((file) => {
      const list = json.read<{ label?: string; value?: unknown }[]>(file.text);
      const labels = Array.isArray(list) ? list.map(({ label, value }) => label ?? String(value)) : [];
      return [file.path.slice("App/options/".length, -".json".length), labels];
    }),
  );
}

export function Preview({ twigs, text }: { twigs: Twig[]; text: Text }) {
  const lists = useLists(twigs.flatMap(({ component, children }) => [component, ...children]));
  return (
    <form className="form-preview" onSubmit={(event) => event.preventDefault()} data-size="md">
      {twigs.map(({ component, children }) =>
        children.length > 0 || component.type === "Group" ? (
          <Fieldset key={component.id}>
            <Fieldset.Legend>{text(component.textResourceBindings?.title) ?? component.id}</Fieldset.Legend>
            {children.map((child) => (
              <Shown key={child.id} component={child} text={text} lists={lists} />
            ))}
          </Fieldset>
        ) : (
          <Shown key={component.id} component={component} text={text} lists={lists} />
        ),
      )}
    </form>
  );
}

function Shown({ component, text, lists }: { component: Component; text: Text; lists: Map<string, string[]> }) {
  const t = useTexts();
  const bindings = component.textResourceBindings ?? {};
  const title = text(bindings.title) ?? component.id;
  const description = text(bindings.description);
  const label = component.required === true ? `${title} *` : title;
  const shared = { label, description, readOnly: component.readOnly === true };
  const own = (component.options ?? []).map((option) => text(option.label) || option.value);
  const listed = component.optionsId === undefined ? own : (lists.get(component.optionsId) ?? [component.optionsId]);
  const options = listed.map((option) => text(option) ?? option);
  switch (component.type) {
    case "Header":
      return (
        <Heading level={2} data-size={component.size === "L" ? "md" : "sm"}>
          {title}
        </Heading>
      );
    case "Paragraph":
      return <Paragraph>{title}</Paragraph>;
    case "Input":
      return <Textfield {...shared} />;
    case "Datepicker":
      return <Textfield {...shared} type="date" />;
    case "FileUpload":
    case "FileUploadWithTag":
      return (
        <Field>
          <Label>{label}</Label>
          {description && <Field.Description>{description}</Field.Description>}
          <input type="file" />
        </Field>
      );
    case "TextArea":
      return <Textfield {...shared} multiline rows={3} />;
    case "Dropdown":
      return (
        <Field>
          <Label>{label}</Label>
          <Select>
            {options.map((option) => (
              <Select.Option key={option}>{option}</Select.Option>
            ))}
          </Select>
        </Field>
      );
    case "Checkboxes":
    case "RadioButtons": {
      const Choice = component.type === "Checkboxes" ? Checkbox : Radio;
      const shown = options.length > 0 ? options : ["…"];
      return (
        <Fieldset>
          <Fieldset.Legend>{label}</Fieldset.Legend>
          {description && <Fieldset.Description>{description}</Fieldset.Description>}
          {shown.map((option) => (
            <Choice key={option} label={option} value={option} name={component.id} />
          ))}
        </Fieldset>
      );
    }
    case "Alert":
      return (
        <Alert>
          <Paragraph>{title}</Paragraph>
          {bindings.body && <Paragraph>{text(bindings.body)}</Paragraph>}
        </Alert>
      );
    case "Divider":
      return <Divider />;
    case "Button":
      return <Button type="button">{title}</Button>;
    case "NavigationButtons":
      return (
        <div className="actions">
          {component.showBackButton === true && (
            <Button type="button" variant="secondary">
              {text(bindings.back) ?? "←"}
            </Button>
          )}
          <Button type="button">{text(bindings.next) ?? "→"}</Button>
        </div>
      );
    default:
      return (
        <Card className="unknown">
          <strong>{component.type}</strong> {title}
          <span className="quiet small">{t("ui.unknown")}</span>
        </Card>
      );
  }
}
