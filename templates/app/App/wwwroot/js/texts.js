// The app's texts from config/texts, and the page's own few words.

const WORDS = {
  nb: {
    invalid: "Noe må rettes før skjemaet kan sendes inn.",
    choose: "Velg",
    failed: "Siden kunne ikke lastes",
    saved: "Lagret.",
    unsaved: "Endringene ble ikke lagret",
    unsent: "Skjemaet ble ikke sendt inn",
    logout: "Logg ut",
    party: "Hvem fyller du ut for?",
    noParty: "Du kan ikke fylle ut dette skjemaet for noen.",
    active: "Du har påbegynte skjemaer",
    changed: (when, who) => `Sist endret ${when} av ${who}`,
    fresh: "Start et nytt skjema",
    owner: (name) => `Fylles ut for ${name}`,
    remove: "Fjern",
    uploaded: (name) => `${name} er lastet opp.`,
    removed: (name) => `${name} er fjernet.`,
    noFiles: "Ingen filer er lagt ved.",
    receipt: "Skjemaet er sendt inn",
    receiptIntro: "Dette er sendt inn og kan ikke lenger endres. Du finner det igjen på denne adressen.",
    sent: "Sendt inn",
    sender: "Avsender",
    reference: "Referanse",
    answers: "Svarene",
    files: "Vedlegg",
    none: "Ikke fylt ut",
  },
  en: {
    invalid: "Something must be corrected before the form can be sent in.",
    choose: "Choose",
    failed: "The page could not be loaded",
    saved: "Saved.",
    unsaved: "The changes were not saved",
    unsent: "The form was not sent in",
    logout: "Log out",
    party: "Whom do you fill in for?",
    noParty: "You cannot fill in this form for anybody.",
    active: "You have forms that are not finished",
    changed: (when, who) => `Last changed ${when} by ${who}`,
    fresh: "Start a new form",
    owner: (name) => `Filled in for ${name}`,
    remove: "Remove",
    uploaded: (name) => `${name} is uploaded.`,
    removed: (name) => `${name} is removed.`,
    noFiles: "No files are attached.",
    receipt: "The form is sent in",
    receiptIntro: "This is sent in and cannot be changed any more. You find it again at this address.",
    sent: "Sent in",
    sender: "Sender",
    reference: "Reference",
    answers: "The answers",
    files: "Attachments",
    none: "Not filled in",
  },
};

let language = "nb";
let resources = new Map();

/** Takes the texts of a language over, as the app answers with them. */
export function speak(chosen, answered) {
  language = chosen;
  resources = new Map(answered.map((resource) => [resource.id, resource]));
  document.documentElement.lang = chosen;
}

export const spoken = () => language;

/** The page's own words. */
export const words = () => WORDS[language] ?? WORDS.en;

/** A text of the app; its id where there is none. `parameters` stand for `{0}`, `{1}` by the names of its variables. */
export function text(id, parameters = {}) {
  const { value, variables = [] } = resources.get(id) ?? { value: id };
  return variables.reduce((all, { key, defaultValue }, index) => all.replaceAll(`{${index}}`, parameters[key] ?? defaultValue ?? key), value);
}

export const number = (value) => new Intl.NumberFormat(language).format(value);

export const moment = (value) =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(value));
