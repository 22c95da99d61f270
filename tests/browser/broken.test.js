// What was saved and cannot serve is shown over the page, until it is mended.

import assert from "node:assert/strict";
import { test } from "node:test";

import { edit, open, overlay, picture, restore } from "./world.js";

const CODE = "App/logic/GrantCalculation.cs";

test("what does not compile is shown over the page until it does", async () => {
  const pages = [await open(), await open()];
  const [page] = pages;
  await page.locator("main input").first().fill("typed by somebody");
  await edit(CODE, (text) => text.replace("model.Grant = model.TotalCost", "model.Grant = totalCost"));
  for (const page of pages) await overlay(page).waitFor({ timeout: 90_000 });
  const dialog = overlay(page);
  const text = await dialog.innerText();
  assert.match(text, /App\/logic\/GrantCalculation\.cs:11:\d+/);
  assert.match(text, /CS0103/);
  assert.match(text, /> +11 +.*totalCost/);
  await picture(page, "overlay");
  // Somebody who comes later sees it, too.
  const later = await open();
  await overlay(later).waitFor();
  await restore();
  for (const page of [...pages, later]) await overlay(page).waitFor({ state: "detached", timeout: 90_000 });
  // What served is what serves: nothing is new.
  assert.deepEqual([...pages, later].map((page) => page.loads), [1, 1, 1]);
  assert.equal(await page.locator("main input").first().inputValue(), "typed by somebody");
  await picture(page, "mended");
});

test("an app that ends at its start is shown over the page, which serves on", async () => {
  const page = await open();
  await edit("App/Program.cs", (text) =>
    text.replace("using IHost host", 'throw new InvalidOperationException("no key in the vault");\n#pragma warning disable CS0162\n            using IHost host'),
  );
  const dialog = overlay(page);
  await dialog.waitFor({ timeout: 90_000 });
  const text = await dialog.innerText();
  assert.match(text, /AL3303/);
  assert.match(text, /altinn-local logs/);
  // What an app says is for its developer alone; whoever reaches the router can ask for this.
  assert.doesNotMatch(text, /vault/);
  await picture(page, "overlay-crash");
  const later = await open();
  await later.locator("main input").first().waitFor({ state: "attached" });
  await overlay(later).waitFor();
  await restore();
  for (const page of [later, await open()]) await overlay(page).waitFor({ state: "detached", timeout: 90_000 });
  await dialog.waitFor({ state: "detached" });
});

test("settings that are not understood are shown until they are", async () => {
  const page = await open();
  await edit("altinn-local.yaml", () => "apps:\n  - path: .\n    wach: {}\n");
  await overlay(page).waitFor({ timeout: 30_000 });
  assert.match(await overlay(page).innerText(), /unknown key `wach`[^]*AL2001/i);
  await restore();
  await overlay(page).waitFor({ state: "detached", timeout: 30_000 });
  assert.equal(page.loads, 1);
});
