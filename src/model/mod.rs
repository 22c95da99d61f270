//! Plain data: names, what is wanted, what was found, and how a fault is told.
//!
//! Nothing here reads a clock, a file or a socket. Layers above fill these types and pass them on.

mod app;
mod code;
mod credentials;
mod designer;
mod domain;
mod found;
mod image;
mod lane;
mod name;
mod part;
mod pipeline;
mod platform;
mod report;
mod resource;
mod stack;
mod watch;

pub use app::{App, AppId};
pub use code::{Code, Exit};
pub use credentials::Credentials;
pub use designer::DesignerChoice;
pub use domain::Domain;
pub use found::{
    FoundApp, FoundCluster, FoundContainer, FoundNetwork, FoundRelease, NodeState, Observed,
    ReleaseStatus,
};
pub use image::ImageRef;
pub use lane::Lane;
pub use name::{AppName, EnvironmentName, InvalidName, OrgName, StackName, WidgetName};
pub use part::Part;
pub use pipeline::{Definition, PipelineRun, RunResult, RunStatus, RunTask, TaskKind};
pub use platform::{Origin, PlatformChoice, PlatformService};
pub use report::{Diagnostic, Fix, Label, Report, Severity};
pub use resource::{Resource, ResourceKind, ResourceState};
pub use stack::{
    Addresses, Cluster, FileSpec, Mount, Pages, Port, Ports, Probe, Route, Service, Setup, SignIn,
    Stack, Target, cluster_name, labels, org_registry, pipeline_url, studio_url,
};
pub(crate) use stack::{hex, short_hash};
pub use watch::{Place, Reload, WatchAction, WatchMode, WatchRule};
