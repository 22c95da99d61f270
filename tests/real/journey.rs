//! The whole way of one app: up, looked at from all sides, saved, broken, healed, pushed, down, up again, gone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::outside::{Foreign, Neighbour, differences, docker, docker_lines, get, inspect, tree};
use crate::running::{Running, run, works_for_a_save};
use crate::world::{LONG, SHORT, World};

/// What a save may take until it is live, on a machine that others use too.
const SAVE: Duration = Duration::from_mins(1);

#[test]
#[ignore = "needs an engine and kind"]
fn journey() -> Result<()> {
    World::story("journey", |world| {
        let began = Instant::now();
        let chapter = |name: &str| eprintln!("  {:5.1} s  {name}", began.elapsed().as_secs_f64());
        let foreign = Foreign::new(&format!("{}-foreign", world.stack))?;
        let before = tree(&world.repository)?;

        dry_run(world)?;
        let result = world.result(&["up", "--json"], LONG)?;
        ensure!(result["ok"] == true, "{result}");
        let port = world.port()?;
        chapter("up");
        the_app_answers(world, port)?;
        nothing_changed(world)?;
        chapter("a second up");
        what_production_has(world)?;
        names_in_pods(world, port)?;
        chapter("cluster looked at");
        ports(world)?;
        chapter("ports tried");
        git(world, port)?;
        chapter("pushed");
        saves(world, port)?;
        chapter("saved");
        deploys_that_fail(world, port)?;
        chapter("failed and healed");
        the_push_was_checked(world)?;
        chapter("the pushed commit built and tested");

        let after = tree(&world.repository)?;
        let touched = differences(&before, &after);
        ensure!(touched.is_empty(), "changed in the repository: {touched:?}");
        let volumes = volumes(world)?;
        down_keeps_data(world)?;
        chapter("down");
        pushed_commits_are_kept(world)?;
        chapter("up and down again");
        let left = docker_lines(&["volume", "ls", "--format", "{{.Name}}"])?;
        let left: Vec<_> = volumes.into_iter().filter(|name| left.contains(name)).collect();
        ensure!(left.is_empty(), "volumes left: {left:?}");
        world.check_decoys()?;
        ensure!(foreign.is_untouched()?, "the foreign container was touched");
        Ok(())
    })
}

/// Needs neither engine nor network nor any other program than Helm.
fn dry_run(world: &World) -> Result<()> {
    let mut command = world.command(&["deploy", "--dry-run", "--output", "yaml"]);
    command.env("DOCKER_HOST", "unix:///nowhere/docker.sock").env("PATH", "/nowhere");
    let told = run(&mut command, SHORT)?.succeeded()?;
    let image = format!("ttdaltinnregistry01.azurecr.io/ttd-{}:c-", world.app);
    told.says(&["kind: Deployment", "kind: IngressRoute", &image])
}

fn the_app_answers(world: &World, port: u16) -> Result<()> {
    let asked = |path: &str| -> Result<String> {
        let (status, body) = world.ask(port, path)?;
        ensure!(status == 200, "GET {path}: {status}\n{body}");
        Ok(body)
    };
    ensure!(asked("")?.contains(&format!("<title>{}</title>", world.app)), "the page is another");
    ensure!(asked("/health")? == "Healthy", "not healthy");
    let json = |path: &str| -> Result<Value> { Ok(serde_json::from_str(&asked(path)?)?) };
    let id = format!("ttd/{}", world.app);
    ensure!(json("/api/v1/applicationmetadata")?["id"] == id, "another app's metadata");
    ensure!(json("/api/v1/texts/nb")?["language"] == "nb", "no texts");
    ensure!(json("/api/layouts/form")?["event"].is_object(), "no layouts");
    ensure!(json("/api/layoutsets")?["sets"][0]["id"] == "form", "no layout sets");
    let (status, _) = get(port, &format!("ttd.apps.altinn.localhost:{port}"), "/ttd/other")?;
    ensure!(status == 404, "an app that is not there: {status}");
    Ok(())
}

/// What is as it should be stays untouched, and both ways to ask say so.
fn nothing_changed(world: &World) -> Result<()> {
    let again = world.result(&["up", "--json"], LONG)?;
    ensure!(again["changingCalls"] == 0, "{again}");
    let plan = world.result(&["up", "--plan", "--json"], SHORT)?;
    ensure!(plan["changes"] == 0, "{plan}");
    let status = world.status()?;
    ensure!(status["state"] == "healthy", "{status:#}");
    let mut made = world.holdings()?;
    // The warm compiler comes by itself a moment after `up`.
    made.containers.retain(|name| !name.contains("-build-"));
    made.volumes.retain(|name| !name.ends_with("-packages"));
    ensure!(made == world.expected(), "{made:#?}");
    Ok(())
}

/// Everything that production has in a cluster before the first app comes.
fn what_production_has(world: &World) -> Result<()> {
    let traefik = world.object(&["deployment", "traefik", "-n", "traefik"])?;
    ensure!(traefik["status"]["readyReplicas"] == 1, "{traefik:#}");
    let arguments = &traefik["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
    for argument in ["--entrypoints.http.address", "--entrypoints.https.address", "throttle"] {
        ensure!(arguments.to_lowercase().contains(argument), "no {argument} in {arguments}");
    }
    world.object(&["middlewares.traefik.io", "hsts-header"])?;
    let keys = world.object(&["pvc", "keys"])?;
    ensure!(keys["status"]["phase"] == "Bound", "{keys:#}");
    world.object(&["secret", "accesstoken"])?;
    world.object(&["secret", "apps-runtime-common-secrets-env"])?;
    let environment = world.object(&["configmap", "apps-runtime-common-config-env"])?;
    let storage = environment["data"]["PlatformSettings__ApiStorageEndpoint"].as_str();
    ensure!(storage.is_some_and(|url| url.contains(".altinn.localhost:")), "{environment:#}");
    world.object(&["configmap", "local-registry-hosting", "-n", "kube-public"])?;
    let marker = world.object(&["configmap", "altinn-local", "-n", "kube-system"])?;
    ensure!(marker["data"]["stack"] == *world.stack, "{marker:#}");

    let pod = pod(world)?;
    let image = pod["containers"][0]["image"].as_str().unwrap_or_default();
    let wanted = format!("ttdaltinnregistry01.azurecr.io/ttd-{}:c-", world.app);
    ensure!(image.starts_with(&wanted), "the image is {image}");
    Ok(())
}

/// What the app's only pod is; none more is left of a version before.
fn pod(world: &World) -> Result<Value> {
    let end = Instant::now() + SHORT;
    loop {
        let pods = world.object(&["pods", "-l", &format!("release=ttd-{}", world.app)])?;
        match pods["items"].as_array().map(Vec::as_slice) {
            Some([only]) => return Ok(only["spec"].clone()),
            _ => ensure!(Instant::now() < end, "not one pod: {pods:#}"),
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A URL means the same in a pod and in a container as in the browser.
fn names_in_pods(world: &World, port: u16) -> Result<()> {
    let kube = |arguments: &[&str]| -> Result<String> {
        let all: Vec<&str> =
            ["kube", "ttd", "--"].into_iter().chain(arguments.iter().copied()).collect();
        Ok(world.run(&all, Duration::from_mins(1))?.succeeded()?.stdout)
    };
    let image = "--image=docker.io/altinn-local/busybox:1";
    let pull = "--image-pull-policy=Never";
    kube(&["run", "probe", image, pull, "--restart=Never", "--command", "--", "sleep", "600"])?;
    kube(&["wait", "--for=condition=Ready", "pod/probe", "--timeout=50s"])?;
    let router = inspect(&format!("altinn-{}-router", world.stack))?;
    let network = &router["NetworkSettings"]["Networks"][format!("altinn-local-{}", world.stack)];
    let address = network["IPAddress"].as_str().context("the router has no address")?;
    for name in ["studio.localhost", "ttd.apps.altinn.localhost", "platform.altinn.localhost"] {
        let told = kube(&["exec", "probe", "--", "nslookup", name])?;
        ensure!(told.contains(address), "{name} in a pod is not {address}:\n{told}");
        let gitea = format!("altinn-{}-gitea", world.stack);
        let told = docker(&["exec", &gitea, "getent", "hosts", name])?;
        ensure!(told.contains(address), "{name} in a container is not {address}:\n{told}");
    }
    let url = format!("http://ttd.apps.altinn.localhost:{port}{}", world.app_path("/health"));
    let told = kube(&["exec", "probe", "--", "wget", "-qO-", &url])?;
    ensure!(told == "Healthy", "from a pod: {told}");
    kube(&["delete", "pod", "probe", "--now", "--wait=false"]).map(drop)
}

/// Published on 127.0.0.1 alone, and no neighbour gets in.
fn ports(world: &World) -> Result<()> {
    let mut published = Vec::new();
    let mut addresses = Vec::new();
    for name in world.holdings()?.containers {
        let found = inspect(&name)?;
        let ports = found["NetworkSettings"]["Ports"].as_object().cloned().unwrap_or_default();
        let networks = found["NetworkSettings"]["Networks"].as_object().context("no networks")?;
        let address = networks.values().find_map(|one| one["IPAddress"].as_str());
        for (inside, outside) in ports {
            for binding in outside.as_array().into_iter().flatten() {
                ensure!(binding["HostIp"] == "127.0.0.1", "{name} publishes on {binding}");
                published.push(binding["HostPort"].as_str().unwrap_or_default().parse::<u16>()?);
                let inside = inside.split('/').next().unwrap_or_default().parse::<u16>()?;
                addresses.push((address.unwrap_or_default().to_owned(), inside));
            }
        }
    }
    let what = "router, two registries, blob store and API";
    ensure!(published.len() == 5, "{what}: {published:?}");
    let log = world.path("own/state/stacks").join(&world.stack).join("ports.json");
    let remembered: BTreeMap<String, u16> = serde_json::from_slice(&std::fs::read(log)?)?;
    published.push(remembered["agent"]);
    let Some(neighbour) = Neighbour::new()? else {
        eprintln!("  no network namespace may be made here: nobody tried the ports from outside");
        return Ok(());
    };
    let mut reached = Vec::new();
    for port in published {
        if neighbour.reaches(Neighbour::HOST, port)? {
            reached.push(format!("{}:{port}", Neighbour::HOST));
        }
    }
    for (address, port) in addresses {
        // Not by the published port, but by a route to the engine's own network.
        if neighbour.reaches(&address, port)? {
            eprintln!("  the engine lets a neighbour with a route reach {address}:{port}");
        }
    }
    ensure!(reached.is_empty(), "reached from another network namespace: {reached:?}");
    Ok(())
}

/// Clone, commit, push with real git and the credentials that are printed.
fn git(world: &World, port: u16) -> Result<()> {
    let clone = world.path("clone");
    let url = format!("http://studio.localhost:{port}/repos/ttd/{}.git", world.app);
    git_in(world, &world.path(""), &["clone", "-q", &url, "clone"])?;
    let (theirs, ours) = (tree(&clone)?, tree(&world.repository)?);
    let files = |tree: &BTreeMap<PathBuf, _>| -> Vec<PathBuf> {
        tree.keys().filter(|path| !path.starts_with(".git")).cloned().collect()
    };
    ensure!(files(&theirs) == files(&ours), "the clone has other files");
    std::fs::write(clone.join("pushed.txt"), "kept\n")?;
    git_in(world, &clone, &["add", "pushed.txt"])?;
    git_in(world, &clone, &["commit", "-qm", "A file"])?;
    git_in(world, &clone, &["push", "-q"])?;
    ensure!(pushed(world, port)?, "the commit is not in Gitea");
    Ok(())
}

/// What was pushed is built and tested, beside all that is saved and deployed meanwhile.
fn the_push_was_checked(world: &World) -> Result<()> {
    let commit = git_in(world, &world.path("clone"), &["rev-parse", "HEAD"])?;
    let end = Instant::now() + LONG;
    loop {
        let told = world.result(&["pipeline", "list", "--json"], SHORT)?;
        let runs = told["value"].as_array().context("no runs")?;
        let [run] = runs.as_slice() else { anyhow::bail!("not one run: {told:#}") };
        ensure!(run["definition"]["name"] == "altinn-studio-quality", "{run:#}");
        ensure!(run["sourceVersion"] == commit.trim(), "another commit: {run:#}");
        if run["status"] == "completed" {
            ensure!(run["result"] == "succeeded", "{run:#}");
            return Ok(());
        }
        ensure!(Instant::now() < end, "never ends: {run:#}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Runs git with the stack's credentials, which no command line shows.
fn git_in(world: &World, folder: &std::path::Path, arguments: &[&str]) -> Result<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let told = world.result(&["credentials", "--json"], SHORT)?;
    let logins = told["logins"].as_array().context("no logins")?;
    let gitea = logins.iter().find(|one| one["service"] == "gitea").context("no Gitea")?;
    let answers = world.path("askpass");
    std::fs::write(
        &answers,
        "#!/bin/sh\ncase $1 in Username*) echo \"$T_USER\" ;; *) echo \"$T_PASSWORD\" ;; esac\n",
    )?;
    std::fs::set_permissions(&answers, std::fs::Permissions::from_mode(0o700))?;
    let mut git = Command::new("git");
    git.args(["-c", "user.name=Kari", "-c", "user.email=kari@example.org"])
        .args(["-c", "credential.helper="])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_ASKPASS", answers)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("NO_PROXY", "localhost")
        .env("T_USER", gitea["user"].as_str().unwrap_or_default())
        .env("T_PASSWORD", gitea["password"].as_str().unwrap_or_default());
    Ok(run(&mut git, Duration::from_mins(1))?.succeeded()?.stdout)
}

/// Whether the commit is on Gitea's branch.
fn pushed(world: &World, port: u16) -> Result<bool> {
    let url = format!("http://studio.localhost:{port}/repos/ttd/{}.git", world.app);
    let told = git_in(world, &world.path(""), &["ls-remote", &url, "HEAD"])?;
    let here = git_in(world, &world.path("clone"), &["rev-parse", "HEAD"])?;
    Ok(told.starts_with(here.trim()))
}

/// From a save to an answer; what is broken is told and changes nothing.
fn saves(world: &World, port: u16) -> Result<()> {
    let startup = world.read("App/Startup.cs")?;
    let mut events = world.start(&["up", "--attach", "--json"])?;
    events.until_type("result", LONG)?;

    let saved = Instant::now();
    world.say("first save")?;
    let shipped = events.until_type("shipped", SAVE)?;
    world.wait_for(port, "first save", Duration::from_millis(500))?;
    eprintln!("    save → live {:?}: {}", saved.elapsed(), shipped["stages"]);

    let logic = "App/logic/GrantCalculation.cs";
    let good = world.read(logic)?;
    world.save(logic, &good.replace("model.Grant < 0", "model.Grant < naught"))?;
    let failed = events.until_type("shipFailed", SAVE)?;
    let found = &failed["report"]["diagnostics"][0];
    let line =
        1 + good[..good.find("model.Grant < 0").context("no such line")?].matches('\n').count();
    ensure!(failed["report"]["code"] == "AL3102", "{failed:#}");
    ensure!(found["file"] == logic && found["line"] == line && found["column"] == 31, "{found:#}");
    world.wait_for(port, "first save", Duration::ZERO)?;
    let status = world.status()?;
    ensure!(last_error(world, &status) == "AL3102", "{status:#}");

    // What is undone is told as live, and the pod that served all the time is not replaced for it.
    let before = pod(world)?;
    world.save(logic, &good)?;
    events.until_type("shipped", SAVE)?;
    ensure!(pod(world)? == before, "the pod was replaced");
    let status = world.status()?;
    ensure!(last_error(world, &status).is_null(), "the fault stays: {status:#}");
    world.say("second save")?;
    events.until_type("shipped", SAVE)?;
    world.wait_for(port, "second save", Duration::from_millis(500))?;

    touch_changes_nothing(world, &mut events)?;
    burst(world, port, &mut events)?;

    world.save("App/Startup.cs", &startup)?;
    events.until_type("shipped", SAVE)?;
    world.wait_for(port, "Healthy", Duration::from_millis(500)).map(drop)
}

fn last_error(world: &World, status: &Value) -> Value {
    let id = format!("app.ttd.{}", world.app);
    let app = status["resources"].as_array().into_iter().flatten().find(|one| one["id"] == *id);
    app.map_or(Value::Null, |app| app["lastError"]["code"].clone())
}

fn touch_changes_nothing(world: &World, events: &mut Running) -> Result<()> {
    let file =
        std::fs::File::options().append(true).open(world.repository.join("App/Startup.cs"))?;
    file.set_modified(SystemTime::now())?;
    drop(file);
    let all = events.until_quiet(Duration::from_secs(2))?;
    ensure!(!all.iter().any(works_for_a_save), "a touch is built: {all:#?}");
    Ok(())
}

/// Of many saves only the last one ends up live, and not each is deployed.
fn burst(world: &World, port: u16, events: &mut Running) -> Result<()> {
    const SAVES: u64 = 10;
    for number in 1..=SAVES {
        world.say(&format!("burst {number}"))?;
        std::thread::sleep(Duration::from_millis(60 * number));
    }
    world.wait_for(port, &format!("burst {SAVES}"), SAVE)?;
    let all = events.until_quiet(Duration::from_secs(3))?;
    let shipped = all.iter().filter(|event| event["type"] == "shipped").count();
    ensure!((1..=3).contains(&shipped), "{SAVES} saves were deployed {shipped} times");
    world.wait_for(port, &format!("burst {SAVES}"), Duration::ZERO).map(drop)
}

/// An image that crashes and values that are no YAML: told, and what served serves on.
fn deploys_that_fail(world: &World, port: u16) -> Result<()> {
    let mut events = world.start(&["up", "--attach", "--json"])?;
    events.until_type("result", LONG)?;
    let program = "App/Program.cs";
    let good = world.read(program)?;
    let crash = "{\n            Console.Error.WriteLine(\"no key in the vault\");\n            Environment.Exit(3);\n            using";
    world.save(program, &good.replacen("{\n            using", crash, 1))?;
    let saved = Instant::now();
    let failed = events.until_type("shipFailed", LONG)?;
    eprintln!("    crash told after {:?}", saved.elapsed());
    ensure!(failed["report"]["code"] == "AL3303", "{failed:#}");
    ensure!(failed["report"]["tail"].to_string().contains("no key in the vault"), "{failed:#}");
    world.wait_for(port, "Healthy", Duration::ZERO)?;
    world.run(&["deploy"], LONG)?.failed(14, "AL3303")?.says(&["no key in the vault"])?;
    world.wait_for(port, "Healthy", Duration::ZERO)?;
    world.save(program, &good)?;
    events.until_type("shipped", SAVE)?;
    world.wait_for(port, "Healthy", Duration::from_millis(500))?;

    let values = "deployment/values.yaml";
    let good = world.read(values)?;
    world.save(values, &format!("{good}  tail: [1\n"))?;
    let failed = events.until_type("shipFailed", SAVE)?;
    let found = &failed["report"]["diagnostics"][0];
    ensure!(failed["report"]["code"] == "AL3301" && found["file"] == values, "{failed:#}");
    ensure!(found["line"].as_u64().is_some_and(|line| line > 20), "{failed:#}");
    let marked = good.replace("  readiness:\n", "  replicaNote: x\n  readiness:\n");
    world.save(values, &marked)?;
    events.until_type("shipped", SAVE)?;
    world.save(values, &good)?;
    events.until_type("shipped", SAVE)?;
    world.wait_for(port, "Healthy", Duration::from_millis(500)).map(drop)
}

/// Every volume that containers of the stack use, those without a name included.
fn volumes(world: &World) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for name in world.holdings()?.containers {
        let found = inspect(&name)?;
        let mounts = found["Mounts"].as_array().cloned().unwrap_or_default();
        all.extend(mounts.iter().filter_map(|mount| mount["Name"].as_str().map(str::to_owned)));
    }
    Ok(all)
}

fn down_keeps_data(world: &World) -> Result<()> {
    let gone = world.result(&["down", "--json"], LONG)?;
    for (what, count) in
        [("containers", "0"), ("networks", "0"), ("clusters", "0"), ("volumes kept", "8")]
    {
        ensure!(gone["links"][what] == count, "{what}: {gone}");
    }
    let mut left = world.holdings()?;
    left.volumes.retain(|name| !name.ends_with("-packages"));
    ensure!(left.containers.is_empty() && left.networks.is_empty(), "{left:#?}");
    ensure!(left.volumes == world.expected().volumes, "{left:#?}");
    world.run(&["status"], SHORT)?.failed(5, "not running").map(drop)
}

/// At once after `down`, as people type it.
fn pushed_commits_are_kept(world: &World) -> Result<()> {
    world.result(&["up", "--no-watch", "--json"], LONG)?;
    let port = world.port()?;
    ensure!(pushed(world, port)?, "the pushed commit is lost");
    world.wait_for(port, "Healthy", Duration::ZERO)?;
    let gone = world.result(&["down", "--volumes", "--yes", "--json"], LONG)?;
    ensure!(gone["links"]["volumes kept"] == "0", "{gone}");
    ensure!(world.holdings()? == crate::world::Holdings::default(), "{:?}", world.holdings()?);
    Ok(())
}
