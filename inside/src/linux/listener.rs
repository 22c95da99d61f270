//! The sockets on which a program listens.

use std::collections::BTreeSet;
use std::fs;

use rustix::net::{Shutdown, shutdown};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

/// In the kernel's tables of TCP sockets.
const LISTENS: &str = "0A";

/// Lets a program that is about to end take no new connection: whoever comes is refused at once, as after its end, and
/// may try again without fear of having been heard. Tells whether it listened; what may not be done is left undone.
pub(super) fn close(process: u32) -> bool {
    let listening = inodes(process);
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    let Some(handle) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else {
        return false;
    };
    let mut closed = false;
    for number in descriptors(process, &listening) {
        let socket = pidfd_getfd(&handle, number, PidfdGetfdFlags::empty());
        closed |= socket.is_ok_and(|socket| shutdown(socket, Shutdown::Read).is_ok());
    }
    closed
}

/// Inodes of the sockets that listen in the process's network.
fn inodes(process: u32) -> BTreeSet<String> {
    let table =
        |name: &str| fs::read_to_string(format!("/proc/{process}/net/{name}")).unwrap_or_default();
    let tables = format!("{}\n{}", table("tcp"), table("tcp6"));
    let inode = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words.get(3) == Some(&LISTENS)).then(|| words.get(9).map(|&inode| inode.to_owned()))?
    };
    tables.lines().filter_map(inode).collect()
}

/// Which of the process's descriptors are these sockets.
fn descriptors(process: u32, sockets: &BTreeSet<String>) -> Vec<i32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fd")) else { return Vec::new() };
    let number = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?;
        let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
        sockets.contains(inode).then(|| entry.file_name().to_str()?.parse().ok())?
    };
    entries.flatten().filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn who_was_accepted_is_served_and_who_comes_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut before = TcpStream::connect(address).unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        assert!(close(std::process::id()));
        let refused = TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        accepted.write_all(b"served").unwrap();
        drop(accepted);
        let mut answer = String::new();
        before.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "served");
        assert!(!close(std::process::id()), "nothing listens any more");
    }
}
