//! Programs that run: to their end within a time, or side by side with the story.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// It must have ended with 0.
    pub fn succeeded(self) -> Result<Self> {
        ensure!(
            self.status == Some(0),
            "ended with {:?}\n{}{}",
            self.status,
            self.stdout,
            self.stderr
        );
        Ok(self)
    }

    /// It must have ended with this exit code, and this fault in its text.
    pub fn failed(self, exit: i32, fault: &str) -> Result<Self> {
        let told = self.stdout.contains(fault) || self.stderr.contains(fault);
        ensure!(
            self.status == Some(exit) && told,
            "not {exit} with {fault}, but {:?}\n{}{}",
            self.status,
            self.stdout,
            self.stderr
        );
        Ok(self)
    }

    /// The last JSON document on standard output.
    pub fn result(&self) -> Result<Value> {
        let whole = serde_json::from_str(&self.stdout);
        let last = || serde_json::from_str(self.stdout.lines().last().unwrap_or_default());
        whole
            .or_else(|_| last())
            .with_context(|| format!("no JSON:\n{}{}", self.stdout, self.stderr))
    }

    /// All of these stand in what it said.
    pub fn says(&self, words: &[&str]) -> Result<()> {
        for word in words {
            let told = self.stdout.contains(word) || self.stderr.contains(word);
            ensure!(told, "`{word}` is not told:\n{}{}", self.stdout, self.stderr);
        }
        Ok(())
    }
}

fn gather(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until a break is what there is.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Runs a program to its end; one that takes longer than its time is ended.
pub fn run(command: &mut Command, patience: Duration) -> Result<Ended> {
    let what = format!("{command:?}");
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| what.clone())?;
    let stdout = gather(child.stdout.take().context("no output")?);
    let stderr = gather(child.stderr.take().context("no errors")?);
    let end = Instant::now() + patience;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let read = |it: JoinHandle<String>| it.join().unwrap_or_default();
    let (stdout, stderr) = (read(stdout), read(stderr));
    let Some(status) = status else { bail!("not within {patience:?}: {what}\n{stdout}{stderr}") };
    Ok(Ended { status: status.code(), stdout, stderr })
}

/// A command that tells events as lines of JSON.
pub struct Running {
    child: Child,
    lines: Receiver<Value>,
    /// The last few, for a story that fails.
    recent: VecDeque<String>,
}

impl Running {
    pub fn start(command: &mut Command) -> Result<Self> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn()?;
        let output = BufReader::new(child.stdout.take().context("no output")?);
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let Ok(value) = serde_json::from_str(&line) else { continue };
                if tell.send(value).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, lines, recent: VecDeque::new() })
    }

    /// The next event within a time; none when nothing came.
    pub fn next(&mut self, patience: Duration) -> Result<Option<Value>> {
        match self.lines.recv_timeout(patience) {
            Ok(event) => {
                let log = event["type"] == "log" || event["type"] == "stepProgress";
                if !log {
                    self.recent.push_back(event.to_string());
                    if self.recent.len() > 40 {
                        self.recent.pop_front();
                    }
                }
                Ok(Some(event))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => bail!("it ended; it told {:#?}", self.recent),
        }
    }

    /// The first event from now on that this holds for.
    pub fn until(
        &mut self,
        what: &str,
        patience: Duration,
        holds: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let end = Instant::now() + patience;
        loop {
            let rest = end.saturating_duration_since(Instant::now());
            match self.next(rest)? {
                Some(event) if holds(&event) => return Ok(event),
                Some(_) => {}
                None => bail!("no {what} within {patience:?}; it told {:#?}", self.recent),
            }
        }
    }

    /// The first event of a type.
    pub fn until_type(&mut self, kind: &str, patience: Duration) -> Result<Value> {
        self.until(kind, patience, |event| event["type"] == kind)
    }

    /// The first beginning of a step.
    pub fn until_step(&mut self, step: &str, patience: Duration) -> Result<Value> {
        let begins =
            |event: &Value| event["type"] == "stepStarted" && event["step"].as_str() == Some(step);
        self.until(step, patience, begins)
    }

    /// All that came until nothing came for a time.
    pub fn until_quiet(&mut self, quiet: Duration) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        while let Some(event) = self.next(quiet)? {
            all.push(event);
        }
        Ok(all)
    }

    /// Ends the command line's process, not the agent's, and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits for its own end.
    pub fn wait(&mut self, patience: Duration) -> Result<Option<i32>> {
        let end = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            ensure!(Instant::now() < end, "still there; it told {:#?}", self.recent);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.kill();
    }
}

/// Whether something is done for a save, or was. A pipeline's run, which a push may begin at any time, is none.
pub fn works_for_a_save(event: &Value) -> bool {
    let of_a_run = event["step"].as_str().is_some_and(|step| step.starts_with("run "));
    event["type"] == "shipped" || (event["type"] == "stepStarted" && !of_a_run)
}
