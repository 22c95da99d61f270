//! The first process of an app's container. It starts the app, hands signals on, reaps what is left behind, and starts
//! the app again on SIGHUP, so that pod, address and restart count stay.

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::{Fault, told};

/// How long the app may take to end by itself before it is started anew; open requests are answered in that time.
const GRACE: Duration = Duration::from_secs(3);

/// An app that ends sooner after it was started anew cannot run with what was changed.
const TRIED: Duration = Duration::from_secs(10);

/// What the app is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// Go on; when it ends by itself, so does the container.
    Run,
    /// End, and be started again; killed at that moment.
    Again(Instant),
    /// End, as Kubernetes asked.
    Stop,
}

struct Supervisor {
    words: Vec<String>,
    child: Option<Pid>,
    wish: Wish,
    /// When it was last started for files that were changed: if it then ends at once, the container waits for the next
    /// change. Kubernetes would start it again and again, with ever longer pauses.
    tried: Option<Instant>,
}

/// Runs until the app has ended; its code is the container's.
pub(super) fn run(words: Vec<String>) -> Result<u8, Fault> {
    let words: Vec<String> = words.into_iter().skip_while(|word| word == "--").collect();
    let signals = listen()?;
    let mut supervisor = Supervisor { words, child: None, wish: Wish::Run, tried: None };
    supervisor.start()?;
    loop {
        let signal = match supervisor.wish {
            Wish::Again(end) => signals.recv_timeout(end.saturating_duration_since(Instant::now())),
            _ => signals.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let ended = match signal {
            Ok(SIGCHLD) => supervisor.reap()?,
            Ok(SIGHUP) => supervisor.again()?,
            Ok(signal) => supervisor.pass_on(signal),
            Err(RecvTimeoutError::Timeout) => supervisor.kill(),
            Err(RecvTimeoutError::Disconnected) => return Err("no signal can be heard".to_owned()),
        };
        if let Some(code) = ended {
            return Ok(code);
        }
    }
}

/// Keeps a container alive until it is asked to end, and reaps what others leave behind.
pub(super) fn idle() -> Result<u8, Fault> {
    let signals = listen()?;
    for signal in signals {
        if signal == SIGCHLD {
            while let Ok(Some(_)) = waitpid(None, WaitOptions::NOHANG) {}
        } else if signal != SIGHUP {
            break;
        }
    }
    Ok(0)
}

fn listen() -> Result<Receiver<i32>, Fault> {
    let mut signals = Signals::new([SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM])
        .map_err(told("listen to signals"))?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if sender.send(signal).is_err() {
                break;
            }
        }
    });
    Ok(receiver)
}

impl Supervisor {
    fn start(&mut self) -> Result<(), Fault> {
        let (program, arguments) =
            self.words.split_first().ok_or("no program was named: supervise -- PROGRAM …")?;
        let child = Command::new(program).args(arguments).spawn();
        let child = child.map_err(|error| format!("cannot start `{program}`: {error}"))?;
        self.child = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        self.wish = Wish::Run;
        Ok(())
    }

    /// Files were changed: the app ends and is started again.
    fn again(&mut self) -> Result<Option<u8>, Fault> {
        if self.wish == Wish::Stop {
            return Ok(None);
        }
        match self.child {
            None => self.anew()?,
            Some(child) => {
                if !matches!(self.wish, Wish::Again(_)) {
                    self.wish = Wish::Again(Instant::now() + GRACE);
                    signal(child, Signal::TERM);
                }
            }
        }
        Ok(None)
    }

    fn anew(&mut self) -> Result<(), Fault> {
        self.tried = Some(Instant::now());
        self.start()
    }

    fn pass_on(&mut self, number: i32) -> Option<u8> {
        self.wish = Wish::Stop;
        let Some(child) = self.child else { return Some(0) };
        let known = match number {
            SIGINT => Signal::INT,
            SIGQUIT => Signal::QUIT,
            _ => Signal::TERM,
        };
        signal(child, known);
        None
    }

    /// The app did not end in time.
    fn kill(&mut self) -> Option<u8> {
        if let Some(child) = self.child {
            // It is asked for again only if even this does not end it.
            self.wish = Wish::Again(Instant::now() + GRACE);
            signal(child, Signal::KILL);
        }
        None
    }

    /// Takes note of everything that ended.
    fn reap(&mut self) -> Result<Option<u8>, Fault> {
        while let Ok(Some((pid, status))) = waitpid(None, WaitOptions::NOHANG) {
            if Some(pid) != self.child {
                continue;
            }
            self.child = None;
            match self.wish {
                Wish::Again(_) => self.anew()?,
                Wish::Run if self.tried.is_some_and(|at| at.elapsed() < TRIED) => {
                    let status = ExitStatus::from_raw(status.as_raw());
                    let line = format!("the app ended ({status}); the next save starts it again");
                    // The log may be closed by now.
                    let _ = writeln!(std::io::stderr(), "altinn-local: {line}");
                }
                Wish::Run | Wish::Stop => {
                    return Ok(Some(code(ExitStatus::from_raw(status.as_raw()))));
                }
            }
        }
        Ok(None)
    }
}

/// A process that is gone already needs no signal.
fn signal(child: Pid, signal: Signal) {
    let _ = kill_process(child, signal);
}

/// As shells tell it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
