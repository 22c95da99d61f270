// Shows the app from its own endpoints: metadata, texts, layouts and options. A first look without the platform;
// the form with instances, saving and submission is drawn by Altinn's frontend.

const form = document.querySelector("#form");
const status = document.querySelector("#status");

let texts = new Map();
let model = {};
let dataType;
let schema = {};
let options = new Map();
let pages = [];
let issues = [];
let words = {};
// Of two answers on their way, only the one to the newest edit counts.
let edits = 0;
// Web components by id; they stay when the language changes, and keep what they know.
const widgets = new Map();

const WORDS = {
  nb: { valid: "Alt er riktig fylt ut.", invalid: "Noe må rettes.", choose: "Velg", failed: "Siden kunne ikke lastes" },
  en: { valid: "Everything is filled in correctly.", invalid: "Something must be corrected.", choose: "Choose", failed: "The page could not be loaded" },
};

async function ask(path, body) {
  const answer = await fetch(path, body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) {
    throw new Error(`${path}: ${answer.status}`);
  }
  return answer.json();
}

const text = (id) => texts.get(id) ?? id;

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) {
      made[key] = value;
    } else {
      made.setAttribute(key, value);
    }
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

async function start() {
  const [metadata, sets, languages] = await Promise.all([
    ask("api/v1/applicationmetadata"),
    ask("api/layoutsets"),
    ask("api/v1/applicationlanguages"),
  ]);
  const set = sets.sets[0];
  dataType = set.dataType;
  const [layouts, settings, definition, empty] = await Promise.all([
    ask(`api/layouts/${set.id}`),
    ask(`api/layoutsettings/${set.id}`),
    ask(`api/jsonschema/${dataType}`),
    ask(`v1/data/anonymous?dataType=${dataType}`),
  ]);
  pages = settings.pages.order.filter((page) => layouts[page]).map((page) => layouts[page].data.layout);
  schema = Object.values(definition.$defs)[0].properties;
  model = empty;

  const lists = new Set(pages.flat().map((component) => component.optionsId).filter(Boolean));
  await Promise.all([...lists].map(async (id) => options.set(id, await ask(`api/options/${id}`))));

  document.querySelector("#owner").textContent = metadata.id;
  document.querySelector("#languages").replaceChildren(...languages.map(({ language }) =>
    element("button", { type: "button", textContent: language, lang: language, onclick: () => speak(language, metadata) })));
  const known = languages.map(({ language }) => language);
  await speak(known.includes("nb") ? "nb" : known[0], metadata);
}

async function speak(language, metadata) {
  const resource = await ask(`api/v1/texts/${language}`);
  texts = new Map(resource.resources.map(({ id, value }) => [id, value]));
  words = WORDS[language] ?? WORDS.en;
  document.documentElement.lang = language;
  for (const button of document.querySelectorAll("#languages button")) {
    button.setAttribute("aria-pressed", button.lang === language);
  }
  const title = texts.get("appName") ?? metadata.title[language] ?? metadata.id;
  document.title = title;
  document.querySelector("#title").textContent = title;
  status.textContent = "";
  draw();
}

function draw() {
  const submit = pages.flat().find((component) => component.type === "Button");
  form.replaceChildren(
    ...pages.map((page) => element("section", {}, ...page.map(component).filter(Boolean))),
    ...(submit ? [element("button", { type: "submit", textContent: text(submit.textResourceBindings?.title ?? submit.id) })] : []),
  );
  show();
}

function component({ id, type, textResourceBindings: bound = {}, dataModelBindings = {}, ...rest }) {
  switch (type) {
    case "Header":
      return element("h2", { textContent: text(bound.title) });
    case "Paragraph":
      return element("p", { textContent: text(bound.title) });
    case "Input":
    case "TextArea":
    case "Dropdown":
      return field(id, type, bound, dataModelBindings.simpleBinding, rest);
    case "Custom":
      return custom(id, type, bound, dataModelBindings, rest);
    default:
      // Navigation and submission belong to the real frontend.
      return null;
  }
}

function field(id, type, bound, name, { required, readOnly, maxLength, autocomplete, optionsId }) {
  const kind = schema[name]?.type;
  const control = type === "Dropdown"
    ? element("select", {}, new Option(words.choose, ""), ...(options.get(optionsId) ?? []).map(({ value, label }) => new Option(text(label), value)))
    : element(type === "TextArea" ? "textarea" : "input");
  control.id = id;
  control.name = name;
  control.setAttribute("aria-describedby", `${id}-description ${id}-error`);
  if (readOnly) control.readOnly = true;
  if (required) control.setAttribute("aria-required", "true");
  if (maxLength) control.maxLength = maxLength;
  if (autocomplete) control.autocomplete = autocomplete;
  if (kind === "integer" || kind === "number") control.inputMode = "decimal";
  control.addEventListener("input", () => edit(name, control.value, kind));
  return element("div", { className: "field" },
    element("label", { htmlFor: id, textContent: text(bound.title) + (required ? " *" : "") }),
    element("p", { id: `${id}-description`, className: "description", textContent: bound.description ? text(bound.description) : "" }),
    control,
    element("p", { id: `${id}-error`, className: "error" }));
}

// A web component, which a script of the app registers. It gets attributes and properties as Altinn's frontend gives
// them: what the element knows as a property is set as one, objects travel in attributes as JSON.
function custom(id, type, bound, dataModelBindings, { tagName, ...rest }) {
  const bindings = Object.fromEntries(Object.entries(dataModelBindings).map(([key, binding]) =>
    [key, typeof binding === "string" ? { dataType, field: binding } : binding]));
  if (!widgets.has(id)) {
    const made = document.createElement(tagName);
    made.addEventListener("dataChanged", ({ detail: { value, field } }) => {
      const { field: name } = bindings[field ?? "simpleBinding"] ?? {};
      if (!name) throw new Error(`${tagName}: the component has no binding \`${field}\``);
      edit(name, typeof value === "number" ? String(value) : value, schema[name]?.type);
    });
    widgets.set(id, { element: made, bindings });
  }
  const { element: made } = widgets.get(id);
  const given = { "data-testid": tagName, ...rest, id, type, text: text(bound.title), summaryMode: false, getTextResourceAsString: text };
  for (const [key, value] of Object.entries(given)) {
    const plain = value !== null && typeof value === "object" ? JSON.stringify(value) : value;
    if (key in made) {
      made[key] = plain;
    } else if (plain === false || plain == null || typeof plain === "function") {
      made.removeAttribute(key);
    } else {
      made.setAttribute(key, plain === true ? "" : plain);
    }
  }
  made.texts = Object.fromEntries(Object.entries(bound).map(([key, resource]) => [key, text(resource)]));
  made.dataModelBindings = bindings;
  made.language = { general: words };
  return element("div", { className: "field" }, made);
}

// The value as the schema wants it; undefined where it does not fit, which then stays in the field and is not sent.
function typed(value, kind) {
  if (value === "" || value == null) return null;
  if (typeof value !== "string") return value;
  if (kind !== "integer" && kind !== "number") return value;
  const number = Number(value.replaceAll(/\s/g, "").replace(",", "."));
  const fits = kind === "integer" ? Number.isSafeInteger(number) : Number.isFinite(number);
  return fits ? number : undefined;
}

async function edit(name, value, kind) {
  const answer = typed(value, kind);
  if (answer === undefined) return;
  model[name] = answer;
  issues = issues.filter((issue) => issue.field !== name);
  show();
  const mine = ++edits;
  try {
    const calculated = await ask(`v1/data/anonymous?dataType=${dataType}`, model);
    if (mine === edits) {
      model = calculated;
      status.textContent = "";
    }
  } catch (error) {
    status.textContent = error.message;
  }
  show();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    issues = await ask("api/v1/validate", model);
    status.textContent = issues.length === 0 ? words.valid : words.invalid;
  } catch (error) {
    status.textContent = error.message;
  }
  show();
  form.querySelector("[aria-invalid=true]")?.focus();
});

// Puts values and errors into the fields that are there, so that the one being typed in keeps its caret.
function show() {
  const number = new Intl.NumberFormat(document.documentElement.lang);
  for (const control of form.querySelectorAll("[name]")) {
    const value = model[control.name] ?? "";
    if (control !== document.activeElement) {
      control.value = control.readOnly && typeof value === "number" ? number.format(value) : value;
    }
    const issue = issues.find(({ field }) => field === control.name);
    control.setAttribute("aria-invalid", issue !== undefined);
    document.getElementById(`${control.id}-error`).textContent = issue ? text(issue.customTextKey) : "";
  }
  for (const { element: made, bindings } of widgets.values()) {
    const keys = Object.entries(bindings);
    made.formData = Object.fromEntries(keys.map(([key, { field }]) => {
      const value = model[field] ?? "";
      return [key, typeof value === "object" ? value : String(value)];
    }));
    const wrong = keys.flatMap(([key, { field }]) => {
      const errors = issues.filter((issue) => issue.field === field).map((issue) => text(issue.customTextKey));
      return errors.length > 0 ? [[key, { errors }]] : [];
    });
    made.componentValidations = wrong.length > 0 ? Object.fromEntries(wrong) : undefined;
  }
}

start().catch((error) => {
  status.textContent = `${(words.failed ?? WORDS.nb.failed)}: ${error.message}`;
});
