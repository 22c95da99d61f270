//! Runs on disk: a folder for each, with what is told of it, a log for each task and, until it ends, its secrets.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{Code, PipelineRun, Report};
use crate::sys::fs;

/// The highest number: Designer reads numbers of 32 bits with a sign.
const HIGHEST: u32 = i32::MAX as u32;

/// How a run gets at its repository.
#[derive(Clone, Serialize, Deserialize)]
pub struct Access {
    /// A token of Gitea.
    pub token: String,
    /// The header it goes in; none when it is a password.
    pub header: Option<String>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("header", &self.header).finish_non_exhaustive()
    }
}

/// All runs that are kept.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    runs: BTreeMap<u32, PipelineRun>,
    last: u32,
}

impl Store {
    /// Reads what is there. A run whose record cannot be read is left where it is, and its number is not used again.
    pub(super) fn open(folder: PathBuf) -> Result<Self, Report> {
        fs::create_private_dir(&folder)?;
        let kept = fs::read_if_there(&folder.join("last"))?;
        let kept = kept.and_then(|bytes| String::from_utf8(bytes).ok()?.trim().parse().ok());
        let mut store = Self { runs: BTreeMap::new(), last: kept.unwrap_or(0), folder };
        for path in fs::list(&store.folder)? {
            let number = path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
            let Some(number) = number else { continue };
            store.last = store.last.max(number);
            let Some(bytes) = fs::read_if_there(&path.join("run.json"))? else { continue };
            match serde_json::from_slice(&bytes) {
                Ok(run) => drop(store.runs.insert(number, run)),
                Err(error) => {
                    tracing::warn!(number, %error, "a run of the pipeline cannot be read");
                }
            }
        }
        Ok(store)
    }

    /// A number that no run ever had.
    pub(super) fn number(&mut self) -> Result<u32, Report> {
        if self.last >= HIGHEST {
            return Err(Report::new(Code::FileFailed, "there are no numbers left for runs").fix(
                "altinn-local down --volumes",
                "deletes the stack's data; counting begins anew",
            ));
        }
        let next = self.last + 1;
        fs::write_private(&self.folder.join("last"), next.to_string().as_bytes())?;
        self.last = next;
        Ok(next)
    }

    fn of(&self, id: u32) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Keeps a run as it is now.
    pub(super) fn put(&mut self, run: PipelineRun) -> Result<(), Report> {
        let text = serde_json::to_vec(&run)
            .map_err(|error| Report::bug("a run has no JSON form", &error))?;
        fs::write_private(&self.of(run.id).join("run.json"), &text)?;
        self.runs.insert(run.id, run);
        Ok(())
    }

    pub(super) fn get(&self, id: u32) -> Option<&PipelineRun> {
        self.runs.get(&id)
    }

    /// Newest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &PipelineRun> {
        self.runs.values().rev()
    }

    pub(super) fn remove(&mut self, id: u32) -> Result<(), Report> {
        self.runs.remove(&id);
        match std::fs::remove_dir_all(self.of(id)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Report::new(Code::FileFailed, format!("run {id} cannot be deleted"))
                    .why(error.to_string()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn put_access(&self, id: u32, access: &Access) -> Result<(), Report> {
        let text = serde_json::to_vec(access)
            .map_err(|error| Report::bug("a secret has no JSON form", &error))?;
        fs::write_private(&self.of(id).join("access.json"), &text)
    }

    pub(super) fn access(&self, id: u32) -> Result<Option<Access>, Report> {
        let bytes = fs::read_if_there(&self.of(id).join("access.json"))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    pub(super) fn forget_access(&self, id: u32) -> Result<(), Report> {
        fs::remove_if_there(&self.of(id).join("access.json"))
    }

    fn log(&self, id: u32, task: usize) -> PathBuf {
        self.of(id).join(format!("{}.log", task + 1))
    }

    /// Adds lines to a task's log; the run's record counts them when it is kept the next time.
    pub(super) fn append(&mut self, id: u32, task: usize, lines: &[String]) -> Result<(), Report> {
        let path = self.log(id, task);
        let mut text = lines.join("\n");
        text.push('\n');
        let written = OpenOptions::new().create(true).append(true).open(&path);
        written.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
            Report::new(Code::FileFailed, "a line of a log was not kept").why(error.to_string())
        })?;
        if let Some(task) = self.runs.get_mut(&id).and_then(|run| run.tasks.get_mut(task)) {
            task.lines += lines.len();
        }
        Ok(())
    }

    /// Lines of a task's log: those from `start` on, at most `count`; the first is 0.
    pub(super) fn lines(&self, id: u32, task: usize, start: usize, count: usize) -> Vec<String> {
        let Ok(file) = std::fs::File::open(self.log(id, task)) else { return Vec::new() };
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        lines.skip(start).take(count).collect()
    }
}
