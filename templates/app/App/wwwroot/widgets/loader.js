// Loads the widgets that `manifest.json` names. `altinn-local widget build` writes both and the bundles beside them; the
// page needs one line, whatever widgets there are: <script type="module" src="…/widgets/loader.js"></script>

const beside = (file) => new URL(file, import.meta.url).href;

const answer = await fetch(beside("manifest.json"), { cache: "no-cache" });
const { widgets } = answer.ok ? await answer.json() : { widgets: {} };

for (const [name, { tagName, js, css }] of Object.entries(widgets)) {
  // While `altinn-local up --profile widgets` runs, it comes from its source.
  if (tagName && (globalThis.altinnLocalWidgets?.has(tagName) || customElements.get(tagName))) continue;
  for (const file of css) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: beside(file) }));
  }
  import(beside(js)).catch((error) => console.error(`widget ${name}`, error));
}
