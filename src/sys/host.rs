//! What the host under the engine lacks that a kubelet usually counts on.
//!
//! Read from the machine's own files: where they are not there (macOS, Windows), the engine runs in a virtual
//! machine that is made for containers and lacks nothing.

use std::path::Path;

/// The place of `CAP_SYS_RESOURCE` in the kernel's list of capabilities.
const SYS_RESOURCE: u64 = 1 << 24;

/// Facts that decide how a node must be configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostFacts {
    /// Control groups of version 1, which kubelets from 1.35 on refuse unless told not to.
    pub cgroup_v1: bool,
    /// Processes cannot raise their own limits (no `CAP_SYS_RESOURCE`), so a kubelet must not insist on it.
    pub limits_fixed: bool,
}

impl HostFacts {
    /// Looks at this machine.
    #[must_use]
    pub fn probe() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let groups = Path::new("/sys/fs/cgroup");
        Self {
            cgroup_v1: groups.is_dir() && !groups.join("cgroup.controllers").exists(),
            limits_fixed: bounding_set(&status).is_some_and(|set| set & SYS_RESOURCE == 0),
        }
    }
}

/// The capabilities that a process and its children can ever have, from the text of `/proc/self/status`.
fn bounding_set(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapBnd:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounding_set_is_read() {
        for (status, set) in [
            ("Name:\tx\nCapBnd:\t000001ffffffffff\n", Some(0x01ff_ffff_ffff)),
            ("CapEff:\t00\nCapBnd:\t00000000a80425fb\n", Some(0xa804_25fb)),
            ("CapBnd:\tnonsense\n", None),
            ("", None),
        ] {
            assert_eq!(bounding_set(status), set, "{status:?}");
        }
        assert_eq!(0x01ff_ffff_ffff & SYS_RESOURCE, SYS_RESOURCE);
        assert_eq!(0xa804_25fb & SYS_RESOURCE, 0);
    }
}
