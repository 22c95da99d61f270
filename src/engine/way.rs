//! Which way a save takes: what changed and what serves, put to the pure decision.

use std::path::Path;

use super::desire::Work;
use crate::build::Landing;
use crate::deploy::patch;
use crate::model::{App, Lane, Place, Reload, WatchMode};
use crate::plan::{self, Change, Course, Ground};
use crate::sys::walk::path_text;

/// A course, and how what serves is led to it.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) course: Course,
    /// Whether the release differs from what serves in its image alone.
    pub(super) image_alone: bool,
}

impl Way {
    /// The way from what serves to what is on disk. `noted` are paths that were told as changed, relative to the app's
    /// root: those of them that no build reads may still be part of the release.
    pub(super) fn of(
        before: Option<&Work>,
        work: &Work,
        landing: &Landing,
        noted: &[String],
    ) -> Self {
        let app = &work.app;
        let mut changes = before.map_or_else(Vec::new, |before| {
            let changes = work.context.changes_since(&before.context);
            changes
                .into_iter()
                .map(|change| Change { path: below(app, &change.path), ..change })
                .collect()
        });
        let within = work.context.paths();
        for path in noted.iter().filter(|path| !within.contains(path)) {
            if !changes.iter().any(|change: &Change| change.path == *path) {
                let gone = !app.root.join(path).exists();
                changes.push(Change { path: path.clone(), gone, new: false });
            }
        }
        let mut course = course(app, landing, work.helper.is_some(), &changes);
        let Some(before) = before else {
            return Self {
                course: heavier(course, "what serves is not known"),
                image_alone: false,
            };
        };
        let image_alone = patch::differ_in_image_alone(&before.spec, &work.spec);
        if before.app != *app && course.lane < Lane::Build {
            course = heavier(course, "the app's settings changed");
        } else if matches!(course.lane, Lane::Asset | Lane::Code) && !image_alone {
            course.lane = Lane::Layer;
            course.reload = Reload::Page;
            course.reason.push_str("; the configuration changed too");
        } else if course.lane < Lane::Asset && (changes.is_empty() || !image_alone) {
            // The release differs all the same, by what no file tells.
            course.lane = Lane::Config;
            course.reload = Reload::Page;
        }
        if course.lane == Lane::Layer && work.helper.is_none() {
            course = heavier(course, "its image is deployed as it was built");
        }
        Self { course, image_alone }
    }
}

/// The decision about changed files of an app, by its rules and its mode.
pub(super) fn course(app: &App, landing: &Landing, supervised: bool, changes: &[Change]) -> Course {
    let values: Vec<String> = app
        .values
        .iter()
        .filter_map(|path| path.strip_prefix(&app.root).ok().map(path_text))
        .collect();
    let mode: WatchMode = app.watch_mode;
    let ground = Ground { rules: &app.watch_rules, mode, supervised, values: &values };
    plan::course(changes, &ground, |path| {
        path.strip_prefix(&prefix(app)).map_or(Place::Nowhere, |path| landing.place(path))
    })
}

/// The same changes by a whole build, and why.
pub(super) fn heavier(mut course: Course, why: &str) -> Course {
    course.reason = match course.reason.as_str() {
        "" => why.to_owned(),
        reason => format!("{reason}, but {why}"),
    };
    course.lane = Lane::Build;
    course.build = true;
    course.reload = Reload::Page;
    course
}

/// What a path of the build context begins with, relative to the app's root: nothing, or `App/`.
pub(super) fn prefix(app: &App) -> String {
    let below = path_text(app.context.strip_prefix(&app.root).unwrap_or(Path::new("")));
    if below.is_empty() { below } else { format!("{below}/") }
}

/// A path of the build context, relative to the app's root.
pub(super) fn below(app: &App, path: &str) -> String {
    format!("{}{path}", prefix(app))
}
