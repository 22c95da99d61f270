//! Carries out one step. Every step may be repeated at any point of its work.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::desire::{Desire, Work};
use super::hot::Hot;
use super::workshop::Workshop;
use crate::cluster::{self, Contents};
use crate::deploy::rollout::{self, Rollout};
use crate::events::{EventKind, StepScope};
use crate::model::{AppId, Cluster, Code, OrgName, Report, Service};
use crate::plan::{Planned, Step};
use crate::sys::git::PushTarget;
use crate::sys::host::HostFacts;
use crate::sys::kube::Kube;
use crate::{build, deploy, router, stack};

/// How long the API of a restarted node may take.
const NODE_START: Duration = Duration::from_secs(90);

/// Carries out a step of a plan made from this desire.
pub(super) async fn carry(
    shop: Workshop,
    desire: Arc<Desire>,
    step: Planned,
    scope: StepScope,
    cancel: CancellationToken,
) -> Result<(), Report> {
    let (docker, stack) = (&shop.docker, &desire.stack);
    match &step.step {
        Step::Pull(image) => docker.pull_image(image, |line| scope.detail(line)).await,
        Step::LoadServices(image) => {
            stack::program::load(docker, &shop.services, image, &scope).await
        }
        Step::CreateNetwork => {
            docker.create_network(&stack.network, stack.addresses, &stack.name).await
        }
        Step::CreateVolume(name) => docker.create_volume(name, &stack.name).await,
        Step::Service(id, change) => {
            let executor = shop.executor(&stack.network, stack.ports.router);
            executor.run(service(&desire, id)?, change, &scope).await
        }
        Step::Routes => {
            let service = service(&desire, "studio.router")?;
            router::apply(docker, &service.container, &desire.routes, &scope).await
        }
        Step::CreateCluster(org) => create_cluster(&shop, cluster_of(&desire, org)?, &scope).await,
        Step::StartCluster(org) => start_cluster(&shop, cluster_of(&desire, org)?).await,
        Step::PublishTraefik => publish_traefik(&shop, &desire, &scope).await,
        Step::FillCluster(org) => {
            let contents = desire.secrets.get(org).cloned().unwrap_or_default();
            fill_cluster(&shop, cluster_of(&desire, org)?, &contents, &scope).await
        }
        Step::PushRepository(id) => {
            push_repository(&shop, &desire, work_of(&desire, id)?, &scope).await
        }
        Step::Build(id) => {
            let built = build_image(&shop, work_of(&desire, id)?, &scope);
            // Dropping a build cancels it in the engine, and leaves nothing half-made.
            tokio::select! {
                built = built => built,
                () = cancel.cancelled() => Err(Report::new(Code::Cancelled, "the build was cancelled")),
            }
        }
        Step::Push(id) => push_image(&shop, work_of(&desire, id)?, &scope).await,
        Step::Publish(id) => publish(&shop, &desire, work_of(&desire, id)?).await,
        Step::Release(id) => {
            let work = work_of(&desire, id)?;
            // Of its own: what is kept between saves is for saves.
            let synced = Hot::default().forget(&shop, &desire, work).await?;
            release(&shop, &desire, work, synced, &scope).await.map(|_| ())
        }
        Step::RemoveContainer(..)
        | Step::DeleteCluster(_)
        | Step::RemoveNetwork(_)
        | Step::RemoveVolume(_) => {
            take_away(&shop, &step.step).await?;
            shop.site.journal.emit(EventKind::Gone { id: step.resource.clone() });
            Ok(())
        }
    }
}

/// Carries out a step that removes something.
pub(super) async fn take_away(shop: &Workshop, step: &Step) -> Result<(), Report> {
    match step {
        Step::RemoveContainer(_, id) => {
            shop.docker.stop_container(id).await?;
            shop.docker.remove_container(id).await
        }
        Step::DeleteCluster(name) => cluster::delete(&shop.kind, name, &shop.site.folder()).await,
        Step::RemoveNetwork(id) => shop.docker.remove_network(id).await,
        Step::RemoveVolume(name) => shop.docker.remove_volume(name).await,
        _ => Err(Report::new(Code::Bug, "a step of a teardown removes nothing")),
    }
}

/// Plans are made from the same desire, so a name that is not in it is a fault of ours.
pub(super) fn lost(what: &str) -> Report {
    Report::new(Code::Bug, format!("a step names {what}, which is not wanted"))
}

fn service<'a>(desire: &'a Desire, id: &str) -> Result<&'a Service, Report> {
    desire.stack.services.iter().find(|service| service.id == id).ok_or_else(|| lost(id))
}

pub(super) fn cluster_of<'a>(desire: &'a Desire, org: &OrgName) -> Result<&'a Cluster, Report> {
    desire.stack.cluster(org).ok_or_else(|| lost(org.as_str()))
}

fn work_of<'a>(desire: &'a Desire, id: &AppId) -> Result<&'a Work, Report> {
    desire.works.iter().find(|work| work.app.id == *id).ok_or_else(|| lost(&id.to_string()))
}

async fn create_cluster(
    shop: &Workshop,
    wanted: &Cluster,
    scope: &StepScope,
) -> Result<(), Report> {
    cluster::create(&shop.kind, wanted, HostFacts::probe(), &shop.site.folder(), scope).await?;
    let node = wanted.node();
    shop.docker.check_private(&node, &node).await?;
    shop.docker.put_files(&node, &cluster::node_files(wanted)).await
}

async fn start_cluster(shop: &Workshop, wanted: &Cluster) -> Result<(), Report> {
    let node = wanted.node();
    if let Some((false, _)) = shop.docker.state(&node).await? {
        shop.docker.start_container(&node, &node).await?;
    }
    cluster::wait_for_api(&shop.kube(wanted).await?, NODE_START).await
}

async fn fill_cluster(
    shop: &Workshop,
    wanted: &Cluster,
    contents: &Contents,
    scope: &StepScope,
) -> Result<(), Report> {
    shop.docker.put_files(&wanted.node(), &cluster::node_files(wanted)).await?;
    if let Ok(helper) = &shop.helper {
        cluster::prepare_sync(&shop.docker, wanted, helper).await?;
    }
    cluster::fill(&shop.kube(wanted).await?, wanted, contents, scope).await
}

/// Traefik's image goes into the platform's registry, where every cluster pulls it from, now and offline.
async fn publish_traefik(
    shop: &Workshop,
    desire: &Desire,
    scope: &StepScope,
) -> Result<(), Report> {
    let image = &desire.images.traefik;
    let registry = format!("127.0.0.1:{}/traefik", desire.stack.ports.registry_platform);
    let local = crate::model::ImageRef::new(registry, image.tag.clone());
    shop.docker.tag_image(&image.to_string(), &local).await?;
    shop.docker.push_image(&local, |line| scope.detail(line)).await
}

async fn push_repository(
    shop: &Workshop,
    desire: &Desire,
    work: &Work,
    scope: &StepScope,
) -> Result<(), Report> {
    let port = desire.stack.ports.router;
    let credentials = &shop.site.credentials;
    let target = PushTarget {
        url: format!("http://127.0.0.1:{port}/repos/{}.git", work.app.id),
        user: credentials.gitea_admin.clone(),
        password: credentials.gitea_admin_password.clone(),
        branch: "master".to_owned(),
    };
    let files = work.context.paths().iter().map(|path| work.app.root.join(path)).collect();
    let seed = stack::Seed { gitea: shop.gitea(port), router_port: port, credentials };
    stack::push_repository(&seed, &work.app, files, target, &shop.site.calls, scope).await
}

/// Tells the platform's services what the app's folder holds for them now.
pub(super) async fn publish(shop: &Workshop, desire: &Desire, work: &Work) -> Result<(), Report> {
    shop.site.calls.changing(&format!("publish {}", work.app.id));
    deploy::publish::publish(shop.platform(&desire.stack), &work.app).await
}

pub(super) async fn build_image(
    shop: &Workshop,
    work: &Work,
    scope: &StepScope,
) -> Result<(), Report> {
    if !work.plan.missing.is_empty() {
        build::fetch_bases(&shop.docker, &work.plan, scope).await?;
    }
    let built =
        build::build(&shop.docker, &work.app, &work.context, &work.plan, &work.push, &[], scope);
    built.await.map(|_| ())
}

pub(super) async fn push_image(
    shop: &Workshop,
    work: &Work,
    scope: &StepScope,
) -> Result<(), Report> {
    build::push(&shop.docker, &work.push, scope).await?;
    let Some(helper) = &work.helper else { return Ok(()) };
    let (registry, repository) = shop.registry(&work.push)?;
    build::develop(&registry, repository, &work.push.tag, helper, &work.target.tag).await
}

/// Installs the release and waits until the new version answers through the router. Tells Helm's revision. Pods of the
/// same image into which files were `synced` are replaced by new ones.
pub(super) async fn release(
    shop: &Workshop,
    desire: &Desire,
    work: &Work,
    synced: bool,
    scope: &StepScope,
) -> Result<(u32, Rollout), Report> {
    let cluster = cluster_of(desire, &work.app.id.org)?;
    let kube = shop.kube(cluster).await?;
    scope.detail("helm upgrade");
    let _turn = shop.site.turns.take(&work.app.id).await;
    let revision = shop.installer(cluster).release(&kube, &work.spec, scope).await?;
    if synced {
        deploy::patch::restart(&kube, &work.app.id).await?;
    }
    Ok((revision, served(shop, desire, work, &kube, scope).await?))
}

/// Gives the Deployment its new image alone, and waits until the new version answers. Helm's record is to follow.
pub(super) async fn patch(
    shop: &Workshop,
    desire: &Desire,
    work: &Work,
    scope: &StepScope,
) -> Result<Rollout, Report> {
    let kube = shop.kube(cluster_of(desire, &work.app.id.org)?).await?;
    let _turn = shop.site.turns.take(&work.app.id).await;
    deploy::patch::patch(&kube, &work.spec).await?;
    served(shop, desire, work, &kube, scope).await
}

async fn served(
    shop: &Workshop,
    desire: &Desire,
    work: &Work,
    kube: &Kube,
    scope: &StepScope,
) -> Result<Rollout, Report> {
    let front = shop.front(&desire.stack, &work.app.id.org);
    let patience = Duration::from_secs(work.app.deploy_timeout_seconds);
    rollout::wait(kube, &work.spec, &front, patience, scope).await
}
