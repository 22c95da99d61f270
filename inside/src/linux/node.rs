//! The writer: takes files from the agent, keeps them, and writes them into running containers.

use std::io::{self, BufReader, BufWriter};
use std::time::{Duration, Instant};

use altinn_inside::wire::{
    Change, Collected, Entry, Life, Numbered, Reply, Request, VERSION, read_frame, write_frame,
};
use rustix::process::{Pid, Signal, kill_process};

use super::apply::Root;
use super::containers::{self, Container};
use super::store::{Store, Synced};
use super::{Fault, listener, told};

/// How long a program that takes no new connection may read what came on those that it has.
const LAST_WORDS: Duration = Duration::from_millis(10);
/// How long a restart is waited for: the app's grace, and a little.
const RESTART: Duration = Duration::from_secs(5);

pub(super) fn run() -> Result<u8, Fault> {
    let mut input = BufReader::new(io::stdin().lock());
    let mut output = BufWriter::new(io::stdout().lock());
    let mut last = None;
    while let Some((request, body)) =
        read_frame::<Numbered<Request>>(&mut input).map_err(told("read a request"))?
    {
        let (reply, files) = answer(&request.body, &body, &mut last)
            .unwrap_or_else(|message| (Reply::Failed { message }, Vec::new()));
        let reply = Numbered { id: request.id, body: reply };
        write_frame(&mut output, &reply, &files).map_err(told("answer"))?;
    }
    Ok(0)
}

/// What a sync changed, as it was before.
struct Undo {
    set: Synced,
    /// From the container that was looked at; all of an image are alike.
    files: Vec<(Entry, Vec<u8>)>,
}

fn answer(
    request: &Request,
    body: &[u8],
    last: &mut Option<Undo>,
) -> Result<(Reply, Vec<u8>), Fault> {
    let reply = match request {
        Request::Hello => Reply::Hello { version: VERSION },
        Request::Sync { image, entries, restart } => {
            sync(image, &with_contents(entries, body)?, *restart, last)?
        }
        Request::Undo { image } => {
            let undo = last.take().filter(|undo| undo.set.is_of(image));
            undo_sync(image, &undo.ok_or("there is nothing to take back")?)?
        }
        Request::Sets => {
            let sets = Store::open()?.sets()?.into_iter().map(Synced::told);
            Reply::Sets { sets: sets.collect() }
        }
        Request::Forget { image } => {
            let sets = Store::open()?.forget(image)?.map(Synced::told);
            Reply::Sets { sets: sets.into_iter().collect() }
        }
        Request::Keep { images, repository } => {
            Store::open()?.keep_only(repository, images)?;
            Reply::Done
        }
        Request::Fetch { image } => return fetch(image),
        Request::Lives { image } => {
            Reply::Lives { containers: containers::of_image(image)?.iter().map(life).collect() }
        }
        _ => return Err("this is not asked of a node".to_owned()),
    };
    Ok((reply, Vec::new()))
}

/// Each entry with its part of the body.
pub(super) fn with_contents<'a>(
    entries: &'a [Entry],
    body: &'a [u8],
) -> Result<Vec<(&'a Entry, &'a [u8])>, Fault> {
    let mut rest = body;
    let part = |entry: &'a Entry| {
        let Change::Write { len, .. } = entry.change else { return Ok((entry, &rest[..0])) };
        let len = usize::try_from(len).ok().filter(|len| *len <= rest.len());
        let (part, after) = rest.split_at(len.ok_or("a request's body is too short")?);
        rest = after;
        Ok((entry, part))
    };
    entries.iter().map(part).collect()
}

fn sync(
    image: &str,
    entries: &[(&Entry, &[u8])],
    restart: bool,
    last: &mut Option<Undo>,
) -> Result<Reply, Fault> {
    let running = {
        let store = Store::open()?;
        *last = if restart { remember(image, entries, &store) } else { None };
        store.add(image, entries)?;
        // Under the lock: a container that is made now is either among these, or finds the set.
        let running = containers::of_image(image)?;
        for container in &running {
            write(container, entries)?;
        }
        running
    };
    Ok(synced(running, restart))
}

/// Restarts programs when it is asked for, and tells what was done.
fn synced(running: Vec<Container>, restart: bool) -> Reply {
    let restarted = running.iter().filter(|container| restart && again(container)).count();
    let unsupervised = if restart { running.len() - restarted } else { 0 };
    let containers = running.into_iter().map(|container| container.id).collect();
    Reply::Synced { containers, restarted, unsupervised }
}

/// What containers hold now where a sync will write; none when that cannot be told, which only makes the sync one that
/// cannot be taken back.
fn remember(image: &str, entries: &[(&Entry, &[u8])], store: &Store) -> Option<Undo> {
    let set = store.set(image).ok()?;
    let root = Root::open(&containers::of_image(image).ok()?.first()?.root).ok()?;
    let mut files = Vec::new();
    for (Entry { path, .. }, _) in entries {
        let path = path.clone();
        files.push(match root.read(&path).ok()? {
            Some((contents, executable)) => {
                let len = contents.len() as u64;
                (Entry { path, change: Change::Write { len, executable } }, contents)
            }
            None => (Entry { path, change: Change::Delete }, Vec::new()),
        });
    }
    Some(Undo { set, files })
}

fn undo_sync(image: &str, undo: &Undo) -> Result<Reply, Fault> {
    let entries: Vec<(&Entry, &[u8])> =
        undo.files.iter().map(|(entry, contents)| (entry, contents.as_slice())).collect();
    let running = {
        let store = Store::open()?;
        store.put(&undo.set)?;
        let running = containers::of_image(image)?;
        for container in &running {
            write(container, &entries)?;
        }
        running
    };
    Ok(synced(running, true))
}

fn write(container: &Container, entries: &[(&Entry, &[u8])]) -> Result<(), Fault> {
    let root = Root::open(&container.root).map_err(told("open a container's files"))?;
    for (entry, contents) in entries {
        let path = &entry.path;
        match entry.change {
            Change::Write { executable, .. } => {
                root.write(path, contents, executable).map_err(told(&format!("write `{path}`")))?;
            }
            Change::Delete => {
                root.delete(path).map_err(told(&format!("delete `{path}`")))?;
            }
        }
    }
    Ok(())
}

/// Asks the supervisor for a restart, and waits until the old process is gone and a new one is there.
fn again(container: &Container) -> bool {
    let (Some(init), true) = (container.init(), container.is_supervised()) else { return false };
    let before = container.child();
    // What it has taken in by then, it reads and answers; what it has taken in and not read when it ends is lost.
    if before.is_some_and(listener::close) {
        std::thread::sleep(LAST_WORDS);
    }
    let pid = i32::try_from(init).ok().and_then(Pid::from_raw);
    if pid.is_none_or(|pid| kill_process(pid, Signal::HUP).is_err()) {
        return false;
    }
    let end = Instant::now() + RESTART;
    while Instant::now() < end {
        let now = container.child();
        if now.is_some() && now != before {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

fn life(container: &Container) -> Life {
    Life {
        container: container.id.clone(),
        supervised: container.is_supervised(),
        child: container.child(),
    }
}

fn fetch(image: &str) -> Result<(Reply, Vec<u8>), Fault> {
    let store = Store::open()?;
    let contents = store.contents(&store.set(image)?)?;
    let mut body = Vec::new();
    let files = contents.into_iter().map(|(path, digest, bytes)| {
        body.extend_from_slice(&bytes);
        Collected { path, digest: Some(digest), len: bytes.len() as u64 }
    });
    let files = files.collect();
    Ok((Reply::Files { files }, body))
}
