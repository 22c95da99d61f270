//! The file of `data export`: a tar with a head and the archive of each service, `altinn-local/stack-data/1`.
//!
//! The services' archives have a form of their own (`altinn-local/data/1`), which only they read. Nothing is ever whole
//! in memory: an archive is written as it comes, and its length into its entry afterwards.

use std::io::SeekFrom;
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Map, json};
use std::fmt;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use tokio_util::io::ReaderStream;

use super::Context;
use super::args::Service;
use super::data::Counts;
use super::platform::{Platform, scope};
use crate::model::{AppId, Code, Report};
use crate::sys::fs;

const FORMAT: &str = "altinn-local/stack-data/1";
const HEAD: &str = "altinn-local.json";
/// Tar's unit.
const BLOCK: u64 = 512;
/// The longest head, in bytes.
const LONGEST_HEAD: u64 = 64 << 10;

/// What `data export` wrote.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    schema: &'static str,
    file: PathBuf,
    bytes: u64,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wrote {} ({} bytes).", self.file.display(), self.bytes)
    }
}

/// Writes everything of the stack, or of an app, into a new file.
pub(super) async fn write(
    context: &Context<'_>,
    platform: &Platform,
    file: &Path,
    app: Option<&AppId>,
) -> Result<Written, Report> {
    if file.exists() {
        return Err(Report::new(Code::TargetExists, "the file to write is there already")
            .at(file.display().to_string())
            .fix("altinn-local data export FILE", "name another one"));
    }
    // Under its own name only when it is whole.
    let draft = PathBuf::from(format!("{}.part", file.display()));
    let written = fill(context, platform, &draft, app).await;
    let moved = match written {
        Ok(bytes) => {
            tokio::fs::rename(&draft, file).await.map(|()| bytes).map_err(|e| lost(file, &e))
        }
        Err(report) => Err(report),
    };
    if moved.is_err() {
        // What it failed with is what the user needs to know.
        let _ = fs::remove_if_there(&draft);
    }
    let file = file.to_path_buf();
    moved.map(|bytes| Written { schema: "altinn-local/data-export/1", file, bytes })
}

async fn fill(
    context: &Context<'_>,
    platform: &Platform,
    draft: &Path,
    app: Option<&AppId>,
) -> Result<u64, Report> {
    let broken = |error| lost(draft, &error);
    let mut file = File::create(draft).await.map_err(broken)?;
    let head = json!({
        "format": FORMAT, "stack": context.stack, "app": app, "by": env!("CARGO_PKG_VERSION"),
    });
    let head = head.to_string();
    file.write_all(&header(HEAD, head.len() as u64)?).await.map_err(broken)?;
    file.write_all(head.as_bytes()).await.map_err(broken)?;
    pad(&mut file, head.len() as u64).await.map_err(broken)?;
    for service in Service::ALL {
        context.printer.note(format!("  {} …", service.name()));
        let answer = platform.stream(service, &format!("data/export{}", scope(app))).await?;
        let begin = file.stream_position().await.map_err(broken)?;
        let name = format!("{}.tar", service.name());
        file.write_all(&header(&name, 0)?).await.map_err(broken)?;
        let mut length = 0;
        let mut pieces = answer.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| cut(service).caused_by(&error))?;
            length += piece.len() as u64;
            file.write_all(&piece).await.map_err(broken)?;
        }
        pad(&mut file, length).await.map_err(broken)?;
        file.seek(SeekFrom::Start(begin)).await.map_err(broken)?;
        file.write_all(&header(&name, length)?).await.map_err(broken)?;
        file.seek(SeekFrom::End(0)).await.map_err(broken)?;
    }
    file.write_all(&[0; 1024]).await.map_err(broken)?;
    file.sync_all().await.map_err(broken)?;
    file.stream_position().await.map_err(broken)
}

fn header(name: &str, size: u64) -> Result<Vec<u8>, Report> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).map_err(|error| Report::bug("a tar's entry has no name", &error))?;
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    Ok(header.as_bytes().to_vec())
}

async fn pad(file: &mut File, length: u64) -> std::io::Result<()> {
    let padding = (BLOCK - length % BLOCK) % BLOCK;
    file.write_all(&vec![0; usize::try_from(padding).unwrap_or_default()]).await
}

fn lost(file: &Path, error: &std::io::Error) -> Report {
    Report::new(Code::FileFailed, "the file could not be read or written")
        .at(file.display().to_string())
        .why(error.to_string())
}

fn cut(service: Service) -> Report {
    let name = service.name();
    Report::new(Code::ServiceSilent, format!("the service `{name}` broke off"))
        .fix(format!("altinn-local logs {name}"), "see why")
}

/// An archive within a file.
#[derive(Debug)]
struct Part {
    service: Service,
    from: u64,
    length: u64,
}

/// Takes a file in, service by service; what a service refuses leaves that service as it was.
pub(super) async fn read(
    context: &Context<'_>,
    platform: &Platform,
    file: &Path,
) -> Result<Counts, Report> {
    let parts = parts(file)?;
    let schema = "altinn-local/data-import/1";
    let mut taken = Counts { schema, done: "Imported", services: Map::new() };
    for part in parts {
        let name = part.service.name();
        context.printer.note(format!("  {name} …"));
        let mut bytes = File::open(file).await.map_err(|error| lost(file, &error))?;
        bytes.seek(SeekFrom::Start(part.from)).await.map_err(|error| lost(file, &error))?;
        let body = reqwest::Body::wrap_stream(ReaderStream::new(bytes.take(part.length)));
        let request = platform
            .manage(Method::POST, part.service, "data/import")
            .header("content-type", "application/x-tar")
            .body(body);
        let answer = platform.slowly(part.service, request, Code::DataRefused).await;
        let answer = answer.map_err(|report| refused(report, &taken))?;
        taken.services.insert(name.to_owned(), answer["kept"].clone());
    }
    Ok(taken)
}

/// What was taken before stays, and the user must know.
fn refused(report: Report, taken: &Counts) -> Report {
    let before: Vec<&str> = taken.services.keys().map(String::as_str).collect();
    let report = match before.as_slice() {
        [] => report.label(crate::model::Label::Without, "nothing was changed"),
        some => report.label(
            crate::model::Label::Without,
            format!("taken in before it: {}", some.join(", ")),
        ),
    };
    // The only refusal that more than another file helps against.
    let conflict = report.labels.iter().any(|(_, why)| why.ends_with("is there already"));
    if report.code == Code::DataRefused && conflict {
        return report.fix("altinn-local data reset", "delete what is there, then import again");
    }
    report
}

/// The archives in a file, in the order in which they are taken in.
fn parts(file: &Path) -> Result<Vec<Part>, Report> {
    let open = std::fs::File::open(file).map_err(|error| lost(file, &error))?;
    let broken = |why: String| {
        Report::new(Code::DataBroken, "the file is not one of `altinn-local data export`")
            .at(file.display().to_string())
            .why(why)
    };
    let end = open.metadata().map_err(|error| lost(file, &error))?.len();
    let mut archive = tar::Archive::new(open);
    let entries = archive.entries_with_seek().map_err(|error| broken(error.to_string()))?;
    let mut parts = Vec::new();
    let mut known = false;
    for entry in entries {
        let mut entry = entry.map_err(|error| broken(error.to_string()))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !known {
            if name != HEAD || entry.size() > LONGEST_HEAD {
                return Err(broken("it does not begin with `altinn-local.json`".to_owned()));
            }
            check_head(&mut entry).map_err(broken)?;
            known = true;
            continue;
        }
        let service =
            Service::ALL.into_iter().find(|service| name == format!("{}.tar", service.name()));
        let service = service.ok_or_else(|| broken(format!("it has an entry `{name}`")))?;
        let (from, length) = (entry.raw_file_position(), entry.size());
        if from.checked_add(length).is_none_or(|last| last > end) {
            return Err(broken(format!("it breaks off within `{name}`")));
        }
        parts.push(Part { service, from, length });
    }
    for service in Service::ALL {
        if parts.iter().filter(|part| part.service == service).count() != 1 {
            let text = format!("it has no data of `{}`, or twice", service.name());
            return Err(broken(text));
        }
    }
    // Storage is what refuses, when anything does.
    parts.sort_by_key(|part| part.service == Service::Platform);
    parts.sort_by_key(|part| part.service != Service::Storage);
    Ok(parts)
}

fn check_head(entry: &mut impl std::io::Read) -> Result<(), String> {
    let head: serde_json::Value =
        serde_json::from_reader(entry).map_err(|error| error.to_string())?;
    let format = head["format"].as_str().unwrap_or_default();
    if format == FORMAT {
        return Ok(());
    }
    Err(format!("its format is `{}`, this program reads `{FORMAT}`", crate::events::clean(format)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(entries: &[(&str, &str)]) -> tempfile::NamedTempFile {
        let mut bytes = Vec::new();
        for (name, text) in entries {
            bytes.extend(header(name, text.len() as u64).unwrap());
            bytes.extend(text.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes.extend([0; 1024]);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        file
    }

    const GOOD: &str = r#"{"format":"altinn-local/stack-data/1"}"#;

    #[test]
    fn storage_first_and_platform_last() {
        let made =
            file(&[(HEAD, GOOD), ("platform.tar", "p"), ("storage.tar", "st"), ("events.tar", "")]);
        let parts = parts(made.path()).unwrap();
        let order: Vec<(&str, u64, u64)> =
            parts.iter().map(|part| (part.service.name(), part.from, part.length)).collect();
        assert_eq!(order, [("storage", 2560, 2), ("events", 3584, 0), ("platform", 1536, 1)]);
    }

    #[test]
    fn other_files_are_told_apart() {
        let all = [("platform.tar", "p"), ("storage.tar", "s"), ("events.tar", "")];
        let with = |head: (&'static str, &'static str)| file(&[&[head], &all[..]].concat());
        for (made, why) in [
            (file(&[]), "no data of `platform`"),
            (with(("other.json", GOOD)), "does not begin"),
            (with((HEAD, r#"{"format":"altinn-local/stack-data/2"}"#)), "stack-data/2"),
            (with((HEAD, "x")), "expected value"),
            (file(&[(HEAD, GOOD), ("storage.tar", "s")]), "no data of `platform`"),
            (file(&[(HEAD, GOOD), ("x.tar", "s")]), "an entry `x.tar`"),
        ] {
            let report = parts(made.path()).unwrap_err();
            assert_eq!(report.code, Code::DataBroken);
            assert!(report.labels.iter().any(|(_, text)| text.contains(why)), "{why}: {report:?}");
        }
        let whole = with((HEAD, GOOD));
        let bytes = std::fs::read(whole.path()).unwrap();
        for length in 0..bytes.len() - 1536 {
            std::fs::write(whole.path(), &bytes[..length]).unwrap();
            assert!(parts(whole.path()).is_err(), "{length}");
        }
        let report = parts(Path::new("/none/at/all")).unwrap_err();
        assert_eq!(report.code, Code::FileFailed);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..3000)) {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), bytes).unwrap();
            proptest::prop_assert!(parts(file.path()).is_err());
        }
    }
}
