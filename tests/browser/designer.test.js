// Designer from end to end: sign in, make an app, change it, send it, build it, deploy it.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { chromium } from "playwright-core";

import { possible, studio } from "./studio.mjs";
import { until } from "./waiting.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const APP = `story-${Date.now().toString(36).slice(-6)}`;

/** One chapter; where one fails, those that follow have nothing to stand on. */
let torn = !possible && "neither STUDIO_URL nor ALTINN_SERVICES is set";
const chapter = (name, tell) =>
  test(name, { timeout: 240_000 }, async (context) => {
    if (torn) return context.skip(torn);
    torn = `"${name}" failed`;
    await tell();
    torn = false;
  });

let world;
let browser;
let page;
const complaints = [];
const barriers = [];

before(async () => {
  if (!possible) return;
  world = await studio();
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost",
    ],
  });
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, locale: "en-GB", reducedMotion: "reduce" });
  page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => {
    // Before the sign-in, 401 is the answer to who one is; 409 tells of others and of conflicts.
    if (message.type() === "error" && !/status of (401|409)/.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => void dialog.accept());
});

after(async () => {
  await browser?.close();
  await world?.end();
});

/** What axe finds on the page as it is, in light and dark, wide and narrow, is told at the end; with pictures. */
async function look(name) {
  // Texts fade in and buttons change colour for a moment.
  for (const [width, scheme] of [[1360, "light"], [1360, "dark"], [360, "light"], [360, "dark"]]) {
    await page.setViewportSize({ width, height: width === 360 ? 780 : 860 });
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForTimeout(250);
    await picture(`${name}-${width}-${scheme}`);
    await page.evaluate(AXE);
    const judge = () => page.evaluate(async () => {
      const { violations } = await axe.run(document, {
        runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        // bpmn-js' own drawing and palette have their own rules of keys and names.
        exclude: [[".djs-container"]],
      });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 4).map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).join(" | ")}`);
    });
    let found = await judge();
    if (found.length > 0) {
      // On a busy machine the colours of the other scheme may still be on their way.
      await page.waitForTimeout(1_500);
      found = await judge();
    }
    barriers.push(...found.map((barrier) => `${name}, ${width} px, ${scheme}: ${barrier}`));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) barriers.push(`${name} is ${wide} px wider than ${width}`);
  }
  await page.setViewportSize({ width: 1360, height: 860 });
  await page.emulateMedia({ colorScheme: "light" });
}

async function picture(name) {
  if (!process.env.PICTURES) return;
  await mkdir(process.env.PICTURES, { recursive: true });
  await page.screenshot({ path: join(process.env.PICTURES, `${name}.png`), fullPage: true });
}

const part = (name) => page.getByRole("navigation").getByRole("link", { name: new RegExp(`^${name}`) }).click();
const heading = (name) => page.getByRole("heading", { level: 1, name }).waitFor();
const saved = () => page.locator(".save-state[data-phase=kept]").waitFor();
const components = () => page.locator(".canvas .component-name").allTextContents();

chapter("signs in through Gitea", async () => {
  await page.goto(world.url);
  await page.getByText("Stand-in for Altinn Studio Designer").waitFor();
  await look("sign-in");
  await page.getByRole("link", { name: "Sign in with Gitea" }).click();
  await page.locator("#user_name").fill(world.user);
  await page.locator("#password").fill(world.password);
  await page.locator("#password").press("Enter");
  // Gitea asks once whether Designer may; an application of the set-up is known already.
  const granted = page.getByRole("button", { name: /authorize/i });
  await Promise.race([granted.waitFor(), heading("Apps")]);
  if (await granted.isVisible()) await granted.click();
  await heading("Apps");
  const cookies = await page.context().cookies(world.url);
  const session = cookies.find((cookie) => cookie.name === "AltinnStudioDesigner");
  assert.ok(session.httpOnly && session.sameSite === "Lax" && session.path === "/");
});

chapter("makes an app from the template", async () => {
  await page.getByRole("button", { name: "New app" }).click();
  await page.getByLabel("Owner").selectOption("ttd");
  await page.getByLabel("Name", { exact: false }).fill("Not A Name");
  await page.getByRole("button", { name: "Make the app" }).click();
  await page.getByText("Use small letters, digits and hyphens, at most").waitFor();
  await look("new-app");
  await page.getByLabel("Name", { exact: false }).fill(APP);
  await page.getByRole("button", { name: "Make the app" }).click();
  await heading("Overview");
  await page.getByText("The app, from the template").waitFor();
  await look("overview");
  await page.goto(`${world.url}/dashboard`);
  await page.getByRole("link", { name: `ttd/${APP}`, exact: true }).waitFor();
  await look("apps");
  await page.getByRole("button", { name: "Norsk" }).click();
  await heading("Apper");
  assert.equal(await page.evaluate(() => document.documentElement.lang), "nb");
  await picture("apps-norwegian");
  await page.getByRole("button", { name: "English" }).click();
  await heading("Apps");
  await page.getByRole("link", { name: `ttd/${APP}`, exact: true }).click();
  await heading("Overview");
});

chapter("changes a text", async () => {
  await part("Texts");
  await heading("Texts");
  await page.getByLabel("appName in NB").fill("Støtte til gatefest");
  await saved();
  await page.reload();
  assert.equal(await page.getByLabel("appName in NB").inputValue(), "Støtte til gatefest");
  await look("texts");
});

chapter("adds a component, and moves it by keys and by mouse", async () => {
  await part("Form");
  await heading("Form");
  await page.locator(".component").first().waitFor();
  const before = await components();
  await page.getByRole("button", { name: "Add Long answer" }).click();
  await page.getByRole("group", { name: "Label" }).getByLabel("Label EN").fill("Why this event?");
  await page.getByRole("group", { name: "Label" }).getByLabel("Label NB").fill("Hvorfor dette arrangementet?");
  await page.getByText("Why this event?").waitFor();
  await page.getByLabel("Must be filled in").check();
  const added = await components();
  assert.equal(added.length, before.length + 1);
  const from = added.indexOf("Why this event?");
  assert.equal(from, before.length - 1, "above the buttons that end the page");

  const handle = page.getByRole("button", { name: "Move Why this event?" });
  await handle.focus();
  await page.keyboard.press("Space");
  await page.getByText(`Why this event? is now at place ${from + 1} of`).waitFor({ state: "attached" });
  await page.keyboard.press("ArrowUp");
  await page.getByText(`is now at place ${from} of`).waitFor({ state: "attached" });
  await page.keyboard.press("Space");
  await until("the move by keys", async () => (await components())[from - 1] === "Why this event?");

  const source = await handle.boundingBox();
  const target = await page.locator(".canvas .sort-item").nth(1).boundingBox();
  await page.mouse.move(source.x + 10, source.y + 10);
  await page.mouse.down();
  await page.mouse.move(source.x + 10, source.y - 20, { steps: 5 });
  await page.mouse.move(target.x + 10, target.y + 8, { steps: 12 });
  await page.mouse.up();
  await until("the move by mouse", async () => (await components())[1] === "Why this event?");

  // Out of the palette to the top of the page.
  const item = await page.getByRole("button", { name: "Add Paragraph" }).boundingBox();
  const first = await page.locator(".canvas .sort-item").first().boundingBox();
  await page.mouse.move(item.x + 20, item.y + 10);
  await page.mouse.down();
  await page.mouse.move(item.x + 60, item.y + 30, { steps: 5 });
  await page.mouse.move(first.x + 20, first.y + 10, { steps: 12 });
  await page.mouse.up();
  await until("the paragraph", async () => (await components()).length === added.length + 1);
  assert.match((await components())[0], /Paragraph/);
  await page.getByRole("button", { name: "Delete the component" }).click();
  await until("its end", async () => (await components()).length === added.length);
  await page.getByRole("button", { name: /^Why this event\?/ }).first().click();
  await saved();
  await look("form");
  await page.getByText("Preview", { exact: true }).click();
  await page.getByRole("textbox", { name: /Why this event/ }).waitFor();
  await look("preview");
});

chapter("shows process, data model, access, settings and files", async () => {
  await part("Process");
  await page.locator(".djs-shape").first().waitFor();
  await page.getByLabel("Step", { exact: true }).selectOption("Task_1");
  await page.getByLabel("Name", { exact: true }).fill("Søknad");
  await until("the new name in the drawing", () => page.locator(".djs-label", { hasText: "Søknad" }).count());
  // A step more, without a mouse.
  const steps = () => page.getByLabel("Step", { exact: true }).locator("option").count();
  const count = await steps();
  await page.getByRole("button", { name: "New step after this one" }).press("Enter");
  await until("a step more", async () => (await steps()) === count + 1);
  await page.getByLabel("Name", { exact: true }).fill("Bekreftelse");
  await page.getByLabel("Type of step").selectOption("confirmation");
  await until("its name in the drawing", () => page.locator(".djs-label", { hasText: "Bekreftelse" }).count());
  await saved();
  await look("process");
  await part("Data model");
  await page.getByLabel("New field").fill("reason");
  await page.getByRole("button", { name: "Add" }).click();
  await page.locator(".fields code", { hasText: /^reason$/ }).waitFor();
  await saved();
  await look("model");
  await part("Access");
  await page.locator(".rule").first().waitFor();
  await page.getByLabel("New role in rule 1").fill("HADM");
  await page.locator(".rule").first().getByRole("button", { name: "Add" }).click();
  await page.getByRole("button", { name: "Remove the role HADM" }).waitFor();
  await saved();
  await look("access");
  await part("Settings");
  await page.getByLabel("Persons").check();
  await saved();
  await look("settings");
  await part("Files");
  await page.getByRole("searchbox").fill("applicationmetadata");
  await page.getByRole("link", { name: "applicationmetadata.json" }).click();
  const editor = page.getByRole("textbox", { name: "Contents of App/config/applicationmetadata.json" });
  await editor.waitFor();
  await look("files");
  await editor.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("x");
  await page.getByText("1 fault in the file").waitFor();
  await page.keyboard.press("Backspace");
  await page.getByText("1 fault in the file").waitFor({ state: "detached" });
  await saved();
});

chapter("shows the changes, commits and pushes", async () => {
  await part("Changes");
  await page.getByText("App/config/texts/resource.nb.json").click();
  const diff = page.getByRole("region", { name: "Changes of App/config/texts/resource.nb.json" });
  await diff.getByText("Støtte til gatefest").waitFor();
  // One text was changed and one was added, which needs a comma: no line more.
  const lines = (kind) => diff.locator(`tr[data-kind='${kind}']`).count();
  assert.deepEqual([await lines("-"), await lines("+")], [2, 3]);
  const form = page.locator("summary .path", { hasText: "layouts/" });
  assert.equal(await form.count(), 1);
  await look("changes");
  await page.getByRole("button", { name: "Commit and push" }).click();
  await page.getByText("Write some words on what was changed.").waitFor();
  await page.getByLabel("What was changed?").fill("A question more");
  await page.getByRole("button", { name: "Commit and push" }).click();
  await page.getByText("The changes are in Gitea.").waitFor();
  await page.getByText("No changes since the last commit.").waitFor();
});

chapter("builds a release, watches its log, deploys and undeploys", async () => {
  await part("Deploy");
  await heading("Deploy");
  await until("a version", async () => (await page.getByLabel("Version", { exact: true }).inputValue()) === "1.0.0");
  await page.getByLabel("Notes").fill("With a question more");
  await page.getByRole("button", { name: "Build the release" }).click();
  const log = page.getByRole("log", { name: "Log of 1.0.0" });
  await log.getByText("Starting:").first().waitFor();
  await page.locator("[data-state='state.running']").first().waitFor();
  await picture("deploy-log");
  await page.locator(".release [data-state='state.succeeded']").first().waitFor({ timeout: 180_000 });
  await log.getByText("HEAD is now at").waitFor();
  if (world.fake) assert.match([...world.fake.builds.values()][0].texts, /Støtte til gatefest/);
  await page.getByText("The team Deploy-TT02 may deploy here.").waitFor();
  await page.getByRole("button", { name: "Deploy: 1.0.0 to local" }).click();
  await page.getByText("Version 1.0.0 is in operation").waitFor({ timeout: 180_000 });
  const link = page.getByRole("link", { name: "Open the app in local" });
  assert.match(await link.getAttribute("href"), new RegExp(`^http://ttd\\.apps\\.altinn\\.localhost:\\d+/ttd/${APP}$`));
  await page.locator(".environment [data-state='state.succeeded']").waitFor();
  await look("deploy");
  await page.getByRole("button", { name: "Undeploy" }).click();
  await page.getByText("Version 1.0.0 is in operation").waitFor({ state: "detached", timeout: 180_000 });
  await page.getByText("Taken out of local").waitFor();
});

chapter("takes in what others sent, and resolves a conflict without loss", async () => {
  if (!world.gitea) return;
  const content = `/repos/ttd/${APP}/contents/`;
  const texts = `${content}App/config/texts/resource.nb.json`;
  // As somebody who works in an editor of their own, and pushes.
  const write = async (path, message, change) => {
    const { content, sha } = await world.gitea.call("GET", path);
    const text = change(Buffer.from(content, "base64").toString());
    await world.gitea.call("PUT", path, { message, sha, content: Buffer.from(text).toString("base64") });
  };
  await write(`${content}README.md`, "A word in the README", (text) => `${text}\nA word of another.\n`);
  await part("Changes");
  await page.reload();
  await page.getByText("Others have sent 1 commit. Pull it before you send yours.").waitFor();
  await page.getByRole("button", { name: "Pull" }).click();
  await page.getByText("The changes are here.").waitFor();
  await page.getByText("A word in the README").waitFor();

  await write(texts, "Another name", (text) => text.replace("Støtte til gatefest", "Støtte til karneval"));
  await part("Texts");
  await page.getByLabel("appName in NB").fill("Støtte til marked");
  await saved();
  await part("Changes");
  await page.getByLabel("What was changed?").fill("My name for it");
  await page.getByRole("button", { name: "Commit and push" }).click();
  await page.getByText("Others have sent changes. Pull them first.").waitFor();
  await page.getByRole("button", { name: "Pull" }).click();
  await page.getByText("Your changes and those of others meet").waitFor();
  await page.getByText("App/config/texts/resource.nb.json").click();
  const both = page.getByRole("region", { name: "Changes of App/config/texts/resource.nb.json" });
  await both.getByText("Støtte til karneval").waitFor();
  await look("conflict");
  await page.getByLabel("What was changed?").fill("Both names");
  await page.getByRole("button", { name: "Commit and push" }).click();
  await page.getByText("A file still has a conflict.").waitFor();
  await page.getByRole("button", { name: "Take mine" }).click();
  await both.getByText("Støtte til karneval").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Commit and push" }).click();
  await page.getByText("The changes are in Gitea.").waitFor();
  const sent = await world.gitea.call("GET", texts);
  assert.match(Buffer.from(sent.content, "base64").toString(), /Støtte til marked/);
  const log = await world.gitea.call("GET", `/repos/ttd/${APP}/commits?limit=4&stat=false`);
  const messages = log.map(({ commit }) => commit.message.trim());
  for (const message of ["Both names", "My name for it", "Another name"]) assert.ok(messages.includes(message), message);
});

chapter("works on a branch of its own", async () => {
  await part("Changes");
  await page.getByRole("button", { name: "New branch" }).click();
  await page.getByLabel("Name of the branch").fill("feature/name");
  await page.getByRole("button", { name: "Make the branch" }).click();
  await page.getByText("The branch is only here until you push it.").waitFor();
  await part("Texts");
  await page.getByLabel("appName in EN").fill("On a branch");
  await saved();
  await part("Changes");
  // What is not committed stays here, whatever branch one wants.
  await page.getByLabel("What was changed?").fill("On a branch");
  await page.getByRole("button", { name: "Commit and push" }).click();
  await page.getByText("The changes are in Gitea.").waitFor();
  await page.getByLabel("Branch", { exact: true }).selectOption("master");
  await until("master", async () => (await page.getByLabel("Branch", { exact: true }).inputValue()) === "master");
  await part("Texts");
  await until("its text", async () => (await page.getByLabel("appName in EN").inputValue()) !== "On a branch");
});

chapter("a build that fails says where", async () => {
  await part("Files");
  await page.getByRole("button", { name: "New file" }).click();
  await page.getByLabel("Path").fill("App/Broken.cs");
  await page.getByRole("button", { name: "Add" }).click();
  const editor = page.getByRole("textbox", { name: "Contents of App/Broken.cs" });
  await editor.click();
  await page.keyboard.type("class Broken\n{\nint x\n}");
  await saved();
  await part("Changes");
  await page.getByLabel("What was changed?").fill("Something broken");
  await page.getByRole("button", { name: "Commit and push" }).click();
  await page.getByText("The changes are in Gitea.").waitFor();
  await part("Deploy");
  await until("the next version", async () => (await page.getByLabel("Version", { exact: true }).inputValue()) === "1.0.1");
  await page.getByRole("button", { name: "Build the release" }).click();
  await page.getByRole("log", { name: "Log of 1.0.1" }).getByText(/Broken\.cs\(3,\d+\): error CS1002/).first().waitFor({ timeout: 180_000 });
  await page.locator(".release [data-state='state.failed']").first().waitFor();
  await look("failed");
});

test("there are no barriers, and the browser did not complain", { skip: !possible }, () => {
  assert.deepEqual(barriers, []);
  assert.deepEqual(complaints, []);
});
