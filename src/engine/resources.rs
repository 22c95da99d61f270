//! What was found, told as resources.

use super::desire::Desire;
use crate::events::{EventKind, Journal};
use crate::model::{
    AppId, FoundContainer, NodeState, Observed, ReleaseStatus, Resource, ResourceKind,
    ResourceState, Service, org_registry, studio_url,
};
use crate::plan::Plan;

/// Tells the state of every resource; what the plan is about to change counts as pending.
pub(super) fn tell(journal: &Journal, desire: &Desire, found: &Observed, plan: &Plan) {
    for mut resource in list(desire, found) {
        let changes = plan.steps.iter().any(|step| step.resource == resource.id);
        if changes && resource.state != ResourceState::Healthy {
            resource.state = ResourceState::Pending;
        }
        journal.emit(EventKind::Resource { resource: Box::new(resource) });
    }
}

/// All resources of a stack, in the order in which they are shown.
pub(super) fn list(desire: &Desire, found: &Observed) -> Vec<Resource> {
    let stack = &desire.stack;
    let mut resources: Vec<Resource> = stack
        .services
        .iter()
        .map(|service| service_resource(desire, service, found.containers.get(&service.container)))
        .collect();
    for cluster in &stack.clusters {
        let there = found.clusters.get(&cluster.name);
        let state = match there.map(|there| (there.node, there.contents_hash.is_some())) {
            Some((NodeState::Answers, true)) => ResourceState::Healthy,
            Some((NodeState::Answers, false)) => ResourceState::Starting,
            Some((NodeState::Silent, _)) => ResourceState::Degraded,
            Some((NodeState::Stopped, _)) => ResourceState::Stopped,
            _ => ResourceState::Pending,
        };
        let id = format!("org.{}.cluster", cluster.org);
        let image = Some(cluster.node_image.to_string());
        resources.push(resource(id, ResourceKind::Cluster, state, image, Vec::new()));
    }
    for work in &desire.works {
        let release = found.release(&work.app.id);
        let state = match release.map(|release| (release.status, release.ready)) {
            None => ResourceState::Pending,
            Some((ReleaseStatus::Failed | ReleaseStatus::Pending, _)) => ResourceState::Degraded,
            Some((_, true)) => ResourceState::Healthy,
            Some((_, false)) => ResourceState::Starting,
        };
        let (id, image) = (work.app.id.resource(), Some(work.spec.image.to_string()));
        let urls = vec![stack.app_url(&work.app)];
        let app = resource(id, ResourceKind::App, state, image, urls);
        resources.push(Resource { revision: release.map(|release| release.revision), ..app });
    }
    resources.extend(deployed(desire, found));
    resources
}

/// Apps that the pipeline deployed, of which no folder is part of the stack.
fn deployed(desire: &Desire, found: &Observed) -> Vec<Resource> {
    let stack = &desire.stack;
    let mut resources = Vec::new();
    for (org, apps) in &found.running {
        for app in apps {
            let name =
                app.release.strip_prefix(&format!("{org}-")).and_then(|name| name.parse().ok());
            let Some(name) = name else { continue };
            let id = AppId { org: org.clone(), app: name };
            if desire.works.iter().any(|work| work.app.id == id) {
                continue;
            }
            let state = if app.ready { ResourceState::Healthy } else { ResourceState::Starting };
            let image = Some(format!("{}/{}:{}", org_registry(org), app.release, app.tag));
            resources.push(resource(
                id.resource(),
                ResourceKind::App,
                state,
                image,
                vec![stack.url_of(&id)],
            ));
        }
    }
    resources
}

fn service_resource(
    desire: &Desire,
    service: &Service,
    container: Option<&FoundContainer>,
) -> Resource {
    let state = match container.map(|container| (container.running, container.set_up)) {
        None => ResourceState::Pending,
        Some((true, true)) => ResourceState::Healthy,
        Some((true, false)) => ResourceState::Starting,
        Some((false, _)) => ResourceState::Stopped,
    };
    let registry = service.id.ends_with(".registry");
    let kind = if registry { ResourceKind::Registry } else { ResourceKind::Container };
    let port = desire.stack.ports.router;
    let url = match service.id.as_str() {
        "studio.gitea" => Some(format!("{}/repos/", studio_url(port))),
        "studio.designer" => Some(format!("{}/", studio_url(port))),
        "platform" => Some(format!("http://{}:{port}/", desire.stack.domain.platform_host())),
        "platform.storage" | "platform.events" => None,
        "studio.router" => Some(format!("http://127.0.0.1:{port}")),
        _ => service.ports.first().map(|port| format!("http://127.0.0.1:{}", port.host)),
    };
    let image = Some(service.image.to_string());
    resource(service.id.clone(), kind, state, image, url.into_iter().collect())
}

fn resource(
    id: String,
    kind: ResourceKind,
    state: ResourceState,
    image: Option<String>,
    urls: Vec<String>,
) -> Resource {
    Resource {
        id,
        kind,
        state,
        urls,
        image,
        since: None,
        revision: None,
        synced: None,
        last_error: None,
    }
}

/// What to open, by name.
pub(super) fn links(desire: &Desire, agent_port: u16) -> Vec<(String, String)> {
    let port = desire.stack.ports.router;
    let mut links = vec![
        ("studio".to_owned(), format!("{}/", studio_url(port))),
        ("gitea".to_owned(), format!("{}/repos/", studio_url(port))),
        ("platform".to_owned(), format!("http://{}:{port}/", desire.stack.domain.platform_host())),
    ];
    links.extend(
        desire.stack.apps.iter().map(|app| (app.id.to_string(), desire.stack.app_url(app))),
    );
    links.push(("dashboard".to_owned(), format!("http://127.0.0.1:{agent_port}/")));
    links
}
