// Put into the pages of apps by altinn-local's router: brings what was saved, and shows why it cannot be built.
// Everything here fails in silence: a page must work as well without it.

const APP = location.pathname.split("/", 3).slice(1).join("/");
const STORE = `altinn-local:${APP}`;
// For how long what an earlier page of this tab left is of use, in milliseconds.
const FRESH = 60_000;
// How long a page may go on being built up until what was typed into it is given up, in milliseconds.
const SETTLING = 5_000;
const WAITS = { first: 250, longest: 15_000 };

let stream;
let wait = WAITS.first;
// The newest of what was told. The agent is given it on each connection, and tells what came after it.
let seen = "";
let leaving = false;
let kept;

// --- news ---------------------------------------------------------------------------------------------------------

const NEWS = {
  hello({ reload: missed, broken }) {
    wait = WAITS.first;
    if (missed) bring(missed);
    if (broken) overlay.show(broken);
    else overlay.hide();
  },
  reload: bring,
  building: () => overlay.building(),
  broken: (broken) => overlay.show(broken),
  mended: () => overlay.hide(),
};

// A hidden page hears nothing, and so takes none of the few connections a browser has for one host. When it is shown
// again it is told what it missed.
function listen() {
  if (stream || leaving || document.hidden) return;
  const query = new URLSearchParams({ app: APP });
  if (seen) query.set("since", seen);
  stream = new EventSource(`/.altinn-local/events?${query}`);
  for (const [name, heed] of Object.entries(NEWS)) {
    stream.addEventListener(name, (event) => {
      seen = event.lastEventId || seen;
      heed(JSON.parse(event.data));
    });
  }
  stream.onerror = () => {
    hush();
    setTimeout(listen, wait);
    wait = Math.min(wait * 2, WAITS.longest);
  };
}

function hush() {
  stream?.close();
  stream = undefined;
}

function bring({ kind, files }) {
  if (kind === "css") restyle(files).catch(reload);
  else reload();
}

// --- loading the page again -----------------------------------------------------------------------------------------

function reload() {
  if (leaving) return;
  leaving = true;
  hush();
  kept = { url: location.href, x: scrollX, y: scrollY, fields: typed() };
  location.reload();
  // Still here: the page asked the user, who stays.
  setTimeout(() => {
    leaving = false;
    kept = undefined;
    listen();
  }, FRESH);
}

// What the user has typed or chosen. Secrets stay where they are, and so does what no user can see.
const NEVER = ["password", "file", "hidden", "submit", "button", "image", "reset"];
const edited = new WeakSet();

function* fields() {
  const numbers = new Map();
  for (const field of document.querySelectorAll("input, select, textarea")) {
    if (NEVER.includes(field.type)) continue;
    const choice = isChoice(field) ? field.value : "";
    const name = [field.type, field.id, field.name, choice].join("\n");
    const number = (numbers.get(name) ?? 0) + 1;
    numbers.set(name, number);
    yield [`${name}\n${number}`, field];
  }
}

const isChoice = (field) => field.type === "checkbox" || field.type === "radio";

function typed() {
  return [...fields()].filter(([, field]) => edited.has(field)).map(([name, field]) => [name, read(field)]);
}

function read(field) {
  if (isChoice(field)) return field.checked;
  if (field.localName === "select") return [...field.selectedOptions].map((option) => option.value);
  return field.value;
}

// As a user would: libraries that keep the state of fields themselves hear of it.
function write(field, value) {
  if (JSON.stringify(read(field)) === JSON.stringify(value)) return;
  if (isChoice(field)) return field.click();
  if (field.localName === "select") {
    for (const option of field.options) option.selected = value.includes(option.value);
  } else {
    const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value");
    set.call(field, value);
  }
  for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
}

// Pages are built up bit by bit: a field is filled when it appears, and the place is taken when the page is long enough.
function restore({ x, y, fields: values }) {
  const left = new Map(values);
  let placed = false;
  const attempt = () => {
    for (const [name, field] of fields()) {
      if (!left.has(name)) continue;
      const value = left.get(name);
      left.delete(name);
      write(field, value);
      edited.add(field);
    }
    const { scrollHeight, scrollWidth } = document.documentElement;
    if (!placed && scrollHeight >= y + innerHeight && scrollWidth >= x + innerWidth) {
      scrollTo({ left: x, top: y, behavior: "instant" });
      placed = true;
    }
    if (placed && left.size === 0) stop();
  };
  const observer = new MutationObserver(attempt);
  const stop = () => {
    observer.disconnect();
    for (const type of ["keydown", "pointerdown", "wheel"]) removeEventListener(type, stop, true);
  };
  // From then on the page is the user's.
  for (const type of ["keydown", "pointerdown", "wheel"]) addEventListener(type, stop, true);
  setTimeout(stop, SETTLING);
  observer.observe(document, { childList: true, subtree: true });
  addEventListener("load", attempt, { once: true });
  attempt();
}

function leave() {
  hush();
  try {
    sessionStorage.setItem(STORE, JSON.stringify({ seen, at: Date.now(), kept }));
  } catch {
    // No storage: the next page begins anew.
  }
}

function arrive() {
  try {
    const left = JSON.parse(sessionStorage.getItem(STORE));
    sessionStorage.removeItem(STORE);
    if (!left || Date.now() - left.at > FRESH) return;
    seen = left.seen;
    if (left.kept?.url === location.href) restore(left.kept);
  } catch {
    // The same.
  }
}

// --- style sheets ---------------------------------------------------------------------------------------------------

const outdated = new WeakSet();

async function restyle(files) {
  const links = [...document.querySelectorAll('link[rel~="stylesheet"][href]')].filter(
    (link) => !outdated.has(link) && new URL(link.href).origin === location.origin,
  );
  const swapped = new Set();
  for (const file of files) {
    const found = links.filter((link) => isServedAs(file, link.href));
    for (const link of links) {
      for (const url of imported(link.sheet)) {
        if (!isServedAs(file, url)) continue;
        // What a sheet imports has no address of its own to change.
        await fetch(url, { cache: "reload" });
        found.push(link);
      }
    }
    for (const link of found.length > 0 ? found : links) swapped.add(link);
  }
  if (swapped.size === 0) return reload();
  swapped.forEach(swap);
}

// `App/wwwroot/css/form.css` is somewhere under the app's address; where, only the app knows.
function isServedAs(file, url) {
  const path = file.split("/wwwroot/").pop();
  const name = decodeURIComponent(new URL(url, location.href).pathname);
  return name.endsWith(`/${path}`) || name.endsWith(`/${file.split("/").pop()}`);
}

function imported(sheet) {
  let rules;
  try {
    rules = [...sheet.cssRules];
  } catch {
    return [];
  }
  return rules
    .filter((rule) => rule instanceof CSSImportRule)
    .flatMap((rule) => [new URL(rule.href, sheet.href ?? location.href).href, ...imported(rule.styleSheet)]);
}

// The new one is loaded beside the old one, which stays until then: nothing flashes.
function swap(link) {
  const next = link.cloneNode();
  const url = new URL(link.href);
  url.searchParams.set("altinn-local", Date.now().toString(36));
  next.href = url.href;
  next.removeAttribute("integrity");
  next.onload = () => link.remove();
  next.onerror = () => {
    next.remove();
    outdated.delete(link);
  };
  outdated.add(link);
  link.after(next);
}

// --- why it does not build ------------------------------------------------------------------------------------------

const STYLE = `
  dialog { box-sizing: border-box; width: min(64rem, calc(100vw - 2rem)); max-height: calc(100vh - 2rem); margin: auto;
    padding: 0; overflow: auto; border: 0; border-top: 0.4rem solid #d5203b; border-radius: 0.4rem; color: #f4f5f6;
    background: #1e2b3c; box-shadow: 0 1rem 4rem #000a; font: 1rem/1.5 system-ui, sans-serif; text-align: left; }
  dialog::backdrop { background: #0008; }
  header { display: flex; gap: 1rem; align-items: baseline; padding: 1rem 1.25rem 0; }
  h1 { flex: 1; margin: 0; font-size: 1.25rem; }
  h1::first-letter { text-transform: uppercase; }
  p { margin: 0; padding: 0.25rem 1.25rem 0; color: #c3cad4; }
  button { padding: 0.2rem 0.7rem; border: 1px solid #8d9aab; border-radius: 0.3rem; color: inherit; background: none;
    font: inherit; cursor: pointer; }
  button:focus-visible { outline: 3px solid #fff; outline-offset: 2px; }
  ol { margin: 0; padding: 0.75rem 1.25rem 1.25rem; list-style: none; }
  li + li { margin-top: 1rem; }
  .place { color: #9ecbff; font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
  .code { margin-left: 0.75rem; color: #ff9aa8; font-family: ui-monospace, monospace; }
  .message { margin: 0.1rem 0 0.35rem; overflow-wrap: anywhere; }
  pre { margin: 0; padding: 0.6rem 0.75rem; overflow-x: auto; border-radius: 0.3rem; background: #111a26;
    font: 0.875rem/1.55 ui-monospace, monospace; tab-size: 4; }
  pre span { display: block; min-width: max-content; }
  pre .at { background: #d5203b59; }
  .fix { padding-bottom: 1rem; }
  code { color: #9ecbff; font-family: ui-monospace, monospace; }
  @media print { :host { display: none; } }
`;

const overlay = {
  host: undefined,
  number: undefined,
  closed: undefined,

  show(broken) {
    if (broken.number === this.number || broken.number === this.closed || isInside()) return;
    this.hide();
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    // A sheet that is made here needs no leave of the page's policy.
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    root.adoptedStyleSheets = [style];
    const dialog = root.appendChild(view(broken));
    // By Esc, or by the button.
    dialog.addEventListener("close", () => {
      this.closed = broken.number;
      this.hide();
    });
    document.documentElement.append(host);
    dialog.showModal();
    Object.assign(this, { host, number: broken.number });
  },

  building() {
    const status = this.host?.shadowRoot.querySelector("[role=status]");
    if (status) status.textContent = "Building again…";
  },

  hide() {
    this.host?.remove();
    this.host = this.number = undefined;
  },
};

// A page in a frame of the same app leaves it to the page around it.
function isInside() {
  try {
    return parent !== window && parent.location.origin === location.origin;
  } catch {
    return false;
  }
}

function view({ title, code, why, findings, more, fixes }) {
  const close = make("button", { type: "button", textContent: "Close", title: "Esc" });
  const heading = make("h1", { id: "title", textContent: title });
  const dialog = make("dialog", {}, make("header", {}, heading, close));
  dialog.setAttribute("aria-labelledby", "title");
  // What starts and fails may have taken the place of what served; the reasons tell.
  const serves = findings.length > 0 ? " · the last good version serves on" : "";
  const status = make("p", { textContent: code + serves });
  status.setAttribute("role", "status");
  dialog.append(status, ...why.map((line) => make("p", { textContent: line })));
  const rest = more > 0 ? [make("li", { textContent: `and ${more} more` })] : [];
  const helps = fixes.map(({ command, description }) =>
    make("p", { className: "fix" }, make("code", { textContent: command }), ` ${description}`),
  );
  dialog.append(make("ol", {}, ...findings.map(finding), ...rest), ...helps);
  close.addEventListener("click", () => dialog.close());
  return dialog;
}

function finding({ file, line, column, code, message, excerpt }) {
  const place = [file, line, column].filter((part) => part !== 0).join(":");
  const width = String(excerpt.at(-1)?.line ?? 0).length;
  const lines = excerpt.map(({ line: number, text }) =>
    make("span", {
      className: number === line ? "at" : "",
      textContent: `${number === line ? ">" : " "} ${String(number).padStart(width)}  ${text}\n`,
    }),
  );
  return make(
    "li",
    {},
    make("span", { className: "place", textContent: place }),
    make("span", { className: "code", textContent: code }),
    make("div", { className: "message", textContent: message }),
    ...(lines.length > 0 ? [make("pre", {}, ...lines)] : []),
  );
}

// Text comes in as text alone, never as HTML.
function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// --------------------------------------------------------------------------------------------------------------------

if (/^[a-z][a-z0-9-]*\/[a-z][a-z0-9-]*$/.test(APP)) {
  arrive();
  for (const type of ["input", "change"]) {
    addEventListener(type, (event) => event.target instanceof Element && edited.add(event.target), true);
  }
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    leaving = false;
    listen();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
  listen();
}
