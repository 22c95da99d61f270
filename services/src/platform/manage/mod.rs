//! The management surface: who there is, a log-in for a browser that the command line opens, what a deploy tells, and what
//! is kept.

mod apps;
mod files;
mod login;
mod people;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Platform;
use crate::kit::api::{Api, Endpoint};
use crate::kit::body::Json;
use crate::kit::fault::Fault;
use crate::kit::management::Manager;
use crate::kit::management::archive::{self, Entry, Writer, malformed};
use crate::kit::management::scope::{QUERY, Scope};
use crate::kit::query::Query;
use files::{Files, Kept};
pub(super) use login::Codes;

/// The service's name in archives.
const NAME: &str = "platform";
/// All files of an archive together, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;

/// A line of an archive.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Line {
    /// A file of the data folder; keys never are.
    File { path: String, text: String },
}

pub(super) fn endpoints(api: Api<Platform>) -> Api<Platform> {
    const DATA: &str = "/platform/local/data";
    let api = api
        .add(
            Endpoint::get("/platform/local/people", "The test people").answers(&[200, 404]),
            people::all,
        )
        .add(
            Endpoint::get(DATA, "How much there is")
                .query(QUERY)
                .gives::<Kept>(200)
                .answers(&[400, 404]),
            tally,
        )
        .add(
            Endpoint::delete(DATA, "Removes what users set in their profiles")
                .query(QUERY)
                .gives::<Kept>(200)
                .answers(&[400, 404]),
            forget,
        )
        .add(
            Endpoint::get("/platform/local/data/export", "All of it as an archive")
                .query(QUERY)
                .answers(&[200, 400, 404]),
            give,
        )
        .add(
            Endpoint::post("/platform/local/data/import", "Takes an archive in, all or nothing")
                .takes_kind(archive::KIND)
                .answers(&[200, 400, 404]),
            take,
        );
    apps::endpoints(login::endpoints(api))
}

async fn tally(
    State(platform): State<Platform>,
    _: Manager,
    query: Query,
) -> Result<Json<Kept>, Fault> {
    Ok(Json(Files::of(platform.data()).tally(&Scope::read(&query)?)))
}

async fn forget(
    State(platform): State<Platform>,
    _: Manager,
    query: Query,
) -> Result<Json<Kept>, Fault> {
    let gone = Files::of(platform.data()).forget(&Scope::read(&query)?);
    gone.map(Json).map_err(Fault::internal)
}

async fn give(
    State(platform): State<Platform>,
    _: Manager,
    query: Query,
) -> Result<Response, Fault> {
    let scope = Scope::read(&query)?;
    let body = archive::body(NAME, &scope.clone(), |writer| write(platform, scope, writer));
    Ok(([(CONTENT_TYPE, archive::KIND)], body).into_response())
}

async fn write(platform: Platform, scope: Scope, mut writer: Writer) -> Result<Writer, Fault> {
    for (path, file) in Files::of(platform.data()).all(&scope) {
        let text = std::fs::read_to_string(file).map_err(Fault::internal)?;
        if writer.document(&Line::File { path, text })? {
            writer.flush().await?;
        }
    }
    Ok(writer)
}

async fn take(
    State(platform): State<Platform>,
    _: Manager,
    request: Request,
) -> Result<Json<Value>, Fault> {
    let mut bytes = request.into_body().into_data_stream();
    let read = read(&mut bytes).await;
    if read.is_err() {
        archive::drain(&mut bytes).await;
    }
    let (files, count) = read?;
    let all = Files::of(platform.data());
    for (path, text) in &files {
        super::write_whole(&all.place(path), text.as_bytes()).map_err(Fault::internal)?;
    }
    Ok(Json(archive::taken(count, &json!({ "files": files.len() }))))
}

/// Reads and checks everything before anything is written.
async fn read<S, E>(bytes: S) -> Result<(Vec<(String, String)>, archive::Count), Fault>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::error::Error + 'static,
{
    let mut reader = archive::open(NAME, bytes).await?;
    let (mut files, mut length) = (Vec::new(), 0);
    loop {
        match reader.next().await? {
            Entry::Documents(lines) => {
                for line in lines.read::<Line>() {
                    let (place, Line::File { path, text }) = line?;
                    files::check(&path, &text).map_err(|wrong| malformed(&place, &wrong))?;
                    length += text.len();
                    if length > LONGEST {
                        return Err(malformed(&place, "the files are too long together"));
                    }
                    files.push((path, text));
                }
            }
            Entry::Blob(id) | Entry::Missing(id) => {
                return Err(malformed(&format!("blobs/{id}"), "these data have no bytes"));
            }
            Entry::End(count) => return Ok((files, count)),
        }
    }
}
