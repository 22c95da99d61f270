//! Planning as a whole: carrying out a plan in a model of the world leaves nothing to do, from wherever it began.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::model::*;

const ROUTES: &str = "the routes";

fn image(name: &str) -> ImageRef {
    ImageRef::new(name, "1")
}

fn service(id: &str, after: &[&str], volume: Option<&str>) -> Service {
    Service {
        id: id.to_owned(),
        container: format!("altinn-t-{id}"),
        image: image("part"),
        entrypoint: None,
        command: None,
        environment: Vec::new(),
        ports: Vec::new(),
        mounts: volume
            .map(|volume| Mount { volume: volume.to_owned(), path: "/d".to_owned() })
            .into_iter()
            .collect(),
        files: Vec::new(),
        aliases: Vec::new(),
        address: None,
        after: after.iter().map(|id| (*id).to_owned()).collect(),
        probe: Probe::Exec(vec!["true".to_owned()]),
        setup: (id == "studio.gitea")
            .then(|| Setup::Gitea { orgs: Vec::new(), secrets: String::new() }),
        sign_in: None,
    }
}

fn cluster(org: &str, traefik: &str) -> Cluster {
    Cluster {
        org: org.parse().unwrap(),
        name: format!("altinn-t-{org}"),
        stack: "t".parse().unwrap(),
        node_image: image("node"),
        bundled_cni: true,
        api_port: 6551,
        network: "altinn-local-t".to_owned(),
        service_subnet: "172.30.128.0/20".to_owned(),
        router: ([172, 30, 16, 10].into(), 8800),
        traefik_image: image(traefik),
        mirrors: vec![("platform.example".to_owned(), "http://r:5000".to_owned())],
        registry_host: "127.0.0.1:5511".to_owned(),
        domain: Domain::default(),
        contents: String::new(),
    }
}

fn app(id: &str) -> App {
    App {
        id: id.parse().unwrap(),
        root: "/a".into(),
        context: "/a".into(),
        dockerfile: "/a/Dockerfile".into(),
        deployment: None,
        build_args: Vec::new(),
        values: Vec::new(),
        watch_exclude: Vec::new(),
        watch_mode: crate::model::WatchMode::Auto,
        watch_rules: Vec::new(),
        deploy_timeout_seconds: 180,
    }
}

fn stack() -> Stack {
    Stack {
        name: "t".parse().unwrap(),
        network: "altinn-local-t".to_owned(),
        domain: Domain::default(),
        platform: PlatformChoice::default(),
        addresses: Addresses { prefix: [172, 30] },
        ports: Ports { router: 8800, agent: 8810, registry_platform: 5510 },
        services: vec![
            service("studio.gitea", &["studio.postgres", "studio.router"], Some("altinn-t-gitea")),
            service("studio.postgres", &[], Some("altinn-t-postgres")),
            service("studio.router", &[], None),
            service("platform.registry", &[], Some("altinn-t-registry-platform")),
            service("org.ttd.registry", &[], Some("altinn-t-registry-ttd")),
        ],
        clusters: vec![cluster("ttd", "platform.example/traefik")],
        apps: vec![app("ttd/one"), app("ttd/two")],
        routes: Vec::new(),
        pages: None,
    }
}

fn targets() -> Vec<AppTarget> {
    ["1", "2"]
        .map(|n| AppTarget {
            tag: format!("c-{n}"),
            release_hash: format!("h-{n}"),
            publication: Some("p".to_owned()),
        })
        .to_vec()
}

fn plan(found: &Observed) -> Plan {
    diff(&stack(), &targets(), ROUTES, &MissingImages::default(), found)
}

/// What a step does to the world, when it goes well.
fn carry_out(step: &Planned, world: &mut Observed) {
    let stack = stack();
    let target = |id: &AppId| {
        let place = stack.apps.iter().position(|app| app.id == *id).unwrap();
        targets()[place].clone()
    };
    match &step.step {
        Step::CreateNetwork => {
            let subnet = Some(stack.addresses.subnet());
            world.network = Some(FoundNetwork { id: "n".to_owned(), ours: true, subnet });
        }
        Step::CreateVolume(name) => drop(world.volumes.insert(name.clone(), true)),
        Step::Service(id, change) => {
            assert!(world.network.is_some(), "{} before its network", step.id);
            let service = stack.services.iter().find(|service| service.id == *id).unwrap();
            for mount in &service.mounts {
                assert!(world.volumes.contains_key(&mount.volume), "{} before its volume", step.id);
            }
            for needed in &service.after {
                let name = format!("altinn-t-{needed}");
                assert!(world.containers[&name].running, "{} before {needed}", step.id);
            }
            world.containers.insert(service.container.clone(), container(service));
            let made = matches!(change, ServiceChange::Create | ServiceChange::Replace(_));
            if made && id == "studio.router" {
                world.router_configuration = Some("boot".to_owned());
            }
        }
        Step::Routes => world.router_configuration = Some(ROUTES.to_owned()),
        Step::CreateCluster(_) => {
            let made = FoundCluster {
                node: NodeState::Answers,
                create_hash: Some(stack.clusters[0].create_hash()),
                contents_hash: None,
            };
            world.clusters.insert(stack.clusters[0].name.clone(), made);
            world.releases.clear();
        }
        Step::StartCluster(_) => {
            world.clusters.get_mut(&stack.clusters[0].name).unwrap().node = NodeState::Answers;
        }
        Step::Publish(id) => {
            world.published.extend(target(id).publication.map(|hash| (id.to_string(), hash)));
        }
        Step::PublishTraefik | Step::Build(_) | Step::Pull(_) | Step::LoadServices(_) => {}
        Step::FillCluster(_) => {
            let cluster = world.clusters.get_mut(&stack.clusters[0].name).unwrap();
            assert_eq!(cluster.node, NodeState::Answers);
            cluster.contents_hash = Some(stack.clusters[0].contents_hash());
        }
        Step::PushRepository(id) => drop(world.repositories.insert(id.to_string())),
        Step::Push(id) => {
            assert!(world.containers["altinn-t-org.ttd.registry"].running);
            let key = format!("{}/{}:{}", id.org, id.release(), target(id).tag);
            world.pushed.insert(key);
        }
        Step::Release(id) => {
            let target = target(id);
            let key = format!("{}/{}:{}", id.org, id.release(), target.tag);
            assert!(world.pushed.contains(&key), "deployed before it was pushed");
            assert!(world.clusters[&stack.clusters[0].name].contents_hash.is_some());
            world.releases.insert(id.to_string(), release(&target.release_hash, true));
        }
        Step::RemoveContainer(name, _) => drop(world.containers.remove(name)),
        Step::DeleteCluster(name) => drop(world.clusters.remove(name)),
        Step::RemoveNetwork(_) => {
            assert!(world.containers.values().all(|container| !container.ours));
            assert!(world.clusters.is_empty());
            world.network = None;
        }
        Step::RemoveVolume(name) => drop(world.volumes.remove(name)),
    }
}

fn container(service: &Service) -> FoundContainer {
    FoundContainer {
        id: service.id.clone(),
        ours: true,
        hash: Some(service.config_hash()),
        running: true,
        set_up: true,
        published: Vec::new(),
        resource: Some(service.id.clone()),
        image: service.image.to_string(),
        networks: vec!["altinn-local-t".to_owned()],
        kind_cluster: None,
    }
}

fn release(hash: &str, ready: bool) -> FoundRelease {
    FoundRelease {
        revision: 1,
        status: ReleaseStatus::Deployed,
        hash: Some(hash.to_owned()),
        ready,
    }
}

fn converged() -> Observed {
    let mut world = Observed::default();
    for step in plan(&world).steps {
        carry_out(&step, &mut world);
    }
    world
}

#[test]
fn from_nothing_to_everything_in_one_plan() {
    let world = converged();
    assert_eq!(plan(&world), Plan::default());
}

#[test]
fn a_changed_service_touches_itself_alone() {
    let mut world = converged();
    world.containers.get_mut("altinn-t-studio.postgres").unwrap().hash = Some("old".to_owned());
    let plan = plan(&world);
    let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["start studio.postgres"]);
    assert!(matches!(&plan.steps[0].step, Step::Service(_, ServiceChange::Replace(_))));
}

#[test]
fn what_was_cut_off_before_it_was_ready_is_made_anew() {
    let mut world = converged();
    let router = world.containers.get_mut("altinn-t-studio.router").unwrap();
    router.running = false;
    router.set_up = false;
    let steps = plan(&world).steps;
    assert!(matches!(&steps[0].step, Step::Service(_, ServiceChange::Replace(_))), "{steps:?}");
}

#[test]
fn new_content_is_built_pushed_and_deployed() {
    let mut world = converged();
    world.releases.insert("ttd/one".to_owned(), release("old", true));
    world.pushed.remove("ttd/ttd-one:c-1");
    let ids: Vec<String> = plan(&world).steps.into_iter().map(|step| step.id).collect();
    assert_eq!(ids, ["build ttd/one", "push ttd/one", "deploy ttd/one"]);
    // What the registry holds already needs no build.
    world.pushed.insert("ttd/ttd-one:c-1".to_owned());
    let ids: Vec<String> = plan(&world).steps.into_iter().map(|step| step.id).collect();
    assert_eq!(ids, ["deploy ttd/one"]);
}

#[test]
fn a_new_cluster_gets_its_apps_again() {
    let mut world = converged();
    world.clusters.values_mut().for_each(|cluster| cluster.create_hash = None);
    let ids: BTreeSet<String> = plan(&world).steps.into_iter().map(|step| step.id).collect();
    assert!(ids.contains("create cluster ttd") && ids.contains("deploy ttd/one"), "{ids:?}");
}

#[test]
fn what_is_foreign_blocks_everything() {
    let foreign = |change: fn(&mut Observed)| {
        let mut world = converged();
        change(&mut world);
        let plan = plan(&world);
        assert!(plan.steps.is_empty());
        assert_eq!(plan.blockers.len(), 1, "{:?}", plan.blockers);
        assert_eq!(plan.blockers[0].code, Code::ForeignName);
    };
    foreign(|world| world.network.as_mut().unwrap().ours = false);
    foreign(|world| *world.volumes.get_mut("altinn-t-gitea").unwrap() = false);
    foreign(|world| world.containers.get_mut("altinn-t-studio.gitea").unwrap().ours = false);
    foreign(|world| {
        let mut node = container(&service("node", &[], None));
        node.networks = vec!["kind".to_owned()];
        world.containers.insert("altinn-t-ttd-control-plane".to_owned(), node);
    });
}

#[test]
fn teardown_keeps_data_and_foreigners() {
    let mut world = converged();
    let mut foreigner = container(&service("x", &[], None));
    foreigner.ours = false;
    world.containers.insert("altinn-t-x".to_owned(), foreigner);
    let volumes = world.volumes.clone();
    for step in teardown(&world, false).steps {
        carry_out(&step, &mut world);
    }
    assert_eq!(world.containers.keys().collect::<Vec<_>>(), ["altinn-t-x"]);
    assert!(world.clusters.is_empty() && world.network.is_none());
    assert_eq!(world.volumes, volumes);
    for step in teardown(&world, true).steps {
        carry_out(&step, &mut world);
    }
    assert_eq!(world.volumes, BTreeMap::new());
}

/// Takes pieces out of a world, as crashes and people do.
fn damage(world: &mut Observed, holes: &[usize]) {
    for hole in holes {
        match hole % 12 {
            0 => world.network = None,
            1 => drop(world.volumes.pop_first()),
            2 => drop(world.containers.pop_first()),
            3 => drop(world.containers.pop_last()),
            4 => world.containers.values_mut().for_each(|container| container.running = false),
            5 => world.containers.values_mut().for_each(|container| container.set_up = false),
            6 => world.router_configuration = None,
            7 => world.clusters.clear(),
            8 => world.clusters.values_mut().for_each(|c| c.node = NodeState::Stopped),
            9 => world.clusters.values_mut().for_each(|c| c.contents_hash = None),
            10 => drop(world.pushed.pop_first()),
            _ => drop(world.releases.pop_first()),
        }
    }
    // Without its network no container runs, and no node answers.
    if world.network.is_none() {
        world.containers.clear();
        world.clusters.clear();
    }
    if world.clusters.is_empty() {
        world.releases.clear();
    }
}

proptest! {
    #[test]
    fn any_damage_is_repaired_by_one_plan(holes in proptest::collection::vec(0_usize..12, 0..6)) {
        let mut world = converged();
        damage(&mut world, &holes);
        for step in plan(&world).steps {
            carry_out(&step, &mut world);
        }
        prop_assert_eq!(plan(&world), Plan::default());
    }
}
