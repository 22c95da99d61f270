//! Everything that is in a cluster before the first app: names, ingress, and what the apps' chart takes for
//! granted. The fixed part stands in `templates/cluster/`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::node::org_registry_address;
use crate::model::{Cluster, Code, PlatformService, Report, short_hash};

const SYSTEM: &str = include_str!("../../templates/cluster/system.yaml");
const TRAEFIK: &str = include_str!("../../templates/cluster/traefik.yaml");
const APPS: &str = include_str!("../../templates/cluster/apps.yaml");

/// The name of the marker in `kube-system`.
pub(super) const MARKER: &str = "altinn-local";

/// The kinds that the ingress controller's provider watches; it serves nothing while one is not defined.
const TRAEFIK_KINDS: [&str; 10] = [
    "IngressRoute",
    "IngressRouteTCP",
    "IngressRouteUDP",
    "Middleware",
    "MiddlewareTCP",
    "ServersTransport",
    "ServersTransportTCP",
    "TLSOption",
    "TLSStore",
    "TraefikService",
];

/// What is secret in a cluster. Never logged.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Environment of all apps of the org, from its vault.
    pub app_secrets: BTreeMap<String, String>,
    /// The key that apps sign their platform access tokens with: PKCS#12, no password. Apps go on without the
    /// token when it is empty.
    pub access_token: Vec<u8>,
}

impl std::fmt::Debug for Contents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contents").finish_non_exhaustive()
    }
}

/// All objects, in an order in which they can be applied. The marker is not among them, see `marker`.
pub fn objects(wanted: &Cluster, contents: &Contents) -> Result<Vec<Value>, Report> {
    let mut all: Vec<Value> = TRAEFIK_KINDS.iter().map(|kind| definition(kind)).collect();
    all.extend(documents(&SYSTEM.replace("ROUTER", &wanted.router.0.to_string()))?);
    all.extend(documents(TRAEFIK)?);
    all.extend(documents(APPS)?);
    for object in &mut all {
        // By pointer and not by text: the user may name the image.
        if let Some(image) = object.pointer_mut("/spec/template/spec/containers/0/image") {
            *image = json!(wanted.traefik_image.to_string());
        }
    }
    all.extend([
        registry_hosting(wanted),
        config_map("default", "apps-runtime-common-config-env", &environment(wanted)),
        secret(
            "apps-runtime-common-secrets-env",
            contents.app_secrets.iter().map(|(name, value)| (name.as_str(), value.as_bytes())),
        ),
        secret("accesstoken", [("accesstokencredentials.pfx", &*contents.access_token)]),
    ]);
    Ok(all)
}

/// The marker: says whose cluster this is and what was applied. Written when everything else is ready.
pub(super) fn marker(wanted: &Cluster) -> Value {
    let data = [
        ("stack", wanted.stack.to_string()),
        ("org", wanted.org.to_string()),
        ("contents", wanted.contents_hash()),
    ];
    config_map("kube-system", MARKER, &data.map(|(key, value)| (key.to_owned(), value)))
}

/// What apps read as their configuration: production's keys, the local platform's addresses.
fn environment(wanted: &Cluster) -> Vec<(String, String)> {
    let platform = wanted.platform_url();
    let endpoints = PlatformService::ALL.map(|service| {
        let key = format!("PlatformSettings__Api{}Endpoint", setting(service));
        (key, format!("{platform}/{service}/api/v1/"))
    });
    let apps = format!("http://{}:{}/{{org}}/{{app}}/", wanted.apps_host(), wanted.router.1);
    let openid = format!("{platform}/authentication/api/v1/openid/");
    let others = [
        // The libraries insist on https for the token issuer in every other environment.
        ("ASPNETCORE_ENVIRONMENT", "Development"),
        ("AppSettings__OpenIdWellKnownEndpoint", &openid),
        // Cookies are set for this name, so that they hold for the platform and for all apps.
        ("GeneralSettings__HostName", wanted.domain.as_str()),
        ("GeneralSettings__ExternalAppBaseUrl", &apps),
    ];
    // Under this name libraries of apps look for Altinn's local test when they start: they tell it their port, which
    // means nothing outside their pod, and end when they cannot.
    let alone = ("GeneralSettings__DisableLocaltestValidation", "true");
    let alone = wanted.domain.is_one_host().then_some(alone);
    let others = others.into_iter().chain(alone);
    let others = others.map(|(key, value)| (key.to_owned(), value.to_owned()));
    endpoints.into_iter().chain(others).collect()
}

/// What stands for a service in the names of apps' settings.
const fn setting(service: PlatformService) -> &'static str {
    match service {
        PlatformService::AccessManagement => "AccessManagement",
        PlatformService::Authentication => "Authentication",
        PlatformService::Authorization => "Authorization",
        PlatformService::Correspondence => "Correspondence",
        PlatformService::Events => "Events",
        PlatformService::Notifications => "Notification",
        PlatformService::Profile => "Profile",
        PlatformService::Register => "Register",
        PlatformService::Storage => "Storage",
    }
}

/// Tells tools that look for it where images for this cluster are to be pushed.
fn registry_hosting(wanted: &Cluster) -> Value {
    let inside = org_registry_address(wanted);
    let hosting = json!({
        "host": wanted.registry_host,
        "hostFromContainerRuntime": inside,
        "hostFromClusterNetwork": inside,
    });
    let data = [("localRegistryHosting.v1".to_owned(), hosting.to_string())];
    config_map("kube-public", "local-registry-hosting", &data)
}

fn config_map(namespace: &str, name: &str, entries: &[(String, String)]) -> Value {
    let data: BTreeMap<_, _> = entries.iter().cloned().collect();
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    })
}

fn secret<'a>(name: &str, entries: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Value {
    let data: BTreeMap<_, _> =
        entries.into_iter().map(|(key, value)| (key, STANDARD.encode(value))).collect();
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "default"},
        "type": "Opaque",
        "data": data,
    })
}

/// The definition of one of Traefik's kinds, with an open schema: Traefik itself checks what it reads, and says
/// so in its log.
fn definition(kind: &str) -> Value {
    let singular = kind.to_lowercase();
    let plural = format!("{singular}s");
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.traefik.io")},
        "spec": {
            "group": "traefik.io",
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": format!("{kind}List"),
                "plural": plural,
                "singular": singular,
            },
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {"spec": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": true,
                    }},
                }},
            }],
        },
    })
}

fn documents(text: &str) -> Result<Vec<Value>, Report> {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        Report::new(Code::Bug, "a template of the cluster is not YAML").caused_by(&error)
    })
}

/// A hash of everything that is put into a cluster, for [`Cluster::contents`]: another template or another secret
/// means that it must be filled again.
pub fn fingerprint(wanted: &Cluster, contents: &Contents) -> Result<String, Report> {
    Ok(short_hash(&objects(wanted, contents)?))
}

#[cfg(test)]
mod tests {
    use super::super::node::tests::cluster;
    use super::*;
    use crate::model::Domain;
    use crate::sys::kube::text;

    fn contents() -> Contents {
        Contents {
            app_secrets: [("Key".to_owned(), "very secret".to_owned())].into(),
            access_token: vec![1, 2, 3],
        }
    }

    fn all() -> Vec<Value> {
        objects(&cluster(), &contents()).unwrap()
    }

    fn find<'a>(all: &'a [Value], kind: &str, name: &str) -> &'a Value {
        let fits = |object: &&Value| {
            text(object, "/kind") == kind && text(object, "/metadata/name") == name
        };
        all.iter().find(fits).unwrap()
    }

    #[test]
    fn the_cluster_offers_what_the_chart_takes_for_granted() {
        let names: Vec<String> = all()
            .iter()
            .filter(|object| text(object, "/kind") != "CustomResourceDefinition")
            .map(|object| {
                let part = |pointer| text(object, pointer);
                format!(
                    "{} {}/{}",
                    part("/kind"),
                    part("/metadata/namespace"),
                    part("/metadata/name")
                )
            })
            .collect();
        insta::assert_snapshot!(names.join("\n"), @r"
        ConfigMap kube-system/coredns
        Deployment kube-system/coredns
        Deployment local-path-storage/local-path-provisioner
        Namespace /traefik
        ServiceAccount traefik/traefik
        ClusterRole /altinn-local-traefik
        ClusterRoleBinding /altinn-local-traefik
        Deployment traefik/traefik
        Service traefik/traefik
        Namespace /default
        Middleware default/hsts-header
        PersistentVolumeClaim default/keys
        ConfigMap kube-public/local-registry-hosting
        ConfigMap default/apps-runtime-common-config-env
        Secret default/apps-runtime-common-secrets-env
        Secret default/accesstoken
        ");
        let defined = all().len() - names.len();
        assert_eq!(defined, TRAEFIK_KINDS.len());
    }

    #[test]
    fn only_traefik_gets_traefiks_image() {
        let all = all();
        let image = "/spec/template/spec/containers/0/image";
        assert_eq!(
            text(find(&all, "Deployment", "traefik"), image),
            "docker.io/altinn-local/traefik:3.7.15"
        );
        assert_eq!(find(&all, "Deployment", "coredns").pointer(image), None);
    }

    #[test]
    fn names_lead_to_the_router_with_real_line_breaks() {
        let all = all();
        let corefile = text(find(&all, "ConfigMap", "coredns"), "/data/Corefile");
        let names = "altinn.localhost:53 local.altinn.cloud:53 studio.localhost:53 {\n";
        assert!(corefile.starts_with(names), "{corefile}");
        assert!(corefile.contains("answer \"{{ .Name }} 5 IN A 172.30.16.10\"\n"), "{corefile}");
        assert!(!corefile.contains("ROUTER"));
    }

    #[test]
    fn apps_are_pointed_at_the_local_platform() {
        let lines: Vec<String> =
            environment(&cluster()).iter().map(|(key, value)| format!("{key}={value}")).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        PlatformSettings__ApiAccessManagementEndpoint=http://platform.altinn.localhost:8800/accessmanagement/api/v1/
        PlatformSettings__ApiAuthenticationEndpoint=http://platform.altinn.localhost:8800/authentication/api/v1/
        PlatformSettings__ApiAuthorizationEndpoint=http://platform.altinn.localhost:8800/authorization/api/v1/
        PlatformSettings__ApiCorrespondenceEndpoint=http://platform.altinn.localhost:8800/correspondence/api/v1/
        PlatformSettings__ApiEventsEndpoint=http://platform.altinn.localhost:8800/events/api/v1/
        PlatformSettings__ApiNotificationEndpoint=http://platform.altinn.localhost:8800/notifications/api/v1/
        PlatformSettings__ApiProfileEndpoint=http://platform.altinn.localhost:8800/profile/api/v1/
        PlatformSettings__ApiRegisterEndpoint=http://platform.altinn.localhost:8800/register/api/v1/
        PlatformSettings__ApiStorageEndpoint=http://platform.altinn.localhost:8800/storage/api/v1/
        ASPNETCORE_ENVIRONMENT=Development
        AppSettings__OpenIdWellKnownEndpoint=http://platform.altinn.localhost:8800/authentication/api/v1/openid/
        GeneralSettings__HostName=altinn.localhost
        GeneralSettings__ExternalAppBaseUrl=http://ttd.apps.altinn.localhost:8800/{org}/{app}/
        ");
    }

    #[test]
    fn apps_of_one_host_find_everything_there() {
        let cluster = Cluster { domain: Domain::LocalAltinnCloud, ..cluster() };
        let environment: BTreeMap<_, _> = environment(&cluster).into_iter().collect();
        for (key, value) in &environment {
            let host = key.ends_with("Endpoint") || key.ends_with("Url");
            assert_eq!(value.starts_with("http://local.altinn.cloud:8800/"), host, "{key}={value}");
        }
        assert_eq!(environment["GeneralSettings__HostName"], "local.altinn.cloud");
        let apps = &environment["GeneralSettings__ExternalAppBaseUrl"];
        assert_eq!(apps, "http://local.altinn.cloud:8800/{org}/{app}/");
        assert_eq!(environment["GeneralSettings__DisableLocaltestValidation"], "true");
    }

    #[test]
    fn secrets_are_encoded_and_not_shown() {
        let all = all();
        let secret = find(&all, "Secret", "apps-runtime-common-secrets-env");
        assert_eq!(text(secret, "/data/Key"), "dmVyeSBzZWNyZXQ=");
        let token = find(&all, "Secret", "accesstoken");
        assert_eq!(text(token, "/data/accesstokencredentials.pfx"), "AQID");
        assert!(!format!("{:?}", contents()).contains("secret"));
    }

    #[test]
    fn the_registry_is_told_as_both_sides_see_it() {
        let all = all();
        let hosting = find(&all, "ConfigMap", "local-registry-hosting");
        assert_eq!(
            text(hosting, "/data/localRegistryHosting.v1"),
            r#"{"host":"127.0.0.1:5511","hostFromContainerRuntime":"registry-ttd:5000","hostFromClusterNetwork":"registry-ttd:5000"}"#
        );
    }

    #[test]
    fn the_marker_says_whose_and_what() {
        let marker = marker(&cluster());
        assert_eq!(text(&marker, "/metadata/namespace"), "kube-system");
        assert_eq!(text(&marker, "/data/stack"), "default");
        assert_eq!(text(&marker, "/data/org"), "ttd");
        assert_eq!(text(&marker, "/data/contents"), cluster().contents_hash());
    }
}
