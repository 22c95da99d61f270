//! Runs external programs: kind, helm, kubectl. Output is streamed line by line; the child and what it started
//! end when the future is dropped; the environment is scrubbed of what could point a tool at a foreign cluster.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};

use crate::model::{Code, Report};

/// How many of the last lines of output are kept for error messages.
const TAIL: usize = 20;

/// Variables that would let a tool read or write somebody else's cluster, context or plugins.
pub(super) const SCRUBBED: &[&str] =
    &["KUBECONFIG", "HELM_KUBECONTEXT", "HELM_NAMESPACE", "HELM_KUBEAPISERVER", "HELM_KUBETOKEN"];

/// A program with its arguments; nothing secret may be among them.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    directory: Option<PathBuf>,
    input: Input,
}

/// What a program finds on its standard input.
#[derive(Debug, Clone)]
enum Input {
    Nothing,
    Text(String),
    /// A pipe that stays silent and open as long as we live.
    Open,
}

/// What a finished program left.
#[derive(Debug, Clone)]
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// Its whole standard output.
    pub stdout: String,
    /// The last lines of both outputs, in order of arrival.
    pub tail: Vec<String>,
    /// The command as one can paste it.
    pub command: String,
}

impl Finished {
    /// The output when the program ended well, else a report with the given code and headline.
    pub fn success(self, code: Code, title: &str) -> Result<String, Report> {
        if self.status.success() {
            return Ok(self.stdout);
        }
        Err(Report::new(code, title)
            .why(format!("`{}` ended with {}", self.command, self.status))
            .with_tail(self.tail))
    }
}

impl Program {
    /// The program at this path.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            input: Input::Nothing,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<T: Into<String>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Runs in this folder.
    #[must_use]
    pub fn directory(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_path_buf());
        self
    }

    /// Gives this text on standard input.
    #[must_use]
    pub fn input(mut self, input: impl Into<String>) -> Self {
        self.input = Input::Text(input.into());
        self
    }

    /// Keeps standard input open and silent while the program runs. It ends when we end, however that happens, so a
    /// program that watches for its end never outlives us. Such a program may run for days: its lines are passed on,
    /// but its output is not kept.
    #[must_use]
    pub fn open_input(mut self) -> Self {
        self.input = Input::Open;
        self
    }

    /// The command as one can paste it into a shell.
    #[must_use]
    pub fn command_line(&self) -> String {
        let words =
            std::iter::once(self.path.display().to_string()).chain(self.arguments.iter().cloned());
        words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ")
    }

    /// Runs to the end and passes each line of both outputs to `each`. Dropping the future ends the program and
    /// its children.
    pub async fn run(self, mut each: impl FnMut(&str)) -> Result<Finished, Report> {
        let command = self.command_line();
        tracing::debug!(%command, "run");
        let failed = |what: &str, error: &std::io::Error| {
            Report::new(Code::ToolMissing, format!("cannot {what} `{}`", self.path.display()))
                .why(error.to_string())
        };
        let mut family = Family::of(self.spawn().map_err(|error| failed("start", &error))?);
        let child = &mut family.parent;
        // Held until the program has ended, unless there is something to read, which has an end.
        let mut input = child.stdin().take();
        if let Input::Text(text) = &self.input
            && let Some(mut pipe) = input.take()
        {
            // A program that ends before it read its input tells more by its status than by our broken pipe.
            let _ = pipe.write_all(text.as_bytes()).await;
        }
        let (mut out, mut err) = (lines(child.stdout().take()), lines(child.stderr().take()));
        let (mut stdout, mut tail) = (String::new(), std::collections::VecDeque::new());
        let (mut out_open, mut err_open) = (true, true);
        while out_open || err_open {
            let (line, from_stdout) = tokio::select! {
                line = next(&mut out), if out_open => (line, true),
                line = next(&mut err), if err_open => (line, false),
            };
            let Some(line) = line else {
                if from_stdout {
                    out_open = false;
                } else {
                    err_open = false;
                }
                continue;
            };
            each(&line);
            if from_stdout && !matches!(self.input, Input::Open) {
                stdout.push_str(&line);
                stdout.push('\n');
            }
            tail.push_back(line);
            if tail.len() > TAIL {
                tail.pop_front();
            }
        }
        let status = child.wait().await.map_err(|error| failed("wait for", &error))?;
        family.ended = true;
        Ok(Finished { status, stdout, tail: tail.into(), command })
    }

    fn spawn(&self) -> std::io::Result<Box<dyn ChildWrapper>> {
        let mut wrapped = CommandWrap::with_new(&self.path, |command| {
            command.args(&self.arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
            command.stdin(match self.input {
                Input::Nothing => Stdio::null(),
                Input::Text(_) | Input::Open => Stdio::piped(),
            });
            for name in SCRUBBED {
                command.env_remove(name);
            }
            command.envs(self.environment.iter().map(|(name, value)| (name, value)));
            if let Some(directory) = &self.directory {
                command.current_dir(directory);
            }
        });
        #[cfg(unix)]
        wrapped.wrap(process_wrap::tokio::ProcessGroup::leader());
        #[cfg(windows)]
        wrapped.wrap(process_wrap::tokio::JobObject);
        wrapped.wrap(KillOnDrop);
        wrapped.spawn()
    }
}

/// A program and what it started. All of them end with this value: `KillOnDrop` alone ends only the first.
struct Family {
    parent: Box<dyn ChildWrapper>,
    ended: bool,
}

impl Family {
    fn of(parent: Box<dyn ChildWrapper>) -> Self {
        Self { parent, ended: false }
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        // Once the parent was waited for, its number may be somebody else's.
        if !self.ended {
            let _ = self.parent.start_kill();
        }
    }
}

/// A pipe, and the beginning of a line whose end has not come yet. It is kept here and not in the future that
/// reads: that one is dropped whenever the other pipe speaks first.
struct Lines {
    pipe: Option<BufReader<Box<dyn AsyncRead + Send + Unpin>>>,
    begun: Vec<u8>,
}

fn lines(pipe: Option<impl AsyncRead + Send + Unpin + 'static>) -> Lines {
    let pipe = pipe.map(|pipe| BufReader::new(Box::new(pipe) as Box<dyn AsyncRead + Send + Unpin>));
    Lines { pipe, begun: Vec::new() }
}

/// The next line without its end, lossily decoded; none at the end of the stream.
async fn next(lines: &mut Lines) -> Option<String> {
    // An error ends the stream, as its end does; what came before it is still a line.
    let _ = lines.pipe.as_mut()?.read_until(b'\n', &mut lines.begun).await;
    let bytes = std::mem::take(&mut lines.begun);
    if bytes.is_empty() {
        return None;
    }
    Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned())
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        Program::new(Path::new("/bin/sh")).args(["-c", script])
    }

    #[tokio::test]
    async fn both_outputs_are_heard_and_told_apart() {
        let mut heard = Vec::new();
        let finished = shell("echo out; echo err >&2; exit 3")
            .run(|line| heard.push(line.to_owned()))
            .await
            .unwrap();
        heard.sort();
        assert_eq!(heard, ["err", "out"]);
        assert_eq!(finished.stdout, "out\n");
        let report = finished.success(Code::ClusterFailed, "it failed").unwrap_err();
        assert!(report.labels[0].1.contains("exit status: 3"), "{report:?}");
        assert_eq!(report.tail.len(), 2);
    }

    #[tokio::test]
    async fn half_a_line_survives_the_other_output() {
        let script = "printf 'one '; sleep 0.05; echo err >&2; sleep 0.05; printf two";
        let finished = shell(script).run(|_| ()).await.unwrap();
        assert_eq!(finished.stdout, "one two\n");
    }

    #[tokio::test]
    async fn input_reaches_the_program() {
        let finished =
            Program::new(Path::new("/bin/cat")).input("hello").run(|_| ()).await.unwrap();
        assert_eq!(finished.stdout, "hello\n");
    }

    #[tokio::test]
    async fn what_a_program_started_ends_with_the_future() {
        let mut first = String::new();
        let program = shell("sh -c 'echo $$; exec sleep 60' & wait").open_input();
        let run = program.run(|line| line.clone_into(&mut first));
        assert!(tokio::time::timeout(std::time::Duration::from_millis(300), run).await.is_err());
        // `kill -0` answers for zombies too; nobody here waits for a grandchild, but the system's first process does.
        let alive = || async {
            let asked = shell(&format!("kill -0 {first} 2>&1 && ps -o stat= -p {first}"));
            let asked = asked.run(|_| ()).await.unwrap();
            asked.status.success() && !asked.stdout.starts_with('Z')
        };
        for _ in 0..100 {
            if !alive().await {
                return;
            }
        }
        panic!("{first} lives on");
    }

    #[tokio::test]
    async fn open_input_has_no_end() {
        let waits = Program::new(Path::new("/bin/cat")).open_input().run(|_| ());
        assert!(tokio::time::timeout(std::time::Duration::from_millis(100), waits).await.is_err());
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let report = Program::new(Path::new("/nonexistent/kind")).run(|_| ()).await.unwrap_err();
        assert_eq!(report.code, Code::ToolMissing);
        assert!(report.title.contains("/nonexistent/kind"));
    }

    #[test]
    fn command_lines_can_be_pasted() {
        let program = Program::new(Path::new("helm")).args(["a b", "c'd", "--x=1", ""]);
        assert_eq!(program.command_line(), r"helm 'a b' 'c'\''d' --x=1 ''");
    }
}
