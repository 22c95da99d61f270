//! Which files of an app's repository count as the app: what a build or a deploy reads. Everything else is neither
//! watched nor told of.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{Glob, GlobSet, GlobSetBuilder};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::model::{App, Code, Report};
use crate::sys::dockerignore::{Dockerignore, Verdict, is_passing, is_secret};
use crate::sys::walk::path_bytes;

/// Folders of tools and build outputs, at any depth.
const BUILT_IN: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".idea",
    ".vs",
    ".vscode",
    "__pycache__",
    "bin",
    "node_modules",
    "obj",
];

/// The rules of one app. Names in them are relative to the app's root.
#[derive(Debug)]
pub(super) struct Rules {
    root: PathBuf,
    /// The build context; empty when it is the root.
    context: PathBuf,
    docker: Dockerignore,
    exclude: GlobSet,
    /// Files that count although git ignores them.
    named: Vec<PathBuf>,
}

/// What a folder hands down to what is in it.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// From the root down.
    git: Arc<Vec<Arc<Gitignore>>>,
    docker: Arc<Verdict>,
}

/// What a file is to the watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Part of the app.
    Counts,
    /// Not part of the app, but it decides what is.
    Rules,
    /// Nothing.
    None,
}

impl Rules {
    /// Reads the ignore files at the root and the build context.
    pub(super) fn read(app: &App) -> Result<Self, Report> {
        let below = |path: &Path| path.strip_prefix(&app.root).unwrap_or(path).to_path_buf();
        let dockerfile = below(&app.dockerfile);
        let mut own = app.dockerfile.as_os_str().to_owned();
        own.push(".dockerignore");
        let ignore =
            std::fs::read(&own).or_else(|_| std::fs::read(app.context.join(".dockerignore")));
        let mut named =
            vec![dockerfile, below(Path::new(&own)), below(&app.context.join(".dockerignore"))];
        named.extend(app.values.iter().map(|path| below(path)));
        Ok(Self {
            root: app.root.clone(),
            context: below(&app.context),
            docker: Dockerignore::parse(&ignore.unwrap_or_default()),
            exclude: globs(&app.watch_exclude)?,
            named,
        })
    }

    /// What holds in the root.
    pub(super) fn scope(&self) -> Scope {
        // Patterns of this file are relative to the repository, not to the folder it lies in.
        let mut builder = GitignoreBuilder::new(&self.root);
        builder.add(self.root.join(".git/info/exclude"));
        let git = builder.build().ok().map(Arc::new).into_iter().collect();
        let scope = Scope { git: Arc::new(git), docker: Arc::new(self.docker.root()) };
        self.with_gitignore(scope, Path::new(""))
    }

    /// What holds in a folder; none when nothing in it can count.
    pub(super) fn enter(&self, scope: &Scope, folder: &Path) -> Option<Scope> {
        let name = folder.file_name().unwrap_or_default();
        if BUILT_IN.iter().any(|known| name == OsStr::new(known))
            || is_secret(name.as_encoded_bytes())
        {
            return None;
        }
        let leads = |to: &Path| to.starts_with(folder) || folder.starts_with(to);
        let to_named = self.named.iter().any(|path| path.starts_with(folder));
        let to_deployment = leads(Path::new("deployment"));
        let docker = self.docker_child(scope, folder);
        let in_build = leads(&self.context)
            && (!docker.excluded
                || self.docker.may_reach_below(&self.in_context(folder).unwrap_or_default()));
        let wanted = (in_build || to_deployment)
            && !self.git_ignores(scope, folder, true)
            && !self.is_excluded(folder);
        if !wanted && !to_named {
            return None;
        }
        let scope = Scope { git: Arc::clone(&scope.git), docker: Arc::new(docker) };
        Some(self.with_gitignore(scope, folder))
    }

    /// What a file or link in a folder of this scope is.
    pub(super) fn file(&self, scope: &Scope, path: &Path) -> Meaning {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if is_passing(name) || is_secret(name) {
            return Meaning::None;
        }
        if self.named.iter().any(|named| named == path) || is_master_file(path) {
            return Meaning::Counts;
        }
        let left_out = self.git_ignores(scope, path, false) || self.is_excluded(path);
        let built = self.in_context(path).is_some() && !self.docker_child(scope, path).excluded;
        if !left_out && (built || path.starts_with("deployment")) {
            return Meaning::Counts;
        }
        if name == b".gitignore" { Meaning::Rules } else { Meaning::None }
    }

    /// Whether a file counts, asked by itself: the folders on the way to it are entered one after the other.
    pub(super) fn heeds(&self, path: &Path) -> bool {
        let mut scope = self.scope();
        let folders: Vec<&Path> = path.ancestors().skip(1).collect();
        for folder in folders.into_iter().rev().filter(|folder| *folder != Path::new("")) {
            match self.enter(&scope, folder) {
                Some(inside) => scope = inside,
                None => return false,
            }
        }
        self.file(&scope, path) == Meaning::Counts
    }

    /// Whether a change of this file changes what counts.
    pub(super) fn is_rule(path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        name == b".gitignore" || name.ends_with(b".dockerignore")
    }

    fn with_gitignore(&self, scope: Scope, folder: &Path) -> Scope {
        let file = self.root.join(folder).join(".gitignore");
        // A link is not followed: it could lead out of the repository.
        if !file.symlink_metadata().is_ok_and(|found| found.is_file()) {
            return scope;
        }
        let (gitignore, _) = Gitignore::new(file);
        let mut git = Vec::clone(&scope.git);
        git.push(Arc::new(gitignore));
        Scope { git: Arc::new(git), ..scope }
    }

    /// The nearest `.gitignore` that says something decides.
    fn git_ignores(&self, scope: &Scope, path: &Path, is_folder: bool) -> bool {
        let full = self.root.join(path);
        for gitignore in scope.git.iter().rev() {
            match gitignore.matched(&full, is_folder) {
                Match::None => {}
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
            }
        }
        false
    }

    fn is_excluded(&self, path: &Path) -> bool {
        self.exclude.is_match(path)
    }

    fn in_context(&self, path: &Path) -> Option<Vec<u8>> {
        path.strip_prefix(&self.context).ok().map(|path| path_bytes(path).into_owned())
    }

    fn docker_child(&self, scope: &Scope, path: &Path) -> Verdict {
        match self.in_context(path) {
            Some(path) if !path.is_empty() => self.docker.child(&scope.docker, &path),
            _ => Verdict::clone(&scope.docker),
        }
    }
}

/// `altinn-local.yaml` and its overlays at the root.
fn is_master_file(path: &Path) -> bool {
    let name = path.as_os_str().as_encoded_bytes();
    name == b"altinn-local.yaml" || (name.starts_with(b"altinn-local.") && name.ends_with(b".yaml"))
}

/// `**/x/**` also means the folder `x` itself, so that it need not be entered.
fn globs(patterns: &[String]) -> Result<GlobSet, Report> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        for pattern in [Some(pattern.as_str()), pattern.strip_suffix("/**")].into_iter().flatten() {
            set.add(Glob::new(pattern).map_err(|error| bad_glob(pattern, &error))?);
        }
    }
    set.build().map_err(|error| bad_glob("watch.exclude", &error))
}

fn bad_glob(pattern: &str, error: &globset::Error) -> Report {
    Report::new(Code::ConfigInvalid, "a pattern of `watch.exclude` cannot be understood")
        .at(pattern)
        .why(error.to_string())
}
