// What the script in pages does with what it is told. The teller is played here; the page and the router are real.

import assert from "node:assert/strict";
import { test } from "node:test";

import { open, overlay, picture, until } from "./world.js";

const BROKEN = {
  number: 7,
  code: "AL3102",
  title: "the app does not compile",
  why: [],
  more: 2,
  fixes: [{ command: "altinn-local logs ttd/<b>app</b>", description: "shows what it said" }],
  findings: [
    {
      file: "App/logic/Calc.cs",
      line: 3,
      column: 9,
      code: "CS0103",
      message: "The name '<img src=x onerror=alert(1)>' does not exist",
      excerpt: [
        { line: 2, text: "    <b>two</b>" },
        { line: 3, text: "    three" },
      ],
    },
  ],
};

/** Plays the teller: what is told goes out at the page's next question, of which the address is kept. */
function teller() {
  const asked = [];
  let waiting = ["event: hello\nid: a/1/r\ndata: {}\n\n"];
  const prepare = (page) =>
    page.route("**/.altinn-local/events*", async (route) => {
      asked.push(new URL(route.request().url()).searchParams);
      while (waiting.length === 0 && !page.isClosed()) await new Promise((done) => setTimeout(done, 20));
      const body = waiting.splice(0).join("");
      await route.fulfill({ contentType: "text/event-stream", body }).catch(() => {});
    });
  let number = 1;
  const tell = (name, content) => {
    number += 1;
    waiting.push(`event: ${name}\nid: a/${number}/r\ndata: ${JSON.stringify(content)}\n\n`);
  };
  return { asked, prepare, tell };
}

const sheets = (page) => page.locator("link[rel=stylesheet]");

test("a style sheet is swapped in place, without a flash and without a navigation", async () => {
  const { prepare, tell } = teller();
  const page = await open("/", prepare);
  await page.evaluate(() => {
    window.here = true;
    window.unstyled = 0;
    const look = () => {
      if (![...document.styleSheets].some((sheet) => sheet.href)) window.unstyled += 1;
      requestAnimationFrame(look);
    };
    look();
  });
  // The new sheet takes its time; until then the old one stays.
  await page.route("**/app.css?altinn-local=*", async (route) => {
    await new Promise((done) => setTimeout(done, 300));
    await route.fulfill({ contentType: "text/css", body: "body { border-top: 7px solid red }" });
  });
  tell("reload", { kind: "css", files: ["App/wwwroot/css/app.css"] });
  await until("two sheets at once", async () => (await sheets(page).count()) === 2, 10);
  await until("the new one alone", async () => (await sheets(page).count()) === 1, 10);
  const style = await page.evaluate(() => getComputedStyle(document.body).borderTopWidth);
  assert.equal(style, "7px");
  assert.deepEqual(await page.evaluate(() => [window.here, window.unstyled]), [true, 0]);
  assert.equal(page.loads, 1);
});

test("what a sheet imports is loaded anew with it", async () => {
  const { prepare, tell } = teller();
  let width = 3;
  const page = await open("/", async (page) => {
    await prepare(page);
    const css = (body) => ({ contentType: "text/css", headers: { "Cache-Control": "no-cache" }, body });
    await page.route("**/app.css*", (route) => route.fulfill(css('@import "part.css";')));
    await page.route("**/part.css*", (route) =>
      route.fulfill(css(`body { border-top: ${width}px solid red }`)),
    );
  });
  const border = () => page.evaluate(() => getComputedStyle(document.body).borderTopWidth);
  await until("the first style", async () => (await border()) === "3px", 10);
  width = 9;
  tell("reload", { kind: "css", files: ["App/wwwroot/css/part.css"] });
  await until("the new style", async () => (await border()) === "9px", 10);
  assert.equal(page.loads, 1);
});

test("a sheet that cannot be loaded leaves the old one", async () => {
  const { prepare, tell } = teller();
  const page = await open("/", prepare);
  await page.route("**/app.css?altinn-local=*", (route) => route.fulfill({ status: 500, body: "" }));
  tell("reload", { kind: "css", files: ["App/wwwroot/css/app.css"] });
  await until("the attempt", () => page.complaints.length > 0, 10);
  assert.equal(await sheets(page).count(), 1);
  assert.doesNotMatch(await sheets(page).getAttribute("href"), /altinn-local/);
});

test("several new versions make one load, and the page says how far it has heard", async () => {
  const { asked, prepare, tell } = teller();
  const page = await open("/", prepare);
  tell("reload", { kind: "page", files: [] });
  tell("reload", { kind: "page", files: [] });
  await until("a load", () => page.loads === 2, 10);
  await until("a question", () => asked.at(-1).get("since"), 10);
  assert.match(asked.at(-1).get("since"), /^a\/[23]\/r$/);
  await page.waitForTimeout(500);
  assert.equal(page.loads, 2);
});

test("a hidden page hears nothing until it is shown", async () => {
  const { asked, prepare, tell } = teller();
  const page = await open("/", prepare);
  const show = (shown) =>
    page.evaluate((shown) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => !shown });
      document.dispatchEvent(new Event("visibilitychange"));
    }, shown);
  await until("the first question", () => asked.length > 0, 10);
  await show(false);
  tell("hello", { reload: { kind: "page", files: [] }, broken: null });
  await page.waitForTimeout(700);
  assert.equal(page.loads, 1);
  await show(true);
  await until("a load", () => page.loads === 2, 10);
});

test("the overlay shows text as text, is closed by Esc, and comes back only for another fault", async () => {
  const { prepare, tell } = teller();
  const page = await open("/", prepare);
  tell("broken", BROKEN);
  const dialog = overlay(page);
  await dialog.waitFor();
  assert.equal(await dialog.getByRole("heading").textContent(), BROKEN.title);
  const text = await dialog.innerText();
  for (const part of ["App/logic/Calc.cs:3:9", "CS0103", "<img src=x onerror=alert(1)>", "<b>two</b>", "and 2 more", "ttd/<b>app</b>"]) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  assert.equal(await dialog.locator("img, b").count(), 0);
  await picture(page, "overlay-text");
  tell("building", {});
  await dialog.getByText("Building again").waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  tell("hello", { reload: null, broken: BROKEN });
  await page.waitForTimeout(700);
  assert.equal(await dialog.count(), 0);
  tell("broken", { ...BROKEN, number: 9 });
  await dialog.waitFor();
  tell("mended", {});
  await dialog.waitFor({ state: "detached" });
});

test("an agent that is away is not missed", async () => {
  const page = await open("/", async (page) => {
    await page.route("**/.altinn-local/page.js", (route) =>
      route.fulfill({ contentType: "text/javascript", body: "" }),
    );
  });
  await page.waitForTimeout(300);
  assert.deepEqual(page.complaints, []);
});
