//! Widgets, from `widget new` to the browser: alone, and in the pages of an app in its cluster. Need Node, a package
//! registry and Chromium.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use altinn_local::config::env::Environment;
use altinn_local::events::{EventKind, Journal};
use altinn_local::model::ResourceState;
use altinn_local::widgets::{self, DevRoute, DevServer, DevState, Source, Toolchain};
use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::outside::get;
use crate::running::run;
use crate::world::{LONG, SHORT, World, kill};

/// What an install from a registry may take.
const INSTALL: Duration = Duration::from_mins(3);
/// What a chapter in a browser may take.
const BROWSER: Duration = Duration::from_mins(3);
/// Set for the process that is killed while it holds a server.
const HELD: &str = "ALTINN_LOCAL_TEST_HELD";

fn tool(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_altinn-local"));
    run(command.args(arguments).current_dir(folder).env("ALTINN_LOCAL_HOME", folder), INSTALL)?
        .succeeded()?;
    Ok(())
}

/// An app with a widget that is built.
fn an_app() -> Result<TempDir> {
    let folder = TempDir::with_prefix("altinn-widget-")?;
    tool(folder.path(), &["app", "new", "ttd/demo", "app"])?;
    let app = folder.path().join("app");
    tool(&app, &["widget", "new", "counter"])?;
    tool(&app, &["widget", "build"])?;
    Ok(folder)
}

fn server(app: &Path, journal: &Journal) -> Result<DevServer> {
    let toolchain = Toolchain::find(&Environment::read(), Path::new("/nonexistent"))?;
    let widget = widgets::find(app, &[], true)?.pop().context("no widget")?;
    let source = Source::Widget("ttd/demo".parse()?, widget);
    Ok(DevServer::new(source, toolchain, journal.clone())?)
}

fn states() -> (watch::Sender<DevState>, watch::Receiver<DevState>) {
    watch::channel(DevState::new(ResourceState::Pending))
}

/// The process that listens on a port, as the kernel tells it.
fn listener(port: u16) -> Option<u32> {
    let all = listeners::get_all().ok()?;
    all.into_iter()
        .find(|found| found.socket.port() == port && found.state == listeners::SocketState::Listen)
        .map(|found| found.process.pid)
}

async fn answering(state: &mut watch::Receiver<DevState>) -> Result<DevRoute> {
    let found = timeout(Duration::from_mins(1), state.wait_for(|now| now.route.is_some())).await;
    found??.route.clone().context("no route")
}

async fn free(port: u16) -> Result<()> {
    for _ in 0..100 {
        if listener(port).is_none() {
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    Err(anyhow!("the server on port {port} lives on"))
}

/// Readers see the old text or the new one.
fn replace(folder: &Path, name: &str, text: &str) -> Result<()> {
    let new = folder.join(format!("{name}.new"));
    std::fs::write(&new, text)?;
    Ok(std::fs::rename(new, folder.join(name))?)
}

/// Tells the browser's side where the server is, each time it changes.
async fn told(folder: &Path, mut state: watch::Receiver<DevState>) -> Result<()> {
    loop {
        let (module, now) = {
            let state = state.borrow_and_update();
            (widgets::page_module(std::slice::from_ref(&*state)), state.route.clone())
        };
        if let Some(now) = now {
            let mut told = json!(now);
            told["pid"] = json!(listener(now.port));
            replace(folder, "route.json", &told.to_string())?;
        }
        replace(folder, "dev.js", &module)?;
        state.changed().await?;
    }
}

#[tokio::test]
#[ignore = "needs Node, a package registry and Chromium"]
async fn a_widget_in_a_browser() -> Result<()> {
    let folder = an_app()?;
    let app = folder.path().join("app");
    let mut npm = Command::new("npm");
    run(npm.arg("test").current_dir(app.join("widgets/counter")), INSTALL)?.succeeded()?;

    let journal = Journal::default();
    let (sender, mut state) = states();
    let began = Instant::now();
    let served = tokio::spawn(server(&app, &journal)?.run(sender));
    let first = answering(&mut state).await?;
    eprintln!("the dev server answers after {:.1?}", began.elapsed());
    let there = folder.path().to_path_buf();
    let telling = tokio::spawn({
        let state = state.clone();
        async move { told(&there, state).await }
    });

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/widget.mjs");
    let mut node = tokio::process::Command::new("node");
    // At its end Node sets a terminal back, which stops everybody who runs in the background of one.
    node.stdin(std::process::Stdio::null());
    let status = node.arg(script).arg(folder.path()).kill_on_drop(true).status();
    let status = timeout(Duration::from_mins(3), status).await??;
    if let Some(kept) = std::env::var_os("SCREENSHOTS") {
        for entry in std::fs::read_dir(folder.path())?.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "png") {
                std::fs::copy(entry.path(), Path::new(&kept).join(entry.file_name()))?;
            }
        }
    }
    for event in journal.since(0) {
        if let EventKind::Log { line, .. } = event.kind {
            eprintln!("  {line}");
        }
    }
    ensure!(status.success(), "the browser's part ended with {status}");

    let last = answering(&mut state).await?;
    ensure!(last.port != first.port, "the server was killed, but is the same");
    telling.abort();
    served.abort();
    free(last.port).await
}

#[tokio::test]
#[ignore = "needs Node and a package registry"]
async fn no_server_outlives_whoever_holds_it() -> Result<()> {
    let folder = an_app()?;
    // This very test, as a process of its own that can be killed.
    let mut holder = tokio::process::Command::new(std::env::current_exe()?)
        .args(["--ignored", "--exact", "widgets::holds_a_server"])
        .env(HELD, folder.path())
        .kill_on_drop(true)
        .spawn()?;
    let port = folder.path().join("port");
    let mut heard = None;
    for _ in 0..600 {
        heard = std::fs::read_to_string(&port).ok();
        if heard.is_some() {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    let port = heard.context("the server never answered")?.parse()?;
    ensure!(listener(port).is_some_and(|pid| Some(pid) != holder.id()), "nobody listens");
    // SIGKILL: nothing of ours runs any more.
    let began = Instant::now();
    holder.kill().await?;
    free(port).await?;
    eprintln!("gone after {:.0?}", began.elapsed());
    Ok(())
}

#[tokio::test]
#[ignore = "only as a part of the test above"]
async fn holds_a_server() -> Result<()> {
    let Some(folder) = std::env::var_os(HELD) else { return Ok(()) };
    let folder = Path::new(&folder);
    let (sender, mut state) = states();
    let _served = tokio::spawn(server(&folder.join("app"), &Journal::default())?.run(sender));
    let port = answering(&mut state).await?.port.to_string();
    std::fs::write(folder.join("port.new"), port)?;
    std::fs::rename(folder.join("port.new"), folder.join("port"))?;
    std::future::pending().await
}

#[test]
#[ignore = "needs an engine, Node, a package registry and Chromium"]
fn widgets_in_the_pages_of_an_app() -> Result<()> {
    World::story("widgets", |world| {
        prepare(world)?;
        world.run(&["up", "--port", "auto"], LONG)?.succeeded()?;
        let url =
            format!("http://ttd.apps.altinn.localhost:{}{}", world.port()?, world.app_path(""));
        ensure!(servers(world).is_empty(), "nobody asked for dev servers");
        browser("built", &url, &world.repository, |_| Ok(()))?;
        from_their_source(world, &url)?;
        the_frontend(world, &url)?;
        named(world, &url)?;
        ensure!(!servers(world).is_empty());
        world.run(&["down"], LONG)?.succeeded()?;
        ensure!(servers(world).is_empty(), "after `down`: {:?}", servers(world));
        eprintln!("  nothing of them is left after `down`");
        Ok(())
    })
}

/// Two widgets, built, and in the app's layout.
fn prepare(world: &World) -> Result<()> {
    for (name, field, text) in
        [("counter", "participants", "Hvor mange?"), ("map", "ownShare", "Hvor da?")]
    {
        world.run(&["widget", "new", name], SHORT)?.succeeded()?;
        world.run(&["widget", "build", name], INSTALL)?.succeeded()?;
        let title = format!("{name}.title");
        insert(
            world,
            "App/ui/form/layouts/budget.json",
            "/data/layout",
            1,
            json!({
                "id": name, "type": "Custom", "tagName": format!("widget-{name}"),
                "textResourceBindings": { "title": title },
                "dataModelBindings": { "simpleBinding": field },
            }),
        )?;
        let text = json!({ "id": title, "value": text });
        insert(world, "App/config/texts/resource.nb.json", "/resources", 0, text)?;
    }
    Ok(())
}

/// Puts a value into a list of a JSON file.
fn insert(world: &World, file: &str, list: &str, place: usize, value: Value) -> Result<()> {
    let mut whole: Value = serde_json::from_str(world.read(file)?.trim_start_matches('\u{feff}'))?;
    let list = whole.pointer_mut(list).and_then(Value::as_array_mut).context("no list")?;
    list.insert(place, value);
    world.save(file, &whole.to_string())
}

/// Edits show in the running app with its state kept; what is wrong is told; a server that dies is back.
fn from_their_source(world: &World, url: &str) -> Result<()> {
    let began = Instant::now();
    world.run(&["up", "--profile", "widgets"], LONG)?.succeeded()?;
    eprintln!("  `up` with two dev servers: {:.1?}", began.elapsed());
    for name in ["counter", "map"] {
        ensure!(server_of(world, name)?["state"] == "healthy", "{name} after `up`");
    }
    browser("live", url, &world.repository, |asked| {
        let counter = server_of(world, "counter")?;
        let (found, error) = (&counter["state"], &counter["lastError"]);
        match asked {
            "broken" => {
                ensure!(found == "degraded" && error["code"] == "AL3104", "{counter}");
                let file = error["diagnostics"][0]["file"].as_str().unwrap_or_default();
                ensure!(file == "src/Widget.tsx", "{counter}");
            }
            _ => ensure!(found == "healthy" && error.is_null(), "{counter}"),
        }
        Ok(())
    })?;
    let log = world.run(&["logs", "counter"], SHORT)?.succeeded()?;
    log.says(&["the dev server of widget `counter` ended; starting it again"])
}

/// A dev server as `status` tells it; `frontend`, or a widget's name.
fn server_of(world: &World, name: &str) -> Result<Value> {
    let status = world.status()?;
    let resources = status["resources"].as_array().context("no resources")?;
    let end = format!(".{name}");
    let found = resources.iter().find(|one| {
        one["kind"] == "devServer" && one["id"].as_str().is_some_and(|id| id.ends_with(&end))
    });
    found.cloned().with_context(|| format!("no dev server {name} in {status:#}"))
}

/// Altinn's own frontend from its source, played by a small project of Vite.
fn the_frontend(world: &World, url: &str) -> Result<()> {
    let project = world.path("frontend");
    std::fs::create_dir_all(project.join("src"))?;
    for file in ["vite.config.js", "src/index.js", "src/text.js"] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/frontend").join(file);
        std::fs::copy(from, project.join(file))?;
    }
    // Somebody else has the port at first.
    let other = TcpListener::bind("127.0.0.1:0")?;
    let port = other.local_addr()?.port();
    let vite = world.repository.join("widgets/counter/node_modules/vite/bin/vite.js");
    let entry = json!({ "frontend": {
        "path": project, "port": port, "command": format!("node {} --port {port}", vite.display()),
    }});
    world.save("altinn-local.yaml", &entry.to_string())?;
    let page = world.read("App/wwwroot/index.html")?;
    let from = "https://altinncdn.no/toolkits/altinn-app-frontend/4/altinn-app-frontend";
    let tags = format!(
        "<script defer src=\"{from}.js\"></script><link rel=\"stylesheet\" href=\"{from}.css\"></head>"
    );
    world.save("App/wwwroot/index.html", &page.replace("</head>", &tags))?;
    world.run(&["up", "--profile", "widgets"], LONG)?.succeeded()?;
    let frontend = server_of(world, "frontend")?;
    ensure!(frontend["state"] == "degraded", "{frontend}");
    ensure!(frontend.to_string().contains("another program listens on port"), "{frontend}");

    let host = url.split('/').nth(2).context("no host")?;
    let ask = |path: &str| get(world.port()?, host, path);
    let (status, told) = ask("/.altinn-local/frontend/4/altinn-app-frontend.js")?;
    ensure!(status == 302, "while it is away, pages get what they asked for: {status} {told}");
    drop(other);
    let began = Instant::now();
    while server_of(world, "frontend")?["state"] != "healthy" {
        ensure!(began.elapsed() < Duration::from_mins(1), "{:#}", server_of(world, "frontend")?);
        std::thread::sleep(Duration::from_millis(100));
    }
    let (status, told) = ask("/.altinn-local/frontend/4/altinn-app-frontend.js")?;
    ensure!(status == 200 && told.contains("/src/index.js"), "{status} {told}");
    ensure!(world.ask(world.port()?, "/health")?.0 == 200, "the app itself");
    browser("frontend", url, &project, |_| Ok(()))
}

/// Nothing outlives an agent that is killed; the next one serves what the file names, however that is started.
fn named(world: &World, url: &str) -> Result<()> {
    ensure!(!servers(world).is_empty());
    kill(world.agent()?)?;
    let began = Instant::now();
    while !servers(world).is_empty() {
        ensure!(began.elapsed() < Duration::from_secs(5), "{:?}", servers(world));
        std::thread::sleep(Duration::from_millis(10));
    }
    eprintln!("  {:.0?} after the agent was killed no dev server is left", began.elapsed());
    let vite = world.repository.join("widgets/map/node_modules/vite/bin/vite.js");
    let command = format!(
        "sleep 3; node {} --host 127.0.0.1 --strictPort --port $ALTINN_LOCAL_WIDGET_PORT --base $ALTINN_LOCAL_WIDGET_BASE",
        vite.display()
    );
    let entry = json!({ "apps": [{
        "path": ".", "widgets": [{ "path": "widgets/map", "command": command }],
    }]});
    world.save("altinn-local.yaml", &entry.to_string())?;
    world.run(&["up"], LONG)?.succeeded()?;
    ensure!(server_of(world, "map")?["state"] == "healthy");
    ensure!(server_of(world, "counter").is_err() && server_of(world, "frontend").is_err());
    browser("away", url, &world.repository, |_| Ok(()))
}

/// The processes that have a file of this world in their command line: dev servers, and what they started.
fn servers(world: &World) -> Vec<String> {
    let (own, agent) = (world.path(""), world.agent().ok());
    let own = own.display().to_string();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| Some(*id) != agent)
        .filter_map(|id| {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).ok()?;
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            line.contains(own.trim_end_matches('/')).then(|| format!("{id} {line}"))
        })
        .collect()
}

/// Plays a chapter in a browser. It may ask, by a line, for a look at something meanwhile.
fn browser(story: &str, url: &str, folder: &Path, look: impl Fn(&str) -> Result<()>) -> Result<()> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/app.mjs");
    let mut node = Command::new("node");
    node.arg(script).args([story, url]).arg(folder).env("ASKED", "1");
    let mut child = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().context("no input")?;
    let output = BufReader::new(child.stdout.take().context("no output")?);
    let (tell, lines) = channel();
    std::thread::spawn(move || {
        output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line))
    });
    let end = Instant::now() + BROWSER;
    let result = loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => match line.strip_prefix("??  ") {
                None => eprintln!("  {line}"),
                Some(asked) => match look(asked).with_context(|| asked.to_owned()) {
                    Ok(()) => writeln!(input, "seen")?,
                    Err(error) => break Err(error),
                },
            },
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break Ok(()),
            Err(error) => break Err(anyhow!("`{story}` in the browser: {error}")),
        }
    };
    if result.is_err() {
        child.kill()?;
    }
    let status = child.wait()?;
    result?;
    ensure!(status.success(), "`{story}` in the browser ended with {status}");
    Ok(())
}
