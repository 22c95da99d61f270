//! `services list`, `services fault …`: how the platform's services are, and faults on demand.

use std::fmt;
use std::process::ExitCode;

use reqwest::Method;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::args::{Fault, Rule, Service, Services};
use super::platform::Platform;
use super::{Context, show};
use crate::events::clean;
use crate::model::{Code, Exit, Report};

pub(super) async fn run(context: &Context<'_>, wanted: Services) -> Result<ExitCode, Report> {
    let platform = Platform::of(context).await?;
    match wanted {
        Services::List => return list(context, &platform).await,
        Services::Fault(Fault::Add(rule)) => add(context, &platform, &rule).await?,
        Services::Fault(Fault::List) => {
            show(context.printer, &Faults::of(&platform, Method::GET, &Service::ALL).await?);
        }
        Services::Fault(Fault::Clear { service }) => {
            let of = service.map_or(Service::ALL.to_vec(), |service| vec![service]);
            let gone = Faults::of(&platform, Method::DELETE, &of).await?;
            if context.printer.is_json() {
                context.printer.json(&gone);
            } else {
                context.printer.line(format!("Cleared: {}.", rules(gone.count())));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What `services list` tells.
#[derive(Debug, Serialize)]
struct List {
    schema: &'static str,
    services: Vec<Value>,
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (head, rest) = ("SERVICE", "HEALTH     VERSION   REQUESTS  FAULTS");
        write!(f, "{head:<10} {rest}")?;
        for about in &self.services {
            let text = |value: &Value| clean(value.as_str().unwrap_or_default());
            write!(
                f,
                "\n{:<10} {:<10} {:<9} {:<9} {}",
                text(&about["service"]),
                text(&about["health"]["status"]).to_lowercase(),
                text(&about["version"]),
                about["requests"].to_string(),
                about["faults"],
            )?;
            let needs = about["health"]["needs"].as_object().into_iter().flatten();
            for (need, told) in needs.filter(|(_, told)| *told != "ok") {
                write!(f, "\n           {}: {}", clean(need), text(told))?;
            }
        }
        Ok(())
    }
}

async fn list(context: &Context<'_>, platform: &Platform) -> Result<ExitCode, Report> {
    let mut services = Vec::new();
    for service in Service::ALL {
        let request = platform.manage(Method::GET, service, "about");
        services.push(platform.json(service, request, Code::ServiceSilent).await?);
    }
    let healthy = services.iter().all(|about| about["health"]["status"] == "Healthy");
    show(context.printer, &List { schema: "altinn-local/services/1", services });
    Ok(if healthy { ExitCode::SUCCESS } else { Exit::Degraded.into() })
}

/// The faults of some services.
#[derive(Debug, Serialize)]
struct Faults {
    schema: &'static str,
    services: Vec<Value>,
}

impl Faults {
    async fn of(platform: &Platform, method: Method, of: &[Service]) -> Result<Self, Report> {
        let mut services = Vec::new();
        for service in of {
            let request = platform.manage(method.clone(), *service, "faults");
            services.push(platform.json(*service, request, Code::RuleInvalid).await?);
        }
        Ok(Self { schema: "altinn-local/faults/1", services })
    }

    fn count(&self) -> usize {
        self.services.iter().filter_map(|told| told["rules"].as_array()).map(Vec::len).sum()
    }
}

fn rules(count: usize) -> String {
    if count == 1 { "1 rule".to_owned() } else { format!("{count} rules") }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count() == 0 {
            return f
                .write_str("No faults. `altinn-local services fault add SERVICE` asks for one.");
        }
        write!(f, "{:<10} {:>7} {:>7}  RULE", "SERVICE", "ASKED", "STRUCK")?;
        for told in &self.services {
            for rule in told["rules"].as_array().into_iter().flatten() {
                let service = clean(told["service"].as_str().unwrap_or_default());
                let (asked, struck) = (&rule["asked"], &rule["struck"]);
                let (asked, struck) = (asked.to_string(), struck.to_string());
                write!(f, "\n{service:<10} {asked:>7} {struck:>7}  {}", said(rule))?;
            }
        }
        write!(f, "\nThey last until they are cleared or the service ends.")
    }
}

/// A rule in words: `GET /a/** · 503 · 20 % · at most 5 times`.
fn said(rule: &Value) -> String {
    let text = |name: &str| rule[name].as_str().map(clean);
    let method = text("method").unwrap_or_else(|| "any".to_owned());
    let path = text("path").unwrap_or_else(|| "/**".to_owned());
    let mut parts = vec![format!("{method} {path}")];
    parts.extend(text("latency").map(|latency| format!("waits {latency}")));
    parts.extend(rule["status"].as_u64().map(|status| status.to_string()));
    if rule["expiredToken"] == true {
        parts.push("expired token".to_owned());
    }
    if rule["cut"] == true {
        parts.push("cut off".to_owned());
    }
    parts.extend(rule["rate"].as_f64().map(|rate| format!("rate {rate}, seed {}", rule["seed"])));
    parts.extend(rule["every"].as_u64().map(|every| format!("1 in {every}")));
    parts.extend(rule["times"].as_u64().map(|times| format!("at most {times}×")));
    parts.join(" · ")
}

/// The rule as the service reads it; the service says what is wrong with it.
fn body(rule: &Rule) -> Value {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() && value != Value::Bool(false) {
            body.insert(name.to_owned(), value);
        }
    };
    put("method", json!(rule.method.as_ref().map(|method| method.to_uppercase())));
    put("path", json!(rule.path));
    put("rate", json!(rule.rate));
    put("every", json!(rule.every));
    put("times", json!(rule.times));
    put("seed", json!(rule.seed));
    put("latency", json!(rule.latency));
    put("status", json!(rule.status));
    put("retryAfter", json!(rule.retry_after));
    put("expiredToken", json!(rule.expired_token));
    put("cut", json!(rule.cut));
    Value::Object(body)
}

async fn add(context: &Context<'_>, platform: &Platform, rule: &Rule) -> Result<(), Report> {
    let request = platform.manage(Method::POST, rule.service, "faults").json(&body(rule));
    let told = platform.json(rule.service, request, Code::RuleInvalid).await.map_err(|report| {
        if report.code == Code::RuleInvalid {
            let example = "altinn-local services fault add storage --status 503 --rate 0.2";
            return report.fix(example, "a fault that strikes every fifth request or so");
        }
        report
    })?;
    show(context.printer, &Faults { schema: "altinn-local/faults/1", services: vec![told] });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn rule(line: &str) -> Rule {
        let line = format!("altinn-local services fault add {line}");
        let args = super::super::args::Args::try_parse_from(line.split(' ')).unwrap();
        match args.command {
            Some(super::super::args::Command::Services(Services::Fault(Fault::Add(rule)))) => *rule,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_become_a_rule() {
        let rule = rule(
            "storage --path /storage/** --method get --status 503 --retry-after 2 --latency 100ms..1s --rate 0.2 --times 5 --seed 7",
        );
        assert_eq!(
            body(&rule),
            json!({
                "method": "GET", "path": "/storage/**", "rate": 0.2, "times": 5, "seed": 7,
                "latency": "100ms..1s", "status": 503, "retryAfter": 2,
            })
        );
        assert_eq!(
            said(&body(&rule)),
            "GET /storage/** · waits 100ms..1s · 503 · rate 0.2, seed 7 · at most 5×"
        );
        let told = json!({ "service": "storage", "rules": [{ "expiredToken": true, "every": 3, "asked": 7, "struck": 2 }] });
        let faults = Faults { schema: "", services: vec![told] };
        insta::assert_snapshot!(faults, @r"
        SERVICE      ASKED  STRUCK  RULE
        storage          7       2  any /** · expired token · 1 in 3
        They last until they are cleared or the service ends.
        ");
    }

    #[test]
    fn services_are_listed_with_what_they_miss() {
        let services = vec![
            json!({ "service": "platform", "version": "0.1.0", "requests": 1200, "faults": 0, "health": { "status": "Healthy", "needs": {} } }),
            json!({ "service": "storage", "version": "0.1.0", "requests": 7, "faults": 2, "health": { "status": "Unhealthy", "needs": { "metadata": "no answer", "blobs": "ok" } } }),
        ];
        insta::assert_snapshot!(List { schema: "", services }, @r"
        SERVICE    HEALTH     VERSION   REQUESTS  FAULTS
        platform   healthy    0.1.0     1200      0
        storage    unhealthy  0.1.0     7         2
                   metadata: no answer
        ");
    }
}
