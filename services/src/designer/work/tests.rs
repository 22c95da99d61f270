//! Working copies against a bare repository on disk, which stands in for Gitea.

use std::path::{Path, PathBuf};

use super::files::{Expected, read, write};
use super::git::{Author, Copy};
use super::place::Place;

struct World {
    folder: tempfile::TempDir,
}

fn author(name: &str) -> Author {
    Author { name: name.to_owned(), email: format!("{name}@localhost"), token: String::new() }
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        git2::Repository::init_bare(folder.path().join("origin.git")).unwrap();
        Self { folder }
    }

    fn copy(&self, name: &str) -> (Copy, PathBuf) {
        let root = self.folder.path().join(name);
        let url = self.folder.path().join("origin.git").display().to_string();
        (Copy::make(&root, &url, "master", &author(name)).unwrap(), root)
    }
}

fn put(root: &Path, path: &str, text: &str) {
    let place = Place::new(path).unwrap();
    let expected = match read(root, &place) {
        Ok(found) => Expected::Etag(found.etag),
        Err(_) => Expected::Nothing,
    };
    write(root, &place, &expected, text.as_bytes()).unwrap();
}

fn json<T: serde::Serialize>(value: T) -> serde_json::Value {
    serde_json::to_value(value).unwrap()
}

fn code(fault: &crate::kit::fault::Fault) -> u16 {
    fault.status().as_u16()
}

#[test]
fn two_people_work_on_one_app() {
    let world = World::new();
    let (ann, ann_root) = world.copy("ann");
    put(&ann_root, "App/a.txt", "one\ntwo\nthree\n");
    put(&ann_root, "b.txt", "b\n");
    assert_eq!(json(ann.state().unwrap())["changes"].as_array().unwrap().len(), 2);
    ann.commit(&author("ann"), "First").unwrap();
    assert_eq!(code(&ann.commit(&author("ann"), "Nothing").unwrap_err()), 409);
    let state = json(ann.state().unwrap());
    assert_eq!((&state["published"], &state["aheadBy"]), (&false.into(), &1.into()));
    ann.push(&author("ann")).unwrap();
    let state = json(ann.state().unwrap());
    assert_eq!((&state["published"], &state["aheadBy"]), (&true.into(), &0.into()));

    let (bob, bob_root) = world.copy("bob");
    put(&bob_root, "b.txt", "bob\n");
    bob.commit(&author("bob"), "Bob's").unwrap();
    bob.push(&author("bob")).unwrap();

    // Ann has an uncommitted change elsewhere: pulling keeps it.
    put(&ann_root, "App/a.txt", "one\ntwo\nthree\nfour\n");
    ann.pull(&author("ann")).unwrap();
    assert_eq!(std::fs::read_to_string(ann_root.join("b.txt")).unwrap(), "bob\n");
    let changes = json(ann.changes().unwrap());
    assert_eq!(changes[0]["filePath"], "App/a.txt");
    assert_eq!(changes.as_array().unwrap().len(), 1);
    let diff = json(ann.diff(&Place::new("App/a.txt").unwrap()).unwrap());
    let added: Vec<_> =
        diff["lines"].as_array().unwrap().iter().filter(|line| line["kind"] == "+").collect();
    assert_eq!((added.len(), &added[0]["text"], &added[0]["new"]), (1, &"four".into(), &4.into()));
}

#[test]
fn a_conflict_is_shown_and_resolved_without_loss() {
    let world = World::new();
    let (ann, ann_root) = world.copy("ann");
    put(&ann_root, "a.txt", "start\n");
    ann.commit(&author("ann"), "First").unwrap();
    ann.push(&author("ann")).unwrap();
    let (bob, bob_root) = world.copy("bob");
    put(&bob_root, "a.txt", "bob\n");
    bob.commit(&author("bob"), "Bob's").unwrap();
    bob.push(&author("bob")).unwrap();

    put(&ann_root, "a.txt", "ann\n");
    // Not committed: nothing happens to her words.
    assert_eq!(code(&ann.pull(&author("ann")).unwrap_err()), 409);
    assert_eq!(std::fs::read_to_string(ann_root.join("a.txt")).unwrap(), "ann\n");
    ann.commit(&author("ann"), "Ann's").unwrap();
    assert_eq!(code(&ann.push(&author("ann")).unwrap_err()), 409);
    ann.pull(&author("ann")).unwrap();
    let state = json(ann.state().unwrap());
    assert_eq!(
        (&state["merging"], &state["changes"][0]["fileStatus"]),
        (&true.into(), &"conflict".into())
    );
    let text = std::fs::read_to_string(ann_root.join("a.txt")).unwrap();
    assert!(text.contains("<<<<<<< ") && text.contains("ann") && text.contains("bob"), "{text}");
    assert_eq!(code(&ann.commit(&author("ann"), "Too early").unwrap_err()), 409);

    // Given up, it is as before; taken up again, resolved.
    ann.abort().unwrap();
    assert_eq!(std::fs::read_to_string(ann_root.join("a.txt")).unwrap(), "ann\n");
    ann.pull(&author("ann")).unwrap();
    let place = Place::new("a.txt").unwrap();
    ann.resolve(&place, false).unwrap();
    assert_eq!(std::fs::read_to_string(ann_root.join("a.txt")).unwrap(), "bob\n");
    ann.resolve(&place, true).unwrap();
    put(&ann_root, "a.txt", "ann and bob\n");
    ann.commit(&author("ann"), "Both").unwrap();
    ann.push(&author("ann")).unwrap();
    bob.pull(&author("bob")).unwrap();
    assert_eq!(std::fs::read_to_string(bob_root.join("a.txt")).unwrap(), "ann and bob\n");
    assert_eq!(bob.commits(10).unwrap().len(), 4);
    assert_eq!(json(bob.state().unwrap())["merging"], false);
}

/// What cannot bear git's marks, an image or a file that one side deleted, is not decided by nobody.
#[test]
fn conflicts_without_marks_wait_for_a_choice() {
    let world = World::new();
    let (ann, ann_root) = world.copy("ann");
    std::fs::write(ann_root.join("logo.png"), [0, 1, 2]).unwrap();
    for name in ["mine.txt", "theirs.txt", "edited.txt"] {
        put(&ann_root, name, "start\n");
    }
    ann.commit(&author("ann"), "First").unwrap();
    ann.push(&author("ann")).unwrap();
    let (bob, bob_root) = world.copy("bob");
    std::fs::write(bob_root.join("logo.png"), [0, 9, 9]).unwrap();
    for name in ["mine.txt", "theirs.txt", "edited.txt"] {
        std::fs::remove_file(bob_root.join(name)).unwrap();
    }
    bob.commit(&author("bob"), "Bob's").unwrap();
    bob.push(&author("bob")).unwrap();

    std::fs::write(ann_root.join("logo.png"), [0, 5, 5]).unwrap();
    for name in ["mine.txt", "theirs.txt", "edited.txt"] {
        put(&ann_root, name, "ann\n");
    }
    ann.commit(&author("ann"), "Ann's").unwrap();
    ann.pull(&author("ann")).unwrap();
    let open = || {
        let changes = json(ann.changes().unwrap());
        let all = changes.as_array().unwrap().iter();
        let open =
            all.filter(|change| change["fileStatus"] == "conflict" && change["resolved"] == false);
        open.map(|change| change["filePath"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(open(), ["edited.txt", "logo.png", "mine.txt", "theirs.txt"]);
    assert_eq!(code(&ann.commit(&author("ann"), "Too early").unwrap_err()), 409);
    let place = |path| Place::new(path).unwrap();
    ann.resolve(&place("mine.txt"), true).unwrap();
    ann.resolve(&place("theirs.txt"), false).unwrap();
    assert_eq!(open(), ["edited.txt", "logo.png"]);
    // Choosing again is allowed until the merge ends.
    ann.resolve(&place("logo.png"), true).unwrap();
    ann.resolve(&place("logo.png"), false).unwrap();
    put(&ann_root, "edited.txt", "both\n");
    ann.chosen(&place("edited.txt")).unwrap();
    assert!(open().is_empty());
    ann.commit(&author("ann"), "Chosen").unwrap();
    ann.push(&author("ann")).unwrap();
    bob.pull(&author("bob")).unwrap();
    assert_eq!(std::fs::read(bob_root.join("logo.png")).unwrap(), [0, 9, 9]);
    assert_eq!(std::fs::read_to_string(bob_root.join("mine.txt")).unwrap(), "ann\n");
    assert_eq!(std::fs::read_to_string(bob_root.join("edited.txt")).unwrap(), "both\n");
    assert!(!bob_root.join("theirs.txt").exists());
}

#[test]
fn branches_and_taking_back() {
    let world = World::new();
    let (ann, root) = world.copy("ann");
    put(&root, "a.txt", "1\n");
    put(&root, "gone.txt", "1\n");
    ann.commit(&author("ann"), "First").unwrap();
    ann.push(&author("ann")).unwrap();
    ann.switch("feature/x", true).unwrap();
    assert_eq!(code(&ann.switch("feature/x", true).unwrap_err()), 409);
    assert_eq!(code(&ann.switch("nowhere", false).unwrap_err()), 404);
    for name in ["", "a b", "../x", "-x", "a..b"] {
        assert_eq!(code(&ann.switch(name, true).unwrap_err()), 400, "{name}");
    }
    put(&root, "a.txt", "2\n");
    ann.commit(&author("ann"), "Second").unwrap();
    assert_eq!(json(ann.state().unwrap())["published"], false);
    ann.push(&author("ann")).unwrap();
    put(&root, "a.txt", "3\n");
    assert_eq!(code(&ann.switch("master", false).unwrap_err()), 409);
    put(&root, "new.txt", "x");
    std::fs::remove_file(root.join("gone.txt")).unwrap();
    ann.discard(Some("new.txt")).unwrap();
    assert_eq!(json(ann.changes().unwrap()).as_array().unwrap().len(), 2);
    ann.discard(None).unwrap();
    assert!(json(ann.changes().unwrap()).as_array().unwrap().is_empty());
    ann.switch("master", false).unwrap();
    assert_eq!(std::fs::read_to_string(root.join("a.txt")).unwrap(), "1\n");
    let (bob, root) = world.copy("bob");
    assert_eq!(json(bob.branches().unwrap())["names"], serde_json::json!(["feature/x", "master"]));
    bob.switch("feature/x", false).unwrap();
    assert_eq!(std::fs::read_to_string(root.join("a.txt")).unwrap(), "2\n");
}

#[cfg(unix)]
#[test]
fn links_in_a_repository_are_text() {
    let world = World::new();
    let (ann, root) = world.copy("ann");
    ann.repository.config().unwrap().set_bool("core.symlinks", true).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", root.join("link")).unwrap();
    ann.commit(&author("ann"), "A link").unwrap();
    ann.push(&author("ann")).unwrap();
    let (_, root) = world.copy("bob");
    let found = read(&root, &Place::new("link").unwrap()).unwrap();
    assert_eq!(found.text.as_deref(), Some("/etc/passwd"));
    assert!(!root.join("link").is_symlink());
}
