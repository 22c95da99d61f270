//! Runs of the pipeline in the shapes of Azure DevOps' builds, timelines and logs.

use serde_json::{Value, json};

use super::discovery::PROJECT;
use crate::model::{
    Definition, PipelineRun, Report, RunResult, RunStatus, RunTask, Severity, short_hash,
};

fn definition(of: Definition, base: &str) -> Value {
    let number = of.number();
    json!({
        "id": number, "name": of.name(), "path": "\\", "type": "build", "queueStatus": "enabled", "revision": 1,
        "project": {"id": PROJECT.0, "name": PROJECT.1},
        "url": format!("{base}/_apis/build/definitions/{number}"),
    })
}

/// One definition.
pub(super) fn of_definition(of: Definition, base: &str) -> Value {
    definition(of, base)
}

const fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::NotStarted => "notStarted",
        RunStatus::InProgress => "inProgress",
        RunStatus::Cancelling => "cancelling",
        RunStatus::Completed => "completed",
    }
}

const fn result(result: RunResult) -> &'static str {
    match result {
        RunResult::Succeeded => "succeeded",
        RunResult::Failed => "failed",
        RunResult::Canceled => "canceled",
        RunResult::Skipped => "skipped",
    }
}

/// A build. `base` is the address up to `_apis`. What is not known yet is left out, as in Azure DevOps.
pub(super) fn build(run: &PipelineRun, base: &str) -> Value {
    let url = format!("{base}/_apis/build/builds/{}", run.id);
    let parameters = serde_json::to_string(&run.parameters).unwrap_or_default();
    let user =
        json!({"displayName": "altinn-local", "id": PROJECT.0, "uniqueName": "altinn-local"});
    let mut build = json!({
        "_links": {"self": {"href": url}, "timeline": {"href": format!("{url}/Timeline")}},
        "id": run.id,
        "buildNumber": run.id.to_string(),
        "status": status(run.status),
        "queueTime": run.queued,
        "url": url,
        "definition": definition(run.definition, base),
        "buildNumberRevision": 1,
        "project": {"id": PROJECT.0, "name": PROJECT.1},
        "uri": format!("vstfs:///Build/Build/{}", run.id),
        "priority": "normal",
        "reason": "manual",
        "requestedFor": user,
        "requestedBy": user,
        "lastChangedDate": run.finished.as_ref().or(run.started.as_ref()).unwrap_or(&run.queued),
        "parameters": parameters,
        "logs": {"id": 0, "type": "Container", "url": format!("{url}/logs")},
        "retainedByRelease": false,
        "triggerInfo": {"altinn.reason": run.reason},
        "tags": [],
        "validationResults": validation(run),
        "deleted": false,
    });
    let known = [
        ("result", run.result.map(|it| Value::from(result(it)))),
        ("startTime", run.started.clone().map(Value::from)),
        ("finishTime", run.finished.clone().map(Value::from)),
        ("sourceVersion", run.commit.clone().map(Value::from)),
        ("sourceBranch", run.tag.as_ref().map(|tag| Value::from(format!("refs/tags/{tag}")))),
    ];
    for (name, value) in known {
        if let Some(value) = value {
            build[name] = value;
        }
    }
    build
}

/// Why it ended as it did.
fn validation(run: &PipelineRun) -> Value {
    let told = run.why.as_ref().map(|why| json!({"result": "error", "message": why}));
    told.into_iter().collect()
}

/// A timeline: one job, and in it a record for each task.
pub(super) fn timeline(run: &PipelineRun, base: &str) -> Value {
    let job = guid(run.id, 0);
    let state = |status| match status {
        RunStatus::NotStarted => "pending",
        RunStatus::InProgress | RunStatus::Cancelling => "inProgress",
        RunStatus::Completed => "completed",
    };
    let mut records = vec![json!({
        "id": job, "parentId": null, "type": "Job", "name": "Job", "order": 1,
        "state": state(run.status), "result": run.result.map(result),
        "startTime": run.started, "finishTime": run.finished, "log": null,
        "issues": [], "errorCount": 0, "warningCount": 0, "attempt": 1,
    })];
    records.extend(run.tasks.iter().enumerate().map(|(place, task)| {
        let issues = issues(task);
        json!({
            "id": guid(run.id, place + 1), "parentId": job, "type": "Task", "name": task.kind.name(),
            "order": place + 1, "state": state(task.status), "result": task.result.map(result),
            "startTime": task.started, "finishTime": task.finished,
            "log": (task.lines > 0).then(|| log_reference(run.id, place, base)),
            "errorCount": issues.iter().filter(|issue| issue["type"] == "error").count(),
            "warningCount": issues.iter().filter(|issue| issue["type"] == "warning").count(),
            "issues": issues, "attempt": 1,
        })
    }));
    json!({
        "id": guid(run.id, usize::MAX), "changeId": run.tasks.iter().map(|task| task.lines + 1).sum::<usize>(),
        "lastChangedBy": PROJECT.0, "url": format!("{base}/_apis/build/builds/{}/Timeline", run.id),
        "records": records,
    })
}

/// What a task complains of, each with its place in the sources.
fn issues(task: &RunTask) -> Vec<Value> {
    let Some(report) = &task.report else { return Vec::new() };
    let Report { code, title, labels, diagnostics, .. } = report.as_ref();
    let mut issues: Vec<Value> = diagnostics
        .iter()
        .map(|found| {
            let kind = match found.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            json!({
                "type": kind, "category": "Code", "message": format!("{}: {}", found.code, found.message),
                "data": {
                    "type": kind, "code": found.code, "sourcepath": found.file,
                    "linenumber": found.line.to_string(), "columnnumber": found.column.to_string(),
                },
            })
        })
        .collect();
    let why = labels.first().map(|(_, why)| format!(": {why}")).unwrap_or_default();
    issues.push(json!({"type": "error", "category": "General", "message": format!("{code}: {title}{why}"), "data": {"code": code.to_string()}}));
    issues
}

fn log_reference(id: u32, place: usize, base: &str) -> Value {
    let number = place + 1;
    json!({"id": number, "type": "Container", "url": format!("{base}/_apis/build/builds/{id}/logs/{number}")})
}

/// The logs of a build: one for each task that has begun.
pub(super) fn logs(run: &PipelineRun, base: &str) -> Vec<Value> {
    let begun = run.tasks.iter().enumerate().filter(|(_, task)| task.lines > 0);
    let log = |(place, task): (usize, &RunTask)| {
        let mut log = log_reference(run.id, place, base);
        log["lineCount"] = task.lines.into();
        log["createdOn"] = task.started.clone().into();
        log["lastChangedOn"] = task.finished.clone().or_else(|| task.started.clone()).into();
        log
    };
    begun.map(log).collect()
}

/// The same for the same, in the form of a GUID.
fn guid(id: u32, part: usize) -> String {
    let digits =
        format!("{}{}{}", short_hash(&(id, part)), short_hash(&(part, id)), short_hash(&id));
    format!(
        "{}-{}-4{}-8{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..15],
        &digits[15..18],
        &digits[18..30]
    )
}
