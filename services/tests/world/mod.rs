//! A running service on a free port, with a data folder of its own.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::path::{Path, PathBuf};

use altinn_services::kit::front::Front;
use altinn_services::kit::management::Key;
use altinn_services::kit::peer::Peer;
use altinn_services::kit::server;
use altinn_services::kit::token::{Claims, SigningKey, jwt};
use altinn_services::platform::{Settings, service};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

pub struct World {
    pub base: String,
    pub folder: TempDir,
    pub client: reqwest::Client,
    _closing: DropGuard,
}

/// What opens the management surface.
pub const KEY_OF_THE_STACK: &str = "open sesame";

/// One key for all worlds: making one takes longer than most tests.
static KEY: std::sync::OnceLock<String> = std::sync::OnceLock::new();

impl World {
    /// Demands `PlatformAccessToken` only when `strict`.
    pub async fn new(strict: bool) -> Self {
        Self::with(strict, None).await
    }

    /// With a Storage to ask.
    pub async fn with(strict: bool, storage: Option<Peer>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let file = keys.join("signing-key.pem");
        std::fs::create_dir_all(&keys).unwrap();
        let text = KEY.get_or_init(|| {
            SigningKey::keep(&keys).unwrap();
            std::fs::read_to_string(&file).unwrap()
        });
        std::fs::write(&file, text).unwrap();
        let settings = Settings {
            data: folder.path().to_owned(),
            storage,
            domain: None,
            certificates: folder.path().join("certificates"),
            lenient: !strict,
            key: Key::new(Some(KEY_OF_THE_STACK)),
        };
        let front = Front::new(service(settings).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let closing = CancellationToken::new();
        tokio::spawn(server::serve(listener, front, closing.clone()));
        let client =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { base, folder, client, _closing: closing.drop_guard() }
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn key(&self) -> SigningKey {
        SigningKey::keep(&self.path("keys")).unwrap()
    }

    /// A token with these claims, signed with the service's key.
    pub fn token(&self, claims: &Value) -> String {
        sign(&self.key(), claims)
    }

    pub async fn get(&self, path: &str, token: &str) -> (u16, String) {
        let request = self.client.get(format!("{}{path}", self.base));
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    pub async fn json(&self, path: &str, token: &str) -> Value {
        let (status, text) = self.get(path, token).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> (u16, Value) {
        let request = self.client.post(format!("{}{path}", self.base)).json(&body);
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    pub async fn user(&self, user: i64) -> String {
        self.get(&format!("/Home/GetTestUserToken/{user}"), "").await.1
    }

    pub async fn upload(&self, app: &str, policy: &str) -> (u16, String) {
        let token =
            self.token(&json!({ "urn:altinn:app": "studio.designer", "exp": jwt::now() + 60 }));
        let answer = self
            .client
            .post(format!("{}/authorization/api/v1/policies?org=ttd&app={app}", self.base))
            .header("content-type", "application/xml")
            .bearer_auth(token)
            .body(policy.to_owned())
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

pub fn sign(key: &SigningKey, claims: &Value) -> String {
    jwt::sign(key, &Claims(claims.as_object().unwrap().clone())).unwrap()
}

pub fn claims(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

pub fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policies")
}
