//! Where apps can be deployed: `environments.json`, and what runs there now by each cluster's own word.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use crate::kit::peer::Peer;

/// The real Designer keeps the list for an hour; here environments come and go while people work.
const KEPT: Duration = Duration::from_secs(10);

/// The lists.
pub(in crate::designer) struct Environments {
    peer: Peer,
    clusters: Option<String>,
    kept: Mutex<Option<(Instant, Vec<Environment>)>>,
}

/// One environment, as `environments.json` has it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Environment {
    pub(in crate::designer) name: String,
    #[serde(default)]
    pub(in crate::designer) hostname: String,
    /// Only its scheme is used, as that of all addresses in the environment.
    #[serde(default)]
    pub(in crate::designer) apps_url: String,
    #[serde(default)]
    pub(in crate::designer) platform_url: String,
    #[serde(default)]
    pub(in crate::designer) app_prefix: String,
    #[serde(default)]
    pub(in crate::designer) platform_prefix: String,
    #[serde(rename = "type", default)]
    pub(in crate::designer) kind: String,
}

#[derive(Deserialize)]
struct List {
    environments: Vec<Environment>,
}

/// What runs in an environment.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::designer) struct Running {
    pub(super) env_name: String,
    pub(super) release: String,
    pub(super) version: String,
    /// Where the app answers.
    pub(super) url: String,
}

#[derive(Deserialize)]
struct Deployed {
    version: String,
    release: String,
}

impl Environment {
    /// The app's address: `http://<org>.<appPrefix>.<hostname>/<org>/<app>`.
    pub(super) fn url(&self, app: &AppId) -> String {
        let scheme = if self.apps_url.starts_with("https:") { "https" } else { "http" };
        let host = match self.app_prefix.as_str() {
            "" => format!("{}.{}", app.org(), self.hostname),
            prefix => format!("{}.{prefix}.{}", app.org(), self.hostname),
        };
        format!("{scheme}://{host}/{app}")
    }
}

impl Environments {
    pub(in crate::designer) fn new(url: &str, clusters: Option<String>) -> Result<Self, String> {
        Ok(Self { peer: Peer::remote(url)?, clusters, kept: Mutex::default() })
    }

    /// All environments.
    pub(in crate::designer) async fn all(&self) -> Result<Vec<Environment>, Fault> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, found)) = &kept
            && at.elapsed() < KEPT
        {
            return Ok(found.clone());
        }
        let reply = self.peer.ask(Method::GET, "", HeaderMap::new(), Bytes::new()).await?;
        if !reply.status.is_success() {
            return Err(Fault::unavailable("The list of environments", reply.status));
        }
        let found = reply.json::<List>()?.environments;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), found.clone()));
        Ok(found)
    }

    /// What runs of an app, in all environments whose cluster answers.
    pub(super) async fn running(&self, app: &AppId) -> Result<Vec<Running>, Fault> {
        let Some(pattern) = &self.clusters else { return Ok(Vec::new()) };
        let environments = self.all().await?;
        let asked = environments.iter().map(|environment| async move {
            let base = pattern
                .replace("{org}", app.org())
                .replace("{env}", &environment.name)
                .replace("{appPrefix}", &environment.app_prefix)
                .replace("{hostName}", &environment.hostname);
            let release = format!("{}-{}", app.org(), app.app());
            let path =
                format!("/kuberneteswrapper/api/v1/deployments?labelSelector=release={release}");
            let peer = Peer::remote(&base).ok()?;
            let found = peer.get::<Vec<Deployed>>(&path, HeaderMap::new()).await.ok()??;
            let found = found.into_iter().find(|deployed| deployed.release == release)?;
            Some(Running {
                env_name: environment.name.clone(),
                release: found.release,
                version: found.version,
                url: environment.url(app),
            })
        });
        Ok(futures_util::future::join_all(asked).await.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_apps() {
        let app = AppId::new("ttd", "demo").unwrap();
        for (json, url) in [
            (
                r#"{"name":"production","hostname":"altinn.localhost:8800","appPrefix":"apps"}"#,
                "http://ttd.apps.altinn.localhost:8800/ttd/demo",
            ),
            (
                r#"{"name":"tt02","hostname":"tt02.altinn.no","appPrefix":"apps",
                    "appsUrl":"https://ttd.apps.tt02.altinn.no"}"#,
                "https://ttd.apps.tt02.altinn.no/ttd/demo",
            ),
        ] {
            let environment: Environment = serde_json::from_str(json).unwrap();
            assert_eq!(environment.url(&app), url);
        }
    }
}
