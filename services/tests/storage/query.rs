//! Queries.

use axum::http::Method;
use serde_json::{Value, json};

use crate::stage::{PARTY, Stage, bare_org, owner, stranger, user};

async fn ids(stage: &Stage, token: &str, query: &str) -> Vec<String> {
    let got = stage.get(&format!("instances?{query}"), token).await.is(200).json();
    assert_eq!(got["count"], got["instances"].as_array().unwrap().len());
    let id = |instance: &Value| instance["id"].as_str().unwrap().to_owned();
    got["instances"].as_array().unwrap().iter().map(id).collect()
}

pub async fn filters(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let (a, b, c) =
        (stage.instance(&app).await, stage.instance(&app).await, stage.instance(&app).await);
    let texts = json!({ "texts": { "name": "Åses 100% Ølbryggeri_x" } });
    stage.put(&format!("instances/{a}/presentationtexts"), &user(), &texts).await.is(200);
    stage
        .send(Method::POST, &format!("instances/{b}/complete"), Some(&owner()), &[], "")
        .await
        .is(200);
    let end = json!({ "ended": "2024-02-01T00:00:00Z", "endEvent": "End_1" });
    stage.put(&format!("instances/{b}/process"), &user(), &end).await.is(200);
    stage.delete(&format!("instances/{c}"), &user()).await.is(200);
    let reference = &a[a.len() - 12..];
    for (query, hits) in [
        ("", &[&c, &b, &a][..]),
        ("&order=asc:lastChanged", &[&a, &b, &c]),
        ("&status.isArchived=true", &[&b]),
        ("&Status.IsArchived=False&status.isSoftDeleted=false", &[&a]),
        ("&status.isHardDeleted=true", &[]),
        ("&process.isComplete=true", &[&b]),
        ("&process.isComplete=false", &[&c, &a]),
        ("&process.currentTask=Task_1", &[&c, &a]),
        ("&process.currentTask=task_1", &[]),
        ("&process.endEvent=ignored", &[&c, &b, &a]),
        ("&excludeConfirmedBy=ttd", &[&c, &a]),
        ("&excludeConfirmedBy=%25", &[&c, &b, &a]),
        ("&confirmed=true", &[&b]),
        ("&searchString=%C3%A5SES", &[&a]),
        ("&searchString=100%25", &[&a]),
        ("&searchString=100_", &[]),
        ("&searchString=nothing", &[]),
        ("&instanceOwner.partyId=500000", &[&c, &b, &a]),
        ("&instanceOwner.partyId=1", &[]),
        ("&mainVersionInclude=2", &[]),
        ("&mainVersionExclude=3", &[]),
        ("&mainVersionInclude=3&unknown=key", &[&c, &b, &a]),
        (&format!("&dataValues.A3Ref={reference}"), &[&a]),
        ("&status.isArchived=", &[&c, &b, &a]),
    ] {
        let found = ids(stage, &owner(), &format!("appId={app}{query}")).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), hits, "{query}");
    }
    stage.file(&a, "form", "x").await;
    let data = async |more: &str| {
        let path = format!("instances?appId={app}&dataValues.A3Ref={reference}{more}");
        stage.get(&path, &owner()).await.is(200).json()["instances"][0]["data"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((data("").await, data("&includeDataElements=false").await), (1, 0));
}

pub async fn dates(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let body = json!({
        "instanceOwner": { "partyId": PARTY }, "dueBefore": "2030-06-01T00:00:00Z",
        "visibleAfter": "2020-01-01T00:00:00Z",
    });
    stage.post(&format!("instances?appId={app}"), &user(), &body).await.is(201);
    for (query, hits) in [
        ("dueBefore=gt:2030-01-01&dueBefore=lt:2031-01-01", 1),
        ("dueBefore=gte:2030-06-01T00:00:00Z", 1),
        ("dueBefore=eq:2030-06-01T02:00:00%2B02:00", 1),
        ("dueBefore=gt:2030-06-01T00:00:00Z", 0),
        ("visibleAfter=lte:2020-01-01", 1),
        ("created=gt:2020-01-01", 1),
        ("created=lt:2020-01-01", 0),
        ("lastChanged=gt:2020-01-01&lastChanged=lt:2021-01-01", 0),
        ("process.ended=gt:2020-01-01", 0),
    ] {
        let found = ids(stage, &owner(), &format!("appId={app}&{query}")).await;
        assert_eq!(found.len(), hits, "{query}");
    }
}

pub async fn pages(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(stage.instance(&app).await);
    }
    for (order, expected) in
        [("asc:lastChanged", made.clone()), ("desc:lastChanged", made.into_iter().rev().collect())]
    {
        let mut path = format!("/storage/api/v1/instances?appId={app}&size=3&order={order}");
        let mut found = Vec::new();
        loop {
            let page = stage.get(&path, &owner()).await.is(200).json();
            assert!(page["self"].as_str().unwrap().starts_with("http://platform:1/storage/"));
            let hits = page["instances"].as_array().unwrap();
            found.extend(hits.iter().map(|hit| hit["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            path = next.strip_prefix("http://platform:1").unwrap().to_owned();
        }
        assert_eq!(found, expected, "{order}");
    }
}

pub async fn who_may_ask(stage: &Stage) {
    for (token, query, status) in [
        (owner(), "", 400),
        (owner(), "org=ttd", 200),
        (owner(), "appId=ttd/none", 200),
        (owner(), "org=skd", 400),
        (owner(), "org=skd&appId=skd/app", 200),
        (bare_org(), "org=ttd", 403),
        (user(), "appId=ttd/none", 400),
        (user(), "instanceOwner.partyId=500000&size=1", 200),
        (crate::stage::designer(), "org=ttd", 400),
    ] {
        let answer = stage.get(&format!("instances?{query}"), &token).await;
        assert_eq!(answer.status, status, "{query}");
    }
}

pub async fn only_readable(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    stage.instance(&app).await;
    let query = format!("appId={app}&instanceOwner.partyId={PARTY}");
    assert_eq!(ids(stage, &user(), &query).await.len(), 1);
    assert_eq!(ids(stage, &stranger(), &query).await.len(), 0);
}

pub async fn deleted_ones(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let id = stage.instance(&app).await;
    stage.delete(&format!("instances/{id}?hard=true"), &user()).await.is(200);
    let query = format!("appId={app}&instanceOwner.partyId={PARTY}");
    for (token, more, hits) in [
        (user(), "", 0),
        (user(), "&status.isHardDeleted=true", 0),
        (owner(), "", 1),
        (owner(), "&status.isHardDeleted=true", 1),
    ] {
        assert_eq!(ids(stage, &token, &format!("{query}{more}")).await.len(), hits, "{more}");
    }
}

pub async fn by_identifier(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    stage.instance(&app).await;
    let ask = async |identifier: &str, more: &str| {
        let headers = [("X-Ai-InstanceOwnerIdentifier", identifier)];
        let path = format!("instances?appId={app}{more}");
        stage.send(Method::GET, &path, Some(&user()), &headers, "").await
    };
    assert_eq!(ask("organisation:897069650", "").await.is(200).json()["count"], 1);
    assert_eq!(ask("Organisation:991825827", "").await.is(200).json()["count"], 0);
    ask("organisation:897069650", "&instanceOwner.partyId=500000").await.is(400);
    for identifier in ["person:1", "organisation:x23456789", "897069650", "username:a"] {
        ask(identifier, "").await.is(400);
    }
}

pub async fn bad_questions(stage: &Stage) {
    for query in [
        "created=2020-01-01",
        "created=gt:x",
        "dueBefore=after:2020-01-01",
        "size=0",
        "size=-1",
        "size=many",
        "continuationToken=x",
        "confirmed=1",
        "process.isComplete=perhaps",
        "instanceOwner.partyId=x",
        "status.isArchived=2",
        "created=gt:99999-01-01",
    ] {
        let answer = stage.get(&format!("instances?org=ttd&{query}"), &owner()).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    for query in [
        "searchString=%00",
        "appId=%00",
        "process.currentTask=%F0%9F%98%80'--",
        "excludeConfirmedBy=%5C",
        "searchString=%5C%25_'",
    ] {
        stage.get(&format!("instances?org=ttd&size=1&{query}"), &owner()).await.is(200);
    }
}
