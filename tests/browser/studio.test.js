// The round trip: an app is made in Studio, changed, released, deployed, and used in its organisation's cluster; then a
// mistake in its C#, which stops at the build. All parts are real: `STUDIO_URL` names a stack that is up.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { arrive } from "./chromium.mjs";
import { ask, begun } from "./person.js";
import { designer } from "./designer.mjs";
import { until } from "./waiting.mjs";

const APP = `runde-${Date.now().toString(36).slice(-6)}`;
const possible = Boolean(process.env.STUDIO_URL);
const reason = !possible && "STUDIO_URL is not set";
/** What a build may take when nothing is warm, and others work too. */
const PATIENCE = 240_000;

let studio;
let page;
let app;

before(async () => {
  if (!possible) return;
  studio = await designer({ url: process.env.STUDIO_URL, user: process.env.STUDIO_USER, password: process.env.STUDIO_PASSWORD });
  page = studio.page;
});
after(() => studio?.end());

let torn = reason;
const chapter = (name, tell) =>
  test(name, { timeout: 2 * PATIENCE }, async (context) => {
    if (torn) return context.skip(torn);
    torn = `"${name}" failed`;
    try {
      await tell();
    } catch (error) {
      await studio.picture("studio-torn");
      throw error;
    }
    torn = false;
  });

const release = (version) => page.locator(".release").filter({ hasText: version }).first();

async function build(version) {
  await studio.part("Deploy");
  const field = page.getByLabel("Version", { exact: true });
  await until("the page", () => field.inputValue());
  await field.fill(version);
  await page.getByRole("button", { name: "Build the release" }).click();
  return page.getByRole("log", { name: `Log of ${version}` });
}

/** What the app's page says to somebody who is logged in. */
async function shown() {
  const context = await studio.browser.newContext({ viewport: { width: 1000, height: 900 } });
  try {
    const form = await begun(context, app);
    const opened = await context.newPage();
    await arrive(() => opened.goto(`${app}/${form}`));
    await opened.locator("#event-name").waitFor();
    if (process.env.PICTURES) await opened.screenshot({ path: `${process.env.PICTURES}/studio-app.png` });
    return await opened.locator("body").innerText();
  } finally {
    await context.close();
  }
}

chapter("an app is made from the template, its text and its form are changed, and sent to Gitea", async () => {
  await studio.signIn();
  await page.getByRole("button", { name: "New app" }).click();
  await page.getByLabel("Owner").selectOption("ttd");
  await page.getByLabel("Name", { exact: false }).fill(APP);
  await page.getByRole("button", { name: "Make the app" }).click();
  await studio.heading("Overview");
  await studio.part("Texts");
  await page.getByLabel("appName in NB").fill("Støtte til rundturen");
  await studio.saved();
  await studio.part("Form");
  await page.locator(".component").first().waitFor();
  await page.getByRole("button", { name: "Add Long answer" }).click();
  await page.getByRole("group", { name: "Label" }).getByLabel("Label NB").fill("Hvorfor denne turen?");
  await studio.saved();
  await studio.commit("feat: the way round");
});

chapter("release 1.0.0 is built for real, deployed, and the app shows what was changed", async () => {
  const log = await build("1.0.0");
  await log.getByText("HEAD is now at").waitFor({ timeout: PATIENCE });
  await studio.picture("studio-building");
  await log.getByText("Push image").first().waitFor({ timeout: PATIENCE });
  await release("1.0.0").locator("[data-state='state.succeeded']").waitFor({ timeout: PATIENCE });
  const pressed = Date.now();
  await page.getByRole("button", { name: "Deploy: 1.0.0 to local" }).click();
  await page.getByText("Version 1.0.0 is in operation").waitFor({ timeout: PATIENCE });
  await studio.picture("studio-deployed");
  app = await page.getByRole("link", { name: "Open the app in local" }).getAttribute("href");
  assert.match(app, new RegExp(`^http://ttd\\.apps\\.altinn\\.localhost:\\d+/ttd/${APP}$`));
  const text = await shown();
  assert.match(text, /Støtte til rundturen/);
  assert.match(text, /Hvorfor denne turen\?/);
  console.log(`deployed and used within ${((Date.now() - pressed) / 1000).toFixed(1)} s of the press`);
});

chapter("a mistake in C# fails the build, the page says where, and the old version serves", async () => {
  await studio.part("Files");
  await page.getByRole("button", { name: "New file" }).click();
  await page.getByLabel("Path").fill("App/Broken.cs");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByRole("textbox", { name: "Contents of App/Broken.cs" }).click();
  await page.keyboard.type("class Broken\n{\nint x\n}");
  await studio.saved();
  await studio.commit("fix: something broken");
  await build("1.0.1");
  await release("1.0.1").locator("[data-state='state.failed']").waitFor({ timeout: PATIENCE });
  const errors = page.locator(".build-errors");
  await errors.getByText("CS1002").first().waitFor();
  await errors.getByRole("link", { name: "App/Broken.cs, line 3" }).waitFor();
  await studio.picture("studio-failed");
  assert.equal((await ask("GET", `${app}/health`)).status, 200);
  assert.match(await shown(), /Støtte til rundturen/);
});
