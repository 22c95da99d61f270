//! The management surface over every backend.

use axum::http::Method;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::stage::{Answer, KEY, PARTY, Stage, user};

const DATA: &str = "/storage/local/data";

async fn ask(
    stage: &Stage,
    method: Method,
    path: &str,
    body: impl Into<axum::body::Body>,
) -> Answer {
    let headers = [("content-type", "application/json")];
    stage.send(method, path, Some(KEY), &headers, body).await
}

async fn tally(stage: &Stage, app: &str) -> Value {
    ask(stage, Method::GET, &format!("{DATA}?app={app}"), "").await.is(200).json()
}

async fn export(stage: &Stage, app: &str) -> Bytes {
    ask(stage, Method::GET, &format!("{DATA}/export?app={app}"), "").await.is(200).body
}

pub async fn only_with_the_key(stage: &Stage) {
    for (method, path) in [
        (Method::GET, "/storage/local/about"),
        (Method::GET, "/storage/local/faults"),
        (Method::PUT, "/storage/local/faults"),
        (Method::POST, "/storage/local/faults"),
        (Method::DELETE, "/storage/local/faults"),
        (Method::GET, DATA),
        (Method::DELETE, DATA),
        (Method::GET, "/storage/local/data/export"),
        (Method::POST, "/storage/local/data/import"),
        (Method::POST, "/storage/local/data/seed"),
    ] {
        let good = user();
        for token in [None, Some("wrong"), Some(good.as_str())] {
            let answer = stage.send(method.clone(), path, token, &[], "{}").await.is(401);
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    for path in ["/events/local/about", "/events/metrics", "/none/health/live"] {
        stage.send(Method::GET, path, Some(KEY), &[], "").await.is(404);
    }
    let about = ask(stage, Method::GET, "/storage/local/about", "").await.is(200).json();
    assert_eq!(
        (&about["service"], &about["health"]["status"]),
        (&json!("storage"), &json!("Healthy"))
    );
    assert!(about["requests"].as_u64().unwrap() > 0);
    for path in ["health/live", "health/ready", "metrics", "openapi.json"] {
        stage.send(Method::GET, &format!("/Storage/{path}"), None, &[], "").await.is(200);
    }
}

pub async fn faults_strike(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let id = stage.instance(&app).await;
    let path = format!("/storage/api/v1/instances/{id}");
    let rules = json!({ "rules": [
        { "path": path, "every": 2, "status": 503, "retryAfter": 7, "times": 2 },
        { "path": format!("{path}/events"), "expiredToken": true },
        { "path": format!("{path}/dataelements"), "status": 418, "body": { "title": "a teapot" } },
        { "path": format!("{path}/process/history"), "cut": true },
        { "path": "/storage/local/**", "status": 500 }, { "path": "/health/**", "status": 500 },
    ] });
    ask(stage, Method::PUT, "/storage/local/faults", rules.to_string()).await.is(200);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let answer = stage.get(&path, &user()).await;
        if answer.status == 503 {
            assert_eq!(answer.header("retry-after"), "7");
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 503, 200, 503, 200, 200]);
    let expired = stage.get(&format!("{path}/events"), &user()).await.is(401);
    assert!(expired.header("www-authenticate") == "Bearer" && expired.body.is_empty());
    let teapot = stage.get(&format!("{path}/dataelements"), &user()).await.is(418);
    assert_eq!(teapot.json()["title"], "a teapot");
    let request = axum::http::Request::builder()
        .uri(format!("{path}/process/history"))
        .header("authorization", format!("Bearer {}", user()));
    let answer = stage.front.answer(request.body(axum::body::Body::empty()).unwrap()).await;
    assert!(http_body_util::BodyExt::collect(answer.into_body()).await.is_err());
    stage.send(Method::GET, "/health/ready", None, &[], "").await.is(200);
    let told = ask(stage, Method::GET, "/storage/local/faults", "").await.is(200).json();
    assert_eq!((&told["rules"][0]["asked"], &told["rules"][0]["struck"]), (&json!(6), &json!(2)));
    let metrics = stage.send(Method::GET, "/storage/metrics", None, &[], "").await.is(200);
    let text = String::from_utf8_lossy(&metrics.body).into_owned();
    assert!(text.contains("altinn_faults_total{service=\"storage\",rule=\"1\"} 2"), "{text}");
    ask(stage, Method::POST, "/storage/local/faults", "{\"status\":99}").await.is(400);
    let rules = ask(stage, Method::DELETE, "/storage/local/faults", "").await.is(200).json();
    assert_eq!(rules["rules"].as_array().unwrap().len(), 6);
    stage.get(&format!("{path}/events"), &user()).await.is(200);
}

/// Files are looked at a moment after they came: what that told may be there or not.
fn without_scans(mut instance: Value) -> Value {
    for element in instance["data"].as_array_mut().unwrap() {
        element.as_object_mut().unwrap().remove("fileScanResult");
    }
    instance
}

pub async fn there_and_back(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let other = stage.fresh().await;
    let mut before = Vec::new();
    for _ in 0..3 {
        let id = stage.instance(&app).await;
        let file = stage.file(&id, "file", "some bytes").await;
        stage
            .post(&format!("instances/{id}/lock"), &user(), &json!({ "ttlSeconds": 300 }))
            .await
            .is(200);
        let texts = json!({ "texts": { "t": "æ\n" } });
        stage.put(&format!("instances/{id}/presentationtexts"), &user(), &texts).await.is(200);
        let instance = stage.get(&format!("instances/{id}"), &user()).await.is(200).json();
        before.push((id.clone(), file, instance, stage.events(&id).await));
    }
    let large = Bytes::from(vec![b'x'; 9_000_000]);
    let path = format!("instances/{}/data?dataType=file", before[0].0);
    stage.send(Method::POST, &path, Some(&user()), &[], large).await.is(201);
    before[0].2 = stage.get(&format!("instances/{}", before[0].0), &user()).await.is(200).json();
    before[0].3 = stage.events(&before[0].0).await;
    let counted = tally(stage, &app).await;
    assert_eq!(
        counted,
        json!({ "applications": 1, "texts": 0, "instances": 3, "files": 4, "events": counted["events"] })
    );

    let archive = export(stage, &app).await;
    assert!(archive.len() > 9_000_000 && archive.starts_with(b"altinn-local.json"));
    // Nothing is replaced.
    let import = format!("{DATA}/import");
    let refused = ask(stage, Method::POST, &import, archive.clone()).await.is(409);
    assert!(String::from_utf8_lossy(&refused.body).contains("documents/000001.ndjson, line 2"));

    let gone = ask(stage, Method::DELETE, &format!("{DATA}?app={app}"), "").await.is(200).json();
    assert_eq!((&gone["instances"], &gone["files"]), (&json!(3), &json!(4)));
    for (id, ..) in &before {
        stage.get(&format!("instances/{id}"), &user()).await.is(404);
    }
    stage.get(&format!("instances/{other}"), &user()).await.is(200);
    assert_eq!(tally(stage, &app).await["applications"], 1);

    // A part, or damage at the end, leaves nothing behind.
    for length in [600, 3000, archive.len() / 2, archive.len() - 2048] {
        ask(stage, Method::POST, &import, archive.slice(..length)).await.is(400);
        assert_eq!(tally(stage, &app).await["instances"], 0);
    }
    let taken = ask(stage, Method::POST, &import, archive.clone()).await.is(200).json();
    assert_eq!((&taken["kept"]["instances"], &taken["blobs"]), (&json!(3), &json!(4)));
    for (id, file, instance, events) in &before {
        let there = stage.get(&format!("instances/{id}"), &user()).await.is(200).json();
        assert_eq!(without_scans(there), without_scans(instance.clone()));
        assert_eq!(&stage.events(id).await, events);
        let bytes = stage.get(&format!("instances/{id}/data/{file}"), &user()).await.is(200).body;
        assert_eq!(bytes, "some bytes");
        // The lock came along.
        stage
            .post(&format!("instances/{id}/lock"), &user(), &json!({ "ttlSeconds": 1 }))
            .await
            .is(409);
    }
    assert_eq!(export(stage, &app).await.len(), archive.len());
}

pub async fn what_is_no_archive(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let id = stage.instance(&app).await;
    stage.file(&id, "file", "some bytes").await;
    let archive = export(stage, &app).await;
    ask(stage, Method::DELETE, &format!("{DATA}?app={app}"), "").await.is(200);
    let text = String::from_utf8_lossy(&archive).into_owned();
    let import = format!("{DATA}/import");
    for (old, new, told) in [
        ("altinn-local/data/1", "altinn-local/data/2", "altinn-local/data/2"),
        ("\"kind\":\"instance\"", "\"kind\":\"instancE\"", "documents/000001.ndjson, line 2"),
        (&format!("\"id\":\"{PARTY}/"), &format!("\"id\":\"{}/", PARTY + 1), "line 2"),
        (
            &format!("\"appId\":\"{app}"),
            &format!("\"appId\":\"{}", app.replace("ttd", "../")),
            "line 2",
        ),
        ("\"org\":\"ttd\",\"process", "\"org\":\"abc\",\"process", "line 2"),
        ("{\"documents\":2", "{\"documents\":3", "end.json"),
    ] {
        if !text.contains(old) {
            assert!(old.contains("process"), "{old} is not in the archive");
            continue;
        }
        let changed = text.replacen(old, new, 1);
        let refused = ask(stage, Method::POST, &import, changed).await.is(400);
        let said = String::from_utf8_lossy(&refused.body).into_owned();
        assert!(said.contains(told), "{told}: {said}");
        assert_eq!(tally(stage, &app).await["instances"], 0);
    }
    for body in ["", "x", "{}"] {
        ask(stage, Method::POST, &import, body).await.is(400);
    }
    ask(stage, Method::POST, &import, archive).await.is(200);
    ask(stage, Method::GET, &format!("{DATA}?app=../x"), "").await.is(400);
}

pub async fn seeded(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let wanted = |seed: u64, count: u32| {
        json!({
            "app": app, "count": count, "seed": seed,
            "owners": [{ "partyId": PARTY, "userId": 1337 }, { "partyId": 501_337, "userId": 1337 }],
        })
        .to_string()
    };
    let seed = format!("{DATA}/seed");
    let answer = ask(stage, Method::POST, &seed, wanted(7, 150)).await.is(200);
    let lines: Vec<Value> = String::from_utf8_lossy(&answer.body)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0], json!({ "made": 100, "of": 150 }));
    let done = &lines[1];
    assert_eq!((&done["instances"], &done["files"]), (&json!(150), &json!(300)));
    let found = |seed: &Value| {
        let mut ids: Vec<String> = seed["instances"]
            .as_array()
            .unwrap()
            .iter()
            .map(|instance| {
                let files = instance["data"].as_array().unwrap().iter();
                let files: Vec<String> =
                    files.map(|file| format!("{} {}", file["id"], file["size"])).collect();
                format!("{} {} {files:?}", instance["id"], instance["status"]["isArchived"])
            })
            .collect();
        ids.sort();
        ids
    };
    let path = format!("instances?appId={app}&org=ttd&size=200");
    let first = stage.get(&path, &crate::stage::owner()).await.is(200).json();
    assert_eq!(first["count"], 150);
    let text = first.to_string();
    assert!(text.contains("\"isArchived\":true") && text.contains("\"isArchived\":false"));
    // Again, and all is there; after a reset, the same comes back; another seed makes others.
    let again = ask(stage, Method::POST, &seed, wanted(7, 150)).await.is(200);
    assert!(String::from_utf8_lossy(&again.body).contains("\"alreadyThere\":150"));
    ask(stage, Method::DELETE, &format!("{DATA}?app={app}"), "").await.is(200);
    ask(stage, Method::POST, &seed, wanted(7, 150)).await.is(200);
    let second = stage.get(&path, &crate::stage::owner()).await.is(200).json();
    assert_eq!(found(&first), found(&second));
    ask(stage, Method::POST, &seed, wanted(8, 2)).await.is(200);
    assert_eq!(tally(stage, &app).await["instances"], 152);
    for wrong in [
        json!({ "app": "ttd/none", "count": 1, "owners": [{ "partyId": 1, "userId": 1 }] }),
        json!({ "app": app, "count": 1, "owners": [] }),
        json!({ "app": app, "count": 1_000_000, "owners": [{ "partyId": 1, "userId": 1 }] }),
        json!({ "app": app, "count": 1, "owners": [{ "partyId": 1, "userId": 1 }],
                "files": [{ "dataType": "none", "contentType": "a/b", "content": "eA==" }] }),
        json!({ "app": app, "count": 1, "owners": [{ "partyId": 1, "userId": 1 }],
                "files": [{ "dataType": "form", "contentType": "a/b", "content": "?" }] }),
    ] {
        let status = ask(stage, Method::POST, &seed, wrong.to_string()).await.status;
        assert!(status == 400 || status == 404, "{wrong}: {status}");
    }
    let form = json!({
        "app": app, "count": 1, "seed": 99, "owners": [{ "partyId": PARTY, "userId": 1337 }],
        "files": [{ "dataType": "form", "contentType": "application/xml", "content": "PGEvPg==" }],
    });
    let answer = ask(stage, Method::POST, &seed, form.to_string()).await.is(200);
    assert!(String::from_utf8_lossy(&answer.body).contains("\"files\":1"));
}
