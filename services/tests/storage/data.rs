//! Files and what is known of them.

use axum::body::Body;
use axum::http::Method;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use crate::stage::{Stage, is_refusal, owner, reader, user};

async fn send(
    stage: &Stage,
    method: Method,
    path: &str,
    kind: &str,
    body: impl Into<Body>,
) -> crate::stage::Answer {
    stage.send(method, path, Some(&user()), &[("content-type", kind)], body).await
}

pub async fn raw_there_and_back(stage: &Stage) {
    let app = stage.app(Value::Null).await;
    let id = stage.instance(&app).await;
    let path = format!("instances/{id}/data?DataType=form&refs=a&refs=b&generatedFromTask=Task_9");
    let made = send(stage, Method::POST, &path, "application/xml", "<a>æ</a>").await.is(201);
    let element = made.json();
    let guid = id.split('/').nth(1).unwrap();
    let data = element["id"].as_str().unwrap();
    assert_eq!(element["instanceGuid"], json!(guid));
    assert_eq!(element["blobStoragePath"], json!(format!("{app}/{guid}/data/{data}")));
    assert_eq!(element["size"], 9);
    assert_eq!(element["refs"], json!(["a", "b"]));
    assert_eq!(element["references"][0]["value"], "Task_9");
    assert_eq!(element["isRead"], true);
    assert_eq!(element["tags"], json!([]));
    assert_eq!(element["fileScanResult"], "NotApplicable");
    assert!(element["filename"].is_null());
    assert_eq!(made.header("location"), element["selfLinks"]["platform"].as_str().unwrap());
    let got = stage.get(&format!("instances/{id}/data/{data}"), &reader()).await.is(200);
    assert_eq!(
        (got.body.as_ref(), got.header("content-type")),
        ("<a>æ</a>".as_bytes(), "application/xml")
    );
    assert_eq!(got.header("content-length"), "9");
    assert_eq!(got.header("content-disposition"), "");
    let instance = stage.get(&format!("instances/{id}"), &user()).await.is(200).json();
    assert_eq!(instance["data"], json!([element]));
    assert_eq!(instance["lastChanged"], element["lastChanged"]);
    assert_eq!(stage.events(&id).await, ["Created", "Created"]);
}

pub async fn form_there_and_back(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/data?dataType=form");
    let body = "--b\r\nContent-Disposition: form-data; name=f; filename=\"a b.txt\"\r\n\
                Content-Type: text/plain\r\n\r\nfirst\r\n--b\r\nContent-Disposition: form-data; \
                name=g\r\n\r\nsecond\r\n--b--\r\n";
    let kind = "multipart/form-data; boundary=b";
    let element = send(stage, Method::POST, &path, kind, body).await.is(201).json();
    assert_eq!(
        (&element["filename"], &element["contentType"]),
        (&json!("a b.txt"), &json!("text/plain"))
    );
    let data = format!("instances/{id}/data/{}", element["id"].as_str().unwrap());
    let got = stage.get(&data, &user()).await.is(200);
    assert_eq!(got.body, "first");
    assert_eq!(
        got.header("content-disposition"),
        "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"
    );
    for (kind, body) in [
        ("multipart/form-data", body),
        ("multipart/form-data; boundary=c", body),
        ("multipart/form-data; boundary=b", "--b--\r\n"),
        ("multipart/form-data; boundary=b", ""),
        ("multipart/form-data; boundary=b", "--b\r\nContent-Dis"),
        ("multipart/form-data; boundary=b", "--b\r\n\r\nnever ends"),
        ("multipart/form-data; boundary=\"", body),
    ] {
        let answer = send(stage, Method::POST, &path, kind, body).await;
        assert_eq!(answer.status, 400, "{kind} {body:.20}");
    }
    let all = stage.get(&format!("instances/{id}/dataelements"), &user()).await.is(200).json();
    assert_eq!(all["dataElements"].as_array().unwrap().len(), 1);
}

pub async fn empty_and_unknown(stage: &Stage) {
    let id = stage.fresh().await;
    let kind = "text/plain";
    let post = async |path: &str, body: &'static str| {
        send(stage, Method::POST, &format!("instances/{path}"), kind, body).await.status
    };
    assert_eq!(post(&format!("{id}/data?dataType=form"), "").await, 400);
    assert_eq!(post(&format!("{id}/data?dataType=none"), "x").await, 400);
    assert_eq!(post(&format!("{id}/data"), "x").await, 400);
    let none = uuid::Uuid::new_v4();
    assert_eq!(post(&format!("1/{none}/data?dataType=form"), "x").await, 404);
    let file = stage.file(&id, "form", "x").await;
    let one = format!("instances/{id}/data/{file}");
    send(stage, Method::PUT, &one, kind, "").await.is(422);
    assert_eq!(stage.get(&one, &user()).await.is(200).body, "x");
    let other = format!("instances/{id}/data/{none}");
    send(stage, Method::PUT, &other, kind, "x").await.is(404);
    stage.get(&other, &user()).await.is(404);
    stage.delete(&other, &user()).await.is(404);
    stage.get(&format!("instances/{id}/data/x"), &user()).await.is(404);
}

pub async fn names_of_files(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/data?dataType=form");
    for (given, name) in [
        ("attachment; filename=\"vedlegg.pdf\"", "vedlegg.pdf"),
        ("attachment; filename=x.pdf; filename*=UTF-8''bl%C3%A5b%C3%A6r.pdf", "blåbær.pdf"),
        ("attachment; filename=\"..\\..\\evil.pdf\"", "evil.pdf"),
        ("attachment; filename=\"../../../etc/passwd\"", "passwd"),
        ("attachment; filename=a%00b", "ab"),
    ] {
        let headers = [("content-type", "application/pdf"), ("content-disposition", given)];
        let element =
            stage.send(Method::POST, &path, Some(&user()), &headers, "x").await.is(201).json();
        assert_eq!(element["filename"], json!(name));
        let data = format!("instances/{id}/data/{}", element["id"].as_str().unwrap());
        let got = stage.get(&data, &user()).await.is(200);
        assert!(got.header("content-disposition").starts_with("attachment; filename="));
    }
}

pub async fn replaced(stage: &Stage) {
    let id = stage.fresh().await;
    let file = stage.file(&id, "form", "old and long").await;
    let path = format!("instances/{id}/data/{file}");
    let headers = [
        ("content-type", "application/json"),
        ("content-disposition", "attachment; filename=n.json"),
    ];
    let got = stage.send(Method::PUT, &path, Some(&user()), &headers, "{}").await.is(200).json();
    assert_eq!(
        (&got["size"], &got["contentType"], &got["filename"]),
        (&json!(2), &json!("application/json"), &json!("n.json"))
    );
    assert!(got["lastChanged"].as_str() > got["created"].as_str());
    let bytes = stage.get(&path, &user()).await.is(200);
    assert_eq!(
        (bytes.body.as_ref(), bytes.header("content-type")),
        (&b"{}"[..], "application/json")
    );
    assert_eq!(stage.events(&id).await, ["Created", "Created", "Saved"]);
}

pub async fn locked(stage: &Stage) {
    let id = stage.fresh().await;
    let file = stage.file(&id, "form", "x").await;
    let path = format!("instances/{id}/data/{file}");
    let lock = format!("{path}/lock");
    stage.put(&lock, &reader(), &json!({})).await.is(403);
    let first = stage.put(&lock, &user(), &json!({})).await.is(201);
    assert_eq!(first.header("location"), file);
    assert_eq!(stage.put(&lock, &user(), &json!({})).await.is(200).json()["locked"], true);
    send(stage, Method::PUT, &path, "text/plain", "y").await.is(409);
    assert_eq!(stage.get(&path, &user()).await.is(200).body, "x");
    assert_eq!(stage.delete(&lock, &user()).await.is(200).json()["locked"], false);
    send(stage, Method::PUT, &path, "text/plain", "y").await.is(200);
    let none = uuid::Uuid::new_v4();
    stage.put(&format!("instances/{id}/data/{none}/lock"), &user(), &json!({})).await.is(404);
    stage.put(&format!("instances/1/{none}/data/{none}/lock"), &user(), &json!({})).await.is(403);
}

pub async fn removed_now_or_later(stage: &Stage) {
    let id = stage.fresh().await;
    let (form, temporary) =
        (stage.file(&id, "form", "x").await, stage.file(&id, "temporary", "y").await);
    let path = |data: &str| format!("instances/{id}/data/{data}");
    stage.delete(&format!("{}?delay=true", path(&form)), &user()).await.is(400);
    stage.delete(&path(&form), &user()).await.is(200);
    stage.get(&path(&form), &user()).await.is(404);
    stage.delete(&path(&form), &user()).await.is(404);
    let later = stage.delete(&format!("{}?delay=True", path(&temporary)), &user()).await.is(200);
    assert_eq!(later.json()["deleteStatus"]["isHardDeleted"], true);
    stage.get(&path(&temporary), &user()).await.is(404);
    stage.get(&path(&temporary), &owner()).await.is(200);
    stage.delete(&path(&temporary), &user()).await.is(404);
    let seen = async |token: &str| {
        let instance = stage.get(&format!("instances/{id}"), token).await.is(200).json();
        instance["data"].as_array().unwrap().len()
    };
    assert_eq!((seen(&user()).await, seen(&owner()).await), (0, 1));
}

pub async fn metadata_of_files(stage: &Stage) {
    let id = stage.fresh().await;
    let file = stage.file(&id, "form", "x").await;
    let path = format!("instances/{id}/dataelements/{file}");
    let mut element =
        stage.get(&format!("instances/{id}"), &user()).await.json()["data"][0].clone();
    for (name, value) in [
        ("tags", json!(["a"])),
        ("userDefinedMetadata", json!([{ "key": "k", "value": "v" }])),
        ("size", json!(77)),
        ("filename", json!("changed")),
        ("blobStoragePath", json!("elsewhere")),
    ] {
        element[name] = value;
    }
    let got = stage.put(&path, &user(), &element).await.is(200).json();
    assert_eq!(
        (&got["tags"], &got["userDefinedMetadata"][0]["value"]),
        (&json!(["a"]), &json!("v"))
    );
    assert_eq!(got["size"], 1);
    assert!(got["filename"].is_null() && got["blobStoragePath"] != "elsewhere");
    element["id"] = json!(uuid::Uuid::new_v4());
    stage.put(&path, &user(), &element).await.is(400);
    stage.put(&path, &user(), &json!({ "id": file })).await.is(400);
    stage.put(&path, &user(), &json!({ "locked": "perhaps" })).await.is(400);
    let exists = |id: &str| format!("instances/dataelementexists/{id}");
    assert_eq!(stage.get(&exists(&file), &user()).await.is(200).json(), true);
    let none = uuid::Uuid::new_v4().to_string();
    assert_eq!(stage.get(&exists(&none), &user()).await.is(200).json(), false);
}

pub async fn scanned(stage: &Stage) {
    let id = stage.fresh().await;
    let file = stage.file(&id, "file", "x").await;
    let result = async || {
        let instance = stage.get(&format!("instances/{id}"), &user()).await.is(200).json();
        instance["data"][0]["fileScanResult"].as_str().unwrap().to_owned()
    };
    assert_eq!(result().await, "Pending");
    let path = format!("instances/{id}/dataelements/{file}/filescanstatus");
    stage.put(&path, &user(), &json!({ "fileScanResult": "Perhaps" })).await.is(400);
    stage.put(&path, &user(), &json!({ "fileScanResult": "Infected" })).await.is(200);
    assert_eq!(result().await, "Infected");
    let post = format!("instances/{id}/data/{file}");
    send(stage, Method::PUT, &post, "text/plain", "y").await.is(200);
    assert_eq!(result().await, "Pending");
    let virus = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";
    send(stage, Method::PUT, &post, "text/plain", virus).await.is(200);
    assert_eq!(result().await, "Infected");
}

pub async fn read_by_the_owner(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/data?dataType=form");
    stage.put(&format!("instances/{id}/readstatus?status=Read"), &user(), &json!({})).await.is(200);
    let made = stage.send(Method::POST, &path, Some(&owner()), &[], "x").await.is(201).json();
    assert_eq!(made["isRead"], false);
    let status = async || {
        let instance = stage.get(&format!("instances/{id}"), &user()).await.json();
        instance["status"]["readStatus"].as_str().unwrap().to_owned()
    };
    assert_eq!(status().await, "Unread");
    stage
        .get(&format!("instances/{id}/data/{}", made["id"].as_str().unwrap()), &user())
        .await
        .is(200);
    let read = stage.get(&format!("instances/{id}"), &user()).await.json();
    assert_eq!(read["data"][0]["isRead"], true);
    stage.put(&format!("instances/{id}/readstatus?status=Read"), &user(), &json!({})).await.is(200);
    assert_eq!(status().await, "Read");
    stage.send(Method::POST, &path, Some(&owner()), &[], "y").await.is(201);
    assert_eq!(status().await, "UpdatedSinceLastReview");
}

pub async fn large_in_pieces(stage: &Stage) {
    let id = stage.fresh().await;
    // Three pieces and a bit, so that neither the pieces nor their last one are whole.
    let piece = |number: u8| Bytes::from(vec![number; 1_000_003]);
    let body =
        Body::from_stream(stream::iter((0..13).map(move |n| Ok::<_, std::io::Error>(piece(n)))));
    let path = format!("instances/{id}/data?dataType=form");
    let made = send(stage, Method::POST, &path, "application/pdf", body).await.is(201).json();
    assert_eq!(made["size"], 13 * 1_000_003);
    let got =
        stage.get(&format!("instances/{id}/data/{}", made["id"].as_str().unwrap()), &user()).await;
    let expected: Vec<u8> = (0..13).flat_map(|n| vec![n; 1_000_003]).collect();
    assert!(got.is(200).body == expected, "every byte at its place");
}

pub async fn two_writers(stage: &Stage) {
    let id = stage.fresh().await;
    let file = stage.file(&id, "form", "x").await;
    let path = format!("instances/{id}/data/{file}");
    let writes = (1..=8_usize).map(|n| {
        let path = &path;
        async move { send(stage, Method::PUT, path, "text/plain", "w".repeat(n)).await.is(200) }
    });
    let adds = (0..8).map(|_| stage.file(&id, "form", "new"));
    futures_util::future::join(
        futures_util::future::join_all(writes),
        futures_util::future::join_all(adds),
    )
    .await;
    let instance = stage.get(&format!("instances/{id}"), &user()).await.is(200).json();
    let all = instance["data"].as_array().unwrap();
    assert_eq!(all.len(), 9, "none is lost");
    let size = all.iter().find(|element| element["id"] == file).unwrap()["size"].as_u64().unwrap();
    let bytes = stage.get(&path, &user()).await.is(200).body;
    assert_eq!(bytes.len() as u64, size, "document and bytes are of the same write");
}

pub async fn too_large(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/presentationtexts");
    let body = json!({ "texts": { "a": "x".repeat(3_000_000) } });
    stage.put(&path, &user(), &body).await.is(413);
}

pub async fn broken_off(stage: &Stage) {
    let id = stage.fresh().await;
    let file = stage.file(&id, "form", "whole").await;
    for size in [3_usize, 6_000_000] {
        let body = || {
            let parts = [Ok(Bytes::from(vec![7; size])), Err(std::io::Error::other("gone"))];
            Body::from_stream(stream::iter(parts))
        };
        let path = format!("instances/{id}/data?dataType=form");
        assert!(is_refusal(send(stage, Method::POST, &path, "text/plain", body()).await.status));
        let path = format!("instances/{id}/data/{file}");
        assert!(is_refusal(send(stage, Method::PUT, &path, "text/plain", body()).await.status));
        assert_eq!(stage.get(&path, &user()).await.is(200).body, "whole");
    }
    let instance = stage.get(&format!("instances/{id}"), &user()).await.json();
    assert_eq!(instance["data"].as_array().unwrap().len(), 1);
}

pub async fn needs_its_own_action(stage: &Stage) {
    let id = stage.fresh().await;
    let path = format!("instances/{id}/data?dataType=secret");
    send(stage, Method::POST, &path, "text/plain", "x").await.is(403);
    let made = stage.send(Method::POST, &path, Some(&owner()), &[], "x").await.is(201).json();
    let data = format!("instances/{id}/data/{}", made["id"].as_str().unwrap());
    stage.get(&data, &user()).await.is(403);
    stage.get(&data, &owner()).await.is(200);
    send(stage, Method::PUT, &data, "text/plain", "y").await.is(403);
    stage.delete(&data, &user()).await.is(403);
}

/// Bodies that nearly are forms: each is taken or refused, and what is refused leaves nothing behind.
pub async fn any_form(stage: &Stage) {
    use proptest::strategy::{Strategy, ValueTree};
    let id = stage.fresh().await;
    let path = format!("instances/{id}/data?dataType=form");
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let piece = "--b|--|\r\n|\n|Content-Disposition: |form-data; name=f|; filename=|\"|;|b|\u{e6}|\u{0}|x{0,9}|\\PC{0,9}";
    let body = proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat());
    let kind = "multipart/form-data(; boundary=(b|\"b\"|\"|[ -~]{0,9})?)?";
    let mut taken = 0;
    for _ in 0..200 {
        let kind = kind.new_tree(&mut runner).unwrap().current();
        let mut body = body.new_tree(&mut runner).unwrap().current();
        if body.len() % 2 == 0 {
            body = format!("--b\r\nContent-Disposition: {body}\r\n\r\n{body}\r\n--b--");
        }
        let answer = send(stage, Method::POST, &path, &kind, body.clone()).await;
        assert!(
            answer.status == 201 || is_refusal(answer.status),
            "{kind} {body:?}: {}",
            answer.status
        );
        taken += usize::from(answer.status == 201);
    }
    let instance = stage.get(&format!("instances/{id}"), &user()).await.is(200).json();
    assert_eq!(instance["data"].as_array().unwrap().len(), taken);
    assert!(taken > 0, "some are forms");
}
