//! Publishing (`platform-api.md` §6.1).

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use serde_json::{Map, Value};

use super::Events;
use super::cloud::CloudEvent;
use crate::kit::body::Json;
use crate::kit::fault::Fault;
use crate::kit::token::MaybeBearer;
use crate::kit::token::access::App;

/// Who may publish what is not an app's.
const SCOPE: &str = "altinn:events.publish";

pub(super) async fn of_app(
    State(events): State<Events>,
    App(app): App,
    Json(given): Json<Map<String, Value>>,
) -> Result<Response, Fault> {
    let event =
        CloudEvent::of_app(&given).map_err(|text| Fault::problem(StatusCode::BAD_REQUEST, text))?;
    if let Some(app) = app {
        let path = Url::parse(event.word("source")).map(|url| url.path().to_owned());
        let own = format!("/{}/{}", app.issuer, app.app.rsplit('/').next().unwrap_or_default());
        let fits = path.is_ok_and(|path| {
            path.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if !fits {
            let text = "The source is not that of the app that calls.";
            return Err(Fault::words(StatusCode::UNAUTHORIZED, text));
        }
    }
    events.publish(&event).await?;
    let id = Value::from(event.word("id"));
    let mut response = (StatusCode::CREATED, Json(id)).into_response();
    if let Ok(subject) = event.word("subject").parse() {
        response.headers_mut().insert(LOCATION, subject);
    }
    Ok(response)
}

pub(super) async fn generic(
    State(events): State<Events>,
    MaybeBearer(claims): MaybeBearer,
    Json(given): Json<Map<String, Value>>,
) -> Result<StatusCode, Fault> {
    let claims = claims.ok_or_else(Fault::unauthorized)?;
    if !claims.has_scope(SCOPE) {
        return Err(Fault::forbidden());
    }
    let event =
        CloudEvent::generic(given).map_err(|text| Fault::problem(StatusCode::BAD_REQUEST, text))?;
    if !events.may(&claims, "publish", event.word("resource"), Some(&event)).await? {
        return Err(Fault::forbidden());
    }
    events.publish(&event).await?;
    Ok(StatusCode::OK)
}

impl Events {
    async fn publish(&self, event: &CloudEvent) -> Result<(), Fault> {
        self.0.store.publish(event).await?;
        self.0.written.notify_one();
        Ok(())
    }
}
