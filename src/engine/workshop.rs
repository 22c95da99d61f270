//! What work is done with: the agent's own facts, and for each run the engine and the programs, found anew, because
//! a user may have started or upgraded them since.

use std::path::PathBuf;

use super::turns::Turns;
use crate::cluster;
use crate::config::dirs::Dirs;
use crate::config::env::{Environment, Variable};
use crate::deploy::publish::{Platform, Readers};
use crate::deploy::release::Installer;
use crate::deploy::rollout::Front;
use crate::events::Journal;
use crate::model::{
    Cluster, Credentials, ImageRef, OrgName, PlatformService, Report, Stack, StackName,
};
use crate::stack::Executor;
use crate::sys::calls::Calls;
use crate::sys::docker::{Docker, EngineChoice, Product};
use crate::sys::gitea::Gitea;
use crate::sys::helm::Helm;
use crate::sys::helper::{Helper, Services};
use crate::sys::http::Http;
use crate::sys::kind::{Kind, KindEngine};
use crate::sys::kube::Kube;
use crate::sys::registry::Registry;
use crate::sys::{helper, tools};

/// What stays the same during an agent's life.
#[derive(Debug, Clone)]
pub struct Site {
    /// The stack this agent works on.
    pub stack: StackName,
    /// Folders of our own files.
    pub dirs: Dirs,
    /// The environment the agent was started with.
    pub environment: Environment,
    /// For probes and APIs behind our own ports.
    pub http: Http,
    /// The agent's port on 127.0.0.1.
    pub agent_port: u16,
    /// Changing calls so far.
    pub calls: Calls,
    /// Where everything is told.
    pub journal: Journal,
    /// Passwords and keys of the stack.
    pub credentials: Credentials,
    /// Whose turn it is to change a release.
    pub turns: Turns,
}

impl Site {
    /// The stack's own folder.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.dirs.stack(&self.stack)
    }

    /// Which engine the user means.
    #[must_use]
    pub fn engine_choice(&self) -> EngineChoice {
        engine_choice(&self.environment)
    }
}

/// Which engine the user means, from the environment.
#[must_use]
pub fn engine_choice(environment: &Environment) -> EngineChoice {
    let text = |variable| environment.get(variable).map(str::to_owned);
    EngineChoice {
        docker_host: text(Variable::DockerHost),
        docker_context: text(Variable::DockerContext),
        docker_config: text(Variable::DockerConfig).map(PathBuf::from),
        toolchain: text(Variable::ContainerToolchain),
        home: directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf()),
        runtime_dir: text(Variable::XdgRuntimeDir).map(PathBuf::from),
    }
}

/// The tools of one run. Clones share connections.
#[derive(Debug, Clone)]
pub(super) struct Workshop {
    pub(super) site: Site,
    pub(super) docker: Docker,
    pub(super) kind: Kind,
    pub(super) helm: Helm,
    /// The platform's services.
    pub(super) services: Services,
    /// What runs inside containers; why saves cannot go there when it is not on this machine.
    pub(super) helper: Result<Helper, Report>,
}

impl Workshop {
    /// Finds engine, kind and helm; what is missing is told all at once.
    pub(super) async fn open(site: &Site) -> Result<Self, Vec<Report>> {
        let mut missing = Vec::new();
        let mut note = |report| missing.push(report);
        let docker = Docker::connect(&site.engine_choice(), site.calls.clone()).await;
        let docker = docker.map_err(&mut note).ok();
        let program = |name: &str| tools::find(name, &site.environment, &site.dirs.tools);
        let kind = program("kind").map_err(&mut note).ok();
        let helm = program("helm").map_err(&mut note).ok();
        let services = helper::services(&site.dirs.tools).map_err(&mut note).ok();
        let (Some(docker), Some(kind), Some(helm), Some(services)) = (docker, kind, helm, services)
        else {
            return Err(missing);
        };
        let engine = KindEngine {
            podman: docker.product() == Product::Podman,
            docker_host: Some(docker.endpoint.clone()),
        };
        let calls = site.calls.clone();
        Ok(Self {
            kind: Kind::new(kind, engine, calls.clone()),
            helm: Helm::new(&helm, &site.folder().join("helm"), calls),
            helper: helper::find(&site.dirs.tools),
            services,
            docker,
            site: site.clone(),
        })
    }

    /// The organisation's cluster by our own kubeconfig; an error while it is not finished.
    pub(super) async fn kube(&self, cluster: &Cluster) -> Result<Kube, Report> {
        cluster::connect(&self.site.folder(), &cluster.name, self.site.calls.clone()).await
    }

    /// Helm for one cluster.
    pub(super) fn installer(&self, cluster: &Cluster) -> Installer {
        Installer {
            helm: self.helm.clone(),
            kubeconfig: cluster::kubeconfig(&self.site.folder(), &cluster.name),
            cache: self.site.dirs.cache.join("charts"),
        }
    }

    /// The registry in an image's name, and the repository there.
    pub(super) fn registry<'a>(&self, image: &'a ImageRef) -> Result<(Registry, &'a str), Report> {
        Registry::of(image, &self.site.http, &self.site.calls)
    }

    /// For container steps.
    pub(super) fn executor<'a>(&'a self, network: &'a str, router_port: u16) -> Executor<'a> {
        Executor {
            docker: &self.docker,
            http: &self.site.http,
            stack: &self.site.stack,
            network,
            credentials: &self.site.credentials,
            router_port,
        }
    }

    /// The platform's services, as whoever manages them.
    pub(super) fn platform(&self, stack: &Stack) -> Platform<'_> {
        Platform {
            http: &self.site.http,
            host: stack.domain.platform_host(),
            port: stack.ports.router,
            key: &self.site.credentials.services_key,
            readers: readers(stack),
        }
    }

    /// The way to an organisation's apps through the router.
    pub(super) fn front(&self, stack: &Stack, org: &OrgName) -> Front {
        Front {
            http: self.site.http.clone(),
            port: stack.ports.router,
            host: stack.domain.apps_host(org),
        }
    }

    /// Gitea's API as its administrator.
    pub(super) fn gitea(&self, router_port: u16) -> Gitea {
        let credentials = &self.site.credentials;
        let (user, password) = (&credentials.gitea_admin, &credentials.gitea_admin_password);
        let calls = self.site.calls.clone();
        Gitea::new(self.site.http.clone(), router_port, user, password, calls)
    }
}

/// The services of ours that read what apps bring.
pub(super) fn readers(stack: &Stack) -> Readers {
    Readers {
        storage: stack.platform.is_ours(PlatformService::Storage),
        authorization: stack.platform.is_ours(PlatformService::Authorization),
    }
}
