//! Answers pages that ask for widgets from their source, over connections that the router makes through the tunnel.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};

use super::route::page_module;
use super::switchboard::Switchboard;
use crate::model::AppId;

#[derive(Debug, Deserialize)]
struct Asked {
    app: String,
}

/// Answers one connection, until it ends.
pub async fn converse(servers: Switchboard, stream: impl AsyncRead + AsyncWrite + Unpin) {
    let app =
        axum::Router::new().route("/.altinn-local/widgets.js", get(module)).with_state(servers);
    let service = TowerToHyperService::new(app);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_mins(2))
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a page's connection broke");
    }
}

/// The path of the module for the pages of an app.
#[must_use]
pub fn module_path(app: &AppId) -> String {
    format!("/.altinn-local/widgets.js?app={app}")
}

async fn module(State(servers): State<Switchboard>, Query(asked): Query<Asked>) -> Response {
    let Ok(app) = asked.app.parse::<AppId>() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let told = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (told, page_module(&servers.widgets(&app))).into_response()
}
