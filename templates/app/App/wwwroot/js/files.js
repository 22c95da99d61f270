// Files of an instance: chosen, sent at once, listed, removed.

import { ask } from "./api.js";
import { element } from "./dom.js";
import { text, words } from "./texts.js";

const MEGABYTE = 1024 * 1024;

/** A list of files with links to them. `button` makes what stands beside each. */
export function fileList(instance, files, button = () => null) {
  if (files.length === 0) return element("p", { className: "description", textContent: words().noFiles });
  return element("ul", { className: "files" }, ...files.map((file) => element("li", {},
    element("a", { href: `instances/${instance.id}/data/${file.id}`, textContent: file.filename, download: file.filename }),
    element("span", { className: "description", textContent: size(file.size) }),
    button(file))));
}

const size = (bytes) => (bytes < MEGABYTE ? `${Math.ceil(bytes / 1024)} kB` : `${(bytes / MEGABYTE).toFixed(1)} MB`);

export class Files {
  #instance;
  #tell;
  #shown = new Map();

  constructor(instance, tell) {
    this.#instance = instance;
    this.#tell = tell;
  }

  /** The data type of the files has the component's id. */
  component({ id, maxFileSizeInMB, maxNumberOfAttachments, validFileEndings, textResourceBindings: bound = {} }) {
    const input = element("input", { type: "file", id, multiple: maxNumberOfAttachments !== 1, accept: validFileEndings ?? "" });
    input.setAttribute("aria-describedby", `${id}-description ${id}-error`);
    const error = element("p", { id: `${id}-error`, className: "error", role: "alert" });
    const list = element("div", { id: `${id}-files` });
    this.#shown.set(id, { input, error, list, max: maxFileSizeInMB });
    input.addEventListener("change", () => this.#add(id, [...input.files]));
    this.#list(id);
    return element("div", { className: "field" },
      element("label", { htmlFor: id, textContent: text(bound.title) }),
      element("p", { id: `${id}-description`, className: "description", textContent: bound.description ? text(bound.description) : "" }),
      input, error, list);
  }

  /** Shows what was found when the form was sent in. */
  complain(issues) {
    for (const id of this.#shown.keys()) {
      const found = issues.filter(({ field }) => field === id);
      if (found.length > 0) this.#complain(id, found);
    }
  }

  async #add(id, chosen) {
    const { input, max } = this.#shown.get(id);
    input.disabled = true;
    this.#complain(id, []);
    try {
      for (const file of chosen) {
        if (file.size > max * MEGABYTE) {
          this.#complain(id, [{ customTextKey: "file.tooLarge", customTextParameters: { max } }], file.name);
        } else {
          await this.#upload(id, file);
        }
      }
    } finally {
      input.disabled = false;
      input.value = "";
    }
  }

  async #upload(id, file) {
    try {
      const answer = await ask(`instances/${this.#instance.id}/data/${id}`, {
        method: "POST",
        body: file,
        headers: {
          "Content-Type": file.type || "application/octet-stream",
          "Content-Disposition": `attachment; filename=${encodeURIComponent(file.name)}`,
        },
      });
      this.#instance.data = answer.instance.data;
      this.#list(id);
      this.#tell(words().uploaded(file.name));
    } catch (error) {
      this.#complain(id, error.problem?.uploadValidationIssues ?? [{ description: error.message }], file.name);
    }
  }

  async #remove(id, file) {
    try {
      const answer = await ask(`instances/${this.#instance.id}/data/${file.id}`, { method: "DELETE" });
      this.#instance.data = answer.instance.data;
      this.#complain(id, []);
      this.#list(id);
      this.#tell(words().removed(file.filename));
      // The button that was pressed is gone.
      this.#shown.get(id).input.focus();
    } catch (error) {
      this.#complain(id, [{ description: error.message }], file.filename);
    }
  }

  #list(id) {
    const files = this.#instance.data.filter(({ dataType }) => dataType === id);
    this.#shown.get(id).list.replaceChildren(fileList(this.#instance, files, (file) =>
      element("button", { type: "button", className: "quiet", onclick: () => this.#remove(id, file) },
        words().remove, element("span", { className: "hidden", textContent: ` ${file.filename}` }))));
  }

  #complain(id, issues, name) {
    const { input, error } = this.#shown.get(id);
    const told = issues.map((issue) => (issue.customTextKey ? text(issue.customTextKey, issue.customTextParameters) : issue.description));
    if (told.length > 0) {
      error.textContent = [error.textContent, `${name ? `${name}: ` : ""}${told.join(" ")}`].filter(Boolean).join(" ");
    } else {
      error.textContent = "";
    }
    input.setAttribute("aria-invalid", error.textContent !== "");
  }
}
