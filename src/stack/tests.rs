//! The wanted stack as a whole, for each choice of domain and platform.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::*;
use crate::model::*;

fn image(name: &str) -> ImageRef {
    ImageRef::new(name, "1")
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
        watch_mode: WatchMode::Auto,
        watch_rules: Vec::new(),
        deploy_timeout_seconds: 180,
    }
}

fn stack(domain: Domain, platform: &PlatformChoice) -> Stack {
    with_designer(domain, platform, &DesignerChoice::default())
}

fn with_designer(domain: Domain, platform: &PlatformChoice, designer: &DesignerChoice) -> Stack {
    let orgs: BTreeSet<OrgName> = ["skd", "ttd"].map(|org| org.parse().unwrap()).into();
    let storage = platform.is_ours(PlatformService::Storage);
    let images = Images {
        postgres: image("postgres"),
        gitea: image("gitea"),
        router: image("router"),
        registry: image("registry"),
        azurite: storage.then(|| image("azurite")),
        services: image("services"),
        node: image("node"),
        bundled_cni: true,
        traefik: image("traefik"),
        traefik_preloaded: true,
    };
    let none = PortMap::new();
    let ports = allocate(true, &orgs, &none, &none, PortWish::Usual, |_| true);
    let credentials = Credentials {
        gitea_admin: "admin".to_owned(),
        gitea_admin_password: "word".to_owned(),
        gitea_database_password: "word".to_owned(),
        gitea_internal_token: "token".to_owned(),
        gitea_jwt_secret: "secret".to_owned(),
        gitea_secret_key: "secret".to_owned(),
        postgres_password: "word".to_owned(),
        storage_database_password: "word".to_owned(),
        events_database_password: "word".to_owned(),
        blob_key: "a2V5".to_owned(),
        services_key: "key".to_owned(),
        designer_database_password: "kept-password".to_owned(),
        developer_password: "word".to_owned(),
        pipeline_token: "kept-token".to_owned(),
        pipeline_hook_secret: "secret".to_owned(),
    };
    desired(&Wish {
        name: &"default".parse().unwrap(),
        apps: &[app("skd/tax"), app("ttd/demo")],
        orgs: &orgs,
        domain,
        platform,
        designer,
        images: &images,
        addresses: Addresses { prefix: [172, 30] },
        ports: &ports,
        credentials: &credentials,
        certificates: &BTreeMap::new(),
        pages: None,
    })
    .unwrap()
}

fn remote(pairs: &[(PlatformService, &str)]) -> PlatformChoice {
    let remote = pairs.iter().map(|(service, origin)| (*service, origin.parse().unwrap()));
    PlatformChoice { image: None, remote: remote.collect() }
}

/// What the platform's services are told, and where requests go.
fn told(stack: &Stack) -> String {
    let mut text = String::new();
    for service in stack
        .services
        .iter()
        .filter(|one| one.id.starts_with("platform") || one.id == "studio.designer")
    {
        let command = service.command.clone().unwrap_or_default().join(" ");
        let _ = writeln!(text, "{} of {}: {command}", service.id, service.image);
    }
    let router = stack.services.iter().find(|service| service.id == "studio.router").unwrap();
    let _ = writeln!(text, "router: {}", router.aliases.join(" "));
    for Route { hosts, prefix, to, .. } in &stack.routes {
        let prefix = prefix.as_deref().unwrap_or("/");
        let _ = writeln!(text, "{}{prefix} to {to:?}", hosts.join("|"));
    }
    let _ = write!(text, "{}", stack.app_url(&stack.apps[1]));
    text
}

#[test]
fn a_host_for_each() {
    insta::assert_snapshot!(told(&stack(Domain::AltinnLocalhost, &PlatformChoice::default())));
}

#[test]
fn one_host_for_all() {
    insta::assert_snapshot!(told(&stack(Domain::LocalAltinnCloud, &PlatformChoice::default())));
}

#[test]
fn what_is_remote_is_not_made_here() {
    let platform = remote(&[
        (PlatformService::Storage, "https://platform.tt02.altinn.no"),
        (PlatformService::Profile, "http://people:8080"),
        (PlatformService::Notifications, "http://people:8080"),
    ]);
    insta::assert_snapshot!(told(&stack(Domain::AltinnLocalhost, &platform)));
}

#[test]
fn designer_may_be_the_real_one_or_nobody() {
    let wanted = |choice: &DesignerChoice| {
        with_designer(Domain::default(), &PlatformChoice::default(), choice)
    };
    let real = wanted(&DesignerChoice::Image(ImageRef::new("studio-designer", "2026")));
    let service = real.services.iter().find(|service| service.id == "studio.designer").unwrap();
    let files: Vec<_> = service.files.iter().map(|file| (&file.path, &file.contents)).collect();
    let seen = format!("{:?}{:?}", service.environment, service.command);
    assert!(!seen.contains("kept-"), "no secret where others see it");
    insta::assert_debug_snapshot!((
        &service.entrypoint,
        &service.command,
        &service.environment,
        &service.mounts,
        &service.probe,
        &service.sign_in,
        files
    ));
    let nobody = wanted(&DesignerChoice::Nobody);
    assert!(nobody.services.iter().all(|service| service.id != "studio.designer"));
    let studio: Vec<_> = nobody
        .routes
        .iter()
        .filter(|route| route.hosts.iter().any(|host| host == Stack::STUDIO_HOST))
        .map(|route| route.prefix.as_deref())
        .collect();
    assert_eq!(studio, [Some("/repos/")]);
}

/// What Gitea is set up with follows the secrets; what Designer is told holds none of Gitea's.
#[test]
fn gitea_is_set_up_again_for_other_secrets() {
    let stack = stack(Domain::default(), &PlatformChoice::default());
    let setup = |id: &str| {
        let service = stack.services.iter().find(|service| service.id == id).unwrap();
        (service.setup.clone(), service.sign_in.clone())
    };
    let orgs: Vec<OrgName> = ["skd", "ttd"].map(|org| org.parse().unwrap()).into();
    let secrets = short_hash(&("word", "secret"));
    assert_eq!(setup("studio.gitea").0, Some(Setup::Gitea { orgs, secrets }));
    let sign_in = SignIn {
        name: "altinn-studio-designer".to_owned(),
        redirect: "http://studio.localhost:8800/signin-oidc".to_owned(),
    };
    assert_eq!(setup("studio.designer").1, Some(sign_in));
}

#[test]
fn altinns_local_test_in_place_of_all_services() {
    let choice = PlatformChoice {
        image: Some(ImageRef::new("ghcr.io/altinn/altinn-studio/runtime-localtest", "6")),
        ..remote(&[(PlatformService::Events, "http://events:5101")])
    };
    let stack = stack(Domain::LocalAltinnCloud, &choice);
    let service = stack.services.iter().find(|service| service.id == "platform").unwrap();
    let files: Vec<_> = service.files.iter().map(|file| (&file.path, &file.contents)).collect();
    insta::assert_snapshot!(told(&stack));
    insta::assert_debug_snapshot!((
        &service.environment,
        &service.mounts,
        &service.probe,
        &service.after,
        files
    ));
}
