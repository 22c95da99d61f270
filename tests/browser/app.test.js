// The sample app as somebody uses it: logs in, chooses a party, fills in, attaches a file, sends in, sees the receipt.

import assert from "node:assert/strict";
import { test } from "node:test";

import { arrive } from "./chromium.mjs";
import { platformOf } from "./person.js";
import { kept } from "./stores.js";
import { openAsStranger, picture, program, until, url } from "./world.js";

const PDF = Buffer.from("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n");
const file = (name, mimeType, buffer) => ({ name, mimeType, buffer });
const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Through the log-in page, as the test person of Altinn's own localtest. */
async function loggedIn() {
  const page = await openAsStranger();
  await page.waitForURL((address) => address.host === platformOf(url), { timeout: 20_000 });
  await picture(page, "app-1-log-in");
  await page.getByRole("button", { name: "Log in as Sophie Salt" }).click();
  await page.waitForURL((address) => address.href.startsWith(url));
  return page;
}

/** A new form for DDG Fitness, whether or not there are others that are not finished. */
async function begun() {
  const page = await loggedIn();
  await page.getByRole("heading", { name: "Hvem fyller du ut for?" }).waitFor();
  await picture(page, "app-2-party");
  await page.getByRole("button", { name: /^DDG Fitness 897069650/ }).click();
  const fresh = button(page, "Start et nytt skjema");
  await page.locator("#event-name").or(fresh).waitFor();
  if (await fresh.isVisible()) {
    await picture(page, "app-3-active");
    await fresh.click();
  }
  await page.locator("#event-name").waitFor();
  return page;
}

const says = (page, text) => until(text, async () => (await page.locator("#status").textContent()).includes(text), 10);
const shown = (page, selector) => page.locator(selector).inputValue();

test("a form is filled in, kept, refused, sent in", async () => {
  const page = await begun();
  await page.getByText("Fylles ut for DDG Fitness").waitFor();

  // What is typed is saved and calculated with, and is there again when the page is loaded anew.
  await page.fill("#event-name", "Sommerfest");
  await page.selectOption("#event-type", "concert");
  await page.fill("#participants", "40");
  await page.fill("#cost-per-participant", "250");
  await until("the sum", async () => (await shown(page, "#total-cost")).replaceAll(/\s/g, "") === "10000", 10);
  await says(page, "Lagret.");
  await arrive(() => page.reload());
  await page.locator("#event-name").waitFor();
  assert.equal(await shown(page, "#event-name"), "Sommerfest");
  assert.equal(await shown(page, "#event-type"), "concert");

  // What two fields say together is told at once; what is missing, when it is sent in.
  await page.fill("#own-share", "99999");
  await until("the error", async () => (await page.locator("#own-share-error").textContent()) !== "", 10);
  await page.fill("#own-share", "1000");
  await until("no error", async () => (await page.locator("#own-share-error").textContent()) === "", 10);
  await button(page, "Send inn").click();
  await says(page, "Noe må rettes");
  assert.equal(await page.evaluate(() => document.activeElement.id), "contact-email");
  await picture(page, "app-4-refused");
  await page.fill("#contact-email", "kari@example.com");

  await page.setInputFiles("#attachments", [file("kart.pdf", "application/pdf", PDF), file("plan.txt", "text/plain", Buffer.from("Kl. 18"))]);
  await page.getByRole("link", { name: "plan.txt" }).waitFor();
  await page.setInputFiles("#attachments", file("virus.exe", "application/x-msdownload", Buffer.from("MZ")));
  await page.getByText(/virus\.exe: Filer av denne typen/).waitFor();
  await page.setInputFiles("#attachments", file("stor.pdf", "application/pdf", Buffer.alloc(6 * 1024 * 1024, 1)));
  await page.getByText(/stor\.pdf: Filen er større enn 5 MB/).waitFor();
  await page.locator("#attachments-error").scrollIntoViewIfNeeded();
  await picture(page, "app-5-files");
  await button(page, "Fjern plan.txt").click();
  await page.getByRole("link", { name: "plan.txt" }).waitFor({ state: "detached" });

  await picture(page, "app-6-filled-in");
  await button(page, "Send inn").click();
  await page.getByRole("heading", { name: "Skjemaet er sendt inn" }).waitFor();
  await picture(page, "app-7-receipt");

  // The address is the receipt's, for good; the file is there to be fetched.
  await arrive(() => page.reload());
  await page.getByRole("heading", { name: "Skjemaet er sendt inn" }).waitFor();
  await page.getByText("Sommerfest").waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "kart.pdf" }).click()]);
  assert.equal(download.suggestedFilename(), "kart.pdf");
  const id = new URL(page.url()).hash.replace("#/instance/", "");
  await kept({ app: url, program, user: 1337, id, text: "Sommerfest", name: "kart.pdf", bytes: PDF });
  assert.deepEqual(page.complaints.filter((text) => !/status of (400|401|409)/.test(text)), []);
});

test("an unfinished form is found again; with the keyboard alone, in English", async () => {
  const page = await begun();
  const address = page.url();
  await page.fill("#event-name", "To be continued");
  await says(page, "Lagret.");
  await page.goto("about:blank");
  await arrive(() => page.goto(`${url}/`));
  await page.locator("#languages [lang=en]").focus();
  await page.keyboard.press("Enter");
  // What is on the screen is drawn anew in the other language, and the focus of what was there is gone.
  await page.locator("#languages [lang=en][aria-pressed=true]").waitFor();
  await page.getByRole("heading", { name: "Whom do you fill in for?" }).waitFor();
  await page.getByRole("button", { name: /^DDG Fitness 897069650/ }).focus();
  await page.keyboard.press("Enter");
  const link = page.locator(`a[href$="${new URL(address).hash}"]`);
  await link.waitFor();
  await picture(page, "app-8-active");
  await link.focus();
  await page.keyboard.press("Enter");
  await page.locator("#event-name").waitFor();
  assert.equal(await shown(page, "#event-name"), "To be continued");
  assert.equal(await page.locator("label[for=event-name]").textContent(), "Name of the event *");
  await picture(page, "app-9-english");
});
