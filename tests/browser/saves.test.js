// From a save to the open page, through all that is between.

import assert from "node:assert/strict";
import { get } from "node:http";
import { afterEach, test } from "node:test";
import { gunzipSync } from "node:zlib";

import { altinnLocal, edit, open, overlay, picture, restore, until, url } from "./world.js";

afterEach(restore);

const PAGE = "App/wwwroot/index.html";
const CODE = "App/logic/GrantCalculation.cs";
const SCRIPT = '<script type="module" src="/.altinn-local/page.js">';

/** An answer as it is, with what this client asks for and nothing more. */
function fetchAs(headers, path = "/") {
  return new Promise((done, failed) => {
    const { host, port, pathname, search } = new URL(url + path);
    const options = { host: "127.0.0.1", port, path: pathname + search, headers: { Host: host, ...headers } };
    get(options, async (answer) => {
      const parts = await answer.toArray();
      done({ headers: answer.headers, body: Buffer.concat(parts) });
    }).on("error", failed);
  });
}

test("a page that is compressed for its reader has the script, a fragment has not", async () => {
  const page = await fetchAs({ Accept: "text/html", "Accept-Encoding": "gzip" });
  assert.equal(page.headers["content-encoding"], "gzip");
  assert.ok(gunzipSync(page.body).includes(SCRIPT));
  const fragment = await fetchAs({ "Sec-Fetch-Dest": "empty", Accept: "text/html" });
  assert.ok(!fragment.body.includes("page.js"));
});

test("a save loads the page again, once, with its place and what was typed", async () => {
  const page = await open();
  const field = page.locator("main input[type=text], main input:not([type])").first();
  await field.waitFor();
  await field.fill("typed by somebody");
  const box = page.locator("main input[type=checkbox]").first();
  const boxes = await box.count();
  if (boxes > 0) await box.check();
  const place = await page.evaluate(() => {
    scrollTo(0, 150);
    return scrollY;
  });
  assert.ok(place > 0, "the page is too short to be scrolled");
  await edit(PAGE, (text) => text.replace("<main>", '<main data-edit="one">'));
  await page.locator("main[data-edit=one]").waitFor({ state: "attached", timeout: 90_000 });
  await until("what was typed", async () => (await field.inputValue().catch(() => "")) === "typed by somebody", 10);
  await until("the place", async () => (await page.evaluate(() => scrollY)) === place, 10);
  if (boxes > 0) assert.ok(await box.isChecked());
  await picture(page, "after-reload");
  await page.waitForTimeout(1_000);
  assert.equal(page.loads, 2);
  assert.deepEqual(page.complaints, []);
});

test("what does not compile is shown over the page until it does", async () => {
  const page = await open();
  await edit(CODE, (text) => text.replace("model.Grant = model.TotalCost", "model.Grant = totalCost"));
  const dialog = overlay(page);
  await dialog.waitFor({ timeout: 90_000 });
  const text = await dialog.innerText();
  assert.match(text, /App\/logic\/GrantCalculation\.cs:11:\d+/);
  assert.match(text, /CS0103/);
  assert.match(text, /> +11 +.*totalCost/);
  await picture(page, "overlay");
  // Somebody who comes later sees it, too.
  const later = await open();
  await overlay(later).waitFor();
  await later.close();
  await restore();
  await dialog.waitFor({ state: "detached", timeout: 90_000 });
  await page.locator("main input").first().waitFor();
  await picture(page, "mended");
});

test("a style sheet is brought without a navigation", { todo: "saved style sheets are built like everything else" }, async () => {
  const page = await open();
  await page.evaluate(() => (window.here = true));
  await edit("App/wwwroot/css/app.css", (text) => `${text}\nbody { border-top: 11px solid teal }\n`);
  const border = () => page.evaluate(() => getComputedStyle(document.body).borderTopWidth);
  await until("the new style", async () => (await border().catch(() => "")) === "11px");
  assert.equal(page.loads, 1);
  assert.equal(await page.evaluate(() => window.here), true);
  await picture(page, "style");
});

test("a page's policy decides how the script comes in", async () => {
  await edit("App/Startup.cs", (text) =>
    text.replace(
      "            app.UseRouting();",
      `            app.Use((context, next) =>
            {
                string policy = context.Request.Query["policy"];
                if (policy != null)
                {
                    context.Response.Headers["Content-Security-Policy"] = policy;
                }

                return next();
            });
            app.UseRouting();`,
    ),
  );
  const asked = (policy) => `/?policy=${encodeURIComponent(policy)}`;
  const allowed = async () => (await fetchAs({}, asked("default-src 'self'"))).headers;
  await until("the new version", async () => (await allowed())["content-security-policy"]);
  const strict = "default-src 'none'; style-src 'self'; connect-src 'self'; script-src";
  for (const [policy, runs] of [
    [`${strict} 'self'`, true],
    [`${strict} 'nonce-c2VjcmV0'`, true],
    [`${strict} 'nonce-c2VjcmV0' 'strict-dynamic'`, true],
    [`${strict} 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='`, false],
    ["default-src 'none'; script-src 'self'", false],
  ]) {
    const page = await open(asked(policy));
    const listens = page.waitForRequest("**/.altinn-local/events*", { timeout: 3_000 });
    const heard = await listens.then(() => true, () => false);
    const loaded = await page.locator('script[src="/.altinn-local/page.js"]').count();
    assert.equal(loaded > 0, runs, policy);
    const own = page.complaints.filter((text) => text.includes(".altinn-local"));
    assert.deepEqual(own, [], policy);
    assert.ok(!heard || runs, policy);
    await page.close();
  }
  // The overlay needs no leave for its own style.
  const page = await open(asked(`${strict} 'self'`));
  await edit(CODE, (text) => text.replace("model.Grant = 0", "model.Grant = nothing"));
  await overlay(page).waitFor({ timeout: 90_000 });
  const style = await overlay(page).evaluate((dialog) => getComputedStyle(dialog).borderTopWidth);
  assert.notEqual(style, "0px");
  await picture(page, "overlay-strict");
  assert.deepEqual(page.complaints.filter((text) => text.includes(".altinn-local")), []);
  await restore();
  await overlay(page).waitFor({ state: "detached", timeout: 90_000 });
});

test("without an overlay, pages are what the app answers", async () => {
  await altinnLocal("up", "--no-overlay");
  try {
    const page = await fetchAs({ Accept: "text/html" });
    assert.ok(!page.body.includes(".altinn-local"));
    assert.equal(page.headers.vary, undefined, "the answer is passed on untouched");
  } finally {
    await altinnLocal("up");
  }
  const page = await fetchAs({ Accept: "text/html" });
  assert.ok(page.body.includes(SCRIPT));
});
