//! Host × Origin × Sec-Fetch-Site × method × token, on every route of the table.

use axum::http::Method;

use super::*;

#[derive(Clone, Copy)]
enum Good {
    Yes,
    No,
}

/// What a request with all else right is answered with.
fn welcome(route: &Route) -> &'static [u16] {
    match (route.path, route.access) {
        // The body `{}` is not an `up` or a code.
        ("/api/v1/actions/up" | "/api/v1/session", _) => &[400],
        ("/api/v1/actions/down" | "/api/v1/actions/deploy" | "/api/v1/actions/stop", _) => &[202],
        _ => &[200],
    }
}

async fn ask(served: &Served, route: &Route, changed: &[(&str, Option<&str>)]) -> (u16, String) {
    let (host, bearer) = (served.host(), served.bearer());
    let mut headers = vec![
        ("host", host.as_str()),
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    for (name, value) in changed {
        headers.retain(|(known, _)| known != name);
        if let Some(value) = value {
            headers.push((name, value));
        }
    }
    served.request(&format!("{} {}", route.method, route.path), &headers, "{}").await
}

fn hosts(port: u16) -> Vec<(Option<String>, Good)> {
    let at = |host: &str| format!("{host}:{port}");
    vec![
        (Some(at("127.0.0.1")), Good::Yes),
        (Some(at("LOCALHOST")), Good::Yes),
        (Some(at("[::1]")), Good::Yes),
        (Some(at("dashboard.localhost")), Good::Yes),
        (None, Good::No),
        (Some(String::new()), Good::No),
        (Some("localhost".to_owned()), Good::No),
        (Some("localhost:80".to_owned()), Good::No),
        (Some(at("localhost.")), Good::No),
        (Some(at("evil.example")), Good::No),
        (Some(at("ttd.apps.altinn.localhost")), Good::No),
        (Some(at("127.0.0.1.evil.example")), Good::No),
        (Some(at("x@127.0.0.1")), Good::No),
        (Some(at("0.0.0.0")), Good::No),
    ]
}

fn origins(port: u16) -> Vec<(Option<String>, Good)> {
    vec![
        (None, Good::Yes),
        (Some(format!("http://127.0.0.1:{port}")), Good::Yes),
        (Some(format!("http://dashboard.localhost:{port}")), Good::Yes),
        (Some("null".to_owned()), Good::No),
        (Some(format!("https://127.0.0.1:{port}")), Good::No),
        (Some("http://127.0.0.1".to_owned()), Good::No),
        (Some("http://evil.example".to_owned()), Good::No),
        (Some(format!("http://ttd.apps.altinn.localhost:{port}")), Good::No),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_follows_the_matrix() {
    let served = served().await;
    let (hosts, origins) = (hosts(served.port), origins(served.port));
    let port = served.port;
    let sites = [
        (None, Good::Yes),
        (Some("same-origin"), Good::Yes),
        (Some("none"), Good::Yes),
        (Some("same-site"), Good::No),
        (Some("cross-site"), Good::No),
        (Some("nonsense"), Good::No),
    ];
    let lower = served.bearer().to_lowercase();
    let basic = format!("Basic {}", served.token);
    let longer = format!("{}A", served.bearer());
    let tokens = [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer "),
        Some(&*lower),
        Some(&*basic),
        Some(&*longer),
    ];
    let kinds = [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/json; charset=utf-8"),
        Some("application/jsonp"),
    ];
    let mut cases = 0;
    for route in routes() {
        let name = format!("{} {}", route.method, route.path);
        let open = route.access == Access::Open;
        let token = route.access == Access::Token;
        let mut check = async |changed: &[(&str, Option<&str>)], expected: &[u16]| {
            let (status, answer) = ask(&served, route, changed).await;
            assert!(expected.contains(&status), "{name} {changed:?}: {status}, not {expected:?}");
            hardened(&answer, &name);
            if status >= 400 {
                assert!(!answer.contains("evil") && !answer.contains(&served.token), "{answer}");
            }
            cases += 1;
        };
        for (host, good) in &hosts {
            let expected = if matches!(good, Good::Yes) { welcome(route) } else { &[421][..] };
            check(&[("host", host.as_deref())], expected).await;
            // A foreign host is refused whatever else is shown.
            if matches!(good, Good::No) {
                let origin = format!("http://127.0.0.1:{port}");
                check(&[("host", host.as_deref()), ("origin", Some(&origin))], &[421]).await;
            }
        }
        for (origin, good) in &origins {
            for (site, good_site) in &sites {
                let expected = match (good, good_site) {
                    (Good::No, _) => &[403][..],
                    (Good::Yes, Good::No) if !open => &[403][..],
                    _ => welcome(route),
                };
                let changed = [("origin", origin.as_deref()), ("sec-fetch-site", *site)];
                check(&changed, expected).await;
            }
        }
        for given in tokens {
            let expected = if token { &[401][..] } else { welcome(route) };
            check(&[("authorization", given)], expected).await;
        }
        for kind in kinds {
            let writes = route.method == Method::POST;
            let expected = if writes { &[415][..] } else { welcome(route) };
            check(&[("content-type", kind)], expected).await;
        }
    }
    let per_route = cases / routes().len();
    assert!(per_route >= 60, "{per_route} cases on each route");
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_are_not_in_the_table_do_nothing() {
    let served = served().await;
    let (host, bearer) = (served.host(), served.bearer());
    let headers = [
        ("host", host.as_str()),
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    for route in routes() {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY"]
        {
            let read = route.method == Method::GET && matches!(method, "GET" | "HEAD");
            if read || route.method == *method {
                continue;
            }
            let line = format!("{method} {}", route.path);
            assert_eq!(served.request(&line, &headers, "{}").await.0, 405, "{line}");
            let bare = [("host", host.as_str()), ("content-type", "application/json")];
            assert_eq!(served.request(&line, &bare, "{}").await.0, 401, "{line} without a token");
        }
    }
    assert_eq!(served.journal.newest(), 0, "nothing was done");
    for path in ["/nowhere", "/api/v1/state/", "//api/v1/state", "/API/V1/STATE", "/health/../api"]
    {
        let line = format!("GET {path}");
        assert_eq!(served.request(&line, &headers, "").await.0, 404, "{path}");
        let bare = [("host", host.as_str())];
        assert_eq!(served.request(&line, &bare, "").await.0, 401, "{path} without a token");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_come_twice_or_in_the_target_are_checked_too() {
    let served = served().await;
    let (host, bearer) = (served.host(), served.bearer());
    let token = ("authorization", bearer.as_str());
    let twice = [("host", host.as_str()), ("host", host.as_str()), token];
    assert_eq!(served.request("GET /api/v1/state", &twice, "").await.0, 421);
    let own = [("host", host.as_str()), token];
    let absolute = |target: &str| format!("GET http://{target}/api/v1/state");
    assert_eq!(served.request(&absolute("evil.example"), &own, "").await.0, 421);
    assert_eq!(served.request(&absolute(&host), &own, "").await.0, 200);
    let origin = format!("http://{host}");
    let origins = [own[0], own[1], ("origin", origin.as_str()), ("origin", origin.as_str())];
    assert_eq!(served.request("GET /api/v1/state", &origins, "").await.0, 403);
}

fn hardened(answer: &str, name: &str) {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default().to_lowercase();
    for header in [
        "cross-origin-resource-policy: same-origin",
        "x-frame-options: deny",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'",
        "cache-control: no-store",
    ] {
        assert!(head.contains(header), "{name} lacks {header}:\n{head}");
    }
    assert!(!head.contains("access-control-allow"), "{name} allows other origins");
    assert!(!head.contains("set-cookie"), "{name} sets a cookie");
}
