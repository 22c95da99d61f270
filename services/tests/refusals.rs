//! Requests that fit no contract: never a 5xx for a client's mistake, and no word about what is not the caller's.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod world;

use std::collections::BTreeMap;

use altinn_services::kit::token::{SigningKey, jwt};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use world::{World, sign};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn every_mistake_has_its_answer() {
    let world = World::new(false).await;
    let user = world.user(1337).await;
    let ttd = world.get("/Home/GetTestOrgToken/ttd", "").await.1;
    let designer =
        world.token(&json!({ "urn:altinn:app": "studio.designer", "exp": jwt::now() + 60 }));
    let other = SigningKey::keep(&world.path("other")).unwrap();
    let foreign = sign(&other, &json!({ "urn:altinn:userid": "1337", "exp": jwt::now() + 60 }));
    let expired = world.token(&json!({ "urn:altinn:userid": "1337", "exp": jwt::now() - 60 }));
    let long = format!("\"{}\"", "1".repeat(3 * 1024 * 1024));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\">]><x>&a;</x>";
    let (u, o, d, none) = (user.as_str(), ttd.as_str(), designer.as_str(), "");
    let mut counted = BTreeMap::new();
    let json = "application/json";
    let rows: Vec<(&str, &str, &str, &str, &str, u16)> = vec![
        // Tokens.
        ("GET", "/profile/api/v1/users/current", none, "", "", 401),
        ("GET", "/profile/api/v1/users/current", "x", "", "", 401),
        ("GET", "/profile/api/v1/users/current", "a.b.c", "", "", 401),
        ("GET", "/profile/api/v1/users/current", &foreign, "", "", 401),
        ("GET", "/profile/api/v1/users/current", &expired, "", "", 401),
        ("GET", "/profile/api/v1/users/current", o, "", "", 400),
        ("GET", "/authentication/api/v1/refresh", none, "", "", 401),
        ("GET", "/authentication/api/v1/exchange/maskinporten", none, "", "", 401),
        ("GET", "/authentication/api/v1/exchange/maskinporten", &foreign, "", "", 401),
        ("GET", "/authentication/api/v1/exchange/maskinporten", u, "", "", 401),
        ("GET", "/authentication/api/v1/exchange/nobody", u, "", "", 400),
        ("GET", "/authentication/api/v1/exchange/id-porten", o, "", "", 401),
        ("GET", "/authentication/api/v1/exchange/maskinporten?test=perhaps", o, "", "", 400),
        ("GET", "/authentication/api/v1/exchange/altinnstudio", u, "", "", 401),
        // Names that are none.
        ("GET", "/profile/api/v1/users/x", u, "", "", 400),
        ("GET", "/profile/api/v1/users/99999999999999999999", u, "", "", 400),
        ("GET", "/profile/api/v1/users/7", u, "", "", 404),
        ("GET", "/profile/api/v1/users/byuuid/x", u, "", "", 400),
        (
            "GET",
            "/profile/api/v1/users/byuuid/00000000-0000-0000-0000-000000000007",
            u,
            "",
            "",
            404,
        ),
        ("GET", "/register/api/v1/parties/512345", u, "", "", 401),
        ("GET", "/register/api/v1/parties/7", u, "", "", 401),
        ("GET", "/register/api/v1/parties/7", o, "", "", 404),
        ("GET", "/register/api/v1/parties/-", o, "", "", 400),
        ("GET", "/register/api/v1/organizations/x", u, "", "", 404),
        ("GET", "/register/api/v1/persons", u, "", "", 400),
        ("GET", "/register/api/v1/parties/identifiers?ids=x", u, "", "", 400),
        ("GET", "/authorization/api/v1/parties", u, "", "", 404),
        ("GET", "/authorization/api/v1/parties?userid=0", u, "", "", 404),
        ("GET", "/authorization/api/v1/parties?userid=12345", u, "", "", 403),
        ("GET", "/authorization/api/v1/parties?userid=x", u, "", "", 400),
        ("GET", "/authorization/api/v1/parties/501337/validate", u, "", "", 404),
        ("GET", "/authorization/api/v1/parties/501337/validate?userid=12345", u, "", "", 403),
        ("GET", "/authorization/api/v1/roles", u, "", "", 400),
        (
            "GET",
            "/authorization/api/v1/roles?coveredByUserId=1337&offeredByPartyId=7",
            u,
            "",
            "",
            404,
        ),
        ("GET", "/authorization/api/v1/policies/roleswithaccess/ttd/nothing", none, "", "", 404),
        ("GET", "/authorization/api/v1/policies/roleswithaccess/TTD/..%2f", none, "", "", 400),
        ("GET", "/Home/GetTestUserToken/7", none, "", "", 404),
        ("GET", "/Home/GetTestUserToken/x", none, "", "", 400),
        ("GET", "/Home/GetTestUserToken", none, "", "", 400),
        ("GET", "/Home/GetTestUserToken/1337?authenticationLevel=5", none, "", "", 400),
        ("GET", "/Home/GetTestUserToken/1337?unknown=1&&=&%zz", none, "", "", 200),
        ("GET", "/Home/GetTestOrgToken", none, "", "", 400),
        ("GET", "/Home/GetTestOrgToken/abc", none, "", "", 400),
        ("GET", "/Home/GetTestOrgToken/ttd?orgNumber=x", none, "", "", 400),
        ("GET", "/Home/GetTestOrgToken/a%22b?orgNumber=405003309", none, "", "", 400),
        ("GET", "/Home/auth/systemuser?systemUserId=x", none, "", "", 400),
        ("GET", "/Home/auth/generate?type=9", none, "", "", 400),
        ("GET", "/Home/auth/selfidentifieduser?username=SophieDDG", none, "", "", 400),
        // Paths and methods.
        ("GET", "/nothing", none, "", "", 404),
        ("GET", "/profile/api/v1/users//1337", u, "", "", 404),
        ("GET", "/profile/api/v1/users/..%5cx", u, "", "", 400),
        ("GET", "/profile/api/v1/users/1337%00", u, "", "", 400),
        ("GET", "/profile/api/v1/users/%ff", u, "", "", 400),
        ("DELETE", "/profile/api/v1/users/1337", u, "", "", 405),
        ("PUT", "/authorization/api/v1/decision", none, json, "{}", 405),
        ("BREW", "/profile/api/v1/users/1337", u, "", "", 405),
        // Bodies.
        ("POST", "/profile/api/v1/users", u, json, "", 400),
        ("POST", "/profile/api/v1/users", u, json, "{", 400),
        ("POST", "/profile/api/v1/users", u, json, "7", 400),
        ("POST", "/profile/api/v1/users", u, json, "\"7\"", 404),
        ("POST", "/profile/api/v1/users", u, "text/plain", "\"01039012345\"", 415),
        ("POST", "/profile/api/v1/users", u, "", "\"01039012345\"", 415),
        (
            "POST",
            "/profile/api/v1/users",
            u,
            "application/problem+json; charset=utf-8",
            "\"01039012345\"",
            200,
        ),
        ("POST", "/profile/api/v1/users", u, json, &long, 413),
        ("POST", "/profile/api/v1/internal/user", none, json, "{}", 400),
        ("POST", "/register/api/v1/parties/lookup", u, json, "{}", 400),
        ("POST", "/register/api/v1/parties/lookup", u, json, "{\"ssn\":\"1\"}", 400),
        ("POST", "/register/api/v1/parties/lookup", u, json, "{\"orgNo\":\"89706965x\"}", 400),
        (
            "POST",
            "/register/api/v1/parties/lookup",
            u,
            json,
            "{\"orgNo\":\"897069650\",\"ssn\":\"01039012345\"}",
            400,
        ),
        ("POST", "/register/api/v1/parties/lookup", u, json, "{\"orgNo\":\"000000000\"}", 404),
        ("POST", "/register/api/v1/parties/partylist", none, json, "[]", 404),
        ("POST", "/register/api/v1/parties/partylist", none, json, "[\"x\"]", 400),
        ("POST", "/register/api/v1/parties/nameslookup", none, json, "{\"parties\":[]}", 400),
        ("POST", "/register/api/v1/apps/parties/query", none, json, "{\"data\":[7]}", 400),
        (
            "POST",
            "/register/api/v1/apps/parties/query",
            none,
            json,
            "{\"data\":[\"urn:altinn:user:id:x\"]}",
            200,
        ),
        (
            "PUT",
            "/profile/api/v1/users/current/profilesettings",
            u,
            json,
            "{\"language\":\"../x\"}",
            400,
        ),
        ("POST", "/maskinporten/token", none, "application/x-www-form-urlencoded", "", 400),
        (
            "POST",
            "/maskinporten/token",
            none,
            "application/x-www-form-urlencoded",
            "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=x",
            400,
        ),
        (
            "POST",
            "/maskinporten/token",
            none,
            "application/x-www-form-urlencoded",
            "grant_type=password",
            400,
        ),
        // Policies.
        (
            "POST",
            "/authorization/api/v1/policies?org=ttd&app=x",
            none,
            "application/xml",
            "<a/>",
            401,
        ),
        ("POST", "/authorization/api/v1/policies?org=ttd&app=x", u, "application/xml", "<a/>", 403),
        ("POST", "/authorization/api/v1/policies?org=ttd&app=x", d, "application/xml", "", 400),
        ("POST", "/authorization/api/v1/policies?org=ttd&app=x", d, "application/xml", "<a/>", 400),
        ("POST", "/authorization/api/v1/policies?org=ttd&app=x", d, "application/xml", bomb, 400),
        (
            "POST",
            "/authorization/api/v1/policies?org=ttd&app=x",
            d,
            "application/xml",
            "\u{0}",
            400,
        ),
        ("POST", "/authorization/api/v1/policies?app=x", d, "application/xml", "<a/>", 400),
        ("POST", "/authorization/api/v1/policies?org=..&app=x", d, "application/xml", "<a/>", 400),
        (
            "POST",
            "/authorization/api/v1/policies?org=ttd&app=..%2f..%2fx",
            d,
            "application/xml",
            "<a/>",
            400,
        ),
    ];
    for (method, path, token, kind, body, expected) in &rows {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = world.client.request(method.clone(), format!("{}{path}", world.base));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if !kind.is_empty() {
            request = request.header("content-type", *kind);
        }
        let answer = request.body((*body).to_owned()).send().await.unwrap();
        let status = answer.status().as_u16();
        *counted.entry(status).or_insert(0) += 1;
        if status == 401 {
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        }
        let text = answer.text().await.unwrap();
        assert_eq!(status, *expected, "{method} {path} {body:.60}: {text}");
    }
    println!("{} requests, by status: {counted:?}", rows.len());
    assert!(counted.keys().all(|status| *status < 500));
}

/// Good pieces put together badly, the same ones at each run.
#[tokio::test]
async fn two_thousand_odd_requests() {
    let world = World::new(false).await;
    let tokens = [
        String::new(),
        world.user(1337).await,
        world.get("/Home/GetTestOrgToken/ttd", "").await.1,
        "x.y.z".to_owned(),
    ];
    let document = world.json("/openapi.json", "").await;
    let templates: Vec<&String> = document["paths"].as_object().unwrap().keys().collect();
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    let values = [
        "1337",
        "500000",
        "-1",
        "0",
        "ttd",
        "%C3%A6",
        "x%20y",
        "e9dd7d91-32d8-4933-a108-07562762d572",
        "99999999999999999999",
        "maskinporten",
        "%27%22%3C",
    ];
    let names = [
        "userid",
        "goto",
        "org",
        "app",
        "orgNumber",
        "coveredByUserId",
        "offeredByPartyId",
        "ids",
        "uuids",
        "type",
        "test",
        "fetchSubUnits",
        "authenticationLevel",
        "scope",
        "systemUserId",
    ];
    let bodies = [
        "",
        "{}",
        "[]",
        "null",
        "7",
        "\"01039012345\"",
        "{\"data\":[\"urn:a:b\"]}",
        "{\"parties\":[{}]}",
        "[500000,null]",
        "{\"Request\":{\"Resource\":[{}]}}",
        "<a/>",
        "UserSelect=1337.x",
        "\u{0}\u{7}",
    ];
    let kinds = [
        "application/json",
        "application/xml",
        "application/x-www-form-urlencoded",
        "text/plain",
        ";;;",
    ];
    let mut state = 42_u64;
    let mut below = |count: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % count
    };
    let mut counted = BTreeMap::new();
    for _ in 0..2000 {
        let template = templates[below(templates.len())];
        let path: Vec<&str> = template
            .split('/')
            .map(|word| if word.starts_with('{') { values[below(values.len())] } else { word })
            .collect();
        let query: Vec<String> = (0..below(4))
            .map(|_| format!("{}={}", names[below(names.len())], values[below(values.len())]))
            .collect();
        let url = format!("{}{}?{}", world.base, path.join("/"), query.join("&"));
        // Mostly a method that the path knows, so that the request gets as far as the handler.
        let known: Vec<String> = document["paths"][template]
            .as_object()
            .unwrap()
            .keys()
            .map(|method| method.to_uppercase())
            .collect();
        let method =
            if below(5) > 0 { &known[below(known.len())] } else { methods[below(methods.len())] };
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = world.client.request(method.clone(), &url);
        let token = &tokens[below(tokens.len())];
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        request = request.header("content-type", kinds[below(kinds.len())]);
        let answer = request.body(bodies[below(bodies.len())]).send().await.unwrap();
        let status = answer.status().as_u16();
        assert!(status < 500, "{method} {url}: {status}");
        *counted.entry(status).or_insert(0) += 1;
    }
    println!("2000 requests, by status: {counted:?}");
}

/// What no client library would let us send.
#[tokio::test]
async fn raw_bytes() {
    let world = World::new(false).await;
    let address = world.base.strip_prefix("http://").unwrap();
    let huge = "a".repeat(200_000);
    for (what, text, expected) in [
        ("no HTTP", "hello\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        ("no host", "GET /health/live HTTP/1.1\r\n\r\n".to_owned(), "HTTP/1.1 200"),
        ("dots", "GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        ("hidden dots", "GET /profile/api/v1/users/%2e%2E HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        ("a backslash", "GET /a%5c..%5cb HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        ("an absolute URL", "GET http://x/health/live HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "HTTP/1.1 200"),
        ("a star", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        ("a bad host", "GET /authentication/api/v1/openid/.well-known/openid-configuration HTTP/1.1\r\nHost: a\"b@c\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        ("a long head", format!("GET / HTTP/1.1\r\nHost: a\r\nX: {huge}\r\n\r\n"), "HTTP/1.1 431"),
        ("a long path", format!("GET /{huge} HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 4"),
        ("two lengths", "POST /profile/api/v1/users HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab".to_owned(), "HTTP/1.1 400"),
        ("bad chunks", format!("POST /profile/api/v1/users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", world.user(1337).await), "HTTP/1.1 400"),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The service may answer and hang up before everything is sent.
        let _ = stream.write_all(text.as_bytes()).await;
        let mut answer = vec![0; 64];
        let read = stream.read(&mut answer).await.unwrap_or(0);
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(answer.starts_with(expected), "{what}: {answer}");
    }
}

#[tokio::test]
async fn who_is_refused_early_may_send_to_the_end() {
    let world = World::new(false).await;
    let address = world.base.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = vec![b'x'; 8 * 1024 * 1024];
    // The second is asked on the same connection: nothing of a body may be taken for a request.
    for (path, expected) in
        [("/profile/api/v1/users", "HTTP/1.1 401"), ("/nowhere", "HTTP/1.1 404")]
    {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let mut answer = vec![0; 4096];
        let read = stream.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(answer.starts_with(expected), "{answer}");
    }
}

#[tokio::test]
async fn pages_of_every_service() {
    let world = World::new(true).await;
    assert_eq!(world.json("/health/live", "").await["status"], "Healthy");
    assert_eq!(world.json("/Health/Ready/", "").await["status"], "Healthy");
    let document = world.json("/openapi.json", "").await;
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 50, "{}", paths.len());
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["components"]["schemas"]["Party"]["properties"]["partyId"].is_object());
    let (status, text) = world.get("/metrics", "").await;
    assert_eq!(status, 200);
    assert!(
        text.contains(
            "altinn_request_seconds_count{method=\"GET\",route=\"/health/ready\",status=\"200\"} 1"
        ),
        "{text}"
    );
}
