// The app in the browser: who is logged in, for whom they fill in, and the instance that the address names.
//
//   #/                            chooses a party, lists its unfinished instances, starts a new one
//   #/instance/{party}/{guid}     an instance where it stands: the form, or the receipt

import { ask, logout } from "./api.js";
import { element } from "./dom.js";
import { Form } from "./form.js";
import { chooseParty, listActive, receipt } from "./screens.js";
import { speak, text, words } from "./texts.js";

const screen = document.querySelector("#screen");
const status = document.querySelector("#status");

let app;
let profile;
let form;
// What is to be seen can be drawn again, in another language.
let redraw = () => {};
// Of two addresses on their way, only the newest counts; and of two languages.
let visits = 0;
let uses = 0;

async function start() {
  const [metadata, sets, languages, user] = await Promise.all([
    ask("api/v1/applicationmetadata"),
    ask("api/layoutsets"),
    ask("api/v1/applicationlanguages"),
    ask("api/v1/profile/user"),
  ]);
  profile = user;
  app = await layoutOf(metadata, sets.sets[0]);
  form = new Form(document.querySelector("#form"), app, { tell, sent: () => visit() });

  document.querySelector("#owner").textContent = metadata.id;
  document.querySelector("#languages").replaceChildren(...languages.map(({ language }) =>
    element("button", { type: "button", textContent: language, lang: language, onclick: () => use(language) })));
  const known = languages.map(({ language }) => language);
  const wished = profile.profileSettingPreference?.language;
  await use([wished, "nb", known[0]].find((language) => known.includes(language)));

  addEventListener("hashchange", () => visit().catch(fail));
  await visit();
}

async function layoutOf(metadata, set) {
  const [layouts, settings, definition] = await Promise.all([
    ask(`api/layouts/${set.id}`),
    ask(`api/layoutsettings/${set.id}`),
    ask(`api/jsonschema/${set.dataType}`),
  ]);
  const pages = settings.pages.order.filter((page) => layouts[page]).map((page) => layouts[page].data.layout);
  const lists = new Set(pages.flat().map((component) => component.optionsId).filter(Boolean));
  const options = new Map(await Promise.all([...lists].map(async (id) => [id, await ask(`api/options/${id}`)])));
  return { metadata, pages, options, dataType: set.dataType, schema: Object.values(definition.$defs)[0].properties };
}

async function use(language) {
  const mine = ++uses;
  const { resources } = await ask(`api/v1/texts/${language}`);
  if (mine !== uses) return;
  speak(language, resources);
  for (const button of document.querySelectorAll("#languages button")) {
    button.setAttribute("aria-pressed", button.lang === language);
  }
  const own = text("appName");
  const title = own === "appName" ? app.metadata.title[language] ?? app.metadata.id : own;
  document.title = title;
  document.querySelector("#title").textContent = title;
  const name = profile.party?.name ?? profile.userName;
  document.querySelector("#user").replaceChildren(...(name ? [name, " "] : []),
    ...(logout ? [element("a", { href: logout, textContent: words().logout })] : []));
  tell("");
  redraw();
}

/** Shows what the address names. */
async function visit() {
  const mine = ++visits;
  const show = (draw) => {
    if (mine !== visits) return;
    redraw = draw;
    tell("");
    draw();
  };
  const [, party, guid] = /^#\/instance\/(\d+)\/([0-9a-f-]{36})/.exec(location.hash) ?? [];
  if (guid) return showInstance(await ask(`instances/${party}/${guid}`), show);

  const parties = await ask("api/v1/parties?allowedtoinstantiatefilter=true");
  const choices = parties.flatMap((one) => [one, ...(one.childParties ?? [])]).filter((one) => !one.onlyHierarchyElementWithNoAccess);
  if (choices.length === 1 || (profile.profileSettingPreference?.doNotPromptForParty && choices.length > 0)) {
    return partyChosen(choices.find(({ partyId }) => partyId === profile.partyId) ?? choices[0], show);
  }
  show(() => present(chooseParty(choices, (one) => partyChosen(one, show).catch(fail))));
}

async function partyChosen({ partyId }, show) {
  await ask(`api/v1/parties/${partyId}`, { method: "PUT" });
  const active = await ask(`instances/${partyId}/active`);
  if (active.length === 0) return begin(partyId);
  show(() => present(listActive(active, () => begin(partyId).catch(fail))));
}

async function begin(party) {
  const instance = await ask(`instances?instanceOwnerPartyId=${party}`, { method: "POST" });
  // In the place of the choice: going back does not start yet another one.
  history.replaceState(null, "", `${location.pathname}${location.search}#/instance/${instance.id}`);
  await visit();
}

async function showInstance(instance, show) {
  const element = instance.data.find(({ dataType }) => dataType === app.dataType);
  const model = element ? await ask(`instances/${instance.id}/data/${element.id}`) : {};
  if (instance.process.ended) {
    show(() => present(receipt(app, instance, model)));
    return;
  }
  form.open(instance, element, model);
  show(() => {
    screen.replaceChildren();
    form.draw();
  });
}

function present(drawn) {
  form.close();
  screen.replaceChildren(drawn);
  scrollTo(0, 0);
  // Who does not see the page hears what it is now.
  if (document.activeElement === document.body) screen.querySelector("h2")?.focus();
}

function tell(message) {
  status.textContent = message;
}

function fail(error) {
  tell(`${words().failed}: ${error.message}`);
}

start().catch(fail);
