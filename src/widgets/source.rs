//! What dev servers serve: widgets, and Altinn's own app frontend.

use std::path::PathBuf;

use serde::Serialize;

use super::project::Widget;
use super::route::{DevRoute, prefix};
use crate::config::settings::WantedFrontend;
use crate::model::{AppId, Code, Report};

/// A project that a dev server serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A widget, for the pages of its app.
    Widget(AppId, Widget),
    /// Altinn's own app frontend, for the pages of all apps.
    Frontend(Frontend),
}

/// The project of Altinn's own app frontend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Frontend {
    /// Its folder, absolute; none when somebody else runs it.
    pub root: Option<PathBuf>,
    /// What starts its dev server, for a shell.
    pub command: String,
    /// The port that it listens on.
    pub port: u16,
}

impl Frontend {
    /// The script that its pages begin with.
    pub(super) const ENTRY: &str = "/altinn-app-frontend.js";

    /// As the user wants it; the folder must be there.
    pub fn new(wanted: &WantedFrontend) -> Result<Self, Report> {
        let root = wanted.root.as_ref().map(dunce::canonicalize).transpose().map_err(|error| {
            Report::new(Code::WidgetInvalid, "the folder of the app frontend is not there")
                .at(wanted
                    .root
                    .as_ref()
                    .map_or_else(String::new, |root| root.display().to_string()))
                .why(error.to_string())
        })?;
        Ok(Self { root, command: wanted.command.clone(), port: wanted.port })
    }
}

impl Source {
    /// The resource id of its dev server.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Widget(app, widget) => format!("{}.widget.{}", app.resource(), widget.name),
            Self::Frontend(_) => "dev.frontend".to_owned(),
        }
    }

    /// What people call it.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Widget(_, widget) => format!("widget `{}`", widget.name),
            Self::Frontend(_) => "the app frontend".to_owned(),
        }
    }

    /// Its folder, where it is known.
    pub(super) fn root(&self) -> Option<&PathBuf> {
        match self {
            Self::Widget(_, widget) => Some(&widget.root),
            Self::Frontend(frontend) => frontend.root.as_ref(),
        }
    }

    /// The path that requests to it begin with, with a slash at both ends; it goes to the server as it is.
    #[must_use]
    pub fn prefix(&self) -> String {
        match self {
            Self::Widget(app, widget) => prefix(app, widget),
            Self::Frontend(_) => "/".to_owned(),
        }
    }

    /// What it answers when it serves.
    pub(super) fn probe(&self) -> String {
        match self {
            Self::Widget(..) => format!("{}@vite/client", self.prefix()),
            Self::Frontend(_) => Frontend::ENTRY.to_owned(),
        }
    }

    pub(super) fn route(&self, port: u16) -> DevRoute {
        match self {
            Self::Widget(app, widget) => DevRoute::of_widget(app, widget, port),
            Self::Frontend(_) => {
                let (prefix, entries) = (self.prefix(), Vec::new());
                DevRoute { tag_name: None, prefix, port, entries }
            }
        }
    }
}
