//! The commands that talk to the platform's services.

use std::path::PathBuf;

use clap::{Args as Arguments, Subcommand, ValueEnum};

use crate::model::AppId;

/// `user …`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum User {
    /// The test people: numbers, names, and whom they may act for
    List,
    /// Print a token for a test person, an organisation or a system user
    Login(Login),
}

/// The flags of `user login`.
#[derive(Debug, Clone, PartialEq, Eq, Arguments)]
pub struct Login {
    /// User id, party id, national number, user name, or a part of the name that fits only one
    #[arg(required_unless_present_any = ["org", "system"])]
    pub person: Option<String>,
    /// A token of a service owner instead, as `ttd`
    #[arg(long, value_name = "ORG", conflicts_with_all = ["person", "party", "open", "link"])]
    pub org: Option<String>,
    /// A token of a system user instead; the first there is when no id follows
    #[arg(
        long, value_name = "ID", num_args = 0..=1, default_missing_value = "",
        conflicts_with_all = ["person", "org", "party", "level", "open", "link"]
    )]
    pub system: Option<String>,
    /// Whom the person acts for: a party id
    #[arg(long, value_name = "PARTY")]
    pub party: Option<i64>,
    /// What the token may do, as `altinn:instances.read`; several in one, with spaces between
    #[arg(long, value_name = "SCOPES")]
    pub scope: Option<String>,
    /// How well the person is known, 0 to 4
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(0..=4))]
    pub level: Option<u8>,
    /// Open the app in the browser, logged in; prints no token
    #[arg(long, conflicts_with_all = ["scope", "link"])]
    pub open: bool,
    /// Print an address that logs a browser in, once and within a minute; prints no token
    #[arg(long, conflicts_with = "scope")]
    pub link: bool,
}

/// `data …`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Data {
    /// Delete instances, files, events, subscriptions and profile settings; deployed apps stay
    Reset {
        /// Only those of this app, as `ttd/my-app`
        #[arg(long, value_name = "ORG/APP")]
        app: Option<AppId>,
    },
    /// Make instances of an app; the same seed makes the same ones
    Seed(Seed),
    /// Write everything into a file
    Export {
        /// The file to write; it must not be there yet
        file: PathBuf,
        /// Only what belongs to this app
        #[arg(long, value_name = "ORG/APP")]
        app: Option<AppId>,
    },
    /// Take a file of `data export` in; what is there already is never replaced
    Import {
        /// The file to read
        file: PathBuf,
    },
}

/// The flags of `data seed`.
#[derive(Debug, Clone, PartialEq, Eq, Arguments)]
pub struct Seed {
    /// Of which app; the folder's app when left out
    #[arg(long, value_name = "ORG/APP")]
    pub app: Option<AppId>,
    /// How many instances
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub count: u32,
    /// What ids, owners, states and contents follow from
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Who owns the instances: party ids; every test person when left out
    #[arg(long = "party", value_name = "PARTY")]
    pub parties: Vec<i64>,
    /// Files for each instance, named by their data type: `model.xml` becomes an element of type `model`. Text is made
    /// up for attachments when left out
    #[arg(long, value_name = "DIR")]
    pub from: Option<PathBuf>,
}

/// `services …`
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum Services {
    /// The services: health, version, requests so far
    List,
    /// Faults on demand: late answers, wrong ones, none at all
    #[command(subcommand)]
    Fault(Fault),
}

/// `services fault …`
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum Fault {
    /// Let a service answer late or wrongly; the rule lasts until it is cleared or the service ends
    Add(Box<Rule>),
    /// The faults and how often each has struck
    List,
    /// Take the faults away
    Clear {
        /// Of which service; of all when left out
        service: Option<Service>,
    },
}

/// The flags of `services fault add`.
#[derive(Debug, Clone, PartialEq, Arguments)]
pub struct Rule {
    /// Which service
    pub service: Service,
    /// Only these paths: `/storage/api/v1/instances/{party}/{guid}` whole, `/storage/**` with all below
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// Only this method
    #[arg(long, value_name = "METHOD")]
    pub method: Option<String>,
    /// Answer with this status
    #[arg(long, value_name = "STATUS", conflicts_with_all = ["expired_token", "cut"])]
    pub status: Option<u16>,
    /// With --status: seconds in the header `Retry-After`
    #[arg(long, value_name = "SECONDS", requires = "status")]
    pub retry_after: Option<u32>,
    /// Wait before the answer: `200ms`, or from a range as `100ms..1s`
    #[arg(long, value_name = "TIME")]
    pub latency: Option<String>,
    /// Answer as if the caller's token had expired
    #[arg(long, conflicts_with = "cut")]
    pub expired_token: bool,
    /// Break the connection in the middle of the answer
    #[arg(long)]
    pub cut: bool,
    /// How likely it strikes, as `0.2`; each time when left out
    #[arg(long, value_name = "RATE", conflicts_with = "every")]
    pub rate: Option<f64>,
    /// Strike each Nth request
    #[arg(long, value_name = "N")]
    pub every: Option<u64>,
    /// Strike at most so often
    #[arg(long, value_name = "N")]
    pub times: Option<u64>,
    /// The same seed strikes the same requests
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub seed: u64,
}

/// One of the platform's services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Service {
    /// Profile, Register, Authentication, Authorization.
    Platform,
    /// Instances and their data.
    Storage,
    /// Events and subscriptions.
    Events,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Platform, Self::Storage, Self::Events];

    /// Its name, which is the first word of its paths.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Storage => "storage",
            Self::Events => "events",
        }
    }
}
