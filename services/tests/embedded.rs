//! All services in one process, through a real port: one story from an app's publication to its events, and the hosts.

#![allow(clippy::unwrap_used, missing_docs)]

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use altinn_services::embedded::{Embedded, Settings};
use altinn_services::kit::management::Key;
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::any;
use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const KEY: &str = "a key of management";
const OWNER: i64 = 501_337;

struct World {
    address: SocketAddr,
    client: Client,
    closing: CancellationToken,
    served: JoinHandle<()>,
}

impl World {
    async fn new(data: &Path, app_port: u16) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let settings = Settings { data: data.to_owned(), app_port, key: Key::new(Some(KEY)) };
        let all = Embedded::open(settings).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let closing = CancellationToken::new();
        let served = tokio::spawn(all.serve(listener, closing.clone()));
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { address, client, closing, served }
    }

    fn ask(&self, method: Method, host: &str, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        request.header("host", format!("{host}:{}", self.address.port()))
    }

    fn platform(&self, method: Method, path: &str) -> RequestBuilder {
        self.ask(method, "platform.altinn.localhost", path)
    }

    async fn end(self) {
        self.closing.cancel();
        tokio::time::timeout(Duration::from_secs(5), self.served).await.unwrap().unwrap();
    }
}

async fn is(request: RequestBuilder, status: u16) -> Response {
    let answer = request.send().await.unwrap();
    if answer.status() == status {
        return answer;
    }
    let (path, found) = (answer.url().path().to_owned(), answer.status());
    let text = answer.text().await.unwrap();
    assert_eq!(found, status, "{path}: {text}");
    unreachable!();
}

async fn json_of(request: RequestBuilder, status: u16) -> Value {
    is(request, status).await.json().await.unwrap()
}

/// An app that tells what it was asked.
async fn app() -> (u16, Arc<Mutex<Vec<Value>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let kept = heard.clone();
    let tell =
        move |method: axum::http::Method, uri: axum::http::Uri, headers: HeaderMap, body: Bytes| {
            let text =
                |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            let told = json!({
                "method": method.as_str(), "uri": uri.to_string(), "host": text("host"),
                "forwarded": text("x-forwarded-host"), "scheme": text("x-forwarded-proto"),
                "connection": text("connection"), "body": String::from_utf8_lossy(&body),
            });
            kept.lock().unwrap().push(told.clone());
            async move { axum::Json(told) }
        };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(tell))).await });
    (port, heard)
}

async fn publish(world: &World) {
    let claims = json!({ "urn:altinn:app": "studio.designer" });
    let token = world.platform(Method::POST, "/platform/local/tokens").bearer_auth(KEY);
    let token = is(token.json(&claims), 200).await.text().await.unwrap();
    let metadata = json!({
        "id": "ttd/demo", "org": "ttd", "title": { "nb": "Prøve" },
        "dataTypes": [{ "id": "form", "taskId": "Task_1", "allowedContentTypes": ["application/xml"] }],
    });
    let post = |path: &str| world.platform(Method::POST, path).bearer_auth(&token);
    is(post("/storage/api/v1/applications?appId=ttd/demo").json(&metadata), 201).await;
    // The service owner may subscribe as well.
    let policy = include_str!("policies/form.xml").replace(">complete<", ">subscribe<");
    let path = "/authorization/api/v1/policies?org=ttd&app=demo";
    is(post(path).header("content-type", "application/xml").body(policy), 200).await;
}

#[tokio::test]
async fn from_publication_to_events() {
    let folder = tempfile::tempdir().unwrap();
    // Marks that mean something in a URL.
    let data = folder.path().join("a b#c%20?d");
    let (app_port, heard) = app().await;
    let world = World::new(&data, app_port).await;
    publish(&world).await;

    let form = world.platform(Method::POST, "/Home/LogInTestUser");
    let form = form
        .header("content-type", "application/x-www-form-urlencoded")
        .body("UserSelect=1337.501337&AuthenticationLevel=2");
    let cookie = is(form, 302).await.headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let with = |request: RequestBuilder| request.header("cookie", &cookie);

    let instance = json!({
        "instanceOwner": { "partyId": OWNER.to_string(), "personNumber": "01039012345" },
        "process": { "currentTask": { "flow": 2, "elementId": "Task_1", "altinnTaskType": "data" } },
    });
    let path = "/storage/api/v1/instances?appId=ttd/demo";
    let made = json_of(with(world.platform(Method::POST, path)).json(&instance), 201).await;
    let id = made["id"].as_str().unwrap();
    let link = made["selfLinks"]["platform"].as_str().unwrap();
    assert!(link.starts_with("http://platform.altinn.localhost:"), "{link}");

    let path = format!("/storage/api/v1/instances/{id}/data?dataType=form");
    let data_of =
        with(world.platform(Method::POST, &path)).header("content-type", "application/xml");
    let element = json_of(data_of.body("<form/>"), 201).await;
    let path = format!("/storage/api/v1/instances/{id}/data/{}", element["id"].as_str().unwrap());
    let bytes = is(with(world.platform(Method::GET, &path)), 200).await.text().await.unwrap();
    assert_eq!(bytes, "<form/>");
    is(world.platform(Method::GET, &path), 401).await;

    // An event reaches a subscriber whose name only a browser would resolve.
    let org = is(world.platform(Method::GET, "/Home/GetTestOrgToken/ttd?scopes=altinn:events.subscribe%20altinn:serviceowner/instances.read"), 200);
    let org = org.await.text().await.unwrap();
    let base = format!("http://ttd.apps.altinn.localhost:{}", world.address.port());
    let wanted = json!({
        "endPoint": format!("{base}/ttd/demo/hook"),
        "resourceFilter": "urn:altinn:resource:app_ttd_demo", "typeFilter": "app.instance.created",
    });
    let path = "/events/api/v1/subscriptions";
    is(world.platform(Method::POST, path).bearer_auth(&org).json(&wanted), 201).await;
    until(&heard, |told| told["body"].as_str().unwrap().contains("validatesubscription")).await;
    let event = json!({
        "source": format!("{base}/ttd/demo/instances/{id}"), "type": "app.instance.created",
        "subject": format!("/party/{OWNER}"), "specversion": "1.0",
    });
    let published = loop {
        let path = "/events/api/v1/app";
        let published = json_of(world.platform(Method::POST, path).json(&event), 201).await;
        // The validation is written down after it was heard.
        if try_until(
            &heard,
            |told| told["body"].as_str().unwrap().contains(published.as_str().unwrap()),
            Duration::from_millis(500),
        )
        .await
        {
            break published;
        }
    };
    assert!(published.is_string());

    world.end().await;
    // What was kept is there again.
    let world = World::new(&data, app_port).await;
    let path = format!("/storage/api/v1/instances/{id}");
    let found = json_of(world.platform(Method::GET, &path).header("cookie", &cookie), 200).await;
    assert_eq!(found["id"], id);
    world.end().await;
    std::fs::remove_dir_all(&data).unwrap();
}

async fn until(heard: &Mutex<Vec<Value>>, fits: impl Fn(&Value) -> bool) {
    assert!(try_until(heard, fits, Duration::from_secs(10)).await, "{:?}", heard.lock().unwrap());
}

async fn try_until(
    heard: &Mutex<Vec<Value>>,
    fits: impl Fn(&Value) -> bool,
    time: Duration,
) -> bool {
    let until = Instant::now() + time;
    while Instant::now() < until {
        if heard.lock().unwrap().iter().any(&fits) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

#[tokio::test]
async fn hosts_lead_to_services_or_the_app() {
    let folder = tempfile::tempdir().unwrap();
    let (app_port, _) = app().await;
    let world = World::new(folder.path(), app_port).await;
    let apps = "ttd.apps.altinn.localhost";
    let host = format!("{apps}:{}", world.address.port());

    let sent = world.ask(Method::PUT, apps, "/ttd/demo/x?y=1&z=%2F").header("connection", "x-mine");
    let told = json_of(sent.header("x-forwarded-host", "evil.example").body("hei"), 200).await;
    let expected = json!({
        "method": "PUT", "uri": "/ttd/demo/x?y=1&z=%2F", "host": host, "forwarded": host,
        "scheme": "http", "connection": null, "body": "hei",
    });
    assert_eq!(told, expected);
    for host in ["local.altinn.cloud", "localhost", "platform.altinn.localhost"] {
        let told = json_of(world.ask(Method::GET, host, "/ttd/demo"), 200).await;
        assert_eq!(told["uri"], "/ttd/demo", "{host}");
        let health = json_of(world.ask(Method::GET, host, "/health"), 200).await;
        assert_eq!(health["status"], "Healthy", "{host}");
    }
    let short = is(world.ask(Method::GET, apps, "/demo"), 302).await;
    assert_eq!(short.headers()["location"], "/ttd/demo");
    let list = is(world.ask(Method::GET, "evil.example", "/health"), 404).await;
    assert!(list.text().await.unwrap().contains("http://platform.altinn.localhost:"));
    world.end().await;

    // Nothing listens there any more.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let world = World::new(folder.path(), free).await;
    let problem = json_of(world.ask(Method::GET, apps, "/ttd/demo"), 502).await;
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(&free.to_string()) && detail.contains("dotnet run"), "{detail}");
    let page = world.ask(Method::GET, apps, "/ttd/demo").header("accept", "text/html,*/*");
    let page = is(page, 502).await.text().await.unwrap();
    assert!(page.contains("dotnet run --project App") && page.contains(&free.to_string()));
    world.end().await;
}

#[tokio::test]
async fn a_changed_protocol_is_a_pipe() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let app_port = listener.local_addr().unwrap().port();
    // An app that says everything again in upper case, once the protocol was changed.
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = read_head(&mut stream).await.to_lowercase();
        assert!(head.contains("upgrade: shout\r\n") && head.contains("connection: upgrade\r\n"));
        let answer =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        let mut buffer = [0; 64];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            let louder = buffer[..count].to_ascii_uppercase();
            stream.write_all(&louder).await.unwrap();
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(folder.path(), app_port).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let request = "GET /ttd/demo/ws HTTP/1.1\r\nHost: ttd.apps.altinn.localhost\r\n\
                   Connection: keep-alive, Upgrade\r\nUpgrade: shout\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    for word in ["hei", "igjen"] {
        stream.write_all(word.as_bytes()).await.unwrap();
        let mut said = vec![0; word.len()];
        stream.read_exact(&mut said).await.unwrap();
        assert_eq!(said, word.to_uppercase().as_bytes());
    }
    // A pipe does not hold up the end.
    world.end().await;
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap_or(0), 0);
}

async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}
