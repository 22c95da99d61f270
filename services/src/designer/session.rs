//! Who is signed in. Sessions live in memory: Gitea's tokens are never written down, and after a restart the browser
//! gets a new session from Gitea without a question.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

use super::Designer;
use super::gitea::{GiteaUser, Granted, Repository};
use crate::kit::cookie;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;

/// The cookie of the real Designer has this name too.
pub(super) const COOKIE: &str = "AltinnStudioDesigner";
/// Readable by scripts, which send it back in [`CSRF_HEADER`]; both names are the real Designer's.
pub(super) const CSRF_COOKIE: &str = "XSRF-TOKEN";
const CSRF_HEADER: &str = "x-xsrf-token";

/// A session that nobody used for so long is over.
const IDLE: Duration = Duration::from_hours(12);
const MOST: usize = 10_000;
/// What Gitea said of a repository is believed for so long.
const BELIEVED: Duration = Duration::from_secs(15);
/// A token is renewed this long before its end.
const MARGIN: Duration = Duration::from_mins(5);

/// All sessions.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

/// One browser's session.
pub(super) struct Session {
    pub(super) user: GiteaUser,
    pub(super) csrf: String,
    tokens: tokio::sync::Mutex<Tokens>,
    used: Mutex<Instant>,
    known: Mutex<HashMap<AppId, (Instant, Repository)>>,
}

struct Tokens {
    access: String,
    refresh: String,
    ends: Instant,
}

impl From<Granted> for Tokens {
    fn from(granted: Granted) -> Self {
        let ends = Instant::now() + Duration::from_secs(granted.expires_in.clamp(60, 86_400));
        Self { access: granted.access_token, refresh: granted.refresh_token, ends }
    }
}

impl Sessions {
    /// Begins a session; gives the value of its cookie.
    pub(super) fn begin(
        &self,
        user: GiteaUser,
        granted: Granted,
    ) -> Result<(String, Arc<Session>), Fault> {
        let id = secret()?;
        let session = Arc::new(Session {
            user,
            csrf: secret()?,
            tokens: tokio::sync::Mutex::new(granted.into()),
            used: Mutex::new(Instant::now()),
            known: Mutex::default(),
        });
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, session| session.idle() < IDLE);
        if all.len() >= MOST {
            let oldest = all.iter().max_by_key(|(_, session)| session.idle());
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                all.remove(&oldest);
            }
        }
        all.insert(id.clone(), session.clone());
        Ok((id, session))
    }

    pub(super) fn end(&self, headers: &HeaderMap) {
        if let Some(id) = cookie::read(headers, COOKIE) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        }
    }

    fn find(&self, headers: &HeaderMap) -> Option<Arc<Session>> {
        let id = cookie::read(headers, COOKIE)?;
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = all.get(&id).filter(|session| session.idle() < IDLE)?;
        *session.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Some(session.clone())
    }
}

impl Session {
    fn idle(&self) -> Duration {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// 256 random bits, as text for cookies and links.
pub(super) fn secret() -> Result<String, Fault> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Fault::internal("no random numbers"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The user who asks. Requests that change something must come from Designer's own pages: from its origin, with the
/// session's word in a header.
pub(super) struct User(pub(super) Arc<Session>);

impl FromRequestParts<Designer> for User {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, designer: &Designer) -> Result<Self, Fault> {
        let headers = &parts.headers;
        let session = designer.0.sessions.find(headers).ok_or_else(Fault::unauthorized)?;
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            from_own_page(headers, &designer.0.public, &session.csrf)?;
        }
        Ok(Self(session))
    }
}

fn from_own_page(headers: &HeaderMap, public: &str, csrf: &str) -> Result<(), Fault> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text("origin").is_none_or(|origin| origin.eq_ignore_ascii_case(public));
    let site = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let word = text(CSRF_HEADER).is_some_and(|word| same(word, csrf));
    if origin && site && word {
        return Ok(());
    }
    let detail = "The request does not come from a page of Designer.";
    Err(Fault::problem(StatusCode::BAD_REQUEST, detail).with("code", "foreign-page"))
}

/// Takes the same time wherever the difference is.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one.bytes().zip(other.bytes()).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}

impl Designer {
    /// The user's token for Gitea, good for at least some minutes.
    pub(super) async fn token(&self, session: &Session) -> Result<String, Fault> {
        self.token_for(session, MARGIN).await
    }

    /// A token that is good for at least `time`, as a build needs it.
    pub(super) async fn token_for(
        &self,
        session: &Session,
        time: Duration,
    ) -> Result<String, Fault> {
        let mut tokens = session.tokens.lock().await;
        if tokens.ends.saturating_duration_since(Instant::now()) < time {
            let granted = self
                .0
                .gitea
                .grant(&[
                    ("grant_type", "refresh_token"),
                    ("client_id", &self.0.client.id),
                    ("client_secret", &self.0.client.secret),
                    ("refresh_token", &tokens.refresh),
                ])
                .await?;
            *tokens = granted.ok_or_else(Fault::unauthorized)?.into();
        }
        Ok(tokens.access.clone())
    }

    /// The app's repository as the user may see it; 404 when they may not.
    pub(super) async fn repository(
        &self,
        session: &Session,
        app: &AppId,
    ) -> Result<Repository, Fault> {
        let known = |session: &Session| {
            let known = session.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(app).filter(|(at, _)| at.elapsed() < BELIEVED).map(|(_, found)| found.clone())
        };
        if let Some(found) = known(session) {
            return Ok(found);
        }
        let token = self.token(session).await?;
        let found = self.0.gitea.repository(&token, app).await?.ok_or_else(|| {
            Fault::problem(StatusCode::NOT_FOUND, format!("There is no app {app}."))
                .with("code", "no-app")
        })?;
        let mut all = session.known.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (at, _)| at.elapsed() < BELIEVED);
        all.insert(app.clone(), (Instant::now(), found.clone()));
        Ok(found)
    }

    /// As [`Designer::repository`], for a user who may push.
    pub(super) async fn writable(
        &self,
        session: &Session,
        app: &AppId,
    ) -> Result<Repository, Fault> {
        let found = self.repository(session, app).await?;
        if found.permissions.push {
            return Ok(found);
        }
        let detail = format!("You may read {app} but not change it.");
        Err(Fault::problem(StatusCode::FORBIDDEN, detail).with("code", "read-only"))
    }

    /// What was learnt of an app is old.
    pub(super) fn forget(session: &Session, app: &AppId) {
        session.known.lock().unwrap_or_else(PoisonError::into_inner).remove(app);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    #[test]
    fn only_own_pages_change_things() {
        let public = "http://studio.localhost:8800";
        for (headers, accepted) in [
            (&[("x-xsrf-token", "w"), ("origin", public)][..], true),
            (&[("x-xsrf-token", "w"), ("origin", public), ("sec-fetch-site", "same-origin")], true),
            (&[("x-xsrf-token", "w")], true),
            (&[("origin", public)], false),
            (&[("x-xsrf-token", "v"), ("origin", public)], false),
            (&[("x-xsrf-token", "w"), ("origin", "http://ttd.apps.localhost:8800")], false),
            (&[("x-xsrf-token", "w"), ("origin", "null")], false),
            (&[("x-xsrf-token", "w"), ("sec-fetch-site", "same-site")], false),
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| {
                    (HeaderName::from_static(name), HeaderValue::from_static(value))
                })
                .collect();
            assert_eq!(from_own_page(&map, public, "w").is_ok(), accepted, "{headers:?}");
        }
    }
}
