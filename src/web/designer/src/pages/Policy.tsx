import { go } from "@altinn-local/shared";
import { Alert, Button, Card, Chip, Heading, Link, Tag, Textfield } from "@digdir/designsystemet-react";
import { PlusIcon } from "@navikt/aksel-icons";
import { useState, type FormEvent } from "react";

import * as policy from "../logic/policy";
import { DocumentProblem, useAddress, useApp, useDocument } from "../parts/app";
import { Loading } from "../parts/problems";
import { useTexts } from "../texts";

const PATH = "App/config/authorization/policy.xml";

export default function Policy() {
  const t = useTexts();
  const { mayChange } = useApp();
  const address = useAddress();
  const document = useDocument(PATH);
  const { text, phase } = document;
  if (phase === "loading") return <Loading />;
  const parsed = text === undefined ? undefined : policy.parsePolicy(text);
  const file = address("files", { path: PATH });
  return (
    <>
      <div className="page-head">
        <Heading level={1}>{t("policy.title")}</Heading>
        <Link
          className="end"
          href={file}
          onClick={(event) => {
            event.preventDefault();
            go(file);
          }}
        >
          {t("policy.asXml")}
        </Link>
      </div>
      <DocumentProblem document={document} />
      {text !== undefined && !parsed && <Alert data-color="warning">{t("policy.bad")}</Alert>}
      {text !== undefined && parsed && (
        <ol className="rules" aria-label={t("policy.rules")}>
          {policy.rules(parsed).map((rule, index) => (
            <RuleCard
              key={rule.id}
              rule={rule}
              number={index + 1}
              mayChange={mayChange}
              add={(role) => document.edit(policy.addRole(text, rule.id, role))}
              remove={(role) => document.edit(policy.removeRole(text, rule.id, role))}
            />
          ))}
        </ol>
      )}
    </>
  );
}

interface RuleProps {
  rule: policy.Rule;
  number: number;
  mayChange: boolean;
  add: (role: string) => void;
  remove: (role: string) => void;
}

function RuleCard({ rule, number, mayChange, add, remove }: RuleProps) {
  const t = useTexts();
  const [role, setRole] = useState("");
  const name = t("policy.rule", { n: number });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (role.trim()) add(role.trim());
    setRole("");
  };
  return (
    <Card asChild>
      <li className="rule">
        <div className="row">
          <Heading level={2} data-size="2xs">
            {rule.description || name}
          </Heading>
          {rule.effect === "Deny" && <Tag data-color="danger">{t("policy.effect.Deny")}</Tag>}
        </div>
        <dl>
          {rule.roles.length > 0 && (
            <>
              <dt>{t("policy.roles")}</dt>
              <dd className="chips">
                {rule.roles.map((role) =>
                  mayChange && rule.roles.length > 1 ? (
                    <Chip.Removable key={role} aria-label={t("policy.role.remove", { role })} onClick={() => remove(role)}>
                      {role}
                    </Chip.Removable>
                  ) : (
                    <Tag key={role} data-color="neutral">
                      {role}
                    </Tag>
                  ),
                )}
              </dd>
            </>
          )}
          {rule.orgs.length > 0 && (
            <>
              <dt>{t("policy.orgs")}</dt>
              <dd>{rule.orgs.join(", ")}</dd>
            </>
          )}
          <dt>{t("policy.actions")}</dt>
          <dd className="chips">
            {rule.actions.map((action) => (
              <Tag key={action} data-color="info">
                {action}
              </Tag>
            ))}
          </dd>
          <dt>{t("policy.resources")}</dt>
          <dd>{rule.resources.join("; ")}</dd>
        </dl>
        {mayChange && policy.isEditable(rule) && (
          <form className="add-role" onSubmit={submit}>
            <Textfield label={t("policy.role.add", { rule: name.toLowerCase() })} value={role} onChange={(event) => setRole(event.target.value)} />
            <Button type="submit" variant="secondary">
              <PlusIcon aria-hidden fontSize="1.3rem" />
              {t("common.add")}
            </Button>
          </form>
        )}
      </li>
    </Card>
  );
}
