// A widget in a browser: served from its source through a proxy at another origin, as the router does it, in the page of
// the sample app; edited, broken and mended; and then as the bundle that `widget build` made.
//
//   node widget.mjs FOLDER
//
// FOLDER holds `app` (the sample app with a widget `counter` that was built), `route.json` (where its dev server
// answers now) and `dev.js` (the module for pages). `tests/real/widgets.rs` makes it and runs this. Screenshots go there.

import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { readFileSync, renameSync, writeFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, extname } from "node:path";
import { chromium } from "playwright-core";

const folder = process.argv[2];
const app = join(folder, "app", "App");
const source = (file) => join(folder, "app/widgets/counter/src", file);
const own = "/ttd/demo/";
const route = () => JSON.parse(readFileSync(join(folder, "route.json"), "utf8"));
const { prefix, tagName } = route();

// --- The app, as far as its page asks it; and the router in front of it.

const json = (path) => JSON.parse(readFileSync(join(app, path), "utf8").replace(/^\ufeff/, ""));
const layout = (name) => json(`ui/form/layouts/${name}.json`);
let injected = true;
let model = {};
// The form that the page shows.
const INSTANCE = "1/6e0b1c1a-3b3f-4b6e-8a5d-0c1d2e3f4a5b";
const FORM = `${own}#/instance/${INSTANCE}`;
const REFUSED = { validationIssues: [{ field: "participants", source: "Counter", severity: 1, customTextKey: "counter.wrong" }] };

function answers(path, body) {
  if (path.startsWith("api/v1/texts/")) {
    const texts = json(`config/texts/resource.${path.slice(13)}.json`);
    const own = { nb: "Hvor mange?", en: "How many?" }[path.slice(13)];
    texts.resources.push({ id: "counter.title", value: own }, { id: "counter.wrong", value: "Too few" });
    return texts;
  }
  if (path.startsWith("api/options/")) return json(`options/${path.slice(12)}.json`);
  switch (path) {
    case "api/v1/applicationmetadata": return json("config/applicationmetadata.json");
    case "api/v1/applicationlanguages": return [{ language: "nb" }, { language: "en" }];
    case "api/layoutsets": return json("ui/layout-sets.json");
    case "api/layoutsettings/form": return json("ui/form/Settings.json");
    case "api/jsonschema/model": return json("models/model.schema.json");
    case "api/layouts/form": {
      const budget = layout("budget");
      budget.data.layout.splice(1, 0, {
        id: "counter", type: "Custom", tagName, readOnly: false, scale: { from: 1, to: 9 },
        textResourceBindings: { title: "counter.title" }, dataModelBindings: { simpleBinding: "participants" },
      });
      return { event: layout("event"), budget, attachments: layout("attachments") };
    }
    case "api/v1/profile/user": return { userId: 1, partyId: 1, party: { partyId: 1, name: "Kari" } };
    case `instances/${INSTANCE}`:
      return { id: INSTANCE, instanceOwner: { partyId: "1" }, process: {}, data: [{ id: "form", dataType: "model" }] };
    case `instances/${INSTANCE}/data/form`:
      for (const { path, value } of body?.patch ?? []) model[path.slice(1)] = value;
      model.totalCost = (model.participants ?? 0) * 10;
      return body ? { newDataModel: model, validationIssues: {} } : model;
    case `instances/${INSTANCE}/process/next`: return REFUSED;
    default: return undefined;
  }
}

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json" };
// As strict as an app may be. Vite's style sheets are elements, which apps allow for their own sake.
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; base-uri 'self'";

const router = createServer(async (asked, answer) => {
  if (asked.url.startsWith(prefix)) {
    const { port } = route();
    const { method, headers, url: path } = asked;
    const passed = request({ host: "127.0.0.1", port, method, headers, path }, (given) => {
      answer.writeHead(given.statusCode, given.headers);
      given.pipe(answer);
    });
    passed.on("error", () => answer.writeHead(502).end());
    asked.pipe(passed);
    return;
  }
  const path = new URL(asked.url, "http://x").pathname;
  const send = (type, text) => answer.writeHead(answer.statusCode, { "Content-Type": type, "Content-Security-Policy": POLICY }).end(text);
  if (path === "/.altinn-local/widgets.js") return send(TYPES[".js"], readFileSync(join(folder, "dev.js")));
  if (!path.startsWith(own)) return answer.writeHead(404).end();
  const rest = path.slice(own.length);
  let body = "";
  for await (const part of asked) body += part;
  const known = answers(rest, body && JSON.parse(body));
  if (known === REFUSED) answer.statusCode = 409;
  if (known !== undefined) return send(TYPES[".json"], JSON.stringify(known));
  const file = join(app, "wwwroot", rest || "index.html");
  if (!existsSync(file)) return answer.writeHead(404).end();
  if (rest) return send(TYPES[extname(file)], readFileSync(file));
  const page = readFileSync(file, "utf8").replace('<base href="./">', `<base href="${own}">`);
  const script = '<script type="module" src="/.altinn-local/widgets.js"></script>';
  return send(TYPES[".html"], injected ? page.replace("<head>", `<head>${script}`) : page);
});
router.on("upgrade", (asked, socket, first) => {
  const upstream = connect(route().port, "127.0.0.1", () => {
    const lines = [`GET ${asked.url} HTTP/1.1`];
    for (let i = 0; i < asked.rawHeaders.length; i += 2) lines.push(`${asked.rawHeaders[i]}: ${asked.rawHeaders[i + 1]}`);
    upstream.write(`${lines.join("\r\n")}\r\n\r\n`);
    upstream.write(first);
    upstream.pipe(socket).pipe(upstream);
  });
  for (const end of [upstream, socket]) end.on("error", () => (upstream.destroy(), socket.destroy()));
});
await new Promise((done) => router.listen(0, "127.0.0.1", done));
const origin = `http://127.0.0.1:${router.address().port}`;

// --- The browser.

const profile = mkdtempSync(join(tmpdir(), "altinn-browser-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  viewport: { width: 900, height: 1000 },
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});

async function opened(address) {
  const page = await browser.newPage();
  const seen = { page, navigations: 0, sockets: [], requests: [], complaints: [] };
  page.on("framenavigated", () => seen.navigations++);
  page.on("websocket", (socket) => seen.sockets.push(socket.url()));
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && seen.complaints.push(message.text()));
  await page.goto(address);
  return seen;
}

const shot = (page, name) => page.screenshot({ path: join(folder, `${name}.png`) });
const shows = async (page, selector, text, patience = 5000) => {
  const began = performance.now();
  await page.waitForFunction(
    ([selector, text]) => document.querySelector(selector)?.textContent === text,
    [selector, text], { timeout: patience, polling: 5 },
  );
  return Math.round(performance.now() - began);
};
const edit = (file, from, to) => {
  const text = readFileSync(source(file), "utf8");
  assert(text.includes(from), `${file} has no ${from}`);
  // As editors do: a new file beside it, then a rename.
  writeFileSync(`${source(file)}.new~`, text.replace(from, to));
  renameSync(`${source(file)}.new~`, source(file));
};
const told = (what, detail = "") => console.log(`ok  ${what}${detail && `   ${detail}`}`);
const part = (name) => `${tagName} ${name}`;

try {
  // From the source, in the app's page.
  const live = await opened(origin + FORM);
  const { page } = live;
  await shows(page, part("legend"), "Hvor mange?", 20000);
  await page.click(part("[aria-label='+1']"));
  await page.click(part("[aria-label='+1']"));
  await shows(page, part("output"), "2");
  await page.waitForFunction(() => document.querySelector("#participants").value === "2");
  await page.waitForFunction(() => document.querySelector("#total-cost").value === "20");
  const given = await page.$eval(tagName, (element) => ({
    scale: element.getAttribute("scale"), type: element.getAttribute("type"),
    bindings: element.dataModelBindings, mark: (window.mark = 1),
  }));
  assert.deepEqual(given, {
    scale: '{"from":1,"to":9}', type: "Custom",
    bindings: { simpleBinding: { dataType: "model", field: "participants" } }, mark: 1,
  });
  told("the page draws it and hears it");
  await shot(page, "1-live");

  const sockets = live.sockets.map((url) => url.split("?")[0]);
  assert.deepEqual(sockets, [`${origin.replace("http", "ws")}${prefix}`]);
  assert(live.requests.every((url) => url.startsWith(origin)), "something was asked of another origin");
  assert(!live.requests.some((url) => /widgets\/counter-[0-9a-f]{8}/.test(url)), "the bundle was loaded too");
  told("one origin, one socket, the bundle steps back", sockets[0]);

  const kept = async (changes = "2 ×") => {
    await shows(page, part(".changes"), changes);
    assert.equal(await page.evaluate(() => window.mark), 1, "the page was reloaded");
    assert.equal(live.navigations, 1, "the page was navigated");
  };
  const times = [];
  for (let round = 1; round <= 5; round++) {
    edit("Widget.tsx", round === 1 ? "<legend>{text}" : `<legend>{text} ${round - 1}`, `<legend>{text} ${round}`);
    times.push(await shows(page, part("legend"), `Hvor mange? ${round}`));
    await kept();
    // Saves of a person are further apart; Vite's watcher may miss one that follows within milliseconds.
    await page.waitForTimeout(150);
  }
  told("an edit shows, the state stays, no navigation", `${times.join(", ")} ms`);
  await shot(page, "2-edited");

  edit("widget.css", "font-weight: 600", "font-weight: 600;\n    color: rgb(1, 2, 3)");
  await page.waitForFunction((legend) => getComputedStyle(document.querySelector(legend)).color === "rgb(1, 2, 3)", part("legend"));
  await kept();
  told("a style is swapped");

  edit("Widget.tsx", "<legend>", "<legend");
  await page.waitForSelector("vite-error-overlay", { state: "attached" });
  const overlay = await page.$eval("vite-error-overlay", (element) => element.shadowRoot.textContent);
  assert(overlay.includes("Widget.tsx"), overlay);
  await kept();
  await shot(page, "3-broken");
  // In one save: Vite's watcher misses what is saved within milliseconds of the save before.
  edit("Widget.tsx", "<legend{text} 5", "<legend>{text} mended");
  await page.waitForSelector("vite-error-overlay", { state: "detached" });
  await shows(page, part("legend"), "Hvor mange? mended");
  await kept();
  told("an error shows, and goes when it is mended");

  await page.click("#languages [lang=en]");
  await shows(page, part("legend"), "How many? mended");
  await kept();
  await page.click("form > button[type=submit]");
  await shows(page, part("[role=alert]"), "Too few");
  await page.click(part("[aria-label='−1']"));
  await shows(page, part("output"), "1");
  await kept("3 ×");
  await shot(page, "4-english");
  told("language and validation reach it, the state stays");
  assert.deepEqual(live.complaints.filter((text) => !/Widget\.tsx|status of (409|500)/.test(text)), []);

  // The server dies and comes back; the page finds it again.
  const { pid } = route();
  if (pid) {
    process.kill(pid, "SIGKILL");
    await page.waitForFunction(() => window.mark === undefined, undefined, { timeout: 20000 });
    await shows(page, part("legend"), "Hvor mange? mended", 10000);
    told("a server that died is back, and the page with it");
  }
  await page.close();

  // The story page, through the same address.
  const story = await opened(`${origin}${prefix}story.html`);
  await shows(story.page, part("legend"), "How many? mended", 10000);
  await story.page.fill(".knobs label:nth-child(1) input", "Hvor langt?");
  await shows(story.page, part("legend"), "Hvor langt? mended");
  await story.page.click(part("[aria-label='+1']"));
  await shows(story.page, part("output"), "3");
  await story.page.check(".knobs label:nth-child(5) input");
  await story.page.waitForSelector(part("fieldset:disabled"));
  await shot(story.page, "5-story");
  assert.deepEqual(story.complaints, []);
  await story.page.close();
  told("the story page has its knobs");

  // What was built, where nothing is injected.
  injected = false;
  model = {};
  const built = await opened(origin + FORM);
  await shows(built.page, part("legend"), "Hvor mange?", 10000);
  await built.page.click(part("[aria-label='+1']"));
  await shows(built.page, part("output"), "1");
  assert(built.requests.some((url) => /widgets\/counter-[0-9a-f]{8}\.js/.test(url)));
  assert.equal(await built.page.$eval(part(".row"), (row) => getComputedStyle(row).display), "flex");
  assert.deepEqual(built.complaints, []);
  assert.deepEqual(built.sockets, []);
  await shot(built.page, "6-built");
  told("the bundle works in the page of the app");
} finally {
  await browser.close();
  router.closeAllConnections();
  router.close();
  rmSync(profile, { recursive: true, force: true });
}
