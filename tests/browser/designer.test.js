// Designer from end to end: sign in, make an app, change it, send it, build it, deploy it.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { arrive } from "./chromium.mjs";
import { designer } from "./designer.mjs";
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
let pages;
let page;
const complaints = [];
const barriers = [];

before(async () => {
  if (!possible) return;
  world = await studio();
  pages = await designer(world);
  page = pages.page;
  page.on("console", (message) => {
    // Before the sign-in, 401 is the answer to who one is; 409 tells of others and of conflicts. Containers of others
    // that come and go change the machine's network; the pages ask again.
    if (message.type() === "error" && !/status of (401|409)|ERR_NETWORK_CHANGED/.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
});

after(async () => {
  await pages?.end();
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

const picture = (name) => pages.picture(name);
const part = (name) => pages.part(name);
const heading = (name) => pages.heading(name);
const saved = () => pages.saved();
const components = () => page.locator(".canvas .component-name").allTextContents();

/** Where something is when it does not move any more. */
async function rest(locator) {
  let last = {};
  return until("it lies still", async () => {
    const box = await locator.boundingBox();
    const still = box?.x === last?.x && box?.y === last?.y;
    last = box;
    await page.waitForTimeout(100);
    return still && box;
  });
}

/** Takes one thing to another by mouse, and lets it go when the page has said where it is: as people do who look. */
async function drag(thing, place, said) {
  const [source, target] = [await rest(thing), await rest(place)];
  await page.mouse.move(source.x + 10, source.y + 10);
  await page.mouse.down();
  await page.mouse.move(source.x + 10, source.y + 25, { steps: 5 });
  await page.mouse.move(target.x + 10, target.y + 10, { steps: 12 });
  await page.getByText(said).waitFor({ state: "attached" });
  await page.mouse.up();
}

chapter("signs in through Gitea", async () => {
  await arrive(() => page.goto(world.url));
  await page.getByText("Stand-in for Altinn Studio Designer").waitFor();
  await look("sign-in");
  await pages.signIn();
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
  await arrive(() => page.goto(`${world.url}/dashboard`));
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
  await arrive(() => page.reload());
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

  await drag(handle, page.locator(".canvas .sort-item").nth(1), "Why this event? is now at place 2 of");
  await until("the move by mouse", async () => (await components())[1] === "Why this event?");

  // Out of the palette to the top of the page.
  await drag(page.getByRole("button", { name: "Add Paragraph" }), page.locator(".canvas .sort-item").first(), "Paragraph is now at place 1 of");
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
  await page.getByLabel("New field").fill("Model");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("it can have no property Model").waitFor();
  await page.getByRole("button", { name: "Delete the field Model" }).click();
  await page.getByText("it can have no property Model").waitFor({ state: "detached" });
  await saved();
  const path = `/designer/api/v1/apps/ttd/${APP}/diff?path=App/models/model.cs`;
  const { lines: changed } = await page.evaluate(async (path) => (await fetch(path)).json(), path);
  const added = changed.filter(({ kind }) => kind === "+").map(({ text }) => text.trim());
  assert.deepEqual(added.filter(Boolean), ['[XmlElement("reason")]', '[JsonPropertyName("reason")]', "public string Reason { get; set; }"]);
  assert.deepEqual(changed.filter(({ kind }) => kind === "-"), []);
  await part("Access");
  await page.locator(".rule").first().waitFor();
  await page.getByLabel("New role in rule 1").fill("HADM");
  await page.locator(".rule").first().getByRole("button", { name: "Add" }).click();
  await page.getByRole("button", { name: "Remove the role HADM" }).waitFor();
  await saved();
  await look("access");
  await part("Settings");
  await page.getByLabel("Persons").check();
  await page.locator("summary", { hasText: "attachments" }).click();
  const attachments = page.getByRole("group", { name: "attachments" });
  const size = attachments.getByLabel("Largest size in MB");
  await size.fill("0");
  await page.getByText("Write a whole number from 1 on.").waitFor();
  await look("settings");
  await size.fill("7");
  await attachments.getByLabel("Content types").fill("image/png, image/webp");
  await attachments.getByLabel("Step", { exact: true }).selectOption("");
  await page.getByLabel("New data type").fill("model");
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByText("There is a data type of this id.").waitFor();
  await page.getByLabel("New data type").fill("picture");
  await page.getByRole("button", { name: "Add" }).click();
  await page.locator("summary", { hasText: "picture" }).waitFor();
  await saved();
  const { dataTypes } = JSON.parse(await page.evaluate(async (path) => (await (await fetch(path)).json()).text, `/designer/api/v1/apps/ttd/${APP}/file?path=App/config/applicationmetadata.json`));
  assert.deepEqual(dataTypes.slice(2), [
    { id: "attachments", allowedContentTypes: ["image/png", "image/webp"], maxSize: 7, maxCount: 3, minCount: 0 },
    { id: "picture", allowedContentTypes: [], maxCount: 0, minCount: 0 },
  ]);
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

chapter("takes an image in, shows, replaces and deletes it", async () => {
  // One red point, and one green one.
  const point = (colour) => Buffer.from(`iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8${colour}AAAAASUVORK5CYII=`, "base64");
  const [red, green] = [point("z8BQDwAEhQGAhKmMIQ"), point("z0DwHwAFBQIAX8jx0g")];
  const choose = (name, buffer) => page.locator("dialog[open] input[type=file]").setInputFiles({ name, mimeType: "image/png", buffer });
  const raw = `/designer/api/v1/apps/ttd/${APP}/raw?path=App/wwwroot/point.png`;
  const sent = () => page.evaluate(async (path) => {
    const answer = await fetch(path);
    const headers = ["content-type", "content-disposition", "content-security-policy"].map((name) => answer.headers.get(name));
    return { headers, bytes: [...new Uint8Array(await answer.arrayBuffer())] };
  }, raw);
  await part("Files");
  await page.getByRole("button", { name: "Upload a file" }).click();
  const upload = page.locator("dialog[open]").getByRole("button", { name: "Upload", exact: true });
  await upload.click();
  await page.getByText("Choose a file.", { exact: true }).last().waitFor();
  await choose("point.png", Buffer.alloc(10 * 1024 * 1024 + 1));
  await page.getByText("The file is larger than 10 MB.").waitFor();
  await look("upload");
  await choose("point.png", red);
  await upload.click();
  const image = page.getByRole("img", { name: "The image App/wwwroot/point.png" });
  await until("the image", () => image.evaluate((element) => element.complete && element.naturalWidth === 1));
  const first = await sent();
  assert.deepEqual(first.bytes, [...red]);
  assert.deepEqual(first.headers, ["image/png", "attachment", "default-src 'none'; sandbox"]);
  await look("image");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
  assert.equal(download.suggestedFilename(), "point.png");
  await page.getByRole("button", { name: "Replace" }).click();
  await choose("another name.png", green);
  await page.locator("dialog[open]").getByRole("button", { name: "Upload", exact: true }).click();
  await until("the other image", async () => Buffer.from((await sent()).bytes).equals(green));
  await page.getByRole("button", { name: "Delete App/wwwroot/point.png" }).click();
  await page.getByText("Choose a file.").first().waitFor();
  assert.equal(await page.getByRole("link", { name: "point.png" }).count(), 0);
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
  if (world.fake) await page.getByText("The team Deploy-TT02 may deploy here.").waitFor();
  await page.getByRole("button", { name: "Deploy: 1.0.0 to local" }).click();
  await page.getByText("Version 1.0.0 is in operation").waitFor({ timeout: 180_000 });
  const link = page.getByRole("link", { name: "Open the app in local" });
  assert.match(await link.getAttribute("href"), new RegExp(`^http://ttd\\.apps\\.altinn\\.localhost:\\d+/ttd/${APP}$`));
  await page.locator(".environment [data-state='state.succeeded']").waitFor();
  const history = page.getByRole("region", { name: "History of local" });
  if (world.fake) {
    await history.getByText("Helm install succeeded for release").waitFor();
    await world.fake.tellEvent([...world.fake.builds.values()].at(-1), "UpgradeFailed", "The pods did not become ready: ImagePullBackOff");
    await arrive(() => page.reload());
    await page.locator(".environment [data-state='state.clusterFailed']").waitFor();
    await history.locator("[data-failed=true]").getByText("ImagePullBackOff").waitFor();
    await history.locator("[data-state='state.clusterFailed']").waitFor();
  }
  await look("deploy");
  await page.getByRole("button", { name: "Undeploy" }).click();
  await page.getByText("Not in operation").waitFor({ timeout: 180_000 });
  await history.getByText("Taken out of local").waitFor();
  if (world.fake) await history.getByText("Helm uninstall succeeded").waitFor();
});

chapter("takes in what an IDE pushed, and resolves a conflict without loss", async () => {
  if (!world.clone) return;
  const TEXTS = "App/config/texts/resource.nb.json";
  const { folder, git } = await world.clone(`ttd/${APP}`);
  const push = async (path, message, change) => {
    const file = join(folder, path);
    await writeFile(file, change(await readFile(file, "utf8")));
    await git("commit", "--quiet", "-am", message);
    await git("push", "--quiet");
  };
  // Whatever page is open, a look at the window tells; one that comes while an earlier one is answered is not counted.
  const lookBack = (text) =>
    until(text, async () => {
      await page.evaluate(() => void dispatchEvent(new Event("visibilitychange")));
      await page.waitForTimeout(1_000);
      return page.getByText(text).isVisible();
    });
  await part("Texts");
  await page.getByLabel("appName in NB").waitFor();
  await push("README.md", "A word in the README", (text) => `${text}\nA word of another.\n`);
  await push(TEXTS, "A name from the IDE", (text) => text.replace("Støtte til gatefest", "Støtte til byfest"));
  await lookBack("2 commits of others are in Gitea and not here yet.");
  await look("behind");
  await page.getByRole("button", { name: "Pull" }).click();
  await until("the name from the IDE", async () => (await page.getByLabel("appName in NB").inputValue()) === "Støtte til byfest");
  await page.getByText("are in Gitea and not here yet").waitFor({ state: "detached" });
  await part("Changes");
  await page.getByText("A word in the README").waitFor();

  // The other way: what is sent from here is in the IDE after a pull there.
  await part("Texts");
  await page.getByLabel("appName in NB").fill("Støtte til kulturfest");
  await saved();
  await pages.commit("A name from Studio");
  await git("pull", "--quiet", "--ff-only");
  assert.match(await readFile(join(folder, TEXTS), "utf8"), /Støtte til kulturfest/);

  // Both write the same text; the IDE adds an image, too.
  const image = join(folder, "App/wwwroot/logo.png");
  await mkdir(join(folder, "App/wwwroot"), { recursive: true });
  await writeFile(image, Buffer.from([0, 1, 2, 3]));
  await git("add", ".");
  await push(TEXTS, "Another name", (text) => text.replace("Støtte til kulturfest", "Støtte til karneval"));
  await part("Texts");
  await page.getByLabel("appName in NB").fill("Støtte til marked");
  await saved();
  await pages.send("My name for it");
  await page.getByText("Others have sent changes. Pull them first.").waitFor();
  await lookBack("You and others have both made commits: 1 of yours are not in Gitea, 1 of others are not here.");
  await look("diverged");
  await page.getByRole("button", { name: "Pull" }).click();
  await page.getByText("Your changes and those of others meet").waitFor();
  await page.getByText(TEXTS).first().click();
  const both = page.getByRole("region", { name: `Changes of ${TEXTS}` });
  await both.getByText("Støtte til karneval").waitFor();
  await look("conflict");
  await page.getByLabel("What was changed?").fill("Both names");
  await page.getByRole("button", { name: "Commit and push" }).click();
  await page.getByText("A file still has a conflict.").waitFor();
  // One side, then the other: nothing is lost by choosing, until the merge is committed.
  await page.getByRole("button", { name: `Take the other: ${TEXTS}` }).click();
  await page.locator("summary", { hasText: TEXTS }).getByText("Resolved").waitFor();
  await page.getByRole("button", { name: `Take mine: ${TEXTS}` }).click();
  await both.getByText("Støtte til karneval").waitFor({ state: "detached" });
  await page.getByRole("button", { name: `Edit ${TEXTS}` }).click();
  await page.getByText("Resolve the conflicts before you go on.").waitFor();
  const editor = page.getByRole("textbox", { name: `Contents of ${TEXTS}` });
  const text = await page.evaluate(async ({ id, path }) => (await (await fetch(`/designer/api/v1/apps/${id}/file?path=${path}`)).json()).text, { id: `ttd/${APP}`, path: TEXTS });
  await editor.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text.replace("Støtte til marked", "Støtte til marked og karneval"));
  await saved();
  await pages.commit("Both names");
  await git("pull", "--quiet", "--ff-only");
  assert.match(await readFile(join(folder, TEXTS), "utf8"), /"Støtte til marked og karneval"/);
  assert.deepEqual([...(await readFile(image))], [0, 1, 2, 3]);
  const [message, parents] = (await git("log", "-1", "--format=%s%n%p")).trim().split("\n");
  assert.deepEqual([message, parents.split(" ").length], ["Both names", 2]);
  const subjects = (await git("log", "--format=%s")).split("\n");
  for (const own of ["My name for it", "Another name", "A name from Studio", "A name from the IDE"]) assert.ok(subjects.includes(own), own);
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
  await pages.commit("Something broken");
  await part("Deploy");
  await until("the next version", async () => (await page.getByLabel("Version", { exact: true }).inputValue()) === "1.0.1");
  await page.getByRole("button", { name: "Build the release" }).click();
  await page.getByRole("log", { name: "Log of 1.0.1" }).getByText(/Broken\.cs\(3,\d+\): error CS1002/).first().waitFor({ timeout: 180_000 });
  await page.locator(".release [data-state='state.failed']").first().waitFor();
  const errors = page.locator(".build-errors");
  await errors.getByText(/^Stopped at \d error/).waitFor();
  await errors.getByText("CS1002").waitFor();
  await look("failed");
  await errors.getByRole("link", { name: "App/Broken.cs, line 3" }).click();
  await until("the line", async () => (await page.locator(".cm-activeLine").textContent().catch(() => "")) === "int x");
  assert.ok(await editor.evaluate((element) => element === document.activeElement));
});

test("there are no barriers, and the browser did not complain", { skip: !possible }, () => {
  assert.deepEqual(barriers, []);
  assert.deepEqual(complaints, []);
});
