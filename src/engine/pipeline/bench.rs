//! The tasks of a run, and what they hand on to each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use semver::Version;

use crate::build::{self, Context, Dockerfile};
use crate::config::env::Environment;
use crate::config::schema::PipelineEntry;
use crate::config::settings::{Overrides, Settings};
use crate::deploy::rollout;
use crate::deploy::{self, ReleaseSpec, release};
use crate::engine::carry::cluster_of;
use crate::engine::desire::Desire;
use crate::engine::local::found_app;
use crate::engine::workshop::Workshop;
use crate::events::StepScope;
use crate::model::{
    App, AppId, Cluster, Code, ImageRef, Report, Stack, TaskKind, labels, org_registry,
};
use crate::pipeline::{self, Access, Job, Tag};
use crate::sys::git::{self, CheckedOut, Way};
use crate::sys::inside::File;
use crate::sys::registry::Registry;
use crate::sys::walk::Hashes;

/// The label in which an image names the commit that it was built from (OCI image-spec, `annotations.md`).
const REVISION: &str = "org.opencontainers.image.revision";
/// The label in which Altinn's images name their Maskinporten scopes.
const SCOPES: &str = "studio.altinn.maskinporten.scopes";

/// What a run works with.
pub(super) struct Bench<'a> {
    shop: &'a Workshop,
    desire: &'a Desire,
    cluster: &'a Cluster,
    folder: tempfile::TempDir,
    source: Option<CheckedOut>,
    app: Option<App>,
    /// What is to happen by itself, by the commit's own word.
    wishes: PipelineEntry,
    tag: Option<String>,
    image: Option<ImageRef>,
    /// The image of the build stage.
    sdk: Option<String>,
    spec: Option<ReleaseSpec>,
}

fn lost(what: &str) -> Report {
    Report::new(Code::Bug, format!("a run wants {what} before it is there"))
}

impl<'a> Bench<'a> {
    pub(super) fn new(shop: &'a Workshop, desire: &'a Desire, job: &Job) -> Result<Self, Report> {
        let folder = tempfile::Builder::new().prefix("altinn-local-run-").tempdir();
        let folder = folder.map_err(|error| {
            Report::new(Code::FileFailed, "cannot make a folder for the run").why(error.to_string())
        })?;
        Ok(Self {
            shop,
            desire,
            cluster: cluster_of(desire, &job.order.org)?,
            folder,
            source: None,
            app: None,
            wishes: PipelineEntry::default(),
            tag: None,
            image: None,
            sdk: None,
            spec: None,
        })
    }

    pub(super) fn commit(&self) -> Option<String> {
        self.source.as_ref().map(|source| source.commit.clone())
    }

    /// What is to happen after the run, by the word of the commit that was pushed.
    pub(super) const fn wishes(&self) -> PipelineEntry {
        self.wishes
    }

    pub(super) fn tag(&self) -> Option<String> {
        self.tag.clone()
    }

    pub(super) async fn perform(
        &mut self,
        kind: TaskKind,
        job: &Job,
        scope: &StepScope,
    ) -> Result<(), Report> {
        match kind {
            TaskKind::Clone => self.clone(job, scope).await,
            TaskKind::Build => self.build(job, scope).await,
            TaskKind::Test => self.test(job, scope).await,
            TaskKind::Push => self.push(job, scope).await,
            TaskKind::Publish => self.publish(scope).await,
            TaskKind::Helm => self.helm(job, scope).await,
            TaskKind::Rollout => Box::pin(self.rollout(job, scope)).await,
            TaskKind::Remove => self.remove(job, scope).await,
            TaskKind::Sync => self.look(scope).await,
        }
    }

    /// Exactly the commit, in a folder of its own.
    async fn clone(&mut self, job: &Job, scope: &StepScope) -> Result<(), Report> {
        let source = job.order.source.as_ref().ok_or_else(|| lost("a source"))?;
        let id = job.order.app.as_ref().ok_or_else(|| lost("an app"))?;
        let port = self.desire.stack.ports.router;
        // By address: libgit2 does not resolve `*.localhost` everywhere.
        let url =
            format!("http://127.0.0.1:{port}/repos/{}/{}.git", source.owner, source.repository);
        let way = self.way(job).await;
        scope.log(&format!("fetching {url}"));
        let folder = self.tree();
        let told = blocking(job, {
            let (folder, revision) = (folder.clone(), source.revision.clone());
            move |cancelled| git::check_out(&url, &way, &revision, &folder, &cancelled)
        })
        .await?;
        scope.log(&format!(
            "HEAD is now at {} {}",
            told.commit.get(..8).unwrap_or_default(),
            told.summary
        ));
        if told.submodules {
            scope.log("##[warning]the commit names submodules; they are not followed");
        }
        let (app, wishes) = app_in(&folder, id)?;
        self.app = Some(app);
        self.wishes = wishes;
        self.tag = match &job.order.tag {
            Some(Tag::Given(tag)) => Some(tag.clone()),
            Some(Tag::Commit) => Some(told.commit.clone()),
            Some(Tag::Next) => Some(self.next_version(job, &told.commit, scope).await?),
            None => None,
        };
        self.source = Some(told);
        Ok(())
    }

    /// How the run gets at its repository. Gitea goes by a token, whatever the name; keys of the real Designer are
    /// Designer's to know, as its proxy in front of Gitea asks it in production.
    async fn way(&self, job: &Job) -> Way {
        let credentials = &self.shop.site.credentials;
        let (admin, password) = (&credentials.gitea_admin, &credentials.gitea_admin_password);
        let own = Way::Password(admin.clone(), password.clone());
        match &job.access {
            None => own,
            Some(Access { token, header: Some(header) })
                if header.eq_ignore_ascii_case("authorization") =>
            {
                Way::Header(header.clone(), token.clone())
            }
            Some(Access { token, header: Some(header) })
                if self.is_designers(header, token).await =>
            {
                own
            }
            Some(Access { token, .. }) => Way::Password("pipeline".to_owned(), token.clone()),
        }
    }

    async fn is_designers(&self, header: &str, token: &str) -> bool {
        let port = self.desire.stack.ports.router;
        let host = format!("{}:{port}", Stack::STUDIO_HOST);
        let path = "/designer/api/v1/studio-oidc/userinfo";
        let request = self.shop.site.http.request(reqwest::Method::GET, port, Some(&host), path);
        let answer = request.header(header, token).send().await;
        answer.is_ok_and(|answer| answer.status() == reqwest::StatusCode::OK)
    }

    fn tree(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    /// After the newest version in the registry, by the changes since the commit that it was built from.
    async fn next_version(
        &self,
        job: &Job,
        commit: &str,
        scope: &StepScope,
    ) -> Result<String, Report> {
        let (registry, repository) = self.registry(job)?;
        let tags = registry.tags(&repository).await?;
        let newest = tags.iter().filter_map(|tag| Version::parse(tag).ok()).max();
        let since = match &newest {
            Some(newest) => revision(&registry, &repository, &newest.to_string()).await?,
            None => None,
        };
        let messages = blocking(job, {
            let (folder, commit) = (self.tree(), commit.to_owned());
            move |_| git::messages(&folder, since.as_deref(), &commit)
        })
        .await?;
        let next = pipeline::next_version(newest.as_ref(), messages.iter().map(String::as_str));
        let before =
            newest.map_or_else(|| "no version before".to_owned(), |it| format!("after {it}"));
        scope.log(&format!("version {next}: {before}, {} commits", messages.len()));
        Ok(next.to_string())
    }

    fn registry(&self, job: &Job) -> Result<(Registry, String), Report> {
        let id = job.order.app.as_ref().ok_or_else(|| lost("an app"))?;
        let image =
            ImageRef::new(format!("{}/{}", self.cluster.registry_host, id.release()), "none");
        let (registry, repository) = self.shop.registry(&image)?;
        Ok((registry, repository.to_owned()))
    }

    async fn build(&mut self, job: &Job, scope: &StepScope) -> Result<(), Report> {
        let commit = self.commit().ok_or_else(|| lost("a commit"))?;
        let tag = self.tag().ok_or_else(|| lost("a tag"))?;
        let (registry, repository) = self.registry(job)?;
        let kept = job.order.tasks.contains(&TaskKind::Push);
        if kept
            && let Some(other) = revision(&registry, &repository, &tag).await?
            && other != commit
        {
            return Err(Report::new(
                Code::BuildFailed,
                format!("{repository}:{tag} is built already, of another commit"),
            )
            .why(format!("it was built of {other}; what carries a version never changes"))
            .fix("altinn-local release", "builds the next version"));
        }
        let app = self.app.as_ref().ok_or_else(|| lost("an app"))?;
        let docker = &self.shop.docker;
        let context = {
            let app = app.clone();
            blocking(job, move |_| Context::read(&app, &mut Hashes::default())).await?
        };
        let recipe = Dockerfile::parse(&context.recipe, &context.dockerfile_path())?;
        let offered = self.desire.bases.offered(&recipe, &app.build_args);
        let offered = &until_cancelled(job, self.bases(offered, scope)).await?;
        let mut plan = build::plan(docker, app, &context, offered).await?;
        let image = if kept {
            ImageRef::new(format!("{}/{repository}", self.cluster.registry_host), tag)
        } else {
            ImageRef::new(format!("altinn-local/quality/{repository}"), tag)
        };
        let scopes = job.order.scopes.clone().map(|scopes| (SCOPES.to_owned(), scopes));
        let labels: Vec<_> = std::iter::once((REVISION.to_owned(), commit)).chain(scopes).collect();
        scope.log(&format!("building {image}"));
        let work = async {
            if !plan.missing.is_empty() {
                build::fetch_bases(docker, &plan, scope).await?;
                plan = build::plan(docker, app, &context, offered).await?;
            }
            build::build(docker, app, &context, &plan, &image, &labels, scope).await
        };
        // Dropping a build cancels it in the engine, and leaves nothing half-made.
        let built = until_cancelled(job, work).await?;
        scope.log(&format!("built {} in {} ms", built.id, built.ms));
        self.image = Some(image);
        self.sdk = plan.bases.first().cloned();
        Ok(())
    }

    /// Base images as builds name them: in the platform's registry, which gets those that it lacks. The engine holds them
    /// under that name too, so that nothing is fetched.
    async fn bases(
        &self,
        offered: &[(String, String)],
        scope: &StepScope,
    ) -> Result<Vec<(String, String)>, Report> {
        let docker = &self.shop.docker;
        let port = self.desire.stack.ports.registry_platform;
        let mut named = Vec::new();
        for (argument, image) in offered {
            let ImageRef { repository, tag } = ImageRef::parse(image);
            let name = repository.rsplit('/').next().unwrap_or(&repository);
            let there = ImageRef::new(format!("127.0.0.1:{port}/{name}"), tag);
            let (registry, repository) = self.shop.registry(&there)?;
            if docker.image(&there.to_string()).await?.is_none() {
                docker.tag_image(image, &there).await?;
            }
            if !registry.has(repository, &there.tag).await? {
                scope.detail(format!("{image} goes into the platform's registry"));
                build::push(docker, &there, scope).await?;
            }
            named.push((argument.clone(), there.to_string()));
        }
        Ok(named)
    }

    async fn push(&mut self, job: &Job, scope: &StepScope) -> Result<(), Report> {
        let image = self.image.as_ref().ok_or_else(|| lost("an image"))?;
        scope.log(&format!("pushing {image}"));
        let pushed = until_cancelled(job, build::push(&self.shop.docker, image, scope)).await?;
        scope.log(&format!("layers: {} sent, {} were there", pushed.sent, pushed.kept));
        Ok(())
    }

    /// As Designer does before it deploys; said again, it changes nothing.
    async fn publish(&mut self, scope: &StepScope) -> Result<(), Report> {
        let app = self.app.as_ref().ok_or_else(|| lost("an app"))?;
        if self.desire.stack.platform.image.is_some() {
            scope.log("Altinn's local test reads it from the app");
            return Ok(());
        }
        deploy::publish::publish(self.shop.platform(&self.desire.stack), app).await?;
        scope.log("metadata, policy, texts and test people are told");
        Ok(())
    }

    async fn helm(&mut self, job: &Job, scope: &StepScope) -> Result<(), Report> {
        let app = self.app.as_ref().ok_or_else(|| lost("an app"))?;
        let tag = self.tag().ok_or_else(|| lost("a tag"))?;
        let (registry, repository) = self.registry(job)?;
        if !registry.has(&repository, &tag).await? {
            return Err(Report::new(
                Code::DeployFailed,
                format!("there is no image {repository}:{tag}"),
            )
            .why("nothing was built under this version, or its build failed")
            .fix(format!("altinn-local pipeline run build {} --tag {tag}", app.id), "builds it"));
        }
        let image = ImageRef::new(format!("{}/{repository}", org_registry(&job.order.org)), tag);
        let host = self.desire.stack.domain.apps_host(&job.order.org);
        let (spec, notices) = release::spec(app, &image, &host, job.order.deployment.as_deref())?;
        for notice in notices {
            scope.log(&format!("##[warning]{}", notice.title));
        }
        let kube = self.shop.kube(self.cluster).await?;
        let _turn = self.shop.site.turns.take(&app.id).await;
        // To its end, even when the run is cancelled meanwhile: a Helm that is cut off leaves a release to be healed.
        let revision = self.shop.installer(self.cluster).release(&kube, &spec, scope).await?;
        scope.log(&format!("release {} is at revision {revision}", spec.release));
        self.spec = Some(spec);
        Ok(())
    }

    async fn rollout(&mut self, job: &Job, scope: &StepScope) -> Result<(), Report> {
        let app = self.app.as_ref().ok_or_else(|| lost("an app"))?;
        let spec = self.spec.as_ref().ok_or_else(|| lost("a release"))?;
        let kube = self.shop.kube(self.cluster).await?;
        let front = self.shop.front(&self.desire.stack, &job.order.org);
        let patience = Duration::from_secs(app.deploy_timeout_seconds);
        let rolled =
            until_cancelled(job, Box::pin(rollout::wait(&kube, spec, &front, patience, scope)))
                .await?;
        for stage in &rolled.stages {
            scope.log(&format!("{} after {} ms", stage.name, stage.ms));
        }
        scope.log(&format!("{} answers {}", self.desire.stack.app_url(app), rolled.status));
        Ok(())
    }

    async fn remove(&mut self, job: &Job, scope: &StepScope) -> Result<(), Report> {
        let id = job.order.app.as_ref().ok_or_else(|| lost("an app"))?;
        let kube = self.shop.kube(self.cluster).await?;
        let _turn = self.shop.site.turns.take(id).await;
        self.shop.installer(self.cluster).remove(&kube, id).await?;
        scope.log(&format!("release {} is gone", id.release()));
        Ok(())
    }

    /// What runs: in production Flux would bring the cluster in line with its root; here each deployment did so.
    async fn look(&mut self, scope: &StepScope) -> Result<(), Report> {
        let kube = self.shop.kube(self.cluster).await?;
        for app in release::running(&kube).await? {
            scope.log(&format!("{} {}", app.release, app.tag));
        }
        Ok(())
    }

    /// The app's own tests, beside the stack.
    async fn test(&mut self, job: &Job, scope: &StepScope) -> Result<(), Report> {
        let app = self.app.as_ref().ok_or_else(|| lost("an app"))?;
        let image = self.sdk.as_ref().ok_or_else(|| lost("a build stage"))?;
        let root = self.tree();
        let (suites, mut sources) = blocking(job, move |_| {
            let suites = build::suites(&root)?;
            let sources = if suites.is_empty() { Vec::new() } else { build::sources(&root)? };
            Ok((suites, sources))
        })
        .await?;
        if suites.is_empty() {
            scope.log("there is no project below `test` or `tests`, so nothing is tested");
            return Ok(());
        }
        // What the app signs its own calls with, where a container has it and beside the folder that tests start it from.
        let secrets = self.desire.secrets.get(&job.order.org);
        let key = secrets.map(|secrets| Bytes::from(secrets.access_token.clone()));
        for folder in ["/accesstoken", "/src/accesstoken"] {
            sources.push(File {
                path: format!("{folder}/accesstokencredentials.pfx"),
                contents: key.clone(),
            });
        }
        let (shop, stack) = (self.shop, &self.desire.stack);
        let platform = shop.platform(stack);
        // Tests of an app that was never deployed here need a platform that knows it; what serves is not told anew.
        let ours = stack.platform.image.is_none();
        if ours && deploy::publish::published(platform, &app.id).await.is_none() {
            scope.log("the platform does not know the app yet: it is told");
            deploy::publish::publish(platform, app).await?;
        }
        let url = format!("http://{}:{}", stack.domain.platform_host(), stack.ports.router);
        let helper = shop.helper.clone()?;
        let place = build::Place {
            docker: &shop.docker,
            helper: &helper,
            name: &format!("altinn-{}-test-{}", stack.name, job.id),
            resource: &format!("{}test-{}", labels::WARM, job.id),
            packages: &format!("altinn-{}-packages", stack.name),
            network: &stack.network,
            stack: &stack.name,
        };
        let environment = [
            ("ALTINN_PLATFORM_URL", url.as_str()),
            // The SDK says nothing to its makers, and no more than it must to us.
            ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"),
            ("DOTNET_NOLOGO", "1"),
            ("DOTNET_SKIP_FIRST_TIME_EXPERIENCE", "1"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        build::test(place, image, &sources, &suites, &environment, &job.cancel, scope).await
    }

    /// Takes away what a run leaves on the engine: an image that was built to be looked at alone.
    pub(super) async fn clean(&mut self) {
        let image =
            self.image.take().filter(|image| image.repository.starts_with("altinn-local/quality/"));
        if let Some(image) = image
            && let Err(report) = self.shop.docker.remove_image(&image.to_string()).await
        {
            tracing::warn!(%report, "an image of a quality build stays");
        }
    }
}

/// The app in a commit, with what its own `altinn-local.yaml` adds.
fn app_in(folder: &Path, id: &AppId) -> Result<(App, PipelineEntry), Report> {
    let settings = Settings::resolve(folder, Overrides::default(), &Environment::default())?;
    let root = dunce::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let wanted = settings.apps.iter().find(|app| app.root == root || app.root == folder);
    let app = match wanted {
        Some(wanted) => found_app(wanted)?,
        None => build::find_app(folder)?,
    };
    if app.id != *id {
        return Err(Report::new(Code::MetadataBroken, format!("the app says that it is {}, its repository is {id}", app.id))
            .why("here an app answers under its id, and its image and release are named by its repository")
            .fix("App/config/applicationmetadata.json", format!("\"id\": \"{id}\"")));
    }
    Ok((app, settings.pipeline))
}

/// The commit that an image in the registry was built from; none when there is no such image, or it does not say.
async fn revision(
    registry: &Registry,
    repository: &str,
    tag: &str,
) -> Result<Option<String>, Report> {
    let Some(manifest) = registry.image(repository, tag).await? else { return Ok(None) };
    let configuration = registry.blob(repository, &manifest.config.digest).await?;
    let configuration: serde_json::Value =
        serde_json::from_slice(&configuration).unwrap_or_default();
    Ok(configuration["config"]["Labels"][REVISION].as_str().map(str::to_owned))
}

async fn until_cancelled<T>(
    job: &Job,
    work: impl Future<Output = Result<T, Report>>,
) -> Result<T, Report> {
    tokio::select! {
        done = work => done,
        () = job.cancel.cancelled() => Err(Report::new(Code::Cancelled, "the run was cancelled")),
    }
}

/// Work that blocks; it is told when the run is given up, and waited for.
async fn blocking<T: Send + 'static>(
    job: &Job,
    work: impl FnOnce(Arc<AtomicBool>) -> Result<T, Report> + Send + 'static,
) -> Result<T, Report> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let mut done = {
        let cancelled = Arc::clone(&cancelled);
        tokio::task::spawn_blocking(move || work(cancelled))
    };
    let ended = tokio::select! {
        ended = &mut done => ended,
        () = job.cancel.cancelled() => {
            cancelled.store(true, Ordering::Relaxed);
            done.await
        }
    };
    ended.map_err(|error| Report::bug("the work of a run was cut off", &error))?
}
