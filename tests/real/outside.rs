//! The story's own looks at the outside, by other means than the product's.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::running::run;

/// What a look may take.
const LOOK: Duration = Duration::from_secs(30);

/// `docker …`; its output.
pub fn docker(arguments: &[&str]) -> Result<String> {
    Ok(run(Command::new("docker").args(arguments), LOOK)?.succeeded()?.stdout)
}

/// `docker …`; its output's lines.
pub fn docker_lines(arguments: &[&str]) -> Result<Vec<String>> {
    Ok(docker(arguments)?.lines().map(str::to_owned).collect())
}

/// `docker inspect`.
pub fn inspect(name: &str) -> Result<Value> {
    let all: Value = serde_json::from_str(&docker(&["inspect", name])?)?;
    Ok(all[0].clone())
}

/// A container that is not the product's business; removed when dropped.
pub struct Foreign {
    name: String,
    before: Value,
}

impl Foreign {
    /// Makes and starts it.
    pub fn new(name: &str) -> Result<Self> {
        docker(&["create", "--name", name, "--network", "none", "altinn-local/registry:2.8"])?;
        let mut foreign = Self { name: name.to_owned(), before: Value::Null };
        docker(&["start", name])?;
        foreign.before = inspect(name)?;
        Ok(foreign)
    }

    /// It is what it was, to the last field.
    pub fn is_untouched(&self) -> Result<bool> {
        Ok(inspect(&self.name)? == self.before)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        if let Err(error) = docker(&["rm", "-f", "-v", &self.name]) {
            eprintln!("{error:?}");
        }
    }
}

/// GET by address, so that no resolver matters: the status and the body.
pub fn get(port: u16, host: &str, path: &str) -> Result<(u16, String)> {
    get_as(port, host, path, "*/*")
}

/// The same, by somebody who wants this type.
pub fn get_as(port: u16, host: &str, path: &str, accept: &str) -> Result<(u16, String)> {
    send(port, host, &format!("GET {path}"), &[("Accept", accept)], "")
}

/// Any request, as `POST /path`, by address.
pub fn send(
    port: u16,
    host: &str,
    what: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let length = body.len();
    let headers: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    // Of version 1.0, so that the body comes as it is and ends with the connection.
    write!(
        stream,
        "{what} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    let status = head.split_whitespace().nth(1).context("no status")?.parse()?;
    Ok((status, body.to_owned()))
}

/// A file as it is: contents or target, and its permission bits.
type Entry = (Vec<u8>, u32);

/// Every file and folder below a folder, `.git` included.
pub fn tree(root: &Path) -> Result<BTreeMap<PathBuf, Entry>> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut all = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let found = path.symlink_metadata()?;
            let contents = if found.is_dir() {
                folders.push(path.clone());
                Vec::new()
            } else {
                std::fs::read(&path)?
            };
            let name = path.strip_prefix(root)?.to_path_buf();
            all.insert(name, (contents, found.permissions().mode()));
        }
    }
    Ok(all)
}

/// Paths that differ between two trees.
pub fn differences(
    before: &BTreeMap<PathBuf, Entry>,
    after: &BTreeMap<PathBuf, Entry>,
) -> Vec<PathBuf> {
    let all = before.keys().chain(after.keys());
    let mut paths: Vec<_> =
        all.filter(|path| before.get(*path) != after.get(*path)).cloned().collect();
    paths.dedup();
    paths
}

/// Another network namespace with a way to this one, as a neighbour on the local network has it.
pub struct Neighbour {
    name: String,
}

impl Neighbour {
    /// This machine's address as the neighbour sees it.
    pub const HOST: &str = "198.18.77.1";

    /// None when this user may not make one.
    pub fn new() -> Result<Option<Self>> {
        let name = format!("tn{}", std::process::id() % 100_000);
        let it = Self { name: name.clone() };
        let (here, there) = (format!("{name}a"), format!("{name}b"));
        if ip(&["netns", "add", &name]).is_err() {
            return Ok(None);
        }
        ip(&["link", "add", &here, "type", "veth", "peer", "name", &there, "netns", &name])?;
        ip(&["address", "add", &format!("{}/30", Self::HOST), "dev", &here])?;
        ip(&["link", "set", &here, "up"])?;
        ip(&["-n", &name, "address", "add", "198.18.77.2/30", "dev", &there])?;
        ip(&["-n", &name, "link", "set", &there, "up"])?;
        ip(&["-n", &name, "route", "add", "default", "via", Self::HOST])?;
        Ok(Some(it))
    }

    /// Whether a connection from there is accepted.
    pub fn reaches(&self, address: &str, port: u16) -> Result<bool> {
        let connect = format!("exec 3<>/dev/tcp/{address}/{port}");
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, "timeout", "1", "bash", "-c", &connect]);
        Ok(run(&mut command, LOOK)?.status == Some(0))
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        // Deleting one end of the pair deletes both; either may not be there.
        let _ = ip(&["link", "del", &format!("{}a", self.name)]);
        let _ = ip(&["netns", "del", &self.name]);
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    run(Command::new("ip").args(arguments), LOOK)?.succeeded().map(drop)
}
