//! The policies: of apps in `apps/{org}/{app}/policy.xml`, of other resources in `resources/{id}/policy.xml`. Uploads
//! and edits take effect at once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::parse::{self, ParseFault};
use super::policy::Policy;
use crate::kit::name::AppId;
use crate::kit::watched::{Watched, print};

/// Who may act for an organisation by their post in it; asked by apps that let users choose a party.
const KEY_ROLES: &str = include_str!("../../../data/altinn_keyrole_access.xml");
/// Its resource.
pub const KEY_ROLE_RESOURCE: &str = "altinn_keyrole_access";

/// What a policy is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum About {
    /// An app.
    App(AppId),
    /// A resource of the resource registry.
    Resource(String),
}

type Read = Result<Option<Policy>, ParseFault>;

/// The policies of a data folder.
#[derive(Debug)]
pub struct Policies {
    folder: PathBuf,
    read: Mutex<HashMap<About, Arc<Watched<Read>>>>,
}

impl Policies {
    /// Those of `folder/apps/` and `folder/resources/`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), read: Mutex::default() }
    }

    /// The policy as it is now; `Ok(None)` when there is none.
    pub fn get(&self, about: &About) -> Arc<Read> {
        let Some(path) = self.path(about) else { return Arc::new(Ok(None)) };
        let print = print([path.clone()]);
        // Names that have no policy must not fill the memory.
        let built_in = *about == About::Resource(KEY_ROLE_RESOURCE.to_owned());
        if print.is_empty() && !built_in {
            self.kept().remove(about);
            return Arc::new(Ok(None));
        }
        let watched = self.kept().entry(about.clone()).or_default().clone();
        watched.get(print, |_| match std::fs::read_to_string(&path) {
            Ok(text) => parse::policy(&fill(&text, about)).map(Some),
            Err(_) if built_in => parse::policy(KEY_ROLES).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ParseFault::Xml(error.to_string())),
        })
    }

    /// Keeps an app's policy, if it is one.
    pub fn put(&self, app: &AppId, text: &str) -> Result<std::io::Result<()>, ParseFault> {
        let about = About::App(app.clone());
        parse::policy(&fill(text, &about))?;
        let written = self.path(&about).map_or_else(
            || Err(std::io::Error::from(std::io::ErrorKind::InvalidInput)),
            |path| crate::platform::write_whole(&path, text.as_bytes()),
        );
        Ok(written)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<About, Arc<Watched<Read>>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, about: &About) -> Option<PathBuf> {
        match about {
            About::App(app) => {
                Some(self.folder.join("apps").join(app.org()).join(app.app()).join("policy.xml"))
            }
            About::Resource(id) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
                let safe = !id.is_empty() && id.len() <= 200 && id.chars().all(plain);
                safe.then(|| self.folder.join("resources").join(id).join("policy.xml"))
            }
        }
    }
}

/// Whether a text is a policy; the text says why not.
pub fn check(text: &str) -> Result<(), String> {
    parse::policy(text).map(drop).map_err(|fault| fault.to_string())
}

/// Templates carry placeholders; Designer fills them before an upload, localtest at each request.
fn fill(text: &str, about: &About) -> String {
    let About::App(app) = about else { return text.to_owned() };
    text.replace("[org]", app.org())
        .replace("[ORG]", app.org())
        .replace("[app]", app.app())
        .replace("[APP]", app.app())
}
