//! `up --embedded` as a whole: the real program on a machine without containers, in folders of its own.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const POLICY: &str = "App/config/authorization/policy.xml";
const PATIENCE: Duration = Duration::from_mins(1);

struct World {
    folder: tempfile::TempDir,
    port: u16,
}

/// A port that nobody has now, far from those that the system hands out by itself.
fn free_port() -> u16 {
    let taken = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let first = 20_000 + u16::try_from(std::process::id() % 8000).unwrap();
    (first..30_000).find(taken).unwrap()
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Self { folder, port: free_port() };
        world.run(&["app", "new", "ttd/demo", "app"], 0);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_altinn-local"));
        let folder = if self.path("app").is_dir() { self.path("app") } else { self.path("") };
        command
            .args(arguments)
            .current_dir(folder)
            .env("HOME", self.path("home"))
            .env("ALTINN_LOCAL_HOME", self.path("own"))
            .env("ALTINN_LOCAL_STACK", "t-embedded-test")
            // No container engine is reachable, and none may be asked for.
            .env("DOCKER_HOST", "tcp://127.0.0.1:9")
            .env("NO_COLOR", "1")
            .env_remove("CI");
        command
    }

    /// The program's standard output; its exit code must be this one.
    fn run(&self, arguments: &[&str], code: i32) -> String {
        let ended = self.command(arguments).output().unwrap();
        let (out, told) = (text(&ended.stdout), text(&ended.stderr));
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}\n{out}\n{told}\n{}", self.log());
        out
    }

    /// The last of its JSON documents.
    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let out = self.run(arguments, code);
        let whole = serde_json::from_str(&out);
        whole.unwrap_or_else(|_| serde_json::from_str(out.lines().last().unwrap()).unwrap())
    }

    fn up(&self) -> Value {
        self.json(&["up", "--embedded", "--json", "--port", &self.port.to_string()], 0)
    }

    fn log(&self) -> String {
        let log = self.path("own/state/stacks/t-embedded-test/agent.log");
        std::fs::read_to_string(log).unwrap_or_default()
    }

    /// Asks the one port for a host; the status and the body.
    fn ask(&self, host: &str, request: &str, head: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let length = body.len();
        let text = format!(
            "{request} HTTP/1.0\r\nHost: {host}:{}\r\nContent-Length: {length}\r\n{head}\r\n{body}",
            self.port
        );
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.ask("platform.altinn.localhost", &format!("GET {path}"), "", "")
    }

    /// What Authorization decides of the test user's wish to instantiate the app.
    fn decision(&self) -> String {
        let attribute =
            |id: &str, value: &str| json!({ "Attribute": [{ "AttributeId": id, "Value": value }] });
        let request = json!({ "Request": {
            "AccessSubject": [attribute("urn:altinn:userid", "1337")],
            "Action": [attribute("urn:oasis:names:tc:xacml:1.0:action:action-id", "instantiate")],
            "Resource": [{ "Attribute": [
                { "AttributeId": "urn:altinn:org", "Value": "ttd" },
                { "AttributeId": "urn:altinn:app", "Value": "demo" },
                { "AttributeId": "urn:altinn:partyid", "Value": "501337" },
            ] }],
        } });
        let (status, body) = self.ask(
            "localhost",
            "POST /authorization/api/v1/decision",
            "Content-Type: application/json\r\n",
            &request.to_string(),
        );
        assert_eq!(status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        answer["Response"][0]["Decision"]
            .as_str()
            .or(answer["response"][0]["decision"].as_str())
            .unwrap()
            .to_owned()
    }

    fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // A test that failed leaves no agent behind.
        let _ = self.command(&["down", "--volumes", "--yes", "--json"]).output();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_platform_without_containers() {
    let world = World::new();
    // Without an engine, the usual way is refused, and the one that works is named.
    let refused = world.json(&["up", "--json"], 7);
    assert!(refused.to_string().contains("up --embedded"), "{refused}");

    let up = world.up();
    assert_eq!(
        (&up["ok"], &up["links"]["platform"]),
        (&json!(true), &json!(format!("http://platform.altinn.localhost:{}/", world.port)))
    );
    assert!(up["changingCalls"].as_u64().unwrap() > 0, "{up}");
    answers(&world);
    saves_are_published(&world);
    commands(&world);
    other_kinds_and_ports(&world);

    let down = world.json(&["down", "--json"], 0);
    assert_eq!(down["links"], json!({ "services": "0", "data folders kept": "1" }));
    assert!(TcpStream::connect(("127.0.0.1", world.port)).is_err());
    data_stay_until_they_are_deleted(&world);
}

/// The services, and what the app's folder brought.
fn answers(world: &World) {
    let (status, metadata) = world.get("/storage/api/v1/applications/ttd/demo");
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!((status, &metadata["id"]), (200, &json!("ttd/demo")));
    let (status, token) = world.get("/Home/GetTestUserToken/1337");
    assert_eq!(status, 200);
    let head = format!("Authorization: Bearer {token}\r\n");
    let texts = "GET /storage/api/v1/applications/ttd/demo/texts/nb";
    let (status, texts) = world.ask("platform.altinn.localhost", texts, &head, "");
    assert_eq!(status, 200, "{texts}");
    assert_eq!(world.get("/health/ready").0, 200);
    // Nobody runs the app: what to type is told.
    let (status, problem) = world.ask("ttd.apps.altinn.localhost", "GET /ttd/demo/", "", "");
    assert!(status == 502 && problem.contains("dotnet run"), "{status} {problem}");
    assert_eq!(world.ask("evil.example", "GET /health", "", "").0, 404);
}

fn saves_are_published(world: &World) {
    assert_eq!(world.decision(), "Permit");
    let file = world.path("app").join(POLICY);
    let policy = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, policy.replace(">instantiate<", ">other<")).unwrap();
    world.until("the new policy decides", || world.decision() == "NotApplicable");
    // What is no policy is told, and the one before holds.
    std::fs::write(&file, "<Policy").unwrap();
    world.until("the fault is told", || {
        let status = world.json_any(&["status", "--json"]);
        status["resources"].to_string().contains("policy.xml")
    });
    assert_eq!(world.decision(), "NotApplicable");
    std::fs::write(&file, &policy).unwrap();
    world.until("the old policy decides again", || world.decision() == "Permit");
    let people = json!({ "persons": [{ "partyId": 777_001, "userId": 7701, "firstName": "Ny",
        "lastName": "Person", "ssn": "01017512345" }] });
    std::fs::write(world.path("app/App/wwwroot/testData.json"), people.to_string()).unwrap();
    world.until("the new person is known", || world.get("/Home/GetTestUserToken/7701").0 == 200);
}

fn commands(world: &World) {
    let again = world.up();
    assert_eq!(again["changingCalls"], 0, "{again}");
    let status = world.json(&["status", "--json"], 0);
    assert_eq!(
        (&status["state"], &status["engine"]["product"]),
        (&json!("healthy"), &json!("embedded"))
    );
    let ids: Vec<&str> = status["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["events", "platform", "storage"]);
    let urls = world.run(&["status", "--urls"], 0);
    assert!(
        urls.contains(&format!("http://ttd.apps.altinn.localhost:{}/ttd/demo", world.port)),
        "{urls}"
    );
    let page = world.run(&["open", "--print"], 0);
    assert!(page.ends_with("/ttd/demo\n"), "{page}");
    assert!(world.run(&["open", "platform", "--print"], 0).contains("platform.altinn.localhost"));
    let _ = world.run(&["logs", "storage"], 0);
    let plan = world.json(&["up", "--embedded", "--plan", "--json"], 0);
    assert_eq!(plan["changes"], 0, "{plan}");
}

fn other_kinds_and_ports(world: &World) {
    let refused = world.json(&["up", "--json"], 10);
    assert!(refused.to_string().contains("altinn-local down"), "{refused}");
    assert!(refused.to_string().contains("AL1206"), "{refused}");
    world.run(&["deploy"], 10);
    // A port that is taken stops nothing that runs.
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap().port().to_string();
    let refused = world.json(&["up", "--embedded", "--json", "--port", &taken], 10);
    assert!(refused.to_string().contains("AL1203"), "{refused}");
    assert!(refused.to_string().contains("--embedded --port auto"), "{refused}");
    assert_eq!(world.get("/health").0, 200);
}

fn data_stay_until_they_are_deleted(world: &World) {
    let key = world.path("own/state/stacks/t-embedded-test/embedded/platform/keys/signing-key.pem");
    let before = std::fs::read(&key).unwrap();
    world.up();
    assert_eq!(std::fs::read(&key).unwrap(), before);
    world.run(&["down", "--volumes", "--no-input"], 15);
    assert_eq!(world.get("/health").0, 200);
    world.run(&["down"], 0);
    // Deleted also when nothing runs, and without any engine.
    world.run(&["down", "--volumes", "--yes"], 0);
    assert!(!key.exists());
}

impl World {
    /// The same whatever the exit code.
    fn json_any(&self, arguments: &[&str]) -> Value {
        let ended = self.command(arguments).output().unwrap();
        serde_json::from_str(&text(&ended.stdout)).unwrap()
    }
}
