//! The command line: which service, where it listens, where it keeps its state. What is secret may be given as `@FILE`:
//! other programs see the arguments of a program, and engines show them.

mod studio;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::designer::Designer;
use crate::embedded::{self, Embedded};
use crate::events::{self, Events};
use crate::kit::fault::chain;
use crate::kit::management::Key;
use crate::kit::peer::Peer;
use crate::kit::{front::Front, logs, server};
use crate::platform::{self, Settings};
use crate::storage::{self, Storage};

/// One of the platform's services.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    service: Service,
    /// What is logged, such as `info,altinn_services=debug`
    #[arg(long, global = true, env = "ALTINN_SERVICES_LOG", default_value = "info")]
    log: String,
}

#[derive(Debug, Subcommand)]
enum Service {
    /// Profile, Register, Authentication, Authorization and the test log-in
    Platform(PlatformArgs),
    /// Instances of apps, their data, process and events
    Storage(StorageArgs),
    /// Publishing, subscriptions and delivery of events
    Events(EventsArgs),
    /// A stand-in for Altinn Studio's Designer
    Designer(studio::DesignerArgs),
    /// All of them in one process over `SQLite` and files, and beside them an app of this machine
    All(AllArgs),
}

#[derive(Debug, Args)]
struct Listen {
    /// File with the key that opens the management surface `/{service}/local/`; closed without one
    #[arg(long, env = "ALTINN_SERVICES_KEY_FILE")]
    key_file: Option<PathBuf>,
    /// Address and port to listen at
    #[arg(long, env = "ALTINN_SERVICES_LISTEN", default_value = "127.0.0.1:5101")]
    listen: SocketAddr,
    /// What opens the management surface `/{service}/local`, as a bearer token, or `@FILE`; closed without one
    #[arg(long, env = "ALTINN_SERVICES_KEY", hide_env_values = true)]
    key: Option<Told>,
}

impl Listen {
    fn key(&self) -> Key {
        Key::new(self.key.as_ref().map(|told| told.0.as_str()))
    }
}

/// What all services have in common.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    at: Listen,
    /// Folder of the certificates of organisations, `{org}.pem` or `{org}.cer`
    #[arg(long, env = "ALTINN_SERVICES_CERTIFICATES", default_value = "certificates")]
    certificates: PathBuf,
    /// Answer calls of apps that bring no `PlatformAccessToken`
    #[arg(long, env = "ALTINN_SERVICES_LENIENT")]
    lenient: bool,
}

/// An argument that says itself, or `@` and the file that says it.
#[derive(Debug, Clone)]
struct Told(String);

impl FromStr for Told {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        let Some(file) = given.strip_prefix('@') else { return Ok(Self(given.to_owned())) };
        let text = std::fs::read_to_string(file).map_err(|error| format!("`{file}`: {error}"))?;
        Ok(Self(text.trim().to_owned()))
    }
}

#[derive(Debug, Args)]
struct PlatformArgs {
    #[command(flatten)]
    common: Common,
    /// Folder of keys, policies and test people
    #[arg(long, env = "ALTINN_SERVICES_DATA")]
    data: PathBuf,
    /// Where Storage answers; without it, decisions do not know the task of an instance
    #[arg(long, env = "ALTINN_SERVICES_STORAGE")]
    storage: Option<String>,
    /// Domain of the log-in cookie; without it, the host's parent domain
    #[arg(long, env = "ALTINN_SERVICES_DOMAIN")]
    domain: Option<String>,
}

/// What Storage and Events have in common.
#[derive(Debug, Args)]
struct Stands {
    #[command(flatten)]
    common: Common,
    /// Documents: `postgres://…`, `sqlite:FILE`, or `@FILE` that says so
    #[arg(long, env = "ALTINN_SERVICES_METADATA", hide_env_values = true)]
    metadata: Told,
    /// Where Profile, Register, Authorization and Authentication answer
    #[arg(long, env = "ALTINN_SERVICES_PLATFORM")]
    platform: String,
}

#[derive(Debug, Args)]
struct StorageArgs {
    #[command(flatten)]
    stands: Stands,
    /// Bytes: `file:FOLDER`, `azure:CONNECTION` (a connection string), or `@FILE` that says so
    #[arg(long, env = "ALTINN_SERVICES_BLOBS", hide_env_values = true)]
    blobs: Told,
    /// The environment in the names of blob containers
    #[arg(long, env = "ALTINN_SERVICES_ENVIRONMENT", default_value = "local")]
    environment: String,
    /// Where Events answers, when Storage itself is to tell it what happens to instances
    #[arg(long, env = "ALTINN_SERVICES_EVENTS")]
    events: Option<String>,
}

#[derive(Debug, Args)]
struct EventsArgs {
    #[command(flatten)]
    stands: Stands,
}

#[derive(Debug, Args)]
struct AllArgs {
    #[command(flatten)]
    at: Listen,
    /// Folder of everything that is kept
    #[arg(long, env = "ALTINN_SERVICES_DATA")]
    data: PathBuf,
    /// The port of this machine where the app listens
    #[arg(long, env = "ALTINN_SERVICES_APP_PORT", default_value_t = embedded::APP_PORT)]
    app_port: u16,
}

/// Runs the program to its end.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    logs::start(&cli.log);
    // A second provider in the process would be a fault of its own; the first one stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(cli.service) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            tracing::error!(%fault, "cannot start");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(service: Service) -> Result<(), String> {
    match service {
        Service::Platform(args) => {
            let settings = Settings {
                data: args.data,
                storage: args.storage.as_deref().map(crate::kit::peer::Peer::remote).transpose()?,
                domain: args.domain,
                certificates: args.common.certificates.clone(),
                lenient: args.common.lenient,
                key: args.common.at.key(),
            };
            let service = platform::service(settings).map_err(|fault| chain(&fault))?;
            serve("platform", args.common.at.listen, Front::new(service)).await
        }
        Service::Storage(StorageArgs { stands, blobs, environment, events }) => {
            let storage = Storage::new(storage::Settings {
                metadata: stands.metadata.0,
                blobs: blobs.0,
                environment,
                certificates: stands.common.certificates,
                lenient: stands.common.lenient,
                platform: Peer::remote(&stands.platform)?,
                events: events.as_deref().map(Peer::remote).transpose()?,
                key: stands.common.at.key(),
            })?;
            let front = Front::new(storage.service());
            beside(serve("storage", stands.common.at.listen, front), |told| storage.tell(told))
                .await
        }
        Service::Events(EventsArgs { stands }) => {
            let events = Events::new(events::Settings {
                metadata: stands.metadata.0,
                certificates: stands.common.certificates,
                lenient: stands.common.lenient,
                platform: Peer::remote(&stands.platform)?,
                second: Duration::from_secs(1),
                loopback: false,
                key: stands.common.at.key(),
            })?;
            let front = Front::new(events.service());
            beside(serve("events", stands.common.at.listen, front), |told| events.deliver(told))
                .await
        }
        Service::All(AllArgs { at, data, app_port }) => {
            let key = at.key();
            let all = Embedded::open(embedded::Settings { data, app_port, key }).await?;
            let listener = listen("all", at.listen).await?;
            all.serve(listener, server::until_told()).await;
            Ok(())
        }
        Service::Designer(args) => {
            let listen = args.listen;
            let designer = Designer::new(args.into())?;
            let front = Front::new(designer.service());
            beside(serve("designer", listen, front), |told| designer.follow(told)).await
        }
    }
}

/// Serves with a worker beside, which ends with the service.
async fn beside<W: Future<Output = ()> + Send + 'static>(
    served: impl Future<Output = Result<(), String>>,
    worker: impl FnOnce(CancellationToken) -> W,
) -> Result<(), String> {
    let closing = CancellationToken::new();
    let worker = tokio::spawn(worker(closing.clone()));
    let ended = served.await;
    closing.cancel();
    worker.await.map_err(|error| error.to_string())?;
    ended
}

async fn serve(name: &str, address: SocketAddr, front: Front) -> Result<(), String> {
    server::serve(listen(name, address).await?, front, server::until_told()).await;
    Ok(())
}

async fn listen(name: &str, address: SocketAddr) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("listen at {address}: {error}"))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    tracing::info!(service = name, %address, "serving");
    Ok(listener)
}
