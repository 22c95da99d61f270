//! The pages of reference in `docs/` say what the types say. `UPDATE_DOCS=1 cargo test --test generated` writes them.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use altinn_local::cli::args::Args;
use altinn_local::config::env::Variable;
use altinn_local::config::schema;
use altinn_local::model::Code;
use clap::{Command, CommandFactory as _};

/// Wide enough for a reader, and the same on every terminal.
const WIDTH: usize = 100;
const GLOBAL: &str = "Global options";

#[test]
fn commands() {
    let mut root = Args::command().term_width(WIDTH);
    root.build();
    let mut page = begin("Commands");
    let _ = writeln!(
        page,
        "Every command takes the global options as well; they are told here once.\n"
    );
    section(&mut page, "altinn-local", &mut root);
    for command in root.get_subcommands() {
        every(&mut page, command, "altinn-local");
    }
    check("commands.md", &page);
}

#[test]
fn environment() {
    let mut page = begin("Environment variables");
    let _ = writeln!(
        page,
        "An empty value counts as not set. Flags win over variables, variables over `altinn-local.yaml`.\n"
    );
    let _ = writeln!(page, "| Variable | What it does |\n|---|---|");
    for variable in Variable::ALL {
        let _ = writeln!(page, "| `{}` | {} |", variable.name(), cell(variable.meaning()));
    }
    check("environment.md", &page);
}

#[test]
fn errors() {
    let mut page = begin("Errors");
    let _ = writeln!(
        page,
        "Each error shows its code; `altinn-local explain CODE` tells the same as this page. The exit code is that of a\n\
         command that ends with the error.\n"
    );
    let _ = writeln!(page, "| Code | Exit code | What it means |\n|---|---|---|");
    for code in Code::ALL {
        let exit = code.exit() as u8;
        let _ = writeln!(page, "| `{code}` | {exit} | {} |", cell(code.explanation()));
    }
    check("errors.md", &page);
}

#[test]
fn json_schema() {
    let schema = serde_json::to_string_pretty(&schema::json_schema()).unwrap();
    check("altinn-local.schema.json", &format!("{schema}\n"));
}

#[test]
fn the_readme_tells_every_exit_code() {
    let readme = read(&root().join("README.md"));
    for code in Code::ALL {
        let row = format!("| {} |", code.exit() as u8);
        assert!(readme.contains(&row), "README.md has no row `{row}` for {code}");
    }
}

fn begin(title: &str) -> String {
    format!("# {title}\n\n<!-- Written by `UPDATE_DOCS=1 cargo test --test generated`. -->\n\n")
}

/// A command and those below it, without the hidden ones.
fn every(page: &mut String, command: &Command, above: &str) {
    if command.is_hide_set() {
        return;
    }
    let name = format!("{above} {}", command.get_name());
    let mut own = command.clone().term_width(WIDTH).mut_args(|argument| {
        let hidden = argument.get_help_heading() == Some(GLOBAL);
        argument.hide(hidden)
    });
    section(page, &name, &mut own);
    for below in command.get_subcommands() {
        every(page, below, &name);
    }
}

fn section(page: &mut String, name: &str, command: &mut Command) {
    let help = command.render_long_help().to_string();
    let lines: Vec<_> = help.lines().map(str::trim_end).collect();
    let _ = writeln!(page, "## `{name}`\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// A text file; none reads as empty. Git may have given it the line ends of the system.
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n")
}

fn check(name: &str, page: &str) {
    let page = format!("{}\n", page.trim_end());
    let path = root().join("docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, page).unwrap();
        return;
    }
    assert!(
        read(&path) == page,
        "docs/{name} is not what the types say: run `UPDATE_DOCS=1 cargo test --test generated` and look at the difference"
    );
}
