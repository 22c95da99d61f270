//! What stands in the way is told before anything is made.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::outside::Foreign;
use crate::world::{Holdings, SHORT, World};

const METADATA: &str = "App/config/applicationmetadata.json";

#[test]
#[ignore = "needs an engine"]
fn refusals() -> Result<()> {
    World::story("refusals", |world| {
        nothing_runs(world)?;
        no_engine(world)?;
        a_taken_port(world)?;
        the_wrong_folder(world)?;
        broken_files(world)?;
        foreign_names(world)?;
        let made = world.holdings()?;
        ensure!(made == Holdings::default(), "something was made: {made:?}");
        world.check_decoys()
    })
}

fn nothing_runs(world: &World) -> Result<()> {
    world.run(&["status"], SHORT)?.failed(5, "not running")?;
    world.run(&["deploy"], SHORT)?.failed(5, "AL5001")?;
    let left = world.result(&["down", "--json"], SHORT)?;
    ensure!(left["links"]["containers"] == "0" && left["links"]["clusters"] == "0", "{left}");
    world.run(&["down", "--volumes", "--no-input"], SHORT)?.failed(15, "AL5005").map(drop)
}

fn no_engine(world: &World) -> Result<()> {
    let dead = format!("unix://{}", world.path("dead.sock").display());
    let mut up = world.command(&["up"]);
    let refused = crate::running::run(up.env("DOCKER_HOST", &dead), SHORT)?.failed(7, "AL1001")?;
    refused.says(&["dead.sock", "fix"])?;
    // Whoever then names the right engine must not meet the agent that knows the wrong one.
    world.run(&["up", "--plan"], SHORT)?.succeeded().map(drop)
}

fn a_taken_port(world: &World) -> Result<()> {
    let holder = TcpListener::bind("127.0.0.1:0")?;
    let port = holder.local_addr()?.port().to_string();
    let refused = world.run(&["up", "--port", &port], SHORT)?.failed(10, "AL1203")?;
    refused.says(&[&port, &format!("pid {}", std::process::id()), "--port auto"])?;
    ensure!(world.holdings()? == Holdings::default(), "something was made");
    Ok(())
}

fn the_wrong_folder(world: &World) -> Result<()> {
    let empty = world.path("empty");
    std::fs::create_dir(&empty)?;
    let mut up = world.command(&["up"]);
    crate::running::run(up.current_dir(&empty), SHORT)?.failed(12, "AL2101")?.says(&["app new"])?;
    world.run(&["app", "new", "Ttd/x"], SHORT)?.failed(2, "AL2103")?;
    world.run(&["app", "new", "ttd/-x"], SHORT)?.failed(2, "AL2103").map(drop)
}

/// A change of one file, and what `up` says of it.
type Broken<'a> = (&'a str, Option<&'a str>, i32, &'a str, &'a [&'a str]);

fn broken_files(world: &World) -> Result<()> {
    let settings = "stack: x\nnetwrok:\n  port: auto\n";
    let cases: [Broken<'_>; 6] = [
        (
            METADATA,
            Some("{\n  \"id\": \"ttd/x\"\n  \"title\": 1\n}"),
            12,
            "AL2102",
            &["applicationmetadata.json:3"],
        ),
        (METADATA, Some("{\"id\": \"no-slash\"}"), 12, "AL2102", &["org/app"]),
        (
            "altinn-local.yaml",
            Some(settings),
            12,
            "AL2001",
            &["altinn-local.yaml:2:1", "| ^", "network"],
        ),
        ("Dockerfile", None, 12, "AL2104", &["App/"]),
        ("Dockerfile", Some("FROM scratch\nFORM x\n"), 13, "AL3103", &["Dockerfile:2"]),
        ("deployment/values.yaml", Some("deployment:\n  a: [1\n"), 14, "AL3301", &["values.yaml:"]),
    ];
    for (file, text, exit, code, words) in cases {
        let path = world.repository.join(file);
        let before = std::fs::read(&path).ok();
        match text {
            Some(text) => std::fs::write(&path, text)?,
            None => std::fs::remove_file(&path)?,
        }
        let began = Instant::now();
        world.run(&["up"], SHORT)?.failed(exit, code)?.says(words)?;
        let took = began.elapsed();
        ensure!(took < Duration::from_secs(5), "{code} took {took:?}");
        ensure!(world.holdings()? == Holdings::default(), "{code}: something was made");
        match before {
            Some(before) => std::fs::write(&path, before)?,
            None => std::fs::remove_file(&path)?,
        }
    }
    Ok(())
}

fn foreign_names(world: &World) -> Result<()> {
    let name = format!("altinn-{}-gitea", world.stack);
    let foreign = Foreign::new(&name)?;
    world.run(&["up"], SHORT)?.failed(10, "AL1204")?.says(&[&name])?;
    world.run(&["down"], SHORT)?.succeeded()?;
    ensure!(foreign.is_untouched()?, "{name} was touched");
    Ok(())
}
