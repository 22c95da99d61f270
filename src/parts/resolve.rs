//! The decision for each part, pure: named by the user, else in the engine, else pulled, else missing. All that is
//! missing is told at once.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::{Catalogue, Entry};
use crate::model::{Code, ImageRef, Label, Part, Report};
use crate::sys::host::HostFacts;

/// What is so on this machine now.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Names of the images that the engine holds.
    pub in_engine: &'a BTreeSet<ImageRef>,
    /// What the machine can run.
    pub host: &'a HostFacts,
    /// Why nothing can be pulled; none when it can.
    pub offline: Option<&'a str>,
}

/// The image of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The image.
    pub image: ImageRef,
    /// Whether it must be pulled first.
    pub pull: bool,
    /// The digest that a pulled image must have, when known.
    pub digest: Option<String>,
}

/// The images of all parts that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved(pub BTreeMap<Part, Choice>);

impl Resolved {
    /// The image of a part that was asked for.
    pub fn image(&self, part: Part) -> Result<&ImageRef, Report> {
        match self.0.get(&part) {
            Some(choice) => Ok(&choice.image),
            None => Err(Report::new(Code::Bug, format!("nobody asked for the part `{part}`"))),
        }
    }

    /// What must be pulled.
    pub fn pulls(&self) -> impl Iterator<Item = (Part, &Choice)> {
        self.0.iter().filter(|(_, choice)| choice.pull).map(|(part, choice)| (*part, choice))
    }
}

/// Decides the image of each needed part. To know whether the network is needed at all, ask first with
/// `offline: None`: when the answer has no [`Resolved::pulls`], no probe is due.
pub fn resolve(
    catalogue: &Catalogue,
    needed: &[Part],
    named: &BTreeMap<Part, ImageRef>,
    situation: Situation<'_>,
) -> Result<Resolved, Report> {
    let (mut choices, mut missing) = (BTreeMap::new(), Vec::new());
    for part in needed {
        let entry = catalogue.entry(*part)?;
        match choose(*part, entry, named.get(part), situation) {
            Some(choice) => drop(choices.insert(*part, choice)),
            None => missing.push((*part, entry, named.get(part))),
        }
    }
    if missing.is_empty() {
        return Ok(Resolved(choices));
    }
    Err(told(&missing, needed.len(), situation))
}

fn choose(
    part: Part,
    entry: &Entry,
    named: Option<&ImageRef>,
    situation: Situation<'_>,
) -> Option<Choice> {
    let candidates = match named {
        Some(image) => vec![image],
        None => candidates(part, entry, *situation.host),
    };
    let held = |image: &ImageRef| {
        let name = plain(image);
        situation.in_engine.iter().find(|held| plain(held) == name)
    };
    if let Some(image) = candidates.iter().find_map(|image| held(image)) {
        return Some(Choice { image: image.clone(), pull: false, digest: None });
    }
    if situation.offline.is_some() {
        return None;
    }
    let image = candidates.into_iter().find(|image| **image != entry.local)?;
    let digest = entry.digest.clone().filter(|_| entry.official.first() == Some(image));
    Some(Choice { image: image.clone(), pull: true, digest })
}

/// Images that may be the part, best first. kind's own node image asks for every capability and wants cgroup v2;
/// ours does without.
fn candidates(part: Part, entry: &Entry, host: HostFacts) -> Vec<&ImageRef> {
    let official = entry.official.iter();
    let local = std::iter::once(&entry.local);
    if part != Part::KindNode {
        return official.chain(local).collect();
    }
    if host.limits_fixed {
        return local.collect();
    }
    if host.cgroup_v1 {
        return local.chain(official).collect();
    }
    official.chain(local).collect()
}

/// The repository without the registry that an engine adds to short names.
fn plain(image: &ImageRef) -> (&str, &str) {
    let repository = image.repository.as_str();
    let short = repository
        .strip_prefix("docker.io/library/")
        .or(repository.strip_prefix("docker.io/"))
        .or(repository.strip_prefix("localhost/"))
        .unwrap_or(repository);
    (short, &image.tag)
}

fn told(
    missing: &[(Part, &Entry, Option<&ImageRef>)],
    needed: usize,
    situation: Situation<'_>,
) -> Report {
    let title = format!("{} of {needed} parts are not on this machine", missing.len());
    let mut report = Report::new(Code::PartsMissing, title);
    let mut total = 0;
    for (part, entry, named) in missing {
        total += entry.megabytes;
        let images = match named {
            Some(image) => format!("{image} (named in `parts`)"),
            None => candidates(*part, entry, *situation.host)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" or "),
        };
        let line = format!("{part}: {images}, about {} MB", entry.megabytes);
        report = report.label(Label::Missing, line);
    }
    let why = situation
        .offline
        .unwrap_or("this machine lacks what the official image needs, so it takes our own");
    report = report.why(why);
    if missing.iter().any(|(_, _, named)| named.is_none()) {
        report = report
            .fix("scripts/up --parts-only", "build them from packages, on a Debian-family host");
    }
    report = report.fix("docker load -i FILE", "load them from a file made on another machine");
    if situation.offline.is_some() {
        report = report.fix(
            "altinn-local up",
            format!("fetch them, about {total} MB, once this machine is online"),
        );
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(names: &[&str]) -> BTreeSet<ImageRef> {
        names.iter().map(|name| ImageRef::parse(name)).collect()
    }

    fn host(cgroup_v1: bool, limits_fixed: bool) -> HostFacts {
        HostFacts { cgroup_v1, limits_fixed }
    }

    /// The image and whether it is pulled; none when it is missing.
    fn one(
        part: Part,
        named: Option<&str>,
        held: &[&str],
        host: HostFacts,
        online: bool,
    ) -> Option<(String, bool)> {
        let named = named.map(|name| (part, ImageRef::parse(name)));
        let situation = Situation {
            in_engine: &images(held),
            host: &host,
            offline: (!online).then_some("offline"),
        };
        let catalogue = Catalogue::embedded().unwrap();
        let resolved =
            resolve(&catalogue, &[part], &named.into_iter().collect(), situation).ok()?;
        let choice = &resolved.0[&part];
        assert_eq!(resolved.pulls().count(), usize::from(choice.pull));
        Some((choice.image.to_string(), choice.pull))
    }

    #[test]
    fn the_order_of_choice() {
        const OURS: &str = "altinn-local/postgres:15";
        let usual = host(false, false);
        for (named, held, online, expected) in [
            (None, vec!["postgres:15", OURS], true, Some(("postgres:15", false))),
            (None, vec![OURS], true, Some((OURS, false))),
            (None, vec![], true, Some(("postgres:15", true))),
            (None, vec![], false, None),
            (Some("pg:1"), vec!["postgres:15"], true, Some(("pg:1", true))),
            (Some("pg:1"), vec!["postgres:15"], false, None),
            (Some("pg:1"), vec!["pg:1"], false, Some(("pg:1", false))),
            (
                None,
                vec!["docker.io/library/postgres:15"],
                false,
                Some(("docker.io/library/postgres:15", false)),
            ),
            (
                None,
                vec!["localhost/altinn-local/postgres:15"],
                false,
                Some(("localhost/altinn-local/postgres:15", false)),
            ),
        ] {
            assert_eq!(
                one(Part::Postgres, named, &held, usual, online),
                expected.map(|(image, pull)| (image.to_owned(), pull)),
                "{named:?} {held:?} {online}"
            );
        }
    }

    #[test]
    fn the_node_is_ours_where_the_stock_one_cannot_run() {
        const OURS: &str = "altinn-local/kind-node:1.34.4";
        const STOCK: &str = "kindest/node:v1.34.0";
        let both = [OURS, STOCK];
        for (host, held, online, expected) in [
            (host(false, false), &both[..], false, Some((STOCK, false))),
            (host(true, false), &both[..], false, Some((OURS, false))),
            (host(true, false), &both[1..], false, Some((STOCK, false))),
            (host(true, false), &[], true, Some((STOCK, true))),
            (host(false, true), &both[..], true, Some((OURS, false))),
            (host(false, true), &both[1..], true, None),
        ] {
            assert_eq!(
                one(Part::KindNode, None, held, host, online),
                expected.map(|(image, pull)| (image.to_owned(), pull)),
                "{host:?} {held:?} {online}"
            );
        }
    }

    #[test]
    fn all_that_is_missing_is_told_at_once() {
        let report = resolve(
            &Catalogue::embedded().unwrap(),
            &[Part::Postgres, Part::Gitea, Part::Router],
            &BTreeMap::from([(Part::Gitea, ImageRef::parse("mine:1"))]),
            Situation {
                in_engine: &images(&["nginx:1.25.4"]),
                host: &host(false, false),
                offline: Some("`network.offline: always` forbids fetching"),
            },
        )
        .unwrap_err();
        assert_eq!(report.code, Code::PartsMissing);
        insta::assert_snapshot!(crate::config::yaml::write(&report).unwrap());
    }
}
