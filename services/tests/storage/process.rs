//! Process, events, signatures.

use axum::http::Method;
use serde_json::{Value, json};

use crate::stage::{PARTY, Stage, owner, reader, user};

fn task(id: &str, kind: &str) -> Value {
    json!({
        "started": "2024-01-01T00:00:00Z", "startEvent": "StartEvent_1",
        "currentTask": { "elementId": id, "altinnTaskType": kind, "flowType": "CompleteCurrentMoveToNext" },
    })
}

fn event(instance: &str, kind: &str, process: Value, at: &str) -> Value {
    json!({
        "instanceId": instance, "instanceOwnerPartyId": PARTY.to_string(), "eventType": kind,
        "created": at, "processInfo": process,
        "user": { "userId": 1337, "authenticationLevel": 3, "nationalIdentityNumber": "01039012345" },
    })
}

pub async fn moves_to_the_end(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/process");
    let got = stage.put(&path, &user(), &task("Task_2", "confirmation")).await.is(200).json();
    assert_eq!(got["process"]["currentTask"]["elementId"], "Task_2");
    assert_eq!(got["status"]["isArchived"], false);
    let end = json!({ "started": "2024-01-01T00:00:00Z", "ended": "2024-02-01T00:00:00Z", "endEvent": "End_1" });
    let got = stage.put(&path, &user(), &end).await.is(200).json();
    assert_eq!(got["status"]["isArchived"], true);
    assert_eq!(got["status"]["archived"], "2024-02-01T00:00:00.000000Z");
    stage.put(&path, &user(), &end).await.is(403);
}

pub async fn rules_of_the_next_step(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let bare = json!({ "instanceOwner": { "partyId": PARTY } });
    let made = stage.post(&format!("instances?appId={app}"), &user(), &bare).await.is(201).json();
    let path = format!("instances/{}/process", made["id"].as_str().unwrap());
    stage.put(&path, &user(), &task("Task_1", "data")).await.is(403);
    let id = stage.instance(&app).await;
    let path = format!("instances/{id}/process");
    stage.put(&path, &user(), &task("Task_s", "special")).await.is(200);
    stage.put(&path, &user(), &task("Task_2", "data")).await.is(403);
    let mut back = task("Task_1", "data");
    back["currentTask"]["flowType"] = json!("AbandonCurrentReturnToNext");
    stage.put(&path, &user(), &back).await.is(200);
    let mut away = task("Task_2", "special");
    away["currentTask"]["flowType"] = json!("AbandonCurrentMoveToNext");
    stage.put(&path, &reader(), &away).await.is(403);
    stage.put(&path, &user(), &away).await.is(200);
    stage.put(&path, &owner(), &task("Task_3", "signing")).await.is(200);
    assert!(stage.events(&id).await.contains(&"SentToSign".to_owned()));
}

pub async fn events_must_fit(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/process/instanceandevents");
    let state = task("Task_2", "confirmation");
    let at = "2024-01-01T00:00:00Z";
    let other = format!("{PARTY}/{}", uuid::Uuid::new_v4());
    let mut nobody = event(&id, "process_StartTask", state.clone(), at);
    nobody["user"] = json!({});
    for events in [json!([nobody]), json!([event(&other, "process_StartTask", state.clone(), at)])]
    {
        let body = json!({ "state": state, "events": events });
        stage.put(&path, &user(), &body).await.is(400);
    }
    stage.put(&path, &user(), &json!({ "events": [] })).await.is(400);
    stage.put(&path, &user(), &json!({ "state": state, "events": {} })).await.is(400);
    let got = stage.get(&format!("instances/{id}"), &user()).await.json();
    assert_eq!(got["process"]["currentTask"]["elementId"], "Task_1");
    let events = json!([event(&id, "process_StartTask", state.clone(), at)]);
    stage.put(&path, &user(), &json!({ "state": state, "events": events })).await.is(200);
    assert!(stage.events(&id).await.contains(&"process_StartTask".to_owned()));
}

pub async fn history_tells(stage: &Stage) {
    let id = stage.fresh().await;
    let (one, two) = (task("Task_1", "data"), task("Task_2", "confirmation"));
    let end = json!({ "ended": "2024-01-05T00:00:00Z", "endEvent": "End_1" });
    let events = json!([
        event(&id, "process_StartEvent", one.clone(), "2024-01-01T00:00:00Z"),
        event(&id, "process_StartTask", one.clone(), "2024-01-01T00:00:01Z"),
        event(&id, "process_EndTask", one, "2024-01-02T00:00:00Z"),
        event(&id, "process_StartTask", two.clone(), "2024-01-02T00:00:01Z"),
        event(&id, "process_EndTask", two, "2024-01-05T00:00:00Z"),
        event(&id, "process_EndEvent", end.clone(), "2024-01-05T00:00:01Z"),
    ]);
    let path = format!("instances/{id}/process/instanceandevents?deleteGeneratedElements=false");
    stage.put(&path, &user(), &json!({ "state": end, "events": events })).await.is(200);
    let got = stage.get(&format!("instances/{id}/process/history"), &reader()).await.is(200).json();
    let lines = got["processHistory"].as_array().unwrap();
    let ids: Vec<_> = lines.iter().map(|line| line["elementId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["StartEvent_1", "Task_1", "Task_2", "End_1"]);
    assert_eq!(lines[1]["started"], "2024-01-01T00:00:01.000000Z");
    assert_eq!(lines[1]["ended"], "2024-01-02T00:00:00.000000Z");
    assert_eq!(lines[0]["performedBy"], "01039012345");
    assert!(lines[0]["occured"].is_string());
}

pub async fn generated_go(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/data?dataType=form&generatedFromTask=Task_2");
    stage.send(Method::POST, &path, Some(&user()), &[], "x").await.is(201);
    stage.file(&id, "form", "stays").await;
    let path = format!("instances/{id}/process/instanceandevents");
    let body = |to: &str| json!({ "state": task(to, "data"), "events": [] });
    let left = async |query: &str, to: &str| {
        let path = format!("{path}{query}");
        let got = stage.put(&path, &user(), &body(to)).await.is(200).json();
        got["data"].as_array().unwrap().len()
    };
    assert_eq!(left("?deleteGeneratedElements=false", "Task_2").await, 2);
    assert_eq!(left("", "Task_1").await, 2);
    assert_eq!(left("", "Task_2").await, 1);
}

pub async fn two_move_it_once(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/process");
    let (token, body) = (user(), task("Task_2", "confirmation"));
    let end = json!({ "ended": "2024-02-01T00:00:00Z", "endEvent": "End_1" });
    let all = [&body, &end].map(|body| stage.put(&path, &token, body));
    let statuses: Vec<u16> =
        futures_util::future::join_all(all).await.iter().map(|answer| answer.status).collect();
    // Either both ran one after the other, or the later one saw that the task had changed.
    assert!(statuses.contains(&200) && statuses.iter().all(|status| [200, 403].contains(status)));
}

pub async fn auth_info(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let id = stage.instance(&app).await;
    let path = format!("instances/{id}/process/authinfo");
    let got = stage.get(&path, &user()).await.is(200).json();
    assert_eq!(got["appId"], json!(app));
    assert_eq!(got["process"]["currentTask"]["elementId"], "Task_1");
}

pub async fn events_are_found(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/events");
    stage.post(&path, &user(), &json!({ "eventType": "Saved" })).await.is(400);
    let made = event(&id, "Saved", json!({}), "2024-03-01T00:00:00Z");
    let made = stage.post(&path, &user(), &made).await.is(201).json();
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    assert_eq!(stage.get(&one, &reader()).await.is(200).json(), made);
    stage.get(&format!("{path}/{}", uuid::Uuid::new_v4()), &user()).await.is(404);
    let count = async |query: &str| {
        let got = stage.get(&format!("{path}?{query}"), &user()).await.is(200).json();
        got["instanceEvents"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 2);
    assert_eq!(count("eventTypes=saved").await, 1);
    assert_eq!(count("eventTypes=Saved&eventTypes=Created").await, 2);
    assert_eq!(count("from=2024-02-01&to=2024-04-01T00:00:00Z").await, 1);
    assert_eq!(count("from=2024-02-01").await, 2);
    stage.get(&format!("{path}?from=x"), &user()).await.is(400);
}

pub async fn signed(stage: &Stage) {
    let id = stage.fresh().await;
    let file = stage.file(&id, "form", "abc").await;
    let path = format!("instances/{id}/sign");
    let body = |kind: &str, data: &str, signee: Value| {
        json!({
            "signatureDocumentDataType": kind, "generatedFromTask": "Task_1", "signee": signee,
            "dataElementSignatures": [{ "dataElementId": data, "signed": true }],
        })
    };
    let signee = json!({ "userId": "1337", "personNumber": "01039012345" });
    let none = uuid::Uuid::new_v4().to_string();
    stage.post(&path, &user(), &body("signature", &file, json!({}))).await.is(400);
    stage.post(&path, &user(), &body("none", &file, signee.clone())).await.is(405);
    stage.post(&path, &user(), &body("signature", &none, signee.clone())).await.is(404);
    stage.post(&path, &reader(), &body("signature", &file, signee.clone())).await.is(403);
    let done = stage.post(&path, &user(), &body("signature", &file, signee)).await.is(201);
    assert_eq!(done.body, "SignDocument is created");
    let instance = stage.get(&format!("instances/{id}"), &user()).await.json();
    let element = instance["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|element| element["dataType"] == "signature")
        .unwrap()
        .clone();
    let document = stage
        .get(&format!("instances/{id}/data/{}", element["id"].as_str().unwrap()), &user())
        .await
        .is(200)
        .json();
    // SHA-256 of `abc` as FIPS 180 gives it.
    assert_eq!(
        document["dataElementSignatures"][0]["sha256Hash"],
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(document["signeeInfo"]["userId"], "1337");
    assert!(stage.events(&id).await.contains(&"Signed".to_owned()));
}
