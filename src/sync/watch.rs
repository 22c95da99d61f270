//! Watches an app's repository. The system's events only wake: what changed is decided by looking, because events
//! get lost (new folders, full queues) and lie (touches, renames that put things back). Nothing is ever written to
//! the repository, and git is not run in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

use super::rules::Rules;
use super::settle::{LONGEST_LOCK, next_look, wait};
use super::tree::{Changed, Tree};
use crate::model::{App, Code, Report};
use crate::sys::walk::path_text;

/// Events that wait to be read; when there are more, everything is looked at.
const QUEUE: usize = 4096;
/// More folders than this are not looked at one by one.
const FOLDERS: usize = 64;
/// How often everything is looked at without a reason, at most.
const SAFETY: Duration = Duration::from_secs(5);
/// The same when the system gives no events.
const POLL: Duration = Duration::from_secs(2);
/// How long files are read for their digests before events are looked for again.
const READING: Duration = Duration::from_millis(20);

/// Files that changed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// Paths relative to the app's root, with forward slashes, sorted; files that are gone are among them.
    pub paths: Vec<String>,
    /// How many they are.
    pub count: usize,
    /// Files that were written and hold what they held at the look before, sorted. Nothing is to be told of them; but who
    /// read them meanwhile may have read something else, and reads them again.
    pub touched: Vec<String>,
    /// When the first event came.
    pub detected_at: Instant,
    /// When it was quiet and everything had been looked at.
    pub settled_at: Instant,
}

impl ChangeSet {
    fn join(&mut self, later: Self) {
        for (all, later) in [(&mut self.paths, later.paths), (&mut self.touched, later.touched)] {
            all.extend(later);
            all.sort_unstable();
            all.dedup();
        }
        self.count = self.paths.len();
        self.settled_at = later.settled_at;
    }
}

/// What the watching thread is told.
enum Signal {
    /// What happened there; whether it is what ends the writing of a file.
    Path(PathBuf, bool),
    Rescan,
    Stop,
}

#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<Option<ChangeSet>>,
    told: Notify,
}

/// Watches one app until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    shared: Arc<Shared>,
    signals: SyncSender<Signal>,
    stopped: Arc<AtomicBool>,
    notice: Option<Report>,
}

impl Watcher {
    /// Looks at everything once and starts to watch. Blocks for as long as that takes: call it where blocking is
    /// allowed. Changes after it returned are told.
    pub fn start(app: &App) -> Result<Self, Report> {
        let (signals, received) = sync_channel(QUEUE);
        let overflow = Arc::new(AtomicBool::new(false));
        let stopped = Arc::new(AtomicBool::new(false));
        let (mut eyes, notice) = Eyes::open(&app.root, &signals, &overflow);
        let rules = Rules::read(app)?;
        let started = Instant::now();
        let tree = Tree::read(&app.root, rules, &mut |folder| eyes.watch(folder))
            .map_err(|error| unreadable(app, &error))?;
        tracing::debug!(folders = tree.folder_count(), took = ?started.elapsed(), "watching");
        let notice = notice.or_else(|| eyes.notice());
        let shared = Arc::new(Shared::default());
        let post = Post {
            app: app.clone(),
            tree,
            eyes,
            received,
            overflow,
            stopped: Arc::clone(&stopped),
            shared: Arc::clone(&shared),
            git_lock: git_lock(&app.root),
            last_look: (Instant::now(), started.elapsed()),
        };
        let thread = std::thread::Builder::new().name("watch".to_owned());
        thread
            .spawn(move || post.stand())
            .map_err(|error| Report::bug("cannot start a thread", &error))?;
        Ok(Self { shared, signals, stopped, notice })
    }

    /// The next changes; waits until there are some. Those without paths are of touched files alone. Changes that came
    /// while nobody asked are told together.
    pub async fn changed(&mut self) -> ChangeSet {
        loop {
            // A permit is kept when the thread tells between the look and the wait.
            let told = self.shared.told.notified();
            if let Some(changes) = lock(&self.shared.pending).take() {
                return changes;
            }
            told.await;
        }
    }

    /// What the user should know about how this app is watched: that it is polled, and what to do about it.
    #[must_use]
    pub fn notice(&self) -> Option<&Report> {
        self.notice.as_ref()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // When the queue is full the thread is awake and sees the flag.
        let _ = self.signals.try_send(Signal::Stop);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Each change under the lock is one assignment, so a panic elsewhere leaves nothing half-done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unreadable(app: &App, error: &std::io::Error) -> Report {
    Report::new(Code::RepositoryUnreadable, "the app's folder cannot be watched")
        .at(app.root.display().to_string())
        .why(error.to_string())
}

/// The system's side: one watch per folder where watches are not recursive by nature, else one for all.
#[derive(Debug)]
struct Eyes {
    root: PathBuf,
    watcher: Option<RecommendedWatcher>,
    /// Why there are not enough watches.
    exhausted: Option<String>,
}

impl Eyes {
    fn open(
        root: &Path,
        signals: &SyncSender<Signal>,
        overflow: &Arc<AtomicBool>,
    ) -> (Self, Option<Report>) {
        let (signals, overflow) = (signals.clone(), Arc::clone(overflow));
        let opened = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            for signal in heard(event) {
                if let Err(TrySendError::Full(_)) = signals.try_send(signal) {
                    overflow.store(true, Ordering::Relaxed);
                }
            }
        });
        let mut eyes = Self { root: root.to_path_buf(), watcher: None, exhausted: None };
        match opened {
            Ok(watcher) => eyes.watcher = Some(watcher),
            Err(error) => eyes.exhausted = Some(error.to_string()),
        }
        if !cfg!(target_os = "linux")
            && let Some(watcher) = &mut eyes.watcher
            && let Err(error) = watcher.watch(root, RecursiveMode::Recursive)
        {
            eyes.exhausted = Some(error.to_string());
        }
        let notice = silent_file_system(root).map(|kind| {
            eyes.watcher = None;
            Report::new(
                Code::MachineLimit,
                "the app lies on a file system that tells of no changes",
            )
            .at(root.display().to_string())
            .why(format!("`{kind}`: everything is looked at every {} s instead", POLL.as_secs()))
            .fix("git clone … ~/my-app", "keep the app on a disk of this machine")
        });
        (eyes, notice)
    }

    fn watch(&mut self, folder: &Path) {
        if !cfg!(target_os = "linux") || self.exhausted.is_some() {
            return;
        }
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        let folder = self.root.join(folder);
        // A folder that came back under its old name may still be known by its old watch.
        let _ = watcher.unwatch(&folder);
        match watcher.watch(&folder, RecursiveMode::NonRecursive) {
            Ok(()) => {}
            Err(error) if is_limit(&error) => self.exhausted = Some(error.to_string()),
            // Gone again; the look that follows finds the same.
            Err(error) => tracing::debug!(%error, folder = %folder.display(), "no watch"),
        }
    }

    fn notice(&self) -> Option<Report> {
        let why = self.exhausted.as_ref()?;
        Some(
            Report::new(Code::MachineLimit, "the system has no file watches left")
                .why(format!("{why}; everything is looked at every {} s instead", POLL.as_secs()))
                .fix("sudo sysctl fs.inotify.max_user_watches=524288", "allow more watched folders")
                .fix(
                    "sudo sysctl fs.inotify.max_user_instances=512",
                    "allow more watching programs",
                ),
        )
    }

    fn is_blind(&self) -> bool {
        self.watcher.is_none() || self.exhausted.is_some()
    }
}

/// What an event means to us: where to look. Being read, also by ourselves, is no change.
fn heard(event: notify::Result<notify::Event>) -> Vec<Signal> {
    match event {
        Ok(event) if event.need_rescan() => vec![Signal::Rescan],
        Ok(event) => match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(RenameMode::To | RenameMode::Both)) => {
                event.paths.into_iter().map(|path| Signal::Path(path, true)).collect()
            }
            EventKind::Access(_) => Vec::new(),
            _ => event.paths.into_iter().map(|path| Signal::Path(path, false)).collect(),
        },
        Err(_) => vec![Signal::Rescan],
    }
}

/// inotify tells "too many watches" as "no space left", and "too many instances" as "too many open files".
fn is_limit(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => true,
        notify::ErrorKind::Io(error) => matches!(error.raw_os_error(), Some(28 | 24)),
        _ => false,
    }
}

/// The file system's kind when it gives no events for what others write: shares, and Windows drives in WSL.
#[cfg(target_os = "linux")]
fn silent_file_system(root: &Path) -> Option<String> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    // The longest mount point above wins; of equal ones the last.
    let (_, kind) =
        mounts.filter(|(point, _)| root.starts_with(point)).max_by_key(|(point, _)| point.len())?;
    let silent = ["9p", "drvfs", "cifs", "smb3", "nfs", "nfs4", "vboxsf", "virtiofs", "fuse.sshfs"];
    silent.contains(&kind).then(|| kind.to_owned())
}

#[cfg(not(target_os = "linux"))]
fn silent_file_system(_: &Path) -> Option<String> {
    None
}

/// Where git locks its index; in a linked worktree `.git` is a file that names the folder.
fn git_lock(root: &Path) -> PathBuf {
    let git = root.join(".git");
    let named = std::fs::read_to_string(&git).ok();
    let named = named
        .as_deref()
        .and_then(|text| text.strip_prefix("gitdir:"))
        .map(|path| root.join(path.trim()));
    named.unwrap_or(git).join("index.lock")
}

/// Folders to look at.
#[derive(Debug, Default)]
struct Burst {
    folders: BTreeSet<PathBuf>,
    paths: std::collections::HashSet<PathBuf>,
    everything: bool,
    /// Whether the last event ended the writing of a file that was there before.
    whole: bool,
}

impl Burst {
    fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// How many paths are known to be in it; very many when some were not told.
    fn len(&self) -> usize {
        if self.everything { usize::MAX } else { self.paths.len() }
    }

    /// `known` tells whether there was such a file before: only then does its end mean the end of a save. A new one may
    /// be an editor's, on its way to the name of another.
    fn add(&mut self, root: &Path, signal: Signal, known: impl Fn(&Path) -> bool) {
        match signal {
            Signal::Path(path, whole) => match path.strip_prefix(root) {
                Ok(path) if self.folders.len() <= FOLDERS => {
                    self.folders.insert(path.parent().unwrap_or(Path::new("")).to_path_buf());
                    self.paths.insert(path.to_path_buf());
                    self.whole = whole && known(path);
                }
                _ => self.everything = true,
            },
            Signal::Rescan => self.everything = true,
            Signal::Stop => {}
        }
    }
}

/// The watching thread.
struct Post {
    app: App,
    tree: Tree,
    eyes: Eyes,
    received: Receiver<Signal>,
    overflow: Arc<AtomicBool>,
    stopped: Arc<AtomicBool>,
    shared: Arc<Shared>,
    /// There while git is at work in the repository.
    git_lock: PathBuf,
    /// When everything was looked at last, and how long it took.
    last_look: (Instant, Duration),
}

impl Post {
    fn stand(mut self) {
        let mut reading = true;
        while !self.stopped.load(Ordering::Relaxed) {
            let (at, took) = self.last_look;
            let least = if self.eyes.is_blind() { POLL } else { SAFETY };
            let idle = if reading {
                Duration::from_millis(1)
            } else {
                next_look(took, least).saturating_sub(at.elapsed())
            };
            match self.received.recv_timeout(idle) {
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(signal) => self.burst(signal),
                Err(RecvTimeoutError::Timeout) if reading => {
                    reading = self.tree.read_some(READING);
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => self.look(Instant::now(), &Burst::everything()),
            }
            reading = true;
        }
    }

    /// Gathers events until it is quiet, then looks.
    fn burst(&mut self, first: Signal) {
        let detected_at = Instant::now();
        let mut last = detected_at;
        let mut burst = Burst::default();
        burst.add(&self.app.root, first, |path| self.tree.knows(path));
        while let Some(left) =
            wait(burst.len(), burst.whole, detected_at.elapsed(), last.elapsed(), self.is_locked())
        {
            match self.received.recv_timeout(left) {
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(signal) => {
                    last = Instant::now();
                    burst.add(&self.app.root, signal, |path| self.tree.knows(path));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        burst.everything |= self.overflow.swap(false, Ordering::Relaxed);
        self.look(detected_at, &burst);
    }

    /// Whether git is at work in the repository.
    fn is_locked(&self) -> bool {
        let age = self
            .git_lock
            .symlink_metadata()
            .and_then(|found| found.modified())
            .map(|made| made.elapsed());
        matches!(age, Ok(Ok(age)) if age < LONGEST_LOCK)
    }

    fn look(&mut self, detected_at: Instant, burst: &Burst) {
        let mut changed = Changed::default();
        let eyes = &mut self.eyes;
        let mut watch = |folder: &Path| eyes.watch(folder);
        if burst.everything || burst.folders.len() > FOLDERS {
            let started = Instant::now();
            self.tree.look_everywhere(&mut watch, &mut changed);
            self.last_look = (Instant::now(), started.elapsed());
        } else {
            for folder in &burst.folders {
                self.tree.look(folder, &mut watch, &mut changed);
            }
        }
        if Tree::rules_changed(&changed) {
            // Rules that cannot be read now are read at the next change of theirs.
            let new = Rules::read(&self.app)
                .ok()
                .and_then(|rules| Tree::read(&self.app.root, rules, &mut watch).ok());
            if let Some(new) = new {
                self.tree.replace(new, &mut changed);
            }
        }
        self.tree.keep_what_counts(&mut changed);
        if changed.is_empty() {
            return;
        }
        self.tree.unread();
        let texts = |paths: &BTreeSet<PathBuf>| paths.iter().map(|path| path_text(path)).collect();
        self.tell(ChangeSet {
            count: changed.paths.len(),
            paths: texts(&changed.paths),
            touched: texts(&changed.touched),
            detected_at,
            settled_at: Instant::now(),
        });
    }

    fn tell(&self, changes: ChangeSet) {
        let mut pending = lock(&self.shared.pending);
        match &mut *pending {
            Some(earlier) => earlier.join(changes),
            none => *none = Some(changes),
        }
        drop(pending);
        self.shared.told.notify_one();
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::fs;

    const DEADLINE: Duration = Duration::from_secs(20);

    struct Repository {
        folder: tempfile::TempDir,
        app: App,
    }

    impl Repository {
        fn new(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let root = dunce::canonicalize(folder.path()).unwrap();
            let app = App {
                id: "ttd/my-app".parse().unwrap(),
                context: root.clone(),
                dockerfile: root.join("Dockerfile"),
                deployment: None,
                build_args: Vec::new(),
                values: Vec::new(),
                watch_exclude: vec!["App/generated/**".to_owned()],
                watch_mode: crate::model::WatchMode::Auto,
                watch_rules: Vec::new(),
                deploy_timeout_seconds: 1,
                root,
            };
            let repository = Self { folder, app };
            repository.write("App/Program.cs", "start");
            for (path, text) in files {
                repository.write(path, text);
            }
            repository
        }

        fn path(&self, path: &str) -> PathBuf {
            self.app.root.join(path)
        }

        fn write(&self, path: &str, text: &str) {
            fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
            fs::write(self.path(path), text).unwrap();
        }

        fn watch(&self) -> Watcher {
            Watcher::start(&self.app).unwrap()
        }
    }

    /// Gathers changes until all of these were told; gives everything that was told.
    async fn told(watcher: &mut Watcher, wanted: &[&str]) -> BTreeSet<String> {
        let wanted: BTreeSet<String> = wanted.iter().map(|path| (*path).to_owned()).collect();
        let mut all = BTreeSet::new();
        let gather = async {
            while !wanted.is_subset(&all) {
                let changes = watcher.changed().await;
                assert_eq!(changes.count, changes.paths.len());
                assert!(changes.detected_at <= changes.settled_at);
                all.extend(changes.paths);
            }
        };
        let in_time = tokio::time::timeout(DEADLINE, gather).await.is_ok();
        assert!(in_time, "wanted {wanted:?}, told {all:?}");
        all
    }

    /// What is told of a deed, and of a file that is written after it to know that it was looked at.
    async fn told_of(
        repository: &Repository,
        watcher: &mut Watcher,
        deed: impl FnOnce(&Repository),
    ) -> Vec<String> {
        deed(repository);
        repository.write("App/sentinel.cs", &format!("{:?}", Instant::now()));
        let mut all = told(watcher, &["App/sentinel.cs"]).await;
        all.remove("App/sentinel.cs");
        all.into_iter().collect()
    }

    #[tokio::test]
    async fn the_ways_in_which_editors_save() {
        let repository = Repository::new(&[]);
        let mut watcher = repository.watch();
        let file = repository.path("App/Program.cs");
        fs::write(&file, "plain").unwrap();
        assert_eq!(
            Vec::from_iter(told(&mut watcher, &["App/Program.cs"]).await),
            ["App/Program.cs"]
        );
        // Atomic: a new file takes the old one's name.
        fs::write(repository.path("App/.Program.cs.swp"), "atomic").unwrap();
        fs::rename(repository.path("App/.Program.cs.swp"), &file).unwrap();
        assert_eq!(
            Vec::from_iter(told(&mut watcher, &["App/Program.cs"]).await),
            ["App/Program.cs"]
        );
        // Backup: the old file goes aside, a new one is written, the backup is removed.
        fs::rename(&file, repository.path("App/Program.cs~")).unwrap();
        fs::write(&file, "backup").unwrap();
        fs::remove_file(repository.path("App/Program.cs~")).unwrap();
        assert_eq!(
            Vec::from_iter(told(&mut watcher, &["App/Program.cs"]).await),
            ["App/Program.cs"]
        );
        fs::remove_file(&file).unwrap();
        assert_eq!(
            Vec::from_iter(told(&mut watcher, &["App/Program.cs"]).await),
            ["App/Program.cs"]
        );
    }

    #[tokio::test]
    async fn a_touch_is_no_change_and_a_put_back_file_neither() {
        let repository = Repository::new(&[]);
        let mut watcher = repository.watch();
        repository.write("App/Program.cs", "known");
        told(&mut watcher, &["App/Program.cs"]).await;
        let all = told_of(&repository, &mut watcher, |repository| {
            let file =
                fs::File::options().write(true).open(repository.path("App/Program.cs")).unwrap();
            file.set_modified(std::time::SystemTime::now() + Duration::from_secs(5)).unwrap();
        });
        assert_eq!(all.await, Vec::<String>::new(), "touch");
        let all = told_of(&repository, &mut watcher, |repository| {
            fs::remove_file(repository.path("App/Program.cs")).unwrap();
            repository.write("App/Program.cs", "known");
        });
        assert_eq!(all.await, Vec::<String>::new(), "removed and written again");
    }

    #[tokio::test]
    async fn a_file_that_was_something_else_between_two_looks_is_read_again() {
        let repository = Repository::new(&[]);
        let mut watcher = repository.watch();
        repository.write("App/Program.cs", "known");
        told(&mut watcher, &["App/Program.cs"]).await;
        repository.write("App/Program.cs", "half");
        repository.write("App/Program.cs", "known");
        let touched = async {
            let mut all = Vec::new();
            while all.is_empty() {
                let changes = watcher.changed().await;
                // Both are told where a look falls between the two.
                all.extend(changes.touched.into_iter().chain(changes.paths));
            }
            all
        };
        let touched = tokio::time::timeout(DEADLINE, touched).await.unwrap();
        assert_eq!(touched, ["App/Program.cs"]);
    }

    #[tokio::test]
    async fn new_folders_are_seen_with_what_is_in_them() {
        let repository = Repository::new(&[]);
        let mut watcher = repository.watch();
        for round in 0..20 {
            let path = format!("App/new{round}/a/b/c.cs");
            repository.write(&path, "x");
            told(&mut watcher, &[&path]).await;
            repository.write(&path, "y");
            told(&mut watcher, &[&path]).await;
        }
        fs::rename(repository.path("App/new0"), repository.path("App/moved")).unwrap();
        told(&mut watcher, &["App/new0/a/b/c.cs", "App/moved/a/b/c.cs"]).await;
        repository.write("App/moved/a/b/c.cs", "z");
        told(&mut watcher, &["App/moved/a/b/c.cs"]).await;
        fs::remove_dir_all(repository.path("App/moved")).unwrap();
        told(&mut watcher, &["App/moved/a/b/c.cs"]).await;
        repository.write("App/moved/a/b/c.cs", "again");
        told(&mut watcher, &["App/moved/a/b/c.cs"]).await;
    }

    #[tokio::test]
    async fn what_counts_is_what_a_build_or_a_deploy_reads() {
        let ignore = [(".gitignore", "*.log\nmade/\n"), (".dockerignore", "deployment\n*.md\n")];
        let repository = Repository::new(&ignore);
        let mut watcher = repository.watch();
        let all = told_of(&repository, &mut watcher, |repository| {
            for path in [
                "App/bin/a.dll",
                "App/obj/a",
                "node_modules/a/b.js",
                ".git/HEAD",
                "README.md",
                "App/a.log",
                "App/made/x.cs",
                "App/generated/x.cs",
                "App/secrets.json",
                ".env.local",
                "App/.x.cs.swp",
                "deployment/values.yaml",
                "altinn-local.yaml",
                "altinn-local.tt02.yaml",
                "Dockerfile",
                "App/config/texts/resource.nb.json",
            ] {
                repository.write(path, "x");
            }
        });
        let expected = [
            "App/config/texts/resource.nb.json",
            "Dockerfile",
            "altinn-local.tt02.yaml",
            "altinn-local.yaml",
            "deployment/values.yaml",
        ];
        assert_eq!(all.await, expected);
    }

    #[tokio::test]
    async fn new_rules_hold_at_once() {
        let repository = Repository::new(&[
            ("App/a.log", "x"),
            ("App/made/b.cs", "x"),
            (".gitignore", "*.log\n"),
        ]);
        let mut watcher = repository.watch();
        repository.write(".dockerignore", "App/made\n");
        told(&mut watcher, &[".dockerignore", "App/made/b.cs"]).await;
        repository.write(".gitignore", "");
        told(&mut watcher, &["App/a.log"]).await;
        let all = told_of(&repository, &mut watcher, |repository| {
            repository.write("App/made/b.cs", "y");
            repository.write("App/a.log", "y");
        });
        assert_eq!(all.await, ["App/a.log"]);
    }

    #[tokio::test]
    async fn what_git_does_is_one_change() {
        let repository = Repository::new(&[(".git/HEAD", "")]);
        let mut watcher = repository.watch();
        // git holds this file from its first write to its last.
        fs::write(repository.path(".git/index.lock"), "").unwrap();
        for number in 0..500 {
            repository.write(&format!("App/{}/{number}.cs", number % 20), "x");
        }
        fs::remove_file(repository.path(".git/index.lock")).unwrap();
        let changes = tokio::time::timeout(DEADLINE, watcher.changed()).await.unwrap();
        assert_eq!(changes.count, 500);
    }

    #[tokio::test]
    async fn a_storm_loses_nothing() {
        let repository = Repository::new(&[]);
        let mut watcher = repository.watch();
        let paths: Vec<String> =
            (0..3000).map(|number| format!("App/{}/{number}/x.cs", number % 50)).collect();
        for path in &paths {
            repository.write(path, "x");
        }
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        assert_eq!(told(&mut watcher, &paths).await.len(), paths.len());
    }

    #[tokio::test]
    async fn a_folder_that_goes_and_comes_back_is_watched_again() {
        let repository = Repository::new(&[]);
        let mut watcher = repository.watch();
        let aside = repository.folder.path().with_extension("aside");
        fs::rename(repository.folder.path(), &aside).unwrap();
        fs::create_dir(repository.folder.path()).unwrap();
        repository.write("App/Other.cs", "x");
        told(&mut watcher, &["App/Program.cs", "App/Other.cs"]).await;
        repository.write("App/Other.cs", "y");
        told(&mut watcher, &["App/Other.cs"]).await;
        fs::remove_dir_all(&aside).unwrap();
    }

    #[test]
    fn the_lock_of_a_linked_worktree_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(git_lock(folder.path()), folder.path().join(".git/index.lock"));
        fs::write(folder.path().join(".git"), "gitdir: /r/.git/worktrees/x\n").unwrap();
        assert_eq!(git_lock(folder.path()), Path::new("/r/.git/worktrees/x/index.lock"));
    }

    #[test]
    fn only_the_end_of_a_known_file_ends_a_save() {
        let root = Path::new("/app");
        let known = |path: &Path| path == Path::new("a.cs");
        for (dance, whole) in [
            (&[("a.cs", true)][..], true),
            (&[("a.cs", false)], false),
            (&[("a.cs.tmp", true)], false),
            (&[("a.cs.tmp", true), ("a.cs.tmp", false), ("a.cs", true)], true),
            (&[("a.cs", false), ("a.cs~", true)], false),
        ] {
            let mut burst = Burst::default();
            for (path, ends) in dance {
                burst.add(root, Signal::Path(root.join(path), *ends), known);
            }
            assert_eq!(burst.whole, whole, "{dance:?}");
        }
    }
}
