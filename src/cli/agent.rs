//! The hidden `agent`: the process in the background. It holds the stack's lock, serves both faces and ends when
//! the engine's loop does.

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::Context;
use crate::config::env::Variable;
use crate::engine::{self, Site, Turns};
use crate::events::Journal;
use crate::model::{Code, Report};
use crate::secrets;
use crate::server::{Face, Keys, Shared, Token, Visitors, app, serve};
use crate::sys::calls::Calls;
use crate::sys::fs::{remove_if_there, write_private};
use crate::sys::http::Http;
use crate::sys::{ipc, lock::StackLock};

/// How long events of the last run wait to be read.
const LINGER: Duration = Duration::from_secs(1);

pub(super) async fn run(context: &Context<'_>) -> Result<ExitCode, Report> {
    let journal = Journal::default();
    tell_to_log(context, journal.clone());
    let folder = context.dirs.prepare(&context.stack)?;
    let lock = context.dirs.runtime.join(format!("{}.lock", context.stack));
    let _lock = match StackLock::take(&lock) {
        // Expected when two commands start an agent each; whoever started us looks for the other one.
        Err(report) if report.code == Code::Locked => return Ok(report.exit().into()),
        taken => taken?,
    };
    let socket = ipc::Listener::bind(&ipc::Endpoint::new(&context.dirs.runtime, &context.stack))?;
    let default_stack = context.stack.as_str() == "default";
    let port = engine::agent_port(&folder, default_stack)?;
    let browser = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        Report::new(Code::PortTaken, format!("port {port} is in use")).why(error.to_string())
    })?;

    let token = Token::random()?;
    let token_file = folder.join("agent.token");
    write_private(&token_file, token.reveal().as_bytes())?;

    let site = Site {
        stack: context.stack.clone(),
        dirs: context.dirs.clone(),
        environment: context.environment.clone(),
        http: Http::new()?,
        agent_port: port,
        calls: Calls::default(),
        journal: journal.clone(),
        credentials: secrets::load_or_generate(&folder)?,
        turns: Turns::default(),
    };
    let keys = Keys {
        token: site.credentials.pipeline_token.clone(),
        hook: site.credentials.pipeline_hook_secret.clone(),
    };
    let (handle, visitors, work) = engine::spawn(site)?;
    let closing = CancellationToken::new();
    let (stack, environment) = (context.stack.clone(), context.environment.fingerprint());
    let shared = Shared::new(handle.clone(), stack, &environment, token, keys, closing.clone());
    let faces = async {
        tokio::join!(
            serve(socket, app(shared.clone(), Face::Socket), closing.clone()),
            serve(browser, app(shared.clone(), Face::Tcp(port)), closing.clone()),
            serve(Visitors(visitors), app(shared.clone(), Face::Tunnel), closing.clone()),
        )
    };
    let until_told = async {
        asked_to_end().await;
        handle.stop().await;
        std::future::pending::<()>().await;
    };
    let work = async {
        // The loop ends by itself after `stop`; what it told until then is still read.
        tokio::select! { _ = work => {}, () = until_told => {} }
        linger(&journal).await;
        closing.cancel();
    };
    tokio::join!(faces, work);
    remove_if_there(&token_file)?;
    Ok(ExitCode::SUCCESS)
}

/// Stays until the last events were read: a run may end before whoever asked for it begins to follow.
async fn linger(journal: &Journal) {
    let read = async {
        while journal.readers() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        while journal.readers() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if journal.newest() > 0 {
        // Nobody has to read them.
        let _ = tokio::time::timeout(LINGER, read).await;
    }
}

/// Standard error is the agent's log file. What services inside this process write is told as theirs as well.
fn tell_to_log(context: &Context<'_>, journal: Journal) {
    let filter = context.environment.get(Variable::Log).unwrap_or("altinn_local=info,warn");
    let filter = tracing_subscriber::EnvFilter::new(filter);
    // Fails only when a subscriber is there already; then that one is told.
    let file = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(super::printer::log);
    let _ = tracing_subscriber::registry()
        .with(file.with_filter(filter))
        .with(engine::services_log(journal))
        .try_init();
}

/// Waits for Ctrl-C, or for what a service manager sends.
async fn asked_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
