//! What Designer is told.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::Told;
use crate::designer::{Client, Settings};

#[derive(Debug, Args)]
pub(super) struct DesignerArgs {
    /// Address and port to listen at
    #[arg(long, env = "ALTINN_SERVICES_LISTEN", default_value = "127.0.0.1:5101")]
    pub(super) listen: SocketAddr,
    /// Folder of working copies
    #[arg(long, env = "ALTINN_SERVICES_DATA")]
    data: PathBuf,
    /// Where browsers reach it, such as `http://studio.localhost:8800`
    #[arg(long, env = "ALTINN_SERVICES_PUBLIC_URL")]
    public_url: String,
    /// Where this service reaches Gitea
    #[arg(long, env = "ALTINN_SERVICES_GITEA")]
    gitea: String,
    /// Where browsers and the pipeline reach Gitea; without it, `/repos` at the public address
    #[arg(long, env = "ALTINN_SERVICES_GITEA_PUBLIC_URL")]
    gitea_public_url: Option<String>,
    /// The OAuth application in Gitea, which sends browsers back to `/signin-oidc` at the public address, or `@FILE`
    /// that says it
    #[arg(long, env = "ALTINN_SERVICES_OAUTH_CLIENT_ID")]
    oauth_client_id: Told,
    /// The application's secret, or `@FILE` that says it
    #[arg(long, env = "ALTINN_SERVICES_OAUTH_SECRET", hide_env_values = true)]
    oauth_secret: Told,
    /// The build API, ending with `/_apis`
    #[arg(long, env = "ALTINN_SERVICES_PIPELINE")]
    pipeline: String,
    /// The build API's token, or `@FILE` that says it; without it, an empty one is sent
    #[arg(long, env = "ALTINN_SERVICES_PIPELINE_TOKEN", hide_env_values = true)]
    pipeline_token: Option<Told>,
    /// Address of `environments.json`
    #[arg(long, env = "ALTINN_SERVICES_ENVIRONMENTS")]
    environments: String,
    /// Where a cluster tells what runs in it: an address with `{org}` and `{env}` in it
    #[arg(long, env = "ALTINN_SERVICES_CLUSTERS")]
    clusters: Option<String>,
    /// Releases and deployments: `postgres://…`, `sqlite:FILE`, or `@FILE` that says so
    #[arg(long, env = "ALTINN_SERVICES_DATABASE", hide_env_values = true)]
    database: Told,
}

impl From<DesignerArgs> for Settings {
    fn from(args: DesignerArgs) -> Self {
        Self {
            data: args.data,
            public: args.public_url,
            gitea: args.gitea,
            gitea_public: args.gitea_public_url,
            client: Client { id: args.oauth_client_id.0, secret: args.oauth_secret.0 },
            pipeline: args.pipeline,
            pipeline_token: args.pipeline_token.map(|told| told.0).unwrap_or_default(),
            environments: args.environments,
            clusters: args.clusters,
            database: args.database.0,
        }
    }
}
