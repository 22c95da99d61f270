//! Which paths of a folder a build sees: `.dockerignore` with Docker's own meaning, and names that never leave the
//! machine whatever it says. gitignore's rules differ (anchoring, `**`, order), so no matcher of that kind is used.
//!
//! Patterns and paths are bytes with forward slashes: names need not be UTF-8.

/// Names of files that are secrets by custom. `.dockerignore` cannot let them in again.
const SECRET_NAMES: &[&str] = &[".git", "secrets.json"];
const SECRET_STARTS: &[&str] = &[".env", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];
const SECRET_ENDS: &[&str] = &[".pem", ".pfx", ".p12", ".key"];

/// Whether a file or folder of this name is a secret by custom: `.git`, `.env*`, private keys, `secrets.json` (the
/// local mock of `ISecretsClient` and of user secrets). Such a path is in no build context.
#[must_use]
pub fn is_secret(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|known| name == known.as_bytes())
        || SECRET_STARTS.iter().any(|start| name.starts_with(start.as_bytes()))
        || SECRET_ENDS.iter().any(|end| name.ends_with(end.as_bytes()))
}

/// Whether a name is an editor's or a desktop's passing work: swap, backup and lock files. They come and go within
/// a save, so they are neither watched nor sent.
#[must_use]
pub fn is_passing(name: &[u8]) -> bool {
    let starts = |start: &[u8]| name.starts_with(start);
    let ends = |end: &[u8]| name.ends_with(end);
    ends(b"~")
        || starts(b".#")
        || (starts(b"#") && ends(b"#"))
        || (starts(b".") && (ends(b".swp") || ends(b".swx") || ends(b".swo")))
        || ends(b"___jb_tmp___")
        || ends(b"___jb_old___")
        || matches!(name, b"4913" | b".DS_Store" | b"Thumbs.db")
}

/// One piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    /// `?`
    One,
    /// `*`
    Segment,
    /// `**/`
    Folders,
    /// `**` at the end
    Rest,
    /// `[a-z]` or `[^a-z]`
    Class {
        inverted: bool,
        ranges: Vec<(u8, u8)>,
    },
}

#[derive(Debug, Clone)]
struct Pattern {
    /// Begins with `!`.
    exception: bool,
    pieces: Vec<Piece>,
}

/// The patterns of one file.
#[derive(Debug, Clone, Default)]
pub struct Dockerignore {
    patterns: Vec<Pattern>,
}

/// What the patterns say about one path, with what its children inherit.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Per pattern: whether it matches the path or a folder above it.
    matched: Vec<bool>,
    /// Whether the path is left out.
    pub excluded: bool,
}

impl Dockerignore {
    /// Reads a file's contents. A byte order mark, comments, blank lines and lines of `!` alone are skipped.
    #[must_use]
    pub fn parse(contents: &[u8]) -> Self {
        let contents = contents.strip_prefix(b"\xef\xbb\xbf").unwrap_or(contents);
        let patterns = contents
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.starts_with(b"#"))
            .filter_map(|line| Pattern::parse(line.trim_ascii()))
            .collect();
        Self { patterns }
    }

    /// What holds for the root: nothing matched yet.
    #[must_use]
    pub fn root(&self) -> Verdict {
        Verdict { matched: vec![false; self.patterns.len()], excluded: false }
    }

    /// Judges a path, given the verdict of its folder. The last pattern that matches decides.
    #[must_use]
    pub fn child(&self, parent: &Verdict, path: &[u8]) -> Verdict {
        let mut excluded = false;
        let matched = self.patterns.iter().enumerate().map(|(place, pattern)| {
            let inherited = parent.matched.get(place).copied().unwrap_or(false);
            let matches = inherited || pattern.matches(path);
            if matches {
                excluded = !pattern.exception;
            }
            matches
        });
        Verdict { matched: matched.collect(), excluded }
    }

    /// Whether an exception may let something in below an excluded folder, so that it has to be entered.
    #[must_use]
    pub fn may_reach_below(&self, folder: &[u8]) -> bool {
        let below: Vec<u8> = [folder, b"/"].concat();
        self.patterns.iter().filter(|pattern| pattern.exception).any(|pattern| {
            let fixed = pattern.fixed_start();
            fixed.starts_with(&below)
                || (fixed.len() < pattern.pieces.len() && below.starts_with(&fixed))
        })
    }
}

impl Pattern {
    fn parse(line: &[u8]) -> Option<Self> {
        let exception = line.starts_with(b"!");
        let text = if exception { line[1..].trim_ascii() } else { line };
        let text = cleaned(text);
        if text.is_empty() {
            return None;
        }
        Some(Self { exception, pieces: pieces(&text) })
    }

    /// The bytes before the first wildcard.
    fn fixed_start(&self) -> Vec<u8> {
        let byte = |piece: &Piece| match piece {
            Piece::Byte(byte) => Some(*byte),
            _ => None,
        };
        self.pieces.iter().map_while(byte).collect()
    }

    /// Whether the pattern matches the whole path: the set of places reached so far is moved on piece by piece,
    /// so no pattern can take more than pieces times bytes.
    fn matches(&self, path: &[u8]) -> bool {
        let fixed = self.pieces.iter().zip(path);
        if fixed
            .clone()
            .next()
            .is_some_and(|(piece, byte)| matches!(piece, Piece::Byte(b) if b != byte))
        {
            return false;
        }
        let mut reached = vec![false; path.len() + 1];
        reached[0] = true;
        for piece in &self.pieces {
            reached = piece.advance(path, &reached);
        }
        reached[path.len()]
    }
}

impl Piece {
    /// The places that can be reached over this piece.
    fn advance(&self, path: &[u8], from: &[bool]) -> Vec<bool> {
        let mut to = vec![false; from.len()];
        let mut open = false;
        for place in 0..from.len() {
            let before = place.checked_sub(1).and_then(|before| path.get(before)).copied();
            match (self, before) {
                (Self::Segment, _) => {
                    open = from[place] || (open && before != Some(b'/'));
                    to[place] = open;
                }
                (Self::Rest, _) => {
                    open |= from[place];
                    to[place] = open;
                }
                (Self::Folders, _) => {
                    to[place] = from[place] || (open && before == Some(b'/'));
                    open |= from[place];
                }
                (_, Some(byte)) => to[place] = from[place - 1] && self.takes(byte),
                (_, None) => {}
            }
        }
        to
    }

    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Byte(own) => *own == byte,
            Self::One => byte != b'/',
            Self::Class { inverted, ranges } => {
                byte != b'/'
                    && *inverted
                        != ranges.iter().any(|(first, last)| (*first..=*last).contains(&byte))
            }
            Self::Segment | Self::Folders | Self::Rest => false,
        }
    }
}

/// As Go's `path.Clean`, without leading and trailing slashes. A pattern that leaves the context becomes empty.
fn cleaned(text: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in text.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join(&b'/')
}

fn pieces(text: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        let (piece, tail) = match first {
            b'*' if tail.starts_with(b"*") => deep(&tail[1..]),
            b'*' => (Piece::Segment, tail),
            b'?' => (Piece::One, tail),
            b'\\' if !tail.is_empty() => (Piece::Byte(tail[0]), &tail[1..]),
            b'[' => class(tail).unwrap_or((Piece::Byte(b'['), tail)),
            byte => (Piece::Byte(*byte), tail),
        };
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

/// `**` at the end takes everything; elsewhere whole folders, also none.
fn deep(tail: &[u8]) -> (Piece, &[u8]) {
    let tail = tail.strip_prefix(b"/").unwrap_or(tail);
    if tail.is_empty() { (Piece::Rest, tail) } else { (Piece::Folders, tail) }
}

fn class(tail: &[u8]) -> Option<(Piece, &[u8])> {
    let end = tail.iter().skip(1).position(|byte| *byte == b']')? + 1;
    let (inside, rest) = (&tail[..end], &tail[end + 1..]);
    let inverted = inside.starts_with(b"^");
    let mut left = if inverted { &inside[1..] } else { inside };
    let mut ranges = Vec::new();
    while let Some((first, after)) = left.split_first() {
        let (last, after) = match after {
            [b'-', last, after @ ..] => (last, after),
            after => (first, after),
        };
        ranges.push((*first, *last));
        left = after;
    }
    Some((Piece::Class { inverted, ranges }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judges a path the way a walk does: folder by folder.
    fn excluded(ignore: &Dockerignore, path: &[u8]) -> bool {
        let mut verdict = ignore.root();
        for (place, byte) in path.iter().enumerate() {
            if *byte == b'/' {
                verdict = ignore.child(&verdict, &path[..place]);
            }
        }
        ignore.child(&verdict, path).excluded
    }

    #[test]
    fn patterns_mean_what_docker_means() {
        for (patterns, path, left_out) in [
            ("bin", "bin", true),
            ("bin", "bin/a.dll", true),
            ("bin", "App/bin", false),
            ("/bin", "bin/a.dll", true),
            ("bin/", "bin/a.dll", true),
            ("./bin", "bin", true),
            ("**/bin", "bin", true),
            ("**/bin", "App/bin", true),
            ("**/bin", "App/x/bin/y", true),
            ("**/bin", "App/xbin", false),
            ("**/bin/", "App/bin/y", true),
            ("**", "anything/at/all", true),
            ("App/**", "App/a/b", true),
            ("App/**", "App", false),
            ("App/**/x.cs", "App/x.cs", true),
            ("App/**/x.cs", "App/a/b/x.cs", true),
            ("*.md", "README.md", true),
            ("*.md", "docs/README.md", false),
            ("*/*.md", "docs/README.md", true),
            ("**/*.md", "README.md", true),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[^a-c]x", "dx", true),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            ("a.c", "abc", false),
            ("*.md\n!README.md", "README.md", false),
            ("*.md\n!README.md", "CHANGES.md", true),
            ("!README.md\n*.md", "README.md", true),
            ("docs\n!docs/keep.txt", "docs/keep.txt", false),
            ("docs\n!docs/keep.txt", "docs/other.txt", true),
            ("*\n!App", "App/Program.cs", false),
            ("*\n!App\nApp/secret", "App/secret/x", true),
            ("# comment\n\n  spaced  ", "spaced", true),
            ("#comment", "#comment", false),
            ("\u{feff}bin\r\nobj\r", "bin", true),
            ("\u{feff}bin\r\nobj\r", "obj", true),
            ("../up", "up", true),
            ("!", "x", false),
            (".", "x", false),
            ("[a", "[a", true),
            ("{a,b}", "a", false),
            ("{a,b}", "{a,b}", true),
        ] {
            let ignore = Dockerignore::parse(patterns.as_bytes());
            assert_eq!(excluded(&ignore, path.as_bytes()), left_out, "{patterns:?} on {path}");
        }
    }

    #[test]
    fn excluded_folders_are_entered_only_for_an_exception() {
        for (patterns, folder, entered) in [
            ("docs", "docs", false),
            ("docs\n!docs/keep.txt", "docs", true),
            ("docs\n!docs/a/keep.txt", "docs/a", true),
            ("docs\n!docs/a/keep.txt", "docs/b", false),
            ("*\n!App", "deployment", false),
            ("*\n!**/*.cs", "deployment", true),
            ("*\n!App/*.cs", "App", true),
            ("*\n!App/*.cs", "other", false),
        ] {
            let ignore = Dockerignore::parse(patterns.as_bytes());
            assert_eq!(
                ignore.may_reach_below(folder.as_bytes()),
                entered,
                "{patterns:?} on {folder}"
            );
        }
    }

    #[test]
    fn names_need_not_be_utf8() {
        let ignore = Dockerignore::parse(b"a\xffb\nx*");
        assert!(excluded(&ignore, b"a\xffb"));
        assert!(excluded(&ignore, b"x\xfe"));
        assert!(!excluded(&ignore, b"a\xfeb"));
    }

    #[test]
    fn secrets_and_passing_files_are_known_by_name() {
        for (name, secret, passing) in [
            (".git", true, false),
            (".gitignore", false, false),
            (".env", true, false),
            (".env.local", true, false),
            ("server.PEM", true, false),
            ("cert.pfx", true, false),
            ("id_ed25519.pub", true, false),
            ("secrets.json", true, false),
            ("keyboard.cs", false, false),
            ("Program.cs", false, false),
            (".Program.cs.swp", false, true),
            ("Program.cs~", false, true),
            ("4913", false, true),
            (".#lock", false, true),
        ] {
            assert_eq!(
                (is_secret(name.as_bytes()), is_passing(name.as_bytes())),
                (secret, passing),
                "{name}"
            );
        }
    }
}
