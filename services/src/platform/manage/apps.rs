//! What a deploy of an app needs beside Altinn's own contract.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::super::{Platform, people, write_whole};
use crate::kit::api::{Api, Endpoint};
use crate::kit::body::{Json, Raw};
use crate::kit::fault::Fault;
use crate::kit::management::Manager;
use crate::kit::name::AppId;
use crate::kit::origin::Origin;
use crate::kit::token::Claims;
use crate::kit::words::Words;

/// People of an app are at most this many bytes.
const PEOPLE: usize = 8 * 1024 * 1024;
/// So is the name of a published version.
const NOTE: usize = 256;

pub(super) fn endpoints(api: Api<Platform>) -> Api<Platform> {
    const PEOPLE_OF_APP: &str = "/platform/local/apps/{org}/{app}/testData";
    const PUBLISHED: &str = "/platform/local/apps/{org}/{app}/published";
    api.add(
        Endpoint::post("/platform/local/tokens", "A token with the claims that are sent")
            .takes::<Map<String, Value>>()
            .answers(&[200, 401, 404]),
        token,
    )
    .add(
        Endpoint::put(PEOPLE_OF_APP, "Keeps the test people of an app")
            .takes_kind("application/json")
            .answers(&[204, 400, 401, 404])
            .body(PEOPLE),
        keep_people,
    )
    .add(
        Endpoint::delete(PEOPLE_OF_APP, "Forgets the test people of an app")
            .answers(&[204, 401, 404]),
        drop_people,
    )
    .add(
        Endpoint::get(PUBLISHED, "Which version of an app was published").answers(&[200, 401, 404]),
        published,
    )
    .add(
        Endpoint::put(PUBLISHED, "Notes which version of an app was published")
            .takes_kind("text/plain")
            .answers(&[204, 400, 401, 404])
            .body(NOTE),
        note_published,
    )
}

/// Issuer and lifetime are set anew; all other claims are taken as they come.
async fn token(
    State(platform): State<Platform>,
    _: Manager,
    origin: Origin,
    Json(claims): Json<Map<String, Value>>,
) -> Result<Words, Fault> {
    platform.issue(Claims(claims), &origin).map(Words)
}

async fn keep_people(
    State(platform): State<Platform>,
    _: Manager,
    Path((org, app)): Path<(String, String)>,
    Raw(body): Raw,
) -> Result<StatusCode, Fault> {
    let refuse = |text: String| Fault::words(StatusCode::BAD_REQUEST, text);
    let text = std::str::from_utf8(&body).map_err(|_| refuse("not UTF-8".to_owned()))?;
    people::check(text).map_err(refuse)?;
    write_whole(&file(&platform, (&org, &app), "testData.json")?, &body)
        .map_err(Fault::internal)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn drop_people(
    State(platform): State<Platform>,
    _: Manager,
    Path((org, app)): Path<(String, String)>,
) -> Result<StatusCode, Fault> {
    match std::fs::remove_file(file(&platform, (&org, &app), "testData.json")?) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Fault::internal(error)),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}

/// Whoever publishes says how the version is called, and asks for it before publishing again.
async fn published(
    State(platform): State<Platform>,
    _: Manager,
    Path((org, app)): Path<(String, String)>,
) -> Result<Words, Fault> {
    match std::fs::read_to_string(file(&platform, (&org, &app), "published")?) {
        Ok(version) => Ok(Words(version)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Fault::not_found()),
        Err(error) => Err(Fault::internal(error)),
    }
}

async fn note_published(
    State(platform): State<Platform>,
    _: Manager,
    Path((org, app)): Path<(String, String)>,
    Raw(body): Raw,
) -> Result<StatusCode, Fault> {
    let plain = body.iter().all(u8::is_ascii_graphic);
    if body.is_empty() || !plain {
        return Err(Fault::words(StatusCode::BAD_REQUEST, "The version is no plain word"));
    }
    let file = file(&platform, (&org, &app), "published")?;
    write_whole(&file, &body).map_err(Fault::internal)?;
    Ok(StatusCode::NO_CONTENT)
}

fn file(
    platform: &Platform,
    (org, app): (&str, &str),
    name: &str,
) -> Result<std::path::PathBuf, Fault> {
    let id = AppId::new(org, app).map_err(|_| Fault::not_found())?;
    Ok(platform.data().join("apps").join(id.org()).join(id.app()).join(name))
}
