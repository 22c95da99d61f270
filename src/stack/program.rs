//! The image of the platform's services: one static program and the folders it needs. The engine gets it as an archive,
//! so that no registry and no build is needed.

use std::io;
use std::path::Path;

use bytes::Bytes;
use futures_util::stream;
use serde_json::json;

use crate::events::StepScope;
use crate::model::{Code, ImageRef, Report};
use crate::sys::docker::Docker;
use crate::sys::helper::Services;
use crate::sys::machine::architecture;
use crate::sys::registry;

/// The image's name, without its tag.
pub const IMAGE: &str = "altinn-local/services";
/// The program in the image.
pub(super) const PROGRAM: &str = "/altinn-services";
/// Where a service keeps files. A new volume that is mounted there takes over its owner.
pub(super) const DATA: &str = "/var/lib/altinn-services";
/// User and group of the program.
pub(super) const USER: u32 = 1000;

/// How the engine names the image of the program: another program has another name.
pub async fn image_of(services: &Services) -> Result<ImageRef, Report> {
    let services = services.clone();
    let digest = tokio::task::spawn_blocking(move || services.digest()).await;
    let digest = digest.map_err(|error| Report::bug("a program was not read", &error))??;
    let digits = digest.strip_prefix("sha256:").unwrap_or(&digest);
    Ok(ImageRef::new(IMAGE, digits.get(..12).unwrap_or(digits).to_owned()))
}

/// Gives the engine the image under this name.
pub async fn load(
    docker: &Docker,
    services: &Services,
    image: &ImageRef,
    scope: &StepScope,
) -> Result<(), Report> {
    let (program, name) = (services.path.clone(), image.to_string());
    let packed = tokio::task::spawn_blocking(move || archive(&program, &name, architecture()));
    let packed = packed.await.map_err(|error| Report::bug("an image was not packed", &error))?;
    let packed = packed.map_err(|error| {
        Report::new(Code::FileFailed, "the image of the services cannot be packed")
            .why(error.to_string())
    })?;
    docker.load_image(stream::iter([Ok(Bytes::from(packed))]), |line| scope.detail(line)).await
}

/// An image as engines save and load it: one layer, its configuration, and a list (contract: moby `image/spec/v1.2`).
fn archive(program: &Path, name: &str, architecture: &str) -> io::Result<Vec<u8>> {
    let layer = layer(&std::fs::read(program)?)?;
    let digest = registry::digest(&layer);
    let configuration = json!({
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "User": format!("{USER}:{USER}"),
            "Entrypoint": [PROGRAM],
            "WorkingDir": "/",
            "Labels": {"org.opencontainers.image.title": "altinn-local services"},
        },
        "rootfs": {"type": "layers", "diff_ids": [digest]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "altinn-local"}],
    })
    .to_string();
    let digest = registry::digest(configuration.as_bytes());
    let file = format!("{}.json", digest.trim_start_matches("sha256:"));
    let list = json!([{"Config": file, "RepoTags": [name], "Layers": ["layer.tar"]}]).to_string();
    let mut whole = tar::Builder::new(Vec::with_capacity(layer.len() + 16 * 1024));
    for (path, bytes) in [
        (file.as_str(), configuration.as_bytes()),
        ("layer.tar", &layer),
        ("manifest.json", list.as_bytes()),
    ] {
        whole.append_data(&mut header(bytes.len(), 0o644, 0), path, bytes)?;
    }
    whole.into_inner()
}

fn layer(program: &[u8]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::with_capacity(program.len() + 8 * 1024));
    for (path, mode, owner) in [
        ("tmp/", 0o1777, 0),
        ("var/", 0o755, 0),
        ("var/lib/", 0o755, 0),
        (&format!("{}/", &DATA[1..]), 0o750, USER),
    ] {
        let mut header = header(0, mode, owner);
        header.set_entry_type(tar::EntryType::Directory);
        archive.append_data(&mut header, path, io::empty())?;
    }
    archive.append_data(&mut header(program.len(), 0o755, 0), &PROGRAM[1..], program)?;
    archive.into_inner()
}

fn header(size: usize, mode: u32, owner: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(mode);
    header.set_uid(u64::from(owner));
    header.set_gid(u64::from(owner));
    header.set_mtime(0);
    header
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read as _;

    use super::*;

    fn files(archive: &[u8]) -> BTreeMap<String, (Vec<u8>, u64, u32)> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().display().to_string();
            let (owner, mode) = (entry.header().uid().unwrap(), entry.header().mode().unwrap());
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (path, (bytes, owner, mode))
        });
        entries.collect()
    }

    #[test]
    fn an_image_of_one_program() {
        let program = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(program.path(), b"ELF").unwrap();
        let packed = archive(program.path(), "altinn-local/services:1", "amd64").unwrap();
        assert_eq!(packed, archive(program.path(), "altinn-local/services:1", "amd64").unwrap());
        let whole = files(&packed);
        let list: serde_json::Value = serde_json::from_slice(&whole["manifest.json"].0).unwrap();
        assert_eq!(list[0]["RepoTags"][0], "altinn-local/services:1");
        let layer = &whole[list[0]["Layers"][0].as_str().unwrap()].0;
        let configuration = &whole[list[0]["Config"].as_str().unwrap()].0;
        let configuration: serde_json::Value = serde_json::from_slice(configuration).unwrap();
        assert_eq!(configuration["rootfs"]["diff_ids"][0], registry::digest(layer));
        let inside = files(layer);
        assert_eq!(inside["altinn-services"], (b"ELF".to_vec(), 0, 0o755));
        assert_eq!(inside["var/lib/altinn-services/"], (Vec::new(), u64::from(USER), 0o750));
    }
}
