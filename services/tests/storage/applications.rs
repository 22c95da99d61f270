//! Applications and texts.

use axum::http::Method;
use serde_json::{Value, json};

use crate::stage::{Stage, designer, user};

pub async fn registered_and_found(stage: &Stage) {
    let id = stage.app(Value::Null).await;
    let path = format!("applications/{id}");
    let got = stage.send(Method::GET, &path, None, &[], "").await.is(200).json();
    assert_eq!(got["id"], json!(id));
    assert_eq!(got["features"]["own"], json!(true), "own members are kept");
    assert!(got["validFrom"].is_string() && got["created"].is_string());
    let again = stage
        .post(&format!("applications?appId={id}"), &designer(), &json!({ "versionId": "2" }))
        .await
        .is(201)
        .json();
    assert_eq!(again["created"], got["created"], "a second registration replaces the first");
    let all = stage.send(Method::GET, "Applications/TTD/", None, &[], "").await;
    assert_eq!(all.is(200).json()["applications"], json!([]), "names of apps have their case");
    let all = stage.send(Method::GET, "APPLICATIONS/ttd/", None, &[], "").await.is(200).json();
    let found = all["applications"].as_array().unwrap().iter().filter(|app| app["id"] == id);
    assert_eq!(found.count(), 1);
    let changed = json!({ "id": id, "org": "ttd", "title": { "nb": "Ny" } });
    stage.put(&path, &designer(), &changed).await.is(200);
    let ended = stage.delete(&path, &designer()).await.is(202).json();
    assert!(ended["validTo"].is_string());
    stage.delete(&format!("{path}?hard=True"), &designer()).await.is(202);
    stage.get(&path, &user()).await.is(404);
}

pub async fn only_designer_writes(stage: &Stage) {
    let id = stage.app(Value::Null).await;
    let app = json!({ "id": id, "org": "ttd" });
    for token in [user(), crate::stage::owner()] {
        stage.post(&format!("applications?appId={id}"), &token, &app).await.is(403);
        stage.put(&format!("applications/{id}"), &token, &app).await.is(403);
        stage.delete(&format!("applications/{id}"), &token).await.is(403);
        stage.post(&format!("applications/{id}/texts"), &token, &json!({})).await.is(403);
    }
}

pub async fn names_and_shapes(stage: &Stage) {
    for id in ["", "ttd", "ttd/", "Ttd/App", "ttd/-app", "ttd/a/b", "../x", "ttd/..%2f"] {
        stage.post(&format!("applications?appId={id}"), &designer(), &json!({})).await.is(400);
    }
    for body in [json!([]), json!("x"), json!({ "dataTypes": 7 }), json!({ "title": [] })] {
        stage.post("applications?appId=ttd/shape", &designer(), &body).await.is(400);
    }
    stage.get("applications/a-b", &user()).await.is(400);
    stage.get("applications/ttd/none", &user()).await.is(404);
    let other = json!({ "id": "ttd/other", "org": "ttd" });
    let id = stage.app(Value::Null).await;
    stage.put(&format!("applications/{id}"), &designer(), &other).await.is(400);
    stage.put("applications/ttd/other", &designer(), &other).await.is(404);
}

pub async fn texts_of_languages(stage: &Stage) {
    let id = stage.app(Value::Null).await;
    let path = format!("applications/{id}/texts");
    let texts = json!({ "language": "nb", "resources": [{ "id": "appName", "value": "Prøve" }] });
    stage.post(&path, &designer(), &texts).await.is(200);
    let got = stage.get(&format!("{path}/nb"), &user()).await.is(200).json();
    assert_eq!(got["id"], json!(format!("{}-nb", id.replace('/', "-"))));
    assert_eq!(got["resources"], texts["resources"]);
    stage.put(&format!("{path}/nb"), &designer(), &texts).await.is(200);
    stage.put(&format!("{path}/nn"), &designer(), &texts).await.is(400);
    stage.put(&format!("{path}/nn"), &designer(), &json!({ "language": "nn" })).await.is(404);
    stage.get(&format!("{path}/nn"), &user()).await.is(404);
    stage.get(&format!("{path}/nbb"), &user()).await.is(400);
    stage.delete(&format!("{path}/nb"), &designer()).await.is(200);
    stage.delete(&format!("{path}/nb"), &designer()).await.is(404);
    stage.post("applications/ttd/none/texts", &designer(), &texts).await.is(404);
}
