//! Clients of the pipeline: the official ones of Azure DevOps, and Designer's recorded requests, as `tests/clients` tells.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::running::run;
use crate::world::{LONG, World};

/// What all of them may take: about twenty images are built, most of them from the builder's cache.
const CLIENTS: Duration = Duration::from_mins(8);

#[test]
#[ignore = "needs an engine, kind, Node and Python"]
fn clients() -> Result<()> {
    World::story("clients", |world| {
        world.result(&["up", "--json", "--no-watch"], LONG)?;
        let program = world.command(&[]);
        // Where the stack is kept; the home stays the user's, who has the package clients' settings there.
        let settings = program.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let settings = settings.filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ALTINN"));
        // `timeout` ends the processes of processes too.
        let mut clients = Command::new("timeout");
        clients
            .arg(CLIENTS.as_secs().to_string())
            .arg("scripts/clients")
            .arg(format!("http://127.0.0.1:{}", world.port()?))
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
            .envs(settings)
            .env("ALTINN_LOCAL", program.get_program());
        eprintln!("{}", run(&mut clients, CLIENTS + LONG)?.succeeded()?.stdout);
        Ok(())
    })
}
