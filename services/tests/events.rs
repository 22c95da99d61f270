//! Events over every backend: SQLite always, PostgreSQL when `ALTINN_TEST_POSTGRES` names one.
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]
#![allow(clippy::needless_pass_by_value, clippy::assigning_clones, clippy::similar_names)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use altinn_services::events::{Events, Settings};
use altinn_services::kit::api::{Api, Endpoint};
use altinn_services::kit::body::{Json, Raw};
use altinn_services::kit::fault::Fault;
use altinn_services::kit::front::Front;
use altinn_services::kit::management::Key;
use altinn_services::kit::peer::Peer;
use altinn_services::kit::server;
use altinn_services::kit::token::{Claims, SigningKey, jwt, verifier};
use altinn_services::kit::xacml::{self, Answered, Decision, Outcome, urn};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// What opens the management surface.
const KEY: &str = "open sesame";

/// Events in this process, a stand-in for the platform, and a receiver that listens.
struct Stage {
    front: Front,
    events: Events,
    key: Arc<SigningKey>,
    heard: Heard,
    receiver: String,
    closing: CancellationToken,
}

/// What the receiver heard, and how often it refuses before it takes.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<(Vec<Value>, u32)>>);

async fn hear(State(heard): State<Heard>, Raw(body): Raw) -> StatusCode {
    let mut heard = heard.0.lock().unwrap();
    let event: Value = serde_json::from_slice(&body).unwrap();
    let validation = event["type"] == "platform.events.validatesubscription";
    if heard.1 > 0 && !validation {
        heard.1 -= 1;
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    heard.0.push(event);
    StatusCode::OK
}

/// User 1339 may do nothing, everybody else everything.
async fn decide(Raw(body): Raw) -> Result<Json<Answered>, Fault> {
    let request = xacml::read(&body).map_err(Fault::internal)?.request;
    let yes = request.access_subject[0].value(urn::USER) != Some("1339");
    let decision = if yes { Decision::Permit } else { Decision::Deny };
    Ok(Json(Answered { response: vec![Outcome::plain(decision)] }))
}

async fn look_up(Json(asked): Json<Value>) -> Result<Json<Value>, Fault> {
    match asked["orgNo"].as_str() {
        Some("897069650") => Ok(Json(json!({ "partyId": 500_000 }))),
        _ => Err(Fault::not_found()),
    }
}

struct Answer(u16, HeaderMap, Vec<u8>);

impl Answer {
    #[track_caller]
    fn is(self, status: u16) -> Self {
        assert_eq!(self.0, status, "{}", String::from_utf8_lossy(&self.2));
        self
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.2).unwrap()
    }
}

fn events(metadata: &str, key: &Arc<SigningKey>) -> Events {
    let jwk = key.public().jwk();
    let api = Api::<()>::new("platform")
        .add(Endpoint::get(verifier::KEYS, "keys"), move || async move {
            Json(json!({ "keys": [jwk] }))
        })
        .add(Endpoint::post("/authorization/api/v1/decision", "decision"), decide)
        .add(Endpoint::post("/register/api/v1/parties/lookup", "look-up"), look_up);
    let platform = Peer::inside();
    platform.join(&Front::new(api.finish(())));
    Events::new(Settings {
        metadata: metadata.to_owned(),
        certificates: std::env::temp_dir(),
        lenient: true,
        platform,
        second: Duration::from_millis(2),
        loopback: false,
        key: Key::new(Some(KEY)),
    })
    .unwrap()
}

impl Stage {
    async fn new(metadata: &str) -> Self {
        altinn_services::kit::logs::start("error");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let key = Arc::new(SigningKey::fleeting().unwrap());
        let events = events(metadata, &key);
        let closing = CancellationToken::new();
        tokio::spawn(events.clone().deliver(closing.clone()));
        let heard = Heard::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = format!("http://{}/hook", listener.local_addr().unwrap());
        let api = Api::new("receiver").add(Endpoint::post("/hook", "hears").open(), hear);
        let front = Front::new(api.finish(heard.clone()));
        tokio::spawn(server::serve(listener, front, closing.clone()));
        Self { front: Front::new(events.service()), events, key, heard, receiver, closing }
    }

    fn token(&self, claims: Value) -> String {
        let mut claims = claims.as_object().unwrap().clone();
        claims.insert("exp".to_owned(), json!(jwt::now() + 600));
        jwt::sign(&self.key, &Claims(claims)).unwrap()
    }

    fn org(&self) -> String {
        self.token(json!({
            "urn:altinn:org": "ttd", "scope": "altinn:events.subscribe altinn:events.publish",
        }))
    }

    fn user(&self, id: i64) -> String {
        self.token(json!({ "urn:altinn:userid": id }))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/events/api/v1/{path}"))
            .header("host", "events:1")
            .header("content-type", "application/json");
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.front.answer(request.body(Body::from(body)).unwrap()).await;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer(head.status.as_u16(), head.headers, body)
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Method::GET, path, token, &[], String::new()).await
    }

    async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, token, &[], body.to_string()).await
    }

    /// Publishes an event of an app; tells its id.
    async fn publish(&self, app: &str, kind: &str, party: i64) -> String {
        let source = format!(
            "http://ttd.apps.altinn.localhost:8800/{app}/instances/{party}/{}",
            uuid::Uuid::new_v4()
        );
        let body = json!({ "source": source, "type": kind, "subject": format!("/party/{party}"), "specversion": "1.0" });
        self.post("app", "", &body).await.is(201).json().as_str().unwrap().to_owned()
    }

    /// Waits until the receiver heard an event that fits.
    async fn hears(&self, fits: impl Fn(&Value) -> bool) -> bool {
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            if self.heard.0.lock().unwrap().0.iter().any(&fits) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        false
    }

    async fn validated(&self, body: &Value, token: &str) -> i64 {
        let made = self.post("subscriptions", token, body).await.is(201).json();
        let id = made["id"].as_i64().unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let got = self.get(&format!("subscriptions/{id}"), token).await.is(200).json();
            if got["validated"] == true {
                return id;
            }
            assert!(Instant::now() < until, "never validated");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Given away, forgotten, and taken back.
async fn managed(stage: &Stage) {
    let (app, resource) = app();
    let source = format!("http://ttd.apps.altinn.localhost:8800/{app}");
    let wanted = json!({ "endPoint": stage.receiver, "sourceFilter": source });
    stage.validated(&wanted, &stage.org()).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(stage.publish(&app, "app.instance.created", 1).await);
    }
    let ask = async |method: Method, path: &str, key: &str, body: Vec<u8>| {
        let request = Request::builder()
            .method(method)
            .uri(format!("/events/local/{path}"))
            .header("authorization", format!("Bearer {key}"));
        let answer = stage.front.answer(request.body(Body::from(body)).unwrap()).await;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer(head.status.as_u16(), head.headers, body)
    };
    let data = format!("data?app={app}");
    ask(Method::GET, &data, "wrong", Vec::new()).await.is(401);
    let kept = ask(Method::GET, &data, KEY, Vec::new()).await.is(200).json();
    assert_eq!((&kept["events"], &kept["subscriptions"]), (&json!(3), &json!(1)));
    let export = format!("data/export?app={app}");
    let archive = ask(Method::GET, &export, KEY, Vec::new()).await.is(200).2;
    let taken = ask(Method::POST, "data/import", KEY, archive.clone()).await.is(409);
    assert!(String::from_utf8_lossy(&taken.2).contains("is there already"));
    let gone = ask(Method::DELETE, &data, KEY, Vec::new()).await.is(200).json();
    assert_eq!(gone["events"], 3);
    let read = async || {
        let found = stage.get(&format!("app/{app}?after=0"), &stage.org()).await.is(200).json();
        let ids = found.as_array().unwrap().iter();
        ids.map(|event| event["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(read().await.is_empty());
    for length in [archive.len() / 3, archive.len() - 1100] {
        ask(Method::POST, "data/import", KEY, archive[..length].to_vec()).await.is(400);
    }
    let other = String::from_utf8(archive.clone()).unwrap().replacen(
        "\"service\":\"events\"",
        "\"service\":\"evemts\"",
        1,
    );
    ask(Method::POST, "data/import", KEY, other.into_bytes()).await.is(400);
    assert!(read().await.is_empty(), "a refused archive leaves nothing");
    let taken = ask(Method::POST, "data/import", KEY, archive).await.is(200).json();
    assert_eq!((&taken["kept"]["events"], &taken["kept"]["subscriptions"]), (&json!(3), &json!(1)));
    assert_eq!(read().await, ids);
    let all = stage.get("subscriptions", &stage.org()).await.is(200).json();
    let back = all["subscriptions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["resourceFilter"] == resource);
    assert_eq!(back.unwrap()["validated"], true);
}

fn app() -> (String, String) {
    let name = format!("app-{}", uuid::Uuid::new_v4().simple());
    (format!("ttd/{name}"), format!("urn:altinn:resource:app_ttd_{name}"))
}

fn id_is(id: &str) -> impl Fn(&Value) -> bool {
    move |event| event["id"] == id
}

async fn publishing(stage: &Stage) {
    let (app, resource) = app();
    let id = stage.publish(&app, "app.instance.created", 500_000).await;
    let got = stage.get(&format!("app/{app}?after=0"), &stage.org()).await.is(200).json();
    assert_eq!((&got[0]["id"], &got[0]["resource"]), (&json!(id), &json!(resource)));
    let good = json!({ "source": format!("http://h/{app}/instances/1/2"), "subject": "/party/1", "type": "t" });
    for name in ["source", "subject", "type"] {
        for value in [Value::Null, json!(""), json!(7)] {
            let mut body = good.clone();
            body[name] = value;
            stage.post("app", "", &body).await.is(400);
        }
    }
    stage.post("app", "", &json!([])).await.is(400);
    let event = json!({ "specversion": "1.0", "id": "1", "source": "urn:x:y", "type": "t", "resource": "urn:altinn:resource:own" });
    stage.post("events", "", &event).await.is(401);
    stage.post("events", &stage.user(1337), &event).await.is(403);
    stage.post("events", &stage.org(), &event).await.is(200);
    stage.post("events", &stage.org(), &json!({ "specversion": "1.0" })).await.is(400);
}

async fn reading(stage: &Stage) {
    let (app, resource) = app();
    let mut ids = Vec::new();
    for (kind, party) in [("a.one", 1), ("a.two", 2), ("b.one", 1), ("A.ONE", 1), ("c", 3)] {
        ids.push(stage.publish(&app, kind, party).await);
    }
    let found = async |query: &str, headers: &[(&str, &str)]| {
        let path = format!("app/{app}?{query}");
        let got =
            stage.send(Method::GET, &path, &stage.org(), headers, String::new()).await.is(200);
        got.json().as_array().unwrap().len()
    };
    for (query, count) in [
        ("after=0", 5),
        (&format!("after={}", ids[1]), 3),
        ("from=2020-01-01T00:00:00Z", 5),
        ("from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z", 0),
        ("after=0&party=1", 3),
        ("after=0&type=a.one", 2),
        ("after=0&type=a.%25&type=c", 4),
        ("after=0&type=%5C", 0),
        ("after=0&source=%25/TTD/%25", 5),
        ("after=0&size=2", 2),
        ("after=0&unit=897069650", 0),
    ] {
        assert_eq!(found(query, &[]).await, count, "{query}");
    }
    let mut path = format!("app/{app}?after=0&size=2&type=%25");
    let mut paged = Vec::new();
    loop {
        let page = stage.get(&path, &stage.org()).await.is(200);
        paged.extend(
            page.json()
                .as_array()
                .unwrap()
                .iter()
                .map(|event| event["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page.1.get("next") else { break };
        path = next
            .to_str()
            .unwrap()
            .strip_prefix("http://events:1/events/api/v1/")
            .unwrap()
            .to_owned();
    }
    assert_eq!(paged, ids);
    let person = [("person", "01039012345")];
    for (query, headers) in [
        ("", &[][..]),
        ("from=2020-01-01", &[]),
        ("from=x", &[]),
        ("after=0&size=0", &[]),
        ("after=0&size=x", &[]),
        ("after=0&unit=7", &[]),
        ("after=0&party=1&unit=897069650", &[]),
        ("after=0&party=1", &person),
    ] {
        let path = format!("app/{app}?{query}");
        let got = stage.send(Method::GET, &path, &stage.org(), headers, String::new()).await;
        assert_eq!(got.0, 400, "{query}");
    }
    stage.get(&format!("app/{app}?after=0"), &stage.user(1337)).await.is(401);
    let of_party = format!("app/party?after={}&party=1&source=%25{}%25", ids[0], app);
    assert_eq!(
        stage.get(&of_party, &stage.user(1337)).await.is(200).json().as_array().unwrap().len(),
        2
    );
    assert_eq!(stage.get(&of_party, &stage.user(1339)).await.is(200).json(), json!([]));
    stage.get("app/party?after=0", &stage.user(1337)).await.is(400);
    let got = stage
        .get(&format!("events?resource={resource}&after=0&size=1000"), &stage.org())
        .await
        .is(200);
    assert!(got.1["content-type"].to_str().unwrap().starts_with("application/cloudevents+json"));
    assert_eq!(got.json().as_array().unwrap().len(), 5);
    stage.get(&format!("events?resource={resource}"), &stage.org()).await.is(400);
    stage.get("events?resource=x&after=0", &stage.org()).await.is(400);
    stage.get(&format!("events?resource={resource}&after=0"), &stage.user(1337)).await.is(403);
}

async fn subscribing(stage: &Stage) {
    let (app, resource) = app();
    let body = json!({ "endPoint": stage.receiver, "sourceFilter": format!("http://ttd.apps.altinn.localhost:8800/{app}"), "typeFilter": "app.instance.created" });
    let id = stage.validated(&body, &stage.org()).await;
    let got = stage.get(&format!("subscriptions/{id}"), &stage.org()).await.is(200).json();
    assert_eq!((&got["resourceFilter"], &got["consumer"]), (&json!(resource), &json!("/org/ttd")));
    let again = stage.post("subscriptions", &stage.org(), &body).await.is(201).json();
    assert_eq!(again["id"], id, "an equal one is used again");
    let all = stage.get("subscriptions", &stage.org()).await.is(200).json();
    assert!(all["subscriptions"].as_array().unwrap().iter().any(|one| one["id"] == id));
    stage.get(&format!("subscriptions/{id}"), &stage.user(1337)).await.is(403);
    stage.get("subscriptions/999999", &stage.org()).await.is(404);
    stage.get("subscriptions/x", &stage.org()).await.is(404);
    let wanted = stage.publish(&app, "app.instance.created", 1).await;
    let other = stage.publish(&app, "app.instance.process.completed", 1).await;
    assert!(stage.hears(id_is(&wanted)).await);
    assert!(!stage.heard.0.lock().unwrap().0.iter().any(id_is(&other)));
    stage
        .send(Method::DELETE, &format!("subscriptions/{id}"), &stage.user(1337), &[], String::new())
        .await
        .is(403);
    stage
        .send(Method::DELETE, &format!("subscriptions/{id}"), &stage.org(), &[], String::new())
        .await
        .is(200);
    stage.get(&format!("subscriptions/{id}"), &stage.org()).await.is(404);
    let org = stage.org();
    for (name, value) in [
        ("endPoint", json!("ftp://x/y")),
        ("endPoint", json!("")),
        ("endPoint", Value::Null),
        ("sourceFilter", json!("/ttd/app")),
        ("sourceFilter", json!("http://h/ttd")),
        ("sourceFilter", json!("http://h/ttd/app/instances")),
        ("resourceFilter", json!("urn:altinn:resource:app_ttd_other")),
        ("resourceFilter", json!("other")),
        ("alternativeSubjectFilter", json!("/organisation/1")),
        ("alternativeSubjectFilter", json!("/organisation/991825827")),
        ("endPoint", json!([])),
    ] {
        let mut bad = body.clone();
        bad[name] = value.clone();
        let got = stage.post("subscriptions", &org, &bad).await;
        assert_eq!(got.0, 400, "{name} {value}");
    }
    stage.post("subscriptions", &stage.user(1337), &body).await.is(400);
    stage.post("subscriptions", "", &body).await.is(401);
    let mut own = body.clone();
    own["alternativeSubjectFilter"] = json!("/organisation/897069650");
    let made = stage.post("subscriptions", &stage.user(1337), &own).await.is(201).json();
    assert_eq!(made["subjectFilter"], "/party/500000");
    stage.post("subscriptions", &stage.user(1339), &own).await.is(403);
    let generic =
        json!({ "endPoint": stage.receiver, "resourceFilter": "urn:altinn:resource:own" });
    stage.post("subscriptions", &stage.user(1337), &generic).await.is(403);
    stage.post("subscriptions", &org, &generic).await.is(201);
}

async fn again_until_taken(stage: &Stage) {
    let (app, resource) = app();
    let body = json!({ "endPoint": stage.receiver, "resourceFilter": resource });
    let id = stage.validated(&body, &stage.org()).await;
    stage.heard.0.lock().unwrap().1 = 3;
    let event = stage.publish(&app, "t", 1).await;
    assert!(stage.hears(id_is(&event)).await, "the fourth attempt is taken");
    let path = format!("subscriptions/{id}");
    stage.send(Method::DELETE, &path, &stage.org(), &[], String::new()).await.is(200);
    let dead = json!({ "endPoint": "http://127.0.0.1:9/x", "resourceFilter": resource });
    let made = stage.post("subscriptions", &stage.org(), &dead).await.is(201).json();
    stage.publish(&app, "t", 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let got =
        stage.get(&format!("subscriptions/{}", made["id"]), &stage.org()).await.is(200).json();
    assert_eq!(got["validated"], false, "who does not answer is not validated");
    let path = format!("subscriptions/validate/{}", made["id"]);
    let got = stage.send(Method::PUT, &path, "", &[], String::new()).await.is(200).json();
    assert_eq!(got["validated"], true);
}

async fn not_for_everyone(stage: &Stage) {
    let (app, resource) = app();
    let body = json!({ "endPoint": stage.receiver, "resourceFilter": resource, "subjectFilter": "/party/2" });
    stage.validated(&body, &stage.org()).await;
    let other = stage.publish(&app, "t", 1).await;
    let wanted = stage.publish(&app, "t", 2).await;
    assert!(stage.hears(id_is(&wanted)).await);
    assert!(!stage.heard.0.lock().unwrap().0.iter().any(id_is(&other)));
}

/// Published and acknowledged, then the process goes: the next one delivers.
async fn after_a_crash(metadata: &str) {
    let stage = Stage::new(metadata).await;
    let (app, resource) = app();
    let body = json!({ "endPoint": stage.receiver, "resourceFilter": resource });
    stage.validated(&body, &stage.org()).await;
    stage.closing.cancel();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(stage.publish(&app, "t", 1).await);
    }
    // The receiver ended with the first worker; another one listens at its place.
    let address = stage.receiver.trim_start_matches("http://").trim_end_matches("/hook").to_owned();
    let listener = loop {
        match tokio::net::TcpListener::bind(&address).await {
            Ok(listener) => break listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    let closing = CancellationToken::new();
    let api = Api::new("receiver").add(Endpoint::post("/hook", "hears").open(), hear);
    tokio::spawn(server::serve(
        listener,
        Front::new(api.finish(stage.heard.clone())),
        closing.clone(),
    ));
    tokio::spawn(events(metadata, &stage.key).deliver(closing.clone()));
    for id in &ids {
        assert!(stage.hears(id_is(id)).await, "lost");
    }
    drop(stage.events.clone());
    closing.cancel();
}

async fn run(name: &str, metadata: &str) {
    let stage = Stage::new(metadata).await;
    publishing(&stage).await;
    managed(&stage).await;
    reading(&stage).await;
    subscribing(&stage).await;
    again_until_taken(&stage).await;
    not_for_everyone(&stage).await;
    stage.closing.cancel();
    after_a_crash(metadata).await;
    println!("{name}: 6 cases");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    run("SQLite", &format!("sqlite:{}", folder.path().join("events.db").display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_postgres() {
    if let Ok(url) = std::env::var("ALTINN_TEST_POSTGRES") {
        run("PostgreSQL", &url).await;
    }
}
