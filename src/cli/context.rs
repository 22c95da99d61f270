//! What every command is given.

use std::path::PathBuf;

use super::args::Global;
use super::client::Client;
use super::printer::Printer;
use crate::config::dirs::Dirs;
use crate::config::env::{Environment, Variable};
use crate::config::settings::{Overrides, Settings};
use crate::model::{Code, Report, StackName};

/// The surroundings of one command.
#[derive(Debug)]
pub struct Context<'a> {
    /// Where things are kept.
    pub dirs: Dirs,
    /// The stack to work on.
    pub stack: StackName,
    /// The folder to work in, absolute.
    pub directory: PathBuf,
    /// The process's variables.
    pub environment: Environment,
    /// The options.
    pub global: Global,
    /// The way out.
    pub printer: &'a Printer,
}

impl<'a> Context<'a> {
    /// Decides folder and stack.
    pub fn new(
        global: Global,
        environment: Environment,
        printer: &'a Printer,
    ) -> Result<Self, Report> {
        let directory = global.directory.clone().unwrap_or_else(|| PathBuf::from("."));
        let directory = dunce::canonicalize(&directory).map_err(|error| {
            Report::new(Code::FileFailed, format!("cannot work in `{}`", directory.display()))
                .why(error.to_string())
        })?;
        let overrides = Overrides { stack: global.stack.clone(), ..Overrides::default() };
        let settings = Settings::resolve(&directory, overrides, &environment);
        let stack = match (settings, &global.stack) {
            (Ok(settings), _) => settings.stack,
            // What needs the settings tells their fault; to look at a stack its name is enough.
            (Err(_), Some(stack)) => stack.clone(),
            (Err(report), None) => {
                let named = environment.get(Variable::Stack).unwrap_or("default");
                named.parse().map_err(|_| report)?
            }
        };
        Ok(Self {
            dirs: Dirs::resolve(&environment)?,
            stack,
            directory,
            environment,
            global,
            printer,
        })
    }

    /// A way to the stack's agent.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(&self.dirs, &self.stack, self.environment.fingerprint())
    }

    /// What the user wants, from the folder's files and the command line.
    pub fn settings(&self) -> Result<Settings, Report> {
        let overrides = Overrides { stack: Some(self.stack.clone()), ..Overrides::default() };
        Settings::resolve(&self.directory, overrides, &self.environment)
    }

    /// Lists what will be deleted and has the stack's name typed; `--yes` answers for scripts.
    pub fn confirm(&self, what: &str, listed: &[String]) -> Result<(), Report> {
        if self.global.yes {
            return Ok(());
        }
        self.printer.error(what);
        for item in listed {
            self.printer.error(format!("  {item}"));
        }
        let answer =
            self.printer.ask(&format!("Type the stack's name, `{}`, to go on:", self.stack));
        if answer.as_deref() == Some(self.stack.as_str()) {
            return Ok(());
        }
        let title = if answer.is_some() { "not confirmed" } else { "a confirmation is needed" };
        Err(Report::new(Code::Unconfirmed, title)
            .why(what)
            .fix("--yes", "add it to the command to go on without a question"))
    }
}
