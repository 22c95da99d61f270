//! Open pages in a real browser: what a save does to them, and that they are left alone where nobody looks at them.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::outside::get_as;
use crate::world::{LONG, World, kill};

/// What all that is done in the browser may take.
const BROWSER: Duration = Duration::from_mins(8);

#[test]
#[ignore = "needs an engine, kind, Node and Chromium"]
fn pages() -> Result<()> {
    World::story("pages", |world| {
        world.result(&["up", "--json"], LONG)?;
        let port = world.port()?;
        in_a_browser(world, port)?;
        in_ci(world, port)
    })
}

/// The tests in `tests/browser`, which tell what they find themselves.
fn in_a_browser(world: &World, port: u16) -> Result<()> {
    let program = world.command(&[]);
    let mut node = Command::new("npm");
    let settings = program.get_envs().filter_map(|(name, value)| Some((name, value?)));
    node.args(["--silent", "test"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser"))
        .envs(settings)
        .env("ALTINN_LOCAL", program.get_program())
        .env("APP_DIR", &world.repository)
        .env("APP_URL", format!("http://ttd.apps.altinn.localhost:{port}{}", world.app_path("")));
    in_time(&mut node, BROWSER)
}

/// Runs a program that starts others, and ends all of them when it takes too long.
pub fn in_time(program: &mut Command, patience: Duration) -> Result<()> {
    // At its end Node sets a terminal back, which stops everybody who runs in the background of one.
    program.stdin(Stdio::null());
    // A browser is many processes: all of them end with this group.
    program.process_group(0);
    let mut running = program.spawn()?;
    let end = Instant::now() + patience;
    let status = loop {
        if let Some(status) = running.try_wait()? {
            break Some(status);
        }
        if Instant::now() >= end {
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    if status.is_none() {
        let group = format!("-{}", running.id());
        Command::new("kill").args(["-9", "--", &group]).status()?;
        running.wait()?;
    }
    let status = status.with_context(|| format!("the browser is not done within {patience:?}"))?;
    ensure!(status.success(), "the browser's part ended with {status}");
    Ok(())
}

/// Pages of an agent that CI started are what the app answers.
fn in_ci(world: &World, port: u16) -> Result<()> {
    let host = format!("ttd.apps.altinn.localhost:{port}");
    let page = || get_as(port, &host, &world.app_path("/"), "text/html").map(|(_, body)| body);
    ensure!(page()?.contains("/.altinn-local/page.js"), "{}", page()?);
    kill(world.agent()?)?;
    let mut up = world.command(&["up", "--json"]);
    crate::running::run(up.env("CI", "true"), LONG)?.succeeded()?;
    let end = Instant::now() + Duration::from_secs(5);
    while page()?.contains("altinn-local") {
        ensure!(Instant::now() < end, "{}", page()?);
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
