//! How a page gets a widget from its dev server: the path below which the server is reached at the page's own
//! address, and the script that a page needs for it.

use serde::Serialize;
use serde_json::json;

use super::project::Widget;
use crate::model::{AppId, WidgetName};

/// A dev server that answers, and where its pages find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DevRoute {
    /// Whose pages it is for.
    pub app: AppId,
    /// The widget.
    pub widget: WidgetName,
    /// The web component's name, when it is known.
    pub tag_name: Option<String>,
    /// The path that requests and the HMR socket begin with, with a slash at both ends. It goes to the server as it
    /// is.
    pub prefix: String,
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The modules that a page must load, as paths from the root of the page's address.
    pub entries: Vec<String>,
}

impl DevRoute {
    pub(super) fn new(app: &AppId, widget: &Widget, port: u16) -> Self {
        let prefix = prefix(&widget.name);
        Self {
            app: app.clone(),
            entries: vec![format!("{prefix}{}", widget.entry)],
            widget: widget.name.clone(),
            tag_name: widget.tag_name.clone(),
            prefix,
            port,
        }
    }
}

/// The path of a widget's dev server at any address of the router.
pub(super) fn prefix(widget: &WidgetName) -> String {
    format!("/.altinn-local/widgets/{widget}/")
}

/// The module that a page loads first of all its scripts, as an external file, so that `script-src 'self'` lets it.
///
/// It says at once which web component comes from its source, so that the built bundle steps back. Then it does what
/// Vite's own HTML would: hooks React's refresh runtime in before any React of this server is read, opens the HMR
/// socket, and loads the widget. A server that has gone leaves the page as it is.
#[must_use]
pub fn dev_module(route: &DevRoute) -> String {
    let given = json!({
        "tagName": route.tag_name,
        "prefix": route.prefix,
        "entries": route.entries,
    });
    format!(
        "const {{ tagName, prefix, entries }} = {given};
if (tagName) (globalThis.altinnLocalWidgets ??= new Set()).add(tagName);
try {{
  const refresh = await import(`${{prefix}}@react-refresh`).catch(() => undefined);
  const inject = refresh?.injectIntoGlobalHook ?? refresh?.default?.injectIntoGlobalHook;
  if (inject) {{
    inject(window);
    window.$RefreshReg$ ??= () => {{}};
    window.$RefreshSig$ ??= () => (type) => type;
    window.__vite_plugin_react_preamble_installed__ = true;
  }}
  await import(`${{prefix}}@vite/client`);
  await Promise.all(entries.map((entry) => import(entry)));
}} catch (error) {{
  console.error(`altinn-local: ${{prefix}} could not be loaded`, error);
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_data_in_the_module() {
        let route = DevRoute {
            app: "ttd/demo".parse().unwrap(),
            widget: "map".parse().unwrap(),
            tag_name: Some("widget-map".to_owned()),
            prefix: prefix(&"map".parse().unwrap()),
            port: 4711,
            entries: vec!["/.altinn-local/widgets/map/src/\"};`${x}\n.ts".to_owned()],
        };
        insta::assert_snapshot!(dev_module(&route));
    }
}
