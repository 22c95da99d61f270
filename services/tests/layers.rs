//! Checks the map in `src/lib.rs` against the source text: who may use whom.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

/// Modules from the lowest layer up. Those of the middle do not know each other.
const LAYERS: [(&str, u8); 7] = [
    ("kit", 0),
    ("platform", 1),
    ("storage", 1),
    ("events", 1),
    ("designer", 1),
    ("embedded", 2),
    ("run", 3),
];

fn layer(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

#[test]
fn the_source_keeps_to_its_layers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut faults = Vec::new();
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            let own = name.split(['/', '.']).next().unwrap().to_owned();
            let Some(height) = layer(&own) else { continue };
            files += 1;
            for used in std::fs::read_to_string(&path).unwrap().split("crate::").skip(1) {
                let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                if layer(used).is_some_and(|found| used != own && found >= height) {
                    faults.push(format!("{name} uses `{used}`"));
                }
            }
        }
    }
    assert!(files > 30, "the source was not found");
    assert!(faults.is_empty(), "{faults:#?}");
}
