//! Faults on demand: rules that make a service answer late, wrongly, or not to the end.
//!
//! Kept in memory: they are gone when the service ends. Each rule draws from a generator of its own, once for each
//! request that it is for, so the same seed and the same order of requests give the same faults.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, future};
use http_body::Body as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::latency::Latency;
use super::path::Pattern;
use crate::kit::fault::Fault;

/// A service has at most this many rules.
const RULES: usize = 100;

/// When which fault strikes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Only requests of this method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only these paths: `/a/{x}` whole, `/a/**` with all below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub path: Option<Pattern>,
    /// How likely it strikes, above 0 and at most 1; always when neither this nor `every` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// It strikes each time after this many requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// It strikes at most so often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// What the rule's generator begins with.
    #[serde(default)]
    pub seed: u64,
    /// The answer waits: `200ms`, or from `100ms..1s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub latency: Option<Latency>,
    /// The answer is this instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// With `status`: the header `Retry-After`, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
    /// With `status`: the body, as problem details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The answer is that to a token that has expired. Strikes only where a token is needed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired_token: bool,
    /// The connection breaks in the middle of the answer's body.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// The body of PUT.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rules {
    /// In the order in which they are asked.
    pub rules: Vec<Rule>,
}

/// A rule and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    #[serde(flatten)]
    rule: Rule,
    /// Requests that it was for.
    asked: u64,
    /// Requests that it struck.
    struck: u64,
}

/// The rules of one service.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    rule: Rule,
    draws: Draws,
    asked: u64,
    struck: u64,
}

/// What a request meets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Strike {
    /// The rules that struck, by their places from 1.
    pub rules: Vec<usize>,
    latency: Duration,
    instead: Option<Instead>,
}

#[derive(Debug, Clone, PartialEq)]
enum Instead {
    Status(StatusCode, Option<u32>, Option<Value>),
    Expired,
    Cut,
}

impl Rule {
    /// Says what is wrong with it.
    fn check(&self) -> Result<(), String> {
        let wrong = |text: &str| Err(text.to_owned());
        if let Some(method) = &self.method
            && !matches!(method.as_str(), "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE")
        {
            return Err(format!("`{method}` is no method of these services"));
        }
        match (self.rate, self.every) {
            (Some(_), Some(_)) => return wrong("`rate` and `every` exclude each other"),
            (Some(rate), _) if !(rate > 0.0 && rate <= 1.0) => {
                return wrong("`rate` is above 0 and at most 1");
            }
            (_, Some(0)) => return wrong("`every` is at least 1"),
            _ => {}
        }
        if self.times == Some(0) {
            return wrong("`times` is at least 1");
        }
        let answers =
            u8::from(self.status.is_some()) + u8::from(self.expired_token) + u8::from(self.cut);
        if answers > 1 {
            return wrong("`status`, `expiredToken` and `cut` exclude each other");
        }
        if answers == 0 && self.latency.is_none() {
            return wrong("it does nothing: give `latency`, `status`, `expiredToken` or `cut`");
        }
        match self.status {
            Some(status) if !(200..600).contains(&status) => wrong("`status` is 200 to 599"),
            None if self.retry_after.is_some() || self.body.is_some() => {
                wrong("`retryAfter` and `body` belong to a `status`")
            }
            _ => Ok(()),
        }
    }

    fn instead(&self) -> Option<Instead> {
        if self.expired_token {
            return Some(Instead::Expired);
        }
        if self.cut {
            return Some(Instead::Cut);
        }
        let status = StatusCode::from_u16(self.status?).ok()?;
        Some(Instead::Status(status, self.retry_after, self.body.clone()))
    }
}

impl Kept {
    fn new(rule: Rule) -> Self {
        Self { draws: Draws(rule.seed), rule, asked: 0, struck: 0 }
    }

    fn is_for(&self, method: &Method, path: &str, closed: bool) -> bool {
        self.rule.method.as_deref().is_none_or(|wanted| wanted == method.as_str())
            && self.rule.path.as_ref().is_none_or(|pattern| pattern.covers(path))
            && (closed || !self.rule.expired_token)
    }

    /// The wait, when it strikes. Both numbers are drawn each time, so that no request shifts those of the next ones.
    fn ask(&mut self) -> Option<Duration> {
        self.asked += 1;
        let (chance, place) = (self.draws.fraction(), self.draws.fraction());
        let due = match (self.rule.rate, self.rule.every) {
            (Some(rate), _) => chance < rate,
            (_, Some(every)) => self.asked.is_multiple_of(every),
            _ => true,
        };
        if !due || self.rule.times.is_some_and(|times| self.struck >= times) {
            return None;
        }
        self.struck += 1;
        Some(self.rule.latency.map(|latency| latency.at(place)).unwrap_or_default())
    }
}

impl Faults {
    /// Replaces all rules.
    pub fn set(&self, rules: Vec<Rule>) -> Result<(), Fault> {
        if rules.len() > RULES {
            return Err(Fault::invalid("rules", format!("There are at most {RULES} rules.")));
        }
        for (place, rule) in rules.iter().enumerate() {
            rule.check().map_err(|wrong| Fault::invalid(&format!("rules[{place}]"), wrong))?;
        }
        *self.kept() = rules.into_iter().map(Kept::new).collect();
        Ok(())
    }

    /// Adds a rule after the others.
    pub fn add(&self, rule: Rule) -> Result<(), Fault> {
        rule.check().map_err(|wrong| Fault::invalid("rule", wrong))?;
        let mut kept = self.kept();
        if kept.len() == RULES {
            return Err(Fault::invalid("rule", format!("There are at most {RULES} rules.")));
        }
        kept.push(Kept::new(rule));
        Ok(())
    }

    /// The rules and how often each has struck.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        let told =
            |kept: &Kept| Told { rule: kept.rule.clone(), asked: kept.asked, struck: kept.struck };
        self.kept().iter().map(told).collect()
    }

    /// What a request meets; `closed` when it needs a token. Waits add up, and the first rule that answers ends it.
    #[must_use]
    pub fn strike(&self, method: &Method, path: &str, closed: bool) -> Option<Strike> {
        let mut strike = Strike::default();
        for (place, kept) in self.kept().iter_mut().enumerate() {
            if !kept.is_for(method, path, closed) {
                continue;
            }
            let Some(latency) = kept.ask() else { continue };
            strike.rules.push(place + 1);
            strike.latency += latency;
            strike.instead = kept.rule.instead();
            if strike.instead.is_some() {
                break;
            }
        }
        (!strike.rules.is_empty()).then_some(strike)
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Strike {
    /// Answers as the fault wants; `answer` is what would have been answered.
    pub async fn apply(self, answer: impl Future<Output = Response>) -> Response {
        tokio::time::sleep(self.latency).await;
        match self.instead {
            None => answer.await,
            Some(Instead::Cut) => cut(answer.await),
            // No word why, as for every token that is not accepted (`platform-api.md` §0).
            Some(Instead::Expired) => Fault::unauthorized().into_response(),
            Some(Instead::Status(status, retry_after, body)) => told(status, retry_after, body),
        }
    }
}

fn told(status: StatusCode, retry_after: Option<u32>, body: Option<Value>) -> Response {
    let mut response = match body {
        Some(body) => {
            let kind = [(CONTENT_TYPE, "application/problem+json; charset=utf-8")];
            (status, kind, body.to_string()).into_response()
        }
        None if status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED => {
            status.into_response()
        }
        None => Fault::problem(status, "A fault that was asked for.").into_response(),
    };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Half of the bytes, and then the connection breaks.
fn cut(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    let length = body.size_hint().exact();
    if let Some(length) = length {
        // Where there is nothing to break off, more is promised than comes.
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(length.max(1)));
    }
    let mut left = length.map_or(1, |length| length / 2);
    let pieces = body.into_data_stream().filter_map(move |piece| {
        let kept = piece.ok().map(|mut piece| {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            left -= most as u64;
            piece.truncate(most);
            piece
        });
        future::ready(kept.filter(|piece| !piece.is_empty()).map(Ok))
    });
    let broken = futures_util::stream::once(async {
        // What was sent is to arrive before the connection ends.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::other("a fault that was asked for"))
    });
    Response::from_parts(head, Body::from_stream(pieces.chain(broken)))
}

/// `SplitMix64` (Steele, Lea, Flood 2014): small, and the same everywhere for good.
#[derive(Debug, Clone)]
pub struct Draws(pub u64);

impl Draws {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// The next number, from 0 to below 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    pub fn fraction(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The next place in a list of this length.
    #[must_use]
    pub fn below(&mut self, length: usize) -> usize {
        usize::try_from(self.bits() % (length.max(1) as u64)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(value: Value) -> Rule {
        serde_json::from_value(value).unwrap()
    }

    fn struck(faults: &Faults, requests: usize) -> Vec<bool> {
        let ask = |_| faults.strike(&Method::GET, "/a/b", true).is_some();
        (0..requests).map(ask).collect()
    }

    #[test]
    fn the_same_seed_strikes_the_same_requests() {
        let run = |seed: u64| {
            let faults = Faults::default();
            let rule = rule(json!({ "rate": 0.3, "status": 503, "seed": seed }));
            faults.set(vec![rule]).unwrap();
            struck(&faults, 200)
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let times = run(7).iter().filter(|struck| **struck).count();
        assert!((40..80).contains(&times), "{times}");
    }

    #[test]
    fn every_and_times() {
        let faults = Faults::default();
        let rule = rule(json!({ "every": 3, "times": 2, "status": 500 }));
        faults.add(rule).unwrap();
        let struck = struck(&faults, 12);
        let places: Vec<usize> = (1..=12).filter(|place| struck[place - 1]).collect();
        assert_eq!(places, [3, 6]);
        assert_eq!(json!(faults.told())[0]["asked"], 12);
        assert_eq!(json!(faults.told())[0]["struck"], 2);
    }

    #[test]
    fn waits_add_up_until_one_answers() {
        let faults = Faults::default();
        let rules = [
            json!({ "latency": "100ms" }),
            json!({ "method": "POST", "status": 500 }),
            json!({ "latency": "50ms", "status": 503, "path": "/a/**" }),
            json!({ "status": 404 }),
        ];
        faults.set(rules.map(rule).to_vec()).unwrap();
        let strike = faults.strike(&Method::GET, "/a/b", true).unwrap();
        assert_eq!(strike.rules, [1, 3]);
        assert_eq!(strike.latency, Duration::from_millis(150));
        let strike = faults.strike(&Method::GET, "/b", true).unwrap();
        assert_eq!(strike.rules, [1, 4]);
    }

    #[test]
    fn expiry_strikes_only_where_a_token_is_needed() {
        let faults = Faults::default();
        faults.add(rule(json!({ "expiredToken": true }))).unwrap();
        assert!(faults.strike(&Method::GET, "/a", false).is_none());
        assert!(faults.strike(&Method::GET, "/a", true).is_some());
    }

    #[test]
    fn what_makes_no_rule() {
        for value in [
            json!({}),
            json!({ "rate": 0, "status": 500 }),
            json!({ "rate": 1.1, "status": 500 }),
            json!({ "rate": 0.1, "every": 2, "status": 500 }),
            json!({ "every": 0, "status": 500 }),
            json!({ "times": 0, "status": 500 }),
            json!({ "status": 99 }),
            json!({ "status": 100 }),
            json!({ "status": 500, "cut": true }),
            json!({ "latency": "1s", "retryAfter": 1 }),
            json!({ "method": "get", "status": 500 }),
        ] {
            let fault = Faults::default().add(rule(value.clone())).unwrap_err();
            assert_eq!(fault.status(), 400, "{value}");
        }
        for value in [
            json!({ "status": "x" }),
            json!({ "stauts": 500 }),
            json!({ "latency": "soon" }),
            json!({ "path": "a", "status": 500 }),
        ] {
            assert!(serde_json::from_value::<Rule>(value.clone()).is_err(), "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_rule_is_judged(text in r#"\{("(method|path|rate|every|times|seed|latency|status|cut|expiredToken)":("[a-zA-Z0-9/.{}*]{0,8}"|-?[0-9]{1,4}(\.[0-9])?|true|null|\{\}),){0,5}"seed":1\}"#) {
            if let Ok(rule) = serde_json::from_str::<Rule>(&text) {
                let faults = Faults::default();
                if faults.add(rule.clone()).is_ok() {
                    let _ = faults.strike(&Method::GET, "/a/b", true);
                    let again: Rule = serde_json::from_value(json!(rule)).unwrap();
                    proptest::prop_assert_eq!(again, rule);
                }
            }
        }
    }
}
