//! The sample app's own test where there is no engine and no network: all it calls answers from one process.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::running::run;

/// What building the app and its test may take beside the story itself.
const PATIENCE: Duration = Duration::from_mins(3);

const STORY: &str = r#"
set -e
export HOME=/tmp/home DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
mkdir "$HOME"
cd /tmp
altinn-local app new ttd/alone app
cd app
if altinn-local up; then exit 9; fi
altinn-local up --embedded
ALTINN_PLATFORM_URL=http://platform.altinn.localhost:8800 dotnet run --project test
altinn-local down --volumes --yes
"#;

/// In a container, because .NET is in its image and it can be given no network at all; no engine is in there.
#[test]
#[ignore = "needs an engine for .NET itself"]
fn alone() -> Result<()> {
    let name = format!("altinn-t-alone-{}", std::process::id());
    let program = format!("{}:/usr/local/bin/altinn-local:ro", env!("CARGO_BIN_EXE_altinn-local"));
    let mut docker = Command::new("docker");
    docker.args(["run", "--rm", "--network", "none", "--name", &name, "--volume", &program]);
    docker.args(["altinn-local/dotnet-sdk:3.1", "bash", "-c", STORY]);
    let ended = run(&mut docker, PATIENCE);
    // Gone already, when it came to its end.
    let _ = Command::new("docker").args(["rm", "-f", &name]).output();
    let told = ended?.succeeded()?.stdout;
    let last = told.lines().find(|line| line.ends_with("good, 0 bad")).unwrap_or_default();
    ensure!(!last.is_empty(), "the app's test told no result:\n{told}");
    eprintln!("the app's test with no engine and no network: {last}");
    Ok(())
}
