//! `watch`: shows each save as it goes live; with `--why`, tells from the folder alone how saves of files would.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::Context;
use super::printer::Printer;
use super::progress::Show;
use crate::engine::{self, Foresight};
use crate::model::{Code, Report};
use crate::plan::Course;
use crate::sys::walk::path_text;

pub(super) async fn run(context: &Context<'_>, why: &[PathBuf]) -> Result<ExitCode, Report> {
    if why.is_empty() { follow(context).await } else { foretell(context, why) }
}

/// Until Ctrl-C, or until the agent or the reader of our output is gone.
async fn follow(context: &Context<'_>) -> Result<ExitCode, Report> {
    let client = context.client();
    let snapshot = client.running().await?;
    let root = context.settings().map_or_else(|_| context.directory.clone(), |found| found.project);
    let mut events = client.follow(snapshot.seq);
    let mut show = Show::new(context.printer, Some(&root));
    context.printer.note("Each save is shown as it goes live. Ctrl-C ends this, not the stack.");
    tokio::select! {
        ended = show.follow(&mut events, None) => drop(ended?),
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn foretell(context: &Context<'_>, why: &[PathBuf]) -> Result<ExitCode, Report> {
    let settings = context.settings()?;
    let apps = settings.require_apps()?;
    let mut asked: Vec<(usize, String)> = Vec::new();
    for path in why {
        let full = cleaned(&context.directory.join(path));
        let found = apps.iter().enumerate().filter_map(|(place, app)| {
            Some((app.root.as_os_str().len(), place, full.strip_prefix(&app.root).ok()?))
        });
        // Of an app inside another one's folder, the inner.
        let (_, place, below) = found.max().ok_or_else(|| outside(path))?;
        asked.push((place, path_text(below)));
    }
    let mut told = Vec::new();
    for (place, wanted) in apps.iter().enumerate() {
        let paths: Vec<String> =
            asked.iter().filter(|(app, _)| *app == place).map(|(_, path)| path.clone()).collect();
        if paths.is_empty() {
            continue;
        }
        let foresight = Foresight::read(engine::found_app(wanted)?)?;
        for path in &paths {
            told.push((path.clone(), foresight.of(std::slice::from_ref(path))?));
        }
        tell(context, &foresight, &told, foresight.of(&paths)?);
        told.clear();
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(context: &Context<'_>, foresight: &Foresight, told: &[(String, Course)], all: Course) {
    let printer = context.printer;
    if printer.is_json() {
        let each: Vec<_> =
            told.iter().map(|(path, course)| json!({"path": path, "course": course})).collect();
        return printer.json(&json!({
            "schema": "altinn-local/watch-why/1",
            "mode": foresight.mode(),
            "noCompiler": foresight.no_compiler(),
            "paths": each,
            "together": all,
        }));
    }
    for (_, course) in told {
        show(course, printer);
    }
    if told.len() > 1 {
        let together = Course { sync: Vec::new(), ..all };
        printer.line("");
        printer.line("saved together:");
        show(&together, printer);
    }
}

/// `asset   App/wwwroot/a.css is copied as it is`, and below it where to.
fn show(course: &Course, printer: &Printer) {
    let style = printer.stdout();
    printer.line(format!(
        "{}{}",
        style.bold(&format!("{:<8}", course.lane.as_str())),
        course.reason
    ));
    for target in course.sync.iter().flat_map(|(_, targets)| targets) {
        printer.line(style.dim(&format!("        → {target}")));
    }
}

/// A path without dots; nothing of it has to be there.
fn cleaned(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => drop(clean.pop()),
            part => clean.push(part),
        }
    }
    clean
}

fn outside(path: &Path) -> Report {
    Report::new(Code::NotFound, "the file is in none of the apps")
        .at(path.display().to_string())
        .fix("altinn-local config show", "shows the apps and their folders")
}
