// Designer's pages in a real browser that asks nobody outside, for somebody who can sign in.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { arrive, launch } from "./chromium.mjs";

/** A browser with a page, and how to get about in it. */
export async function designer({ url, user, password }) {
  const browser = await launch();
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, locale: "en-GB", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("dialog", (dialog) => void dialog.accept());
  const heading = (name) => page.getByRole("heading", { level: 1, name }).waitFor();
  const part = (name) => page.getByRole("navigation").getByRole("link", { name: new RegExp(`^${name}`) }).click();

  /** All that was changed, whatever comes of it. */
  async function send(words) {
    await part("Changes");
    await page.getByLabel("What was changed?").fill(words);
    await page.getByRole("button", { name: "Commit and push" }).click();
  }

  return {
    browser,
    page,
    heading,
    end: () => browser.close(),
    part,
    send,
    saved: () => page.locator(".save-state[data-phase=kept]").waitFor(),

    async commit(words) {
      await send(words);
      await page.getByText("The changes are in Gitea.").waitFor();
    },

    /** Through Gitea's own page, and its question whether Designer may, when it asks. */
    async signIn() {
      await arrive(() => page.goto(url));
      await page.getByRole("link", { name: "Sign in with Gitea" }).click();
      await page.locator("#user_name").fill(user);
      await page.locator("#password").fill(password);
      await page.locator("#password").press("Enter");
      const granted = page.getByRole("button", { name: /authorize/i });
      await Promise.race([granted.waitFor(), heading("Apps")]);
      if (await granted.isVisible()) await granted.click();
      await heading("Apps");
    },

    async picture(name) {
      if (!process.env.PICTURES) return;
      await mkdir(process.env.PICTURES, { recursive: true });
      await page.screenshot({ path: join(process.env.PICTURES, `${name}.png`), fullPage: true });
    },
  };
}
