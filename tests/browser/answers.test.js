// What the router does to an app's answers: a script for pages, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";

import { altinnLocal, edit, fetchAs, live, open, overlay, picture, restore, until } from "./world.js";

const CODE = "App/logic/GrantCalculation.cs";
const SCRIPT = '<script type="module" src="/.altinn-local/page.js">';
const HTML = "<!DOCTYPE html><html><head><title>x</title></head><body>y</body></html>";
const ZIPPED = gzipSync(HTML).toString("base64");

/** Makes the app answer with what a test asks it for. */
async function talkative() {
  await edit("App/Startup.cs", (text) =>
    text.replace(
      "            app.UseRouting();",
      `            app.Use(async (context, next) =>
            {
                var query = context.Request.Query;
                var answer = context.Response;
                string policy = query["policy"];
                if (policy != null)
                {
                    answer.Headers["Content-Security-Policy"] = policy;
                }

                if (query.ContainsKey("stream"))
                {
                    answer.ContentType = query["stream"];
                    for (int part = 0; part < 4; part++)
                    {
                        await answer.WriteAsync("<p>part " + part + "</p>\\n");
                        await answer.Body.FlushAsync();
                        await Task.Delay(300);
                    }

                    return;
                }

                if (query.ContainsKey("zipped"))
                {
                    answer.ContentType = "text/html";
                    answer.Headers["Content-Encoding"] = "gzip";
                    byte[] bytes = Convert.FromBase64String("${ZIPPED}");
                    answer.ContentLength = bytes.Length;
                    await answer.Body.WriteAsync(bytes, 0, bytes.Length);
                    return;
                }

                await next();
            });
            app.UseRouting();`,
    ),
  );
  await live();
}

test("a page has the script, compressed or not, and nothing else has", async () => {
  const navigation = { "Sec-Fetch-Dest": "document", Accept: "text/html,*/*;q=0.8" };
  const page = await fetchAs(navigation);
  assert.ok(page.body.includes(SCRIPT));
  const zipped = await fetchAs({ ...navigation, "Accept-Encoding": "gzip" });
  assert.equal(zipped.headers["content-encoding"], "gzip");
  assert.ok(gunzipSync(zipped.body).equals(page.body));
  for (const [headers, path] of [
    [{ "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", Accept: "text/html" }, "/"],
    [{ Accept: "*/*" }, "/"],
    [{ "Sec-Fetch-Dest": "style" }, "/css/app.css"],
    [{ "Sec-Fetch-Dest": "empty" }, "/api/v1/applicationmetadata"],
    [navigation, "/api/v1/applicationmetadata"],
  ]) {
    const { status, body } = await fetchAs(headers, path);
    assert.equal(status, 200, path);
    assert.ok(!body.includes(".altinn-local"), `${path} ${JSON.stringify(headers)}`);
  }
});

test("what an app streams or compresses goes through as it is", async () => {
  await talkative();
  for (const [type, headers] of [
    ["text/event-stream", {}],
    ["text/plain", { "Accept-Encoding": "gzip" }],
    ["text/html", { "Sec-Fetch-Dest": "document" }],
    ["text/html", { "Sec-Fetch-Dest": "document", "Accept-Encoding": "gzip" }],
  ]) {
    const times = [];
    const answer = await fetchAs(headers, `/?stream=${type}`, () => void times.push(Date.now()));
    assert.ok(times.at(-1) - times[0] > 500, `${type} ${JSON.stringify(headers)}: in one piece`);
    const body = answer.headers["content-encoding"] === "gzip" ? gunzipSync(answer.body) : answer.body;
    assert.match(body.toString(), /^(<p>part \d<\/p>\n){4}$/);
  }
  const zipped = (dest) => fetchAs({ "Sec-Fetch-Dest": dest, "Accept-Encoding": "gzip" }, "/?zipped");
  assert.equal((await zipped("empty")).body.toString("base64"), ZIPPED);
  // Some apps compress though they are not asked to: a page stays a page.
  const page = await zipped("document");
  assert.equal(page.headers["content-encoding"], "gzip");
  assert.equal(gunzipSync(page.body).toString().replaceAll(/<script.*?<\/script>/g, ""), HTML);
});

test("a page's policy decides how the script comes in", async () => {
  await talkative();
  const asked = (policy) => `/?policy=${encodeURIComponent(policy)}`;
  const strict = "default-src 'none'; style-src 'self'; connect-src 'self'; script-src";
  for (const [policy, runs] of [
    [`${strict} 'self'`, true],
    [`${strict} 'nonce-c2VjcmV0'`, true],
    [`${strict} 'nonce-c2VjcmV0' 'strict-dynamic'`, true],
    [`${strict} 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='`, false],
    ["default-src 'none'; script-src 'self'", false],
  ]) {
    let heard = false;
    const page = await open(asked(policy), (page) => {
      page.on("request", (request) => (heard ||= request.url().includes("/.altinn-local/events")));
    });
    await page.waitForTimeout(runs ? 0 : 500);
    if (runs) await until("a question", () => heard, 5);
    const loaded = await page.locator('script[src="/.altinn-local/page.js"]').count();
    assert.equal(loaded > 0, runs, policy);
    assert.equal(heard, runs, policy);
    assert.deepEqual(page.complaints.filter((text) => text.includes(".altinn-local")), [], policy);
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
  const page = () => fetchAs({ Accept: "text/html" });
  await altinnLocal("up", "--no-overlay");
  try {
    // The router takes new routes while it serves by the old ones.
    await until("the app's own page", async () => !(await page()).body.includes(".altinn-local"), 5);
    assert.equal((await page()).headers.vary, undefined, "the answer is passed on untouched");
  } finally {
    await altinnLocal("up");
  }
  await until("the script", async () => (await page()).body.includes(SCRIPT), 5);
});
