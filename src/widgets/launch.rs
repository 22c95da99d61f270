//! How dev servers are started, so that none outlives us.

use std::path::{Path, PathBuf};

use super::project::Widget;
use super::route::prefix;
use super::toolchain::Toolchain;
use crate::model::AppId;
use crate::sys::process::Program;

/// Node code that ends the server and all it started when our end of its standard input is gone: also a `SIGKILL`
/// of the agent takes the server with it. On Windows the job object does that. Worker threads have an input of their
/// own, which is at its end from the start. It travels in a `data:` URL, so it is without `?`, `#` and `%`.
const WATCHDOG: &str = "\
import{isMainThread as m}from'node:worker_threads';\
const e=()=>{if(process.platform==='win32')process.exit();process.kill(0,'SIGKILL')};\
if(m)process.stdin.on('end',e).on('error',e).resume()";

/// The same around a command of the user's.
const WATCHED_COMMAND: &str = "\
const c=require('node:child_process').spawn(process.argv[1],{shell:true,stdio:['ignore','inherit','inherit']});\
c.on('exit',(code)=>process.exit(code??1));\
const e=()=>{if(process.platform==='win32')process.exit();process.kill(0,'SIGKILL')};\
process.stdin.on('end',e).on('error',e).resume()";

/// The dev server of a widget; none when it is Vite's and that is not installed.
pub(super) fn widget(
    toolchain: &Toolchain,
    app: &AppId,
    widget: &Widget,
    port: u16,
) -> Option<Program> {
    let (root, base, port) = (&widget.root, prefix(app, widget), port.to_string());
    let node = match &widget.command {
        Some(given) => command(toolchain, root, given),
        None => toolchain
            .node(root)
            .arg("--import")
            .arg(format!("data:text/javascript,{WATCHDOG}"))
            .arg(vite(root)?.display().to_string())
            .args(["--host", "127.0.0.1", "--port", &port, "--strictPort"])
            .args(["--base", &base, "--clearScreen", "false"]),
    };
    Some(node.env("ALTINN_LOCAL_WIDGET_BASE", base).env("ALTINN_LOCAL_WIDGET_PORT", port))
}

/// A command of the user's, for a shell in this folder.
pub(super) fn command(toolchain: &Toolchain, root: &Path, command: &str) -> Program {
    toolchain.node(root).args(["-e", WATCHED_COMMAND, command])
}

/// Vite's program, in the project's packages or in those of a workspace above it. It is run by Node itself: npm and
/// its shell would only sit beside it.
fn vite(root: &Path) -> Option<PathBuf> {
    root.ancestors()
        .map(|folder| folder.join("node_modules/vite/bin/vite.js"))
        .find(|program| program.is_file())
}
