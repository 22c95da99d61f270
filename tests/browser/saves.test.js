// From a save to the open page, through all that is between.

import assert from "node:assert/strict";
import { test } from "node:test";

import { arrive } from "./chromium.mjs";
import { altinnLocal, edit, fetchAs, live, open, picture, restore, until, watchStyle } from "./world.js";

const CSS = "App/wwwroot/css/app.css";
const PAGE = "App/wwwroot/index.html";
const CODE = "App/logic/GrantCalculation.cs";
const TEXTS = "App/config/texts/resource.nb.json";
const LAYOUT = "App/ui/form/layouts/event.json";

const border = (width) => (text) => `${text}\nbody { border-top: ${width}px solid teal }\n`;
const bordered = (page) => page.evaluate(() => getComputedStyle(document.body).borderTopWidth).catch(() => "");

/** A page with something typed, chosen and scrolled; what it gives tells whether all of it is there. */
async function used(page) {
  const field = page.locator("main input[type=text], main input:not([type])").first();
  const choice = page.locator("main select").first();
  await field.fill("typed by somebody");
  const chosen = await choice.locator("option").nth(2).getAttribute("value");
  await choice.selectOption(chosen);
  await page.evaluate(() => scrollTo(0, 150));
  const now = async () => [await field.inputValue(), await choice.inputValue(), await page.evaluate(() => scrollY)];
  const before = await now();
  assert.deepEqual(before, ["typed by somebody", chosen, 150]);
  const mark = `${Math.random()}`;
  await page.evaluate((mark) => (window.mark = mark), mark);
  return {
    // A browser that finds the content above grown by some pixels scrolls on by as many, so that the same is seen.
    kept: async (grown = 0) => {
      let last;
      const same = async () => {
        last = await now().catch(() => []);
        return [0, grown].some((more) => `${last}` === `${before.with(2, before[2] + more)}`);
      };
      await until("what was there", same, 10).catch(() => assert.deepEqual(last, before));
    },
    stayed: async () => (await page.evaluate(() => window.mark)) === mark,
  };
}

test("a style sheet is swapped without a navigation, in every tab", async () => {
  const pages = [await open(), await open()];
  const uses = await Promise.all(pages.map(used));
  await edit(CSS, border(11));
  for (const page of pages) await until("the new style", async () => (await bordered(page)) === "11px", 20);
  await picture(pages[0], "style");
  await restore();
  for (const page of pages) await until("the old style", async () => (await bordered(page)) === "0px", 20);
  for (const [index, page] of pages.entries()) {
    assert.equal(page.loads, 1);
    assert.ok(await uses[index].stayed());
    await uses[index].kept();
    assert.deepEqual(page.complaints, []);
  }
});

test("from the save of a style sheet to the page", async (t) => {
  const page = await open();
  const widths = Array.from({ length: 10 }, (_, index) => index + 1);
  await watchStyle(page, "borderTopWidth", widths.map((width) => `${width}px`));
  const times = [];
  for (const [index, width] of widths.entries()) {
    // Somebody who types does not save faster.
    await page.waitForTimeout(300);
    const saved = await edit(CSS, border(width));
    const moment = await until("the new style", () => page.evaluate((index) => window.moments[index], index), 20);
    times.push(Math.round(moment - saved));
  }
  const sorted = [...times].sort((a, b) => a - b);
  t.diagnostic(`CSS save → style in the page: median ${sorted[5]} ms of ${times.join(", ")}`);
  assert.equal(page.loads, 1);
});

for (const [what, file, change, shows] of [
  ["a page", PAGE, (text) => text.replace("<main>", '<main data-edit="one">'), "main[data-edit=one]"],
  ["a text", TEXTS, (text) => text.replace("Om arrangementet", "Om det hele"), "text=Om det hele"],
  ["a layout", LAYOUT, (text) => text.replace('"event.header"', '"event.name"'), "h2:text('Navn på')"],
  ["code", CODE, (text) => text.replace("model.Grant = 0", "model.Grant = 1"), ""],
]) {
  test(`${what} that is saved loads the page again, once, with its place and what was typed`, async (t) => {
    const page = await open();
    const { kept } = await used(page);
    const saved = await edit(file, change);
    await until("a load", () => page.loads === 2);
    t.diagnostic(`loaded again after ${Math.round(performance.timeOrigin + performance.now() - saved)} ms`);
    if (shows) await page.locator(shows).first().waitFor({ state: "attached", timeout: 5_000 });
    await kept();
    await picture(page, `reload-${file.split("/").pop()}`);
    await page.waitForTimeout(700);
    assert.equal(page.loads, 2);
    assert.deepEqual(page.complaints, []);
  });
}

test("a rule makes a style sheet load the page again", async () => {
  await edit("altinn-local.yaml", () => `apps:
  - path: .
    watch:
      rules:
        - path: App/wwwroot/css/*.css
          action: reload
`);
  // They are in force at the end of a run.
  await altinnLocal("up");
  const page = await open();
  const { kept } = await used(page);
  await edit(CSS, border(17));
  await until("the new style", async () => (await bordered(page)) === "17px", 20);
  assert.equal(page.loads, 2);
  await kept(17);
});

test("what is not in the image is nothing to a page", async () => {
  const page = await open();
  await edit("README.md", (text) => `${text}\nMore.\n`);
  await page.waitForTimeout(1_500);
  assert.equal(page.loads, 1);
});

test("a page of a service worker follows saves, and the worker is left as it is", async () => {
  const source = `addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(fetch(event.request)));
`;
  await edit("App/wwwroot/worker.js", () => source);
  await live();
  const { body } = await fetchAs({ "Sec-Fetch-Dest": "serviceworker" }, "/worker.js");
  assert.equal(body.toString(), source);
  const page = await open();
  await page.evaluate(() => navigator.serviceWorker.register("worker.js"));
  await until("the worker", () => page.evaluate(() => Boolean(navigator.serviceWorker.controller)), 10);
  await arrive(() => page.reload());
  const { stayed } = await used(page);
  assert.ok(await page.evaluate(() => Boolean(navigator.serviceWorker.controller)));
  await edit(CSS, border(13));
  await until("the new style", async () => (await bordered(page)) === "13px", 20);
  assert.ok(await stayed());
  const before = page.loads;
  await edit(TEXTS, (text) => text.replace("Om arrangementet", "Om det hele"));
  await page.getByText("Om det hele").waitFor();
  assert.equal(page.loads, before + 1);
});
