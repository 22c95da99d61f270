//! `git-credential`: what git calls in clones that altinn-local made or linked, for the password of the stack's Gitea.
//! It speaks git's protocol for credential helpers (`git help gitcredentials`): lines `name=value` in and out. Whatever
//! is asked of it for another host, it has nothing to say, and git asks elsewhere.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use super::Context;
use crate::engine;
use crate::model::{Credentials, Report};
use crate::secrets;

/// The longest question that is read, in bytes; git's own are some hundred.
const LONGEST: u64 = 64 << 10;
/// The names under which the router leads to Gitea.
const HOSTS: [&str; 2] = ["studio.localhost", "127.0.0.1"];

pub(super) fn run(
    context: &Context<'_>,
    folder: &Path,
    operation: &str,
) -> Result<ExitCode, Report> {
    // Nothing is kept for git, so there is nothing to store or to erase.
    if operation != "get" {
        return Ok(ExitCode::SUCCESS);
    }
    let mut question = String::new();
    // A question that cannot be read is none of ours.
    let read = std::io::stdin().lock().take(LONGEST).read_to_string(&mut question);
    let port = engine::remembered_ports(folder)?.get("router").copied();
    if let (Ok(_), Some(port), Some(credentials)) = (read, port, secrets::load(folder)?)
        && let Some(answer) = answer(&question, port, &credentials)
    {
        context.printer.line(answer);
    }
    Ok(ExitCode::SUCCESS)
}

fn answer(question: &str, port: u16, credentials: &Credentials) -> Option<String> {
    let asked = |name: &str| {
        let mut lines = question.lines().filter_map(|line| line.split_once('='));
        lines.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let (name, number) = asked("host")?.rsplit_once(':')?;
    let ours = asked("protocol") == Some("http")
        && HOSTS.contains(&name)
        && number.parse() == Ok(port)
        && asked("username").is_none_or(|user| user == credentials.gitea_admin);
    if !ours {
        return None;
    }
    let mut answer = String::new();
    let _ = writeln!(answer, "username={}", credentials.gitea_admin);
    let _ = write!(answer, "password={}", credentials.gitea_admin_password);
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stacks_own_gitea_gets_an_answer() {
        let credentials = secrets::generate().unwrap();
        let answer = |question: &str| answer(question, 8800, &credentials);
        let own = "protocol=http\nhost=studio.localhost:8800\nwwwauth[]=Basic realm=\"Gitea\"\n\n";
        let told = answer(own).unwrap();
        assert_eq!(
            told,
            format!(
                "username={}\npassword={}",
                credentials.gitea_admin, credentials.gitea_admin_password
            )
        );
        assert!(answer("protocol=http\nhost=127.0.0.1:8800\n").is_some());
        let admin = &credentials.gitea_admin;
        assert!(answer(&format!("protocol=http\nhost=127.0.0.1:8800\nusername={admin}")).is_some());
        for other in [
            "",
            "host=studio.localhost:8800",
            "protocol=https\nhost=studio.localhost:8800",
            "protocol=http\nhost=studio.localhost:8801",
            "protocol=http\nhost=studio.localhost",
            "protocol=http\nhost=evil.example:8800",
            "protocol=http\nhost=evil.example\nhost=studio.localhost:8800",
            "protocol=http\nhost=studio.localhost:8800.evil.example",
            "protocol=http\nhost=studio.localhost:8800\nusername=kari",
        ] {
            assert_eq!(answer(other), None, "{other}");
        }
    }
}
