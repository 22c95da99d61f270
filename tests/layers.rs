//! Checks the map in `src/lib.rs` against the source text: who may use whom, and who may touch what.
//!
//! Reading text is coarse, but it needs no compiler, sees every platform's code at once, and names file and line.

use std::path::{Path, PathBuf};

/// Modules and their layers. Those of layer 3 do not know each other.
const LAYERS: &[(&str, u8)] = &[
    ("model", 0),
    ("events", 1),
    ("plan", 1),
    ("config", 2),
    ("sys", 2),
    ("build", 3),
    ("cluster", 3),
    ("deploy", 3),
    ("page", 3),
    ("parts", 3),
    ("pipeline", 3),
    ("router", 3),
    ("secrets", 3),
    ("stack", 3),
    ("sync", 3),
    ("widgets", 3),
    ("engine", 4),
    ("cli", 5),
    ("server", 5),
];

const SEPARATE: u8 = 3;

/// Words that only some files may use, with the reason.
struct Reserved {
    words: &'static [&'static str],
    allowed: &'static [&'static str],
    reason: &'static str,
}

const RESERVED: &[Reserved] = &[
    Reserved {
        words: &["println!", "print!", "eprintln!", "eprint!", "io::stdout", "io::stderr"],
        // The agent's standard error is its log file.
        allowed: &["src/cli/printer.rs", "src/cli/agent.rs"],
        reason: "only `cli::printer` prints",
    },
    Reserved { words: &["indicatif::"], allowed: &["src/cli/"], reason: "only `cli` draws" },
    Reserved {
        words: &["process::Command", "tokio::process", "process_wrap::", "bollard::", "git2::"],
        allowed: &["src/sys/"],
        reason: "only `sys` touches the outside",
    },
    Reserved {
        words: &["use kube::", " kube::Client", "(kube::Client", "<kube::Client"],
        allowed: &["src/sys/"],
        reason: "only `sys` talks to clusters",
    },
    Reserved {
        words: &["altinn_services::"],
        allowed: &["src/sys/services.rs"],
        reason: "only `sys::services` knows the package of the services",
    },
    Reserved {
        words: &["env::var", "env::vars", "env::set_var", "env::remove_var"],
        allowed: &["src/config/env.rs"],
        reason: "only `config::env` reads the environment",
    },
];

#[test]
fn the_source_keeps_to_its_layers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    assert!(files.len() > 20, "the source was not found");
    let faults: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            check(&name, &std::fs::read_to_string(path).unwrap())
        })
        .collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn faults_are_seen() {
    for (file, text, fault) in [
        ("src/model/a.rs", "use crate::sys::fs;", "uses `sys`, which stands above it"),
        (
            "src/model/a.rs",
            "use crate::{model::App, engine};",
            "uses `engine`, which stands above it",
        ),
        ("src/plan/a.rs", "fn f() { crate::cli::run() }", "uses `cli`, which stands above it"),
        ("src/stack/a.rs", "use crate::{\n  cluster::X,\n};", "uses `cluster`, its sibling"),
        ("src/stack/a.rs", "use super::super::build::X;", "leaves its module by `super::super`"),
        ("src/stack/a.rs", "use crate::nowhere::X;", "uses `nowhere`, which has no layer"),
        ("src/nowhere/a.rs", "", "belongs to `nowhere`, which has no layer"),
        ("src/engine/a.rs", "fn f() { println!(\"x\") }", "only `cli::printer` prints"),
        ("src/engine/a.rs", "std::io::stdout()", "only `cli::printer` prints"),
        ("src/build/a.rs", "use std::process::Command;", "only `sys` touches the outside"),
        ("src/build/a.rs", "use bollard::Docker;", "only `sys` touches the outside"),
        ("src/cluster/a.rs", "use kube::Client;", "only `sys` talks to clusters"),
        ("src/sys/a.rs", "std::env::var(\"HOME\")", "only `config::env` reads"),
    ] {
        let found = check(file, text);
        assert_eq!(found.len(), 1, "{file}: {text:?}: {found:?}");
        assert!(found[0].contains(fault), "{text:?}: {found:?}");
    }
}

#[test]
fn what_is_right_is_left_alone() {
    for (file, text) in [
        ("src/engine/a.rs", "use crate::{stack, plan::{Step, X}, model::App};"),
        ("src/stack/a.rs", "use crate::stack::b; // crate::cluster"),
        (
            "src/stack/a.rs",
            "const A: &str = \"crate::cluster\"; const B: &str = r#\"println!\"\"#;",
        ),
        ("src/stack/a.rs", "#[cfg(test)]\nmod tests { fn f() { let c = '}'; println!(); } }"),
        ("src/stack/a.rs", "#[cfg(all(test, unix))]\nmod tests { use crate::cluster::X; }"),
        ("src/stack/a.rs", "fn f<'a>(x: &'a str) -> char { '\"' }"),
        ("src/cluster/a.rs", "use crate::sys::kube::Cluster;"),
        ("src/cli/printer.rs", "println!(\"x\")"),
        ("src/sys/a.rs", "tokio::process::Command::new(path)"),
        ("src/main.rs", "use altinn_local::cli;"),
        ("src/config/env.rs", "std::env::var(name)"),
        ("src/deploy/a.rs", "let a = env!(\"CARGO_PKG_VERSION\");"),
    ] {
        assert_eq!(check(file, text), Vec::<String>::new(), "{text:?}");
    }
}

#[expect(clippy::unwrap_used, reason = "a check that cannot read the source must fail")]
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
}

fn layer(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

/// The faults of one file, as `src/a/b.rs:7: …`.
fn check(file: &str, source: &str) -> Vec<String> {
    let text = without_tests(&without_words(source));
    // `lib.rs` and `main.rs` belong to no module: they declare and start.
    let module = file.strip_prefix("src/").and_then(|path| path.split_once('/'));
    let mut faults = module.map_or_else(Vec::new, |(module, _)| uses(module, &text));
    for reserved in RESERVED {
        if reserved.allowed.iter().any(|allowed| file.starts_with(allowed)) {
            continue;
        }
        let first = reserved.words.iter().filter_map(|word| find_word(&text, word)).min();
        faults.extend(first.map(|at| (at, reserved.reason.to_owned())));
    }
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    faults.into_iter().map(|(at, what)| format!("{file}:{}: {what}", line(at))).collect()
}

/// What a module uses but may not, with its place.
fn uses(module: &str, text: &str) -> Vec<(usize, String)> {
    let nowhere = "which has no layer in `tests/layers.rs`";
    let Some(own) = layer(module) else {
        return vec![(0, format!("belongs to `{module}`, {nowhere}"))];
    };
    let wrong = |used: &str| match layer(used) {
        None => Some(format!("uses `{used}`, {nowhere}")),
        Some(other) if other > own => Some(format!("uses `{used}`, which stands above it")),
        Some(SEPARATE) if own == SEPARATE && used != module => {
            Some(format!("uses `{used}`, its sibling"))
        }
        Some(_) => None,
    };
    let outward = text
        .match_indices("super::super")
        .map(|(at, _)| (at, "leaves its module by `super::super`: write `crate::…`".to_owned()));
    used_modules(text)
        .into_iter()
        .filter_map(|(at, used)| Some((at, wrong(&used)?)))
        .chain(outward)
        .collect()
}

/// Where a word stands that does not go on from a longer one.
fn find_word(text: &str, word: &str) -> Option<usize> {
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
            // `crate::sys::bollard::X` is a module of ours; `std::env::var` is not.
            && (word.starts_with("env::") || word.contains("io::") || word.starts_with("process::")
                || !text[..*at].ends_with("::"))
    })
}

/// Top-level modules named after `crate::`, with their places.
fn used_modules(text: &str) -> Vec<(usize, String)> {
    let word = |from: &str| -> String {
        from.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut used = Vec::new();
    for (at, found) in text.match_indices("crate::") {
        let after = &text[at + found.len()..];
        let Some(inside) = after.trim_start().strip_prefix('{') else {
            used.push((at, word(after.trim_start())));
            continue;
        };
        let (mut depth, mut expected) = (0, true);
        for (place, c) in inside.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => expected = true,
                c if expected && !c.is_whitespace() => {
                    used.push((at, word(&inside[place..])));
                    expected = false;
                }
                _ => {}
            }
        }
    }
    used.retain(|(_, module)| !module.is_empty());
    used
}

/// The source without what comments and literals say; lines stay where they are.
fn without_words(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut rest = source;
    let keep_lines = |skipped: &str| "\n".repeat(skipped.matches('\n').count());
    while let Some(c) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if c == '"' {
            literal(rest, 1)
        } else if let Some(end) = raw_literal(rest, text.chars().next_back()) {
            end
        } else if c == '\'' {
            character(rest)
        } else {
            0
        };
        if skipped == 0 {
            text.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            text.push_str(&keep_lines(&rest[..skipped]));
            rest = &rest[skipped..];
        }
    }
    text
}

/// The length of a literal that ends with an unescaped quote like its first character.
fn literal(text: &str, start: usize) -> usize {
    let mut escaped = false;
    for (place, c) in text.char_indices().skip(start) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of `r"…"` or `r#"…"#`, when one begins here.
fn raw_literal(text: &str, before: Option<char>) -> Option<usize> {
    if before.is_some_and(|c| c.is_alphanumeric() && c != 'b' || c == '_') {
        return None;
    }
    let after = text.strip_prefix('r')?;
    let marks = after.len() - after.trim_start_matches('#').len();
    after[marks..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(marks));
    let start = 1 + marks + 1;
    Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()))
}

/// The length of a character literal; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), _) => text[3..].find('\'').map_or(0, |at| at + 4),
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 0,
    }
}

/// The source without its test modules; lines stay where they are.
fn without_tests(source: &str) -> String {
    let mut text = source.to_owned();
    for mark in ["#[cfg(test)]", "#[cfg(all(test"] {
        while let Some(start) = text.find(mark) {
            let open = text[start..].find(['{', ';']).map_or(text.len(), |at| start + at);
            let mut depth = 0;
            let end = text[open..]
                .char_indices()
                .find(|(_, c)| {
                    depth += i32::from(*c == '{') - i32::from(*c == '}');
                    depth == 0
                })
                .map_or(text.len(), |(at, c)| open + at + c.len_utf8());
            let lines = "\n".repeat(text[start..end].matches('\n').count());
            text.replace_range(start..end, &lines);
        }
    }
    text
}
