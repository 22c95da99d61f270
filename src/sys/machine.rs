//! What this machine is and can: read from `/proc` and `/sys`, changed by nothing here. Where a system does not
//! have such files the answer is "unknown" or "nothing lacks".

use std::path::Path;

use super::process::Program;

/// Limits of file watching; none where the system has no such limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inotify {
    /// `fs.inotify.max_user_watches`.
    pub watches: u64,
    /// `fs.inotify.max_user_instances`.
    pub instances: u64,
}

/// The name that container images have for this machine's processor, as `amd64`.
#[must_use]
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn number(path: &str) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The limits of file watching.
#[must_use]
pub fn inotify() -> Option<Inotify> {
    Some(Inotify {
        watches: number("/proc/sys/fs/inotify/max_user_watches")?,
        instances: number("/proc/sys/fs/inotify/max_user_instances")?,
    })
}

/// Memory that programs can still have, in MiB.
#[must_use]
pub fn free_memory_mib() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib / 1024)
}

/// Room left on the disk of a path, in MiB, as `df` tells it; none where there is no `df`.
pub async fn free_disk_mib(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|folder| folder.exists())?;
    let finished = Program::new(Path::new("df"))
        .args(["-P", "-k"])
        .arg(there.display().to_string())
        .run(|_| ())
        .await
        .ok()?;
    let kib: u64 = finished.stdout.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kib / 1024)
}

/// Who listens on a TCP port, as `dotnet, pid 4242 (/usr/bin/dotnet)`; none when nobody does or it may not be known.
#[must_use]
pub fn port_owner(port: u16) -> Option<String> {
    let listeners = listeners::get_all().ok()?;
    let owner = listeners.into_iter().find(|listener| {
        listener.socket.port() == port
            && listener.protocol == listeners::Protocol::TCP
            && listener.state == listeners::SocketState::Listen
    })?;
    let process = owner.process;
    Some(format!("{}, pid {} ({})", process.name, process.pid, process.path))
}

/// Whether the system's own resolver knows `*.localhost` without asking the network: by a module for it, or by a
/// line for the name in the hosts file. No name is looked up, because a resolver that does not know would send the
/// question out.
#[must_use]
pub fn resolves_localhost(name: &str) -> bool {
    let switch = std::fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
    knows_localhost(&switch, &hosts_file(), name)
}

/// Whether the hosts file has a line for the name.
#[must_use]
pub fn is_in_hosts_file(name: &str) -> bool {
    has_line(&hosts_file(), name)
}

fn hosts_file() -> String {
    let path = if cfg!(windows) { r"C:\Windows\System32\drivers\etc\hosts" } else { "/etc/hosts" };
    std::fs::read_to_string(path).unwrap_or_default()
}

fn knows_localhost(nsswitch: &str, hosts: &str, name: &str) -> bool {
    let by_module = nsswitch
        .lines()
        .filter_map(|line| line.trim().strip_prefix("hosts:"))
        .any(|line| line.split_whitespace().any(|word| word == "myhostname" || word == "resolve"));
    by_module || has_line(hosts, name)
}

fn has_line(hosts: &str, name: &str) -> bool {
    hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .any(|line| line.split_whitespace().skip(1).any(|word| word == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_names_are_known_by_module_or_line() {
        const NAME: &str = "studio.localhost";
        for (nsswitch, hosts, known) in [
            ("hosts: files dns\n", "127.0.0.1 localhost\n", false),
            ("passwd: files\nhosts:  files myhostname dns\n", "", true),
            ("hosts: resolve [!UNAVAIL=return] dns\n", "", true),
            ("", "127.0.0.1 localhost studio.localhost\r\n", true),
            ("", "# 127.0.0.1 studio.localhost\n", false),
        ] {
            assert_eq!(knows_localhost(nsswitch, hosts, NAME), known, "{nsswitch:?} {hosts:?}");
        }
    }

    #[test]
    fn the_owner_of_a_port_is_named() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let owner = port_owner(port).unwrap();
        assert!(owner.contains(&format!("pid {}", std::process::id())), "{owner}");
    }
}
