//! `templates/parts.yaml` as a value.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::config::yaml;
use crate::model::{Code, ImageRef, Part, Report};

/// What is known of one part.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Official images, the first of which is pulled.
    #[serde(deserialize_with = "images")]
    pub official: Vec<ImageRef>,
    /// The digest of the first official image, as `sha256:…`, once it was seen.
    #[serde(default)]
    pub digest: Option<String>,
    /// The image that `scripts/up` builds.
    #[serde(deserialize_with = "image")]
    pub local: ImageRef,
    /// SPDX name of the program's licence.
    pub licence: String,
    /// About what it takes on disk.
    pub megabytes: u32,
    /// Its file in an offline bundle.
    pub bundle: String,
}

/// All parts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Catalogue(BTreeMap<Part, Entry>);

impl Catalogue {
    /// The catalogue this program was built with.
    pub fn embedded() -> Result<Self, Report> {
        let text = include_str!("../../templates/parts.yaml");
        yaml::read(Code::Bug, "templates/parts.yaml", text)
    }

    /// What is known of a part.
    pub fn entry(&self, part: Part) -> Result<&Entry, Report> {
        self.0.get(&part).ok_or_else(|| {
            Report::new(Code::Bug, format!("the part `{part}` is not in the catalogue"))
        })
    }
}

fn image<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ImageRef, D::Error> {
    Ok(ImageRef::parse(&String::deserialize(deserializer)?))
}

fn images<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ImageRef>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    Ok(texts.iter().map(|text| ImageRef::parse(text)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_a_whole_entry() {
        let catalogue = Catalogue::embedded().unwrap();
        for part in Part::ALL {
            let entry = catalogue.entry(part).unwrap();
            assert!(!entry.official.is_empty(), "{part}");
            assert_ne!(entry.local.tag, "latest", "{part}");
            assert!(entry.megabytes > 0, "{part}");
        }
    }

    #[test]
    fn the_scripts_build_what_the_catalogue_names() {
        let scripts = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/parts");
        if !scripts.is_dir() {
            return;
        }
        let built: Vec<String> = std::fs::read_dir(scripts)
            .unwrap()
            .filter_map(|part| std::fs::read_to_string(part.unwrap().path().join("part.sh")).ok())
            .collect();
        let catalogue = Catalogue::embedded().unwrap();
        for part in Part::ALL {
            let line = format!("image={}", catalogue.entry(part).unwrap().local);
            assert!(
                built.iter().any(|text| text.lines().any(|built| built == line)),
                "no part.sh says `{line}`"
            );
        }
    }
}
