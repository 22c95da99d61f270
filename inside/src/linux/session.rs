//! In a build container: one long-lived session, because .NET's build server is found only by processes of the same
//! one (its mutex has the session's number in its name).

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, StdoutLock};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};

use altinn_inside::wire::{
    Change, Collected, Entry, Numbered, Reply, Request, VERSION, read_frame, write_frame,
};

use super::apply::Root;
use super::node::with_contents;
use super::{Fault, digest, told};

/// What the session hears.
enum Heard {
    Request(Numbered<Request>, Vec<u8>),
    /// A line of the program with this number.
    Line {
        run: u64,
        text: String,
        error: bool,
    },
    /// One of its outputs has ended, or it has itself.
    Quiet {
        run: u64,
        all: bool,
    },
    /// The agent is gone.
    End,
}

struct Session {
    output: BufWriter<StdoutLock<'static>>,
    sender: Sender<Heard>,
    heard: Receiver<Heard>,
}

pub(super) fn run() -> Result<u8, Fault> {
    let (sender, heard) = mpsc::channel();
    let requests = sender.clone();
    std::thread::spawn(move || {
        let mut input = BufReader::new(io::stdin());
        while let Ok(Some((request, body))) = read_frame(&mut input) {
            if requests.send(Heard::Request(request, body)).is_err() {
                return;
            }
        }
        let _ = requests.send(Heard::End);
    });
    let output = BufWriter::new(io::stdout().lock());
    Session { output, sender, heard }.serve()
}

impl Session {
    fn serve(&mut self) -> Result<u8, Fault> {
        while let Ok(heard) = self.heard.recv() {
            match heard {
                Heard::Request(request, body) => self.answer(request, &body)?,
                Heard::End => break,
                Heard::Line { .. } | Heard::Quiet { .. } => {}
            }
        }
        Ok(0)
    }

    fn answer(&mut self, request: Numbered<Request>, body: &[u8]) -> Result<(), Fault> {
        let id = request.id;
        let answer = match request.body {
            Request::Hello => Ok((Reply::Hello { version: VERSION }, Vec::new())),
            Request::Put { root, entries } => {
                put(&root, &entries, body).map(|()| (Reply::Done, Vec::new()))
            }
            Request::Run { argv, directory, environment } => self
                .run(id, &argv, &directory, environment)
                .map(|code| (Reply::Exited { code }, Vec::new())),
            Request::Collect { root, endings, known } => collect(&root, &endings, &known),
            Request::Read { path } => read(&path),
            // What was to be cancelled has ended already.
            Request::Cancel => return Ok(()),
            _ => Err("this is not asked of a build container".to_owned()),
        };
        let (reply, files) =
            answer.unwrap_or_else(|message| (Reply::Failed { message }, Vec::new()));
        self.reply(id, reply, &files)
    }

    fn reply(&mut self, id: u64, reply: Reply, files: &[u8]) -> Result<(), Fault> {
        let reply = Numbered { id, body: reply };
        write_frame(&mut self.output, &reply, files).map_err(told("answer"))
    }

    fn run(
        &mut self,
        id: u64,
        argv: &[String],
        directory: &str,
        environment: Vec<(String, String)>,
    ) -> Result<i32, Fault> {
        let (program, arguments) = argv.split_first().ok_or("no program was named")?;
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(directory)
            .envs(environment)
            // Of its own, so that it can be ended with all that it started.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(told(&format!("run `{program}`")))?;
        let mut open = self.listen_to(id, &mut child);
        // A build server that the program left behind may hold its outputs open: its end is what counts.
        let sender = self.sender.clone();
        let pid = child.id();
        let (ended, end) = mpsc::channel();
        std::thread::spawn(move || {
            let status = child.wait();
            let _ = ended.send(status);
            // What it wrote before its end is in the pipes already, and read within this time.
            std::thread::sleep(std::time::Duration::from_millis(30));
            let _ = sender.send(Heard::Quiet { run: id, all: true });
        });
        while open > 0 {
            match self.heard.recv().map_err(told("hear"))? {
                Heard::Line { run, text, error } if run == id => {
                    self.reply(id, Reply::Line { text, error }, &[])?;
                }
                Heard::Quiet { run, all } if run == id => open = if all { 0 } else { open - 1 },
                // The last words of what a former program left behind.
                Heard::Line { .. } | Heard::Quiet { .. } => {}
                Heard::Request(Numbered { body: Request::Cancel, .. }, _) | Heard::End => kill(pid),
                Heard::Request(other, _) => {
                    let message = "a program runs".to_owned();
                    self.reply(other.id, Reply::Failed { message }, &[])?;
                }
            }
        }
        let status = end.recv().map_err(told("wait for a program"))?;
        let status = status.map_err(told("wait for a program"))?;
        Ok(status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1))
    }

    /// Reads both outputs; tells how many there are.
    fn listen_to(&self, run: u64, child: &mut Child) -> usize {
        let outputs: [(Option<Box<dyn Read + Send>>, bool); 2] = [
            (child.stdout.take().map(|pipe| Box::new(pipe) as _), false),
            (child.stderr.take().map(|pipe| Box::new(pipe) as _), true),
        ];
        let mut open = 0;
        for (pipe, error) in outputs {
            let Some(pipe) = pipe else { continue };
            open += 1;
            let sender = self.sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                    let text = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
                    if sender.send(Heard::Line { run, text, error }).is_err() {
                        return;
                    }
                }
                let _ = sender.send(Heard::Quiet { run, all: false });
            });
        }
        open
    }
}

/// Ends a program with what it started: `dotnet` alone is but the parent of the process that builds. A build server that
/// an earlier program started has another group.
fn kill(group: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn put(root: &str, entries: &[Entry], body: &[u8]) -> Result<(), Fault> {
    fs::create_dir_all(root).map_err(told(&format!("make `{root}`")))?;
    let folder = Root::open(Path::new(root)).map_err(told(&format!("open `{root}`")))?;
    for (entry, contents) in with_contents(entries, body)? {
        let path = &entry.path;
        let done = match entry.change {
            Change::Write { executable, .. } => folder.write(path, contents, executable),
            Change::Delete => folder.delete(path),
        };
        done.map_err(told(&format!("write `{root}/{path}`")))?;
    }
    Ok(())
}

fn read(path: &str) -> Result<(Reply, Vec<u8>), Fault> {
    match fs::read(path) {
        Ok(bytes) => Ok((Reply::Files { files: vec![collected(path, &bytes)] }, bytes)),
        Err(error) => Err(told(&format!("read `{path}`"))(error)),
    }
}

fn collected(path: &str, bytes: &[u8]) -> Collected {
    Collected { path: path.to_owned(), digest: Some(digest::of(bytes)), len: bytes.len() as u64 }
}

fn collect(
    root: &str,
    endings: &[String],
    known: &BTreeMap<String, String>,
) -> Result<(Reply, Vec<u8>), Fault> {
    let mut paths = Vec::new();
    find(Path::new(root), endings, &mut paths).map_err(told(&format!("look into `{root}`")))?;
    paths.sort();
    let (mut files, mut body) = (Vec::new(), Vec::new());
    let mut left = known.clone();
    for path in paths {
        let bytes = fs::read(&path).map_err(told(&format!("read `{}`", path.display())))?;
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        let file = collected(&name, &bytes);
        if left.remove(&name) != file.digest {
            files.push(file);
            body.extend_from_slice(&bytes);
        }
    }
    files.extend(left.into_keys().map(|path| Collected { path, digest: None, len: 0 }));
    Ok((Reply::Files { files }, body))
}

fn find(folder: &Path, endings: &[String], paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            find(&entry.path(), endings, paths)?;
        } else if kind.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if endings.is_empty() || endings.iter().any(|ending| name.ends_with(ending.as_str())) {
                paths.push(entry.path());
            }
        }
    }
    Ok(())
}
