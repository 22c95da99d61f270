//! The light ways of a save: files are written into the containers that run, the compiler is kept warm, and the app's
//! process is started anew in its container. What is kept for this between saves, and how it is used.

mod compiler;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

use self::compiler::Compiler;
use super::carry::{cluster_of, lost};
use super::desire::{Desire, Work};
use super::execute::milliseconds;
use super::workshop::Workshop;
use crate::build::{self, Landing};
use crate::deploy::{patch, rollout};
use crate::events::Stage;
use crate::model::{Cluster, Code, Report, org_registry};
use crate::plan::Course;
use crate::sys::fs::read_if_there;
use crate::sys::inside::{self, File, Inside};

/// How long an app may take to answer after it was started anew in its container.
const START: Duration = Duration::from_secs(30);
/// The pause between questions whether it answers.
const PAUSE: Duration = Duration::from_millis(10);
/// The pause between looks at its process.
const LOOK: Duration = Duration::from_millis(100);

/// What is kept for one app between its saves.
#[derive(Debug, Default)]
pub(super) struct Hot {
    /// How often something was rolled out: what was known of pods before is not true any more.
    rollouts: AtomicU64,
    files: Mutex<Files>,
    compiler: Mutex<Compiler>,
}

/// Shared by the app's shipments, one after another, and by what makes its compiler warm beside them.
pub(super) type SharedHot = Arc<Hot>;

/// What runs in the cluster.
#[derive(Debug, Default)]
struct Files {
    rollouts: u64,
    node: Option<Inside>,
    base: Option<Base>,
}

/// The image that pods run, and what their files differ by.
#[derive(Debug, Clone)]
pub(super) struct Base {
    /// Its tag in the organisation's registry.
    tag: String,
    /// By path from the container's root; none for what was deleted.
    synced: BTreeMap<String, Option<Bytes>>,
}

/// How a light way ended.
#[derive(Debug)]
pub(super) enum Placed {
    /// It serves, with the time of each part.
    Live(Vec<Stage>),
    /// A newer save came.
    Superseded,
    /// The app does not start with it; what served before was put back and serves.
    Undone(Report),
    /// A heavier way must be taken, for this reason.
    Cannot(String),
}

/// What one light way works with.
pub(super) struct Ground<'a> {
    pub(super) shop: &'a Workshop,
    pub(super) desire: &'a Desire,
    pub(super) work: &'a Work,
    pub(super) course: &'a Course,
    pub(super) landing: &'a Landing,
    pub(super) cancel: &'a CancellationToken,
}

impl Ground<'_> {
    fn cluster(&self) -> Result<&Cluster, Report> {
        let org = &self.work.app.id.org;
        self.desire.stack.cluster(org).ok_or_else(|| lost(org.as_str()))
    }

    /// An image of the app, as Kubernetes names it.
    fn image(&self, tag: &str) -> String {
        format!("{}:{tag}", self.repository())
    }

    fn repository(&self) -> String {
        let id = &self.work.app.id;
        format!("{}/{}", org_registry(&id.org), id.release())
    }
}

impl Hot {
    /// Something was rolled out: what pods run is to be looked up again. The warm compiler stays.
    pub(super) fn rolled_out(&self) {
        self.rollouts.fetch_add(1, Ordering::Relaxed);
    }

    /// Compiles what must be compiled, writes into the running containers, and starts the app's process anew when what
    /// was written asks for it.
    pub(super) async fn place(&self, ground: &Ground<'_>) -> Result<Placed, Report> {
        let mut stages = Vec::new();
        let Some(changed) = self.changed(ground, &mut stages).await? else {
            return Ok(Placed::Superseded);
        };
        let placed = self.files().await.place(ground, changed, stages).await?;
        if matches!(placed, Placed::Undone(_)) {
            self.compiler().await.forget();
        }
        Ok(placed)
    }

    /// Makes the image of what serves and what changed: one layer on the image of the last build, under the tag of
    /// the content as it is now.
    pub(super) async fn layer(&self, ground: &Ground<'_>) -> Result<Placed, Report> {
        let mut stages = Vec::new();
        let Some(changed) = self.changed(ground, &mut stages).await? else {
            return Ok(Placed::Superseded);
        };
        let started = Instant::now();
        let mut base = self.files().await.base(ground).await?.clone();
        base.synced.extend(changed.into_iter().map(|file| (file.path, file.contents)));
        fold(ground.shop, ground.work, &base).await?;
        stages.push(Stage { name: "push".to_owned(), ms: milliseconds(started) });
        Ok(Placed::Live(stages))
    }

    /// What is to be rolled out is as its image is, whatever was written into containers of that image before. Tells
    /// whether something was, so that those which run are to be replaced.
    pub(super) async fn forget(
        &self,
        shop: &Workshop,
        desire: &Desire,
        work: &Work,
    ) -> Result<bool, Report> {
        if work.helper.is_none() {
            return Ok(false);
        }
        let cluster = cluster_of(desire, &work.app.id.org)?;
        let mut files = self.files().await;
        files.node_of(shop, cluster).await?.forget(&work.spec.image.to_string()).await
    }

    /// Makes ready what the first save needs: the stream into the node, what pods run, and the compiler.
    pub(super) async fn warm_up(&self, ground: &Ground<'_>) -> Result<(), Report> {
        self.files().await.base(ground).await?;
        if ground.landing.compile().is_ok() {
            self.compiler().await.warm(ground, ground.cancel).await?;
        }
        Ok(())
    }

    /// What serves, as it is now.
    pub(super) async fn kept(&self) -> Option<Base> {
        self.files().await.base.clone()
    }

    /// How many files of the running containers are not as in their image; none while that is not known.
    pub(super) fn synced(&self) -> Option<usize> {
        let files = self.files.try_lock().ok()?;
        (files.rollouts == self.rollouts.load(Ordering::Relaxed))
            .then(|| files.base.as_ref().map(|base| base.synced.len()))?
    }

    async fn files(&self) -> MutexGuard<'_, Files> {
        let mut files = self.files.lock().await;
        let rollouts = self.rollouts.load(Ordering::Relaxed);
        if std::mem::replace(&mut files.rollouts, rollouts) != rollouts {
            files.base = None;
        }
        files
    }

    async fn compiler(&self) -> MutexGuard<'_, Compiler> {
        let mut compiler = self.compiler.lock().await;
        compiler.follow(self.rollouts.load(Ordering::Relaxed));
        compiler
    }

    /// What is to be written; none when it was cancelled.
    async fn changed(
        &self,
        ground: &Ground<'_>,
        stages: &mut Vec<Stage>,
    ) -> Result<Option<Vec<File>>, Report> {
        let course = ground.course;
        let mut files = Vec::new();
        for (path, targets) in &course.sync {
            let contents = contents(ground.work, path)?;
            let file = |target: &String| File { path: target.clone(), contents: contents.clone() };
            files.extend(targets.iter().map(file));
        }
        files.extend(course.gone.iter().map(|path| File { path: path.clone(), contents: None }));
        if course.compile.is_empty() {
            return Ok(Some(files));
        }
        let started = Instant::now();
        let compiled = self.compiler().await.compile(ground).await?;
        let Some(outputs) = compiled else { return Ok(None) };
        files.extend(outputs);
        stages.push(Stage { name: "compile".to_owned(), ms: milliseconds(started) });
        Ok(Some(files))
    }
}

impl Files {
    async fn place(
        &mut self,
        ground: &Ground<'_>,
        mut files: Vec<File>,
        mut stages: Vec<Stage>,
    ) -> Result<Placed, Report> {
        let course = ground.course;
        files.dedup_by(|a, b| a.path == b.path);
        let started = Instant::now();
        let image = ground.image(&self.base(ground).await?.tag);
        let restart = course.restart || !course.compile.is_empty();
        let synced = self.node(ground).await?.sync(&image, &files, restart).await?;
        ground.shop.site.calls.changing("node: write into containers");
        stages.push(Stage { name: "write".to_owned(), ms: milliseconds(started) });
        if synced.containers == 0 {
            return Ok(Placed::Cannot("no container of the app runs".to_owned()));
        }
        if restart && synced.restarted == 0 {
            return Ok(Placed::Cannot("no supervisor could start the app anew".to_owned()));
        }
        if restart {
            let started = Instant::now();
            if !self.answers(ground, &image).await? {
                return self.undo(ground, &image).await.map(Placed::Undone);
            }
            stages.push(Stage { name: "start".to_owned(), ms: milliseconds(started) });
        }
        if let Some(base) = &mut self.base {
            base.synced.extend(files.into_iter().map(|file| (file.path, file.contents)));
        }
        Ok(Placed::Live(stages))
    }

    /// Puts back what served before; the report is on what did not start.
    async fn undo(&mut self, ground: &Ground<'_>, image: &str) -> Result<Report, Report> {
        let report = ended(ground).await;
        let undone = self.node(ground).await?.undo(image).await;
        ground.shop.site.calls.changing("node: write into containers");
        match undone {
            Ok(synced) if synced.restarted > 0 && self.answers(ground, image).await? => {
                Ok(report.why("what served before was put back, and serves"))
            }
            _ => Err(report.why("the next save starts it again in its container")),
        }
    }

    async fn node(&mut self, ground: &Ground<'_>) -> Result<&mut Inside, Report> {
        self.node_of(ground.shop, ground.cluster()?).await
    }

    /// The stream into a cluster's node.
    async fn node_of(&mut self, shop: &Workshop, cluster: &Cluster) -> Result<&mut Inside, Report> {
        if self.node.as_ref().is_some_and(Inside::is_broken) {
            self.node = None;
        }
        if self.node.is_none() {
            self.node = Some(into_node(shop, cluster).await?);
        }
        self.node.as_mut().ok_or_else(|| lost("the stream into the node"))
    }

    /// What pods run, and what was written into them by an agent before this one.
    async fn base(&mut self, ground: &Ground<'_>) -> Result<&Base, Report> {
        if self.base.is_none() {
            let kube = ground.shop.kube(ground.cluster()?).await?;
            let tag = patch::running_tag(&kube, &ground.work.app.id).await?;
            let image = ground.image(&tag);
            let repository = ground.repository();
            let node = self.node(ground).await?;
            node.keep(&repository, std::slice::from_ref(&image)).await?;
            let mut synced: BTreeMap<String, Option<Bytes>> = BTreeMap::new();
            for file in node.fetch(&image).await? {
                synced.insert(format!("/{}", file.path), file.contents.map(|(_, bytes)| bytes));
            }
            for set in node.sets().await?.into_iter().filter(|set| set.image == image) {
                synced.extend(set.deleted.into_iter().map(|path| (format!("/{path}"), None)));
            }
            self.base = Some(Base { tag, synced });
        }
        self.base.as_ref().ok_or_else(|| lost("what pods run"))
    }

    /// Waits until the app that was started anew answers through the router; false when its process ended, or it did
    /// not answer in time.
    async fn answers(&mut self, ground: &Ground<'_>, image: &str) -> Result<bool, Report> {
        let asking = asking(ground);
        tokio::pin!(asking);
        loop {
            // A question to the node is never cut off, or its stream would have to be opened anew.
            tokio::select! {
                answered = &mut asking => return Ok(answered && self.lives(ground, image).await?),
                () = tokio::time::sleep(LOOK) => {
                    if !self.lives(ground, image).await? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// Whether the app's process runs in each container that is supervised.
    async fn lives(&mut self, ground: &Ground<'_>, image: &str) -> Result<bool, Report> {
        let lives = self.node(ground).await?.lives(image).await?;
        Ok(!lives.iter().any(|life| life.supervised && life.child.is_none()))
    }
}

/// Asks through the router until the app answers; false when it does not in time.
async fn asking(ground: &Ground<'_>) -> bool {
    let id = &ground.work.app.id;
    let (host, path) = (ground.desire.stack.domain.apps_host(&id.org), format!("/{id}/"));
    let port = ground.desire.stack.ports.router;
    let end = Instant::now() + START;
    while Instant::now() < end {
        // An app without a page at its root answers 404; who stands before it answers 502 and the like.
        let status = ground.shop.site.http.status(port, Some(&host), &path).await;
        if status.is_ok_and(|status| status < 500) {
            return true;
        }
        tokio::time::sleep(PAUSE).await;
    }
    false
}

async fn into_node(shop: &Workshop, cluster: &Cluster) -> Result<Inside, Report> {
    Inside::open(&shop.docker, &cluster.node(), inside::NODE_PATH, "node").await
}

/// The report on an app that does not start after files were written.
async fn ended(ground: &Ground<'_>) -> Report {
    let report = Report::new(Code::DeployFailed, "the app does not start with what was saved")
        .fix(format!("altinn-local logs {}", ground.work.app.id), "shows what it said");
    let Ok(cluster) = ground.cluster() else { return report };
    let Ok(kube) = ground.shop.kube(cluster).await else { return report };
    report.with_tail(rollout::last_words(&kube, &ground.work.app.id).await)
}

impl Base {
    /// Notes in the cluster that its containers serve this content, and keeps it as an image, so that whatever rolls
    /// out next has it.
    pub(super) async fn keep(
        &self,
        shop: &Workshop,
        cluster: &Cluster,
        work: &Work,
    ) -> Result<(), Report> {
        let kube = shop.kube(cluster).await?;
        let hash = &work.target.release_hash;
        patch::mark_in_place(&kube, &work.app.id, &self.tag, hash).await?;
        fold(shop, work, self).await
    }
}

/// Pushes the image of these files, unless it is there.
async fn fold(shop: &Workshop, work: &Work, base: &Base) -> Result<(), Report> {
    let (registry, repository) = shop.registry(&work.push)?;
    if registry.has(repository, &work.target.tag).await? {
        return Ok(());
    }
    let entry = |(path, bytes): (&String, &Option<Bytes>)| build::Entry {
        path: path.clone(),
        file: bytes.clone().map(|bytes| build::LayerFile { bytes, executable: false }),
    };
    let entries: Vec<build::Entry> = base.synced.iter().map(entry).collect();
    build::fold(&registry, repository, &base.tag, &entries, &work.target.tag).await.map(drop)
}

/// A file of the app's repository, path relative to its root; none when it is not there. It is what the look before saw, or
/// an error: half written it would be taken for whole, and a text that was taken back for the one that serves.
fn contents(work: &Work, path: &str) -> Result<Option<Bytes>, Report> {
    let contents = read_if_there(&work.app.root.join(path))?;
    work.context.confirm(path, contents.as_deref())?;
    Ok(contents.map(Bytes::from))
}
