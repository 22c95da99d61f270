//! Waits until a container is ready, by a real probe; tells at once when it ended instead.

use std::time::{Duration, Instant};

use crate::events::StepScope;
use crate::model::{Code, Probe, Report, Service};
use crate::sys::docker::Docker;
use crate::sys::http::Http;

/// Between two probes. Probes are cheap, and everything else waits for them.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a part may take to get ready; databases on slow disks need most of it.
const DEADLINE: Duration = Duration::from_secs(90);
/// A line is due at least this often.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Whether the probe passes now; the reason when not.
pub async fn probe(docker: &Docker, http: &Http, service: &Service) -> Result<(), String> {
    match &service.probe {
        Probe::Http { port, path, host } => {
            let status = http.status(*port, host.as_deref(), path).await?;
            if status < 400 { Ok(()) } else { Err(format!("GET {path} answers {status}")) }
        }
        Probe::Answers { port } => http.status(*port, None, "/").await.map(|_| ()),
        Probe::Exec(words) => {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let done = docker.exec(&service.container, &words, None).await;
            let done = done.map_err(|report| report.to_string())?;
            if done.code == 0 {
                Ok(())
            } else {
                Err(format!("`{}` ends with {}", words[0], done.code))
            }
        }
    }
}

/// Waits until the probe passes.
pub async fn wait(
    docker: &Docker,
    http: &Http,
    service: &Service,
    container: &str,
    scope: &StepScope,
) -> Result<(), Report> {
    let started = Instant::now();
    let mut told = started;
    loop {
        let why = match probe(docker, http, service).await {
            Ok(()) => return Ok(()),
            Err(why) => why,
        };
        if let Some((false, code)) = docker.state(container).await? {
            return Err(ended(docker, service, container, code).await);
        }
        if started.elapsed() > DEADLINE {
            let tail = docker.log_tail(container, 15).await;
            let title = format!("{} did not get ready within {} s", service.id, DEADLINE.as_secs());
            return Err(Report::new(Code::ServiceFailed, title)
                .why(why)
                .with_tail(tail)
                .fix(format!("altinn-local logs {}", service.id), "shows its whole log"));
        }
        if told.elapsed() > HEARTBEAT {
            scope.detail(format!("waiting for it to get ready: {why}"));
            told = Instant::now();
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ended(docker: &Docker, service: &Service, container: &str, code: i64) -> Report {
    let tail = docker.log_tail(container, 15).await;
    Report::new(Code::ServiceFailed, format!("{} ended with exit code {code}", service.id))
        .why(format!("container `{}` of image {}", service.container, service.image))
        .with_tail(tail)
        .fix(format!("altinn-local logs {}", service.id), "shows its whole log")
}
