//! Chooses the network of a new stack: a /16 that no other docker network overlaps.

use crate::model::{Addresses, Code, Report};

/// Networks to try, in order: private ranges that home routers and companies rarely use.
fn candidates() -> impl Iterator<Item = [u8; 2]> {
    let first = (16..=31_u8).rev().map(|second| [172, second]);
    // 172.17 is docker's own default bridge; offering it last keeps error texts short.
    first.filter(|prefix| prefix[1] != 17).chain((200..=250_u8).map(|second| [10, second]))
}

/// The addresses of a network that exists, from its subnet; else the first that overlaps none of the others.
pub fn choose(existing: Option<&str>, others: &[String]) -> Result<Addresses, Report> {
    if let Some(prefix) = existing.and_then(|subnet| Some(parse(subnet)?.0)) {
        let [a, b, ..] = prefix.to_be_bytes();
        return Ok(Addresses { prefix: [a, b] });
    }
    let taken: Vec<(u32, u8)> = others.iter().filter_map(|subnet| parse(subnet)).collect();
    let free = |prefix: &[u8; 2]| {
        let network = u32::from_be_bytes([prefix[0], prefix[1], 0, 0]);
        !taken.iter().any(|(other, length)| overlap((network, 16), (*other, *length)))
    };
    candidates().find(free).map(|prefix| Addresses { prefix }).ok_or_else(|| {
        Report::new(Code::MachineLimit, "no free address range is left for the stack's network")
            .why("every candidate overlaps a network of the container engine")
            .fix("docker network ls", "shows the networks; remove those that nothing uses")
    })
}

/// Network and prefix length of `172.30.0.0/16`; none for IPv6.
fn parse(subnet: &str) -> Option<(u32, u8)> {
    let (address, length) = subnet.split_once('/')?;
    let address: std::net::Ipv4Addr = address.parse().ok()?;
    Some((u32::from(address), length.parse().ok().filter(|length| *length <= 32)?))
}

fn overlap(one: (u32, u8), other: (u32, u8)) -> bool {
    let shorter = one.1.min(other.1);
    let mask = u32::MAX.checked_shl(32 - u32::from(shorter)).unwrap_or(0);
    one.0 & mask == other.0 & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_existing_network_is_kept() {
        let chosen = choose(Some("172.30.0.0/16"), &["172.30.0.0/16".to_owned()]).unwrap();
        assert_eq!(chosen.prefix, [172, 30]);
    }

    #[test]
    fn a_new_one_overlaps_nothing() {
        let others =
            |list: &[&str]| list.iter().map(|subnet| (*subnet).to_owned()).collect::<Vec<_>>();
        for (taken, prefix) in [
            (others(&[]), [172, 31]),
            (others(&["172.31.0.0/16", "172.17.0.0/16"]), [172, 30]),
            (others(&["172.31.5.0/24", "172.30.0.0/15"]), [172, 29]),
            (others(&["172.16.0.0/12", "fc00::/64"]), [10, 200]),
        ] {
            assert_eq!(choose(None, &taken).unwrap().prefix, prefix, "{taken:?}");
        }
        let everything = others(&["0.0.0.0/0"]);
        assert_eq!(choose(None, &everything).unwrap_err().code, Code::MachineLimit);
    }
}
