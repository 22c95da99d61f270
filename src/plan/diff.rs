//! The difference between what is wanted and what was found, as steps.

use std::collections::BTreeSet;

use super::{Plan, Planned, ServiceChange, Step, order};
use crate::model::{
    App, Cluster, Code, FoundCluster, FoundContainer, ImageRef, Label, NodeState, Observed,
    ReleaseStatus, Report, Service, Stack, labels,
};

/// What an app should be, beyond its repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppTarget {
    /// The image's tag, from the content it is built of.
    pub tag: String,
    /// The hash of chart, values and image.
    pub release_hash: String,
    /// The hash of what the platform's services are told of it; none when they read it from the app themselves.
    pub publication: Option<String>,
}

/// Images that the engine lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MissingImages {
    /// To be fetched.
    pub pulls: Vec<ImageRef>,
    /// To be made of our own programs.
    pub loads: Vec<ImageRef>,
}

/// Steps that bring what was found to what is wanted. `targets` stand in the order of `stack.apps`; `routes` is the
/// router's wanted configuration.
#[must_use]
pub fn diff(
    stack: &Stack,
    targets: &[AppTarget],
    routes: &str,
    missing: &MissingImages,
    found: &Observed,
) -> Plan {
    let blockers = foreign(stack, found);
    if !blockers.is_empty() {
        return Plan { steps: Vec::new(), blockers };
    }
    let pulls = missing.pulls.iter();
    let mut steps: Vec<Planned> = pulls
        .map(|image| planned(format!("pull {image}"), "parts", &[], Step::Pull(image.clone())))
        .collect();
    steps.extend(missing.loads.iter().map(|image| {
        planned(format!("load {image}"), "parts", &[], Step::LoadServices(image.clone()))
    }));
    if found.network.is_none() {
        steps.push(planned(NETWORK, "stack.network", &[], Step::CreateNetwork));
    }
    steps.extend(volumes(stack, found));
    steps.extend(stack.services.iter().filter_map(|service| service_step(service, found)));
    steps.extend(leftovers(stack, found));
    steps.extend(routes_step(stack, routes, found));
    for cluster in &stack.clusters {
        steps.extend(cluster_steps(cluster, found));
    }
    for (app, target) in stack.apps.iter().zip(targets) {
        steps.extend(app_steps(stack, app, target, found));
    }
    Plan { steps: order(steps), blockers }
}

/// Steps that take everything of a stack away; volumes only when asked for.
#[must_use]
pub fn teardown(found: &Observed, volumes: bool) -> Plan {
    let mut steps: Vec<Planned> = Vec::new();
    for name in found.clusters.keys() {
        let id = format!("delete cluster {name}");
        steps.push(planned(id, name, &[], Step::DeleteCluster(name.clone())));
    }
    for (name, container) in found.containers.iter().filter(|(_, container)| container.ours) {
        steps.push(remove(name, container));
    }
    let before: Vec<String> = steps.iter().map(|step| step.id.clone()).collect();
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    if let Some(network) = found.network.as_ref().filter(|network| network.ours) {
        let step = Step::RemoveNetwork(network.id.clone());
        steps.push(planned("remove network", "stack.network", &before, step));
    }
    if volumes {
        for (name, _) in found.volumes.iter().filter(|(_, ours)| **ours) {
            let step = Step::RemoveVolume(name.clone());
            steps.push(planned(format!("remove volume {name}"), name, &before, step));
        }
    }
    Plan { steps: order(steps), blockers: Vec::new() }
}

const NETWORK: &str = "create network";
const ROUTES: &str = "set routes";

fn planned(id: impl Into<String>, resource: &str, after: &[&str], step: Step) -> Planned {
    let after = after.iter().map(|id| (*id).to_owned()).collect();
    Planned { id: id.into(), resource: resource.to_owned(), after, step }
}

fn remove(name: &str, container: &FoundContainer) -> Planned {
    let resource = container.resource.as_deref().unwrap_or(name);
    let step = Step::RemoveContainer(name.to_owned(), container.id.clone());
    planned(format!("remove {name}"), resource, &[], step)
}

/// Things that hold a name of ours but were not made by this stack. They are never touched.
fn foreign(stack: &Stack, found: &Observed) -> Vec<Report> {
    let blocker = |kind: &str, name: &str, fix: String| {
        Report::new(Code::ForeignName, format!("{kind} `{name}` exists, but is not of this stack"))
            .why("altinn-local does not touch what it did not make")
            .label(Label::Who, format!("a {kind} without the label of stack `{}`", stack.name))
            .fix(fix, "when it is not needed any more")
            .fix("altinn-local up --stack other", "brings up a stack of another name beside it")
    };
    let mut blockers = Vec::new();
    for service in &stack.services {
        let name = &service.container;
        if found.containers.get(name).is_some_and(|container| !container.ours) {
            blockers.push(blocker("container", name, format!("docker rm -f {name}")));
        }
    }
    for cluster in &stack.clusters {
        // A node is ours by the stack's network: kind puts no label of ours on it.
        let node = cluster.node();
        let elsewhere = |container: &FoundContainer| !container.networks.contains(&stack.network);
        if found.containers.get(&node).is_some_and(elsewhere) {
            let fix = format!("kind delete cluster --name {}", cluster.name);
            blockers.push(blocker("cluster", &cluster.name, fix));
        }
    }
    if found.network.as_ref().is_some_and(|network| !network.ours) {
        let fix = format!("docker network rm {}", stack.network);
        blockers.push(blocker("network", &stack.network, fix));
    }
    let mounts = stack.services.iter().flat_map(|service| &service.mounts);
    for mount in mounts.filter(|mount| found.volumes.get(&mount.volume) == Some(&false)) {
        let fix = format!("docker volume rm {}", mount.volume);
        blockers.push(blocker("volume", &mount.volume, fix));
    }
    blockers
}

fn volumes(stack: &Stack, found: &Observed) -> Vec<Planned> {
    let names: BTreeSet<&String> = stack
        .services
        .iter()
        .flat_map(|service| &service.mounts)
        .map(|mount| &mount.volume)
        .collect();
    let missing = names.into_iter().filter(|name| !found.volumes.contains_key(*name));
    missing
        .map(|name| {
            planned(format!("create volume {name}"), name, &[], Step::CreateVolume(name.clone()))
        })
        .collect()
}

fn service_step(service: &Service, found: &Observed) -> Option<Planned> {
    let change = match found.containers.get(&service.container) {
        None => ServiceChange::Create,
        Some(container) if container.hash.as_deref() != Some(&service.config_hash()) => {
            ServiceChange::Replace(container.id.clone())
        }
        // Cut off before it was ready once: perhaps its files are not even in.
        Some(container) if !container.running && !container.set_up => {
            ServiceChange::Replace(container.id.clone())
        }
        Some(container) if !container.running => ServiceChange::Start(container.id.clone()),
        Some(container) if !container.set_up => ServiceChange::SetUp(container.id.clone()),
        Some(_) => return None,
    };
    let mut after = vec![NETWORK.to_owned()];
    after.extend(service.mounts.iter().map(|mount| format!("create volume {}", mount.volume)));
    after.extend(service.after.iter().map(|id| format!("start {id}")));
    after.extend([format!("pull {}", service.image), format!("load {}", service.image)]);
    // What comes after the router is probed through it, so the routes must be in.
    if service.after.iter().any(|id| id.ends_with(".router")) {
        after.push(ROUTES.to_owned());
    }
    Some(Planned {
        id: format!("start {}", service.id),
        resource: service.id.clone(),
        after,
        step: Step::Service(service.id.clone(), change),
    })
}

/// Containers of the stack that nothing wants any more.
fn leftovers(stack: &Stack, found: &Observed) -> Vec<Planned> {
    let wanted: BTreeSet<&String> =
        stack.services.iter().map(|service| &service.container).collect();
    let unwanted = found
        .containers
        .iter()
        .filter(|(name, container)| container.ours && !wanted.contains(name))
        // Warm compilers come and go with the saves that need them.
        .filter(|(_, container)| {
            !container.resource.as_deref().is_some_and(|id| id.starts_with(labels::WARM))
        });
    unwanted.map(|(name, container)| remove(name, container)).collect()
}

fn routes_step(stack: &Stack, routes: &str, found: &Observed) -> Option<Planned> {
    let service = stack.services.iter().find(|service| service.id == "studio.router")?;
    let kept = found.containers.get(&service.container).is_some_and(|container| {
        container.running && container.hash.as_deref() == Some(&service.config_hash())
    });
    if kept && found.router_configuration.as_deref() == Some(routes) {
        return None;
    }
    Some(planned(ROUTES, &service.id, &["start studio.router"], Step::Routes))
}

fn cluster_steps(cluster: &Cluster, found: &Observed) -> Vec<Planned> {
    let resource = format!("org.{}.cluster", cluster.org);
    let org = cluster.org.clone();
    let absent = FoundCluster { node: NodeState::Absent, create_hash: None, contents_hash: None };
    let there = found.clusters.get(&cluster.name).unwrap_or(&absent);
    let outdated = there.create_hash.as_deref() != Some(&cluster.create_hash());
    let mut steps = Vec::new();
    let create = format!("create cluster {org}");
    if there.node == NodeState::Absent || outdated {
        let pull = format!("pull {}", cluster.node_image);
        steps.push(planned(
            &create,
            &resource,
            &[NETWORK, &pull],
            Step::CreateCluster(org.clone()),
        ));
    } else if there.node != NodeState::Answers {
        let id = format!("start cluster {org}");
        steps.push(planned(id, &resource, &[], Step::StartCluster(org.clone())));
    }
    let filled = there.contents_hash.as_deref() == Some(&cluster.contents_hash());
    if !steps.is_empty() || !filled {
        let id = format!("fill cluster {org}");
        let start = format!("start cluster {org}");
        let mut after = vec![create.as_str(), start.as_str()];
        let from_registry = cluster
            .mirrors
            .iter()
            .any(|(host, _)| cluster.traefik_image.repository.starts_with(&format!("{host}/")));
        if from_registry {
            let publish = planned(
                "publish traefik",
                &resource,
                &["start platform.registry"],
                Step::PublishTraefik,
            );
            steps.push(publish);
            after.push("publish traefik");
        }
        steps.push(planned(id, &resource, &after, Step::FillCluster(org)));
    }
    steps
}

fn app_steps(stack: &Stack, app: &App, target: &AppTarget, found: &Observed) -> Vec<Planned> {
    let id = &app.id;
    let resource = id.resource();
    let org = &id.org;
    let mut steps = Vec::new();
    if !found.repositories.contains(&id.to_string()) {
        let step = Step::PushRepository(id.clone());
        // Gitea is reached through the router.
        let after = ["start studio.gitea", "start studio.router", ROUTES];
        steps.push(planned(format!("push repository {id}"), &resource, &after, step));
    }
    let published = found.published.get(&id.to_string());
    if target.publication.is_some() && published != target.publication.as_ref() {
        let step = Step::Publish(id.clone());
        let after = ["start platform", "start platform.storage", ROUTES];
        steps.push(planned(format!("publish {id}"), &resource, &after, step));
    }
    let live = found.release(id).is_some_and(|release| {
        release.status == ReleaseStatus::Deployed
            && release.hash.as_deref() == Some(target.release_hash.as_str())
            && release.ready
    });
    let cluster_changes = stack
        .cluster(org)
        .and_then(|cluster| found.clusters.get(&cluster.name).map(|there| (cluster, there)))
        .is_none_or(|(cluster, there)| {
            there.create_hash.as_deref() != Some(&cluster.create_hash())
        });
    if live && !cluster_changes {
        return steps;
    }
    let registry = format!("start org.{org}.registry");
    let create = format!("create cluster {org}");
    let (build, push) = (format!("build {id}"), format!("push {id}"));
    if !found.pushed.contains(&pushed_key(app, &target.tag)) {
        steps.push(planned(&build, &resource, &[], Step::Build(id.clone())));
        // Not while kind starts: on two cores a push beside it makes it take three times as long.
        let after = [build.as_str(), registry.as_str(), create.as_str()];
        steps.push(planned(&push, &resource, &after, Step::Push(id.clone())));
    }
    let fill = format!("fill cluster {org}");
    let after = [push.as_str(), registry.as_str(), fill.as_str(), ROUTES];
    steps.push(planned(format!("deploy {id}"), &resource, &after, Step::Release(id.clone())));
    steps
}

/// How `Observed::pushed` names an image.
fn pushed_key(app: &App, tag: &str) -> String {
    format!("{}/{}:{tag}", app.id.org, app.id.release())
}
