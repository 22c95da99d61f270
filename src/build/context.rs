//! What a build sees of an app: the files under its build context, less what `.dockerignore` leaves out and less
//! what is a secret by name. The tag of the image is made from exactly this.
//!
//! `bin/` and `obj/` are in the context unless `.dockerignore` names them, as with Docker itself. Folders without
//! files are left out, as git leaves them out.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::Stream;
use sha2::{Digest as _, Sha256};

use crate::model::{App, Code, Report, hex};
use crate::plan::Change;
use crate::sys::dockerignore::{Dockerignore, Verdict, is_passing, is_secret};
use crate::sys::walk::{self, Digest, Hashes, Kind, Stamp};

/// How much of the tar stream is made at once.
const PART: usize = 256 * 1024;

/// A file or link of the context.
#[derive(Debug, Clone)]
struct Entry {
    path: PathBuf,
    stamp: Stamp,
    digest: Digest,
}

/// The context at one moment: names and digests, no contents. Clones share them, as there may be very many.
#[derive(Debug, Clone)]
pub struct Context {
    root: PathBuf,
    /// The context's place below the app's root: empty, or `App`.
    below: PathBuf,
    entries: Arc<Vec<Entry>>,
    /// What was left out as a secret by its name, relative to the context.
    pub withheld: Vec<String>,
    /// The Dockerfile's path in the context, with forward slashes.
    pub dockerfile: String,
    /// What the Dockerfile says.
    pub recipe: String,
}

impl Context {
    /// Walks the context of an app. Files that did not change since the last walk with these hashes are not read.
    /// Blocks: call it where blocking is allowed.
    pub fn read(app: &App, hashes: &mut Hashes) -> Result<Self, Report> {
        let dockerfile =
            app.dockerfile.strip_prefix(&app.context).unwrap_or(Path::new("Dockerfile"));
        let recipe =
            std::fs::read(&app.dockerfile).map_err(|error| unreadable(dockerfile, &error))?;
        let mut walk = Walk {
            root: &app.context,
            ignore: read_ignore(&app.context, dockerfile),
            always: always(dockerfile),
            hashes,
            entries: Vec::new(),
            withheld: Vec::new(),
        };
        walk.folder(Path::new(""), &walk.ignore.root())?;
        let (mut entries, withheld) = (walk.entries, walk.withheld);
        entries.sort_unstable_by(|a, b| walk::path_bytes(&a.path).cmp(&walk::path_bytes(&b.path)));
        hashes.retain(
            &entries.iter().map(|entry| app.context.join(&entry.path)).collect::<HashSet<_>>(),
        );
        Ok(Self {
            root: app.context.clone(),
            below: app.context.strip_prefix(&app.root).unwrap_or(Path::new("")).to_path_buf(),
            entries: Arc::new(entries),
            withheld,
            dockerfile: walk::path_text(dockerfile),
            recipe: String::from_utf8_lossy(&recipe).into_owned(),
        })
    }

    /// As it is after the contents of these files changed, paths relative to the app's root. None when a file is new or
    /// gone, or decides what is in the context: then only a walk tells. Blocks.
    #[must_use]
    pub fn renewed(&self, changed: &[String], hashes: &mut Hashes) -> Option<Self> {
        let mut entries = Vec::clone(&self.entries);
        let decisive = always(Path::new(&self.dockerfile));
        for path in changed {
            let Ok(path) = Path::new(path).strip_prefix(&self.below) else { continue };
            if decisive.iter().any(|one| one == path) {
                return None;
            }
            let place = self.place(path).ok()?;
            let full = self.root.join(path);
            let stamp = Stamp::of(&full.symlink_metadata().ok()?);
            if stamp.kind != self.entries[place].stamp.kind || stamp.kind == Kind::Link {
                return None;
            }
            let digest = hashes.digest(&full, &stamp).ok()?;
            entries[place] = Entry { path: path.to_path_buf(), stamp, digest };
        }
        Some(Self { entries: Arc::new(entries), ..self.clone() })
    }

    /// The tag that names this content: `c-` and 12 hexadecimal digits over paths, execute bits, contents, link
    /// targets, the build arguments and the ids of base images. Times and folders do not count.
    #[must_use]
    pub fn tag(&self, args: &[(String, String)], base_ids: &[String]) -> String {
        let mut hash = Sha256::new();
        // Every text ends with a byte that no path and no argument can hold.
        let mut text = |bytes: &[u8]| {
            hash.update(bytes);
            hash.update([0]);
        };
        text(self.dockerfile.as_bytes());
        for entry in self.entries.iter() {
            text(&walk::path_bytes(&entry.path));
            text(match entry.stamp.kind {
                Kind::File { executable: true } => b"x",
                Kind::Link => b"l",
                _ => b"f",
            });
            text(hex(&entry.digest, entry.digest.len()).as_bytes());
        }
        let mut args: Vec<_> = args.iter().collect();
        args.sort();
        for (name, value) in args {
            text(b"arg");
            text(name.as_bytes());
            text(value.as_bytes());
        }
        for id in base_ids {
            text(b"base");
            text(id.as_bytes());
        }
        format!("c-{}", hex(&hash.finalize(), 6))
    }

    /// What is different from how it was: paths relative to the context. Contents and execute bits count, times do not.
    #[must_use]
    pub fn changes_since(&self, before: &Self) -> Vec<Change> {
        let told = |context: &Self| -> BTreeMap<String, (Kind, Digest)> {
            let entry =
                |entry: &Entry| (walk::path_text(&entry.path), (entry.stamp.kind, entry.digest));
            context.entries.iter().map(entry).collect()
        };
        let (mut old, mut changes) = (told(before), Vec::new());
        for (path, now) in told(self) {
            match old.remove(&path) {
                Some(then) if then == now => {}
                then => changes.push(Change { path, gone: false, new: then.is_none() }),
            }
        }
        changes.extend(old.into_keys().map(|path| Change { path, gone: true, new: false }));
        changes
    }

    /// How many files are sent.
    #[must_use]
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// How many bytes are sent, without the tar format's own.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.stamp.size).sum()
    }

    /// The Dockerfile's path relative to the app's root, for messages.
    #[must_use]
    pub fn dockerfile_path(&self) -> String {
        walk::path_text(&self.below.join(&self.dockerfile))
    }

    /// Paths of all files relative to the app's root, with forward slashes.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let path = |entry: &Entry| walk::path_text(&self.below.join(&entry.path));
        self.entries.iter().map(path).collect()
    }

    /// Paths of all files relative to the context, with forward slashes.
    pub(super) fn files(&self) -> Vec<String> {
        self.entries.iter().map(|entry| walk::path_text(&entry.path)).collect()
    }

    /// Links among them, and what these point at inside the context.
    pub(super) fn linked(&self) -> HashSet<String> {
        let mut linked = HashSet::new();
        for entry in self.entries.iter().filter(|entry| entry.stamp.kind == Kind::Link) {
            linked.insert(walk::path_text(&entry.path));
            let full = self.root.join(&entry.path);
            let target = dunce::canonicalize(full).ok();
            let inside = target.as_deref().and_then(|to| to.strip_prefix(&self.root).ok());
            let Some(inside) = inside else { continue };
            // A link to a folder leads to all that is in it.
            let below = self.entries.iter().filter(|other| other.path.starts_with(inside));
            linked.extend(below.map(|other| walk::path_text(&other.path)));
        }
        linked
    }

    /// A file's text as it is now.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let bytes = std::fs::read(self.root.join(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What is left out.
    pub(super) fn ignore(&self) -> Dockerignore {
        read_ignore(&self.root, Path::new(&self.dockerfile))
    }

    /// Checks that a file, path relative to the app's root, holds what it held when the context was read. Of what is not in
    /// the context nothing is said, nor of what a link leads to.
    pub fn confirm(&self, path: &str, contents: Option<&[u8]>) -> Result<(), Report> {
        let inner = Path::new(path).strip_prefix(&self.below).unwrap_or(Path::new(path));
        let Ok(place) = self.place(inner) else { return Ok(()) };
        let entry = &self.entries[place];
        let same = |contents| *Sha256::digest(contents) == entry.digest;
        if entry.stamp.kind == Kind::Link || contents.is_some_and(same) {
            return Ok(());
        }
        Err(app_changed(path))
    }

    /// Where a path is among the entries, or belongs; relative to the context.
    fn place(&self, path: &Path) -> Result<usize, usize> {
        let bytes = walk::path_bytes(path);
        self.entries.binary_search_by(|entry| walk::path_bytes(&entry.path).cmp(&bytes))
    }

    /// The context as a plain tar stream. A file that does not hold what the tag was made of breaks it off, and is
    /// named by the second value.
    pub fn tar(
        &self,
    ) -> (impl Stream<Item = io::Result<Bytes>> + Send + 'static, Arc<OnceLock<String>>) {
        let changed = Arc::new(OnceLock::new());
        let packer = Packer {
            root: self.root.clone(),
            entries: Vec::clone(&self.entries).into_iter(),
            folders: HashSet::new(),
            tar: tar::Builder::new(Vec::new()),
            changed: Arc::clone(&changed),
        };
        let stream = futures_util::stream::unfold(Some(packer), |packer| async {
            let packer = packer?;
            // Reading files blocks; the stream is polled on a thread that must not.
            let (packer, part) = tokio::task::spawn_blocking(move || packer.part()).await.ok()?;
            Some((part, packer))
        });
        (stream, changed)
    }
}

/// The ignore file that Docker would take: the Dockerfile's own one wins over `.dockerignore`.
fn read_ignore(context: &Path, dockerfile: &Path) -> Dockerignore {
    let mut own = always(dockerfile).into_iter().skip(1);
    let contents = own.find_map(|path| std::fs::read(context.join(path)).ok());
    Dockerignore::parse(&contents.unwrap_or_default())
}

/// What the builder needs whatever the ignore file says: the Dockerfile, then ignore files, the stronger one first.
fn always(dockerfile: &Path) -> Vec<PathBuf> {
    let mut own = dockerfile.as_os_str().to_owned();
    own.push(".dockerignore");
    vec![dockerfile.to_path_buf(), own.into(), PathBuf::from(".dockerignore")]
}

/// The report on a file that is not as the context saw it: another save came in between, and the next look has it.
pub(super) fn app_changed(path: &str) -> Report {
    Report::new(Code::AppChanged, "the app changed while the build read it")
        .at(path)
        .fix("altinn-local up", "builds what is there now")
        .fix(format!("echo {path} >> .dockerignore"), "when it is no part of the app")
}

fn unreadable(path: &Path, error: &io::Error) -> Report {
    let title = format!("cannot read `{}` for the build", walk::path_text(path));
    Report::new(Code::BuildFailed, title).why(error.to_string())
}

struct Walk<'a> {
    root: &'a Path,
    ignore: Dockerignore,
    always: Vec<PathBuf>,
    hashes: &'a mut Hashes,
    entries: Vec<Entry>,
    withheld: Vec<String>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, verdict: &Verdict) -> Result<(), Report> {
        let listed = match walk::list(&self.root.join(folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && folder != Path::new("") => {
                return Ok(());
            }
            listed => listed.map_err(|error| unreadable(folder, &error))?,
        };
        for (name, stamp) in listed {
            if is_passing(name.as_encoded_bytes()) {
                continue;
            }
            let path = folder.join(&name);
            let bytes = walk::path_bytes(&path);
            let verdict = self.ignore.child(verdict, &bytes);
            let wanted = !verdict.excluded || self.always.contains(&path);
            if is_secret(name.as_encoded_bytes()) {
                if wanted {
                    self.withheld.push(walk::path_text(&path));
                }
                continue;
            }
            match stamp.kind {
                Kind::Folder if wanted || self.ignore.may_reach_below(&bytes) => {
                    self.folder(&path, &verdict)?;
                }
                Kind::File { .. } | Kind::Link if wanted => self.file(path, stamp)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, path: PathBuf, stamp: Stamp) -> Result<(), Report> {
        match self.hashes.digest(&self.root.join(&path), &stamp) {
            Ok(digest) => self.entries.push(Entry { path, stamp, digest }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(&path, &error)),
        }
        Ok(())
    }
}

/// Makes the tar stream part by part.
struct Packer {
    root: PathBuf,
    entries: std::vec::IntoIter<Entry>,
    folders: HashSet<PathBuf>,
    tar: tar::Builder<Vec<u8>>,
    changed: Arc<OnceLock<String>>,
}

impl Packer {
    /// The next part, and itself while there is more.
    fn part(mut self) -> (Option<Self>, io::Result<Bytes>) {
        while self.tar.get_ref().len() < PART {
            let Some(entry) = self.entries.next() else {
                return (None, self.tar.into_inner().map(Bytes::from));
            };
            if let Err(error) = self.add(&entry) {
                let path = walk::path_text(&entry.path);
                // Only the first one counts, and there is only one: the stream ends here.
                let _ = self.changed.set(path.clone());
                return (None, Err(io::Error::new(error.kind(), format!("`{path}`: {error}"))));
            }
        }
        let part = std::mem::take(self.tar.get_mut());
        (Some(self), Ok(part.into()))
    }

    fn add(&mut self, entry: &Entry) -> io::Result<()> {
        let full = self.root.join(&entry.path);
        self.add_folders(&entry.path)?;
        let mut header = header(&entry.stamp);
        if entry.stamp.kind == Kind::Link {
            let target = std::fs::read_link(&full)?;
            same(&Sha256::digest(target.as_os_str().as_encoded_bytes()), entry)?;
            return self.tar.append_link(&mut header, &entry.path, &target);
        }
        let mut contents = Vec::new();
        io::Read::read_to_end(&mut walk::open(&full, &entry.stamp)?, &mut contents)?;
        same(&Sha256::digest(&contents), entry)?;
        header.set_size(contents.len() as u64);
        self.tar.append_data(&mut header, &entry.path, contents.as_slice())
    }

    fn add_folders(&mut self, path: &Path) -> io::Result<()> {
        let above: Vec<&Path> =
            path.ancestors().skip(1).filter(|above| *above != Path::new("")).collect();
        for folder in above.into_iter().rev() {
            if self.folders.insert(folder.to_path_buf()) {
                let mut header = tar::Header::new_gnu();
                header.set_entry_type(tar::EntryType::Directory);
                header.set_mode(0o755);
                header.set_size(0);
                self.tar.append_data(&mut header, folder, io::empty())?;
            }
        }
        Ok(())
    }
}

fn same(found: &[u8], entry: &Entry) -> io::Result<()> {
    if found == entry.digest {
        return Ok(());
    }
    Err(io::Error::other("changed while the build read it"))
}

/// Owner root, modes as git knows them. The time is the file's own: builders leave it out of their cache keys, but
/// web servers make `ETag` and `Last-Modified` of it, and a browser must see that a file changed.
fn header(stamp: &Stamp) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    // On Windows nothing tells, so everything may be executed, as with Docker's own client.
    let executable = stamp.kind == Kind::File { executable: true } || cfg!(windows);
    header.set_mode(if executable { 0o755 } else { 0o644 });
    header.set_mtime(u64::try_from(stamp.modified / 1_000_000_000).unwrap_or(0));
    if stamp.kind == Kind::Link {
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_mode(0o777);
        header.set_size(0);
    }
    header
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use futures_util::StreamExt as _;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn app(root: &Path) -> App {
        App {
            id: "ttd/my-app".parse().unwrap(),
            root: root.to_path_buf(),
            context: root.to_path_buf(),
            dockerfile: root.join("Dockerfile"),
            deployment: None,
            build_args: Vec::new(),
            values: Vec::new(),
            watch_exclude: Vec::new(),
            watch_mode: crate::model::WatchMode::Auto,
            watch_rules: Vec::new(),
            deploy_timeout_seconds: 1,
        }
    }

    fn make(files: &BTreeMap<String, Vec<u8>>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, contents) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, contents).unwrap();
        }
        folder
    }

    fn files(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        let mut files: BTreeMap<_, _> = pairs
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        files.entry("Dockerfile".to_owned()).or_insert_with(|| b"FROM x\n".to_vec());
        files
    }

    fn read(folder: &tempfile::TempDir) -> Context {
        Context::read(&app(folder.path()), &mut Hashes::default()).unwrap()
    }

    async fn unpacked(context: &Context) -> io::Result<Vec<(String, u32, Vec<u8>)>> {
        let (stream, _) = context.tar();
        let parts: Vec<io::Result<Bytes>> = stream.collect().await;
        let mut bytes = Vec::new();
        for part in parts {
            bytes.extend_from_slice(&part?);
        }
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut found = Vec::new();
        for entry in archive.entries()? {
            let mut entry = entry?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let mode = entry.header().mode()?;
            let mut contents = Vec::new();
            io::Read::read_to_end(&mut entry, &mut contents)?;
            found.push((path, mode, contents));
        }
        Ok(found)
    }

    #[test]
    fn what_is_sent_follows_the_rules() {
        let folder = make(&files(&[
            ("App/Program.cs", "x"),
            ("App/bin/a.dll", "x"),
            ("App/obj/x", "x"),
            ("App/Program.cs~", "x"),
            ("App/secrets.json", "{}"),
            (".git/HEAD", "x"),
            (".env.local", "x"),
            ("README.md", "x"),
            (".dockerignore", "*\n!App\n!.env.local\n**/bin\n"),
        ]));
        let context = read(&folder);
        assert_eq!(context.paths(), [".dockerignore", "App/Program.cs", "App/obj/x", "Dockerfile"]);
        assert_eq!(context.withheld, [".env.local", "App/secrets.json"]);
        std::fs::write(folder.path().join("Dockerfile.dockerignore"), "App/obj").unwrap();
        let paths = read(&folder).paths();
        assert!(
            paths.contains(&"README.md".to_owned()) && !paths.contains(&"App/obj/x".to_owned())
        );
    }

    #[test]
    fn a_context_below_the_root_tells_paths_from_the_root() {
        let folder = make(&files(&[("App/Program.cs", "x"), ("App/Dockerfile", "FROM x\n")]));
        let below = folder.path().join("App");
        let app =
            App { dockerfile: below.join("Dockerfile"), context: below, ..app(folder.path()) };
        let context = Context::read(&app, &mut Hashes::default()).unwrap();
        assert_eq!(context.paths(), ["App/Dockerfile", "App/Program.cs"]);
        assert_eq!(context.dockerfile, "Dockerfile");
    }

    #[tokio::test]
    async fn the_tar_holds_files_links_and_modes() {
        use std::os::unix::ffi::OsStrExt as _;
        use std::os::unix::fs::PermissionsExt as _;
        let long = format!("{}/x", "long".repeat(40));
        let folder = make(&files(&[("run.sh", "#!"), ("a/b", "text"), (&long, "y")]));
        let path = folder.path().join("run.sh");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
        let odd = std::ffi::OsStr::from_bytes(b"odd\xff");
        std::fs::write(folder.path().join(odd), "z").unwrap();
        let found = unpacked(&read(&folder)).await.unwrap();
        let expected = [
            ("Dockerfile", 0o644, "FROM x\n"),
            ("a", 0o755, ""),
            ("a/b", 0o644, "text"),
            ("link", 0o777, ""),
            (&long[..160], 0o755, ""),
            (&long, 0o644, "y"),
            ("odd\u{fffd}", 0o644, "z"),
            ("run.sh", 0o755, "#!"),
        ];
        let found: Vec<_> = found
            .iter()
            .map(|(path, mode, contents)| {
                (path.as_str(), *mode, String::from_utf8_lossy(contents).into_owned())
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(path, mode, contents)| (*path, *mode, (*contents).to_owned()))
            .collect();
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn a_file_that_changed_after_the_walk_breaks_the_stream() {
        let folder = make(&files(&[("a", "one")]));
        let context = read(&folder);
        std::fs::write(folder.path().join("a"), "two").unwrap();
        let (stream, changed) = context.tar();
        let parts: Vec<_> = stream.collect().await;
        assert!(parts.last().unwrap().is_err());
        assert_eq!(changed.get().map(String::as_str), Some("a"));
    }

    #[test]
    fn a_file_is_confirmed_only_while_it_is_as_it_was() {
        let folder = make(&files(&[("App/a", "one"), ("App/Dockerfile", "FROM x\n")]));
        let below = folder.path().join("App");
        std::os::unix::fs::symlink("a", below.join("link")).unwrap();
        let app =
            App { dockerfile: below.join("Dockerfile"), context: below, ..app(folder.path()) };
        let context = Context::read(&app, &mut Hashes::default()).unwrap();
        let code = |path: &str, contents: Option<&[u8]>| {
            context.confirm(path, contents).map_err(|report| report.code)
        };
        assert_eq!(code("App/a", Some(b"one")), Ok(()));
        assert_eq!(code("App/a", Some(b"")), Err(Code::AppChanged), "half written");
        assert_eq!(code("App/a", None), Err(Code::AppChanged), "gone");
        assert_eq!(code("App/link", Some(b"one")), Ok(()));
        assert_eq!(code("App/never", None), Ok(()));
    }

    #[test]
    fn everything_that_counts_changes_the_tag() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = make(&files(&[("a", "one"), ("b", "two")]));
        let first = read(&folder);
        let tag = first.tag(&[], &[]);
        assert!(tag.starts_with("c-") && tag.len() == 14, "{tag}");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_ne!(first.tag(&[pair("A", "1")], &[]), tag);
        assert_ne!(first.tag(&[], &["sha256:1".to_owned()]), tag);
        let two = [pair("A", "1"), pair("B", "2")];
        assert_eq!(first.tag(&two, &[]), first.tag(&[two[1].clone(), two[0].clone()], &[]));
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path().join("a"), executable).unwrap();
        assert_ne!(read(&folder).tag(&[], &[]), tag, "execute bit");
        std::fs::rename(folder.path().join("b"), folder.path().join("c")).unwrap();
        assert_ne!(read(&folder).tag(&[], &[]), tag, "name");
    }

    fn trees() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
        let path = (proptest::option::of("[x-z]/"), "[a-c]{1,2}\\.(cs|json)")
            .prop_map(|(folder, name)| folder.unwrap_or_default() + &name);
        proptest::collection::btree_map(path, proptest::collection::vec(any::<u8>(), 0..40), 0..8)
            .prop_map(|mut files| {
                files.insert("Dockerfile".to_owned(), b"FROM x\n".to_vec());
                files
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn equal_trees_and_only_equal_trees_have_equal_tags(one in trees(), two in trees()) {
            let (first, again, other) = (make(&one), make(&one), make(&two));
            let tag = |folder| read(folder).tag(&[], &[]);
            prop_assert_eq!(tag(&first), tag(&again));
            prop_assert_eq!(tag(&first) == tag(&other), one == two);
        }
    }
}
