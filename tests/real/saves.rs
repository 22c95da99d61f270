//! What is written into running containers is there to stay: in an image with nothing in it but the app, in each pod, after
//! each restart, and as the last of many saves.

use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::outside::{docker, inspect};
use crate::running::{Running, works_for_a_save};
use crate::world::{LONG, SHORT, World, kill};

/// What a save may take until it is live, on a machine that others use too.
const SAVE: Duration = Duration::from_secs(30);
/// What a node may take until its pods answer again.
const NODE: Duration = Duration::from_mins(2);
/// A page of the app that only its file makes.
const PAGE: &str = "App/wwwroot/saved.txt";
/// The files of a generator.
const MANY: usize = 400;

#[test]
#[ignore = "needs an engine and kind"]
fn saves() -> Result<()> {
    World::story("saves", |world| {
        let began = Instant::now();
        let chapter = |name: &str| eprintln!("  {:5.1} s  {name}", began.elapsed().as_secs_f64());
        world.save(PAGE, "first")?;
        bare_image(world)?;
        let branches = two_commits(world)?;
        let mut events = world.start(&["up", "--attach", "--json"])?;
        events.until_type("result", LONG)?;
        let port = world.port()?;
        chapter("up");
        written_into_bare_containers(world, port, &mut events)?;
        chapter("an image without shell");
        new_pods_have_it(world, port)?;
        chapter("a new pod");
        nothing_to_do(world, &mut events)?;
        many_saves(world, port, &mut events)?;
        chapter("100 saves");
        saves_during_a_build(world, port, &mut events)?;
        chapter("saves during a build");
        written_twice(world, port)?;
        events.until_quiet(Duration::from_secs(1))?;
        chapter("written twice");
        one_action(world, port, &mut events, &branches)?;
        chapter("400 files");
        a_node_that_restarts(world, port)?;
        chapter("a new node");
        a_rollout_carries_it(world, port, &mut events)?;
        chapter("rolled out");
        taken_back_unseen(world, port, &mut events)?;
        chapter("taken back");
        Ok(())
    })
}

/// Nothing but what .NET needs: no shell, no tar, and a user without rights.
fn bare_image(world: &World) -> Result<()> {
    let recipe = world.read("Dockerfile")?;
    let last = "AS final\n";
    ensure!(recipe.contains(last), "another Dockerfile");
    let bare = "AS final\nUSER 0\nRUN rm -rf /bin/tar /usr/bin/tar /bin/dash /bin/bash /usr/bin/bash /bin/sh /usr/bin/sh\n";
    world.save("Dockerfile", &recipe.replacen(last, bare, 1))
}

/// Two commits whose generated files differ, the second checked out.
fn two_commits(world: &World) -> Result<[&'static str; 2]> {
    git(world, &["init", "--quiet"])?;
    let folder = world.repository.join("App/wwwroot/many");
    std::fs::create_dir_all(&folder)?;
    for branch in ["one", "two"] {
        for number in 0..MANY {
            std::fs::write(folder.join(format!("{number}.txt")), format!("{branch} {number}"))?;
        }
        git(world, &["checkout", "--quiet", "-b", branch])?;
        git(world, &["add", "--all"])?;
        git(world, &["commit", "--quiet", "--message", branch])?;
    }
    Ok(["one", "two"])
}

fn git(world: &World, arguments: &[&str]) -> Result<()> {
    let own = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-C"];
    let status = Command::new("git").args(own).arg(&world.repository).args(arguments).status()?;
    ensure!(status.success(), "git {arguments:?}");
    Ok(())
}

fn shows(world: &World, port: u16, file: &str, text: &str, patience: Duration) -> Result<()> {
    let began = Instant::now();
    loop {
        let last = world.ask(port, &format!("/{file}"));
        if matches!(&last, Ok((200, body)) if body == text) {
            return Ok(());
        }
        ensure!(began.elapsed() < patience, "no `{text}` within {patience:?}, but {last:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn shipped(events: &mut Running, lane: &str) -> Result<Value> {
    let event = events.until_type("shipped", SAVE)?;
    ensure!(event["lane"] == lane, "{event}");
    Ok(event)
}

fn written_into_bare_containers(world: &World, port: u16, events: &mut Running) -> Result<()> {
    let pod = pods(world)?;
    let shell = world.run(
        &["kube", "ttd", "--", "exec", pod[0].name.as_str(), "--", "/bin/sh", "-c", "id"],
        SHORT,
    )?;
    ensure!(shell.status != Some(0), "there is a shell: {}", shell.stdout);
    world.save(PAGE, "second")?;
    shipped(events, "asset")?;
    shows(world, port, "saved.txt", "second", Duration::ZERO)?;
    std::fs::remove_file(world.repository.join("App/wwwroot/css/app.css"))
        .context("the template has no style sheet of this name")?;
    shipped(events, "asset")?;
    let (status, _) = world.ask(port, "/css/app.css")?;
    ensure!(status == 404, "a deleted file is still served: {status}");
    ensure!(pods(world)? == pod, "the pod is another one, or was restarted");
    let status = world.status()?;
    let app = status["resources"].as_array().into_iter().flatten().find(|one| one["kind"] == "app");
    ensure!(app.is_some_and(|app| app["synced"].as_u64() >= Some(2)), "{status:#}");
    Ok(())
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pod {
    name: String,
    restarts: u64,
}

fn pods(world: &World) -> Result<Vec<Pod>> {
    let pods = world.object(&["pods", "-l", &format!("release=ttd-{}", world.app)])?;
    let pod = |pod: &Value| {
        Some(Pod {
            name: pod["metadata"]["name"].as_str()?.to_owned(),
            restarts: pod["status"]["containerStatuses"][0]["restartCount"].as_u64()?,
        })
    };
    // One that was made at this moment has no containers yet.
    Ok(pods["items"].as_array().into_iter().flatten().filter_map(pod).collect())
}

/// Pods that come later, however they come: one instead of another, and one more.
fn new_pods_have_it(world: &World, port: u16) -> Result<()> {
    world.save(PAGE, "third")?;
    shows(world, port, "saved.txt", "third", SAVE)?;
    let old = pods(world)?;
    let delete = ["kube", "ttd", "--", "delete", "pod", old[0].name.as_str(), "--wait=false"];
    world.run(&delete, SHORT)?.succeeded()?;
    let began = Instant::now();
    // Each answer is asked for: not one may show what the image holds.
    while pods(world)?.iter().any(|pod| pod.name == old[0].name) || began.elapsed().as_secs() < 3 {
        let (status, body) = world.ask(port, "/saved.txt")?;
        ensure!(status != 200 || body == "third", "the new pod answers `{body}`");
        ensure!(began.elapsed() < NODE, "the old pod stays");
    }
    shows(world, port, "saved.txt", "third", SAVE)?;
    let deployment = format!("deployment/ttd-{}-deployment-v2", world.app);
    let scale = |count: &str| {
        world.run(
            &["kube", "ttd", "--", "scale", &deployment, &format!("--replicas={count}")],
            SHORT,
        )
    };
    scale("2")?.succeeded()?;
    let wait = ["kube", "ttd", "--", "rollout", "status", deployment.as_str(), "--timeout=60s"];
    world.run(&wait, NODE)?.succeeded()?;
    world.save(PAGE, "for both")?;
    shows(world, port, "saved.txt", "for both", SAVE)?;
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..20 {
        shows(world, port, "saved.txt", "for both", Duration::ZERO)?;
    }
    scale("1")?.succeeded()?;
    world.run(&wait, NODE)?.succeeded().map(drop)
}

/// Files of the build context that the image does not get, and those that a rule leaves alone.
fn nothing_to_do(world: &World, events: &mut Running) -> Result<()> {
    let rules =
        "apps:\n  - path: .\n    watch: {rules: [{path: '*/wwwroot/left/**', action: ignore}]}\n";
    world.save("altinn-local.yaml", rules)?;
    events.until_type("runFinished", SAVE)?;
    events.until_quiet(Duration::from_secs(1))?;
    std::fs::create_dir_all(world.repository.join("App/wwwroot/left"))?;
    world.save("App/wwwroot/left/alone.txt", "not served")?;
    world.save("unused.txt", "not in the image")?;
    let all = events.until_quiet(Duration::from_secs(3))?;
    ensure!(!all.iter().any(works_for_a_save), "{all:#?}");
    ensure!(all.iter().any(|event| event["type"] == "change"), "nothing was noticed: {all:#?}");
    Ok(())
}

/// 100 saves of 5 files in 10 seconds: what is served at the end is what was saved at the end.
fn many_saves(world: &World, port: u16, events: &mut Running) -> Result<()> {
    const SAVES: u64 = 100;
    events.until_quiet(Duration::from_secs(2))?;
    let began = Instant::now();
    for number in 1..=SAVES {
        match number % 5 {
            0 => world.say(&format!("save {number}"))?,
            file => {
                world.save(&format!("App/wwwroot/many{file}.txt"), &format!("save {number}"))?;
            }
        }
        std::thread::sleep(
            (Duration::from_millis(100) * u32::try_from(number)?).saturating_sub(began.elapsed()),
        );
    }
    world.wait_for(port, &format!("save {SAVES}"), SAVE)?;
    for (file, number) in [(1, 96), (2, 97), (3, 98), (4, 99)] {
        shows(world, port, &format!("many{file}.txt"), &format!("save {number}"), SAVE)?;
    }
    let took = began.elapsed();
    let all = events.until_quiet(Duration::from_secs(3))?;
    let count = |lane: &str| {
        all.iter().filter(|event| event["type"] == "shipped" && event["lane"] == lane).count()
    };
    let failed: Vec<_> = all.iter().filter(|event| event["type"] == "shipFailed").collect();
    ensure!(failed.is_empty(), "{failed:#?}");
    eprintln!(
        "    {SAVES} saves live after {took:.1?}: {} by asset, {} by code, {} otherwise; {} changes told",
        count("asset"),
        count("code"),
        count("layer") + count("build") + count("config"),
        all.iter().filter(|event| event["type"] == "change").count(),
    );
    ensure!(count("asset") + count("code") <= 100, "more was done than was saved");
    Ok(())
}

/// A new file makes the compiler look at the whole project, which takes a second or more. What is saved in each part of
/// that time is served.
fn saves_during_a_build(world: &World, port: u16, events: &mut Running) -> Result<()> {
    for after in [300, 600, 900, 1100, 1300] {
        world.save(&format!("App/wwwroot/after{after}.txt"), "new")?;
        world.say(&format!("before {after} ms"))?;
        std::thread::sleep(Duration::from_millis(after));
        world.say(&format!("after {after} ms"))?;
        world.wait_for(port, &format!("after {after} ms"), SAVE)?;
        events.until_quiet(Duration::from_secs(1))?;
    }
    Ok(())
}

/// Some tools write a file anew with what it holds already, and not at once: between the two it is shorter. What is served
/// in the end is the whole.
fn written_twice(world: &World, port: u16) -> Result<()> {
    let path = world.repository.join("App/wwwroot/twice.txt");
    for round in 0..20 {
        let text = format!("{round} {}", "x".repeat(200));
        let (half, rest) = text.split_at(100);
        for pause in [0, 3 + round % 9] {
            let mut file = std::fs::File::create(&path)?;
            for part in [half, rest] {
                std::thread::sleep(Duration::from_millis(pause));
                file.write_all(part.as_bytes())?;
            }
        }
        std::thread::sleep(Duration::from_millis(300));
        shows(world, port, "twice.txt", &text, SAVE)?;
    }
    Ok(())
}

/// What git changes together is told and shipped together.
fn one_action(world: &World, port: u16, events: &mut Running, branches: &[&str; 2]) -> Result<()> {
    git(world, &["checkout", "--quiet", branches[0], "--", "App/wwwroot/many"])?;
    let last = MANY - 1;
    shows(world, port, &format!("many/{last}.txt"), &format!("one {last}"), SAVE)?;
    let all = events.until_quiet(Duration::from_secs(3))?;
    let of = |kind: &str| all.iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    let (changes, shipped) = (of("change"), of("shipped"));
    ensure!(shipped.len() == 1 && shipped[0]["lane"] == "asset", "{shipped:#?}");
    ensure!(changes.len() == 1 && changes[0]["count"] == MANY, "{changes:#?}");
    for number in [0, MANY / 2, last] {
        shows(world, port, &format!("many/{number}.txt"), &format!("one {number}"), SHORT)?;
    }
    Ok(())
}

fn a_node_that_restarts(world: &World, port: u16) -> Result<()> {
    world.save(PAGE, "before the node's end")?;
    shows(world, port, "saved.txt", "before the node's end", SAVE)?;
    let node = format!("altinn-{}-ttd-control-plane", world.stack);
    let started = |node: &str| Ok::<_, anyhow::Error>(inspect(node)?["State"]["StartedAt"].clone());
    let before = started(&node)?;
    docker(&["restart", "--time", "5", &node])?;
    ensure!(started(&node)? != before, "the node was not restarted");
    let began = Instant::now();
    // Each answer counts, from the first one on.
    loop {
        if let Ok((200, body)) = world.ask(port, "/saved.txt") {
            ensure!(body == "before the node's end", "the first answer is `{body}`");
            eprintln!("    first answer {:.1?} after the node's restart", began.elapsed());
            break;
        }
        ensure!(began.elapsed() < NODE, "no answer after the node's restart");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// A rollout has what was written into containers: it became a layer of the image.
fn a_rollout_carries_it(world: &World, port: u16, events: &mut Running) -> Result<()> {
    world.save(PAGE, "to be carried")?;
    shows(world, port, "saved.txt", "to be carried", SAVE)?;
    events.until_quiet(Duration::from_secs(3))?;
    let values = "deployment/values.yaml";
    let text = world.read(values)?;
    world.save(
        values,
        &text.replacen("  readiness:\n", "  podLabels:\n    rolled: out\n\n  readiness:\n", 1),
    )?;
    let live = events.until_type("shipped", NODE)?;
    ensure!(live["lane"] == "config", "{live}");
    shows(world, port, "saved.txt", "to be carried", Duration::ZERO)?;
    let image = world.object(&["pods", "-l", &format!("release=ttd-{}", world.app)])?;
    let image = image["items"][0]["spec"]["containers"][0]["image"].to_string();
    let tag = live["tag"].as_str().context("no tag")?;
    ensure!(image.contains(tag), "the pod runs {image}, told was {tag}");
    Ok(())
}

/// What was written into containers and taken back while no agent lived: the image is the one that runs already, but what
/// runs is not as the image is.
fn taken_back_unseen(world: &World, port: u16, events: &mut Running) -> Result<()> {
    world.save(PAGE, "never mind")?;
    shows(world, port, "saved.txt", "never mind", SAVE)?;
    events.until_quiet(Duration::from_secs(3))?;
    kill(world.agent()?)?;
    world.save(PAGE, "to be carried")?;
    world.result(&["up", "--json"], LONG)?;
    for _ in 0..20 {
        shows(world, port, "saved.txt", "to be carried", Duration::ZERO)?;
    }
    let again = world.result(&["up", "--plan", "--json"], SHORT)?;
    ensure!(again["changes"] == 0, "{again}");
    Ok(())
}
