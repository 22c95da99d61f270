//! Builds and definitions.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Asked;
use super::discovery::list;
use super::fault::Fault;
use super::filter::Filter;
use super::shape;
use crate::model::{Definition, PipelineRun};
use crate::pipeline::{Asker, Pipeline, Request};
use crate::server::guard::Face;

/// The longest value of a parameter, in bytes.
const LONGEST_VALUE: usize = 32 << 10;
/// The most parameters of a run.
const MOST: usize = 200;

/// Answers what stands below `_apis/build`.
pub(super) fn answer(asked: &Asked<'_>, path: &[&str]) -> Result<Response, Fault> {
    let pipeline = asked.desk.engine.pipeline();
    let get = matches!(asked.method, Method::GET | Method::HEAD);
    match path {
        ["definitions"] if get => {
            let all = Definition::ALL.map(|it| shape::of_definition(it, &asked.base));
            Ok(list(&all))
        }
        ["definitions", id] if get => {
            let found = id.parse::<u32>().ok().and_then(|id| Definition::try_from(id).ok());
            let found = found.ok_or_else(|| {
                Fault::new(StatusCode::NOT_FOUND, format!("there is no definition {id}"))
            })?;
            Ok(Json(shape::of_definition(found, &asked.base)).into_response())
        }
        ["builds"] if get => {
            let filter = Filter::read(&asked.query)?;
            let most = if filter.ascending { usize::MAX } else { filter.most };
            let mut runs = pipeline.list(|run| filter.takes(run), most);
            if filter.ascending {
                runs.reverse();
                runs.truncate(filter.most);
            }
            Ok(list(&runs.iter().map(|run| shape::build(run, &asked.base)).collect::<Vec<_>>()))
        }
        ["builds"] if asked.method == Method::POST => queue(asked, pipeline),
        ["builds", id, rest @ ..] => {
            let run =
                id.parse().ok().and_then(|id| pipeline.get(id)).ok_or_else(|| Fault::no_run(id))?;
            of_run(asked, pipeline, &run, rest)
        }
        _ => Err(Fault::nothing()),
    }
}

fn of_run(
    asked: &Asked<'_>,
    pipeline: &Pipeline,
    run: &PipelineRun,
    path: &[&str],
) -> Result<Response, Fault> {
    match (&asked.method, path) {
        (&(Method::GET | Method::HEAD), []) => {
            Ok(Json(shape::build(run, &asked.base)).into_response())
        }
        (&Method::PATCH, []) => change(asked, pipeline, run),
        (&Method::DELETE, []) => {
            pipeline.remove(run.id).map_err(|not| Fault::not_done(run.id, not))?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        (&(Method::GET | Method::HEAD), ["timeline", ..]) => {
            Ok(Json(shape::timeline(run, &asked.base)).into_response())
        }
        (&(Method::GET | Method::HEAD), ["logs"]) => Ok(list(&shape::logs(run, &asked.base))),
        (&(Method::GET | Method::HEAD), ["logs", number]) => log(asked, pipeline, run, number),
        // An image is in its registry, not among artifacts; commits and work items are Gitea's.
        (&(Method::GET | Method::HEAD), ["artifacts" | "changes" | "workitems"]) => Ok(list(&[])),
        _ => Err(Fault::nothing()),
    }
}

/// A request's body. What else clients send is not needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Queue {
    definition: Option<DefinitionRef>,
    parameters: Option<Value>,
    template_parameters: Option<Map<String, Value>>,
    source_version: Option<String>,
}

#[derive(Deserialize)]
struct DefinitionRef {
    id: Option<u32>,
}

fn queue(asked: &Asked<'_>, pipeline: &Pipeline) -> Result<Response, Fault> {
    let queue: Queue = serde_json::from_slice(&asked.body)
        .map_err(|error| Fault::invalid(format!("the body is not a build: {error}")))?;
    let number = queue.definition.and_then(|definition| definition.id);
    let number = number.ok_or_else(|| Fault::invalid("definition.id is missing"))?;
    let definition = Definition::try_from(number).map_err(Fault::invalid)?;
    let mut parameters = parameters(queue.parameters)?;
    if let Some(template) = queue.template_parameters {
        parameters.extend(texts(template)?);
    }
    if let Some(version) = queue.source_version.filter(|version| !version.is_empty()) {
        parameters.entry("APP_COMMIT_ID".to_owned()).or_insert(version);
    }
    if parameters.len() > MOST {
        return Err(Fault::invalid(format!("there are more than {MOST} parameters")));
    }
    let reason = "manual".to_owned();
    let run = pipeline.queue(Request { definition, parameters, asker: who(asked), reason })?;
    Ok(Json(shape::build(&run, &asked.base)).into_response())
}

/// A text that holds a JSON object, as the API has it; an object itself is taken too.
fn parameters(told: Option<Value>) -> Result<BTreeMap<String, String>, Fault> {
    let object = match told {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(object)) => object,
        Some(Value::String(text)) if text.trim().is_empty() => return Ok(BTreeMap::new()),
        Some(Value::String(text)) => serde_json::from_str(&text).map_err(|error| {
            Fault::invalid(format!("parameters: not the text of a JSON object: {error}"))
        })?,
        Some(_) => {
            return Err(Fault::invalid("parameters: must be a text that holds a JSON object"));
        }
    };
    texts(object)
}

fn texts(object: Map<String, Value>) -> Result<BTreeMap<String, String>, Fault> {
    let mut texts = BTreeMap::new();
    for (name, value) in object {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err(Fault::invalid(format!("{name}: must be a text")));
            }
        };
        if text.len() > LONGEST_VALUE || name.len() > 200 {
            let name: String = name.chars().take(60).collect();
            return Err(Fault::invalid(format!("{name}: is too long")));
        }
        texts.insert(name, text);
    }
    Ok(texts)
}

fn who(asked: &Asked<'_>) -> Asker {
    if asked.desk.face == Face::Socket { Asker::Owner } else { Asker::Caller }
}

/// `{"status": "cancelling"}` gives a run up; `?retry=true` queues it anew.
fn change(asked: &Asked<'_>, pipeline: &Pipeline, run: &PipelineRun) -> Result<Response, Fault> {
    let retry = asked.query.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("retry") && value.eq_ignore_ascii_case("true")
    });
    if retry {
        return Ok(
            Json(shape::build(&pipeline.retry(run.id, who(asked))?, &asked.base)).into_response()
        );
    }
    let told: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let cancelling = match &told["status"] {
        // Clients in JavaScript send the number.
        Value::Number(number) => number.as_u64() == Some(4),
        Value::String(word) => word.eq_ignore_ascii_case("cancelling"),
        _ => false,
    };
    if !cancelling {
        return Err(Fault::invalid(
            "status: a build can be made `cancelling`, and nothing else of it changed",
        ));
    }
    let run = pipeline.cancel(run.id, None).map_err(|not| Fault::not_done(run.id, not))?;
    Ok(Json(shape::build(&run, &asked.base)).into_response())
}

/// A log's lines, the first is 1: as JSON, or as text for those who accept that alone.
fn log(
    asked: &Asked<'_>,
    pipeline: &Pipeline,
    run: &PipelineRun,
    number: &str,
) -> Result<Response, Fault> {
    let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let place = place.filter(|place| *place < run.tasks.len());
    let place = place.ok_or_else(|| {
        Fault::new(StatusCode::NOT_FOUND, format!("build {} has no log {number}", run.id))
    })?;
    let line = |wanted: &str| {
        let found = asked.query.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.and_then(|(_, value)| value.parse::<usize>().ok())
    };
    let start = line("startLine").unwrap_or(1).max(1) - 1;
    let count = line("endLine").map_or(usize::MAX, |end| end.saturating_sub(start));
    let lines = pipeline.lines(run.id, place, start, count);
    let accepted = asked.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepted.is_some_and(|accepted| accepted.trim_start().starts_with("text/plain")) {
        return Ok((
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            lines.join("\n") + "\n",
        )
            .into_response());
    }
    Ok(list(&lines.into_iter().map(Value::from).collect::<Vec<_>>()))
}
