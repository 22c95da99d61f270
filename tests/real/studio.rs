//! Studio's round trip in a real browser: an app is made, changed, released, deployed and used; then every page of
//! Designer, and an IDE that pushes meanwhile.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::pages::in_time;
use crate::world::{LONG, SHORT, World};

/// What the browser may take: five builds, and what lies between.
const BROWSER: Duration = Duration::from_mins(12);

#[test]
#[ignore = "needs an engine, kind, Node and Chromium"]
fn studio() -> Result<()> {
    World::story("studio", |world| {
        world.result(&["up", "--json"], LONG)?;
        let port = world.port()?;
        let credentials = world.result(&["credentials", "--json"], SHORT)?;
        in_a_browser(port, &credentials)?;
        said_by_status(world)
    })
}

fn in_a_browser(port: u16, credentials: &Value) -> Result<()> {
    let logins = credentials["logins"].as_array().context("no logins")?;
    let login = logins.iter().find(|login| login["service"] == "studio").context("no developer")?;
    let text = |name: &str| login[name].as_str().with_context(|| format!("no {name}"));
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec", "--test-concurrency=1"])
        .args(["studio.test.js", "designer.test.js"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser"))
        .env("STUDIO_URL", format!("http://studio.localhost:{port}"))
        .env("STUDIO_USER", text("user")?)
        .env("STUDIO_PASSWORD", text("password")?);
    in_time(&mut node, BROWSER)
}

/// What Studio deployed has no folder here, and is shown all the same.
fn said_by_status(world: &World) -> Result<()> {
    let status = world.status()?;
    let resources = status["resources"].as_array().context("no resources")?;
    let shown =
        |one: &&Value| one["id"].as_str().is_some_and(|id| id.starts_with("app.ttd.runde-"));
    let app = resources.iter().find(shown).with_context(|| format!("not shown: {status}"))?;
    ensure!(app["image"].as_str().is_some_and(|image| image.ends_with(":1.0.0")), "{app}");
    Ok(())
}
