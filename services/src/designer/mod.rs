//! A stand-in for Altinn Studio's Designer: apps in Gitea, edited in a browser, built and deployed by the pipeline.
//!
//! Towards the pipeline, Gitea and those who ask for releases and deployments it keeps the real Designer's contract
//! (`altinn-contracts.md` §2); what its own pages need besides stands below `/designer/api/v1/`.
//!
//! | | |
//! |---|---|
//! | `sign_in`, `session` | OAuth through Gitea; who asks, and from which page |
//! | `work` | a working copy for each user and app, on disk, through libgit2 |
//! | `api` | files, changes, branches |
//! | `deploy` | releases, deployments, builds |
//! | `web` | the pages |

mod api;
mod deploy;
mod endpoints;
mod gitea;
mod session;
mod sign_in;
mod template;
mod web;
mod work;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::kit::api::Service;
use deploy::environments::Environments;
use deploy::pipeline::Pipeline;
use deploy::store::Store;
use gitea::Gitea;
use session::Sessions;
use work::Copies;

/// What the service needs to be told.
pub struct Settings {
    /// Folder of the working copies.
    pub data: PathBuf,
    /// Where browsers reach it, as `http://studio.localhost:8800`.
    pub public: String,
    /// Where this service reaches Gitea, as `http://gitea:3000`.
    pub gitea: String,
    /// Where browsers and the pipeline reach Gitea; `{public}/repos` when absent.
    pub gitea_public: Option<String>,
    /// The OAuth application in Gitea.
    pub client: Client,
    /// The build API, ending with `/_apis`.
    pub pipeline: String,
    /// The pipeline's token, sent to it, and asked of it for events; may be empty, then no events are taken.
    pub pipeline_token: String,
    /// `environments.json`.
    pub environments: String,
    /// Where a cluster tells what runs, with `{org}` and `{env}`; absent when nobody tells.
    pub clusters: Option<String>,
    /// `postgres://…` or `sqlite:FILE`.
    pub database: String,
}

/// An OAuth application.
pub struct Client {
    /// Its public name.
    pub id: String,
    /// What it proves itself by.
    pub secret: String,
}

/// What the handlers share. Cheap to copy.
#[derive(Clone)]
pub struct Designer(Arc<Inner>);

struct Inner {
    public: String,
    gitea_public: String,
    gitea: Gitea,
    client: Client,
    sessions: Sessions,
    copies: Copies,
    store: Store,
    pipeline: Pipeline,
    /// Also what the pipeline proves itself by.
    pipeline_token: String,
    environments: Environments,
    /// Of two who deploy to one environment at once, one is refused.
    deploying: tokio::sync::Mutex<()>,
    /// There are builds to follow.
    wake: Notify,
}

impl Designer {
    /// Opens what it stands on. [`Designer::follow`] is to run beside the service.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let bare = |url: &str| url.trim_end_matches('/').to_owned();
        let public = bare(&settings.public);
        let gitea_public = settings.gitea_public.as_deref().map(bare);
        Ok(Self(Arc::new(Inner {
            gitea_public: gitea_public.unwrap_or_else(|| format!("{public}/repos")),
            public,
            gitea: Gitea::new(&settings.gitea)?,
            client: settings.client,
            sessions: Sessions::default(),
            copies: Copies::new(&settings.data),
            store: Store::new(&settings.database)?,
            pipeline: Pipeline::new(&settings.pipeline, &settings.pipeline_token)?,
            pipeline_token: settings.pipeline_token,
            environments: Environments::new(&settings.environments, settings.clusters)?,
            deploying: tokio::sync::Mutex::default(),
            wake: Notify::new(),
        })))
    }

    /// The endpoints.
    #[must_use]
    pub fn service(&self) -> Service {
        let (store, gitea) = (self.clone(), self.clone());
        endpoints::all()
            .check("database", move || {
                let designer = store.clone();
                async move { designer.0.store.answers().await }
            })
            .check("gitea", move || {
                let designer = gitea.clone();
                async move { designer.0.gitea.answers().await }
            })
            .finish(self.clone())
            .once(session::COOKIE)
    }
}
