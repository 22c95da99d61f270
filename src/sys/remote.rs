//! A user's repository and the stack's Gitea: a clone, and a remote for a repository that is there. These two are what
//! the tool writes into a repository of a user, each when asked for by name; files, index and branches of one that is
//! there are never touched. Neither keeps a secret: git asks a credential helper, which is named in the repository.

use std::path::{Path, PathBuf};

use git2::build::RepoBuilder;
use git2::{Config, Direction, ErrorCode, FetchOptions, Oid, Repository};

use super::git::signed_in;
use crate::model::{Code, Report};

/// The remote's name in a repository that was there before.
pub const REMOTE: &str = "altinn-local";

/// An app's repository in Gitea.
#[derive(Clone)]
pub struct Home {
    /// As the user's git calls it: `http://studio.localhost:8800/repos/ttd/my-app.git`.
    pub url: String,
    /// The same by number, because libgit2 asks the C library, which does not know `*.localhost` everywhere.
    pub address: String,
    /// What the helper answers for: `http://studio.localhost:8800`.
    pub site: String,
    /// The helper, as git's setting `credential.helper` has it.
    pub helper: String,
    /// The user.
    pub user: String,
    /// The password, handed over by callback only.
    pub password: String,
}

/// A clone that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloned {
    /// The branch that is checked out.
    pub branch: Option<String>,
    /// Its commit; none in a repository without commits.
    pub commit: Option<String>,
}

/// Where a repository stands beside Gitea's branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Gitea has no commits yet.
    RemoteEmpty,
    /// There are no commits here yet.
    LocalEmpty,
    /// They have no commit in common.
    Unrelated,
    /// Commits that only one of them has.
    Apart {
        /// Only here.
        ahead: usize,
        /// Only in Gitea.
        behind: usize,
    },
}

/// A remote that was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The branch here.
    pub branch: Option<String>,
    /// Gitea's main branch.
    pub remote_branch: Option<String>,
    /// How the two stand.
    pub standing: Standing,
}

fn failed(what: &str, error: &git2::Error) -> Report {
    Report::new(Code::GiteaFetchFailed, format!("cannot {what}"))
        .why(error.message())
        .fix("altinn-local status", "see whether Gitea runs")
}

fn unwritten(root: &Path, error: &git2::Error) -> Report {
    Report::new(Code::RepositoryUnreadable, "the repository's configuration cannot be changed")
        .at(root.display().to_string())
        .why(error.message())
}

/// Clones into a folder that is not there or empty. Blocks.
pub fn clone(home: &Home, folder: &Path) -> Result<Cloned, Report> {
    let what = format!("clone {}", home.url);
    let repository = RepoBuilder::new()
        .fetch_options(access(home))
        .clone(&home.address, folder)
        .map_err(|error| failed(&what, &error))?;
    repository
        .remote_set_url("origin", &home.url)
        .and_then(|()| set_helper(&repository, home))
        .map_err(|error| unwritten(folder, &error))?;
    let commit = head(&repository).map(|commit| commit.to_string());
    Ok(Cloned { branch: branch(&repository), commit })
}

/// Gives the repository whose top the folder is the remote, and fetches what Gitea has. Blocks.
pub fn link(home: &Home, root: &Path, force: bool) -> Result<Linked, Report> {
    let repository = open(root)?;
    let known = repository.find_remote(REMOTE).ok();
    let known = known.map(|remote| remote.url().unwrap_or_default().to_owned());
    if let Some(other) = known.as_ref().filter(|known| **known != home.url && !force) {
        return Err(taken(root, other));
    }
    // Before anything is written: a Gitea that does not answer leaves the repository as it was.
    let remote_branch = fetch(&repository, home)?;
    match known {
        Some(_) => redirect(&repository, home),
        None => repository.remote(REMOTE, &home.url).map(drop),
    }
    .and_then(|()| set_helper(&repository, home))
    .map_err(|error| unwritten(root, &error))?;
    let standing = standing(&repository, remote_branch.as_deref())
        .map_err(|error| failed("compare the commits", &error))?;
    Ok(Linked { branch: branch(&repository), remote_branch, standing })
}

/// A remote of ours has one address, for both ways.
fn redirect(repository: &Repository, home: &Home) -> Result<(), git2::Error> {
    repository.remote_set_url(REMOTE, &home.url)?;
    let mut config = repository.config()?.open_level(git2::ConfigLevel::Local)?;
    remove(&mut config, &format!("remote.{REMOTE}.pushurl"))
}

fn taken(root: &Path, other: &str) -> Report {
    Report::new(Code::RemoteTaken, format!("the remote `{REMOTE}` leads elsewhere"))
        .at(root.display().to_string())
        // Others keep passwords in such addresses.
        .why(format!("it is {}", without_user(other)))
        .fix("altinn-local app link --force", "replace it")
        .fix(format!("git remote rename {REMOTE} other"), "keep it under another name")
}

fn without_user(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    }
}

fn open(root: &Path) -> Result<Repository, Report> {
    let top = |repository: &Repository| {
        let top = repository.workdir().map(Path::to_path_buf);
        top.and_then(|top| dunce::canonicalize(top).ok())
    };
    let found = Repository::discover(root).ok();
    let here = dunce::canonicalize(root).ok();
    match found.map(|repository| (top(&repository), repository)) {
        Some((top, repository)) if top.is_some() && top == here => Ok(repository),
        Some((Some(top), _)) => Err(not_top(root).why(format!(
            "it is a part of the repository {}; Gitea has a repository for each app",
            top.display()
        ))),
        _ => Err(not_top(root).fix(
            format!("git -C {} init", PathBuf::from(root).display()),
            "make it one; then `git add` and `git commit`, and link it",
        )),
    }
}

fn not_top(root: &Path) -> Report {
    Report::new(Code::NoRepository, "the app's folder is no git repository")
        .at(root.display().to_string())
}

/// Fetches Gitea's branches to where a fetch of the remote puts them; tells Gitea's main branch.
fn fetch(repository: &Repository, home: &Home) -> Result<Option<String>, Report> {
    let what = format!("fetch {}", home.url);
    let failed = |error: git2::Error| failed(&what, &error);
    let mut remote = repository.remote_anonymous(&home.address).map_err(failed)?;
    let main = {
        let connection = remote
            .connect_auth(Direction::Fetch, Some(signed_in(&home.user, &home.password)), None)
            .map_err(|error| self::failed(&what, &error))?;
        let main = connection.default_branch().ok();
        main.and_then(|main| Some(main.as_str().ok()?.strip_prefix("refs/heads/")?.to_owned()))
    };
    let branches = format!("+refs/heads/*:refs/remotes/{REMOTE}/*");
    remote
        .fetch(&[branches.as_str()], Some(&mut access(home)), Some("fetch: altinn-local app link"))
        .map_err(|error| self::failed(&what, &error))?;
    Ok(main)
}

fn access(home: &Home) -> FetchOptions<'_> {
    let mut options = FetchOptions::new();
    options.remote_callbacks(signed_in(&home.user, &home.password));
    options
}

/// Names the helper for Gitea alone. The empty one before it ends the list of the user's own helpers, which would
/// otherwise be handed the password to keep. No proxy leads to this machine.
fn set_helper(repository: &Repository, home: &Home) -> Result<(), git2::Error> {
    let mut config = repository.config()?.open_level(git2::ConfigLevel::Local)?;
    let helper = format!("credential.{}.helper", home.site);
    remove(&mut config, &helper)?;
    // A value that matches the pattern would be replaced; each is to be added.
    let none = "^no value is like this$";
    config.set_multivar(&helper, none, "")?;
    config.set_multivar(&helper, none, &home.helper)?;
    config.set_str(&format!("http.{}.proxy", home.site), "")
}

fn remove(config: &mut Config, name: &str) -> Result<(), git2::Error> {
    match config.remove_multivar(name, ".*") {
        Err(error) if error.code() != ErrorCode::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn head(repository: &Repository) -> Option<Oid> {
    Some(repository.head().ok()?.peel_to_commit().ok()?.id())
}

/// The branch that is checked out, also before its first commit.
fn branch(repository: &Repository) -> Option<String> {
    let head = repository.find_reference("HEAD").ok()?;
    let name = head.symbolic_target().ok().flatten()?.to_owned();
    name.strip_prefix("refs/heads/").map(str::to_owned)
}

fn standing(repository: &Repository, main: Option<&str>) -> Result<Standing, git2::Error> {
    let name = main.map(|main| format!("refs/remotes/{REMOTE}/{main}"));
    let theirs = name.and_then(|name| repository.refname_to_id(&name).ok());
    let Some(theirs) = theirs else { return Ok(Standing::RemoteEmpty) };
    let Some(ours) = head(repository) else { return Ok(Standing::LocalEmpty) };
    match repository.merge_base(ours, theirs) {
        Err(error) if error.code() == ErrorCode::NotFound => Ok(Standing::Unrelated),
        Err(error) => Err(error),
        Ok(_) => {
            let (ahead, behind) = repository.graph_ahead_behind(ours, theirs)?;
            Ok(Standing::Apart { ahead, behind })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use git2::Signature;

    const PASSWORD: &str = "canary-password";

    /// A folder with Gitea's repository `gitea.git` in it.
    struct World {
        folder: tempfile::TempDir,
        home: Home,
    }

    fn world() -> World {
        let folder = tempfile::tempdir().unwrap();
        let bare = folder.path().join("gitea.git");
        let mut options = git2::RepositoryInitOptions::new();
        options.bare(true).initial_head("master");
        Repository::init_opts(&bare, &options).unwrap();
        let home = Home {
            url: "http://studio.localhost:8800/repos/ttd/a.git".to_owned(),
            address: bare.display().to_string(),
            site: "http://studio.localhost:8800".to_owned(),
            helper: "!'/a b/altinn-local' git-credential '/stack'".to_owned(),
            user: "admin".to_owned(),
            password: PASSWORD.to_owned(),
        };
        World { folder, home }
    }

    impl World {
        fn gitea(&self) -> Repository {
            Repository::open(&self.home.address).unwrap()
        }

        fn here(&self) -> (PathBuf, Repository) {
            let path = self.folder.path().join("app");
            let mut options = git2::RepositoryInitOptions::new();
            options.initial_head("main");
            let repository = Repository::init_opts(&path, &options).unwrap();
            (dunce::canonicalize(path).unwrap(), repository)
        }

        fn link(&self, root: &Path) -> Linked {
            link(&self.home, root, false).unwrap()
        }
    }

    /// A commit on top of a reference, which it moves.
    fn commit(repository: &Repository, reference: &str, words: &str) -> Oid {
        let author = Signature::now("a", "a@localhost").unwrap();
        let tree = repository.treebuilder(None).unwrap().write().unwrap();
        let tree = repository.find_tree(tree).unwrap();
        let parent = repository.refname_to_id(reference).ok();
        let parent = parent.map(|id| repository.find_commit(id).unwrap());
        let parents: Vec<_> = parent.iter().collect();
        repository.commit(Some(reference), &author, &author, words, &tree, &parents).unwrap()
    }

    fn helpers(repository: &Repository) -> Vec<String> {
        let config = repository.config().unwrap();
        let mut found = Vec::new();
        let entries = config.multivar("credential.http://studio.localhost:8800.helper", None);
        entries.unwrap().for_each(|entry| found.push(entry.value().unwrap().to_owned())).unwrap();
        found
    }

    #[test]
    fn a_clone_knows_gitea_by_its_name_and_no_secret() {
        let world = world();
        let there = commit(&world.gitea(), "refs/heads/master", "one");
        let target = world.folder.path().join("new");
        let cloned = clone(&world.home, &target).unwrap();
        assert_eq!(cloned.branch.as_deref(), Some("master"));
        assert_eq!(cloned.commit, Some(there.to_string()));
        let repository = Repository::open(&target).unwrap();
        assert_eq!(repository.find_remote("origin").unwrap().url().unwrap(), world.home.url);
        assert_eq!(helpers(&repository), ["", world.home.helper.as_str()]);
        let config = std::fs::read_to_string(target.join(".git/config")).unwrap();
        assert!(!config.contains(PASSWORD) && !config.contains("gitea.git"), "{config}");
    }

    #[test]
    fn a_repository_without_commits_is_cloned_too() {
        let world = world();
        let cloned = clone(&world.home, &world.folder.path().join("new")).unwrap();
        assert_eq!(cloned, Cloned { branch: Some("master".to_owned()), commit: None });
        let broken = Home { address: "/nowhere/x.git".to_owned(), ..world.home.clone() };
        let target = world.folder.path().join("other");
        assert_eq!(clone(&broken, &target).unwrap_err().code, Code::GiteaFetchFailed);
        assert!(!target.exists(), "nothing is left behind");
    }

    #[test]
    fn a_link_tells_how_both_stand_and_moves_nothing() {
        let world = world();
        let (root, here) = world.here();
        assert_eq!(world.link(&root).standing, Standing::RemoteEmpty);
        let first = commit(&world.gitea(), "refs/heads/master", "one");
        assert_eq!(world.link(&root).standing, Standing::LocalEmpty);
        here.reference("refs/heads/main", first, false, "").unwrap();
        assert_eq!(world.link(&root).standing, Standing::Apart { ahead: 0, behind: 0 });
        let ours = commit(&here, "refs/heads/main", "two");
        std::fs::write(root.join("unsaved"), "x").unwrap();
        assert_eq!(world.link(&root).standing, Standing::Apart { ahead: 1, behind: 0 });
        commit(&world.gitea(), "refs/heads/master", "other two");
        let theirs = commit(&world.gitea(), "refs/heads/master", "other three");
        let linked = world.link(&root);
        assert_eq!(linked.standing, Standing::Apart { ahead: 1, behind: 2 });
        assert_eq!(linked.branch.as_deref(), Some("main"));
        assert_eq!(linked.remote_branch.as_deref(), Some("master"));
        assert_eq!(here.refname_to_id("refs/heads/main").unwrap(), ours);
        assert_eq!(here.refname_to_id("refs/remotes/altinn-local/master").unwrap(), theirs);
        assert_eq!(world.gitea().refname_to_id("refs/heads/master").unwrap(), theirs);
        assert_eq!(helpers(&here).len(), 2, "linked again and again, named once");
        assert!(root.join("unsaved").exists());
    }

    #[test]
    fn histories_without_a_common_commit_are_told() {
        let world = world();
        let (root, here) = world.here();
        commit(&world.gitea(), "refs/heads/master", "the folder's files");
        commit(&here, "refs/heads/main", "my own");
        assert_eq!(world.link(&root).standing, Standing::Unrelated);
    }

    #[test]
    fn a_remote_of_somebody_else_stays() {
        let world = world();
        let (root, here) = world.here();
        let other = format!("https://kari:{PASSWORD}@example.com/a.git");
        here.remote(REMOTE, &other).unwrap();
        let refused = link(&world.home, &root, false).unwrap_err();
        assert_eq!(refused.code, Code::RemoteTaken);
        assert!(!format!("{refused:?}").contains(PASSWORD), "{refused:?}");
        assert_eq!(here.find_remote(REMOTE).unwrap().url().unwrap(), other);
        here.remote_set_pushurl(REMOTE, Some("https://example.com/push.git")).unwrap();
        link(&world.home, &root, true).unwrap();
        assert_eq!(here.find_remote(REMOTE).unwrap().pushurl().unwrap(), None);
        assert_eq!(here.find_remote(REMOTE).unwrap().url().unwrap(), world.home.url);
    }

    #[test]
    fn a_gitea_that_is_away_leaves_the_repository_as_it_was() {
        let world = world();
        let (root, here) = world.here();
        let away = Home { address: "/nowhere/x.git".to_owned(), ..world.home.clone() };
        assert_eq!(link(&away, &root, false).unwrap_err().code, Code::GiteaFetchFailed);
        assert!(here.find_remote(REMOTE).is_err());
    }

    #[test]
    fn only_the_top_of_a_repository_is_linked() {
        let world = world();
        let (root, _) = world.here();
        let below = root.join("apps/a");
        std::fs::create_dir_all(&below).unwrap();
        let part = link(&world.home, &below, false).unwrap_err();
        assert_eq!((part.code, part.fixes.len()), (Code::NoRepository, 0));
        let none = link(&world.home, world.folder.path(), false).unwrap_err();
        assert_eq!(none.code, Code::NoRepository);
        assert!(none.fixes[0].command.ends_with(" init"), "{none:?}");
    }
}
