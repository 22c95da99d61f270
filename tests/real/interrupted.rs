//! Commands and agents that die in the middle, and two of them at once.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::world::{LONG, World, kill};

#[test]
#[ignore = "needs an engine and kind"]
fn interrupted() -> Result<()> {
    World::story("interrupted", |world| {
        agents_die(world)?;
        two_at_once(world)?;
        let made = world.holdings()?;
        ensure!(made == world.expected(), "{made:#?}");
        let again = world.result(&["up", "--json", "--no-watch"], LONG)?;
        ensure!(again["changingCalls"] == 0, "{again}");
        let status = world.status()?;
        ensure!(status["state"] == "healthy", "{status:#}");
        let (code, _) = world.ask(world.port()?, "/health")?;
        ensure!(code == 200, "the app answers {code}");
        beside(world)
    })
}

/// While containers are made, while kind works, while the cluster is filled.
fn agents_die(world: &World) -> Result<()> {
    let began = Instant::now();
    for (step, later) in
        [("start studio.postgres", 300), ("create cluster ttd", 4000), ("fill cluster ttd", 1500)]
    {
        let mut up = world.start(&["up", "--json", "--no-watch"])?;
        up.until_step(step, LONG)?;
        std::thread::sleep(Duration::from_millis(later));
        kill(world.agent()?)?;
        ensure!(up.wait(Duration::from_secs(20))? == Some(5), "{step}: a lost agent is told");
        eprintln!("interrupted: killed in `{step}` at {:?}", began.elapsed());
    }
    Ok(())
}

/// The second `up` joins the first one's run; the first one's end changes nothing.
fn two_at_once(world: &World) -> Result<()> {
    let mut first = world.start(&["up", "--json", "--no-watch"])?;
    let mut second = world.start(&["up", "--json", "--no-watch"])?;
    let began = first.until_type("runStarted", LONG)?;
    first.kill()?;
    let result = second.until_type("result", LONG)?;
    ensure!(result["ok"] == true && result["run"] == began["run"], "{began} {result}");
    ensure!(second.wait(LONG)? == Some(0), "the second `up` succeeds");
    Ok(())
}

/// A second stack has its own network, ports and cluster, and leaves the first alone.
fn beside(first: &World) -> Result<()> {
    let second = World::new("two")?;
    let before = identities(first)?;
    let result = second.result(&["up", "--json", "--no-watch"], LONG)?;
    ensure!(result["ok"] == true, "{result}");
    ensure!(second.holdings()? == second.expected(), "{:#?}", second.holdings()?);
    let ports = [first.port()?, second.port()?];
    ensure!(ports[0] != ports[1], "one port for two routers: {ports:?}");
    for (world, port) in [first, &second].into_iter().zip(ports) {
        ensure!(world.ask(port, "/health")?.0 == 200, "{} does not answer", world.stack);
    }
    ensure!(second.ask(ports[0], "")?.0 == 404, "the first stack serves the second one's app");
    second.result(&["down", "--volumes", "--yes", "--json"], LONG)?;
    ensure!(identities(first)? == before, "the first stack was touched");
    ensure!(first.ask(ports[0], "/health")?.0 == 200, "the first stack does not answer any more");
    Ok(())
}

/// Every container of a stack with the start of its process.
fn identities(world: &World) -> Result<Vec<(Value, Value)>> {
    let all = world.holdings()?.containers;
    all.iter()
        .map(|name| crate::outside::inspect(name))
        .map(|found| found.map(|found| (found["Id"].clone(), found["State"].clone())))
        .collect()
}
