//! A new git repository with its first commit. Used for apps that we make ourselves; repositories of users are only
//! ever read.

use std::path::Path;

use crate::model::{Code, Report};

/// One file of a new project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Relative to the project's folder, with forward slashes.
    pub path: String,
    /// What it holds.
    pub contents: Vec<u8>,
    /// Whether it is a program.
    pub executable: bool,
}

/// Writes the files into a folder that is not there or empty, and commits them.
pub fn create(folder: &Path, files: &[NewFile]) -> Result<(), Report> {
    write_new(folder, files, "altinn-local app new ORG/APP OTHER-FOLDER")?;
    commit(folder).map_err(|error| {
        Report::new(Code::RepositoryUnreadable, "the new app could not be put under git")
            .at(folder.display().to_string())
            .why(error.message())
    })
}

/// Writes the files into a folder that is not there or empty; `other` is the command that names another folder.
pub fn write_new(folder: &Path, files: &[NewFile], other: &str) -> Result<(), Report> {
    refuse_full(folder, other)?;
    for file in files {
        write(&folder.join(&file.path), file).map_err(|error| {
            Report::new(Code::FileFailed, format!("cannot write `{}`", file.path))
                .at(folder.display().to_string())
                .why(error.to_string())
        })?;
    }
    Ok(())
}

/// Refuses a folder that is there and not empty; `other` is the command that names another one.
pub fn refuse_full(folder: &Path, other: &str) -> Result<(), Report> {
    let free = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if free {
        return Ok(());
    }
    let title = "the folder to write to is there already";
    Err(Report::new(Code::TargetExists, title)
        .at(folder.display().to_string())
        .why("nothing is ever written over what is there")
        .fix(other, "name a folder that is not there"))
}

fn write(path: &Path, file: &NewFile) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // `create_new` also refuses a link that somebody put there in the meantime.
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if file.executable {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o755);
    }
    std::io::Write::write_all(&mut options.open(path)?, &file.contents)
}

fn commit(folder: &Path) -> Result<(), git2::Error> {
    let mut options = git2::RepositoryInitOptions::new();
    // The branch that Studio and the local Gitea use.
    options.initial_head("master").no_reinit(true);
    let repository = git2::Repository::init_opts(folder, &options)?;
    let mut index = repository.index()?;
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let author = git2::Signature::now("altinn-local", "altinn-local@localhost")?;
    repository.commit(
        Some("HEAD"),
        &author,
        &author,
        "app: start from the template",
        &tree,
        &[],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<NewFile> {
        [("a.txt", false), ("b/run", true), (".gitignore", false)]
            .map(|(path, executable)| NewFile {
                path: path.to_owned(),
                contents: b"x\n".to_vec(),
                executable,
            })
            .to_vec()
    }

    #[test]
    fn everything_is_committed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("new");
        create(&target, &files()).unwrap();
        let repository = git2::Repository::open(&target).unwrap();
        assert!(repository.statuses(None).unwrap().is_empty());
        let head = repository.head().unwrap();
        assert_eq!(head.name().ok(), Some("refs/heads/master"));
        let tree = head.peel_to_tree().unwrap();
        assert_eq!(tree.len(), 3);
        #[cfg(unix)]
        assert_eq!(tree.get_path(Path::new("b/run")).unwrap().filemode(), 0o100_755);
    }

    #[test]
    fn what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path(), &files()).unwrap();
        let report = create(folder.path(), &files()).unwrap_err();
        assert_eq!(report.code, Code::TargetExists);
    }
}
