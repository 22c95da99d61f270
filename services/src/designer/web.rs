//! The page and its assets, put into the program by `scripts/tools/web`.
//!
//! Without them the program is whole but for its pages, which then say how to build them.

use axum::extract::Path;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::session::secret;
use crate::kit::fault::Fault;

#[derive(RustEmbed)]
#[folder = "../src/web/designer/dist"]
#[allow_missing = true]
struct Assets;

const UNBUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Designer</title>
<h1>The web pages were not built</h1><p>Run <code>scripts/tools/web</code>, then build altinn-services again.</p>";

/// Every page is the same document; the script in it reads the address.
pub(super) async fn page() -> Result<Response, Fault> {
    let nonce = secret()?;
    let page = match Assets::get("index.html") {
        Some(file) => String::from_utf8_lossy(&file.data).replace("__NONCE__", &nonce),
        None => UNBUILT.to_owned(),
    };
    // Scripts and style sheets are files of our own. CodeMirror makes a style sheet at run time, which carries the
    // nonce; bpmn-js writes `style` attributes, which cannot carry one.
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; \
         style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let headers: [(HeaderName, String); 4] = [
        (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, "same-origin".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, page).into_response())
}

/// An asset. Their names carry a hash of what is in them.
pub(super) async fn asset(Path(file): Path<String>) -> Result<Response, Fault> {
    let found = Assets::get(&format!("assets/{file}")).ok_or_else(Fault::not_found)?;
    let headers =
        [(CONTENT_TYPE, kind(&file)), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, found.data.into_owned()).into_response())
}

fn kind(file: &str) -> &'static str {
    match file.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "json" => "application/json",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}
