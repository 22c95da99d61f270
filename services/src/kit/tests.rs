//! What the front keeps for every service.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::api::{Api, Endpoint};
use super::body::Raw;
use super::fault::Fault;
use super::front::Front;
use super::guard::Guarded;
use super::peer::Peer;
use super::query::Query;
use super::words::Words;
use super::{body, logs, server};

fn front() -> Front {
    let api = Api::<()>::new("test")
        .add(Endpoint::get("/panic", "").open(), panics)
        .add(Endpoint::get("/slow", "").open().time(Duration::from_millis(20)), slow)
        .add(Endpoint::get("/patient/{word}", "").open(), patient)
        .add(Endpoint::post("/small", "").open().body(10), async |Raw(body): Raw| {
            Words(body.len().to_string())
        })
        .check("store", async || Err("gone".to_owned()));
    Front::new(api.finish(()))
}

async fn panics() -> Words {
    let nothing: Result<Words, String> =
        "x".parse::<u8>().map_err(|error| error.to_string()).map(|_| Words(String::new()));
    nothing.unwrap()
}

async fn slow() -> Words {
    tokio::time::sleep(Duration::from_secs(5)).await;
    Words("late".to_owned())
}

async fn patient(query: Query) -> Result<Words, Fault> {
    tokio::time::sleep(Duration::from_millis(query.parsed("millis")?.unwrap_or(0))).await;
    Ok(Words("done".to_owned()))
}

async fn ask(front: &Front, method: &str, path: &str, body: Body) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path).body(body).unwrap();
    text(front.answer(request).await).await
}

async fn text(response: Response<Body>) -> (StatusCode, String) {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_panic_is_an_answer_and_is_counted() {
    let front = front();
    let before = logs::panics();
    let (status, text) = ask(&front, "GET", "/panic", Body::empty()).await;
    assert_eq!(status, 500);
    assert!(text.contains("traceId") && !text.contains("unwrap"), "{text}");
    assert!(logs::panics() > before);
    assert_eq!(
        ask(&front, "GET", "/PATIENT/x/", Body::empty()).await,
        (StatusCode::OK, "done".to_owned())
    );
}

#[tokio::test]
async fn time_and_length_are_bounded() {
    let front = front();
    assert_eq!(ask(&front, "GET", "/slow", Body::empty()).await.0, 503);
    assert_eq!(ask(&front, "POST", "/small", Body::from("0123456789")).await.1, "10");
    assert_eq!(ask(&front, "POST", "/small", Body::from("0123456789a")).await.0, 413);
    let pieces = futures_util::stream::iter(
        (0..4).map(|_| Ok::<_, axum::Error>(http_body::Frame::data(Bytes::from_static(b"0123")))),
    );
    assert_eq!(ask(&front, "POST", "/small", Body::new(StreamBody::new(pieces))).await.0, 413);
}

#[tokio::test]
async fn a_body_that_stands_still_is_given_up() {
    let still = StreamBody::new(futures_util::stream::pending::<
        Result<http_body::Frame<Bytes>, axum::Error>,
    >());
    let guarded = Guarded::body(Body::new(still), Duration::from_millis(10));
    let error = guarded.collect().await.unwrap_err();
    assert_eq!(body::broken(&error).status(), 408);
    // As handlers meet it.
    let still = StreamBody::new(futures_util::stream::pending::<
        Result<http_body::Frame<Bytes>, axum::Error>,
    >());
    let request = Request::new(Guarded::body(Body::new(still), Duration::from_millis(10)));
    let fault =
        <Raw as axum::extract::FromRequest<()>>::from_request(request, &()).await.unwrap_err();
    assert_eq!(fault.status(), 408);
}

#[tokio::test]
async fn readiness_tells_what_is_missing() {
    let (status, text) = ask(&front(), "GET", "/health/ready", Body::empty()).await;
    assert_eq!(
        (status.as_u16(), text.as_str()),
        (503, "{\"status\":\"Unhealthy\",\"needs\":{\"store\":\"gone\"}}")
    );
    assert_eq!(ask(&front(), "GET", "/health/live", Body::empty()).await.0, 200);
}

#[tokio::test]
async fn answers_under_way_are_finished() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let closing = CancellationToken::new();
    let served = tokio::spawn(server::serve(listener, front(), closing.clone()));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let peer = Peer::remote(&base).unwrap();
    let asked = {
        let peer = peer.clone();
        tokio::spawn(async move {
            peer.ask(
                axum::http::Method::GET,
                "/patient/x?millis=300",
                axum::http::HeaderMap::new(),
                Bytes::new(),
            )
            .await
        })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    closing.cancel();
    assert_eq!(asked.await.unwrap().unwrap().body, "done");
    served.await.unwrap();
    let refused = peer
        .ask(axum::http::Method::GET, "/patient/x", axum::http::HeaderMap::new(), Bytes::new())
        .await;
    assert_eq!(refused.unwrap_err().status(), 503);
}

/// A service finds the keys of another by itself, and new ones when they change.
#[tokio::test]
async fn published_keys_are_fetched() {
    use super::token::{Claims, SigningKey, Verifier, jwt, verifier};
    use serde_json::json;
    let key = SigningKey::fleeting().unwrap();
    let keys = json!({ "keys": [{ "kty": "EC" }, key.public().jwk()] });
    let publish = move || async move { body::Json(keys) };
    let platform = Peer::inside();
    platform.join(&Front::new(
        Api::<()>::new("platform").add(Endpoint::get(verifier::KEYS, ""), publish).finish(()),
    ));
    let verifier = Verifier::published(platform);
    let claims = Claims(json!({ "a": 1, "exp": jwt::now() + 60 }).as_object().unwrap().clone());
    let token = jwt::sign(&key, &claims).unwrap();
    assert_eq!(verifier.verify(&token).await.unwrap(), Some(claims.clone()));
    let other = jwt::sign(&SigningKey::fleeting().unwrap(), &claims).unwrap();
    assert_eq!(verifier.verify(&other).await.unwrap(), None);
    let nobody = Verifier::published(Peer::inside());
    assert_eq!(nobody.verify(&token).await.unwrap_err().status(), 503);
}
