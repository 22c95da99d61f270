//! A registry of the `/v2/` protocol in memory, as strict as the real one where we could be wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use serde_json::{Value, json};

use super::{Registry, digest};
use crate::sys::calls::Calls;
use crate::sys::http::Http;

/// A registry on a free port, for as long as the test's runtime lives.
#[derive(Clone)]
pub(crate) struct Fake {
    port: u16,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    blobs: BTreeMap<(String, String), Bytes>,
    manifests: BTreeMap<(String, String), (String, Bytes)>,
    uploads: usize,
}

type Shared = State<Arc<Mutex<Held>>>;

impl Fake {
    pub(crate) async fn start() -> Self {
        let held = Arc::new(Mutex::new(Held::default()));
        let routes = axum::Router::new()
            .route("/v2/{repository}/blobs/uploads/", post(begin))
            .route("/v2/{repository}/blobs/uploads/{upload}", put(finish))
            .route("/v2/{repository}/blobs/{digest}", get(blob))
            .route("/v2/{repository}/manifests/{reference}", get(manifest).put(put_manifest))
            .with_state(Arc::clone(&held));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { port, held }
    }

    pub(crate) fn registry(&self) -> Registry {
        Registry::new(Http::new().unwrap(), self.port, Calls::default())
    }

    pub(crate) fn put_index(&self, repository: &str, tag: &str, manifests: &[Value]) {
        let kind = "application/vnd.oci.image.index.v1+json";
        let index = json!({"schemaVersion": 2, "mediaType": kind, "manifests": manifests});
        let held = (kind.to_owned(), Bytes::from(index.to_string()));
        self.held.lock().unwrap().manifests.insert((repository.into(), tag.into()), held);
    }

    /// How many blobs were sent.
    pub(crate) fn uploads(&self) -> usize {
        self.held.lock().unwrap().uploads
    }
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, json!({"errors": [{"code": code, "message": "no"}]}).to_string()).into_response()
}

async fn begin(Path(repository): Path<String>) -> Response {
    let place = format!("http://registry.example:1/v2/{repository}/blobs/uploads/1?_state=s");
    (StatusCode::ACCEPTED, [("location", place)]).into_response()
}

async fn finish(
    State(held): Shared,
    Path((repository, _)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
    body: Bytes,
) -> Response {
    if query.get("_state").map(String::as_str) != Some("s") {
        return error(StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID");
    }
    if query.get("digest") != Some(&digest(&body)) {
        return error(StatusCode::BAD_REQUEST, "DIGEST_INVALID");
    }
    let mut held = held.lock().unwrap();
    held.uploads += 1;
    held.blobs.insert((repository, digest(&body)), body);
    StatusCode::CREATED.into_response()
}

async fn blob(State(held): Shared, Path(key): Path<(String, String)>) -> Response {
    match held.lock().unwrap().blobs.get(&key) {
        Some(bytes) => bytes.clone().into_response(),
        None => error(StatusCode::NOT_FOUND, "BLOB_UNKNOWN"),
    }
}

async fn manifest(State(held): Shared, Path(key): Path<(String, String)>) -> Response {
    match held.lock().unwrap().manifests.get(&key) {
        Some((kind, bytes)) => ([("content-type", kind.clone())], bytes.clone()).into_response(),
        None => error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
    }
}

async fn put_manifest(
    State(held): Shared,
    Path((repository, reference)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let told: Value = serde_json::from_slice(&body).unwrap();
    let kind = headers["content-type"].to_str().unwrap().to_owned();
    if told["mediaType"] != kind.as_str() {
        return error(StatusCode::BAD_REQUEST, "MANIFEST_INVALID");
    }
    let mut held = held.lock().unwrap();
    for named in told["layers"].as_array().unwrap().iter().chain([&told["config"]]) {
        let key = (repository.clone(), named["digest"].as_str().unwrap().to_owned());
        if held.blobs.get(&key).map(|blob| blob.len() as u64) != named["size"].as_u64() {
            return error(StatusCode::BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN");
        }
    }
    for name in [reference, digest(&body)] {
        held.manifests.insert((repository.clone(), name), (kind.clone(), body.clone()));
    }
    StatusCode::CREATED.into_response()
}
