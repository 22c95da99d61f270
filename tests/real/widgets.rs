//! Widgets, from `widget new` to the browser: alone, and in the pages of an app in its cluster. Need Node, a package
//! registry and Chromium.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use altinn_local::config::env::Environment;
use altinn_local::events::{EventKind, Journal};
use altinn_local::model::ResourceState;
use altinn_local::widgets::{self, DevRoute, DevServer, DevState, Source, Toolchain};
use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::running::run;

/// What an install from a registry may take.
const INSTALL: Duration = Duration::from_mins(3);
/// Set for the process that is killed while it holds a server.
const HELD: &str = "ALTINN_LOCAL_TEST_HELD";

fn tool(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_altinn-local"));
    run(command.args(arguments).current_dir(folder).env("ALTINN_LOCAL_HOME", folder), INSTALL)?
        .succeeded()?;
    Ok(())
}

/// An app with a widget that is built.
fn an_app() -> Result<TempDir> {
    let folder = TempDir::with_prefix("altinn-widget-")?;
    tool(folder.path(), &["app", "new", "ttd/demo", "app"])?;
    let app = folder.path().join("app");
    tool(&app, &["widget", "new", "counter"])?;
    tool(&app, &["widget", "build"])?;
    Ok(folder)
}

fn server(app: &Path, journal: &Journal) -> Result<DevServer> {
    let toolchain = Toolchain::find(&Environment::read(), Path::new("/nonexistent"))?;
    let widget = widgets::find(app, &[], true)?.pop().context("no widget")?;
    let source = Source::Widget("ttd/demo".parse()?, widget);
    Ok(DevServer::new(source, toolchain, journal.clone())?)
}

fn states() -> (watch::Sender<DevState>, watch::Receiver<DevState>) {
    watch::channel(DevState::new(ResourceState::Pending))
}

/// The process that listens on a port, as the kernel tells it.
fn listener(port: u16) -> Option<u32> {
    let all = listeners::get_all().ok()?;
    all.into_iter()
        .find(|found| found.socket.port() == port && found.state == listeners::SocketState::Listen)
        .map(|found| found.process.pid)
}

async fn answering(state: &mut watch::Receiver<DevState>) -> Result<DevRoute> {
    let found = timeout(Duration::from_mins(1), state.wait_for(|now| now.route.is_some())).await;
    found??.route.clone().context("no route")
}

async fn free(port: u16) -> Result<()> {
    for _ in 0..100 {
        if listener(port).is_none() {
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    Err(anyhow!("the server on port {port} lives on"))
}

/// Readers see the old text or the new one.
fn replace(folder: &Path, name: &str, text: &str) -> Result<()> {
    let new = folder.join(format!("{name}.new"));
    std::fs::write(&new, text)?;
    Ok(std::fs::rename(new, folder.join(name))?)
}

/// Tells the browser's side where the server is, each time it changes.
async fn told(folder: &Path, mut state: watch::Receiver<DevState>) -> Result<()> {
    loop {
        let (module, now) = {
            let state = state.borrow_and_update();
            (widgets::page_module(std::slice::from_ref(&*state)), state.route.clone())
        };
        replace(folder, "dev.js", &module)?;
        if let Some(now) = now {
            let mut told = json!(now);
            told["pid"] = json!(listener(now.port));
            replace(folder, "route.json", &told.to_string())?;
        }
        state.changed().await?;
    }
}

#[tokio::test]
#[ignore = "needs Node, a package registry and Chromium"]
async fn a_widget_in_a_browser() -> Result<()> {
    let folder = an_app()?;
    let app = folder.path().join("app");
    let mut npm = Command::new("npm");
    run(npm.arg("test").current_dir(app.join("widgets/counter")), INSTALL)?.succeeded()?;

    let journal = Journal::default();
    let (sender, mut state) = states();
    let began = Instant::now();
    let served = tokio::spawn(server(&app, &journal)?.run(sender));
    let first = answering(&mut state).await?;
    eprintln!("the dev server answers after {:.1?}", began.elapsed());
    let there = folder.path().to_path_buf();
    let telling = tokio::spawn({
        let state = state.clone();
        async move { told(&there, state).await }
    });

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/widget.mjs");
    let mut node = tokio::process::Command::new("node");
    // At its end Node sets a terminal back, which stops everybody who runs in the background of one.
    node.stdin(std::process::Stdio::null());
    let status = node.arg(script).arg(folder.path()).kill_on_drop(true).status();
    let status = timeout(Duration::from_mins(3), status).await??;
    if let Some(kept) = std::env::var_os("SCREENSHOTS") {
        for entry in std::fs::read_dir(folder.path())?.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "png") {
                std::fs::copy(entry.path(), Path::new(&kept).join(entry.file_name()))?;
            }
        }
    }
    for event in journal.since(0) {
        if let EventKind::Log { line, .. } = event.kind {
            eprintln!("  {line}");
        }
    }
    ensure!(status.success(), "the browser's part ended with {status}");

    let last = answering(&mut state).await?;
    ensure!(last.port != first.port, "the server was killed, but is the same");
    telling.abort();
    served.abort();
    free(last.port).await
}

#[tokio::test]
#[ignore = "needs Node and a package registry"]
async fn no_server_outlives_whoever_holds_it() -> Result<()> {
    let folder = an_app()?;
    // This very test, as a process of its own that can be killed.
    let mut holder = tokio::process::Command::new(std::env::current_exe()?)
        .args(["--ignored", "--exact", "widgets::holds_a_server"])
        .env(HELD, folder.path())
        .kill_on_drop(true)
        .spawn()?;
    let port = folder.path().join("port");
    let mut heard = None;
    for _ in 0..600 {
        heard = std::fs::read_to_string(&port).ok();
        if heard.is_some() {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    let port = heard.context("the server never answered")?.parse()?;
    ensure!(listener(port).is_some_and(|pid| Some(pid) != holder.id()), "nobody listens");
    // SIGKILL: nothing of ours runs any more.
    let began = Instant::now();
    holder.kill().await?;
    free(port).await?;
    eprintln!("gone after {:.0?}", began.elapsed());
    Ok(())
}

#[tokio::test]
#[ignore = "only as a part of the test above"]
async fn holds_a_server() -> Result<()> {
    let Some(folder) = std::env::var_os(HELD) else { return Ok(()) };
    let folder = Path::new(&folder);
    let (sender, mut state) = states();
    let _served = tokio::spawn(server(&folder.join("app"), &Journal::default())?.run(sender));
    let port = answering(&mut state).await?.port.to_string();
    std::fs::write(folder.join("port.new"), port)?;
    std::fs::rename(folder.join("port.new"), folder.join("port"))?;
    std::future::pending().await
}
