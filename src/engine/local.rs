//! What can be told of an app without any agent: from its folder alone.

use std::path::{Path, PathBuf};

use crate::build::{self, Context, Landing};
use crate::config::dirs::Dirs;
use crate::config::env::Environment;
use crate::config::settings::WantedApp;
use crate::deploy::release;
use crate::model::{
    App, ImageRef, Lane, Place, Report, StackName, WatchMode, apps_host, org_registry,
};
use crate::plan::{Change, Course, Ground, course};
use crate::sync;
use crate::sys::calls::Calls;
use crate::sys::helm::Helm;
use crate::sys::tools;
use crate::sys::walk::{self, Hashes};

/// The app in its folder, with what the configuration adds.
pub fn found_app(wanted: &WantedApp) -> Result<App, Report> {
    let mut app = build::find_app(&wanted.root)?;
    app.watch_exclude.clone_from(&wanted.watch_exclude);
    app.watch_mode = wanted.watch_mode;
    app.watch_rules.clone_from(&wanted.watch_rules);
    app.values.clone_from(&wanted.values);
    app.deploy_timeout_seconds = wanted.deploy_timeout_seconds;
    app.build_args = wanted.build_args.clone().into_iter().collect();
    Ok(app)
}

/// What saves of an app's files would do, told from its folder alone.
pub struct Foresight {
    app: App,
    landing: Landing,
    /// `App::values` below the root, relative to it.
    values: Vec<String>,
}

impl Foresight {
    /// Reads the app's build context and what it is built by.
    pub fn read(app: App) -> Result<Self, Report> {
        let context = Context::read(&app, &mut Hashes::default())?;
        let landing = Landing::of(&context, &app.build_args)?;
        let below = |path: &PathBuf| path.strip_prefix(&app.root).ok().map(walk::path_text);
        let values = app.values.iter().filter_map(below).collect();
        Ok(Self { app, landing, values })
    }

    /// Which ways a save may take.
    #[must_use]
    pub const fn mode(&self) -> WatchMode {
        self.app.watch_mode
    }

    /// Why `.cs` files are not compiled by themselves; none when they are.
    #[must_use]
    pub fn no_compiler(&self) -> Option<&str> {
        self.landing.compile().err()
    }

    /// The course of a save of these files, whose paths are relative to the app's root. One that is not there counts
    /// as new.
    pub fn of(&self, paths: &[String]) -> Result<Course, Report> {
        let mut heeded = Vec::new();
        for path in paths {
            let new = !self.app.root.join(path).exists();
            if sync::heeds(&self.app, Path::new(path))? {
                heeded.push(Change { path: path.clone(), gone: false, new });
            }
        }
        let ground = Ground {
            rules: &self.app.watch_rules,
            mode: self.app.watch_mode,
            supervised: true,
            values: &self.values,
        };
        let told = course(&heeded, &ground, |path| place(&self.app, &self.landing, path));
        Ok(match paths {
            [path] if heeded.is_empty() => {
                let why = "is not watched: an ignore file or `watch.exclude` leaves it out";
                Course { lane: Lane::Ignore, reason: format!("{path} {why}"), ..told }
            }
            _ => told,
        })
    }
}

/// What a file, whose path is relative to the app's root, is in the image.
pub(super) fn place(app: &App, landing: &Landing, path: &str) -> Place {
    let context = app.context.strip_prefix(&app.root).map(walk::path_text).unwrap_or_default();
    let inside = if context.is_empty() {
        Some(path)
    } else {
        path.strip_prefix(&context).and_then(|rest| rest.strip_prefix('/'))
    };
    inside.map_or(Place::Nowhere, |path| landing.place(path))
}

/// The objects that a deploy would apply, as YAML, and what the app's author should know. The image's tag is that of
/// the files alone: which base images a build would get, only an engine knows.
pub async fn render(
    environment: &Environment,
    dirs: &Dirs,
    stack: &StackName,
    app: &App,
) -> Result<(String, Vec<Report>), Report> {
    let helm = Helm::new(
        &tools::find("helm", environment, &dirs.tools)?,
        &dirs.stack(stack).join("helm"),
        Calls::default(),
    );
    let context = Context::read(app, &mut Hashes::default())?;
    let repository = format!("{}/{}", org_registry(&app.id.org), app.id.release());
    let image = ImageRef::new(repository, context.tag(&app.build_args, &[]));
    let (spec, notices) = release::spec(app, &image, &apps_host(&app.id.org))?;
    let text = release::render(&helm, &dirs.cache.join("charts"), &spec).await?;
    Ok((text, notices))
}
