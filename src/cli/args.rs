//! The command line as types; the doc comments are the help text.

mod pipeline;
mod platform;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};

use crate::config::schema::{PortChoice, Profile};
use crate::model::{AppId, OrgName, StackName, WidgetName};

pub use pipeline::{List, Pipeline, Release, Run, RunKind, RunState};
pub use platform::{Data, Fault, Login, Rule, Seed, Service, Services, User};

/// `-h`: one screen. `--help` is clap's own and tells everything.
pub const SHORT_HELP: &str = "\
The whole of Altinn on a workstation.

Usage: altinn-local [COMMAND] [OPTIONS]

  up        bring everything up and keep watching    status    what runs, and how well
  down      remove it; data stays                    logs      what it wrote
  deploy    build and deploy the app anew            open      Studio, Gitea or the app in a browser
  watch     each save as it goes live; --why PATH tells how a save of a file would

  release   a version of the app, built and kept     pipeline  run, list, logs: builds and deploys
  app       new, clone, link                         widget    new, build: React widgets of the app
  user      list; login: tokens of test people       data      reset, seed, export, import
  services  list; fault: late and wrong answers on demand
  config    show or check the configuration          kube      kubectl in an organisation's cluster
  doctor    check this machine                       explain   what an error code means
  credentials, completions, version

Options: -C DIR, --stack NAME, --json, -q, -v, --yes, --no-input, --offline, --color, --progress
         `altinn-local COMMAND --help` tells all of a command.

Examples:
  altinn-local up                    in the folder of an app: its whole world, and each save live
  altinn-local up --embedded         the platform's services alone, without containers
  altinn-local logs -f my-app        follow the app
";

/// The whole of Altinn on a workstation.
#[derive(Debug, Clone, Parser)]
#[command(name = "altinn-local", version, disable_help_subcommand = true, max_term_width = 100)]
pub struct Args {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// None means `status` when the stack runs, else the short help.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Arguments)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Global {
    /// Work as if started in this folder
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// The stack to work on; several may run side by side [default: the configuration's, or `default`]
    #[arg(long, value_name = "NAME", global = true)]
    pub stack: Option<StackName>,
    /// The form of the result on standard output
    #[arg(long, value_name = "FORM", global = true, conflicts_with = "json")]
    pub output: Option<Output>,
    /// Short for `--output json`
    #[arg(long, global = true)]
    pub json: bool,
    /// Colours
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    pub color: Color,
    /// How progress is shown on standard error
    #[arg(long, value_name = "HOW", global = true, default_value = "auto")]
    pub progress: Progress,
    /// Only results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// More: causes of errors, lines of output
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Answer every question with yes
    #[arg(long, global = true)]
    pub yes: bool,
    /// Ask nothing; what needs an answer fails
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Fetch nothing from the network
    #[arg(long, global = true)]
    pub offline: bool,
}

/// The form of a result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// One JSON document a line; the last one is the result or the error.
    Ndjson,
    /// YAML, where a command makes some.
    Yaml,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that knows them, unless `NO_COLOR` or `CI` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// `tty` on a terminal, else `plain`.
    #[default]
    Auto,
    /// A tree that is redrawn.
    Tty,
    /// Lines with the time.
    Plain,
    /// Each event as a line of JSON.
    Json,
    /// Not at all.
    None,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum Command {
    /// Bring everything up: Studio's parts, a cluster per organisation, the app; then watch its files
    Up(Up),
    /// Remove all that runs; data stays unless asked otherwise
    Down {
        /// Delete the data too: databases, repositories, images
        #[arg(long)]
        volumes: bool,
    },
    /// What runs, and how well
    #[command(visible_alias = "st")]
    Status {
        /// Only names and URLs
        #[arg(long)]
        urls: bool,
    },
    /// What the parts, the builds and the app wrote
    Logs {
        /// As `studio.gitea`, `gitea`, `my-app`; all when left out
        service: Option<String>,
        /// Go on with new lines
        #[arg(short, long)]
        follow: bool,
        /// How many of the last lines to begin with
        #[arg(long, value_name = "N", default_value_t = 200)]
        tail: usize,
    },
    /// Show each save as it goes live; with --why, tell how a save of a file would
    Watch {
        /// Tell the lane of a save of these files, where they land in the image, and why; needs no running stack
        #[arg(long, value_name = "PATH", num_args = 1..)]
        why: Vec<PathBuf>,
    },
    /// Build and deploy the app anew
    Deploy {
        /// As `ttd/my-app`; the folder's app when left out
        app: Option<AppId>,
        /// Only print what would be applied; `--output yaml` or `json`
        #[arg(long)]
        dry_run: bool,
    },
    /// Open a page in the browser
    Open {
        /// Which one
        #[arg(default_value = "app")]
        page: Page,
        /// Print the address instead
        #[arg(long)]
        print: bool,
    },
    /// Run kubectl against an organisation's cluster
    Kube {
        /// The organisation; may be left out when there is only one
        org: Option<OrgName>,
        /// For kubectl
        #[arg(last = true, value_name = "ARGS", required = true)]
        arguments: Vec<String>,
    },
    /// Build a version of the app from a commit in the stack's Gitea, and keep it
    Release(Release),
    /// The pipeline, as Azure DevOps in production: runs that build and deploy
    #[command(subcommand)]
    Pipeline(Pipeline),
    /// Apps: make a new one, clone one from the stack's Gitea, connect a folder with it
    #[command(subcommand)]
    App(App),
    /// Widgets: React projects for layout component `Custom`
    #[command(subcommand)]
    Widget(Widget),
    /// The test people, and tokens for them
    #[command(subcommand)]
    User(User),
    /// What the platform's services keep: delete it, make some up, write it out, take it in
    #[command(subcommand)]
    Data(Data),
    /// The platform's services: how they are, and faults on demand
    #[command(subcommand)]
    Services(Services),
    /// Check this machine for what altinn-local needs
    Doctor,
    /// Show the names and passwords of the local services
    Credentials,
    /// The configuration: check it, show it, print its schema
    #[command(subcommand)]
    Config(Config),
    /// What an error code means
    Explain {
        /// As `AL1203`
        code: String,
    },
    /// Print a completion script
    Completions {
        /// Whose
        shell: clap_complete::Shell,
    },
    /// Print the version
    Version,
    /// The part that stays in the background
    #[command(hide = true)]
    Agent,
    /// What git calls for the password of the stack's Gitea
    #[command(hide = true)]
    GitCredential {
        /// The stack's folder
        folder: PathBuf,
        /// `get`; all else is for helpers that keep what they are given
        operation: String,
    },
}

/// The flags of `up`.
#[derive(Debug, Clone, PartialEq, Eq, Arguments)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag")]
pub struct Up {
    /// Stay and show what happens until Ctrl-C; the stack runs on
    #[arg(short, long)]
    pub attach: bool,
    /// Only print the steps that would be done
    #[arg(long)]
    pub plan: bool,
    /// Do not watch the app's files
    #[arg(long)]
    pub no_watch: bool,
    /// Leave the app's pages as they are: nothing in them follows a save or shows why a build failed
    #[arg(long)]
    pub no_overlay: bool,
    /// The router's port: a number, or `auto` for the next free one, which is remembered
    #[arg(long, value_name = "N|auto")]
    pub port: Option<PortChoice>,
    /// Beside the usual: `widgets` serves the widgets in the app's `widgets/` from their source, each save at once
    #[arg(long = "profile", value_name = "NAME")]
    pub profiles: Vec<Profile>,
    /// No containers: the platform's services inside the agent, for an app that `dotnet run` serves. No cluster, no Studio
    #[arg(long, conflicts_with_all = ["profiles", "no_overlay"])]
    pub embedded: bool,
    /// With --embedded: the port of this machine where the app listens [default: 5005]
    #[arg(long, value_name = "N", requires = "embedded")]
    pub app_port: Option<u16>,
    /// How long to wait, as `90s`, `5m`; the work goes on afterwards
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = duration)]
    pub wait_timeout: Duration,
}

/// A page to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Page {
    /// Studio's front page.
    Studio,
    /// The git server.
    Gitea,
    /// The app.
    App,
    /// The platform's log-in page.
    Platform,
    /// The agent's page.
    Dashboard,
}

/// `app …`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum App {
    /// A new app from the template
    New {
        /// As `ttd/my-app`
        app: String,
        /// Where to; a folder of the app's name when left out
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Clone an app from the stack's Gitea; git in the clone gets its password from altinn-local
    Clone {
        /// As `ttd/my-app`
        app: AppId,
        /// Where to; a folder of the app's name when left out
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Give an app's repository the remote `altinn-local`, the stack's Gitea; branches and files stay as they are
    Link {
        /// The app's folder; that of the app one stands in when left out
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
        /// Replace a remote of that name that leads elsewhere
        #[arg(long)]
        force: bool,
    },
}

/// `widget …`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Widget {
    /// A new widget in the app: React, TypeScript and Vite, with a test and a story page
    New {
        /// Lower case, digits and hyphens, as `map`
        name: String,
        /// Where to [default: `widgets/NAME` in the app]
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Build widgets into the app's `App/wwwroot/widgets`
    Build {
        /// Which ones; all of the app when left out
        #[arg(value_name = "NAME")]
        names: Vec<WidgetName>,
    },
    /// The widgets of the app
    List,
}

/// `config …`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub enum Config {
    /// Check `altinn-local.yaml`
    Validate,
    /// Print its JSON schema
    Schema,
    /// Print the settings that hold here
    Show,
}

impl Command {
    /// The command's name, as typed.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Up(_) => "up",
            Self::Down { .. } => "down",
            Self::Status { .. } => "status",
            Self::Logs { .. } => "logs",
            Self::Watch { .. } => "watch",
            Self::Deploy { .. } => "deploy",
            Self::Open { .. } => "open",
            Self::Kube { .. } => "kube",
            Self::Release(_) => "release",
            Self::Pipeline(Pipeline::List(_)) => "pipeline list",
            Self::Pipeline(Pipeline::Run(_)) => "pipeline run",
            Self::Pipeline(Pipeline::Show { .. }) => "pipeline show",
            Self::Pipeline(Pipeline::Logs { .. }) => "pipeline logs",
            Self::Pipeline(Pipeline::Cancel { .. }) => "pipeline cancel",
            Self::Pipeline(Pipeline::Rerun { .. }) => "pipeline rerun",
            Self::Pipeline(Pipeline::Rm { .. }) => "pipeline rm",
            Self::App(App::New { .. }) => "app new",
            Self::App(App::Clone { .. }) => "app clone",
            Self::App(App::Link { .. }) => "app link",
            Self::Widget(Widget::New { .. }) => "widget new",
            Self::Widget(Widget::Build { .. }) => "widget build",
            Self::Widget(Widget::List) => "widget list",
            Self::User(User::List) => "user list",
            Self::User(User::Login(_)) => "user login",
            Self::Data(Data::Reset { .. }) => "data reset",
            Self::Data(Data::Seed(_)) => "data seed",
            Self::Data(Data::Export { .. }) => "data export",
            Self::Data(Data::Import { .. }) => "data import",
            Self::Services(Services::List) => "services list",
            Self::Services(Services::Fault(Fault::Add(_))) => "services fault add",
            Self::Services(Services::Fault(Fault::List)) => "services fault list",
            Self::Services(Services::Fault(Fault::Clear { .. })) => "services fault clear",
            Self::Doctor => "doctor",
            Self::Credentials => "credentials",
            Self::Config(Config::Validate) => "config validate",
            Self::Config(Config::Schema) => "config schema",
            Self::Config(Config::Show) => "config show",
            Self::Explain { .. } => "explain",
            Self::Completions { .. } => "completions",
            Self::Version => "version",
            Self::Agent => "agent",
            Self::GitCredential { .. } => "git-credential",
        }
    }

    /// Whether the result comes bit by bit, so that JSON means one document a line.
    #[must_use]
    pub fn streams(&self) -> bool {
        if let Self::Watch { why } = self {
            return why.is_empty();
        }
        matches!(
            self,
            Self::Up(_)
                | Self::Down { .. }
                | Self::Logs { .. }
                | Self::Deploy { dry_run: false, .. }
                | Self::Release(Release { follow: true, .. } | Release { deploy: Some(_), .. })
                | Self::Pipeline(
                    Pipeline::Logs { .. }
                        | Pipeline::Run(Run { follow: true, .. })
                        | Pipeline::Rerun { follow: true, .. }
                )
        )
    }
}

/// Reads `90s`, `5m`, `1h`, or seconds alone.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(place) => text.split_at(place),
        None => (text, "s"),
    };
    let seconds = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        _ => None,
    };
    number
        .parse::<u32>()
        .ok()
        .zip(seconds)
        .map(|(number, unit)| Duration::from_secs(u64::from(number) * unit))
        .ok_or_else(|| "use a number with s, m or h, as `90s`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_types_make_a_command_line() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_short_help_fits_a_screen_and_names_every_command() {
        insta::assert_snapshot!(SHORT_HELP);
        assert!(SHORT_HELP.lines().count() <= 24);
        assert!(SHORT_HELP.lines().all(|line| line.chars().count() <= 100));
        for command in Args::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            assert!(SHORT_HELP.contains(command.get_name()), "{}", command.get_name());
        }
    }

    #[test]
    fn commands_are_read() {
        let read = |line: &str| Args::try_parse_from(line.split(' '));
        let args = read("altinn-local up --port auto --wait-timeout 90s --json -C /a").unwrap();
        assert!(args.global.json);
        let Some(Command::Up(up)) = args.command else { panic!("not up") };
        assert_eq!(up.port, Some(PortChoice::Auto));
        assert_eq!(up.wait_timeout, Duration::from_secs(90));
        let args = read("altinn-local kube ttd -- get pods -A").unwrap();
        let Some(Command::Kube { org, arguments }) = args.command else { panic!("not kube") };
        assert_eq!(org.map(|org| org.to_string()).as_deref(), Some("ttd"));
        assert_eq!(arguments, ["get", "pods", "-A"]);
        let args = read("altinn-local deploy --dry-run --output yaml").unwrap();
        assert_eq!(args.global.output, Some(Output::Yaml));
        let args = read("altinn-local up --embedded --app-port 5010").unwrap();
        let Some(Command::Up(up)) = args.command else { panic!("not up") };
        assert_eq!((up.embedded, up.app_port), (true, Some(5010)));
        let args =
            read("altinn-local pipeline run deploy ttd/a --tag 1.2.0 --set A=b=c -f").unwrap();
        assert!(args.command.as_ref().is_some_and(Command::streams));
        let Some(Command::Pipeline(Pipeline::Run(run))) = args.command else { panic!("not run") };
        assert_eq!((run.kind, run.environment.as_str()), (RunKind::Deploy, "local"));
        assert_eq!(run.parameters, [("A".to_owned(), "b=c".to_owned())]);
        for wrong in [
            "pipeline run make",
            "pipeline run build --set A",
            "pipeline run build --set A-B=c",
            "pipeline list --all --top 3",
            "pipeline list --top 0",
            "pipeline show x",
            "release --version 1.2",
            "app clone my-app",
            "up --app-port 5010",
            "up --embedded --profile widgets",
            "up --port 80",
            "up --wait-timeout 5x",
            "statsu",
            "kube ttd",
        ] {
            let error = read(&format!("altinn-local {wrong}")).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{wrong}");
        }
        let error = read("altinn-local statsu").unwrap_err().to_string();
        assert!(error.contains("'status'"), "{error}");
    }
}
