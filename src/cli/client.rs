//! Speaks to the agent of a stack over its socket, and starts it when there is none.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::events::{Events, Lines};
use crate::config::dirs::Dirs;
use crate::engine::{Snapshot, StackState};
use crate::model::{Code, Exit, Report, StackName};
use crate::server::{Accepted, Problem, Version};
use crate::sys::detach::{self, ChildWrapper};
use crate::sys::ipc;

/// How long a new agent may take until it answers.
const START: Duration = Duration::from_secs(5);
/// Between two attempts to reach it.
const BETWEEN: Duration = Duration::from_millis(20);
/// Between two agents that are started, while one that was there ends.
const ROOM: Duration = Duration::from_millis(200);
/// How an agent ends when another one holds the stack's lock.
const LOCKED: i32 = Exit::Locked as i32;
/// How long an answer that is not a stream may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How many last lines of the agent's log an error shows.
const TAIL: usize = 12;
/// A log longer than this is begun anew with the next agent, in bytes.
const LONGEST_LOG: u64 = 4 << 20;

/// A way to one stack's agent. Nothing is open between calls.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: ipc::Endpoint,
    stack: StackName,
    folder: PathBuf,
    environment: String,
}

impl Client {
    /// The client of a stack, in an environment of this fingerprint.
    #[must_use]
    pub fn new(dirs: &Dirs, stack: &StackName, environment: String) -> Self {
        Self {
            endpoint: ipc::Endpoint::new(&dirs.runtime, stack),
            stack: stack.clone(),
            folder: dirs.stack(stack),
            environment,
        }
    }

    /// Where the agent writes what it does.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join("agent.log")
    }

    /// The stack now; none when no agent runs.
    pub async fn state(&self) -> Result<Option<Snapshot>, Report> {
        if self.connect().await.is_none() {
            return Ok(None);
        }
        self.get("/api/v1/state").await.map(Some)
    }

    /// The stack now; that no agent runs is a fault.
    pub async fn running(&self) -> Result<Snapshot, Report> {
        self.state().await?.ok_or_else(|| {
            Report::new(Code::NotRunning, format!("the stack `{}` is not up", self.stack))
                .fix("altinn-local up", "bring it up")
        })
    }

    /// Which program answers; none when no agent runs.
    pub async fn version(&self) -> Result<Option<Version>, Report> {
        if self.connect().await.is_none() {
            return Ok(None);
        }
        self.get("/api/v1/version").await.map(Some)
    }

    /// Asks for an action: `up`, `down`, `deploy`, `stop`.
    pub async fn act(&self, verb: &str, body: &impl Serialize) -> Result<Accepted, Report> {
        let path = format!("/api/v1/actions/{verb}");
        self.post(&path, body).await
    }

    /// Asks for an action of an agent that is started when there is none. One that ends at this very moment, as after
    /// `down`, is replaced: what was asked of it is asked again, which every action can take.
    pub async fn ask(
        &self,
        dirs: &Dirs,
        verb: &str,
        body: &impl Serialize,
    ) -> Result<Accepted, Report> {
        let began = Instant::now();
        loop {
            let answer = async {
                self.ensure(dirs).await?;
                self.act(verb, body).await
            };
            match answer.await {
                Err(report) if report.code == Code::AgentSilent && began.elapsed() < START => {
                    tokio::time::sleep(ROOM).await;
                }
                answer => return answer,
            }
        }
    }

    /// A code that a browser swaps for the agent's token.
    pub async fn browser_code(&self) -> Result<String, Report> {
        let code: crate::server::Code =
            self.post("/api/v1/session/code", &serde_json::json!({})).await?;
        Ok(code.code)
    }

    /// Events after a number. A broken connection is made again where it broke.
    #[must_use]
    pub fn follow(&self, since: u64) -> Events {
        Events::new(self.clone(), since)
    }

    /// Lines of output.
    pub async fn logs(
        &self,
        source: Option<&str>,
        tail: usize,
        follow: bool,
    ) -> Result<Lines, Report> {
        let mut path = format!("/api/v1/logs?tail={tail}&follow={follow}");
        if let Some(source) = source {
            path = format!("{path}&source={}", encoded(source));
        }
        Ok(Lines::new(self.open(&path).await?))
    }

    /// Makes sure that an agent of this very version runs. One that has nothing to do and knows another environment
    /// makes room: the user may have named another engine since.
    pub async fn ensure(&self, dirs: &Dirs) -> Result<(), Report> {
        if let Some(found) = self.version().await? {
            let same_version = found.version == env!("CARGO_PKG_VERSION");
            let same = same_version && found.environment == self.environment;
            if same || (same_version && !self.is_idle().await?) {
                return Ok(());
            }
            self.replace(&found).await?;
        }
        self.start(dirs).await
    }

    async fn is_idle(&self) -> Result<bool, Report> {
        let state: Value = self.get("/api/v1/state").await?;
        Ok(state.get("state") == Some(&serde_json::json!(StackState::Stopped)))
    }

    /// Ends the agent and waits until it is gone.
    pub async fn stop(&self) -> Result<(), Report> {
        self.act("stop", &serde_json::json!({})).await?;
        let gone = async {
            while self.connect().await.is_some() {
                tokio::time::sleep(BETWEEN).await;
            }
        };
        tokio::time::timeout(START, gone).await.map_err(|_| self.silent("the agent does not end"))
    }

    /// An agent of another version that has nothing to do makes room; one that works is not disturbed.
    async fn replace(&self, found: &Version) -> Result<(), Report> {
        if self.is_idle().await? {
            return self.stop().await;
        }
        Err(Report::new(Code::AgentVersion, "the agent is of another version than this program")
            .why(format!(
                "the agent (pid {}) is {}, this is {}",
                found.pid,
                found.version,
                env!("CARGO_PKG_VERSION")
            ))
            .fix("altinn-local down", "with the old program; data stays; then `altinn-local up`"))
    }

    async fn start(&self, dirs: &Dirs) -> Result<(), Report> {
        dirs.prepare(&self.stack)?;
        let log = self.log();
        if std::fs::metadata(&log).is_ok_and(|found| found.len() > LONGEST_LOG) {
            crate::sys::fs::remove_if_there(&log)?;
        }
        let answers = async {
            let mut agent = self.spawn(&log)?;
            while self.connect().await.is_none() {
                match agent.try_wait().ok().flatten().map(|status| status.code()) {
                    None => tokio::time::sleep(BETWEEN).await,
                    // Another agent holds the lock: one that another command started just now and that answers
                    // soon, or one that is about to end and makes room.
                    Some(Some(LOCKED)) => {
                        tokio::time::sleep(ROOM).await;
                        if self.connect().await.is_none() {
                            agent = self.spawn(&log)?;
                        }
                    }
                    Some(_) => return Err(self.silent("the agent ended at once")),
                }
            }
            Ok(())
        };
        tokio::time::timeout(START, answers)
            .await
            .unwrap_or_else(|_| Err(self.silent("the agent does not answer")))
    }

    fn spawn(&self, log: &Path) -> Result<Box<dyn ChildWrapper>, Report> {
        let program = std::env::current_exe()
            .map_err(|error| Report::bug("this program cannot find itself", &error))?;
        let arguments = ["agent", "--stack", self.stack.as_str()];
        detach::spawn(&program, &arguments, &self.folder, log)
    }

    /// The fault of an agent that should answer and does not, with the end of its log.
    pub(super) fn silent(&self, title: &str) -> Report {
        Report::new(Code::AgentSilent, title)
            .at(self.log().display().to_string())
            .fix("altinn-local up", "start it again; what runs is taken over")
            .with_tail(last_lines(&self.log()))
    }

    async fn connect(&self) -> Option<ipc::Stream> {
        ipc::connect(&self.endpoint).await.ok()
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Report> {
        let response = self.send(Method::GET, path, Bytes::new());
        self.read(response).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Report> {
        let body = serde_json::to_vec(body)
            .map_err(|error| Report::bug("a request has no JSON form", &error))?;
        self.read(self.send(Method::POST, path, body.into())).await
    }

    /// A request whose answer is read whole, whatever its status: for a wire that has its own way to refuse.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Report> {
        let answer = async {
            let response = self.send(method, path, body).await?;
            let status = response.status();
            let body = response.into_body().collect().await;
            let body =
                body.map_err(|error| self.silent("the agent broke off").caused_by(&error))?;
            Ok((status, body.to_bytes()))
        };
        tokio::time::timeout(ANSWER, answer)
            .await
            .unwrap_or_else(|_| Err(self.silent("the agent does not answer")))
    }

    /// Opens a stream.
    pub(super) async fn open(&self, path: &str) -> Result<Incoming, Report> {
        let response = self.send(Method::GET, path, Bytes::new()).await?;
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        Err(self.refused(response).await)
    }

    async fn read<T: DeserializeOwned>(
        &self,
        response: impl Future<Output = Result<Response<Incoming>, Report>>,
    ) -> Result<T, Report> {
        let answer = async {
            let response = response.await?;
            if !response.status().is_success() {
                return Err(self.refused(response).await);
            }
            let body = response.into_body().collect().await;
            body.map_err(|error| self.silent("the agent broke off").caused_by(&error))
        };
        let body = tokio::time::timeout(ANSWER, answer)
            .await
            .unwrap_or_else(|_| Err(self.silent("the agent does not answer")))?;
        // Of another version, then: `ensure` would have told.
        serde_json::from_slice(&body.to_bytes()).map_err(|error| {
            Report::new(Code::AgentVersion, "the agent's answer was not understood")
                .caused_by(&error)
                .fix("altinn-local down", "with the program that started it")
        })
    }

    /// What the engine told as the reason, or at least the problem's title.
    async fn refused(&self, response: Response<Incoming>) -> Report {
        let status = response.status();
        let body = response.into_body().collect().await.map(http_body_util::Collected::to_bytes);
        let problem: Option<Problem> =
            body.ok().and_then(|body| serde_json::from_slice(&body).ok());
        match problem {
            Some(Problem { report: Some(report), .. }) => *report,
            Some(problem) => {
                let code =
                    if status == StatusCode::NOT_FOUND { Code::AgentVersion } else { Code::Bug };
                let why = problem.detail.unwrap_or_else(|| status.to_string());
                Report::new(code, format!("the agent refused: {}", problem.title)).why(why)
            }
            None => self.silent("the agent broke off").why(status.to_string()),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, Report> {
        let stream =
            self.connect().await.ok_or_else(|| self.silent("the agent does not answer"))?;
        let broken = |error: hyper::Error| self.silent("the agent broke off").caused_by(&error);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // Ends by itself when the response is read or dropped.
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "agent")
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(|error| Report::bug("a request could not be made", &error))?;
        sender.send_request(request).await.map_err(broken)
    }
}

fn last_lines(log: &Path) -> Vec<String> {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut lines: Vec<String> = text.lines().rev().take(TAIL).map(str::to_owned).collect();
    lines.reverse();
    lines
}

/// Percent-encodes all but plain letters, digits and `-._`.
pub(super) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
