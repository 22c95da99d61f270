//! Who gets in to the pipeline, on which face, and how it refuses.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

const TUNNEL: &str = "pipeline.studio.localhost:8800";

fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("PAT:{password}")))
}

#[tokio::test]
async fn the_token_opens_it_under_our_names_alone() {
    let served = served().await;
    let (host, good) = (served.host(), basic("pipeline-token"));
    for (line, headers, expected) in [
        ("GET /_apis/build/builds", vec![("host", host.as_str()), ("authorization", &good)], 200),
        ("GET /c/p/_APIS/Build/Builds", vec![("host", &host), ("authorization", &good)], 200),
        ("GET /a/b/c/_apis/build/builds", vec![("host", &host), ("authorization", &good)], 401),
        (
            "GET /_apis/build/builds",
            vec![("host", &host), ("authorization", "Bearer pipeline-token")],
            200,
        ),
        ("GET /_apis/build/builds", vec![("host", &host)], 401),
        ("GET /_apis/build/builds", vec![("host", &host), ("authorization", &basic("other"))], 401),
        ("GET /_apis/build/builds", vec![("host", &host), ("authorization", &basic(""))], 401),
        ("GET /_apis/build/builds", vec![("host", "evil.example"), ("authorization", &good)], 421),
        ("GET /_apis/build/builds", vec![("host", TUNNEL), ("authorization", &good)], 421),
        (
            "GET /_apis/build/builds",
            vec![("host", &host), ("authorization", &good), ("origin", "http://evil.example")],
            403,
        ),
        (
            "GET /_apis/build/builds",
            vec![("host", &host), ("authorization", &good), ("sec-fetch-site", "cross-site")],
            403,
        ),
        // What tells a client how to ask is told to everybody.
        ("OPTIONS /_apis", vec![("host", &host)], 200),
        // What is open through the tunnel is not on this face.
        ("GET /environments.json", vec![("host", &host)], 401),
        ("POST /hooks/gitea", vec![("host", &host)], 401),
    ] {
        let (status, answer) = served.request(line, &headers, "").await;
        assert_eq!(status, expected, "{line} {headers:?}: {answer}");
    }
}

#[tokio::test]
async fn the_tunnel_leads_to_the_pipeline_and_nowhere_else() {
    let served = served_as(|_| Face::Tunnel).await;
    let (bearer, good) = (served.bearer(), basic("pipeline-token"));
    for (line, headers, expected) in [
        ("GET /_apis/build/builds", vec![("host", TUNNEL), ("authorization", good.as_str())], 200),
        (
            "GET /_apis/build/builds",
            vec![("host", "studio.localhost:8800"), ("authorization", &good)],
            421,
        ),
        ("GET /environments.json", vec![("host", TUNNEL)], 200),
        ("GET /altinn-orgs.json", vec![("host", TUNNEL), ("sec-fetch-site", "cross-site")], 403),
        (
            "GET /clusters/ttd/local/kuberneteswrapper/api/v1/deployments",
            vec![("host", TUNNEL)],
            404,
        ),
        ("POST /hooks/gitea", vec![("host", TUNNEL)], 401),
        // The agent's own token opens nothing here.
        ("GET /api/v1/state", vec![("host", TUNNEL), ("authorization", &bearer)], 404),
        (
            "POST /api/v1/actions/stop",
            vec![
                ("host", TUNNEL),
                ("authorization", &bearer),
                ("content-type", "application/json"),
            ],
            404,
        ),
        ("GET /", vec![("host", TUNNEL)], 404),
    ] {
        let (status, answer) = served.request(line, &headers, "").await;
        assert_eq!(status, expected, "{line} {headers:?}: {answer}");
    }
}

#[tokio::test]
async fn refusals_have_the_shape_that_clients_read() {
    let served = served().await;
    let (host, good) = (served.host(), basic("pipeline-token"));
    let headers = [
        ("host", host.as_str()),
        ("authorization", good.as_str()),
        ("content-type", "application/json"),
    ];
    for (line, body, status, key) in [
        ("GET /_apis/build/builds/7", "", 404, "BuildNotFoundException"),
        ("GET /_apis/build/builds/seven", "", 404, "BuildNotFoundException"),
        ("DELETE /_apis/build/builds/7", "", 404, "BuildNotFoundException"),
        ("POST /_apis/build/builds", "no json", 400, "InvalidRequestException"),
        ("POST /_apis/build/builds", r#"{"definition":{}}"#, 400, "InvalidRequestException"),
        (
            "POST /_apis/build/builds",
            r#"{"definition":{"id":4711}}"#,
            400,
            "InvalidRequestException",
        ),
        (
            "POST /_apis/build/builds",
            r#"{"definition":{"id":5},"parameters":"[]"}"#,
            400,
            "InvalidRequestException",
        ),
        ("GET /_apis/build/builds?statusFilter=nonsense", "", 400, "InvalidRequestException"),
        // The stack of this test is not up.
        (
            "POST /_apis/build/builds",
            r#"{"definition":{"id":5},"parameters":"{}"}"#,
            503,
            "VssServiceException",
        ),
        ("GET /_apis/git/repositories", "", 404, "VssResourceNotFoundException"),
    ] {
        let (got, answer) = served.request(line, &headers, body).await;
        assert_eq!(got, status, "{line} {body}: {answer}");
        let document: serde_json::Value =
            serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(document["typeKey"], key, "{line} {body}");
        assert!(document["message"].as_str().is_some_and(|message| !message.is_empty()));
    }
}
