// Widgets in the pages of an app that altinn-local has up.
//
//   node app.mjs live|built|away|frontend URL DIR
//
// `live`: two widgets, `counter` and `map`, come from their dev servers; their sources in DIR are edited. `built`: they
// are what `altinn-local widget build` made. `away`: the dev server of `map` is killed and takes its time. `frontend`: the page gets Altinn's frontend from the project in DIR.
// `tests/real/widgets.rs` makes the app and runs this. SCREENSHOTS=DIR keeps pictures.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync, renameSync, mkdtempSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

import { begun } from "./person.js";

const [story, url, folder] = process.argv.slice(2);
const { origin } = new URL(url);

const profile = mkdtempSync(join(tmpdir(), "altinn-browser-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  viewport: { width: 900, height: 1000 },
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    // Whatever a page asks for, no name but ours is looked up.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE localhost, EXCLUDE 127.0.0.1",
  ],
});

let latest;

async function opened(address) {
  const page = await browser.newPage();
  const seen = (latest = { page, navigations: 0, sockets: [], requests: [], complaints: [] });
  page.on("framenavigated", () => seen.navigations++);
  page.on("websocket", (socket) => seen.sockets.push(socket.url().split("?")[0]));
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && seen.complaints.push(message.text()));
  // The app's page is that of a form which somebody just began.
  await page.goto(address === url ? url + "/" + (await begun(browser, url)) : address);
  return seen;
}

async function shot(page, name) {
  if (!process.env.SCREENSHOTS) return;
  mkdirSync(process.env.SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) });
}

/** Waits until an element has this text, looked at in each frame that is painted. */
const shows = (page, selector, text, timeout = 10_000) =>
  page.waitForFunction(([selector, text]) => document.querySelector(selector)?.textContent === text, [selector, text], {
    timeout,
    polling: "raf",
  });

/** Replaces a text in a file as editors do: a new file beside it, then a rename. Tells when. */
function edit(file, from, to) {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  assert(text.includes(from), `${file} has no ${from}`);
  writeFileSync(`${path}.new~`, text.replace(from, to));
  renameSync(`${path}.new~`, path);
  return performance.now();
}

async function until(what, question, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    assert(Date.now() < end, `not within ${seconds} s: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const told = (what, detail = "") => console.log(`ok  ${what}${detail && `   ${detail}`}`);
const widget = (name) => (part) => `widget-${name} ${part}`;
const [counter, map] = [widget("counter"), widget("map")];
const WIDGET = "widgets/counter/src/Widget.tsx";

/** The processes of a widget's dev server. */
function servers(name) {
  const line = (id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, "utf8");
    } catch {
      return "";
    }
  };
  const ours = (text) => text.includes(join(folder, `widgets/${name}/node_modules/vite/bin/vite.js`));
  return readdirSync("/proc").filter((id) => /^\d+$/.test(id) && ours(line(id))).map(Number);
}

async function live() {
  const seen = await opened(url);
  const { page } = seen;
  await shows(page, counter("legend"), "Hvor mange?", 30_000);
  await shows(page, map("legend"), "Hvor da?");
  for (const button of [counter("[aria-label='+1']"), counter("[aria-label='+1']"), map("[aria-label='+1']")]) {
    await page.click(button);
  }
  await shows(page, counter("output"), "2");
  await shows(page, map("output"), "1");
  await page.fill("#cost-per-participant", "250");
  const began = await page.evaluate(() => ((window.mark = "mine"), performance.timeOrigin));
  told("two widgets are drawn from their source, in the app's page, and heard by the app");
  await shot(page, "1-live");

  assert(seen.requests.every((asked) => asked.startsWith(origin)), "something was asked of another origin");
  assert(!seen.requests.some((asked) => /widgets\/counter-[0-9a-f]{8}/.test(asked)), "the bundle was loaded too");
  assert.equal(seen.sockets.length, 2);
  assert(seen.sockets.every((socket) => socket.startsWith(origin.replace("http", "ws"))));
  told("one origin, the bundles step back", seen.sockets.join(" "));

  const kept = async () => {
    await shows(page, counter(".changes"), "2 ×");
    await shows(page, map(".changes"), "1 ×");
    assert.equal(await page.inputValue("#cost-per-participant"), "250");
    const now = await page.evaluate(() => [window.mark, performance.timeOrigin]);
    assert.deepEqual(now, ["mine", began], "the page was loaded again");
    assert.equal(seen.navigations, 1, "the page was navigated");
  };
  const times = [];
  for (let round = 1; round <= 10; round++) {
    const showing = shows(page, counter("legend"), `Hvor mange? ${round}`);
    const saved = edit(WIDGET, round === 1 ? "<legend>{text}" : `<legend>{text} ${round - 1}`, `<legend>{text} ${round}`);
    await showing;
    times.push(Math.round(performance.now() - saved));
    await kept();
    // Saves of a person are further apart; Vite's watcher may miss one that follows within milliseconds.
    await page.waitForTimeout(150);
  }
  told("10 edits show, state kept, no load", `save → seen: median ${median(times)} ms of ${times.join(", ")}`);
  edit("widgets/map/src/Widget.tsx", "<legend>{text}", "<legend>{text} Kanskje");
  await shows(page, map("legend"), "Hvor da? Kanskje");
  edit("widgets/counter/src/widget.css", "font-weight: 600", "font-weight: 600;\n    color: rgb(1, 2, 3)");
  await page.waitForFunction((legend) => getComputedStyle(document.querySelector(legend)).color === "rgb(1, 2, 3)", counter("legend"));
  await kept();
  await shot(page, "2-edited");
  told("the other widget's edit shows, and a style's");

  edit(WIDGET, "<legend>", "<legend");
  await page.waitForSelector("vite-error-overlay", { state: "attached" });
  const overlay = await page.$eval("vite-error-overlay", (element) => element.shadowRoot.textContent);
  assert(overlay.includes("Widget.tsx"), overlay);
  await shot(page, "3-broken");
  await state("broken");
  // In one save: Vite's watcher misses what is saved within milliseconds of the save before.
  edit(WIDGET, "<legend{text} 10", "<legend>{text} mended");
  await page.waitForSelector("vite-error-overlay", { state: "detached" });
  await shows(page, counter("legend"), "Hvor mange? mended");
  await kept();
  await state("mended");
  told("an error shows in the page and in status, and goes when it is mended; state kept");

  const before = servers("counter");
  assert.equal(before.length, 1, "one process is the server");
  process.kill(before[0], "SIGKILL");
  await page.waitForFunction(() => window.mark === undefined, undefined, { timeout: 20_000 });
  await shows(page, counter("legend"), "Hvor mange? mended", 20_000);
  assert.notDeepEqual(servers("counter"), before);
  edit(WIDGET, "{text} mended", "{text} again");
  await shows(page, counter("legend"), "Hvor mange? again");
  await shot(page, "4-again");
  told("a server that was killed is back, and the page with it");
  await page.close();

  const { page: knobs, complaints } = await opened(`${origin}/.altinn-local/widgets/${url.split("/").slice(-2).join("/")}/counter/story.html`);
  await shows(knobs, counter("legend"), "How many? again");
  assert.deepEqual(complaints, []);
  told("the story page is at the app's host");
}

/** Lets whoever started this look at what altinn-local tells meanwhile: one line out, one line back. */
async function state(expected) {
  console.log(`??  ${expected}`);
  if (process.env.ASKED) await new Promise((done) => process.stdin.once("data", done));
}

async function away() {
  for (const id of servers("map")) process.kill(id, "SIGKILL");
  const seen = await opened(url);
  const { page } = seen;
  await shows(page, map("legend"), "Hvor da?");
  assert(seen.requests.some((asked) => /\/widgets\/map-[0-9a-f]{8}\.js$/.test(asked)), "no bundle");
  assert(!seen.requests.some((asked) => asked.includes("/map/src/main.ts")));
  await until("the source again", () => seen.requests.some((asked) => asked.includes("/map/src/main.ts")));
  await shows(page, map("legend"), "Hvor da? Kanskje");
  told("while a server is away its bundle serves; when it is back, the page has the source");
}

async function built() {
  const seen = await opened(url);
  const { page } = seen;
  await shows(page, counter("legend"), "Hvor mange?", 30_000);
  await shows(page, map("legend"), "Hvor da?");
  await page.click(counter("[aria-label='+1']"));
  await shows(page, counter("output"), "1");
  for (const name of ["counter", "map"]) {
    const bundle = new RegExp(`/widgets/${name}-[0-9a-f]{8}\\.js$`);
    assert(seen.requests.some((asked) => bundle.test(asked)), `the bundle of ${name} was not loaded`);
  }
  assert(!seen.requests.some((asked) => asked.includes("/src/main.ts")), "something came from its source");
  assert.equal(await page.$eval(counter(".row"), (row) => getComputedStyle(row).display), "flex");
  assert.deepEqual(seen.complaints, []);
  assert.deepEqual(seen.sockets, []);
  await shot(page, "5-built");
  told("the bundles work in the page of the app");
}

try {
  await { live, built, away, frontend }[story]();
} catch (error) {
  console.error({ ...latest, page: undefined, body: await latest?.page.textContent("body") });
  if (latest) await shot(latest.page, "failed");
  throw error;
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
  process.stdin.pause();
}

async function frontend() {
  const seen = await opened(url);
  const { page } = seen;
  await shows(page, "#frontend", "from its source");
  await page.evaluate(() => (window.mark = "mine"));
  assert(seen.requests.every((asked) => asked.startsWith(origin)), seen.requests.join(" "));
  assert(seen.sockets.includes(`${origin.replace("http", "ws")}/`), seen.sockets.join(" "));
  const showing = shows(page, "#frontend", "edited");
  const saved = edit("src/text.js", "from its source", "edited");
  await showing;
  assert.equal(await page.evaluate(() => window.mark), "mine", "the page was loaded again");
  assert.equal(seen.navigations, 1);
  await shot(page, "6-frontend");
  told("the page gets the frontend from its source, an edit shows without a load", `${Math.round(performance.now() - saved)} ms`);
}
