//! The chart inside this program, put on disk for Helm.
//!
//! It makes the objects that production's chart `deployment` makes (contract: Altinn/altinn-studio-charts,
//! `charts/deployment` 3.11). `overlay.yaml` lies beside it in the source but is no part of it: see
//! [`super::overlay`].

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};

use crate::model::{Code, Report, hex};
use crate::sys::fs::{read_if_there, write_private};

#[derive(RustEmbed)]
#[folder = "templates/chart"]
struct Embedded;

const OVERLAY: &str = "overlay.yaml";

/// The chart's files in order of their paths, which have forward slashes.
fn files() -> impl Iterator<Item = (String, Cow<'static, [u8]>)> {
    let mut paths: Vec<String> =
        Embedded::iter().map(Cow::into_owned).filter(|path| path != OVERLAY).collect();
    paths.sort();
    paths.into_iter().filter_map(|path| {
        let file = Embedded::get(&path)?;
        Some((path, file.data))
    })
}

/// One file of the chart's folder as text.
pub(super) fn text(path: &str) -> Result<String, Report> {
    let file = Embedded::get(path).ok_or_else(|| {
        Report::new(Code::Bug, format!("`{path}` is not in this program's chart"))
    })?;
    String::from_utf8(file.data.into_owned())
        .map_err(|error| Report::bug(format!("`{path}` of the chart is not text"), &error))
}

/// The template of the overlay.
pub(super) fn overlay() -> Result<String, Report> {
    text(OVERLAY)
}

/// 12 hexadecimal digits that change with any file of the chart.
#[must_use]
pub fn hash() -> String {
    let mut digest = Sha256::new();
    for (path, contents) in files() {
        // Lengths keep the end of one file apart from the start of the next.
        digest.update((path.len() as u64).to_le_bytes());
        digest.update(path.as_bytes());
        digest.update((contents.len() as u64).to_le_bytes());
        digest.update(&contents);
    }
    hex(&digest.finalize(), 6)
}

/// The chart's folder below `cache`, complete. Its name holds the hash, so two versions of this program do not meet;
/// two runs of the same version write the same bytes, each file in one step, so they may do so at once.
pub fn unpack(cache: &Path) -> Result<PathBuf, Report> {
    let folder = cache.join(format!("chart-{}", hash()));
    for (path, contents) in files() {
        let target = folder.join(path);
        if read_if_there(&target)?.as_deref() != Some(&*contents) {
            write_private(&target, &contents)?;
        }
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacking_is_whole_and_heals() {
        let cache = tempfile::tempdir().unwrap();
        let folder = unpack(cache.path()).unwrap();
        assert!(folder.join("templates/deployment.yaml").is_file());
        assert!(!folder.join(OVERLAY).exists());
        let chart = folder.join("Chart.yaml");
        let whole = std::fs::read(&chart).unwrap();
        std::fs::write(&chart, "cut off").unwrap();
        assert_eq!(unpack(cache.path()).unwrap(), folder);
        assert_eq!(std::fs::read(&chart).unwrap(), whole);
    }

    #[test]
    fn runs_at_the_same_time_do_not_meet() {
        let cache = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| unpack(cache.path()))).collect();
            for run in runs {
                assert!(run.join().unwrap().unwrap().join("values.yaml").is_file());
            }
        });
    }
}
