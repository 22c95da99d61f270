//! The dev server of one widget: installed when needed, started, listened to, started again when it dies, and ended
//! with all it started when nobody holds it any more.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::install::{install, is_installed};
use super::project::Widget;
use super::route::{DevRoute, prefix};
use super::toolchain::Toolchain;
use crate::events::{EventKind, Journal, StepScope};
use crate::model::{AppId, Code, Report};
use crate::sys::http::Http;
use crate::sys::net;
use crate::sys::process::Program;

/// How often a server that dies is started again before we stop trying.
const RESTARTS: u32 = 5;
/// The first pause before a restart; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(500);
/// A server that served this long was well; what it dies of is something new.
const WELL: Duration = Duration::from_mins(1);
/// How often we ask whether a starting server answers.
const ASKED: Duration = Duration::from_millis(100);
/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often we look whether other packages are wanted.
const LOOK: Duration = Duration::from_secs(5);

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

/// The dev server of one widget of one app.
#[derive(Debug)]
pub struct DevServer {
    app: AppId,
    widget: Widget,
    toolchain: Toolchain,
    http: Http,
    log: StepScope,
    journal: Journal,
    pause: Duration,
}

/// Why a server is to be started again.
enum Ended {
    /// It died.
    Died(Report),
    /// The lock file names other packages than those it runs with.
    Outdated,
}

impl DevServer {
    /// A server that does not run yet. Its lines are told as those of `app.<org>.<app>.widget.<name>`.
    pub fn new(
        app: AppId,
        widget: Widget,
        toolchain: Toolchain,
        journal: Journal,
    ) -> Result<Self, Report> {
        let source = format!("{}.widget.{}", app.resource(), widget.name);
        let log = StepScope::new(journal.clone(), source);
        Ok(Self { app, widget, toolchain, http: Http::new()?, log, journal, pause: PAUSE })
    }

    /// Runs until it is given up, which a notice tells; `route` holds where it answers, and nothing while it does
    /// not. Dropping the future ends the server with all it started.
    pub async fn run(self, route: watch::Sender<Option<DevRoute>>) {
        let report = self.keep(&route).await;
        route.send_replace(None);
        self.journal.emit(EventKind::Notice { report: Box::new(report) });
    }

    /// Starts it again and again; tells why not any longer.
    async fn keep(&self, route: &watch::Sender<Option<DevRoute>>) -> Report {
        let mut deaths = 0;
        loop {
            if let Err(report) =
                install(&self.widget, &self.toolchain, |line| self.log.log(line)).await
            {
                return report;
            }
            let started = Instant::now();
            let ended = self.serve(route).await;
            route.send_replace(None);
            let report = match ended {
                Ok(Ended::Outdated) => continue,
                Ok(Ended::Died(report)) => report,
                Err(report) => return report,
            };
            deaths = if started.elapsed() > WELL { 1 } else { deaths + 1 };
            if deaths > RESTARTS {
                return report.fix("altinn-local up", "starts it again");
            }
            self.log.log(&format!("{}; starting it again", report.title));
            sleep(self.pause * 2_u32.pow(deaths - 1)).await;
        }
    }

    /// Runs it once.
    async fn serve(&self, route: &watch::Sender<Option<DevRoute>>) -> Result<Ended, Report> {
        // The port stays free for us only as long as nobody else asks; then the server says so and ends.
        let port = net::free_port()
            .ok_or_else(|| Report::new(Code::WidgetServerFailed, "no port is free on 127.0.0.1"))?;
        let running = self.program(port)?.open_input().run(|line| self.log.log(line));
        tokio::select! {
            finished = running => {
                let finished = finished?;
                let why = format!("`{}` ended with {}", finished.command, finished.status);
                Ok(Ended::Died(self.failed("ended").why(why).with_tail(finished.tail)))
            }
            report = self.answers(port, route) => Ok(Ended::Died(report)),
            () = self.outdated() => Ok(Ended::Outdated),
        }
    }

    /// Waits until it answers and tells so; ends only when it never does.
    async fn answers(&self, port: u16, route: &watch::Sender<Option<DevRoute>>) -> Report {
        let path = format!("{}@vite/client", prefix(&self.widget.name));
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.http.status(port, None, &path).await == Ok(200) {
                route.send_replace(Some(DevRoute::new(&self.app, &self.widget, port)));
                return std::future::pending().await;
            }
            sleep(ASKED).await;
        }
        self.failed("does not answer").why(format!("`http://127.0.0.1:{port}{path}` is not there"))
    }

    /// Waits until the packages have been others than those wanted for two looks: npm itself is not done at the first.
    async fn outdated(&self) {
        let mut seen = 0;
        while seen < 2 {
            sleep(LOOK).await;
            seen = if is_installed(&self.widget.root) { 0 } else { seen + 1 };
        }
        self.log.log("other packages are wanted; starting anew");
    }

    fn program(&self, port: u16) -> Result<Program, Report> {
        let Widget { name, root, command, .. } = &self.widget;
        let (base, port) = (prefix(name), port.to_string());
        let node = self
            .toolchain
            .node(root)
            .env("ALTINN_LOCAL_WIDGET_BASE", &base)
            .env("ALTINN_LOCAL_WIDGET_PORT", &port);
        if let Some(command) = command {
            return Ok(node.args(["-e", WATCHED_COMMAND, command]));
        }
        let vite = vite(root).ok_or_else(|| {
            self.failed("does not start")
                .why("Vite is not among the installed packages")
                .fix("npm install --save-dev vite", "in the widget's folder")
                .fix(
                    "command: npm run dev",
                    "in altinn-local.yaml, when the project starts otherwise",
                )
        })?;
        Ok(node
            .arg("--import")
            .arg(format!("data:text/javascript,{WATCHDOG}"))
            .arg(vite.display().to_string())
            .args(["--host", "127.0.0.1", "--port", &port, "--strictPort"])
            .args(["--base", &base, "--clearScreen", "false"]))
    }

    fn failed(&self, what: &str) -> Report {
        let title = format!("the dev server of widget `{}` {what}", self.widget.name);
        Report::new(Code::WidgetServerFailed, title).at(self.widget.root.display().to_string())
    }
}

/// Vite's program, in the project's packages or in those of a workspace above it. It is run by Node itself: npm and
/// its shell would only sit beside it.
fn vite(root: &Path) -> Option<PathBuf> {
    root.ancestors()
        .map(|folder| folder.join("node_modules/vite/bin/vite.js"))
        .find(|program| program.is_file())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    /// A project with Vite's program, and as Node a shell, which ends at once because it knows no `--import`.
    fn server(folder: &Path) -> (DevServer, Journal) {
        let file = |path: &str, text: &str| {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        };
        file("package-lock.json", r#"{"packages": {}}"#);
        file("node_modules/.package-lock.json", r#"{"packages": {}}"#);
        file("node_modules/vite/bin/vite.js", "");
        let widget = Widget {
            name: "map".parse().unwrap(),
            root: folder.to_path_buf(),
            tag_name: None,
            entry: "src/main.ts".to_owned(),
            command: None,
        };
        let toolchain = Toolchain::of("/bin/sh", "/bin/sh");
        let journal = Journal::default();
        let app = "ttd/demo".parse().unwrap();
        let server = DevServer::new(app, widget, toolchain, journal.clone()).unwrap();
        (DevServer { pause: Duration::from_millis(1), ..server }, journal)
    }

    #[tokio::test]
    async fn a_server_that_dies_is_started_again_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let (server, journal) = server(folder.path());
        let (route, heard) = watch::channel(None);
        server.run(route).await;
        let events = journal.since(0);
        let lines = events.iter().filter(|event| {
            matches!(&event.kind, EventKind::Log { source, line }
                if source == "app.ttd.demo.widget.map" && line.ends_with("starting it again"))
        });
        assert_eq!(lines.count(), RESTARTS as usize);
        let Some(EventKind::Notice { report }) = events.last().map(|event| &event.kind) else {
            panic!("{events:?}");
        };
        assert_eq!(report.code, Code::WidgetServerFailed);
        assert!(!report.tail.is_empty(), "{report:?}");
        assert_eq!(*heard.borrow(), None);
    }

    #[tokio::test]
    async fn a_project_without_vite_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (server, journal) = server(folder.path());
        std::fs::remove_dir_all(folder.path().join("node_modules/vite")).unwrap();
        server.run(watch::Sender::new(None)).await;
        let last = journal.since(0).pop().unwrap();
        assert!(matches!(last.kind, EventKind::Notice { report } if report.fixes.len() == 2));
    }
}
