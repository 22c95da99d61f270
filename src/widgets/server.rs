//! A dev server: installed when needed, started, listened to, started again when it dies, and ended with all it
//! started when nobody holds it any more.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::findings::{Findings, Heard};
use super::install::{install, is_installed};
use super::launch;
use super::project::Widget;
use super::source::{Frontend, Source};
use super::state::DevState;
use super::toolchain::Toolchain;
use crate::events::{EventKind, Journal, StepScope};
use crate::model::{AppId, Code, Diagnostic, Report, ResourceState};
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
/// How often we ask whether a server that we did not start still answers.
const ATTENDED: Duration = Duration::from_secs(1);
/// How often we look whether other packages are wanted.
const LOOK: Duration = Duration::from_secs(5);

/// The dev server of one project.
#[derive(Debug)]
pub struct DevServer {
    source: Source,
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
    /// It is to be started anew, and nothing is wrong.
    Outdated,
}

impl DevServer {
    /// A server that does not run yet. Its lines are told as those of [`Source::id`].
    pub fn new(source: Source, toolchain: Toolchain, journal: Journal) -> Result<Self, Report> {
        let log = StepScope::new(journal.clone(), source.id());
        Ok(Self { source, toolchain, http: Http::new()?, log, journal, pause: PAUSE })
    }

    /// Runs until it is given up; what goes wrong is told as notices, too. Dropping the future ends the server with all
    /// it started.
    pub async fn run(self, state: watch::Sender<DevState>) {
        let report = self.keep(&state).await;
        state.send_replace(DevState::faulty(ResourceState::Failed, report.clone()));
        self.tell(report);
    }

    fn tell(&self, report: Report) {
        self.journal.emit(EventKind::Notice { report: Box::new(report) });
    }

    /// Starts it again and again; tells why not any longer.
    async fn keep(&self, state: &watch::Sender<DevState>) -> Report {
        let mut deaths = 0;
        loop {
            if let Err(report) = self.install(state).await {
                return report;
            }
            if deaths == 0 {
                state.send_replace(DevState::new(ResourceState::Starting));
            }
            let started = Instant::now();
            let report = match self.serve(state).await {
                Ok(Ended::Outdated) => continue,
                Ok(Ended::Died(report)) => report,
                Err(report) => return report,
            };
            deaths = if started.elapsed() > WELL { 1 } else { deaths + 1 };
            if deaths > RESTARTS {
                return report.fix("altinn-local up", "starts it again");
            }
            state.send_replace(DevState::faulty(ResourceState::Degraded, report.clone()));
            let pause = self.pause * 2_u32.pow(deaths - 1);
            self.log.log(&format!("{}; starting it again in {pause:.1?}", report.title));
            // What dies again and again is told at its first death and its last.
            if deaths == 1 {
                self.tell(report.why(format!("it is started again in {pause:.1?}")));
            }
            sleep(pause).await;
        }
    }

    async fn install(&self, state: &watch::Sender<DevState>) -> Result<(), Report> {
        let Source::Widget(_, widget) = &self.source else { return Ok(()) };
        if is_installed(&widget.root) {
            return Ok(());
        }
        state.send_replace(DevState::new(ResourceState::Creating));
        install(widget, &self.toolchain, |line| self.log.log(line)).await
    }

    /// Runs it once.
    async fn serve(&self, state: &watch::Sender<DevState>) -> Result<Ended, Report> {
        let (port, program) = match &self.source {
            Source::Widget(app, widget) => {
                // The port stays free for us only as long as nobody else asks; then the server says so and ends.
                let port = net::free_port().ok_or_else(|| {
                    Report::new(Code::WidgetServerFailed, "no port is free on 127.0.0.1")
                })?;
                (port, self.widget(app, widget, port)?)
            }
            Source::Frontend(frontend) => match self.frontend(frontend).await {
                Ok(Some(program)) => (frontend.port, program),
                Ok(None) => return Ok(self.attend(frontend.port, state).await),
                Err(report) => return Ok(Ended::Died(report)),
            },
        };
        let mut findings = Findings::default();
        let base = self.source.root().cloned().unwrap_or_default();
        let running = program.open_input().run(|line| {
            self.log.log(line);
            match findings.hear(line, &base) {
                Some(Heard::Changed) => mended(state),
                Some(Heard::Broken(diagnostic)) => self.broken(state, diagnostic),
                None => {}
            }
        });
        tokio::select! {
            finished = running => {
                let finished = finished?;
                let why = format!("`{}` ended with {}", finished.command, finished.status);
                Ok(Ended::Died(self.failed("ended").why(why).with_tail(finished.tail)))
            }
            report = self.answers(port, state) => Ok(Ended::Died(report)),
            () = self.outdated() => Ok(Ended::Outdated),
        }
    }

    /// Waits until it answers and tells so; ends only when it never does.
    async fn answers(&self, port: u16, state: &watch::Sender<DevState>) -> Report {
        let path = self.source.probe();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.is_answering(port).await {
                state.send_replace(DevState::serving(self.source.route(port)));
                return std::future::pending().await;
            }
            sleep(ASKED).await;
        }
        self.failed("does not answer").why(format!("`http://localhost:{port}{path}` is not there"))
    }

    async fn is_answering(&self, port: u16) -> bool {
        self.http.local_status(port, &self.source.probe()).await == Ok(200)
    }

    /// Follows a server that somebody else runs, as long as it answers, or until it does when nobody else may start it.
    async fn attend(&self, port: u16, state: &watch::Sender<DevState>) -> Ended {
        let ours_to_start = self.source.root().is_some();
        loop {
            let answers = self.is_answering(port).await;
            // Not in the `match`: what it borrows is held to its end, and no state could be told there.
            let serves = state.borrow().route.is_some();
            match (answers, serves) {
                (true, false) => {
                    self.log.log(&format!("a dev server that runs already answers on port {port}"));
                    state.send_replace(DevState::serving(self.source.route(port)));
                }
                (false, _) if ours_to_start => return Ended::Outdated,
                (false, true) => {
                    self.log.log("the dev server has gone");
                    state.send_replace(self.absent(port));
                }
                (false, false) if !state.borrow().is_settled() => {
                    state.send_replace(self.absent(port));
                }
                (true, true) | (false, false) => {}
            }
            sleep(ATTENDED).await;
        }
    }

    fn absent(&self, port: u16) -> DevState {
        let report = self
            .failed("does not run")
            .why(format!("nobody answers `{}` on port {port}", self.source.probe()))
            .fix("yarn start", "in src/App/frontend of altinn-studio")
            .fix("frontend: { path: DIR }", "in altinn-local.yaml, to have it started");
        DevState::faulty(ResourceState::Degraded, report)
    }

    /// What was saved cannot be served; pages show it, too.
    fn broken(&self, state: &watch::Sender<DevState>, diagnostic: Diagnostic) {
        let title = format!("{} does not compile", self.source.title());
        let report = Report::new(Code::WidgetBuildFailed, title).with_diagnostics(vec![diagnostic]);
        let is_new = state.borrow().error.as_ref() != Some(&report);
        state.send_modify(|state| {
            state.state = ResourceState::Degraded;
            state.error = Some(report.clone());
        });
        if is_new {
            self.tell(report);
        }
    }

    /// Waits until the packages have been others than those wanted for two looks: npm itself is not done at the first.
    async fn outdated(&self) {
        let Source::Widget(_, widget) = &self.source else { return std::future::pending().await };
        let mut seen = 0;
        while seen < 2 {
            sleep(LOOK).await;
            seen = if is_installed(&widget.root) { 0 } else { seen + 1 };
        }
        self.log.log("other packages are wanted; starting anew");
    }

    fn widget(&self, app: &AppId, widget: &Widget, port: u16) -> Result<Program, Report> {
        launch::widget(&self.toolchain, app, widget, port).ok_or_else(|| {
            self.failed("does not start")
                .why("Vite is not among the installed packages")
                .fix("npm install --save-dev vite", "in the widget's folder")
                .fix(
                    "command: npm run dev",
                    "in altinn-local.yaml, when the project starts otherwise",
                )
        })
    }

    /// What starts the app frontend's own server; none when it runs already, or is somebody else's to start.
    async fn frontend(&self, frontend: &Frontend) -> Result<Option<Program>, Report> {
        let Some(root) = &frontend.root else { return Ok(None) };
        if self.is_answering(frontend.port).await {
            return Ok(None);
        }
        // Its project names the port itself, so that another one cannot be had.
        if !net::is_port_free(frontend.port) {
            return Err(self
                .failed("does not start")
                .why(format!("another program listens on port {}", frontend.port))
                .fix(
                    "frontend: { port: N }",
                    "in altinn-local.yaml, where the project has another port",
                ));
        }
        Ok(Some(launch::command(&self.toolchain, root, &frontend.command)))
    }

    fn failed(&self, what: &str) -> Report {
        let title = format!("the dev server of {} {what}", self.source.title());
        let report = Report::new(Code::WidgetServerFailed, title);
        match self.source.root() {
            Some(root) => report.at(root.display().to_string()),
            None => report,
        }
    }
}

/// What was saved is served again, until a line tells otherwise.
fn mended(state: &watch::Sender<DevState>) {
    state.send_if_modified(|state| {
        let was_broken = state.route.is_some() && state.error.take().is_some();
        if was_broken {
            state.state = ResourceState::Healthy;
        }
        was_broken
    });
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::path::Path;

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
        let source = Source::Widget("ttd/demo".parse().unwrap(), widget);
        let server = DevServer::new(source, toolchain, journal.clone()).unwrap();
        (DevServer { pause: Duration::from_millis(1), ..server }, journal)
    }

    #[tokio::test]
    async fn a_server_that_dies_is_started_again_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let (server, journal) = server(folder.path());
        let (state, heard) = watch::channel(DevState::new(ResourceState::Pending));
        server.run(state).await;
        let events = journal.since(0);
        let lines = events.iter().filter(|event| {
            matches!(&event.kind, EventKind::Log { source, line }
                if source == "app.ttd.demo.widget.map" && line.contains("starting it again"))
        });
        assert_eq!(lines.count(), RESTARTS as usize);
        let Some(EventKind::Notice { report }) = events.last().map(|event| &event.kind) else {
            panic!("{events:?}");
        };
        assert_eq!(report.code, Code::WidgetServerFailed);
        assert!(!report.tail.is_empty(), "{report:?}");
        let notices = events.iter().filter(|event| matches!(event.kind, EventKind::Notice { .. }));
        assert_eq!(notices.count(), 2, "its first death and its last");
        assert_eq!(heard.borrow().state, ResourceState::Failed);
        assert_eq!(heard.borrow().route, None);
    }

    /// One that somebody else runs comes and goes; in a runtime of several threads a state that is told while it is
    /// read would stop everything.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_server_of_somebody_else_comes_and_goes() {
        use tokio::io::AsyncWriteExt as _;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let theirs = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            }
        });
        let frontend = Frontend { root: None, command: String::new(), port };
        let toolchain = Toolchain::of("/bin/sh", "/bin/sh");
        let server = DevServer::new(Source::Frontend(frontend), toolchain, Journal::default());
        let (state, mut heard) = watch::channel(DevState::new(ResourceState::Pending));
        let ours = tokio::spawn(server.unwrap().run(state));
        let patience = Duration::from_secs(20);
        let serving = heard.wait_for(|state| state.route.is_some());
        drop(tokio::time::timeout(patience, serving).await.expect("it is seen").unwrap());
        theirs.abort();
        let gone = heard.wait_for(|state| state.route.is_none());
        drop(tokio::time::timeout(patience, gone).await.expect("its end is seen").unwrap());
        ours.abort();
    }

    #[tokio::test]
    async fn a_project_without_vite_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (server, journal) = server(folder.path());
        std::fs::remove_dir_all(folder.path().join("node_modules/vite")).unwrap();
        server.run(watch::Sender::new(DevState::new(ResourceState::Pending))).await;
        let last = journal.since(0).pop().unwrap();
        assert!(matches!(last.kind, EventKind::Notice { report } if report.fixes.len() == 2));
    }
}
