//! The service as the router meets it: HTTP over a stream.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::{Pages, converse};
use crate::events::{EventKind, Journal};
use crate::model::*;

fn app() -> AppId {
    "ttd/demo".parse().unwrap()
}

fn pages(journal: &Journal) -> Pages {
    let apps = [(app(), PathBuf::from("/nowhere")), ("ttd/other".parse().unwrap(), PathBuf::new())];
    Pages {
        domain: crate::model::Domain::default(),
        journal: journal.clone(),
        port: 8800,
        apps: Arc::new(BTreeMap::from(apps)),
        overlay: true,
        reload: true,
    }
}

fn shipped(lane: Lane, revision: u32) -> EventKind {
    EventKind::Shipped {
        app: app(),
        tag: format!("c-{revision}"),
        revision,
        lane,
        reason: String::new(),
        stages: Vec::new(),
        total_ms: 1,
    }
}

fn reload(kind: Reload) -> EventKind {
    EventKind::Reload { app: app(), kind, paths: Vec::new() }
}

fn css(path: &str) -> EventKind {
    EventKind::Reload { app: app(), kind: Reload::Css, paths: vec![path.to_owned()] }
}

fn failed() -> EventKind {
    let diagnostics = vec![Diagnostic {
        file: "App/Calc.cs".to_owned(),
        line: 3,
        column: 7,
        code: "CS0103".to_owned(),
        severity: Severity::Error,
        message: "no <such> name".to_owned(),
    }];
    let report = Report::new(Code::CompileFailed, "the app does not compile")
        .at("/home/me/secret-place")
        .with_tail(vec!["PASSWORD=1".to_owned()])
        .with_diagnostics(diagnostics)
        .fix("altinn-local logs", "shows it");
    EventKind::ShipFailed { app: app(), report: Box::new(report), serving: None }
}

struct Client {
    stream: DuplexStream,
    heard: String,
}

const HOST: &str = "ttd.apps.altinn.localhost:8800";

impl Client {
    async fn get(pages: Pages, path: &str, headers: &str) -> Self {
        let (mut stream, other) = tokio::io::duplex(1 << 16);
        tokio::spawn(converse(pages, other));
        let request = format!("GET {path} HTTP/1.1\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut client = Self { stream, heard: String::new() };
        client.until("\r\n\r\n").await;
        client
    }

    async fn events(pages: Pages, since: &str) -> Self {
        let path = format!("/.altinn-local/events?app=ttd/demo&since={since}");
        Self::get(pages, &path, &format!("Host: {HOST}\r\n")).await
    }

    /// Reads on until the text is there, and gives all up to its end.
    async fn until(&mut self, text: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            if let Some(at) = self.heard.find(text) {
                let rest = self.heard.split_off(at + text.len());
                return std::mem::replace(&mut self.heard, rest);
            }
            let count = self.stream.read(&mut buffer).await.unwrap();
            assert_ne!(count, 0, "ended after {:?}", self.heard);
            self.heard.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        }
    }

    /// The next message: its name, its id and its content.
    async fn next(&mut self) -> (String, String, Value) {
        self.until("event: ").await;
        let name = self.until("\n").await;
        self.until("id: ").await;
        let id = self.until("\n").await;
        self.until("data: ").await;
        let content = self.until("\n").await;
        let content = serde_json::from_str(&content).unwrap();
        (name.trim().to_owned(), id.trim().to_owned(), content)
    }
}

#[tokio::test]
async fn pages_hear_what_happens_to_their_app_alone() {
    let journal = Journal::default();
    let mut client = Client::events(pages(&journal), "").await;
    assert_eq!(client.next().await.2, json!({"reload": null, "broken": null}));
    journal.emit(EventKind::ShipFailed {
        app: "ttd/other".parse().unwrap(),
        report: Box::new(Report::new(Code::BuildFailed, "other")),
        serving: None,
    });
    journal.emit(EventKind::StepStarted { step: "build".to_owned(), resource: app().resource() });
    journal.emit(failed());
    journal.emit(shipped(Lane::Asset, 1));
    journal.emit(css("App/wwwroot/a.css"));
    journal.emit(shipped(Lane::Config, 2));
    journal.emit(reload(Reload::None));
    journal.emit(shipped(Lane::Build, 3));
    journal.emit(reload(Reload::Page));
    assert_eq!(client.next().await.0, "building");
    let (name, _, content) = client.next().await;
    let text = content.to_string();
    assert_eq!(name, "broken");
    assert!(!text.contains("secret-place") && !text.contains("PASSWORD"), "{text}");
    insta::assert_snapshot!(text, @r#"{"number":3,"code":"AL3102","title":"the app does not compile","why":[],"findings":[{"file":"App/Calc.cs","line":3,"column":7,"code":"CS0103","message":"no <such> name","excerpt":[]}],"more":0,"fixes":[{"command":"altinn-local logs","description":"shows it"}]}"#);
    let css = json!({"kind": "css", "files": ["App/wwwroot/a.css"]});
    let page = json!({"kind": "page", "files": []});
    for (name, content) in [("mended", json!({})), ("reload", css), ("reload", page)] {
        let told = client.next().await;
        assert_eq!((told.0.as_str(), told.2), (name, content));
    }
}

#[tokio::test]
async fn who_comes_back_is_told_what_it_missed() {
    let journal = Journal::default();
    journal.emit(shipped(Lane::Build, 1));
    let (_, first, hello) = Client::events(pages(&journal), "").await.next().await;
    assert_eq!(hello["reload"], Value::Null, "a new page has the newest");
    assert!(first.ends_with("/1/c-1@1"), "{first}");
    journal.emit(shipped(Lane::Asset, 1));
    journal.emit(css("a.css"));
    journal.emit(css("b.css"));
    let (_, second, hello) = Client::events(pages(&journal), &first).await.next().await;
    assert_eq!(hello["reload"], json!({"kind": "css", "files": ["a.css", "b.css"]}));
    journal.emit(css("c.css"));
    journal.emit(shipped(Lane::Code, 1));
    journal.emit(reload(Reload::Page));
    journal.emit(failed());
    let (_, _, hello) = Client::events(pages(&journal), &second).await.next().await;
    assert_eq!(hello["reload"]["kind"], "page");
    assert_eq!(hello["broken"]["code"], "AL3102");
    for (since, reload) in [
        ("0/900/c-1@1", false), // another agent, the same release
        ("0/900/c-0@9", true),
        ("0/900/", false),
        ("nonsense", false),
    ] {
        let (_, _, hello) = Client::events(pages(&journal), since).await.next().await;
        assert_eq!(hello["reload"].is_object(), reload, "{since}");
    }
}

#[tokio::test]
async fn what_a_run_deployed_is_new() {
    let journal = Journal::default();
    let resource = |revision| EventKind::Resource {
        resource: Box::new(Resource {
            id: app().resource(),
            kind: ResourceKind::App,
            state: ResourceState::Healthy,
            urls: Vec::new(),
            image: Some(format!("127.0.0.1:5511/ttd-demo:c-{revision}")),
            since: None,
            revision: Some(revision),
            synced: None,
            last_error: None,
        }),
    };
    let finished = EventKind::RunFinished {
        run: 1,
        ms: 1,
        changing_calls: 0,
        report: None,
        links: Vec::new(),
    };
    journal.emit(resource(1));
    let mut client = Client::events(pages(&journal), "").await;
    client.next().await;
    for revision in [1, 2] {
        journal.emit(EventKind::RunStarted { run: 1, command: "deploy".to_owned() });
        journal.emit(resource(revision));
        journal.emit(finished.clone());
    }
    let (name, id, _) = client.next().await;
    assert_eq!(name, "reload");
    assert!(id.ends_with("/7/c-2@2"), "{id}");
}

#[tokio::test]
async fn what_is_not_wanted_is_not_told() {
    let journal = Journal::default();
    let quiet = Pages { overlay: false, ..pages(&journal) };
    let mut client = Client::events(quiet, "").await;
    client.next().await;
    journal.emit(failed());
    journal.emit(shipped(Lane::Build, 1));
    journal.emit(reload(Reload::Page));
    assert_eq!(client.next().await.0, "reload");
}

#[tokio::test]
async fn only_our_hosts_are_served() {
    let journal = Journal::default();
    let events = "/.altinn-local/events?app=";
    let script = "/.altinn-local/page.js";
    for (path, host, status) in [
        (script.to_owned(), HOST, 200),
        (script.to_owned(), "evil.example:8800", 421),
        (script.to_owned(), "ttd.apps.altinn.localhost", 421),
        (format!("{events}ttd/demo"), HOST, 200),
        (format!("{events}ttd/demo"), "skd.apps.altinn.localhost:8800", 421),
        (format!("{events}skd/demo"), HOST, 421),
        (format!("{events}ttd/unknown"), HOST, 204),
        (format!("{events}ttd/../x"), HOST, 400),
        (events.to_owned(), HOST, 400),
        ("/.altinn-local/other".to_owned(), HOST, 404),
    ] {
        let headers = format!("Host: {host}\r\n");
        let (mut stream, other) = tokio::io::duplex(1 << 16);
        tokio::spawn(converse(pages(&journal), other));
        stream.write_all(format!("GET {path} HTTP/1.1\r\n{headers}\r\n").as_bytes()).await.unwrap();
        let mut buffer = [0; 12];
        stream.read_exact(&mut buffer).await.unwrap();
        let line = String::from_utf8_lossy(&buffer).into_owned();
        assert!(line.ends_with(&status.to_string()), "{path} on {host}: {line}");
    }
}

#[tokio::test]
async fn an_unchanged_script_is_not_sent_again() {
    let journal = Journal::default();
    let get = async |headers: &str| {
        let headers = format!("Host: {HOST}\r\nConnection: close\r\n{headers}");
        let mut client = Client::get(pages(&journal), "/.altinn-local/page.js", &headers).await;
        let mut rest = String::new();
        client.stream.read_to_string(&mut rest).await.unwrap();
        client.heard + &rest
    };
    let whole = get("").await;
    assert!(whole.contains("EventSource"));
    let tag = format!("If-None-Match: \"{}\"\r\n", short_hash(&super::service::SCRIPT));
    assert_eq!(get(&tag).await, "");
}
