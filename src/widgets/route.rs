//! How a page gets widgets from their dev servers: the path below which each is reached at the page's own address,
//! and the script that a page needs for them.

use serde::Serialize;
use serde_json::json;

use super::project::Widget;
use super::state::DevState;
use crate::model::{AppId, ResourceState};

const MODULE: &str = include_str!("../../templates/widgets/page.js");

/// A dev server that answers, and where pages find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DevRoute {
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
    pub(super) fn of_widget(app: &AppId, widget: &Widget, port: u16) -> Self {
        let prefix = prefix(app, widget);
        Self {
            entries: vec![format!("{prefix}{}", widget.entry)],
            tag_name: widget.tag_name.clone(),
            prefix,
            port,
        }
    }
}

/// The path of a widget's dev server on the host of its app's organisation.
pub(super) fn prefix(app: &AppId, widget: &Widget) -> String {
    format!("/.altinn-local/widgets/{app}/{}/", widget.name)
}

/// The module that the pages of an app load first of all their scripts, as an external file, so that
/// `script-src 'self'` lets it. It changes with what the app's dev servers do.
#[must_use]
pub fn page_module(servers: &[DevState]) -> String {
    let waits = |one: &DevState| one.route.is_none() && one.state != ResourceState::Failed;
    let waiting = servers.iter().any(waits);
    let routes = servers.iter().filter_map(|one| one.route.as_ref());
    let widgets: Vec<_> = routes
        .map(|DevRoute { tag_name, prefix, entries, .. }| {
            json!({ "tagName": tag_name, "prefix": prefix, "entries": entries })
        })
        .collect();
    let given = json!({ "waiting": waiting, "widgets": widgets });
    MODULE.replace("__GIVEN__", &given.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_data_in_the_module() {
        let route = DevRoute {
            tag_name: Some("widget-map".to_owned()),
            prefix: "/.altinn-local/widgets/ttd/demo/map/".to_owned(),
            port: 4711,
            entries: vec!["/.altinn-local/widgets/ttd/demo/map/src/\"};`${x}\n.ts".to_owned()],
        };
        let given = |servers: &[DevState]| {
            let module = page_module(servers);
            module.lines().find(|line| line.starts_with("const {")).unwrap().to_owned()
        };
        let serving = DevState { route: Some(route), ..DevState::new(ResourceState::Healthy) };
        let starting = DevState::new(ResourceState::Starting);
        let failed = DevState::new(ResourceState::Failed);
        insta::assert_snapshot!(
            [given(&[serving.clone(), failed]), given(&[serving, starting]), given(&[])].join("\n")
        );
    }
}
