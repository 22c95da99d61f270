//! Tells those who wait for a run how it goes on: Designer by the webhooks of Altinn's own pipelines, Gitea by
//! the commit's status. Each is tried again for a while; nobody who is away holds a run up.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::ENVIRONMENT;
use crate::engine::workshop::Site;
use crate::model::{Definition, PipelineRun, RunResult, Stack, TaskKind};
use crate::pipeline::parameter;
use crate::sys::calls::Calls;
use crate::sys::gitea::{CommitState, Gitea};

/// The pauses between tries.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(8),
    Duration::from_secs(30),
];

/// Tells of one run.
#[derive(Clone)]
pub(super) struct Teller {
    site: Site,
    port: u16,
    id: u32,
    definition: Definition,
    org: String,
    repository: String,
    environment: String,
    deploys: bool,
    removes: bool,
}

impl Teller {
    pub(super) fn new(site: &Site, stack: &Stack, run: &PipelineRun) -> Self {
        let said = |name| parameter(&run.parameters, name).map(str::to_owned);
        let does = |kind: TaskKind| run.tasks.iter().any(|task| task.kind == kind);
        Self {
            site: site.clone(),
            port: stack.ports.router,
            id: run.id,
            definition: run.definition,
            org: said("APP_OWNER").unwrap_or_default(),
            repository: said("APP_REPO").unwrap_or_default(),
            environment: said("APP_ENVIRONMENT").unwrap_or_else(|| ENVIRONMENT.to_owned()),
            deploys: does(TaskKind::Helm) || does(TaskKind::Remove),
            removes: does(TaskKind::Remove),
        }
    }

    /// The run begins. Nobody waits for this but what is told at its end, so that the last word is the last.
    pub(super) fn began(&self, run: &PipelineRun) -> JoinHandle<()> {
        let (teller, commit) = (self.clone(), run.commit.clone());
        tokio::spawn(async move { teller.hook().await });
        let teller = self.clone();
        tokio::spawn(async move {
            if let Some(commit) = commit {
                teller.status(&commit, CommitState::Pending, "under way").await;
            }
        })
    }

    /// The run ended; `begun` tells of its begin still, perhaps.
    pub(super) fn ended(&self, run: &PipelineRun, begun: Option<JoinHandle<()>>) {
        let (teller, run) = (self.clone(), run.clone());
        tokio::spawn(async move {
            let state = match run.result {
                Some(RunResult::Succeeded) => CommitState::Success,
                Some(RunResult::Failed) => CommitState::Failure,
                _ => CommitState::Error,
            };
            let words = run.why.clone().unwrap_or_else(|| match run.result {
                Some(RunResult::Succeeded) => "succeeded".to_owned(),
                _ => "given up".to_owned(),
            });
            tokio::join!(teller.hook(), teller.event(&run), async {
                if let Some(begun) = begun {
                    // One that broke has told nothing.
                    let _ = begun.await;
                }
                if let Some(commit) = &run.commit {
                    teller.status(commit, state, &words).await;
                }
            });
        });
    }

    /// Contract: `altinn-contracts.md` §2, "How status returns to Designer".
    async fn hook(&self) {
        let path = match self.definition {
            Definition::Classic | Definition::Build => "checkreleasebuildstatus",
            Definition::GitOps | Definition::Decommission => "checkdeploymentbuildstatus",
            Definition::Quality => return,
        };
        let body =
            json!({"resource": {"buildNumber": self.id.to_string(), "resourceOwner": self.org}});
        self.post(&format!("/designer/api/v1/{path}"), &body).await;
    }

    /// The word of the cluster, which in production Flux gives.
    async fn event(&self, run: &PipelineRun) {
        if !self.deploys || self.repository.is_empty() {
            return;
        }
        let what = if self.removes { "Uninstall" } else { "Upgrade" };
        let how = match run.result {
            Some(RunResult::Succeeded) => "Succeeded",
            Some(RunResult::Failed) => "Failed",
            _ => return,
        };
        let message = run.why.clone().unwrap_or_else(|| format!("{what} {}", how.to_lowercase()));
        let body = json!({
            "buildId": self.id.to_string(),
            "message": message,
            "timestamp": run.finished,
            "eventType": format!("{what}{how}"),
            "environment": self.environment,
        });
        let path = format!(
            "/designer/api/v1/{}/{}/deployments/webhooks/events",
            self.org, self.repository
        );
        self.post(&path, &body).await;
    }

    async fn post(&self, path: &str, body: &Value) {
        let host = format!("{}:{}", Stack::STUDIO_HOST, self.port);
        for pause in PAUSES.into_iter().map(Some).chain([None]) {
            let request =
                self.site.http.request(reqwest::Method::POST, self.port, Some(&host), path);
            let sent =
                request.bearer_auth(&self.site.credentials.pipeline_token).json(body).send().await;
            match sent.map(|answer| answer.status()) {
                Ok(status) if status.is_success() => return,
                // It does not want to know: asking again helps nobody.
                Ok(status) if status.is_client_error() => {
                    return tracing::debug!(%status, path, run = self.id, "Designer did not take the news of a run");
                }
                outcome => {
                    tracing::debug!(
                        ?outcome,
                        path,
                        run = self.id,
                        "Designer was not told of a run"
                    );
                }
            }
            let Some(pause) = pause else { return };
            tokio::time::sleep(pause).await;
        }
    }

    async fn status(&self, commit: &str, state: CommitState, words: &str) {
        let credentials = &self.site.credentials;
        let (user, password) = (&credentials.gitea_admin, &credentials.gitea_admin_password);
        // Beside a run of the stack, whose changing calls these are not.
        let calls = Calls::default();
        let gitea = Gitea::new(self.site.http.clone(), self.port, user, password, calls);
        let context = format!("altinn-local/{}", self.definition.name());
        for pause in PAUSES.into_iter().take(2).map(Some).chain([None]) {
            let told = gitea
                .commit_status(&self.org, &self.repository, commit, state, &context, words)
                .await;
            let Err(report) = told else { return };
            tracing::debug!(%report, run = self.id, "a commit's status was not told");
            let Some(pause) = pause else { return };
            tokio::time::sleep(pause).await;
        }
    }
}
