// What is shown before and after the form: for whom, which one, and the receipt.

import { element } from "./dom.js";
import { fileList } from "./files.js";
import { moment, number, text, words } from "./texts.js";

const heading = (title) => element("h2", { textContent: title, tabIndex: -1 });

/** The parties that one may fill in for. */
export function chooseParty(parties, chosen) {
  if (parties.length === 0) return element("section", {}, heading(words().noParty));
  return element("section", {}, heading(words().party),
    element("ul", { className: "choices" }, ...parties.map((party) => element("li", {},
      element("button", { type: "button", className: "quiet", onclick: () => chosen(party) },
        element("strong", { textContent: party.name }),
        element("span", { className: "description", textContent: ` ${party.orgNumber || party.ssn || ""}` }))))));
}

/** Instances that are not sent in yet, and the way to a new one. */
export function listActive(instances, start) {
  return element("section", {}, heading(words().active),
    element("ul", { className: "choices" }, ...instances.map(({ id, lastChanged, lastChangedBy }) => element("li", {},
      element("a", { href: `${location.pathname}${location.search}#/instance/${id}`, textContent: words().changed(moment(lastChanged), lastChangedBy) })))),
    element("button", { type: "button", onclick: start, textContent: words().fresh }));
}

/** What was sent in, when, and by whom. */
export function receipt({ metadata, pages, options }, instance, model) {
  const files = instance.data.filter(({ dataType }) => !metadata.dataTypes.find(({ id }) => id === dataType)?.appLogic);
  const facts = (pairs) => element("dl", {}, ...pairs.flatMap(([name, value]) => [
    element("dt", { textContent: name }),
    element("dd", { textContent: value }),
  ]));
  const answers = pages.flat().filter(({ dataModelBindings }) => dataModelBindings?.simpleBinding).map((component) =>
    [text(component.textResourceBindings?.title ?? component.id), shown(component, options, model[component.dataModelBindings.simpleBinding])]);
  return element("section", { className: "receipt" }, heading(words().receipt),
    element("p", { textContent: words().receiptIntro }),
    facts([
      [words().sent, moment(instance.process.ended)],
      [words().sender, instance.instanceOwner.party?.name ?? instance.instanceOwner.partyId],
      [words().reference, instance.id.slice(-12)],
    ]),
    element("h3", { textContent: words().answers }),
    facts(answers),
    element("h3", { textContent: words().files }),
    fileList(instance, files),
    element("p", {}, element("a", { href: `${location.pathname}${location.search}#/`, textContent: words().fresh })));
}

function shown({ optionsId }, options, value) {
  if (value == null || value === "") return words().none;
  if (typeof value === "number") return number(value);
  const option = (options.get(optionsId) ?? []).find((one) => one.value === value);
  return option ? text(option.label) : String(value);
}
