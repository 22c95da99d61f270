//! Looks at the outside: containers, clusters, releases, what registries and Gitea hold. Changes nothing.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::desire::{Desire, Work, network_name};
use super::workshop::Workshop;
use crate::model::{
    Cluster, FoundApp, FoundCluster, FoundContainer, FoundRelease, NodeState, Observed, OrgName,
    Report, Stack, labels,
};
use crate::sys::registry::Registry;
use crate::{cluster, deploy, router, stack};

/// Containers of the stack and kind nodes in its network, by name, with whether each was set up.
pub(super) async fn containers(
    shop: &Workshop,
    names: &[String],
) -> Result<BTreeMap<String, FoundContainer>, Report> {
    let site = &shop.site;
    let mut found = shop.docker.containers(&site.stack, names, &network_name(site)).await?;
    let looks = found.values_mut().filter(|container| {
        // A warm compiler has no set-up, and may be on its way out at this moment.
        let warm = container.resource.as_deref().is_some_and(|id| id.starts_with(labels::WARM));
        container.ours && container.kind_cluster.is_none() && !warm
    });
    try_join_all(looks.map(|container| async {
        container.set_up = shop.docker.is_set_up(&container.id).await?;
        Ok::<(), Report>(())
    }))
    .await?;
    Ok(found)
}

/// Everything there is of a stack, wanted or not.
pub(super) async fn everything(shop: &Workshop) -> Result<Observed, Report> {
    let site = &shop.site;
    let all = containers(shop, &[]).await?;
    let (nodes, containers): (BTreeMap<_, _>, BTreeMap<_, _>) =
        all.into_iter().partition(|(_, container)| container.kind_cluster.is_some());
    let there = FoundCluster { node: NodeState::Silent, create_hash: None, contents_hash: None };
    let names = nodes.into_values().filter_map(|node| node.kind_cluster);
    Ok(Observed {
        network: shop.docker.network(&network_name(site), &site.stack).await?,
        volumes: shop.docker.volumes(&stack::volumes_prefix(&site.stack), &site.stack).await?,
        clusters: names.map(|name| (name, there.clone())).collect(),
        containers,
        ..Observed::default()
    })
}

/// What there is of what is wanted.
pub(super) async fn observe(shop: &Workshop, desire: &Desire) -> Result<Observed, Report> {
    let (site, stack) = (&shop.site, &desire.stack);
    let mut names: Vec<String> =
        stack.services.iter().map(|service| service.container.clone()).collect();
    names.extend(stack.clusters.iter().map(Cluster::node));
    let prefix = stack::volumes_prefix(&site.stack);
    let (network, volumes, containers) = tokio::try_join!(
        shop.docker.network(&stack.network, &site.stack),
        shop.docker.volumes(&prefix, &site.stack),
        containers(shop, &names),
    )?;
    let mut found = Observed { network, volumes, containers, ..Observed::default() };
    let (configuration, repositories, clusters, works, published, running) = tokio::try_join!(
        router_configuration(shop, stack, &found),
        repositories(shop, stack, &found),
        clusters(shop, stack, &found),
        try_join_all(desire.works.iter().map(|work| look_at_app(shop, stack, work, &found))),
        published(shop, stack, &found),
        apps_running(shop, stack, &found),
    )?;
    found.router_configuration = configuration;
    found.repositories = repositories;
    found.published = published;
    found.running = running;
    found.clusters = clusters;
    for (work, (pushed, release)) in desire.works.iter().zip(works) {
        let id = &work.app.id;
        if pushed {
            found.pushed.insert(format!("{}/{}:{}", id.org, id.release(), work.target.tag));
        }
        if let Some(release) = release {
            found.releases.insert(id.to_string(), release);
        }
    }
    // kind's nodes are told by `clusters`; here they would look like containers that nobody wants.
    Ok(found)
}

/// The container of a service, when it runs and was set up.
fn running<'a>(stack: &Stack, found: &'a Observed, id: &str) -> Option<&'a FoundContainer> {
    let service = stack.services.iter().find(|service| service.id == id)?;
    found
        .containers
        .get(&service.container)
        .filter(|container| container.running && container.set_up)
}

async fn router_configuration(
    shop: &Workshop,
    stack: &Stack,
    found: &Observed,
) -> Result<Option<String>, Report> {
    match running(stack, found, "studio.router") {
        Some(container) => router::current(&shop.docker, &container.id).await,
        None => Ok(None),
    }
}

async fn repositories(
    shop: &Workshop,
    stack: &Stack,
    found: &Observed,
) -> Result<std::collections::BTreeSet<String>, Report> {
    let up = ["studio.postgres", "studio.router", "studio.gitea"];
    if !up.iter().all(|id| running(stack, found, id).is_some()) {
        return Ok(std::collections::BTreeSet::new());
    }
    // A Gitea that does not answer now is for its own step to heal; its repositories are then not known.
    let gitea = shop.gitea(stack.ports.router);
    Ok(stack::repositories(&gitea, &stack.apps).await.unwrap_or_default())
}

/// What the platform's services were told of each app.
async fn published(
    shop: &Workshop,
    stack: &Stack,
    found: &Observed,
) -> Result<BTreeMap<String, String>, Report> {
    let platform = shop.platform(stack);
    let storage = platform.readers.storage.then_some("platform.storage");
    let mut up = ["studio.router", "platform"].into_iter().chain(storage);
    if stack.platform.image.is_some() || !up.all(|id| running(stack, found, id).is_some()) {
        return Ok(BTreeMap::new());
    }
    let asked = stack.apps.iter().map(|app| async {
        let hash = deploy::publish::published(platform, &app.id).await?;
        Some((app.id.to_string(), hash))
    });
    Ok(futures_util::future::join_all(asked).await.into_iter().flatten().collect())
}

async fn clusters(
    shop: &Workshop,
    stack: &Stack,
    found: &Observed,
) -> Result<BTreeMap<String, FoundCluster>, Report> {
    let folder = shop.site.folder();
    try_join_all(stack.clusters.iter().map(|wanted| async {
        let node = found.containers.get(&wanted.node()).map(|node| node.running);
        Ok((wanted.name.clone(), cluster::observe(wanted, &folder, node).await?))
    }))
    .await
    .map(|clusters| clusters.into_iter().collect())
}

/// All apps in the clusters that answer.
async fn apps_running(
    shop: &Workshop,
    stack: &Stack,
    found: &Observed,
) -> Result<BTreeMap<OrgName, Vec<FoundApp>>, Report> {
    let up =
        |cluster: &&Cluster| found.containers.get(&cluster.node()).is_some_and(|node| node.running);
    let asked = stack.clusters.iter().filter(up).map(|cluster| async {
        let kube = shop.kube(cluster).await.ok()?;
        Some((cluster.org.clone(), deploy::release::running(&kube).await.ok()?))
    });
    Ok(futures_util::future::join_all(asked).await.into_iter().flatten().collect())
}

/// Whether the registry holds the app's image, and its release.
async fn look_at_app(
    shop: &Workshop,
    stack: &Stack,
    work: &Work,
    found: &Observed,
) -> Result<(bool, Option<FoundRelease>), Report> {
    let org = &work.app.id.org;
    let service = format!("org.{org}.registry");
    let port = running(stack, found, &service).and_then(|container| container.published.first());
    let pushed = match port {
        Some((_, port, _)) => {
            let registry = Registry::new(shop.site.http.clone(), *port, shop.site.calls.clone());
            // One that does not answer is for its own step to heal.
            registry.has(&work.app.id.release(), &work.target.tag).await.unwrap_or(false)
        }
        None => false,
    };
    let Some(cluster) = stack.cluster(org) else { return Ok((pushed, None)) };
    let node = found.containers.get(&cluster.node());
    if !node.is_some_and(|node| node.running) {
        return Ok((pushed, None));
    }
    // A cluster that is not finished or does not answer has no release that counts.
    let Ok(kube) = shop.kube(cluster).await else { return Ok((pushed, None)) };
    Ok((pushed, deploy::release::observe(&kube, &work.app.id).await.unwrap_or_default()))
}
