//! What clients do wrong, and stores that go away.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;

use crate::stage::{Backend, PARTY, Stage, designer, is_refusal, storage, user};

pub async fn nobody_gets_in(stage: &Stage) {
    let id = stage.fresh().await;
    let good = user();
    let forged = format!("{}x", &good[..good.len() - 2]);
    let other = altinn_services::kit::token::SigningKey::fleeting().unwrap();
    let claims = json!({ "urn:altinn:userid": 1337, "exp": 99_999_999_999_u64 });
    let claims = altinn_services::kit::token::Claims(claims.as_object().unwrap().clone());
    let foreign = altinn_services::kit::token::jwt::sign(&other, &claims).unwrap();
    for token in [None, Some(""), Some("x"), Some(forged.as_str()), Some(foreign.as_str())] {
        for (method, path) in [
            (Method::GET, format!("instances/{id}")),
            (Method::GET, "instances?org=ttd".to_owned()),
            (Method::POST, "instances?appId=ttd/x".to_owned()),
            (Method::DELETE, format!("instances/{id}")),
            (Method::PUT, format!("instances/{id}/process")),
            (Method::POST, format!("instances/{id}/data?dataType=form")),
            (Method::GET, format!("instances/{id}/events")),
        ] {
            let headers = [("content-type", "application/json")];
            let answer = stage.send(method, &path, token, &headers, "{}").await.is(401);
            assert!(answer.body.is_empty());
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
}

pub async fn paths_and_methods(stage: &Stage) {
    let id = stage.fresh().await;
    for path in [
        "instances/../../x",
        "instances/%2e%2e/x",
        "instances/%00",
        "instances/a%2fb",
        "instances/1/2/3/4/5/6",
        "applications/ttd/..",
        "none",
        "instances/500000/{guid}",
        "instances/-1/00000000-0000-0000-0000-000000000000",
        "instances/99999999999999999999/00000000-0000-0000-0000-000000000000",
    ] {
        let answer = stage.get(path, &user()).await;
        assert!(is_refusal(answer.status), "{path}: {}", answer.status);
    }
    for method in [Method::PATCH, Method::TRACE, Method::CONNECT, Method::OPTIONS] {
        let path = format!("instances/{id}");
        stage.send(method, &path, Some(&user()), &[], "").await.is(405);
    }
}

pub async fn bodies(stage: &Stage) {
    let app = stage.app(serde_json::Value::Null).await;
    let id = stage.instance(&app).await;
    let deep = "[".repeat(20_000);
    for (method, path) in [
        (Method::POST, format!("instances?appId={app}")),
        (Method::PUT, format!("instances/{id}/process")),
        (Method::PUT, format!("instances/{id}/process/instanceandevents")),
        (Method::PUT, format!("instances/{id}/substatus")),
        (Method::PUT, format!("instances/{id}/presentationtexts")),
        (Method::POST, format!("instances/{id}/lock")),
        (Method::POST, format!("instances/{id}/sign")),
        (Method::POST, format!("instances/{id}/events")),
        (Method::POST, format!("applications?appId={app}")),
    ] {
        let token = if path.starts_with("app") { designer() } else { user() };
        for body in
            ["", "{", "\u{0}", "null", "[1]", "7", "\"x\"", &deep, "{\"texts\":7,\"state\":7}"]
        {
            let headers = [("content-type", "application/json")];
            let body = body.to_owned();
            let answer =
                stage.send(method.clone(), &path, Some(&token), &headers, body.clone()).await;
            let open = path.starts_with("app") && body.starts_with('{') && body.len() > 1;
            assert!(
                is_refusal(answer.status) || open || answer.status == 200,
                "{path} {body:.20}: {}",
                answer.status
            );
        }
        for kind in ["text/plain", "application/xml", "", "a"] {
            let headers = [("content-type", kind)];
            stage.send(method.clone(), &path, Some(&token), &headers, "{}").await.is(415);
        }
    }
}

pub async fn strange_text(stage: &Stage) {
    let id = stage.fresh().await;
    let strange = "\u{0}\u{1}\u{feff}\u{202e}😀 ' \" \\ ; DROP TABLE instances; -- %s ${x} {{x}}";
    let path = format!("instances/{id}/presentationtexts");
    let got = stage.put(&path, &user(), &json!({ "texts": { "t": strange } })).await.is(200).json();
    // PostgreSQL keeps no NUL; everything else comes back.
    assert!(got["presentationTexts"]["t"].as_str().unwrap().ends_with(&strange[1..]));
    let state = json!({ "currentTask": { "elementId": strange, "altinnTaskType": strange } });
    stage.put(&format!("instances/{id}/process"), &user(), &state).await.is(200);
    let event =
        json!({ "instanceId": id, "eventType": strange, "created": "0001-01-01T00:00:00Z" });
    stage.post(&format!("instances/{id}/events"), &user(), &event).await.is(201);
    let event = json!({ "instanceId": id, "created": "9999-12-31T23:59:59.9999999Z" });
    stage.post(&format!("instances/{id}/events"), &user(), &event).await.is(201);
    stage.get(&format!("instances/{id}/events"), &user()).await.is(200);
}

/// Nobody listens at the stores: 503, never a wrong word about what is there.
pub async fn away() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let blobs = "azure:AccountName=devstoreaccount1;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/devstoreaccount1";
    let backend = Backend::at("postgres://nobody@127.0.0.1:9/none", blobs);
    let stage =
        Stage { front: altinn_services::kit::front::Front::new(storage(&backend).service()) };
    let id = format!("{PARTY}/{}", uuid::Uuid::new_v4());
    for path in [
        format!("instances/{id}"),
        "applications".to_owned(),
        "instances?instanceOwner.partyId=1".to_owned(),
    ] {
        let answer = stage.get(&path, &user()).await.is(503);
        assert_eq!(answer.header("retry-after"), "1");
    }
    stage.send(Method::GET, "/health/ready", None, &[], "").await.is(503);
    stage.send(Method::GET, "/health/live", None, &[], "").await.is(200);
}

/// Storage is dropped in the middle of writes: what was acknowledged is found by the next one.
pub async fn kept(backend: &Backend) {
    let mut stage = Stage::new(backend).await;
    let app = stage.app(serde_json::Value::Null).await;
    let (id, mut acknowledged) = (stage.instance(&app).await, Vec::new());
    for round in 0..5_u64 {
        let writes = async {
            loop {
                acknowledged.push(stage.file(&id, "form", "bytes").await);
            }
        };
        let time = Duration::from_millis(40 + 37 * round);
        assert!(tokio::time::timeout(time, writes).await.is_err());
        stage = Stage::new(backend).await;
    }
    let instance = stage.get(&format!("instances/{id}"), &user()).await.is(200).json();
    let there = instance["data"].as_array().unwrap();
    for file in &acknowledged {
        assert!(there.iter().any(|element| element["id"] == *file));
    }
    for element in there {
        let path = format!("instances/{id}/data/{}", element["id"].as_str().unwrap());
        assert_eq!(stage.get(&path, &user()).await.is(200).body, "bytes");
    }
    println!("{}: {} acknowledged files, none lost", backend.name, acknowledged.len());
}
