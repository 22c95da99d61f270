//! How a node is made: kind's configuration, and the files that a node gets afterwards.

use serde_json::{Value, json};

use crate::model::{Cluster, FileSpec, org_registry};
use crate::sys::host::HostFacts;

/// The pods' addresses. Node images that bring their own network plugin have the first /24 of it built in.
const POD_SUBNET: &str = "10.244.0.0/16";

/// Says where registries are to be looked up. Nodes from kind 0.27 on have it built in, and those whose
/// containerd has another schema pass over it.
const REGISTRY_FOLDER: &str = "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  \
                               config_path = \"/etc/containerd/certs.d\"\n";

/// What the host needs in kind's configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct HostPatches {
    /// Gates for all parts of Kubernetes.
    pub feature_gates: Vec<&'static str>,
    /// Patches of kubeadm's configuration documents.
    pub kubeadm: Vec<&'static str>,
}

/// Chooses what a node needs on a host like this.
pub(super) fn host_patches(facts: HostFacts) -> HostPatches {
    let mut patches = HostPatches::default();
    if facts.limits_fixed {
        // The kubelet then goes on where it may not raise limits or protect itself from the OOM killer.
        patches.feature_gates.push("KubeletInUserNamespace");
    }
    if facts.cgroup_v1 {
        patches.kubeadm.push("kind: KubeletConfiguration\nfailCgroupV1: false\n");
    }
    patches
}

/// kind's configuration of a cluster.
pub(super) fn kind_configuration(wanted: &Cluster, facts: HostFacts) -> Value {
    let patches = host_patches(facts);
    let gates: serde_json::Map<_, _> =
        patches.feature_gates.iter().map(|gate| ((*gate).to_owned(), json!(true))).collect();
    let containerd: &[&str] = if wanted.bundled_cni { &[] } else { &[REGISTRY_FOLDER] };
    json!({
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": wanted.name,
        "networking": {
            "ipFamily": "ipv4",
            "apiServerAddress": "127.0.0.1",
            "apiServerPort": wanted.api_port,
            "podSubnet": POD_SUBNET,
            "serviceSubnet": wanted.service_subnet,
            "disableDefaultCNI": wanted.bundled_cni,
        },
        "featureGates": gates,
        "kubeadmConfigPatches": patches.kubeadm,
        "containerdConfigPatches": containerd,
        "nodes": [{
            "role": "control-plane",
            "image": wanted.node_image.to_string(),
            "labels": {
                "no.altinn.local/stack": wanted.stack.to_string(),
                "no.altinn.local/org": wanted.org.to_string(),
            },
        }],
    })
}

/// The address of the org's own registry in the stack's network, without scheme.
pub(super) fn org_registry_address(wanted: &Cluster) -> &str {
    let own = org_registry(&wanted.org);
    let mirror = wanted.mirrors.iter().find(|(host, _)| *host == own).or(wanted.mirrors.first());
    mirror.map_or("", |(_, address)| address.trim_start_matches("http://"))
}

/// The files that tell a node's containerd where registries are: production's names and the workstation's own
/// name for the org's registry lead to the local ones, and nowhere else. Read at each pull, so a node need not
/// be restarted; to be written before [`fill`](super::fill()), and again whenever that is.
#[must_use]
pub fn node_files(wanted: &Cluster) -> Vec<FileSpec> {
    let mirrors = wanted.mirrors.iter().map(|(host, address)| (host.as_str(), address.as_str()));
    let own = (wanted.registry_host.as_str(), org_registry_address(wanted));
    mirrors
        .chain([own])
        .filter(|(host, address)| !host.is_empty() && !address.is_empty())
        .map(|(host, address)| {
            let server = format!("http://{}", address.trim_start_matches("http://"));
            FileSpec {
                path: format!("/etc/containerd/certs.d/{host}/hosts.toml"),
                contents: format!(
                    "server = \"{server}\"\n\n[host.\"{server}\"]\n  \
                     capabilities = [\"pull\", \"resolve\"]\n"
                ),
                mode: 0o644,
                owner: (0, 0),
            }
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{Domain, ImageRef};

    /// A cluster as the planner would want it.
    pub(in crate::cluster) fn cluster() -> Cluster {
        Cluster {
            org: "ttd".parse().unwrap(),
            name: "altinn-default-ttd".to_owned(),
            stack: "default".parse().unwrap(),
            node_image: ImageRef::parse("altinn-local/kind-node:1.34.4"),
            bundled_cni: true,
            api_port: 6551,
            network: "altinn-local-default".to_owned(),
            service_subnet: "172.30.128.0/20".to_owned(),
            router: ("172.30.16.10".parse().unwrap(), 8800),
            traefik_image: ImageRef::parse("docker.io/altinn-local/traefik:3.7.15"),
            mirrors: vec![
                (
                    "altinnregistry.azurecr.io".to_owned(),
                    "http://registry-platform:5000".to_owned(),
                ),
                (
                    "ttdaltinnregistry01.azurecr.io".to_owned(),
                    "http://registry-ttd:5000".to_owned(),
                ),
            ],
            registry_host: "127.0.0.1:5511".to_owned(),
            domain: Domain::default(),
            contents: String::new(),
        }
    }

    const EASY: HostFacts = HostFacts { cgroup_v1: false, limits_fixed: false };

    #[test]
    fn configuration_of_our_own_node_image() {
        let expected = json!({
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "name": "altinn-default-ttd",
            "networking": {
                "ipFamily": "ipv4",
                "apiServerAddress": "127.0.0.1",
                "apiServerPort": 6551,
                "podSubnet": "10.244.0.0/16",
                "serviceSubnet": "172.30.128.0/20",
                "disableDefaultCNI": true,
            },
            "featureGates": {},
            "kubeadmConfigPatches": [],
            "containerdConfigPatches": [],
            "nodes": [{
                "role": "control-plane",
                "image": "altinn-local/kind-node:1.34.4",
                "labels": {"no.altinn.local/stack": "default", "no.altinn.local/org": "ttd"},
            }],
        });
        assert_eq!(kind_configuration(&cluster(), EASY), expected);
    }

    #[test]
    fn a_stock_node_brings_its_network_but_is_told_of_registries() {
        let mut wanted = cluster();
        wanted.bundled_cni = false;
        let made = kind_configuration(&wanted, EASY);
        assert_eq!(made["networking"]["disableDefaultCNI"], false);
        assert_eq!(made["containerdConfigPatches"], json!([REGISTRY_FOLDER]));
    }

    #[test]
    fn hosts_get_what_they_need_and_no_more() {
        let gate = json!({"KubeletInUserNamespace": true});
        let cgroup = json!(["kind: KubeletConfiguration\nfailCgroupV1: false\n"]);
        for (cgroup_v1, limits_fixed, gates, kubeadm) in [
            (false, false, json!({}), json!([])),
            (true, false, json!({}), cgroup.clone()),
            (false, true, gate.clone(), json!([])),
            (true, true, gate, cgroup),
        ] {
            let facts = HostFacts { cgroup_v1, limits_fixed };
            let made = kind_configuration(&cluster(), facts);
            assert_eq!(made["featureGates"], gates, "{facts:?}");
            assert_eq!(made["kubeadmConfigPatches"], kubeadm, "{facts:?}");
        }
    }

    #[test]
    fn every_name_of_a_registry_leads_to_the_local_one() {
        let files = node_files(&cluster());
        let found: Vec<_> = files
            .iter()
            .map(|file| (file.path.as_str(), file.contents.lines().next().unwrap(), file.mode))
            .collect();
        let folder = "/etc/containerd/certs.d";
        let expected = [
            ("altinnregistry.azurecr.io", "server = \"http://registry-platform:5000\""),
            ("ttdaltinnregistry01.azurecr.io", "server = \"http://registry-ttd:5000\""),
            ("127.0.0.1:5511", "server = \"http://registry-ttd:5000\""),
        ]
        .map(|(host, first)| (format!("{folder}/{host}/hosts.toml"), first));
        let expected: Vec<_> =
            expected.iter().map(|(path, first)| (path.as_str(), *first, 0o644)).collect();
        assert_eq!(found, expected);
        assert_eq!(
            files[1].contents,
            "server = \"http://registry-ttd:5000\"\n\n[host.\"http://registry-ttd:5000\"]\n  \
             capabilities = [\"pull\", \"resolve\"]\n"
        );
    }
}
