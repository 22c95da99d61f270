//! git, through libgit2. A user's repository is only ever read: pushing goes through a remote without a name, which
//! leaves no trace in the repository's configuration, references or index.

mod checkout;

use std::path::{Path, PathBuf};

use git2::{
    Cred, ErrorClass, ErrorCode, IndexAddOption, PushOptions, RemoteCallbacks, Repository,
    Signature,
};

use crate::model::{Code, Report};

pub use checkout::{CheckedOut, Revision, Way, check_out, messages};

/// Where a push goes, and as whom.
#[derive(Clone)]
pub struct PushTarget {
    /// As `http://127.0.0.1:8800/repos/ttd/my-app.git`; carries no credentials.
    pub url: String,
    /// The user.
    pub user: String,
    /// The password, handed over by callback only.
    pub password: String,
    /// The branch to make, as `master`.
    pub branch: String,
}

/// What was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The commit that the repository's HEAD names.
    Head(String),
    /// One commit made of the folder's files, because the folder is no repository with commits of its own.
    Snapshot(String),
}

fn failed(what: &str, error: &git2::Error) -> Report {
    Report::new(Code::GiteaPushFailed, format!("cannot {what}")).why(error.message())
}

/// Pushes the app's history: HEAD of the repository whose top the folder is, else the folder's files as one commit.
/// Blocks; run it where blocking is allowed.
pub fn push(root: &Path, files: &[PathBuf], target: &PushTarget) -> Result<Pushed, Report> {
    if let Some((repository, commit)) = head(root) {
        send(&repository, &commit, target)?;
        return Ok(Pushed::Head(commit));
    }
    let folder = tempfile::tempdir().map_err(|error| {
        Report::new(Code::FileFailed, "cannot make a temporary folder").why(error.to_string())
    })?;
    let repository = Repository::init_bare(folder.path())
        .map_err(|error| failed("make a temporary repository", &error))?;
    let commit =
        snapshot(&repository, root, files).map_err(|error| failed("make a commit", &error))?;
    send(&repository, &commit, target)?;
    Ok(Pushed::Snapshot(commit))
}

/// The repository whose top this folder is, with the commit its HEAD names.
fn head(root: &Path) -> Option<(Repository, String)> {
    let repository = Repository::open(root).ok()?;
    let commit = repository.head().ok()?.peel_to_commit().ok()?.id().to_string();
    Some((repository, commit))
}

/// One commit of the given files, in a repository of our own.
fn snapshot(
    repository: &Repository,
    root: &Path,
    files: &[PathBuf],
) -> Result<String, git2::Error> {
    repository.set_workdir(root, false)?;
    let mut index = repository.index()?;
    for file in files {
        let path = file.strip_prefix(root).unwrap_or(file);
        index.add_all(
            [path],
            IndexAddOption::FORCE | IndexAddOption::DISABLE_PATHSPEC_MATCH,
            None,
        )?;
    }
    let tree = repository.find_tree(index.write_tree()?)?;
    let author = Signature::now("altinn-local", "altinn-local@localhost")?;
    let commit =
        repository.commit(Some("HEAD"), &author, &author, "The app's files", &tree, &[])?;
    Ok(commit.to_string())
}

/// Callbacks that hand name and password over, and give up when they are refused.
pub(super) fn signed_in<'a>(user: &'a str, password: &'a str) -> RemoteCallbacks<'a> {
    let mut callbacks = RemoteCallbacks::new();
    let mut tries = 0;
    callbacks.credentials(move |_, _, _| {
        tries += 1;
        if tries > 2 {
            let words = "the user name or password was refused";
            return Err(git2::Error::new(ErrorCode::Auth, ErrorClass::Http, words));
        }
        Cred::userpass_plaintext(user, password)
    });
    callbacks
}

fn send(repository: &Repository, commit: &str, target: &PushTarget) -> Result<(), Report> {
    let what = format!("push to {}", target.url);
    let mut remote =
        repository.remote_anonymous(&target.url).map_err(|error| failed(&what, &error))?;
    let mut refused = None;
    let mut callbacks = signed_in(&target.user, &target.password);
    callbacks.push_update_reference(|_, status| {
        refused = status.map(str::to_owned);
        Ok(())
    });
    let mut options = PushOptions::new();
    options.remote_callbacks(callbacks);
    let reference = format!("{commit}:refs/heads/{}", target.branch);
    let pushed = remote.push(&[reference.as_str()], Some(&mut options));
    pushed.map_err(|error| failed(&what, &error))?;
    drop(options);
    match refused {
        None => Ok(()),
        Some(why) => Err(Report::new(Code::GiteaPushFailed, format!("cannot {what}")).why(why)),
    }
}
