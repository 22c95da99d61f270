//! Called by the container runtime when a container was made and has not started: what is synced for its image is in
//! its files before its program runs, whether the agent lives or not.

use std::io::Read as _;
use std::path::PathBuf;

use serde::Deserialize;

use super::apply::Root;
use super::store::Store;
use super::{Fault, containers, told};

/// What the runtime tells on standard input (OCI runtime specification, "State").
#[derive(Deserialize)]
struct State {
    bundle: PathBuf,
}

pub(super) fn run() -> Result<u8, Fault> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(told("read the container's state"))?;
    let state: State = serde_json::from_str(&text).map_err(told("read the container's state"))?;
    let Some((image, root)) = containers::of_bundle(&state.bundle)? else { return Ok(0) };
    let store = Store::open()?;
    let set = store.set(&image)?;
    if !set.is_empty() {
        let root = Root::open(&root).map_err(told("open the container's files"))?;
        store.apply(&set, &root)?;
    }
    Ok(0)
}
