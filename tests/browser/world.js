// A browser, an app that altinn-local has up, and edits of its files that are taken back.

import { after } from "node:test";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

const needed = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests by scripts/browser`);
  return value;
};

/** The app's address, as `http://ttd.apps.altinn.localhost:8800/ttd/my-app`. */
export const url = needed("APP_URL").replace(/\/$/, "");
/** The app's repository; its files are edited. */
const folder = needed("APP_DIR");
const program = needed("ALTINN_LOCAL");

const profile = await mkdtemp(join(tmpdir(), "altinn-local-browser-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  viewport: { width: 1000, height: 500 },
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

after(async () => {
  await restore();
  await Promise.all(context.pages().map((page) => page.close()));
  await context.close();
  await rm(profile, { recursive: true, force: true });
});

/** A page at a path of the app, with the documents it loaded and what it complained of. */
export async function open(path = "/", prepare = async () => {}) {
  const page = await context.newPage();
  page.loads = 0;
  page.complaints = [];
  page.on("request", (request) => {
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) page.loads += 1;
  });
  page.on("console", (message) => {
    if (message.type() === "error") page.complaints.push(message.text());
  });
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  await prepare(page);
  await page.goto(url + path);
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

const before = new Map();

/** Replaces a file's text as editors do: a new file beside it, then a rename. */
export async function edit(file, change) {
  const path = join(folder, file);
  const text = await readFile(path, "utf8");
  if (!before.has(file)) before.set(file, text);
  const next = change(text);
  if (next === text) throw new Error(`the edit of ${file} changes nothing`);
  await replace(path, next);
}

async function replace(path, text) {
  await writeFile(`${path}.new~`, text);
  await rename(`${path}.new~`, path);
}

/** Takes back all edits. */
export async function restore() {
  for (const [file, text] of before) await replace(join(folder, file), text);
  before.clear();
}

/** Runs a command of altinn-local in the app's folder. */
export async function altinnLocal(...words) {
  const environment = { ...process.env };
  // Where it is set, pages are left as they are.
  delete environment.CI;
  await promisify(execFile)(program, words, { cwd: folder, env: environment });
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
