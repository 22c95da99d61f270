//! What the files of an app were when last looked at, and what is different now. Size, times and inode decide
//! whether a file is read; what it holds decides whether it changed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::rules::{Meaning, Rules, Scope};
use crate::sys::walk::{self, Digest, Kind, Stamp};

/// Adds a watch on a folder, given relative to the root.
pub(super) type Watch<'a> = &'a mut dyn FnMut(&Path);

/// What a look found, by paths relative to the root.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// What is new, gone, or holds something else.
    pub(super) paths: BTreeSet<PathBuf>,
    /// What was written since the look before, and holds the same. Who read it in between may have read something else.
    pub(super) touched: BTreeSet<PathBuf>,
}

impl Changed {
    fn insert(&mut self, path: PathBuf) {
        self.paths.insert(path);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.touched.is_empty()
    }
}

#[derive(Debug)]
enum Node {
    /// With its inode: another folder under the same name is another folder.
    Folder(u64),
    /// The digest is not known before the file was first read.
    File(Stamp, Option<Digest>),
}

#[derive(Debug)]
struct Folder {
    scope: Scope,
    nodes: BTreeMap<OsString, Node>,
}

/// The files that count, by folder.
#[derive(Debug)]
pub(super) struct Tree {
    root: PathBuf,
    inode: u64,
    rules: Rules,
    folders: BTreeMap<PathBuf, Folder>,
    /// Where reading for digests goes on; none when all are known.
    unread: Option<PathBuf>,
}

impl Tree {
    /// Looks at everything for the first time.
    pub(super) fn read(root: &Path, rules: Rules, watch: Watch) -> io::Result<Self> {
        let mut tree = Self {
            root: root.to_path_buf(),
            inode: Stamp::of(&root.symlink_metadata()?).inode,
            rules,
            folders: BTreeMap::new(),
            unread: Some(PathBuf::new()),
        };
        let scope = tree.rules.scope();
        tree.enter(Path::new(""), scope, watch, &mut Changed::default());
        Ok(tree)
    }

    /// Whether this file was there when it was last looked.
    pub(super) fn knows(&self, path: &Path) -> bool {
        let folder = self.folders.get(path.parent().unwrap_or(Path::new("")));
        let node = folder.and_then(|folder| folder.nodes.get(path.file_name()?));
        matches!(node, Some(Node::File(..)))
    }

    /// How many folders are watched.
    pub(super) fn folder_count(&self) -> usize {
        self.folders.len()
    }

    /// Looks at one folder again and into folders in it that are new. A folder that is not known is looked for
    /// from the nearest known one above it.
    pub(super) fn look(&mut self, folder: &Path, watch: Watch, changed: &mut Changed) {
        let known = folder.ancestors().find(|above| self.folders.contains_key(*above));
        if let Some(known) = known.map(Path::to_path_buf) {
            self.scan(&known, false, watch, changed);
        }
    }

    /// Looks at everything again. A root that is gone changes nothing: it may be on its way back.
    pub(super) fn look_everywhere(&mut self, watch: Watch, changed: &mut Changed) {
        let Ok(metadata) = self.root.symlink_metadata() else {
            return;
        };
        let inode = Stamp::of(&metadata).inode;
        if inode == self.inode {
            self.scan(Path::new(""), true, watch, changed);
        } else {
            self.inode = inode;
            self.forget(Path::new(""), changed);
            let scope = self.rules.scope();
            self.enter(Path::new(""), scope, watch, changed);
        }
    }

    /// Whether these changes change what counts.
    pub(super) fn rules_changed(changed: &Changed) -> bool {
        changed.paths.iter().any(|path| Rules::is_rule(path))
    }

    /// Takes up new rules: looks at everything anew and tells what counts now and did not, or the other way round.
    pub(super) fn replace(&mut self, mut new: Self, changed: &mut Changed) {
        let mut old: BTreeMap<PathBuf, (Stamp, Option<Digest>)> = self.files().collect();
        for (path, folder) in &mut new.folders {
            for (name, node) in &mut folder.nodes {
                let Node::File(stamp, digest) = node else {
                    continue;
                };
                match old.remove(&path.join(name)) {
                    Some((known, read)) if known == *stamp => *digest = read,
                    _ => {
                        changed.insert(path.join(name));
                    }
                }
            }
        }
        changed.paths.extend(old.into_keys());
        *self = new;
    }

    /// Leaves only what counts: a `.gitignore` that no build reads is known, but not told.
    pub(super) fn keep_what_counts(&self, changed: &mut Changed) {
        let counts = |path: &PathBuf| {
            let folder = path.parent().unwrap_or(Path::new(""));
            // A folder that is gone cannot be asked; only files that counted were in it.
            !Rules::is_rule(path)
                || self
                    .folders
                    .get(folder)
                    .is_none_or(|folder| self.rules.file(&folder.scope, path) == Meaning::Counts)
        };
        changed.paths.retain(counts);
        changed.touched.retain(counts);
    }

    /// Reads files whose digest is not known yet, for about this long; tells whether some are left. Until a file
    /// was read, a touch cannot be told from a change.
    pub(super) fn read_some(&mut self, time: Duration) -> bool {
        let started = Instant::now();
        while let Some(from) = self.unread.take() {
            let mut range = self.folders.range_mut(from..);
            let Some((path, folder)) = range.next() else {
                break;
            };
            for (name, node) in &mut folder.nodes {
                if let Node::File(stamp, digest @ None) = node {
                    *digest = settled_digest(&self.root.join(path).join(name), stamp);
                }
            }
            self.unread = range.next().map(|(next, _)| next.clone());
            if started.elapsed() > time {
                break;
            }
        }
        self.unread.is_some()
    }

    /// Makes [`Tree::read_some`] begin anew, for files that came since.
    pub(super) fn unread(&mut self) {
        self.unread = Some(PathBuf::new());
    }

    fn files(&self) -> impl Iterator<Item = (PathBuf, (Stamp, Option<Digest>))> {
        self.folders.iter().flat_map(|(path, folder)| {
            folder.nodes.iter().filter_map(move |(name, node)| match node {
                Node::File(stamp, digest) => Some((path.join(name), (*stamp, *digest))),
                Node::Folder(_) => None,
            })
        })
    }

    /// Takes up a folder that is new here. The watch comes before the look, so that nothing falls between.
    fn enter(&mut self, path: &Path, scope: Scope, watch: Watch, changed: &mut Changed) {
        watch(path);
        let nodes = BTreeMap::new();
        self.folders.insert(path.to_path_buf(), Folder { scope, nodes });
        self.scan(path, true, watch, changed);
    }

    fn scan(&mut self, path: &Path, deep: bool, watch: Watch, changed: &mut Changed) {
        let listed = match walk::list(&self.root.join(path)) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound && path != Path::new("") => {
                return self.forget(path, changed);
            }
            // Not readable now: what is known stays, and the next look tries again.
            Err(_) => return,
        };
        let Some(folder) = self.folders.get_mut(path) else {
            return;
        };
        let mut old = std::mem::take(&mut folder.nodes);
        let scope = folder.scope.clone();
        let mut nodes = BTreeMap::new();
        let (mut known, mut new) = (Vec::new(), Vec::new());
        for (name, stamp) in listed {
            let full = path.join(&name);
            let before = old.remove(&name);
            let node = match stamp.kind {
                Kind::Folder if matches!(before, Some(Node::Folder(inode)) if inode == stamp.inode) =>
                {
                    known.push(full);
                    before
                }
                Kind::Folder => {
                    self.gone(&full, before.as_ref(), changed);
                    let enters = self.rules.enter(&scope, &full);
                    enters.map(|scope| {
                        new.push((full, scope));
                        Node::Folder(stamp.inode)
                    })
                }
                Kind::File { .. } | Kind::Link => {
                    let folder = before.as_ref().filter(|node| matches!(node, Node::Folder(_)));
                    self.gone(&full, folder, changed);
                    self.file(&scope, &full, stamp, before.as_ref(), changed)
                }
                Kind::Other => {
                    self.gone(&full, before.as_ref(), changed);
                    None
                }
            };
            nodes.extend(node.map(|node| (name, node)));
        }
        for (name, node) in old {
            self.gone(&path.join(name), Some(&node), changed);
        }
        if let Some(folder) = self.folders.get_mut(path) {
            folder.nodes = nodes;
        }
        for (full, scope) in new {
            self.enter(&full, scope, watch, changed);
        }
        for full in known.iter().filter(|_| deep) {
            self.scan(full, true, watch, changed);
        }
    }

    /// Compares a file with what it was.
    fn file(
        &self,
        scope: &Scope,
        path: &Path,
        stamp: Stamp,
        before: Option<&Node>,
        changed: &mut Changed,
    ) -> Option<Node> {
        let Some(Node::File(known, digest)) = before else {
            if self.rules.file(scope, path) == Meaning::None {
                return None;
            }
            changed.insert(path.to_path_buf());
            // What a new file holds matters when it is touched next, so it is read when there is time; at once
            // only when its stamp could hide a second write.
            let digest = stamp.is_fresh().then(|| walk::digest(&self.root.join(path), &stamp).ok());
            return Some(Node::File(stamp, digest.flatten()));
        };
        // A stamp as young as the clock's step may hide a second write.
        if *known == stamp && !(stamp.is_fresh() && digest.is_some()) {
            return Some(Node::File(stamp, *digest));
        }
        let now = walk::digest(&self.root.join(path), &stamp).ok();
        if now.is_none() || now != *digest || known.kind != stamp.kind {
            changed.insert(path.to_path_buf());
        } else if *known != stamp {
            changed.touched.insert(path.to_path_buf());
        }
        Some(Node::File(stamp, now))
    }

    fn gone(&mut self, path: &Path, node: Option<&Node>, changed: &mut Changed) {
        match node {
            Some(Node::Folder(_)) => self.forget(path, changed),
            Some(Node::File(..)) => {
                changed.insert(path.to_path_buf());
            }
            None => {}
        }
    }

    /// Drops a folder with all below it.
    fn forget(&mut self, path: &Path, changed: &mut Changed) {
        let below = self
            .folders
            .range(path.to_path_buf()..)
            .take_while(|(below, _)| below.starts_with(path));
        let below: Vec<PathBuf> = below.map(|(below, _)| below.clone()).collect();
        for path in below {
            let nodes = self.folders.remove(&path).map(|folder| folder.nodes).unwrap_or_default();
            let files = nodes.into_iter().filter(|(_, node)| matches!(node, Node::File(..)));
            changed.paths.extend(files.map(|(name, _)| path.join(name)));
        }
    }
}

/// The digest of a file that is still the one the stamp was taken of, before and after it was read.
fn settled_digest(path: &Path, stamp: &Stamp) -> Option<Digest> {
    let now = || path.symlink_metadata().map(|metadata| Stamp::of(&metadata)).ok();
    if now().as_ref() != Some(stamp) {
        return None;
    }
    let digest = walk::digest(path, stamp).ok();
    digest.filter(|_| now().as_ref() == Some(stamp))
}
