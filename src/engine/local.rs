//! What can be told of an app without any agent: from its folder alone.

use crate::build::{self, Context};
use crate::config::dirs::Dirs;
use crate::config::env::Environment;
use crate::config::settings::WantedApp;
use crate::deploy::release;
use crate::model::{App, ImageRef, Report, StackName, apps_host, org_registry};
use crate::sys::calls::Calls;
use crate::sys::helm::Helm;
use crate::sys::tools;
use crate::sys::walk::Hashes;

/// The app in its folder, with what the configuration adds.
pub fn found_app(wanted: &WantedApp) -> Result<App, Report> {
    let mut app = build::find_app(&wanted.root)?;
    app.watch_exclude.clone_from(&wanted.watch_exclude);
    app.values.clone_from(&wanted.values);
    app.deploy_timeout_seconds = wanted.deploy_timeout_seconds;
    app.build_args = wanted.build_args.clone().into_iter().collect();
    Ok(app)
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
