// A browser, an app that altinn-local has up, and edits of its files that are taken back.

import { after, afterEach } from "node:test";
import { execFile } from "node:child_process";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { arrive, launch } from "./chromium.mjs";
import { ask, begun } from "./person.js";

const needed = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests by scripts/browser`);
  return value;
};

/** The app's address, as `http://ttd.apps.altinn.localhost:8800/ttd/my-app`. */
export const url = needed("APP_URL").replace(/\/$/, "");
/** The app's repository; its files are edited. */
const folder = needed("APP_DIR");
/** The tool that has it up. */
export const program = needed("ALTINN_LOCAL");

const browser = await launch();

// Of each test's own: what it leaves open would hold some of the few connections that a browser has for a host.
let context;
// The form that its pages show.
let form;

afterEach(async () => {
  // A page that loads itself anew just then is not closed: the browser loses that wish.
  for (const page of context?.pages() ?? []) await page.goto("about:blank").catch(() => {});
  await context?.close();
  context = undefined;
  await restore();
});

after(() => browser.close());

/** A page at a path of the app, of nobody who is logged in. */
export async function openAsStranger(path = "/") {
  context ??= await browser.newContext({ viewport: { width: 1000, height: 900 } });
  return load(await context.newPage(), url + path);
}

/** A page at a path of the app, of a person who is logged in and fills in the form. */
export async function open(path = "/", prepare = async () => {}) {
  if (!context) {
    context = await browser.newContext({ viewport: { width: 1000, height: 500 } });
    form = await begun(context, url);
  }
  const page = await context.newPage();
  await prepare(page);
  return load(page, url + path + form);
}

/** Loads an address, and notes what the page loads and complains of. */
async function load(page, address) {
  page.complaints = [];
  page.on("request", (request) => {
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) page.loads += 1;
  });
  page.on("console", (message) => {
    if (message.type() === "error") page.complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  await arrive(() => {
    page.loads = 0;
    return page.goto(address);
  });
  return page;
}

/** The overlay, which is in a shadow root. */
export const overlay = (page) => page.locator("dialog[aria-labelledby=title]");

/** Writes a picture to be looked at, when somebody asked for pictures. */
export async function picture(page, name) {
  if (!process.env.PICTURES) return;
  await mkdir(process.env.PICTURES, { recursive: true });
  await page.screenshot({ path: join(process.env.PICTURES, `${name}.png`) });
}

/** An answer as it is, with what this client asks for and nothing more; `heed` is given each piece as it comes. */
export const fetchAs = (headers = {}, path = "/", heed) =>
  ask("GET", path.startsWith("/.") ? new URL(path, url).href : url + path, headers, heed);

/** What a page is told first: what stands in the way now; and the version that serves. */
async function hello() {
  const app = new URL(url).pathname.slice(1);
  const { body } = await fetchAs({}, `/.altinn-local/events?app=${app}`, (part) => !part.includes("data: "));
  const [, version, told] = /^id: [^/]*\/[^/]*\/([^@\n]*).*\ndata: (.*)$/m.exec(body) ?? [];
  return { version, broken: told && JSON.parse(told).broken };
}

const before = new Map();
let first;

/** Replaces a file's text as editors do: a new file beside it, then a rename. Gives the moment of that. */
export async function edit(file, change) {
  first ??= (await hello()).version;
  const path = join(folder, file);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (!before.has(file)) before.set(file, text);
  const next = change(text);
  if (next === text) throw new Error(`the edit of ${file} changes nothing`);
  return replace(path, next);
}

async function replace(path, text) {
  if (text === undefined) return rm(path);
  await writeFile(`${path}.new~`, text);
  const now = performance.timeOrigin + performance.now();
  await rename(`${path}.new~`, path);
  return now;
}

/** Waits until what was edited serves, and pages were told. */
export const live = () => until("the new version", async () => ![undefined, first].includes((await hello()).version));

/** Takes back all edits, and waits until what was before them serves. */
export async function restore() {
  if (before.size === 0) return;
  for (const [file, text] of before) await replace(join(folder, file), text);
  // Settings are taken in by a run, which this one waits for.
  if (before.has("altinn-local.yaml")) await altinnLocal("up");
  before.clear();
  await until("what was before", async () => {
    const { version, broken } = await hello();
    return version === first && !broken;
  });
}

/** Runs a command of altinn-local in the app's folder. */
export async function altinnLocal(...words) {
  const environment = { ...process.env };
  // Where it is set, pages are left as they are.
  delete environment.CI;
  await promisify(execFile)(program, words, { cwd: folder, env: environment });
}

/** Makes a page notice the moments at which a style has these values, one after the other. */
export async function watchStyle(page, property, values) {
  await page.evaluate(([property, values]) => {
    window.moments = [];
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      if (getComputedStyle(document.body)[property] === values[window.moments.length]) {
        window.moments.push(performance.timeOrigin + performance.now());
      }
      if (window.moments.length < values.length) setTimeout(() => port2.postMessage(0));
    };
    port2.postMessage(0);
  }, [property, values]);
}

/** Asks until the answer is right. */
export async function until(what, question, seconds = 90) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
