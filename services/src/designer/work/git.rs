//! A user's working copy of an app, through libgit2.
//!
//! Submodules are not followed, symbolic links are checked out as the text of their target, and no hook runs.

use std::path::Path;

use axum::http::StatusCode;
use git2::build::CheckoutBuilder;
use git2::{
    BranchType, Cred, ErrorClass, ErrorCode, FetchOptions, FetchPrune, IndexAddOption, Oid,
    PushOptions, RemoteCallbacks, Repository, RepositoryState, Signature, Sort,
};

use super::tell::{Branches, Commit};
use crate::kit::fault::Fault;

/// As whom git speaks to Gitea, and who commits.
#[derive(Clone)]
pub(in crate::designer) struct Author {
    pub(in crate::designer) name: String,
    pub(in crate::designer) email: String,
    /// Gitea's token, handed over by callback only.
    pub(in crate::designer) token: String,
}

/// A working copy.
pub(in crate::designer) struct Copy {
    pub(super) repository: Repository,
}

const REMOTE: &str = "origin";

impl Copy {
    /// Opens what [`Copy::make`] made.
    pub(in crate::designer) fn open(root: &Path) -> Result<Self, Fault> {
        let repository = Repository::open(root).map_err(|error| fault(&error))?;
        Ok(Self { repository })
    }

    /// Clones; `branch` is where an empty repository begins, too. A half-made copy never stands at `root`.
    pub(in crate::designer) fn make(
        root: &Path,
        url: &str,
        branch: &str,
        author: &Author,
    ) -> Result<Self, Fault> {
        let beside = root.with_extension("new~");
        if beside.exists() {
            std::fs::remove_dir_all(&beside).map_err(Fault::internal)?;
        }
        std::fs::create_dir_all(&beside).map_err(Fault::internal)?;
        let made = || -> Result<(), git2::Error> {
            let repository = Repository::init(&beside)?;
            let mut config = repository.config()?;
            config.set_bool("core.symlinks", false)?;
            config.set_bool("core.autocrlf", false)?;
            repository.remote(REMOTE, url)?;
            let copy = Self { repository };
            copy.fetch_raw(author)?;
            copy.repository.set_head(&format!("refs/heads/{branch}"))?;
            copy.begin(branch)
        };
        made().map_err(|error| fault(&error))?;
        std::fs::rename(&beside, root).map_err(Fault::internal)?;
        Self::open(root)
    }

    /// Checks a branch out for the first time, when Gitea has it.
    fn begin(&self, branch: &str) -> Result<(), git2::Error> {
        let Ok(theirs) = self.repository.find_branch(&tracked(branch), BranchType::Remote) else {
            return Ok(());
        };
        let commit = theirs.get().peel_to_commit()?;
        let mut own = self.repository.branch(branch, &commit, true)?;
        own.set_upstream(Some(&tracked(branch)))?;
        let mut checkout = CheckoutBuilder::new();
        self.repository.checkout_head(Some(checkout.force()))
    }

    /// Fetches all branches.
    pub(in crate::designer) fn fetch(&self, author: &Author) -> Result<(), Fault> {
        self.fetch_raw(author).map_err(|error| fault(&error))
    }

    fn fetch_raw(&self, author: &Author) -> Result<(), git2::Error> {
        let mut options = FetchOptions::new();
        options.remote_callbacks(callbacks(author)).prune(FetchPrune::On);
        options.follow_redirects(git2::RemoteRedirect::None);
        let all = format!("+refs/heads/*:refs/remotes/{REMOTE}/*");
        self.repository.find_remote(REMOTE)?.fetch(&[all.as_str()], Some(&mut options), None)
    }

    /// The branch that is checked out.
    pub(in crate::designer) fn branch(&self) -> Result<String, Fault> {
        let head = self.repository.find_reference("HEAD").map_err(|error| fault(&error))?;
        let target = head.symbolic_target().ok().flatten().unwrap_or_default();
        Ok(target.strip_prefix("refs/heads/").unwrap_or_default().to_owned())
    }

    pub(super) fn head(&self) -> Option<Oid> {
        self.repository.head().ok()?.peel_to_commit().ok().map(|commit| commit.id())
    }

    /// What Gitea has of the branch that is checked out, as of the last fetch.
    pub(super) fn theirs(&self) -> Option<Oid> {
        let name = format!("refs/remotes/{REMOTE}/{}", self.branch().ok()?);
        self.repository.refname_to_id(&name).ok()
    }

    pub(in crate::designer) fn merging(&self) -> bool {
        self.repository.state() == RepositoryState::Merge
    }

    /// Commits all that differs. Ends a merge; its conflicts must be resolved.
    pub(in crate::designer) fn commit(
        &self,
        author: &Author,
        message: &str,
    ) -> Result<String, Fault> {
        self.refuse_unresolved()?;
        let make = || -> Result<Option<Oid>, git2::Error> {
            let mut index = self.repository.index()?;
            let conflicts: Vec<_> = index.conflicts()?.filter_map(Result::ok).collect();
            for conflict in conflicts {
                let path = [&conflict.our, &conflict.their, &conflict.ancestor]
                    .into_iter()
                    .find_map(|side| side.as_ref().map(|entry| entry.path.clone()));
                let path = path.and_then(|path| String::from_utf8(path).ok()).unwrap_or_default();
                index.conflict_remove(Path::new(&path))?;
            }
            index.add_all(["*"], IndexAddOption::DEFAULT, None)?;
            index.update_all(["*"], None)?;
            index.write()?;
            let tree = self.repository.find_tree(index.write_tree()?)?;
            let mut parents = Vec::new();
            if let Some(head) = self.head() {
                parents.push(self.repository.find_commit(head)?);
            }
            let merged = self.merged()?;
            if merged.is_empty() && parents.first().is_some_and(|head| head.tree_id() == tree.id())
            {
                return Ok(None);
            }
            for other in merged {
                parents.push(self.repository.find_commit(other)?);
            }
            let by = Signature::now(&author.name, &author.email)?;
            let parents: Vec<_> = parents.iter().collect();
            let made = self.repository.commit(Some("HEAD"), &by, &by, message, &tree, &parents)?;
            self.repository.cleanup_state()?;
            Ok(Some(made))
        };
        match make().map_err(|error| fault(&error))? {
            Some(commit) => Ok(commit.to_string()),
            None => Err(conflict("nothing", "There is nothing to commit.")),
        }
    }

    /// The commit that a merge under way brings in. libgit2 lends them through `&mut` only.
    fn merged(&self) -> Result<Vec<Oid>, git2::Error> {
        if !self.merging() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        Repository::open(self.repository.path())?.mergehead_foreach(|other| {
            found.push(*other);
            true
        })?;
        Ok(found)
    }

    /// Sends the branch to Gitea. What others sent first is never overwritten.
    pub(in crate::designer) fn push(&self, author: &Author) -> Result<(), Fault> {
        let branch = self.branch()?;
        let mut refused = None;
        let mut callbacks = callbacks(author);
        callbacks.push_update_reference(|_, status| {
            refused = status.map(str::to_owned);
            Ok(())
        });
        let mut options = PushOptions::new();
        options.remote_callbacks(callbacks);
        let reference = format!("refs/heads/{branch}:refs/heads/{branch}");
        let mut remote = self.repository.find_remote(REMOTE).map_err(|error| fault(&error))?;
        let pushed = remote.push(&[reference.as_str()], Some(&mut options));
        drop(options);
        let behind = "Others have sent changes to this branch: pull first.";
        match (pushed, refused) {
            (Err(error), _) if error.code() == ErrorCode::NotFastForward => {
                Err(conflict("behind", behind))
            }
            (Err(error), _) => Err(fault(&error)),
            (Ok(()), Some(why)) if why.contains("fast-forward") || why.contains("fetch first") => {
                Err(conflict("behind", behind))
            }
            (Ok(()), Some(why)) => {
                Err(conflict("refused", format!("Gitea refused the push: {why}")))
            }
            (Ok(()), None) => Ok(()),
        }
    }

    /// Takes in what Gitea has: forward when this copy has no commits of its own, else by a merge, which may end in
    /// conflicts that are then resolved here. Changes that are not committed stay, or stop it before anything happens.
    pub(in crate::designer) fn pull(&self, author: &Author) -> Result<(), Fault> {
        if self.merging() {
            return Err(conflict("merging", "A merge is under way: resolve and commit it first."));
        }
        self.fetch(author)?;
        let Some(theirs) = self.theirs() else { return Ok(()) };
        let other = self.repository.find_annotated_commit(theirs).map_err(|error| fault(&error))?;
        let (analysis, _) =
            self.repository.merge_analysis(&[&other]).map_err(|error| fault(&error))?;
        if analysis.is_up_to_date() {
            Ok(())
        } else if analysis.is_fast_forward() || analysis.is_unborn() {
            self.forward(theirs)
        } else {
            self.merge(&other, author)
        }
    }

    /// Moves the branch that is checked out, with its files, unless uncommitted changes would be lost.
    fn forward(&self, to: Oid) -> Result<(), Fault> {
        let branch = self.branch()?;
        let move_on = || -> Result<(), git2::Error> {
            let commit = self.repository.find_commit(to)?;
            let mut checkout = CheckoutBuilder::new();
            self.repository.checkout_tree(commit.as_object(), Some(checkout.safe()))?;
            let name = format!("refs/heads/{branch}");
            self.repository.reference(&name, to, true, "pull")?;
            self.repository.set_head(&name)
        };
        move_on().map_err(|error| in_the_way(&error))
    }

    fn merge(&self, other: &git2::AnnotatedCommit<'_>, author: &Author) -> Result<(), Fault> {
        if !self.changes()?.is_empty() {
            let detail = "You and others have both made commits: commit your changes, then pull.";
            return Err(conflict("commit-first", detail));
        }
        let begin = || -> Result<bool, git2::Error> {
            let mut checkout = CheckoutBuilder::new();
            checkout.safe().allow_conflicts(true).conflict_style_merge(true);
            self.repository.merge(&[other], None, Some(&mut checkout))?;
            Ok(self.repository.index()?.has_conflicts())
        };
        if begin().map_err(|error| in_the_way(&error))? {
            return self.begin_choosing();
        }
        let message = format!("Merge changes of others into {}", self.branch()?);
        self.commit(author, &message).map(drop)
    }

    /// Gives up a merge: the files are again those of the last commit, which nothing was lost from.
    pub(in crate::designer) fn abort(&self) -> Result<(), Fault> {
        if !self.merging() {
            return Err(conflict("not-merging", "No merge is under way."));
        }
        let mut checkout = CheckoutBuilder::new();
        checkout.force().remove_untracked(true);
        let mut back = || -> Result<(), git2::Error> {
            let head = self.repository.head()?.peel_to_commit()?;
            let kind = git2::ResetType::Hard;
            self.repository.reset(head.as_object(), kind, Some(&mut checkout))?;
            self.repository.cleanup_state()
        };
        back().map_err(|error| fault(&error))
    }

    /// Takes back uncommitted changes of one file, or of all.
    pub(in crate::designer) fn discard(&self, path: Option<&str>) -> Result<(), Fault> {
        if self.merging() {
            return Err(conflict("merging", "A merge is under way: commit it or give it up."));
        }
        let mut checkout = CheckoutBuilder::new();
        checkout.force().remove_untracked(true).disable_pathspec_match(true);
        if let Some(path) = path {
            checkout.path(path);
        }
        self.repository.checkout_head(Some(&mut checkout)).map_err(|error| fault(&error))
    }

    /// Checks a branch out: an own one, one that only Gitea has, or with `make` a new one from here.
    pub(in crate::designer) fn switch(&self, name: &str, make: bool) -> Result<(), Fault> {
        if self.merging() {
            return Err(conflict("merging", "A merge is under way: commit it or give it up."));
        }
        if !git2::Branch::name_is_valid(name).unwrap_or(false) || name.starts_with('-') {
            return Err(Fault::invalid("name", format!("`{name}` is no name of a branch.")));
        }
        let own = self.repository.find_branch(name, BranchType::Local).ok();
        let theirs = self.repository.find_branch(&tracked(name), BranchType::Remote).ok();
        if make && (own.is_some() || theirs.is_some()) {
            return Err(conflict("exists", format!("There is a branch `{name}` already.")));
        }
        let commit = match (&own, &theirs, make) {
            (Some(branch), _, _) | (None, Some(branch), _) => branch.get().peel_to_commit(),
            (None, None, true) => self.repository.head().and_then(|head| head.peel_to_commit()),
            (None, None, false) => {
                let detail = format!("There is no branch `{name}`.");
                return Err(Fault::problem(StatusCode::NOT_FOUND, detail));
            }
        };
        let commit = commit.map_err(|error| fault(&error))?;
        let switch = || -> Result<(), git2::Error> {
            let mut checkout = CheckoutBuilder::new();
            self.repository.checkout_tree(commit.as_object(), Some(checkout.safe()))?;
            if own.is_none() {
                let mut branch = self.repository.branch(name, &commit, false)?;
                if theirs.is_some() {
                    branch.set_upstream(Some(&tracked(name)))?;
                }
            }
            self.repository.set_head(&format!("refs/heads/{name}"))
        };
        switch().map_err(|error| in_the_way(&error))
    }

    /// All branches, of Gitea and of this copy.
    pub(in crate::designer) fn branches(&self) -> Result<Branches, Fault> {
        let mut names = std::collections::BTreeSet::new();
        for branch in self.repository.branches(None).map_err(|error| fault(&error))? {
            let (branch, _) = branch.map_err(|error| fault(&error))?;
            let Ok(Some(name)) = branch.name() else { continue };
            let name = name.strip_prefix(&format!("{REMOTE}/")).unwrap_or(name);
            if name != "HEAD" {
                names.insert(name.to_owned());
            }
        }
        let current = self.branch()?;
        names.insert(current.clone());
        Ok(Branches { current, names: names.into_iter().collect() })
    }

    /// The newest commits of the branch, newest first.
    pub(in crate::designer) fn commits(&self, most: usize) -> Result<Vec<Commit>, Fault> {
        let Some(head) = self.head() else { return Ok(Vec::new()) };
        let walk = |hide: Option<Oid>| -> Result<Vec<Oid>, git2::Error> {
            let mut walk = self.repository.revwalk()?;
            walk.set_sorting(Sort::TOPOLOGICAL | Sort::TIME)?;
            walk.push(head)?;
            if let Some(hide) = hide {
                walk.hide(hide)?;
            }
            walk.take(most).collect()
        };
        let all = walk(None).map_err(|error| fault(&error))?;
        // Without a branch at Gitea, nothing of it is there.
        let unpushed = walk(self.theirs()).map_err(|error| fault(&error))?;
        all.into_iter()
            .map(|id| {
                let commit = self.repository.find_commit(id).map_err(|error| fault(&error))?;
                Ok(Commit::new(&commit, !unpushed.contains(&id)))
            })
            .collect()
    }
}

fn tracked(branch: &str) -> String {
    format!("{REMOTE}/{branch}")
}

fn callbacks(author: &Author) -> RemoteCallbacks<'_> {
    let mut callbacks = RemoteCallbacks::new();
    let mut tries = 0;
    callbacks.credentials(move |_, _, _| {
        tries += 1;
        if tries > 2 {
            let refused = "the token was refused";
            return Err(git2::Error::new(ErrorCode::Auth, ErrorClass::Http, refused));
        }
        // Gitea takes a token for a password, whoever is named.
        Cred::userpass_plaintext("oauth2", &author.token)
    });
    callbacks
}

/// 409 with a word for the page, which tells the rest in the user's language.
pub(super) fn conflict(code: &str, detail: impl Into<String>) -> Fault {
    Fault::problem(StatusCode::CONFLICT, detail).with("code", code)
}

fn in_the_way(error: &git2::Error) -> Fault {
    if error.code() == ErrorCode::Conflict {
        let detail = "Changes that you have not committed are in the way: commit them first.";
        return conflict("commit-first", detail);
    }
    fault(error)
}

/// What a failure of git means to the caller.
pub(super) fn fault(error: &git2::Error) -> Fault {
    match (error.code(), error.class()) {
        (ErrorCode::Auth, _) => {
            let detail = "Gitea does not let you do this.";
            Fault::problem(StatusCode::FORBIDDEN, detail).with("code", "refused")
        }
        (_, ErrorClass::Net | ErrorClass::Http) => Fault::unavailable("Gitea", error),
        _ => Fault::internal(error),
    }
}
