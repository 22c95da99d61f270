//! Another service: across the network, or in this process. The wire contract is the only way between services, so
//! both look the same to the caller.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;

use super::fault::Fault;
use super::front::Front;

/// A peer's whole answer is at most this long.
const ANSWER: usize = 16 * 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(2);
const TIME: Duration = Duration::from_secs(15);

/// A service that can be asked. Cheap to copy.
#[derive(Clone)]
pub struct Peer(Way);

#[derive(Clone)]
enum Way {
    Remote { client: reqwest::Client, base: Arc<str> },
    Inside(Arc<OnceLock<Front>>),
}

/// What a peer answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its whole body.
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON; a body that is none is the peer's fault.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Fault::unavailable("a service with the right answers", error))
    }
}

impl Peer {
    /// A service at a URL without a path, such as `http://platform:5010`. TLS needs the process' rustls provider.
    pub fn remote(base: &str) -> Result<Self, String> {
        let base = base.trim_end_matches('/').to_owned();
        reqwest::Url::parse(&base).map_err(|error| format!("`{base}`: {error}"))?;
        let client = super::outside::client()
            .connect_timeout(CONNECT)
            .timeout(TIME)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self(Way::Remote { client, base: base.into() }))
    }

    /// A service of this process. [`Peer::join`] tells later which: services may need each other.
    #[must_use]
    pub fn inside() -> Self {
        Self(Way::Inside(Arc::default()))
    }

    /// Joins a peer made by [`Peer::inside`] and all its copies to the front that answers for it.
    pub fn join(&self, front: &Front) {
        if let Way::Inside(place) = &self.0 {
            let _ = place.set(front.clone());
        }
    }

    /// Asks. `path` begins with `/` and carries the query. 503 when nobody answers.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Reply, Fault> {
        match &self.0 {
            Way::Remote { client, base } => {
                let request =
                    client.request(method, format!("{base}{path}")).headers(headers).body(body);
                let answer = request.send().await.map_err(|error| lost(base, error))?;
                let (status, headers) = (answer.status(), answer.headers().clone());
                let body = reqwest::Body::from(answer);
                let body = whole(body).await.map_err(|error| lost(base, error))?;
                Ok(Reply { status, headers, body })
            }
            Way::Inside(place) => {
                let front =
                    place.get().ok_or_else(|| lost("a service of this process", "absent"))?;
                let mut request = Request::new(Body::from(body));
                *request.method_mut() = method;
                *request.uri_mut() = path.parse().map_err(Fault::internal)?;
                *request.headers_mut() = headers;
                // A type that contains itself is cut here.
                let answer = Box::pin(front.answer(request)).await;
                let (head, body) = answer.into_parts();
                let body = whole(body).await.map_err(Fault::internal)?;
                Ok(Reply { status: head.status, headers: head.headers, body })
            }
        }
    }

    /// GET with a bearer token; `None` for 404.
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        headers: HeaderMap,
    ) -> Result<Option<T>, Fault> {
        let reply = self.ask(Method::GET, path, headers, Bytes::new()).await?;
        match reply.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => reply.json().map(Some),
            status => Err(Fault::unavailable("a service", format!("{path}: {status}"))),
        }
    }
}

async fn whole<B>(body: B) -> Result<Bytes, axum::BoxError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<axum::BoxError>,
{
    Limited::new(body, ANSWER).collect().await.map(http_body_util::Collected::to_bytes)
}

fn lost(who: &str, cause: impl std::fmt::Display) -> Fault {
    Fault::unavailable(who, cause)
}
