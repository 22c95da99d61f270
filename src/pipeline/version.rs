//! The next version, from the nature of the changes: Semantic Versioning 2.0.0 by Conventional Commits 1.0.0.

use semver::Version;

/// How much a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nature {
    Patch,
    Minor,
    Major,
}

/// The version after the newest of those that are released, by the messages of the commits since then. The first
/// is 1.0.0.
#[must_use]
pub fn next<'a>(newest: Option<&Version>, messages: impl IntoIterator<Item = &'a str>) -> Version {
    let Some(newest) = newest else { return Version::new(1, 0, 0) };
    let nature = messages.into_iter().map(nature).max().unwrap_or(Nature::Patch);
    match nature {
        // A version before its release comes out as itself.
        Nature::Patch if !newest.pre.is_empty() => {
            Version::new(newest.major, newest.minor, newest.patch)
        }
        Nature::Patch => Version::new(newest.major, newest.minor, newest.patch + 1),
        Nature::Minor => Version::new(newest.major, newest.minor + 1, 0),
        Nature::Major => Version::new(newest.major + 1, 0, 0),
    }
}

/// `feat: …` is new, `feat!: …` and a footer `BREAKING CHANGE: …` break, everything else mends.
fn nature(message: &str) -> Nature {
    let mut lines = message.lines();
    let head = lines.next().unwrap_or_default();
    let breaks =
        |line: &str| line.starts_with("BREAKING CHANGE: ") || line.starts_with("BREAKING-CHANGE: ");
    let Some((kind, _)) = head.split_once(": ") else {
        return if lines.any(breaks) { Nature::Major } else { Nature::Patch };
    };
    if kind.ends_with('!') || lines.any(breaks) {
        return Nature::Major;
    }
    let kind = kind.split('(').next().unwrap_or(kind);
    if kind.eq_ignore_ascii_case("feat") { Nature::Minor } else { Nature::Patch }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nature_of_the_changes_decides() {
        for (newest, messages, expected) in [
            ("", &["anything"][..], "1.0.0"),
            ("1.2.3", &["Endret tekst"], "1.2.4"),
            ("1.2.3", &[], "1.2.4"),
            ("1.2.3", &["fix: a", "feat(ui): b"], "1.3.0"),
            ("1.2.3", &["feat!: a"], "2.0.0"),
            ("1.2.3", &["refactor: a\n\nBREAKING CHANGE: b"], "2.0.0"),
            ("1.2.3", &["feature: not the word"], "1.2.4"),
            ("1.3.0-rc.1", &["fix: a"], "1.3.0"),
            ("0.1.0", &["a: b!: c"], "0.1.1"),
        ] {
            let newest = Version::parse(newest).ok();
            let next = next(newest.as_ref(), messages.iter().copied());
            assert_eq!(next.to_string(), expected, "{newest:?} {messages:?}");
        }
    }
}
