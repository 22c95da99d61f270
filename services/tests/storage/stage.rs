//! Storage in this process, with a stand-in for the platform that knows four callers.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use altinn_services::kit::api::{Api, Endpoint};
use altinn_services::kit::body::{Json, Raw};
use altinn_services::kit::fault::Fault;
use altinn_services::kit::front::Front;
use altinn_services::kit::management::Key;
use altinn_services::kit::peer::Peer;
use altinn_services::kit::token::{Claims, SigningKey, jwt, verifier};
use altinn_services::kit::xacml::{self, Answered, Decision, Outcome, urn};
use altinn_services::storage::{Settings, Storage};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::{Value, json};

pub const PARTY: i64 = 500_000;
/// What opens the management surface.
pub const KEY: &str = "open sesame";
const BASE: &str = "/storage/api/v1/";

/// Where documents and bytes are.
pub struct Backend {
    pub name: String,
    metadata: String,
    blobs: String,
}

impl Backend {
    pub fn local(folder: &Path) -> Self {
        Self {
            name: "SQLite + files".to_owned(),
            metadata: format!("sqlite:{}", folder.join("storage.db").display()),
            blobs: format!("file:{}", folder.join("blobs").display()),
        }
    }

    pub fn of_environment(folder: &Path) -> Option<Self> {
        let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let local = Self::local(&folder.join("beside"));
        let (postgres, azure) = (of("ALTINN_TEST_POSTGRES"), of("ALTINN_TEST_BLOB"));
        if postgres.is_none() && azure.is_none() {
            return None;
        }
        std::fs::create_dir_all(folder.join("beside")).unwrap();
        let name = match (&postgres, &azure) {
            (Some(_), Some(_)) => "PostgreSQL + Azure Blob",
            (Some(_), None) => "PostgreSQL + files",
            _ => "SQLite + Azure Blob",
        };
        Some(Self {
            name: name.to_owned(),
            metadata: postgres.unwrap_or(local.metadata),
            blobs: azure.unwrap_or(local.blobs),
        })
    }

    pub fn at(metadata: &str, blobs: &str) -> Self {
        Self { name: String::new(), metadata: metadata.to_owned(), blobs: blobs.to_owned() }
    }
}

/// Storage and how to ask it.
pub struct Stage {
    pub front: Front,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub headers: axum::http::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn key() -> Arc<SigningKey> {
    static KEY: OnceLock<Arc<SigningKey>> = OnceLock::new();
    KEY.get_or_init(|| Arc::new(SigningKey::fleeting().unwrap())).clone()
}

fn token(claims: Value) -> String {
    let mut claims = claims.as_object().unwrap().clone();
    claims.insert("exp".to_owned(), json!(jwt::now() + 3600));
    claims.insert("urn:altinn:authlevel".to_owned(), json!(3));
    jwt::sign(&key(), &Claims(claims)).unwrap()
}

/// User 1337, who may do everything.
pub fn user() -> String {
    token(json!({ "urn:altinn:userid": 1337, "urn:altinn:partyid": 501_337 }))
}

/// User 1338, who may only read.
pub fn reader() -> String {
    token(json!({ "urn:altinn:userid": 1338, "urn:altinn:partyid": 501_338 }))
}

/// User 1339, who may do nothing.
pub fn stranger() -> String {
    token(json!({ "urn:altinn:userid": 1339, "urn:altinn:partyid": 501_339 }))
}

/// The service owner.
pub fn owner() -> String {
    token(json!({
        "urn:altinn:org": "ttd", "urn:altinn:orgNumber": "405003309",
        "scope": "altinn:serviceowner/instances.read altinn:serviceowner/instances.write",
    }))
}

/// An organisation without the scope.
pub fn bare_org() -> String {
    token(json!({ "urn:altinn:org": "ttd", "urn:altinn:orgNumber": "405003309" }))
}

pub fn designer() -> String {
    token(json!({ "urn:altinn:app": "studio.designer" }))
}

/// Decides as the callers above are described. Action `special` only for the service owner.
async fn decide(Raw(body): Raw) -> Result<Json<Answered>, Fault> {
    let request = xacml::read(&body).map_err(Fault::internal)?.request;
    let subject = &request.access_subject[0];
    let user = subject.value(urn::USER).unwrap_or_default().to_owned();
    let org = subject.value(urn::ORG).is_some();
    let response = request
        .action
        .iter()
        .map(|action| {
            let action = action.value(urn::ACTION_ID).unwrap_or_default();
            let yes = match user.as_str() {
                "1337" => action != "special" && action != "complete",
                "1338" => action == "read",
                _ => org,
            };
            Outcome::plain(if yes { Decision::Permit } else { Decision::NotApplicable })
        })
        .collect();
    Ok(Json(Answered { response }))
}

async fn keys() -> Json<Value> {
    Json(json!({ "keys": [key().public().jwk()] }))
}

async fn look_up(Json(asked): Json<Value>) -> Result<Json<Value>, Fault> {
    match asked["orgNo"].as_str() {
        Some("897069650") => Ok(Json(json!({ "partyId": PARTY }))),
        _ => Err(Fault::not_found()),
    }
}

/// A stand-in for the platform.
pub fn platform() -> Front {
    let api = Api::<()>::new("platform")
        .add(Endpoint::get(verifier::KEYS, "keys"), keys)
        .add(Endpoint::post("/authorization/api/v1/decision", "decision"), decide)
        .add(Endpoint::post("/register/api/v1/parties/lookup", "look-up"), look_up);
    Front::new(api.finish(()))
}

pub fn storage(backend: &Backend) -> Storage {
    let peer = Peer::inside();
    peer.join(&platform());
    Storage::new(Settings {
        metadata: backend.metadata.clone(),
        blobs: backend.blobs.clone(),
        environment: "test".to_owned(),
        certificates: std::env::temp_dir(),
        lenient: true,
        platform: peer,
        events: None,
        key: Key::new(Some(KEY)),
    })
    .unwrap()
}

impl Stage {
    pub async fn new(backend: &Backend) -> Self {
        // Panics of cases are logged, not printed.
        altinn_services::kit::logs::start("error");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let stage = Self { front: Front::new(storage(backend).service()) };
        stage.ready().await;
        stage
    }

    /// Waits until the stores answer: the first connection to a database takes its time on a busy machine, and readiness
    /// is given none.
    async fn ready(&self) {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let answer = self.send(Method::GET, "/health/ready", None, &[], Bytes::new()).await;
            if answer.status == 200 || Instant::now() > end {
                return drop(answer.is(200));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Asks; paths that do not begin with `/` stand below Storage's base.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("{BASE}{path}") };
        let mut request = Request::builder().method(method).uri(path).header("host", "platform:1");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, body) = self.front.answer(request.body(body.into()).unwrap()).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Method::GET, path, Some(token), &[], Bytes::new()).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        self.send(Method::DELETE, path, Some(token), &[], Bytes::new()).await
    }

    pub async fn json(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(method, path, Some(token), &headers, body.to_string()).await
    }

    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.json(Method::POST, path, token, body).await
    }

    pub async fn put(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.json(Method::PUT, path, token, body).await
    }

    /// Registers an app of its own for a case; tells its id.
    pub async fn app(&self, more: Value) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let id = format!("ttd/case-{}-{number}", uuid::Uuid::new_v4().simple());
        let mut app = json!({
            "id": id, "org": "ttd", "title": { "nb": "Prøve" }, "features": { "own": true },
            "dataTypes": [
                { "id": "form", "taskId": "Task_1", "allowedContentTypes": ["application/xml"] },
                { "id": "file", "enableFileScan": true },
                { "id": "temporary", "appLogic": { "autoDeleteOnProcessEnd": true } },
                { "id": "secret", "actionRequiredToRead": "special",
                  "actionRequiredToWrite": "special" },
                { "id": "signature", "taskId": "Task_1" },
            ],
        });
        if let Some(more) = more.as_object() {
            app.as_object_mut().unwrap().extend(more.clone());
        }
        self.post(&format!("applications?appId={id}"), &designer(), &app).await.is(201);
        id
    }

    /// Makes an instance in `Task_1`; tells its id.
    pub async fn instance(&self, app: &str) -> String {
        let body = json!({
            "instanceOwner": { "partyId": PARTY.to_string(), "organisationNumber": "897069650" },
            "process": {
                "started": "2024-01-01T00:00:00Z", "startEvent": "StartEvent_1",
                "currentTask": { "flow": 2, "elementId": "Task_1", "altinnTaskType": "data",
                                 "started": "2024-01-01T00:00:00Z", "name": "Fyll ut" },
            },
        });
        let made = self.post(&format!("instances?appId={app}"), &user(), &body).await.is(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// An instance of an app of its own.
    pub async fn fresh(&self) -> String {
        let app = self.app(Value::Null).await;
        self.instance(&app).await
    }

    /// Adds a file; tells its id.
    pub async fn file(&self, instance: &str, kind: &str, bytes: &'static str) -> String {
        let path = format!("instances/{instance}/data?dataType={kind}");
        let headers = [("content-type", "text/plain")];
        let made = self.send(Method::POST, &path, Some(&user()), &headers, bytes).await.is(201);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    pub async fn events(&self, instance: &str) -> Vec<String> {
        let events = self.get(&format!("instances/{instance}/events"), &user()).await.is(200);
        let kind = |event: &Value| event["eventType"].as_str().unwrap().to_owned();
        events.json()["instanceEvents"].as_array().unwrap().iter().map(kind).collect()
    }
}

/// Whether a status says that the client is wrong.
pub fn is_refusal(status: u16) -> bool {
    StatusCode::from_u16(status).unwrap().is_client_error()
}
