//! Open pages in a real browser: what a save does to them, and that they are left alone where nobody looks at them.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
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

/// Runs Node's tests, which start a browser, and ends all of them when they take too long. What failed is the error's
/// text; all that they say is shown while they run.
pub fn in_time(program: &mut Command, patience: Duration) -> Result<()> {
    // At its end Node sets a terminal back, which stops everybody who runs in the background of one.
    program.stdin(Stdio::null()).stdout(Stdio::piped());
    // A browser is many processes: all of them end with this group.
    program.process_group(0);
    let mut running = program.spawn()?;
    let said = pass_on(running.stdout.take().context("no output")?);
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
    let said = said.join().unwrap_or_default();
    let status = status.with_context(|| format!("the browser is not done within {patience:?}"))?;
    let failed = said.rsplit_once("failing tests:").map_or(said.as_str(), |(_, failed)| failed);
    ensure!(status.success(), "the browser's part ended with {status}\n{}", cut(failed));
    Ok(())
}

/// Shows what a program says as it comes, and keeps it.
fn pass_on(said: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut all = String::new();
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            // The test's own output is kept back until its end, and shown only when it fails; this is not.
            let _ = writeln!(std::io::stdout().lock(), "{line}");
            all.push_str(&line);
            all.push('\n');
        }
        all
    })
}

/// The beginning, as far as one reads; what follows a first failure seldom tells more.
fn cut(text: &str) -> String {
    const LINES: usize = 40;
    text.lines().take(LINES).collect::<Vec<_>>().join("\n")
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
