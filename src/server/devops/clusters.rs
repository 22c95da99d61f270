//! What Designer reads besides builds: where apps can be deployed, whose organisations there are, and what runs in
//! a cluster by the cluster's own word (contract: `altinn-contracts.md` §2, "Status pages").

use axum::Json;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use super::Desk;
use super::fault::Fault;
use crate::model::{Domain, EnvironmentName, FoundApp, OrgName, PipelineRun};
use crate::pipeline::Facts;

/// Answers a path.
pub(super) async fn answer(desk: &Desk, parts: &Parts, path: &[&str]) -> Result<Response, Fault> {
    let facts = desk.engine.pipeline().facts().unwrap_or_default();
    match path {
        ["environments.json"] => Ok(Json(environments(&facts)).into_response()),
        ["altinn-orgs.json"] | ["orgs", "altinn-orgs.json"] => {
            Ok(Json(orgs(&facts)).into_response())
        }
        ["clusters", org, environment, rest @ ..] => {
            if !facts.environments.iter().any(|known| known.as_str() == *environment) {
                return Err(Fault::nothing());
            }
            let org: OrgName = org.parse().map_err(|_| Fault::nothing())?;
            if !facts.orgs.contains(&org) {
                return Err(Fault::nothing());
            }
            cluster(desk, &org, environment, rest, parts).await
        }
        _ => Err(Fault::nothing()),
    }
}

/// Addresses are those that browsers and containers alike use.
fn environments(facts: &Facts) -> Value {
    let (domain, port) = (facts.domain, facts.port);
    let (platform, prefix) = match domain {
        Domain::AltinnLocalhost => (domain.platform_host().to_owned(), "apps"),
        Domain::LocalAltinnCloud => (domain.platform_host().to_owned(), ""),
    };
    let base = domain.to_string();
    let entry = |name: &str| {
        json!({
            "name": name,
            "type": "test",
            "hostname": format!("{base}:{port}"),
            "appPrefix": prefix,
            "platformPrefix": if prefix.is_empty() { "" } else { "platform" },
            "appsUrl": format!("http://{base}:{port}"),
            "platformUrl": format!("http://{platform}:{port}"),
        })
    };
    let environments: Vec<Value> =
        facts.environments.iter().map(|name| entry(name.as_str())).collect();
    json!({"environments": environments})
}

fn orgs(facts: &Facts) -> Value {
    let environments: Vec<&str> = facts.environments.iter().map(EnvironmentName::as_str).collect();
    let org = |org: &OrgName| {
        let name = if org.as_str() == "ttd" { "Testdepartementet" } else { org.as_str() };
        let told = json!({
            "name": {"nb": name, "nn": name, "en": name},
            "logo": "", "orgnr": if org.as_str() == "ttd" { "405003309" } else { "" },
            "homepage": "", "environments": environments,
        });
        (org.to_string(), told)
    };
    json!({"orgs": facts.orgs.iter().map(org).collect::<Map<_, _>>()})
}

async fn cluster(
    desk: &Desk,
    org: &OrgName,
    environment: &str,
    path: &[&str],
    parts: &Parts,
) -> Result<Response, Fault> {
    let releases = || desk.engine.running(org.clone());
    let app_of = |release: &str| release.strip_prefix(&format!("{org}-")).map(str::to_owned);
    let origin = |found: &FoundApp| {
        json!({
            "org": org, "env": environment, "app": app_of(&found.release).unwrap_or_default(),
            "sourceEnvironment": "prod", "buildId": built_by(desk, found), "imageTag": found.tag,
        })
    };
    match path {
        ["kuberneteswrapper", "api", "v1", "deployments"] => {
            let wanted = label(parts, "release");
            let found = releases().await?;
            let found = found
                .into_iter()
                .filter(|app| wanted.as_ref().is_none_or(|wanted| *wanted == app.release));
            let told: Vec<Value> =
                found.map(|app| json!({"release": app.release, "version": app.tag})).collect();
            Ok(Json(told).into_response())
        }
        ["runtime", "gateway", "api", "v1", "deploy", "origin", _, "apps"] => {
            let found = releases().await?;
            let told: Vec<Value> = found.iter().map(origin).collect();
            Ok(Json(told).into_response())
        }
        ["runtime", "gateway", "api", "v1", "deploy", "apps", app, _, rest @ ..] => {
            let found = releases().await?;
            let found = found.iter().find(|one| app_of(&one.release).as_deref() == Some(app));
            match (rest, found) {
                (["deployed"], found) => {
                    Ok(Json(json!({"isDeployed": found.is_some()})).into_response())
                }
                ([], Some(one)) => Ok(Json(origin(one)).into_response()),
                _ => Err(Fault::nothing()),
            }
        }
        // Nothing watches apps for faults here; the pages for it are empty, not broken.
        ["runtime", "gateway", "api", "v1", "alerts"]
        | ["runtime", "gateway", "api", "v1", "metrics", ..] => Ok(Json(json!([])).into_response()),
        _ => Err(Fault::nothing()),
    }
}

/// The run that built what is deployed; empty when no run did, as with what comes from a folder.
fn built_by(desk: &Desk, found: &FoundApp) -> String {
    let of = |run: &PipelineRun| {
        run.tag.as_ref() == Some(&found.tag)
            && run.app.as_ref().is_some_and(|app| app.release() == found.release)
    };
    desk.engine.pipeline().list(of, 1).first().map(|run| run.id.to_string()).unwrap_or_default()
}

/// `release=ttd-demo` of a label selector.
fn label(parts: &Parts, name: &str) -> Option<String> {
    let query = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).ok()?;
    let selector =
        query.0.into_iter().find(|(key, _)| key.eq_ignore_ascii_case("labelSelector"))?.1;
    selector.split(',').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim() == name).then(|| value.trim_start_matches('=').trim().to_owned())
    })
}
