//! Keeps open pages of apps in touch with the agent: the tunnel from the router, and what is behind it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::desire::Desire;
use super::handle::Visitor;
use super::workshop::Site;
use crate::model::{AppId, Domain, Pages, Report, Stack};
use crate::page;
use crate::sys::calls::Calls;
use crate::sys::docker::Docker;
use crate::sys::helper::{self, Helper};
use crate::sys::tunnel;
use crate::widgets::{self, Switchboard};

/// The first and the longest wait before a tunnel that ended is opened again.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));

/// What a tunnel is made from; as long as it is the same, the tunnel stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    router: String,
    port: u16,
    domain: Domain,
    relays: Vec<u16>,
    pages: Option<Pages>,
    apps: Vec<(AppId, PathBuf)>,
}

impl Wanted {
    /// None when nothing leads to this machine.
    fn from(stack: &Stack) -> Option<Self> {
        let relays: Vec<u16> = stack.relays().into_iter().collect();
        let router = stack.services.iter().find(|service| service.id == "studio.router")?;
        (!relays.is_empty()).then(|| Self {
            router: router.container.clone(),
            port: stack.ports.router,
            domain: stack.domain,
            relays,
            pages: stack.pages.clone(),
            apps: stack.apps.iter().map(|app| (app.id.clone(), app.root.clone())).collect(),
        })
    }
}

/// The tunnel of a stack that is up.
#[derive(Debug, Default)]
pub(super) struct Browser {
    wanted: Option<Wanted>,
    open: CancellationToken,
}

impl Browser {
    /// Adapts to a stack that came up: the work to do until it is cancelled, when it is not under way already.
    pub(super) fn follow(
        &mut self,
        site: &Site,
        desire: &Desire,
        servers: Switchboard,
        visitors: mpsc::Sender<Visitor>,
    ) -> Option<impl Future<Output = ()> + use<>> {
        let wanted = Wanted::from(&desire.stack);
        if self.wanted == wanted {
            return None;
        }
        self.close();
        self.wanted.clone_from(&wanted);
        let (site, open) = (site.clone(), self.open.clone());
        Some(async move {
            if let Some(wanted) = wanted {
                tokio::select! { () = keep(site, wanted, servers, visitors) => {}, () = open.cancelled() => {} }
            }
        })
    }

    /// Ends it.
    pub(super) fn close(&mut self) {
        self.open.cancel();
        *self = Self::default();
    }
}

/// Opens the tunnel, again and again as it ends.
async fn keep(site: Site, wanted: Wanted, servers: Switchboard, visitors: mpsc::Sender<Visitor>) {
    let helper = match helper::find(&site.dirs.tools) {
        Ok(helper) => helper,
        // That there is none is told where it costs most: at the apps' saves.
        Err(report) => return tracing::warn!(%report, "pages do not follow saves"),
    };
    let wanted = Arc::new(wanted);
    let mut wait = WAITS.0;
    loop {
        let opened = Instant::now();
        let ended = hold(&site, &wanted, &helper, &servers, &visitors).await;
        // One that held was fine: what ended it is the router's restart.
        if opened.elapsed() > WAITS.1 {
            wait = WAITS.0;
        }
        tracing::debug!(?ended, "the tunnel to the router ended");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(WAITS.1);
    }
}

async fn hold(
    site: &Site,
    wanted: &Arc<Wanted>,
    helper: &Helper,
    servers: &Switchboard,
    visitors: &mpsc::Sender<Visitor>,
) -> Result<(), Report> {
    // Its calls are of no run, and must not be counted for one.
    let docker = Docker::connect(&site.engine_choice(), Calls::default()).await?;
    let pages = wanted.pages.as_ref().map(|pages| page::Pages {
        journal: site.journal.clone(),
        port: wanted.port,
        domain: wanted.domain,
        apps: Arc::new(wanted.apps.iter().cloned().collect()),
        overlay: pages.overlay,
        reload: pages.reload,
    });
    let relays = wanted.relays.iter().copied();
    let answer = |port, stream| {
        let (pages, servers, visitors) = (pages.clone(), servers.clone(), visitors.clone());
        async move {
            match (port, pages) {
                // Whoever serves them decides what they may ask for.
                (Stack::PIPELINE, _) => drop(visitors.send(stream).await),
                (Pages::PORT, Some(pages)) => page::converse(pages, stream).await,
                (Pages::SCRIPTS, _) => widgets::converse(servers, stream).await,
                // The number comes from a container, which has no say in where it may lead.
                (relayed, _) => {
                    if let Some(port) = servers.port(relayed) {
                        tunnel::forward(stream, port).await;
                    }
                }
            }
        }
    };
    tunnel::hold(&docker, &wanted.router, helper, relays, answer).await
}
