// What a page loads first of all its scripts, to get widgets from their dev servers.
//
// It says at once which web components come from their source, so that their built bundles step back. Then it does what
// Vite's own HTML would: hooks React's refresh runtimes in before any React is read, opens the HMR sockets, and loads
// the widgets. A server that has gone leaves the page as it is.

const { waiting, widgets } = __GIVEN__;
const LOOK = 1_000;
let looking = false;

for (const { tagName } of widgets) {
  if (tagName) (globalThis.altinnLocalWidgets ??= new Set()).add(tagName);
}

async function hook({ prefix }) {
  const refresh = await import(`${prefix}@react-refresh`).catch(() => undefined);
  const inject = refresh?.injectIntoGlobalHook ?? refresh?.default?.injectIntoGlobalHook;
  if (!inject) return;
  inject(window);
  window.$RefreshReg$ ??= () => {};
  window.$RefreshSig$ ??= () => (type) => type;
  window.__vite_plugin_react_preamble_installed__ = true;
}

async function load({ prefix, entries }) {
  try {
    const client = await import(`${prefix}@vite/client`).catch((gone) => {
      // It went in this very moment. A fault in the widget itself is no reason: Vite tells that, and when it is mended.
      look();
      throw gone;
    });
    // Vite looks out for a server that has gone, too, but from a worker, which a page's policy may not let it have.
    client.createHotContext?.(import.meta.url).on("vite:ws:disconnect", look);
    await Promise.all(entries.map((entry) => import(entry)));
  } catch (error) {
    console.error(`altinn-local: ${prefix} could not be loaded`, error);
  }
}

// Loads the page again as soon as no server is on its way any more.
async function look() {
  if (looking) return;
  looking = true;
  for (;;) {
    await new Promise((done) => setTimeout(done, LOOK));
    if (document.hidden) continue;
    const now = await fetch(import.meta.url, { cache: "no-store" }).then((answer) => answer.text(), () => "");
    if (now.includes('"waiting":false')) return location.reload();
  }
}

// One after the other: each runtime wraps the one before.
for (const widget of widgets) await hook(widget);
await Promise.all(widgets.map(load));
if (waiting) look();
