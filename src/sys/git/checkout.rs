//! Fetches a repository and lays out exactly one commit of it, in a folder of our own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use git2::build::CheckoutBuilder;
use git2::{AutotagOption, ErrorCode, FetchOptions, Oid, RemoteCallbacks, Repository, Sort};

use super::signed_in;
use crate::model::{Code, Report};

/// What is fetched: branches, tags, and the heads of pull requests.
const REFERENCES: [&str; 3] = [
    "+refs/heads/*:refs/remotes/origin/*",
    "+refs/tags/*:refs/tags/*",
    "+refs/pull/*/head:refs/pull/*/head",
];

/// How to get in.
#[derive(Clone)]
pub enum Way {
    /// By name and password; a token of Gitea is a password too.
    Password(String, String),
    /// By a header of this name, and this value.
    Header(String, String),
}

/// Which commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revision {
    /// This one.
    Commit(String),
    /// What a branch or a tag names.
    Named(String),
    /// What the remote's HEAD names.
    Head,
}

/// What was laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedOut {
    /// The commit, 40 digits.
    pub commit: String,
    /// The first line of its message.
    pub summary: String,
    /// Whether the commit names submodules, which are not followed.
    pub submodules: bool,
}

/// Fetches `url` into `folder`, which must not be there, and lays out the commit. Links become plain files, so that
/// none leads out of the folder; submodules are not followed. Blocks; ends early when `cancelled` becomes true.
pub fn check_out(
    url: &str,
    way: &Way,
    wanted: &Revision,
    folder: &Path,
    cancelled: &Arc<AtomicBool>,
) -> Result<CheckedOut, Report> {
    let repository = Repository::init(folder).map_err(|error| failed(url, &error))?;
    let mut settings = repository.config().map_err(|error| failed(url, &error))?;
    settings.set_bool("core.symlinks", false).map_err(|error| failed(url, &error))?;
    let head = fetch(&repository, url, way, cancelled)?;
    let commit = find(&repository, wanted, head.as_deref()).map_err(|error| {
        let missing = matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec);
        let report = Report::new(
            Code::CloneFailed,
            match wanted {
                Revision::Commit(commit) => format!("there is no commit {commit}"),
                Revision::Named(name) => format!("there is no branch or tag `{name}`"),
                Revision::Head => "the repository has no commits".to_owned(),
            },
        )
        .at(url);
        if missing { report } else { report.why(error.message()) }
    })?;
    let lay_out = || -> Result<CheckedOut, git2::Error> {
        let tree = commit.tree()?;
        let mut options = CheckoutBuilder::new();
        options.force();
        repository.checkout_tree(tree.as_object(), Some(&mut options))?;
        repository.set_head_detached(commit.id())?;
        Ok(CheckedOut {
            commit: commit.id().to_string(),
            summary: commit.summary().ok().flatten().unwrap_or_default().to_owned(),
            submodules: tree.get_name(".gitmodules").is_some(),
        })
    };
    lay_out().map_err(|error| failed(url, &error))
}

/// The messages of the commits that `commit` has and `since` has not, newest first; all of them without `since`, or
/// when it is not known here.
pub fn messages(folder: &Path, since: Option<&str>, commit: &str) -> Result<Vec<String>, Report> {
    let read = || -> Result<Vec<String>, git2::Error> {
        let repository = Repository::open(folder)?;
        let mut walk = repository.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL)?;
        walk.push(Oid::from_str(commit)?)?;
        if let Some(since) = since.and_then(|since| Oid::from_str(since).ok())
            && repository.find_commit(since).is_ok()
        {
            walk.hide(since)?;
        }
        walk.map(|id| {
            Ok(String::from_utf8_lossy(repository.find_commit(id?)?.message_bytes()).into_owned())
        })
        .collect()
    };
    read().map_err(|error| {
        Report::new(Code::CloneFailed, "the history of the commit cannot be read")
            .why(error.message())
    })
}

/// Fetches everything; tells what the remote's HEAD names.
fn fetch(
    repository: &Repository,
    url: &str,
    way: &Way,
    cancelled: &Arc<AtomicBool>,
) -> Result<Option<String>, Report> {
    let mut remote = repository.remote_anonymous(url).map_err(|error| failed(url, &error))?;
    let (mut callbacks, header) = match way {
        Way::Password(user, password) => (signed_in(user, password), None),
        Way::Header(name, value) => (RemoteCallbacks::new(), Some(format!("{name}: {value}"))),
    };
    let stop = Arc::clone(cancelled);
    callbacks.transfer_progress(move |_| !stop.load(Ordering::Relaxed));
    let mut options = FetchOptions::new();
    options.remote_callbacks(callbacks).download_tags(AutotagOption::All);
    if let Some(header) = &header {
        options.custom_headers(&[header.as_str()]);
    }
    let fetched = remote.fetch(&REFERENCES, Some(&mut options), None);
    drop(options);
    fetched.map_err(|error| refused(url, &error, cancelled))?;
    let head = remote.default_branch().ok();
    Ok(head.and_then(|name| name.as_str().ok().map(str::to_owned)))
}

fn find<'a>(
    repository: &'a Repository,
    wanted: &Revision,
    head: Option<&str>,
) -> Result<git2::Commit<'a>, git2::Error> {
    let branch = |name: &str| format!("refs/remotes/origin/{name}");
    match wanted {
        Revision::Commit(commit) => repository.find_commit(Oid::from_str(commit)?),
        Revision::Named(name) => repository
            .find_reference(&branch(name))
            .or_else(|_| repository.find_reference(&format!("refs/tags/{name}")))?
            .peel_to_commit(),
        Revision::Head => {
            let name = head.and_then(|head| head.strip_prefix("refs/heads/")).unwrap_or("master");
            repository.find_reference(&branch(name))?.peel_to_commit()
        }
    }
}

fn refused(url: &str, error: &git2::Error, cancelled: &Arc<AtomicBool>) -> Report {
    if cancelled.load(Ordering::Relaxed) {
        return Report::new(Code::Cancelled, "the fetch was cancelled");
    }
    // libgit2 has the status in its words alone.
    let words = error.message();
    if error.code() == ErrorCode::Auth || words.contains("401") || words.contains("403") {
        return Report::new(Code::CloneFailed, "Gitea refused the token").at(url).why(words);
    }
    if error.code() == ErrorCode::NotFound || words.contains("404") {
        return Report::new(
            Code::CloneFailed,
            "there is no such repository, or the token may not read it",
        )
        .at(url)
        .why(words);
    }
    failed(url, error)
}

fn failed(url: &str, error: &git2::Error) -> Report {
    Report::new(Code::CloneFailed, "the repository could not be fetched")
        .at(url)
        .why(error.message())
        .fix("altinn-local logs studio.gitea", "shows Gitea's log")
}

#[cfg(test)]
mod tests {
    use super::*;
    use git2::Signature;

    /// A repository with two commits on `master`, the second with a link out of it; tells both.
    fn repository(folder: &Path) -> [String; 2] {
        let repository = Repository::init(folder).unwrap();
        repository.set_head("refs/heads/master").unwrap();
        let author = Signature::now("a", "a@localhost").unwrap();
        let mut commits: Vec<Oid> = Vec::new();
        for (text, message) in [("one", "feat: one"), ("two", "fix: two")] {
            std::fs::write(folder.join("file"), text).unwrap();
            #[cfg(unix)]
            if text == "two" {
                std::os::unix::fs::symlink("/etc/hostname", folder.join("link")).unwrap();
            }
            let mut index = repository.index().unwrap();
            index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
            index.write().unwrap();
            let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
            let parents: Vec<_> =
                commits.last().map(|id| repository.find_commit(*id).unwrap()).into_iter().collect();
            let parents: Vec<_> = parents.iter().collect();
            commits.push(
                repository
                    .commit(Some("HEAD"), &author, &author, message, &tree, &parents)
                    .unwrap(),
            );
        }
        [commits[0].to_string(), commits[1].to_string()]
    }

    #[test]
    fn exactly_the_commit_is_laid_out() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        let [first, second] = repository(&source);
        let url = source.display().to_string();
        let way = Way::Password("a".to_owned(), "b".to_owned());
        let out = |name: &str, wanted: Revision| {
            check_out(&url, &way, &wanted, &folder.path().join(name), &Arc::default())
        };
        let told = out("first", Revision::Commit(first.clone())).unwrap();
        assert_eq!((told.commit.as_str(), told.summary.as_str()), (first.as_str(), "feat: one"));
        assert_eq!(std::fs::read_to_string(folder.path().join("first/file")).unwrap(), "one");
        assert_eq!(out("named", Revision::Named("master".to_owned())).unwrap().commit, second);
        assert_eq!(out("head", Revision::Head).unwrap().commit, second);
        #[cfg(unix)]
        assert!(!folder.path().join("head/link").is_symlink());
        assert!(
            out("none", Revision::Commit("0".repeat(40))).unwrap_err().title.contains("no commit")
        );
        assert!(out("other", Revision::Named("x".to_owned())).unwrap_err().title.contains("`x`"));
        let messages = |since| messages(&folder.path().join("head"), since, &second).unwrap();
        assert_eq!(messages(Some(first.as_str())), ["fix: two"]);
        assert_eq!(messages(None), ["fix: two", "feat: one"]);
    }
}
