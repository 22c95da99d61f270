//! What a command on data is about: everything, an organisation, or an app.

use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::query::Query;

/// The parameters of the query that name a scope.
pub const QUERY: &[&str] = &["org", "app"];

/// Everything, or a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All there is.
    All,
    /// An organisation's.
    Org(String),
    /// An app's.
    App(AppId),
}

impl Scope {
    /// Reads `app=org/app` or `org=…`.
    pub fn read(query: &Query) -> Result<Self, Fault> {
        if let Some(app) = query.get("app") {
            let app = app.parse::<AppId>();
            return app.map(Self::App).map_err(|error| Fault::invalid("app", error.to_string()));
        }
        let Some(org) = query.get("org") else { return Ok(Self::All) };
        // Checked as the first half of an app's id.
        AppId::new(org, "x")
            .map(|_| Self::Org(org.to_owned()))
            .map_err(|_| Fault::invalid("org", format!("The value '{org}' is not valid.")))
    }

    /// The organisation; empty for all.
    #[must_use]
    pub fn org(&self) -> &str {
        match self {
            Self::All => "",
            Self::Org(org) => org,
            Self::App(app) => app.org(),
        }
    }

    /// The app's name within its organisation; empty for all.
    #[must_use]
    pub fn app(&self) -> &str {
        match self {
            Self::All | Self::Org(_) => "",
            Self::App(app) => app.app(),
        }
    }

    /// `org/app` or `org`, as heads of archives name it.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match self {
            Self::All => None,
            Self::Org(org) => Some(org.clone()),
            Self::App(app) => Some(app.to_string()),
        }
    }
}
