//! The client against a server on a real socket, with an engine that acts a run.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::args::Global;
use super::client::Client;
use super::printer::Printer;
use super::progress::Show;
use crate::config::dirs::Dirs;
use crate::config::env::Environment;
use crate::engine::{Command, DownRequest, EngineHandle, Snapshot, StackState};
use crate::events::{EventKind, Journal};
use crate::model::{Code, Report, StackName};
use crate::pipeline::Pipeline;
use crate::server::{Face, Keys, Shared, Token, app, serve};
use crate::sys::ipc;

struct Agent {
    dirs: Dirs,
    stack: StackName,
    journal: Journal,
    closing: CancellationToken,
    _folder: tempfile::TempDir,
}

fn dirs(folder: &tempfile::TempDir) -> Dirs {
    let below = |name: &str| folder.path().join(name);
    Dirs {
        state: below("state"),
        cache: below("cache"),
        runtime: below("run"),
        tools: below("tools"),
        data: below("data"),
    }
}

/// Acts: `up` is answered by the run that works already, `down` is refused, `deploy` by a short run.
fn engine(journal: &Journal, stack: &StackName) -> EngineHandle {
    let mut snapshot = Snapshot::stopped(stack.clone());
    snapshot.state = StackState::Healthy;
    let (publish, snapshot) = watch::channel(Arc::new(snapshot));
    let folder = tempfile::tempdir().unwrap();
    let pipeline = Pipeline::open(folder.path().to_owned()).unwrap();
    let (handle, mut heard) = EngineHandle::new(journal.clone(), snapshot, pipeline);
    let journal = journal.clone();
    journal.emit(EventKind::RunStarted { run: 1, command: "up".to_owned() });
    tokio::spawn(async move {
        let _kept = (publish, folder);
        while let Some(command) = heard.recv().await {
            match command {
                Command::Up { reply, .. } => drop(reply.send(Ok(1))),
                Command::Down { reply, .. } => {
                    let refused = Report::new(Code::Locked, "a run is working")
                        .fix("altinn-local status", "see it");
                    drop(reply.send(Err(refused)));
                }
                Command::Deploy { reply, .. } => {
                    journal.emit(EventKind::RunStarted { run: 2, command: "deploy".to_owned() });
                    drop(reply.send(Ok(2)));
                    journal.emit(EventKind::RunFinished {
                        run: 2,
                        ms: 5,
                        changing_calls: 0,
                        report: None,
                        links: Vec::new(),
                    });
                }
                Command::Running { .. } => {}
                Command::Stop => return,
            }
        }
    });
    handle
}

fn agent() -> Agent {
    let folder = tempfile::tempdir().unwrap();
    let (dirs, stack): (Dirs, StackName) = (dirs(&folder), "default".parse().unwrap());
    let journal = Journal::default();
    let closing = CancellationToken::new();
    let agent = Agent { dirs, stack, journal, closing, _folder: folder };
    agent.serve();
    agent
}

impl Agent {
    fn serve(&self) {
        let endpoint = ipc::Endpoint::new(&self.dirs.runtime, &self.stack);
        let listener = ipc::Listener::bind(&endpoint).unwrap();
        let handle = engine(&self.journal, &self.stack);
        let token = Token::random().unwrap();
        let keys = Keys { token: "token".to_owned(), hook: "hook".to_owned() };
        let shared = Shared::new(handle, self.stack.clone(), "", token, keys, self.closing.clone());
        tokio::spawn(serve(listener, app(shared, Face::Socket), self.closing.clone()));
    }

    fn client(&self) -> Client {
        Client::new(&self.dirs, &self.stack, String::new())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn state_and_actions_go_over_the_socket() {
    let agent = agent();
    let client = agent.client();
    assert_eq!(client.state().await.unwrap().unwrap().state, StackState::Healthy);
    let version = client.version().await.unwrap().unwrap();
    assert_eq!(version.version, env!("CARGO_PKG_VERSION"));
    client.ensure(&agent.dirs).await.unwrap();
    let refused = client.act("down", &DownRequest::default()).await.unwrap_err();
    assert_eq!((refused.code, refused.fixes.len()), (Code::Locked, 1), "the engine's own report");
    assert_eq!(client.browser_code().await.unwrap().len(), 43);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_up_hears_the_run_from_its_begin() {
    let agent = agent();
    agent.journal.emit(EventKind::StepStarted { step: "s".to_owned(), resource: "r".to_owned() });
    let client = agent.client();
    let request = serde_json::json!({"dir": "/a"});
    let accepted = client.act("up", &request).await.unwrap();
    assert_eq!((accepted.run, accepted.since), (Some(1), 0));
    let mut events = client.follow(accepted.since);
    assert!(matches!(events.next().await.unwrap().kind, EventKind::RunStarted { run: 1, .. }));
    assert!(matches!(events.next().await.unwrap().kind, EventKind::StepStarted { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_on_over_a_broken_connection_and_end_with_the_agent() {
    let mut agent = agent();
    let client = agent.client();
    let accepted = client.act("deploy", &serde_json::json!({})).await.unwrap();
    let mut events = client.follow(accepted.since);
    assert!(matches!(events.next().await.unwrap().kind, EventKind::RunStarted { run: 2, .. }));
    // The socket breaks and comes back; the journal is the same.
    agent.closing.cancel();
    tokio::time::sleep(Duration::from_millis(200)).await;
    agent.closing = CancellationToken::new();
    agent.serve();
    assert!(matches!(events.next().await.unwrap().kind, EventKind::RunFinished { run: 2, .. }));
    assert!(matches!(events.next().await.unwrap().kind, EventKind::RunStarted { run: 1, .. }));
    agent.closing.cancel();
    assert_eq!(events.next().await.unwrap_err().code, Code::AgentSilent);
    assert_eq!(client.state().await.unwrap(), None);
    assert_eq!(client.running().await.unwrap_err().code, Code::NotRunning);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_come_without_heartbeats() {
    let agent = agent();
    agent.journal.emit(EventKind::Log { source: "studio.gitea".to_owned(), line: "x".to_owned() });
    let mut lines = agent.client().logs(Some("gitea"), 10, false).await.unwrap();
    assert!(lines.next().await.unwrap().contains("\"line\":\"x\""));
    assert_eq!(lines.next().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_with_the_run_or_with_the_agent() {
    let agent = agent();
    let client = agent.client();
    let global = Global { quiet: true, ..Global::default() };
    let printer = Printer::new(&global, &Environment::default(), false);
    let mut show = Show::new(&printer, None);
    let accepted = client.act("deploy", &serde_json::json!({})).await.unwrap();
    let mut events = client.follow(accepted.since);
    let outcome = show.follow(&mut events, accepted.run).await.unwrap().unwrap();
    assert_eq!(outcome.run, 2);
    let ((), waited) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            agent.closing.cancel();
        },
        tokio::time::timeout(Duration::from_secs(20), show.follow(&mut events, Some(3))),
    );
    assert_eq!(waited.unwrap().unwrap_err().code, Code::AgentSilent);
}
