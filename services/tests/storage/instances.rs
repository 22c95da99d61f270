//! Instances.

use axum::http::Method;
use serde_json::{Value, json};

use crate::stage::{PARTY, Stage, owner, reader, stranger, user};

pub async fn made_and_read(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let body = json!({
        "instanceOwner": { "partyId": 500_000, "organisationNumber": "897069650" },
        "appId": "other/app", "org": "other", "id": "1/2", "unknown": [1],
        "dueBefore": "2030-01-01T00:00:00+01:00", "dataValues": { "a": "b" },
        "presentationTexts": { "not": "taken" }, "status": null, "data": null,
    });
    let made = stage.post(&format!("instances?appId={app}"), &user(), &body).await.is(201);
    let instance = made.json();
    let id = instance["id"].as_str().unwrap();
    assert!(id.starts_with(&format!("{PARTY}/")));
    let link = format!("http://platform:1/storage/api/v1/instances/{id}");
    assert_eq!(instance["selfLinks"]["platform"], json!(link));
    assert_eq!(made.header("location"), link);
    assert_eq!(instance["appId"], json!(app));
    assert_eq!(instance["org"], "ttd");
    assert_eq!(instance["instanceOwner"]["partyId"], "500000");
    assert_eq!(instance["dueBefore"], "2029-12-31T23:00:00.000000Z");
    assert_eq!(instance["createdBy"], "1337");
    assert_eq!(instance["data"], json!([]));
    assert_eq!(instance["status"]["readStatus"], "Unread");
    assert!(instance["presentationTexts"].is_null() && instance["visibleAfter"].is_string());
    let got = stage.get(&format!("instances/{id}"), &user()).await.is(200).json();
    assert_eq!(got, instance);
    let guid = id.split('/').nth(1).unwrap();
    assert_eq!(stage.get(&format!("Instances/{guid}/"), &user()).await.is(200).json(), instance);
    assert_eq!(stage.events(id).await, ["Created"]);
}

pub async fn what_makes_none(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let path = format!("instances?appId={app}");
    let good = json!({ "instanceOwner": { "partyId": "500000" } });
    stage.post("instances", &user(), &good).await.is(400);
    stage.post("instances?appId=ttd", &user(), &good).await.is(400);
    stage.post("instances?appId=ttd/../x", &user(), &good).await.is(400);
    stage.post("instances?appId=ttd/none", &user(), &good).await.is(404);
    stage.post(&path, &stranger(), &good).await.is(403);
    for body in [
        json!({}),
        json!(null),
        json!([]),
        json!({ "instanceOwner": {} }),
        json!({ "instanceOwner": { "partyId": "x" } }),
        json!({ "instanceOwner": { "partyId": "99999999999999999999" } }),
        json!({ "instanceOwner": { "partyId": "1" }, "dueBefore": "soon" }),
        json!({ "instanceOwner": { "partyId": "1" }, "status": { "readStatus": "Perhaps" } }),
    ] {
        let answer = stage.post(&path, &user(), &body).await;
        assert_eq!(answer.status, 400, "{body}");
    }
}

pub async fn who_may(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}");
    stage.get(&path, &reader()).await.is(200);
    stage.get(&path, &stranger()).await.is(403);
    stage.delete(&path, &reader()).await.is(403);
    let texts = json!({ "texts": {} });
    stage.put(&format!("{path}/presentationtexts"), &reader(), &texts).await.is(403);
    stage.put(&format!("{path}/process"), &reader(), &json!({})).await.is(403);
    stage.post(&format!("{path}/lock"), &reader(), &json!({ "ttlSeconds": 1 })).await.is(403);
    stage.post(&format!("{path}/complete"), &user(), &json!({})).await.is(403);
    let post = format!("{path}/data?dataType=form");
    stage.send(Method::POST, &post, Some(&reader()), &[], "x").await.is(403);
}

pub async fn another_party(stage: &Stage) {
    let id = stage.fresh().await;
    let guid = id.split('/').nth(1).unwrap();
    stage.get(&format!("instances/1/{guid}"), &user()).await.is(404);
    stage.delete(&format!("instances/1/{guid}"), &user()).await.is(404);
    let none = uuid::Uuid::new_v4();
    let missing = stage.get(&format!("instances/{PARTY}/{none}"), &user()).await.is(404);
    assert_eq!(missing.body, format!("Unable to find instance {none}"));
    stage.get(&format!("instances/{PARTY}/xyz"), &user()).await.is(404);
    stage.get(&format!("instances/x/{guid}"), &user()).await.is(404);
}

pub async fn texts_and_values_merge(stage: &Stage) {
    let id = stage.fresh().await;
    for (path, member, inner) in [
        ("presentationtexts", "texts", "presentationTexts"),
        ("datavalues", "values", "dataValues"),
    ] {
        let path = format!("instances/{id}/{path}");
        stage.put(&path, &user(), &json!({ member: { "a": "1", "b": "2" } })).await.is(200);
        let merged = json!({ member: { "a": null, "b": "", "c": "3", "d": "4" } });
        let got = stage.put(&path, &user(), &merged).await.is(200).json();
        assert_eq!(got[inner], json!({ "c": "3", "d": "4" }));
        stage.put(&path, &user(), &json!({})).await.is(400);
        stage.put(&path, &user(), &json!({ member: { "a": [] } })).await.is(400);
    }
}

pub async fn read_status(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/readstatus");
    let before = stage.get(&format!("instances/{id}"), &user()).await.json();
    let got = stage.put(&format!("{path}?status=read"), &user(), &json!({})).await.is(200).json();
    assert_eq!(got["status"]["readStatus"], "Read");
    assert_eq!(got["lastChanged"], before["lastChanged"]);
    stage.put(&format!("{path}?status=perhaps"), &user(), &json!({})).await.is(400);
    stage.put(&path, &user(), &json!({})).await.is(400);
}

pub async fn substatus(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/substatus");
    let body = json!({ "label": "received", "description": "d" });
    stage.put(&path, &user(), &body).await.is(403);
    stage.put(&path, &owner(), &json!({ "description": "d" })).await.is(400);
    let got = stage.put(&path, &owner(), &body).await.is(200).json();
    assert_eq!(got["status"]["substatus"], body);
    assert_eq!(got["lastChangedBy"], "405003309");
    assert!(stage.events(&id).await.contains(&"SubstatusUpdated".to_owned()));
}

pub async fn complete(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/complete");
    for _ in 0..2 {
        let got = stage.send(Method::POST, &path, Some(&owner()), &[], "").await.is(200).json();
        let all = got["completeConfirmations"].as_array().unwrap();
        assert_eq!((all.len(), &all[0]["stakeholderId"]), (1, &json!("ttd")));
    }
    let events = stage.events(&id).await;
    assert_eq!(events.iter().filter(|kind| *kind == "ConfirmedComplete").count(), 1);
}

pub async fn deleted_softly_and_back(stage: &Stage) {
    let id = stage.fresh().await;
    let got = stage.delete(&format!("instances/{id}?hard=false"), &user()).await.is(200).json();
    assert_eq!(got["status"]["isSoftDeleted"], true);
    assert!(got["selfLinks"].is_null());
    let undelete = format!("sbl/instances/{id}/undelete");
    assert_eq!(stage.put(&undelete, &user(), &json!({})).await.is(200).json(), true);
    let got = stage.get(&format!("instances/{id}"), &user()).await.is(200).json();
    assert_eq!(got["status"]["isSoftDeleted"], false);
    assert_eq!(stage.events(&id).await, ["Created", "Deleted", "Undeleted"]);
}

pub async fn deleted_hard(stage: &Stage) {
    let id = stage.fresh().await;
    let file = stage.file(&id, "form", "x").await;
    stage.delete(&format!("instances/{id}"), &user()).await.is(200);
    let got = stage.delete(&format!("instances/{id}?Hard=True"), &user()).await.is(200).json();
    let status = &got["status"];
    assert!(status["isSoftDeleted"] == true && status["isHardDeleted"] == true);
    assert!(status["softDeleted"].as_str() < status["hardDeleted"].as_str());
    stage.get(&format!("instances/{id}/data/{file}"), &owner()).await.is(200);
    stage.put(&format!("sbl/instances/{id}/undelete"), &user(), &json!({})).await.is(404);
    stage.delete(&format!("instances/{id}?hard=yes"), &user()).await.is(400);
}

pub async fn kept_for_days(stage: &Stage) {
    let app = stage.app(json!({ "preventInstanceDeletionForDays": 30 })).await;
    let id = stage.instance(&app).await;
    let now = jiff::Timestamp::now().to_string();
    let end = json!({ "ended": now, "endEvent": "EndEvent_1" });
    stage.put(&format!("instances/{id}/process"), &user(), &end).await.is(200);
    stage.delete(&format!("instances/{id}"), &user()).await.is(403);
    let open = stage.instance(&app).await;
    stage.delete(&format!("instances/{open}"), &user()).await.is(200);
}

pub async fn lock_is_taken_once(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/lock");
    let ttl = |seconds: i64| json!({ "ttlSeconds": seconds });
    stage.post(&path, &user(), &ttl(-1)).await.is(400);
    let first = stage.post(&path, &user(), &ttl(300)).await.is(200).json();
    let held = stage.post(&path, &owner(), &ttl(300)).await.is(409);
    assert!(held.header("content-type").starts_with("application/problem+json"));
    let patch = async |token: &str, seconds: i64| {
        let headers = [("content-type", "application/json"), ("Altinn-Storage-Lock-Token", token)];
        let body = ttl(seconds).to_string();
        stage.send(Method::PATCH, &path, Some(&user()), &headers, body).await.status
    };
    let first = first["lockToken"].as_str().unwrap();
    assert_eq!(patch(first, 300).await, 204);
    assert_eq!(patch(first, -1).await, 400);
    // The lock is a promise among its takers: other writes go on.
    stage.file(&id, "form", "x").await;
    assert_eq!(patch(first, 0).await, 204);
    assert_eq!(patch(first, 300).await, 422);
    let second = stage.post(&path, &user(), &ttl(300)).await.is(200).json();
    assert_eq!(patch(first, 300).await, 422);
    assert_eq!(patch(second["lockToken"].as_str().unwrap(), 0).await, 204);
}

pub async fn lock_by_many(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/lock");
    let (token, body) = (user(), json!({ "ttlSeconds": 300 }));
    let all = (0..8).map(|_| stage.post(&path, &token, &body));
    let mut statuses: Vec<u16> =
        futures_util::future::join_all(all).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
}

pub async fn lock_tokens(stage: &Stage) {
    use base64::Engine as _;
    let id = stage.fresh().await;
    let path = format!("instances/{id}/lock");
    let made = stage.post(&path, &user(), &json!({ "ttlSeconds": 300 })).await.is(200).json();
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let bytes = engine.decode(made["lockToken"].as_str().unwrap()).unwrap();
    let token: Value = serde_json::from_slice(&bytes).unwrap();
    let with =
        |id: Value, secret: Value| engine.encode(json!({ "id": id, "secret": secret }).to_string());
    for (text, status) in [
        (String::new(), 400),
        ("garbage".to_owned(), 400),
        (with(json!("x"), token["secret"].clone()), 400),
        (with(token["id"].clone(), json!("AAAA")), 403),
        (with(json!(99), token["secret"].clone()), 404),
        (with(json!(-1), token["secret"].clone()), 404),
    ] {
        let headers =
            [("content-type", "application/json"), ("altinn-storage-lock-token", text.as_str())];
        let body = "{\"ttlSeconds\":1}";
        let answer = stage.send(Method::PATCH, &path, Some(&user()), &headers, body).await;
        assert_eq!(answer.status, status, "{text}");
    }
}
