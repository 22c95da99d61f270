// Policies of apps (XACML 3.0), read for people: each rule's roles, places and actions. Roles can be added and taken
// away; whatever else a policy says is edited as XML and kept as it is.

export interface Rule {
  id: string;
  effect: string;
  description: string;
  roles: string[];
  orgs: string[];
  resources: string[];
  actions: string[];
}

const ROLE = "urn:altinn:rolecode";
const ORG = "urn:altinn:org";
const ACTION = "urn:oasis:names:tc:xacml:1.0:action:action-id";
const SUBJECT = "access-subject";

const named = (parent: Document | Element, name: string) => [...parent.getElementsByTagNameNS("*", name)];

/** The document, when the text is well-formed. */
export function parsePolicy(text: string): Document | undefined {
  const document = new DOMParser().parseFromString(text, "application/xml");
  return document.querySelector("parsererror") ? undefined : document;
}

interface Match {
  attribute: string;
  category: string;
  value: string;
}

const matches = (parent: Element): Match[] =>
  named(parent, "Match").map((match) => {
    const designator = named(match, "AttributeDesignator")[0];
    return {
      attribute: designator?.getAttribute("AttributeId") ?? "",
      category: designator?.getAttribute("Category") ?? "",
      value: named(match, "AttributeValue")[0]?.textContent?.trim() ?? "",
    };
  });

/** The rules of a policy. */
export function rules(document: Document): Rule[] {
  return named(document, "Rule").map((rule) => {
    const all = matches(rule);
    const values = (test: (match: Match) => boolean) => [...new Set(all.filter(test).map((match) => match.value))];
    const subject = (match: Match) => match.category.endsWith(SUBJECT);
    return {
      id: rule.getAttribute("RuleId") ?? "",
      effect: rule.getAttribute("Effect") ?? "",
      description: named(rule, "Description")[0]?.textContent?.trim() ?? "",
      roles: values((match) => subject(match) && match.attribute === ROLE),
      orgs: values((match) => subject(match) && match.attribute === ORG),
      resources: named(rule, "AllOf")
        .map((one) => matches(one).filter((match) => match.category.endsWith(":resource")))
        .filter((one) => one.length > 0)
        .map((one) => one.map((match) => match.value).join("/")),
      actions: values((match) => match.attribute === ACTION),
    };
  });
}

/** The `AllOf` elements of a rule that name a role, each role once. */
function roleParts(document: Document, id: string): Map<string, Element> {
  const rule = named(document, "Rule").find((rule) => rule.getAttribute("RuleId") === id);
  const parts = new Map<string, Element>();
  for (const part of rule ? named(rule, "AllOf") : []) {
    const [only, other] = matches(part);
    if (only && !other && only.attribute === ROLE && only.category.endsWith(SUBJECT)) parts.set(only.value, part);
  }
  return parts;
}

/** Writes a policy with the head that it had. */
const write = (document: Document, text: string) => {
  const head = /^\ufeff?\s*<\?xml[^>]*\?>\s*/.exec(text)?.[0] ?? "";
  const body = new XMLSerializer().serializeToString(document).replace(/^<\?xml[^>]*\?>\s*/, "");
  return head + body + (text.endsWith("\n") && !body.endsWith("\n") ? "\n" : "");
};

/** Gives a role what a rule permits, by a copy of what another role has there. */
export function addRole(text: string, id: string, role: string): string {
  const document = parsePolicy(text);
  const parts = document && roleParts(document, id);
  const model = parts && [...parts.values()].at(-1);
  if (!document || !model || parts.has(role)) return text;
  const copy = model.cloneNode(true) as Element;
  const value = named(copy, "AttributeValue")[0];
  if (value) value.textContent = role;
  const space = model.previousSibling?.nodeType === Node.TEXT_NODE ? model.previousSibling.cloneNode() : undefined;
  model.after(...(space ? [space, copy] : [copy]));
  return write(document, text);
}

/** Takes a role out of a rule. The last one stays: a rule without roles would be for everybody. */
export function removeRole(text: string, id: string, role: string): string {
  const document = parsePolicy(text);
  const parts = document && roleParts(document, id);
  const part = parts?.get(role);
  if (!document || !part || parts?.size === 1) return text;
  if (part.previousSibling?.nodeType === Node.TEXT_NODE) part.previousSibling.remove();
  part.remove();
  return write(document, text);
}

/** Roles that can be added or taken away. */
export const isEditable = (rule: Rule) => rule.roles.length > 0;
