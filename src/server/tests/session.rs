//! A browser's way in.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_swapped_once_for_the_token() {
    let served = served().await;
    let (host, bearer) = (served.host(), served.bearer());
    let json = ("content-type", "application/json");
    let own = [("host", host.as_str()), ("authorization", bearer.as_str()), json];
    let (status, answer) = served.request("POST /api/v1/session/code", &own, "{}").await;
    assert_eq!(status, 200);
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    let code: Code = serde_json::from_str(body).unwrap();
    let swap = serde_json::to_string(&code).unwrap();
    let bare = [("host", host.as_str()), json];
    let (status, answer) = served.request("POST /api/v1/session", &bare, &swap).await;
    assert_eq!(status, 200);
    assert!(answer.contains(&served.token));
    let (status, answer) = served.request("POST /api/v1/session", &bare, &swap).await;
    assert_eq!(status, 401);
    assert!(!answer.contains(&served.token));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_pages_give_no_secret() {
    let served = served().await;
    let host = served.host();
    for path in ["GET /", "GET /health"] {
        let (status, answer) = served.request(path, &[("host", &host)], "").await;
        assert_eq!(status, 200);
        assert!(!answer.contains(&served.token));
    }
}
