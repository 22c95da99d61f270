//! What can be told of an app without any agent: from its folder alone.

use std::path::Path;

use super::way;
use crate::build::{self, Context, Landing};
use crate::config::dirs::Dirs;
use crate::config::env::Environment;
use crate::config::settings::WantedApp;
use crate::deploy::release;
use crate::model::{App, Domain, ImageRef, Lane, Report, StackName, WatchMode, org_registry};
use crate::plan::{Change, Course};
use crate::sync;
use crate::sys::calls::Calls;
use crate::sys::helm::Helm;
use crate::sys::tools;
use crate::sys::walk::Hashes;

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
}

impl Foresight {
    /// Reads the app's build context and what it is built by.
    pub fn read(app: App) -> Result<Self, Report> {
        let context = Context::read(&app, &mut Hashes::default())?;
        let landing = Landing::of(&context, &app.build_args)?;
        Ok(Self { app, landing })
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
        let told = way::course(&self.app, &self.landing, true, &heeded);
        Ok(match paths {
            [path] if heeded.is_empty() => {
                let why = "is not watched: an ignore file or `watch.exclude` leaves it out";
                Course { lane: Lane::Ignore, reason: format!("{path} {why}"), ..told }
            }
            _ => told,
        })
    }
}

/// The objects that a deploy would apply, as YAML, and what the app's author should know. The image's tag is that of
/// the files alone: which base images a build would get, only an engine knows.
pub async fn render(
    environment: &Environment,
    dirs: &Dirs,
    stack: &StackName,
    domain: Domain,
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
    let (spec, notices) = release::spec(app, &image, &domain.apps_host(&app.id.org), None)?;
    let text = release::render(&helm, &dirs.cache.join("charts"), &spec).await?;
    Ok((text, notices))
}
