//! Which clusters may be spoken to: those on this machine, by a kubeconfig of ours that runs no programs.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::model::{Code, Report};

/// A client for the cluster of this kubeconfig file; asks nothing yet.
pub(super) async fn client(kubeconfig: &Path) -> Result<Client, Report> {
    let broken = |error: &dyn std::error::Error| {
        Report::new(Code::ClusterFailed, "the cluster's kubeconfig cannot be used")
            .at(kubeconfig.display().to_string())
            .caused_by(error)
            .fix("altinn-local up", "makes the cluster anew when its file is lost")
    };
    let text = crate::sys::fs::read_if_there(kubeconfig)?.unwrap_or_default();
    let parsed = Kubeconfig::from_yaml(&String::from_utf8_lossy(&text)).map_err(|e| broken(&e))?;
    if let Some(why) = refusal(&parsed) {
        return Err(wrong(why).at(kubeconfig.display().to_string()));
    }
    let mut config = Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default())
        .await
        .map_err(|error| broken(&error))?;
    // The server is on loopback, where no proxy can help; the environment may name one all the same.
    config.proxy_url = None;
    config.connect_timeout = Some(Duration::from_secs(2));
    // Another part of the program may have chosen it already; there is only one to choose.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::try_from(config).map_err(|error| broken(&error))
}

/// Why a kubeconfig must not be used, if so.
fn refusal(kubeconfig: &Kubeconfig) -> Option<String> {
    for named in &kubeconfig.clusters {
        let cluster = named.cluster.clone().unwrap_or_default();
        let server = cluster.server.unwrap_or_default();
        if !is_loopback(&server) {
            return Some(format!("its server `{server}` is not on this machine"));
        }
        if cluster.insecure_skip_tls_verify == Some(true) || cluster.tls_server_name.is_some() {
            return Some("it does not check the server's certificate".to_owned());
        }
    }
    let runs_programs = kubeconfig
        .auth_infos
        .iter()
        .filter_map(|named| named.auth_info.as_ref())
        .any(|user| user.exec.is_some() || user.auth_provider.is_some());
    runs_programs.then(|| "it names a program to log in with; ours never do".to_owned())
}

fn is_loopback(server: &str) -> bool {
    let Ok(uri) = server.parse::<hyper::Uri>() else {
        return false;
    };
    // Names are resolved by somebody else, so only addresses count.
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    uri.scheme_str() == Some("https")
        && host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The report for a cluster that must not be touched.
pub(super) fn wrong(why: String) -> Report {
    Report::new(Code::WrongCluster, "the cluster that answers is not the one that was made here")
        .why(why)
        .fix("altinn-local down", "then `up` makes a cluster of its own")
}

/// Whether the server's certificate was refused: then it is another cluster's.
pub(super) fn is_foreign(error: &kube::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if cause.is::<rustls::Error>() {
            return true;
        }
        // An I/O error does not name what it carries as its source, but only the source of that.
        next = match cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(carried) => Some(carried),
            None => cause.source(),
        };
    }
    false
}

/// The report for a server whose certificate was refused.
pub(super) fn foreign(error: &kube::Error) -> Report {
    wrong("its certificate was not signed by the authority in our kubeconfig".to_owned())
        .caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(server: &str, cluster: &str, user: &str) -> Kubeconfig {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: \"{server}\"{cluster}}}}}]\n\
             users: [{{name: u, user: {{{user}}}}}]\n"
        );
        Kubeconfig::from_yaml(&text).unwrap()
    }

    #[test]
    fn only_clusters_of_this_machine_are_spoken_to() {
        for (server, cluster, user, refused) in [
            ("https://127.0.0.1:6551", "", "", None),
            ("https://[::1]:6551", "", "token: x", None),
            ("https://10.0.0.1:6443", "", "", Some("not on this machine")),
            ("https://localhost:6443", "", "", Some("not on this machine")),
            ("https://127.0.0.1.example.com", "", "", Some("not on this machine")),
            ("http://127.0.0.1:8001", "", "", Some("not on this machine")),
            ("", "", "", Some("not on this machine")),
            ("https://127.0.0.1:1", ", insecure-skip-tls-verify: true", "", Some("certificate")),
            (
                "https://127.0.0.1:1",
                "",
                "exec: {apiVersion: client.authentication.k8s.io/v1, command: x}",
                Some("program"),
            ),
            ("https://127.0.0.1:1", "", "auth-provider: {name: gcp, config: {}}", Some("program")),
        ] {
            let why = refusal(&kubeconfig(server, cluster, user));
            match refused {
                Some(part) => assert!(
                    why.as_ref().is_some_and(|why| why.contains(part)),
                    "{server} {user}: {why:?}"
                ),
                None => assert_eq!(why, None, "{server} {user}"),
            }
        }
    }

    #[tokio::test]
    async fn a_refused_file_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = serde_json::to_string(&kubeconfig("https://10.0.0.1:6443", "", "")).unwrap();
        std::fs::write(file.path(), text).unwrap();
        let report = client(file.path()).await.err().unwrap();
        assert_eq!(report.code, Code::WrongCluster);
        assert_eq!(report.labels[1].1, file.path().display().to_string());
    }
}
