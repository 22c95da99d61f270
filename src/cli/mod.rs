//! The command line: reads arguments, asks the agent, shows what it tells. One file per command.

pub mod args;
pub mod client;
pub mod events;
pub mod printer;
pub mod progress;
pub mod report;
pub mod style;

mod agent;
mod app_git;
pub mod app_new;
mod bundle;
#[cfg(test)]
mod client_tests;
mod completions;
pub mod config;
mod context;
pub mod credentials;
mod data;
mod deploy;
pub mod doctor;
mod down;
mod explain;
mod git_credential;
mod kube;
mod logs;
mod open;
mod pipeline;
mod platform;
mod release;
mod services;
mod status;
mod up;
mod user;
mod watch;
pub mod widget;

pub use context::Context;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use args::{Args, Command, Output};
use printer::Printer;
use report::Manner;

use crate::config::env::Environment;
use crate::engine;
use crate::model::{Exit, Report};
use crate::sys::calls::Calls;
use crate::sys::docker::Docker;
use crate::sys::tools;

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Parses, runs, and maps the end to an exit code.
#[must_use]
pub fn main() -> ExitCode {
    let environment = Environment::read();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error, &environment),
    };
    let streams = args.command.as_ref().is_some_and(Command::streams);
    let printer = Printer::new(&args.global, &environment, streams);
    let name = args.command.as_ref().map_or("status", Command::name);
    let directory = args.global.directory.clone().unwrap_or_else(|| PathBuf::from("."));
    let ended = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Report::bug("the program could not start its threads", &error))
        .and_then(|runtime| {
            let ended = runtime.block_on(run(args, environment, &printer));
            // A read of the terminal that nobody answers must not keep the program.
            runtime.shutdown_background();
            ended
        });
    ended.unwrap_or_else(|report| fault(&report, name, &directory, &printer))
}

async fn run(args: Args, environment: Environment, printer: &Printer) -> Result<ExitCode, Report> {
    let context = Context::new(args.global, environment, printer)?;
    match args.command {
        None => status::or_help(&context).await,
        Some(Command::Status { urls }) => status::run(&context, urls).await,
        Some(Command::Logs { service, follow, tail }) => {
            logs::run(&context, service.as_deref(), tail, follow).await
        }
        Some(Command::Open { page, print }) => open::run(&context, page, print).await,
        Some(Command::Kube { org, arguments }) => kube::run(&context, org, arguments).await,
        Some(Command::Explain { code }) => explain::run(&context, &code),
        Some(Command::Completions { shell }) => Ok(completions::run(&context, shell)),
        Some(Command::Version) => Ok(version(printer)),
        Some(Command::Agent) => agent::run(&context).await,
        Some(Command::App(args::App::New { app, folder })) => {
            show(printer, &app_new::run(&app, folder.as_deref(), &context.directory)?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::App(args::App::Clone { app, folder })) => {
            show(printer, &app_git::clone(&context, &app, folder.as_deref()).await?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::App(args::App::Link { folder, force })) => {
            show(printer, &app_git::link(&context, folder.as_deref(), force).await?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::GitCredential { folder, operation }) => {
            git_credential::run(&context, &folder, &operation)
        }
        Some(Command::Release(wanted)) => release::run(&context, wanted).await,
        Some(Command::Pipeline(wanted)) => pipeline::run(&context, wanted).await,
        Some(Command::Widget(wanted)) => widget::run(&context, wanted).await,
        Some(Command::User(wanted)) => user::run(&context, wanted).await,
        Some(Command::Data(wanted)) => data::run(&context, wanted).await,
        Some(Command::Services(wanted)) => services::run(&context, wanted).await,
        Some(Command::Credentials) => {
            let folder = context.dirs.stack(&context.stack);
            show(printer, &credentials::run(&context.stack, &folder)?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Config(wanted)) => configuration(&context, wanted),
        Some(Command::Doctor) => examine(&context).await,
        Some(Command::Up(flags)) => up::run(&context, flags).await,
        Some(Command::Watch { why }) => watch::run(&context, &why).await,
        Some(Command::Down { volumes }) => down::run(&context, volumes).await,
        Some(Command::Deploy { app, dry_run }) => deploy::run(&context, app, dry_run).await,
    }
}

/// A result that has both forms.
fn show<T: serde::Serialize + std::fmt::Display>(printer: &Printer, result: &T) {
    if printer.is_json() { printer.json(result) } else { printer.line(result.to_string()) }
}

fn configuration(context: &Context<'_>, wanted: args::Config) -> Result<ExitCode, Report> {
    match wanted {
        args::Config::Schema => context.printer.json(&config::schema()),
        args::Config::Validate => {
            show(context.printer, &config::validate(None, || context.settings())?);
        }
        args::Config::Show => show(context.printer, &config::show(context.settings()?)),
    }
    Ok(ExitCode::SUCCESS)
}

async fn examine(context: &Context<'_>) -> Result<ExitCode, Report> {
    let settings = context.settings();
    let find = |name: &str| tools::find(name, &context.environment, &context.dirs.tools);
    let up = context.client().state().await?.is_some();
    // While the stack is up, its ports are its own.
    let ports: &[(u16, &str)] = if up { &[] } else { &[(8800, "router"), (8810, "agent")] };
    let subject = doctor::Subject { dirs: &context.dirs, find: &find, settings: &settings, ports };
    let choice = engine::engine_choice(&context.environment);
    let asked = async {
        let docker = Docker::connect(&choice, Calls::default()).await?;
        let (product, version) = (docker.product_name().to_owned(), docker.version.clone());
        Ok(doctor::Engine { product, version, api: docker.api.clone() })
    };
    let found = doctor::run(&subject, asked).await;
    show(context.printer, &found);
    Ok(found.exit().into())
}

fn version(printer: &Printer) -> ExitCode {
    let version = env!("CARGO_PKG_VERSION");
    if printer.is_json() {
        printer.json(&serde_json::json!({"product": "altinn-local", "version": version}));
    } else {
        printer.line(format!("altinn-local {version}"));
    }
    ExitCode::SUCCESS
}

/// What clap has to say: help and version are results, all else is wrong usage.
fn usage(error: &clap::Error, environment: &Environment) -> ExitCode {
    let printer = Printer::new(&args::Global::default(), environment, false);
    let short = std::env::args_os().skip(1).eq(["-h"]);
    if short {
        printer.line(args::SHORT_HELP);
        return ExitCode::SUCCESS;
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            printer.line(painted(error, printer.stdout()));
            ExitCode::SUCCESS
        }
        _ => {
            printer.error(painted(error, printer.stderr()).trim_end());
            ExitCode::from(Exit::Usage)
        }
    }
}

fn painted(error: &clap::Error, style: style::Style) -> String {
    let text = error.render();
    if style == style::Style::plain() { text.to_string() } else { text.ansi().to_string() }
}

fn fault(report: &Report, command: &str, directory: &Path, printer: &Printer) -> ExitCode {
    match printer.output() {
        Output::Json | Output::Ndjson => printer.json(&report::to_json(report, command)),
        Output::Text | Output::Yaml => {
            // Paths of findings begin at the app's root, which may be above.
            let directory = dunce::canonicalize(directory).unwrap_or_default();
            let root = directory.ancestors().find(|above| above.join("App/config").is_dir());
            let manner = Manner { style: printer.stderr(), causes: printer.verbose() > 0, root };
            printer.error(report::render(report, manner));
        }
    }
    ExitCode::from(report.exit())
}
