// The form of an instance: its fields, what is typed into them, and how it gets to the app.

import { ask } from "./api.js";
import { element } from "./dom.js";
import { field, fill } from "./fields.js";
import { Files } from "./files.js";
import { text, words } from "./texts.js";
import { Widgets } from "./widgets.js";

/** What is typed is saved this long after the last key, in ms. */
const PAUSE = 300;

export class Form {
  #form;
  #app;
  #tell;
  #sent;
  #instance;
  #element;
  #model = {};
  #issues = [];
  // Empty fields are no fault while somebody is still at it, only after they tried to send in.
  #strict = false;
  #pending = new Map();
  #timer;
  #saving = Promise.resolve();
  #files;
  #widgets;

  constructor(form, app, { tell, sent }) {
    this.#form = form;
    this.#app = app;
    this.#tell = tell;
    this.#sent = sent;
    this.#widgets = new Widgets(app, (name, value) => this.#edit(name, value));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    addEventListener("pagehide", () => this.#save());
  }

  open(instance, data, model) {
    this.#instance = instance;
    this.#element = data;
    this.#model = model;
    this.#issues = [];
    this.#strict = false;
    this.#pending.clear();
    this.#files = new Files(instance, this.#tell);
  }

  close() {
    this.#form.hidden = true;
    this.#form.replaceChildren();
  }

  draw() {
    const { pages } = this.#app;
    const submit = pages.flat().find((component) => component.type === "Button");
    const owner = this.#instance.instanceOwner?.party?.name;
    this.#form.replaceChildren(
      ...(owner ? [element("p", { className: "for", textContent: words().owner(owner) })] : []),
      ...pages.map((page) => element("section", {}, ...page.map((component) => this.#component(component)))),
      ...(submit ? [element("button", { type: "submit", textContent: text(submit.textResourceBindings?.title ?? submit.id) })] : []),
    );
    this.#form.hidden = false;
    this.#show();
  }

  #component(component) {
    const { type, textResourceBindings: bound = {} } = component;
    switch (type) {
      case "Header":
        return element("h2", { textContent: text(bound.title) });
      case "Paragraph":
        return element("p", { textContent: text(bound.title) });
      case "Input":
      case "TextArea":
      case "Dropdown":
        return field(this.#app, component, {
          typed: (name, value) => this.#edit(name, value),
          left: () => this.#save(),
        });
      case "FileUpload":
        return this.#files.component(component);
      case "Custom":
        return this.#widgets.component(component);
      default:
        // All pages are shown below each other: nobody has to be led from one to the next.
        return null;
    }
  }

  #edit(name, value) {
    this.#model[name] = value;
    this.#pending.set(name, value);
    this.#issues = this.#issues.filter((issue) => issue.field !== name);
    this.#show();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), PAUSE);
  }

  /** Saves what is not saved yet, after what is on its way; true when all is. */
  #save() {
    clearTimeout(this.#timer);
    this.#saving = this.#saving.then(() => this.#send());
    return this.#saving;
  }

  async #send() {
    if (this.#pending.size === 0) return true;
    const sent = new Map(this.#pending);
    this.#pending.clear();
    const patch = [...sent].map(([name, value]) => ({ op: "add", path: `/${name}`, value }));
    const body = { patch, ignoredValidators: this.#strict ? [] : ["DataAnnotations"] };
    try {
      // `keepalive`: what was typed last is saved though the page is left.
      const answer = await ask(this.#path(`data/${this.#element.id}`), { method: "PATCH", body, keepalive: true });
      this.#model = { ...answer.newDataModel, ...Object.fromEntries(this.#pending) };
      const asked = Object.keys(answer.validationIssues);
      this.#issues = [
        ...this.#issues.filter(({ source }) => !asked.includes(source)),
        ...Object.values(answer.validationIssues).flat(),
      ];
      this.#tell(words().saved);
      return true;
    } catch (error) {
      this.#pending = new Map([...sent, ...this.#pending]);
      this.#tell(`${words().unsaved}: ${error.message}`);
      return false;
    } finally {
      this.#show();
    }
  }

  async #submit() {
    const button = this.#form.querySelector("button[type=submit]");
    button.disabled = true;
    try {
      if (!(await this.#save())) return;
      await ask(this.#path("process/next"), { method: "PUT" });
      await this.#sent();
    } catch (error) {
      const { validationIssues } = error.problem ?? {};
      // Somebody else was first: what there is now is shown.
      if (error.status === 409 && !validationIssues) return await this.#sent();
      if (validationIssues) {
        this.#strict = true;
        this.#issues = validationIssues;
        this.#show();
        this.#form.querySelector("[aria-invalid=true]")?.focus();
      }
      this.#tell(validationIssues ? words().invalid : `${words().unsent}: ${error.message}`);
    } finally {
      button.disabled = false;
    }
  }

  #path(rest) {
    return `instances/${this.#instance.id}/${rest}`;
  }

  #show() {
    fill(this.#form, this.#model, this.#issues);
    this.#widgets.fill(this.#model, this.#issues);
    this.#files?.complain(this.#issues);
  }
}
