//! An app's own tests: found by their projects, run in a container of the build stage's image beside the stack, so that
//! they reach the platform under its usual names.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::Place;
use crate::events::StepScope;
use crate::model::{Code, Report};
use crate::sys::docker::Idle;
use crate::sys::inside::{self, File, Inside, Ran};

/// Where tests lie by the habit of apps, relative to the repository.
const FOLDERS: [&str; 2] = ["test", "tests"];
/// Where the sources are in the container.
const SOURCES: &str = "/src";
/// Sources beyond this are no app's, in bytes.
const MOST: usize = 256 << 20;
/// Nobody waits for tests; a build or a deployment beside them goes first.
const WEIGHT: i64 = 128;
/// Lines of a failed test that are shown.
const LINES: usize = 40;

/// One project with tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// The project file, relative to the repository, with slashes.
    pub project: String,
    /// Whether the SDK's test runner runs it; else it is a program that ends with 0 when all is well.
    pub runner: bool,
}

impl Suite {
    /// The command that runs it.
    #[must_use]
    pub fn command(&self) -> Vec<String> {
        let words: &[&str] =
            if self.runner { &["dotnet", "test"] } else { &["dotnet", "run", "--project"] };
        words.iter().copied().chain([self.project.as_str()]).map(str::to_owned).collect()
    }
}

/// The tests of an app, in order of their names.
pub fn suites(root: &Path) -> Result<Vec<Suite>, Report> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        for path in files(&root.join(folder))? {
            if path.extension().is_none_or(|ending| ending != "csproj") {
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            let project = relative(root, &path);
            found.push(Suite { project, runner: text.contains("Microsoft.NET.Test.Sdk") });
        }
    }
    found.sort_by(|one, other| one.project.cmp(&other.project));
    Ok(found)
}

/// Everything in the repository but git's own, as the container gets it.
pub fn sources(root: &Path) -> Result<Vec<File>, Report> {
    let mut total = 0;
    let mut sources = Vec::new();
    for path in files(root)? {
        let contents = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        total += contents.len();
        if total > MOST {
            return Err(Report::new(Code::TestsFailed, "the repository is too large to be tested")
                .why(format!("it holds more than {} MiB", MOST >> 20)));
        }
        let path = format!("{SOURCES}/{}", relative(root, &path));
        sources.push(File { path, contents: Some(Bytes::from(contents)) });
    }
    Ok(sources)
}

/// Runs the tests in a container that is made for them and removed after them. Tells each line; the first project that
/// fails ends it.
pub async fn test(
    place: Place<'_>,
    image: &str,
    sources: &[File],
    suites: &[Suite],
    environment: &[(String, String)],
    cancel: &CancellationToken,
    scope: &StepScope,
) -> Result<(), Report> {
    let docker = place.docker;
    docker.remove_container(place.name).await?;
    docker.create_volume(place.packages, place.stack).await?;
    let idle = Idle {
        name: place.name,
        resource: place.resource,
        image,
        words: &[inside::PATH, "idle"],
        volume: Some((place.packages, "/root/.nuget/packages")),
        weight: Some(WEIGHT),
    };
    docker.create_idle(&idle, &place.helper.bytes, place.network, place.stack).await?;
    let tested = async {
        docker.start_container(place.name, place.name).await?;
        let mut inside = Inside::open(docker, place.name, inside::PATH, "session").await?;
        inside.put("/", sources).await?;
        for suite in suites {
            let words = suite.command();
            scope.detail(words.join(" "));
            match inside.run(&words, SOURCES, environment, cancel, |line| scope.log(line)).await? {
                Ran::Cancelled => {
                    return Err(Report::new(Code::Cancelled, "the tests were cancelled"));
                }
                Ran::Ended(0, _) => {}
                Ran::Ended(code, lines) => {
                    let last = lines.len().saturating_sub(LINES);
                    return Err(Report::new(
                        Code::TestsFailed,
                        format!("`{}` failed", suite.project),
                    )
                    .why(format!("it ended with {code}"))
                    .with_tail(lines[last..].to_vec()));
                }
            }
        }
        Ok(())
    }
    .await;
    let removed = docker.remove_container(place.name).await;
    tested.and(removed)
}

fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    let parts = path.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// All files below a folder; none when it is not there. Links are not followed.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Report> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, &error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(folder, &error))?;
        let kind = entry.file_type().map_err(|error| unreadable(&entry.path(), &error))?;
        if kind.is_dir() && entry.file_name() != ".git" {
            found.extend(files(&entry.path())?);
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Report {
    Report::new(Code::FileFailed, "a file of the app cannot be read")
        .at(path.display().to_string())
        .why(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_below_test_are_found_and_run_as_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("App/App.csproj", "<Project/>"),
            ("test/Test.csproj", "<Project/>"),
            ("test/unit/Unit.csproj", "<PackageReference Include=\"Microsoft.NET.Test.Sdk\"/>"),
            (".git/config", ""),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let commands: Vec<String> =
            suites(folder.path()).unwrap().iter().map(|suite| suite.command().join(" ")).collect();
        assert_eq!(
            commands,
            ["dotnet run --project test/Test.csproj", "dotnet test test/unit/Unit.csproj"]
        );
        let sources: Vec<String> =
            sources(folder.path()).unwrap().into_iter().map(|file| file.path).collect();
        assert_eq!(
            sources,
            ["/src/App/App.csproj", "/src/test/Test.csproj", "/src/test/unit/Unit.csproj"]
        );
    }
}
