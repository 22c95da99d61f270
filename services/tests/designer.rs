//! Designer over the wire, with stand-ins for Gitea and the pipeline that listen: signing in, releases, deployments.
//! SQLite always, PostgreSQL when `ALTINN_TEST_POSTGRES` names one.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use altinn_services::designer::{Client, Designer, Settings};
use altinn_services::kit::api::{Api, Endpoint, Service};
use altinn_services::kit::body::{Json, Raw};
use altinn_services::kit::fault::Fault;
use altinn_services::kit::front::Front;
use altinn_services::kit::query::Query;
use altinn_services::kit::server;
use axum::extract::{Path, State};
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";
const PUBLIC: &str = "http://studio.localhost:8800";
const PIPELINE: &str = "the-pipeline's-token";

/// What the stand-ins were told, and what they are to say.
#[derive(Clone, Default)]
struct Others(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    /// The challenge of the sign-in that is under way.
    challenge: String,
    /// Builds that were queued: their whole bodies.
    queued: Vec<Value>,
    /// How each build stands.
    builds: HashMap<i64, Value>,
    refusing: bool,
    /// Before a build is queued.
    slow: Duration,
    push: bool,
}

async fn grant(State(others): State<Others>, Raw(body): Raw) -> Result<Json<Value>, Fault> {
    let form: HashMap<String, String> =
        form_urlencoded::parse(&body).map(|(key, value)| (key.into(), value.into())).collect();
    let verifier = form.get("code_verifier").cloned().unwrap_or_default();
    let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
    let proven = URL_SAFE_NO_PAD.encode(digest) == others.0.lock().unwrap().challenge;
    let right = form["client_secret"] == "secret"
        && form["grant_type"] == "authorization_code"
        && form["code"] == "code"
        && form["redirect_uri"] == format!("{PUBLIC}/signin-oidc");
    if proven && right {
        Ok(Json(json!({ "access_token": "token", "refresh_token": "r", "expires_in": 3600 })))
    } else {
        Err(Fault::problem(StatusCode::BAD_REQUEST, "refused"))
    }
}

fn as_user(headers: &HeaderMap) -> Result<(), Fault> {
    let right = headers.get("authorization").is_some_and(|value| value == "Bearer token");
    if right { Ok(()) } else { Err(Fault::unauthorized()) }
}

async fn user(headers: HeaderMap) -> Result<Json<Value>, Fault> {
    as_user(&headers)?;
    Ok(Json(json!({ "id": 1, "login": "kari", "full_name": "Kari", "email": "kari@localhost" })))
}

async fn repository(
    State(others): State<Others>,
    Path((org, app)): Path<(String, String)>,
) -> Result<Json<Value>, Fault> {
    if !app.starts_with("demo") {
        return Err(Fault::not_found());
    }
    let push = others.0.lock().unwrap().push;
    Ok(Json(json!({
        "name": app, "owner": { "login": org }, "default_branch": "master",
        "permissions": { "push": push, "pull": true },
    })))
}

async fn commit(Path((_, _, sha)): Path<(String, String, String)>) -> Result<Json<Value>, Fault> {
    if sha == SHA { Ok(Json(json!({ "sha": sha }))) } else { Err(Fault::not_found()) }
}

async fn teams() -> Json<Value> {
    let team = |name: &str, org: &str| json!({ "name": name, "organization": { "username": org } });
    Json(json!([team("Deploy-LOCAL", "ttd"), team("Devs", "ttd"), team("Deploy-TT02", "other")]))
}

fn gitea(others: Others) -> Service {
    let get = |path| Endpoint::get(path, "").open().answers(&[200]);
    Api::new("gitea")
        .add(Endpoint::post("/login/oauth/access_token", "").open(), grant)
        .add(get("/api/v1/user"), user)
        .add(get("/api/v1/user/teams"), teams)
        .add(get("/api/v1/repos/{org}/{app}"), repository)
        .add(get("/api/v1/repos/{org}/{app}/git/commits/{sha}"), commit)
        .add(get("/api/healthz"), async || "ok")
        .finish(others)
}

async fn queue(
    State(others): State<Others>,
    Json(body): Json<Value>,
) -> Result<Json<Value>, Fault> {
    let slow = others.0.lock().unwrap().slow;
    tokio::time::sleep(slow).await;
    let mut told = others.0.lock().unwrap();
    if told.refusing {
        return Err(Fault::problem(StatusCode::BAD_REQUEST, "TAGNAME is missing"));
    }
    told.queued.push(body);
    let id =
        i64::from(u32::from_be_bytes(*uuid::Uuid::new_v4().as_bytes().first_chunk().unwrap()) >> 1);
    let build =
        json!({ "Id": id, "Status": "notStarted", "StartTime": "2026-01-02T03:04:05.1234567Z" });
    told.builds.insert(id, build.clone());
    Ok(Json(build))
}

async fn build(State(others): State<Others>, Path(id): Path<i64>) -> Result<Json<Value>, Fault> {
    let told = others.0.lock().unwrap();
    told.builds.get(&id).cloned().map(Json).ok_or_else(Fault::not_found)
}

async fn logs(Path(_): Path<i64>) -> Json<Value> {
    Json(json!({ "count": 2, "value": [{ "id": 1 }, { "id": 4 }] }))
}

async fn lines(Path((_, log)): Path<(i64, i64)>) -> Json<Value> {
    Json(json!({ "count": 2, "value": [format!("{log} a"), format!("{log} b")] }))
}

async fn timeline(Path(_): Path<i64>) -> Json<Value> {
    Json(json!({ "records": [
        { "type": "Task", "name": "Push", "order": 2, "state": "pending" },
        { "type": "Job", "name": "Job", "order": 1 },
        { "type": "Task", "name": "Clone", "order": 1, "state": "completed", "result": "succeeded" },
    ] }))
}

async fn environments() -> Json<Value> {
    let entry = |name: &str, host: &str| json!({ "name": name, "hostname": host, "appPrefix": "apps", "appsUrl": "http://x" });
    let all =
        [entry("local", "altinn.localhost:8800"), entry("tt02", "tt02.altinn.localhost:8800")];
    Json(json!({ "environments": all }))
}

async fn running(
    Path((_, env)): Path<(String, String)>,
    query: Query,
) -> Result<Json<Value>, Fault> {
    if env == "tt02" {
        return Err(Fault::unavailable("the cluster", "off"));
    }
    let release = query.get("labelSelector").unwrap().replace("release=", "");
    Ok(Json(json!([{ "version": "1.0.0", "release": release }])))
}

fn pipeline(others: Others) -> Service {
    let get = |path| Endpoint::get(path, "").open().answers(&[200]);
    Api::new("pipeline")
        .add(Endpoint::post("/_apis/build/builds", "").open(), queue)
        .add(get("/_apis/build/builds/{id}"), build)
        .add(get("/_apis/build/builds/{id}/logs"), logs)
        .add(get("/_apis/build/builds/{id}/logs/{log}"), lines)
        .add(get("/_apis/build/builds/{id}/timeline"), timeline)
        .add(get("/environments.json"), environments)
        .add(get("/apps/{org}/{env}/kuberneteswrapper/api/v1/deployments"), running)
        .finish(others)
}

async fn listen(service: Service, closing: &CancellationToken) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(server::serve(listener, Front::new(service), closing.clone()));
    base
}

/// Designer, with a browser that may be signed in.
struct World {
    base: String,
    others: Others,
    client: reqwest::Client,
    /// The cookies of the browser.
    cookies: String,
    csrf: String,
    /// Its own in each world.
    app: String,
    _folder: TempDir,
    _closing: DropGuard,
}

/// A database of one world's own in the PostgreSQL that is named, if any: Designer follows all deployments in its
/// database, those of other worlds too.
async fn own_database() -> Option<String> {
    let url = std::env::var("ALTINN_TEST_POSTGRES").ok()?;
    let (server, _) = url.rsplit_once('/')?;
    let name = format!("designer_{}", uuid::Uuid::new_v4().simple());
    let mut connection = PgConnection::connect(&url).await.unwrap();
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    Some(format!("{server}/{name}"))
}

impl World {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let closing = CancellationToken::new();
        let others = Others::default();
        others.0.lock().unwrap().push = true;
        let gitea = listen(gitea(others.clone()), &closing).await;
        let pipeline = listen(pipeline(others.clone()), &closing).await;
        let database = format!("sqlite:{}", folder.path().join("designer.db").display());
        let designer = Designer::new(Settings {
            data: folder.path().to_owned(),
            public: PUBLIC.to_owned(),
            gitea,
            gitea_public: None,
            client: Client { id: "id".to_owned(), secret: "secret".to_owned() },
            pipeline: format!("{pipeline}/_apis"),
            pipeline_token: PIPELINE.to_owned(),
            environments: format!("{pipeline}/environments.json"),
            clusters: Some(format!("{pipeline}/apps/{{org}}/{{env}}")),
            database: own_database().await.unwrap_or(database),
        })
        .unwrap();
        let base = listen(designer.service(), &closing).await;
        tokio::spawn(designer.follow(closing.clone()));
        let client =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self {
            base,
            others,
            client,
            cookies: String::new(),
            csrf: String::new(),
            app: format!("demo-{}", uuid::Uuid::new_v4().simple()),
            _folder: folder,
            _closing: closing.drop_guard(),
        }
    }

    async fn signed_in() -> Self {
        let mut world = Self::new().await;
        let begun = world.get("/login?redirect_to=/editor/ttd/demo").await;
        let to: reqwest::Url = begun.headers()["location"].to_str().unwrap().parse().unwrap();
        assert!(
            to.as_str().starts_with("http://studio.localhost:8800/repos/login/oauth/authorize?")
        );
        let asked: HashMap<String, String> = to.query_pairs().into_owned().collect();
        assert_eq!(asked["code_challenge_method"], "S256");
        world.others.0.lock().unwrap().challenge.clone_from(&asked["code_challenge"]);
        world.take_cookies(&begun);
        let back = format!("/signin-oidc?code=code&state={}", asked["state"]);
        let ended = world.get(&back).await;
        assert_eq!(ended.headers()["location"], "/editor/ttd/demo");
        world.take_cookies(&ended);
        world
    }

    fn take_cookies(&mut self, answer: &reqwest::Response) {
        let set: Vec<&str> = answer
            .headers()
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().unwrap())
            .collect();
        self.cookies =
            set.iter().filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ");
        let csrf = set.iter().find_map(|cookie| cookie.strip_prefix("XSRF-TOKEN="));
        csrf.and_then(|rest| rest.split(';').next()).unwrap_or("").clone_into(&mut self.csrf);
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        let request = self.client.get(format!("{}{path}", self.base));
        request.header("cookie", &self.cookies).send().await.unwrap()
    }

    fn releases(&self) -> String {
        format!("/designer/api/ttd/{}/releases", self.app)
    }

    fn deployments(&self) -> String {
        format!("/designer/api/ttd/{}/deployments", self.app)
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    fn posting(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        self.client
            .post(format!("{}{path}", self.base))
            .header("cookie", &self.cookies)
            .header("origin", PUBLIC)
            .header("x-xsrf-token", &self.csrf)
            .json(body)
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.posting(path, body).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn ends(&self, id: i64, result: &str) {
        let build = json!({ "id": id, "status": "completed", "result": result,
            "startTime": "2026-01-02T03:04:05Z", "finishTime": "2026-01-02T03:05:05Z" });
        self.others.0.lock().unwrap().builds.insert(id, build);
    }

    /// What the pipeline posts.
    async fn hook(&self, path: &str, id: &Value) -> u16 {
        let body = json!({ "resource": { "buildNumber": id, "resourceOwner": "ttd" } });
        let request = self.client.post(format!("{}{path}", self.base)).json(&body);
        request.send().await.unwrap().status().as_u16()
    }

    fn queued(&self) -> Vec<Value> {
        self.others.0.lock().unwrap().queued.clone()
    }
}

const HOOK: &str = "/designer/api/v1/checkreleasebuildstatus";

fn release(tag: &str) -> Value {
    json!({ "tagName": tag, "name": tag, "body": "notes", "targetCommitish": SHA })
}

fn parameters(queued: &Value) -> Value {
    serde_json::from_str(queued["parameters"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn signing_in_and_out() {
    let world = World::new().await;
    assert_eq!(world.get("/designer/api/user/current").await.status(), 401);
    // A state that this browser did not begin with leads to a new try, not to a session.
    let stray = world.get("/signin-oidc?code=code&state=other").await;
    assert_eq!(stray.headers()["location"], "/?signin=failed");
    assert!(
        !stray
            .headers()
            .get_all("set-cookie")
            .iter()
            .any(|cookie| { cookie.to_str().unwrap().starts_with("AltinnStudioDesigner=") })
    );

    let world = World::signed_in().await;
    assert_eq!(world.json("/designer/api/user/current").await["login"], "kari");
    // Without the page's word, or from another site, nothing changes.
    for (name, value) in [("x-xsrf-token", "wrong"), ("origin", "http://evil.localhost")] {
        let request = world
            .client
            .post(format!("{}{}", world.base, world.releases()))
            .header("cookie", &world.cookies)
            .header(name, value)
            .json(&release("1.0.0"));
        assert_eq!(request.send().await.unwrap().status(), 400, "{name}");
    }
    assert!(world.queued().is_empty());
    assert_eq!(world.post("/logout", &json!({})).await.0, 204);
    assert_eq!(world.get("/designer/api/user/current").await.status(), 401);
}

#[tokio::test]
async fn what_a_page_sends_again_is_done_once() {
    let world = World::signed_in().await;
    let send = |mark: &str| {
        world.posting(&world.releases(), &release("1.0.0")).header("idempotency-key", mark)
    };
    world.others.0.lock().unwrap().slow = Duration::from_millis(400);
    // The first is cut off while it is worked at, the second comes before that ends, the third after.
    let cut_off = send("a").timeout(Duration::from_millis(100)).send().await;
    assert!(cut_off.unwrap_err().is_timeout());
    let second = send("a").send().await.unwrap();
    assert_eq!(second.status(), 201);
    let second: Value = second.json().await.unwrap();
    let third: Value = send("a").send().await.unwrap().json().await.unwrap();
    assert_eq!(second, third);
    assert_eq!(world.queued().len(), 1);
    // Another mark is another wish, and so is the same one of a session that there is not.
    assert_eq!(send("b").send().await.unwrap().status(), 409);
    let nobody = HeaderMap::from_iter([(COOKIE, "AltinnStudioDesigner=x".parse().unwrap())]);
    assert_eq!(send("a").headers(nobody).send().await.unwrap().status(), 401);
    assert_eq!(world.queued().len(), 1);
}

#[tokio::test]
async fn a_release_is_built_and_followed() {
    let world = World::signed_in().await;
    let tag = "1.0.0";
    let (status, made) = world.post(&world.releases(), &release(tag)).await;
    assert_eq!((status, &made["build"]["status"]), (201, &json!("notStarted")), "{made}");
    let queued = world.queued().pop().unwrap();
    assert_eq!(queued["definition"]["id"], 683);
    assert_eq!(
        parameters(&queued),
        json!({
            "APP_OWNER": "ttd", "APP_REPO": world.app, "APP_DEPLOY_TOKEN": "token",
            "ALTINN_STUDIO_HOSTNAME": "studio.localhost:8800",
            "GITEA_ENVIRONMENT": "studio.localhost:8800/repos",
            "APP_COMMIT_ID": SHA, "TAGNAME": tag, "APP_MASKINPORTEN_SCOPES": "[]",
            "PUSH_APPS_OCI_IMAGE": "true", "PUSH_SYNCROOT_GITOPS_IMAGE": "false",
        })
    );
    let (status, again) = world.post(&world.releases(), &release(tag)).await;
    assert_eq!((status, &again["code"]), (409, &json!("release-exists")));

    let build = made["build"]["id"].as_str().unwrap().to_owned();
    let log = world
        .json(&format!("/designer/api/v1/apps/ttd/{}/builds/{build}/log?from=1", world.app))
        .await;
    assert_eq!(log["lines"], json!(["1 b", "4 a", "4 b"]));
    assert_eq!(log["next"], 4);
    assert_eq!(log["steps"][0]["name"], "Clone");
    // A build's number opens it in its own app only.
    let other =
        world.get(&format!("/designer/api/v1/apps/ttd/demo-other/builds/{build}/log")).await;
    assert_eq!(other.status(), 404);
    assert_eq!(
        world.get(&format!("/designer/api/v1/apps/ttd/{}/builds/7/log", world.app)).await.status(),
        404
    );

    // The webhook is believed nothing: it only makes Designer ask.
    assert_eq!(world.hook(HOOK, &json!(build)).await, 200);
    assert_eq!(world.json(&world.releases()).await["results"][0]["build"]["status"], "notStarted");
    world.ends(build.parse().unwrap(), "failed");
    assert_eq!(world.hook("/designer/api/check-release-build-status", &json!(build)).await, 200);
    let told = world.json(&world.releases()).await;
    assert_eq!(told["results"][0]["build"]["result"], "failed");
    assert_eq!(told["results"][0]["build"]["finished"], "2026-01-02T03:05:05.000000Z");
    assert_eq!(world.hook(HOOK, &json!(999)).await, 200);

    // A version whose build failed is free again.
    let (status, made) = world.post(&world.releases(), &release(tag)).await;
    assert_eq!(status, 201, "{made}");
    world.ends(made["build"]["id"].as_str().unwrap().parse().unwrap(), "succeeded");
    world.hook(HOOK, &made["build"]["id"]).await;
    assert_eq!(world.json(&world.releases()).await["results"][0]["build"]["result"], "succeeded");
}

#[tokio::test]
async fn bad_releases_are_refused_and_leave_nothing() {
    let world = World::signed_in().await;
    for (body, word) in [
        (json!({ "tagName": "1 0", "targetCommitish": SHA }), "tagName"),
        (json!({ "tagName": "1", "targetCommitish": "master" }), "targetCommitish"),
        (json!({ "tagName": "1", "targetCommitish": SHA.replace('0', "f") }), "targetCommitish"),
    ] {
        let (status, told) = world.post(&world.releases(), &body).await;
        assert_eq!(status, 400, "{told}");
        assert!(told["errors"][word].is_array(), "{told}");
    }
    world.others.0.lock().unwrap().refusing = true;
    let (status, told) = world.post(&world.releases(), &release("r-1")).await;
    assert_eq!((status, &told["code"]), (422, &json!("pipeline-refused")));
    assert!(told["detail"].as_str().unwrap().contains("TAGNAME is missing"));
    world.others.0.lock().unwrap().refusing = false;
    assert_eq!(world.post("/designer/api/ttd/none/releases", &release("r-1")).await.0, 404);
    assert_eq!(world.post(&world.releases(), &release("r-1")).await.0, 201);
    let reader = World::signed_in().await;
    reader.others.0.lock().unwrap().push = false;
    assert_eq!(reader.post(&reader.releases(), &release("r-2")).await.0, 403);
}

#[tokio::test]
async fn deployments_need_a_team_and_a_built_release() {
    let world = World::signed_in().await;
    let wanted = |env: &str, tag: &str| json!({ "envName": env, "tagName": tag });
    assert_eq!(world.json(&format!("{}/permissions", world.deployments())).await, json!(["LOCAL"]));
    assert_eq!(world.post(&world.deployments(), &wanted("local", "d-1")).await.0, 400);
    let (_, made) = world.post(&world.releases(), &release("d-1")).await;
    assert_eq!(
        world.post(&world.deployments(), &wanted("local", "d-1")).await.0,
        400,
        "not built yet"
    );
    world.ends(made["build"]["id"].as_str().unwrap().parse().unwrap(), "succeeded");
    world.hook(HOOK, &made["build"]["id"]).await;
    assert_eq!(world.post(&world.deployments(), &wanted("tt02", "d-1")).await.0, 403);
    assert_eq!(world.post(&world.deployments(), &wanted("nowhere", "d-1")).await.0, 400);

    let (status, made) = world.post(&world.deployments(), &wanted("local", "d-1")).await;
    assert_eq!((status, &made["deploymentType"]), (201, &json!("Deploy")), "{made}");
    let queued = world.queued().pop().unwrap();
    assert_eq!(queued["definition"]["id"], 618);
    let told = parameters(&queued);
    assert_eq!(told["HOSTNAME"], "altinn.localhost:8800");
    assert_eq!(told["DEPLOYMENT_ID"], made["id"].to_string());
    assert_eq!((&told["TAGNAME"], &told["APP_ENVIRONMENT"]), (&json!("d-1"), &json!("local")));
    assert_eq!(told["PUSH_SYNCROOT_GITOPS_IMAGE"], "true", "the first one");
    assert_eq!(
        world.post(&world.deployments(), &wanted("local", "d-1")).await.0,
        409,
        "one at a time"
    );

    // No webhook: the follower asks by itself.
    world.ends(made["build"]["id"].as_str().unwrap().parse().unwrap(), "succeeded");
    let end = Instant::now() + Duration::from_secs(20);
    let all = loop {
        let all = world.json(&world.deployments()).await;
        if all["pipelineDeploymentList"][0]["build"]["result"] == "succeeded" {
            break all;
        }
        assert!(Instant::now() < end, "{all}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    // The cluster that is off does not hide the one that answers.
    assert_eq!(
        all["kubernetesDeploymentList"],
        json!([{ "envName": "local", "release": format!("ttd-{}", world.app), "version": "1.0.0",
            "url": format!("http://ttd.apps.altinn.localhost:8800/ttd/{}", world.app) }])
    );

    let out = format!("{}/undeploy", world.deployments());
    assert_eq!(world.post(&out, &json!({ "environment": "tt02" })).await.0, 403);
    let (status, made) = world.post(&out, &json!({ "environment": "local" })).await;
    assert_eq!((status, &made["deploymentType"]), (202, &json!("Decommission")));
    let told = parameters(&world.queued().pop().unwrap());
    assert_eq!(told.get("TAGNAME"), None);
    assert_eq!(told["PUSH_APPS_OCI_IMAGE"], "false");
    assert_eq!(told["PUSH_SYNCROOT_GITOPS_IMAGE"], "true");
}

#[tokio::test]
async fn what_the_cluster_tells_is_kept_with_its_deployment() {
    let world = World::signed_in().await;
    let (_, made) = world.post(&world.releases(), &release("e-1")).await;
    world.ends(made["build"]["id"].as_str().unwrap().parse().unwrap(), "succeeded");
    world.hook(HOOK, &made["build"]["id"]).await;
    let wanted = json!({ "envName": "local", "tagName": "e-1" });
    let (_, made) = world.post(&world.deployments(), &wanted).await;
    let build = made["build"]["id"].as_str().unwrap().to_owned();
    assert_eq!(made["events"], json!([]));

    let with = format!("/designer/api/v1/ttd/{}/deployments/webhooks/events", world.app);
    let without = with.replace("/v1/", "/");
    let event = |kind: &str, minute: u8, more: Value| {
        let mut body = json!({ "message": format!("{kind}!"), "eventType": kind,
            "timestamp": format!("2026-01-02T03:{minute:02}:05Z"), "environment": "local" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let tell = async |path: &str, header: Option<String>, body: &Value| {
        let mut request = world.client.post(format!("{}{path}", world.base)).json(body);
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        request.send().await.unwrap().status().as_u16()
    };
    let bearer = || Some(format!("Bearer {PIPELINE}"));
    let basic = |password: &str| {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("x:{password}"));
        Some(format!("Basic {pair}"))
    };
    let failed = event("UpgradeFailed", 4, json!({ "buildId": build }));
    for header in [None, Some("Bearer wrong".to_owned()), Some("Bearer ".to_owned()), basic("")] {
        assert_eq!(tell(&with, header.clone(), &failed).await, 401, "{header:?}");
    }
    assert_eq!(tell(&with, bearer(), &failed).await, 200);
    assert_eq!(tell(&with, bearer(), &failed).await, 200, "told again");
    // Without a build, the newest deployment to the environment is meant; a number is as good as its text.
    assert_eq!(
        tell(&without, basic(PIPELINE), &event("UpgradeSucceeded", 5, json!({}))).await,
        200
    );
    let number: i64 = build.parse().unwrap();
    let third = event("InstallSucceeded", 6, json!({ "buildId": number, "environment": "LOCAL" }));
    assert_eq!(tell(&without, bearer(), &third).await, 200);

    // Nothing was taken out, nothing went to tt02, no build has this number, there is no such word.
    for (body, status) in [
        (event("UninstallSucceeded", 7, json!({})), 404),
        (event("InstallFailed", 7, json!({ "environment": "tt02" })), 404),
        (event("InstallFailed", 7, json!({ "buildId": "1" })), 404),
        (event("Exploded", 7, json!({})), 400),
        (event("InstallFailed", 7, json!({ "timestamp": "yesterday" })), 400),
    ] {
        assert_eq!(tell(&with, bearer(), &body).await, status, "{body}");
    }
    let all = world.json(&world.deployments()).await;
    assert_eq!(
        all["pipelineDeploymentList"][0]["events"],
        json!([
            { "message": "UpgradeFailed!", "timestamp": "2026-01-02T03:04:05.000000Z",
                "eventType": "UpgradeFailed" },
            { "message": "UpgradeSucceeded!", "timestamp": "2026-01-02T03:05:05.000000Z",
                "eventType": "UpgradeSucceeded" },
            { "message": "InstallSucceeded!", "timestamp": "2026-01-02T03:06:05.000000Z",
                "eventType": "InstallSucceeded" },
        ])
    );
    // What follows the pipeline and writes the deployment leaves them alone.
    world.ends(number, "succeeded");
    world.hook("/designer/api/v1/checkdeploymentbuildstatus", &json!(build)).await;
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let all = world.json(&world.deployments()).await;
        let first = &all["pipelineDeploymentList"][0];
        assert_eq!(first["events"].as_array().unwrap().len(), 3, "{first}");
        if first["build"]["result"] == "succeeded" {
            break;
        }
        assert!(Instant::now() < end, "{first}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn paths_and_names_are_refused_before_anything_is_touched() {
    let world = World::signed_in().await;
    for path in ["..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", ".git%2Fconfig", "a%5Cb", "", "a%00"]
    {
        let answer = world.get(&format!("/designer/api/v1/apps/ttd/demo/file?path={path}")).await;
        assert_eq!(answer.status(), 400, "{path}");
    }
    for app in ["..", "Demo", "de mo", "-x"] {
        let answer = world.get(&format!("/designer/api/v1/apps/ttd/{app}/files")).await;
        assert!(matches!(answer.status().as_u16(), 400 | 404), "{app}");
    }
    let (status, told) =
        world.post("/designer/api/v1/apps", &json!({ "org": "ttd", "app": "../x" })).await;
    assert_eq!(status, 400, "{told}");
    let page = world.get("/editor/ttd/demo/ui").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe-eval"));
}
