//! Passes requests on to the app that somebody runs on this machine. Bodies stream both ways, and a connection that
//! changes its protocol (a websocket) becomes a pipe.
//!
//! Each request has a connection of its own: on the loopback that costs next to nothing, and an app that was started
//! anew is never met by the connection of the one before.

use std::net::Ipv4Addr;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, EXPECT, HeaderName, UPGRADE};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::kit::fault::Fault;

const CONNECT: Duration = Duration::from_secs(2);
/// Headers that are about one connection, not about the request.
const OF_A_CONNECTION: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The way to the app.
pub(super) struct Forward {
    port: u16,
    closing: CancellationToken,
}

impl Forward {
    pub(super) fn new(port: u16, closing: CancellationToken) -> Self {
        Self { port, closing }
    }

    /// What the app answers; 502 with what to do when none listens.
    pub(super) async fn answer(&self, request: Request<Body>) -> Response {
        let page = wants_page(request.headers());
        match self.pass(request).await {
            Ok(response) => response,
            Err(error) => {
                tracing::info!(port = self.port, error, "the app does not answer");
                self.absent(page)
            }
        }
    }

    async fn pass(&self, mut request: Request<Body>) -> Result<Response, String> {
        let connect = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let stream = tokio::time::timeout(CONNECT, connect)
            .await
            .map_err(|_| "no answer".to_owned())?
            .map_err(|error| error.to_string())?;
        let _ = stream.set_nodelay(true);
        let text = |error: hyper::Error| error.to_string();
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
        // Ends with the answer.
        tokio::spawn(connection.with_upgrades());
        let upgrade = upgrade(request.headers());
        let caller = upgrade.is_some().then(|| hyper::upgrade::on(&mut request));
        let whole = request.uri().path_and_query().cloned();
        *request.uri_mut() = whole.unwrap_or(PathAndQuery::from_static("/")).into();
        request.headers_mut().remove(EXPECT);
        clean(request.headers_mut(), upgrade.as_ref());
        let mut response = sender.send_request(request).await.map_err(text)?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let app = hyper::upgrade::on(&mut response);
            if let Some(caller) = caller {
                tokio::spawn(pipe(caller, app, self.closing.clone()));
            }
            let kept = response.headers().get(UPGRADE).cloned();
            clean(response.headers_mut(), kept.as_ref());
        } else {
            clean(response.headers_mut(), None);
        }
        Ok(response.map(Body::new))
    }

    fn absent(&self, page: bool) -> Response {
        let port = self.port;
        if !page {
            let detail = format!(
                "No app answers at 127.0.0.1:{port}. Start it there with `dotnet run --project App`."
            );
            return Fault::problem(StatusCode::BAD_GATEWAY, detail).into_response();
        }
        let html = include_str!("absent.html").replace("{port}", &port.to_string());
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        (StatusCode::BAD_GATEWAY, [(CONTENT_TYPE, kind)], html).into_response()
    }
}

/// Bytes both ways until one side ends.
async fn pipe(
    caller: hyper::upgrade::OnUpgrade,
    app: hyper::upgrade::OnUpgrade,
    closing: CancellationToken,
) {
    let both = async {
        let (Ok(caller), Ok(app)) = tokio::join!(caller, app) else { return };
        let (mut caller, mut app) = (TokioIo::new(caller), TokioIo::new(app));
        let _ = tokio::io::copy_bidirectional(&mut caller, &mut app).await;
    };
    tokio::select! { () = both => {}, () = closing.cancelled() => {} }
}

/// The protocol that a caller wants to change to.
fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let wanted = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let mut words = wanted.flat_map(|value| value.split(','));
    let changes = words.any(|word| word.trim().eq_ignore_ascii_case("upgrade"));
    headers.get(UPGRADE).filter(|_| changes).cloned()
}

/// Takes off what belongs to the connection that a message came by.
fn clean(headers: &mut HeaderMap, upgrade: Option<&HeaderValue>) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in OF_A_CONNECTION {
        headers.remove(name);
    }
    if let Some(protocol) = upgrade {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol.clone());
    }
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_a_connection_stay_with_it() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, X-Mine, Upgrade"),
            ("keep-alive", "timeout=5"),
            ("x-mine", "1"),
            ("x-yours", "2"),
            ("upgrade", "websocket"),
            ("transfer-encoding", "chunked"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let wanted = upgrade(&headers);
        assert_eq!(wanted.as_ref().unwrap(), "websocket");
        clean(&mut headers, wanted.as_ref());
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["connection", "upgrade", "x-yours"]);
        headers.remove(CONNECTION);
        assert_eq!(upgrade(&headers), None);
    }
}
