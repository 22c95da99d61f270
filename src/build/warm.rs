//! A warm compiler: a long-lived container of the build stage's image, in which the sources lie and the build server
//! runs. A change is compiled there in a fraction of what a build of the Dockerfile takes.

mod call;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use self::call::Call;
use super::{Compile, diagnostics};
use crate::model::{Code, Report, StackName};
use crate::sys::docker::{Docker, Idle};
use crate::sys::helper::Helper;
use crate::sys::inside::{self, File, Inside, Ran};

/// How long a compilation may go on after a newer save: whatever is cut off costs its whole container.
const LAST: Duration = Duration::from_secs(20);

/// How a project is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// The build stage's image.
    pub image: String,
    /// Environment of the build stage.
    pub environment: Vec<(String, String)>,
    /// The folder in which the commands run.
    pub directory: String,
    /// Commands that fetch packages.
    pub restore: Vec<Vec<String>>,
    /// The command that compiles without restoring.
    pub build: Vec<String>,
    /// The project's own folder, where the compiler runs.
    pub project: String,
}

impl Recipe {
    /// What the Dockerfile's build stage does, without its last step: what is published is not needed.
    #[must_use]
    pub fn of(compile: &Compile) -> Self {
        let published = &compile.publish;
        let project = compile.project.rsplit_once('/').map_or("/", |(folder, _)| folder);
        let restore = compile.restore.iter().map(|restore| {
            let mut words =
                vec!["sh".to_owned(), "-c".to_owned(), "cd \"$0\" && exec \"$@\"".to_owned()];
            words.push(restore.folder.clone());
            words.extend(restore.words.iter().cloned());
            words
        });
        Self {
            image: compile.image.clone(),
            environment: compile.env.clone(),
            directory: published.folder.clone(),
            restore: restore.collect(),
            build: build_words(&published.words, compile.restore.is_some()),
            project: project.to_owned(),
        }
    }
}

/// `dotnet build` for a `dotnet publish`: with the same project and properties, the compiler's call told, and nothing
/// left running but the build server.
fn build_words(publish: &[String], restored: bool) -> Vec<String> {
    let mut words = Vec::new();
    let mut publish = publish.iter();
    while let Some(word) = publish.next() {
        match word.as_str() {
            "publish" if words.len() == 1 => words.push("build".to_owned()),
            "-o" | "--output" => drop(publish.next()),
            word if word.starts_with("--output=") || word.starts_with("-o=") => {}
            word => words.push(word.to_owned()),
        }
    }
    if restored && !words.iter().any(|word| word == "--no-restore") {
        words.push("--no-restore".to_owned());
    }
    words.extend(["-nologo", "-v:d", "-nodeReuse:false"].map(str::to_owned));
    words
}

/// Where the container goes.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The engine.
    pub docker: &'a Docker,
    /// The helper that is put into the container.
    pub helper: &'a Helper,
    /// The container's name.
    pub name: &'a str,
    /// The resource it belongs to.
    pub resource: &'a str,
    /// The volume that keeps packages.
    pub packages: &'a str,
    /// The stack's network.
    pub network: &'a str,
    /// The stack.
    pub stack: &'a StackName,
}

/// What a compilation gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compiled {
    /// Files of the program that are not as they were, by their names in its folder.
    Outputs(Vec<(String, Bytes)>),
    /// A newer save came.
    Cancelled,
}

/// A project's warm compiler.
#[derive(Debug)]
pub struct Warm {
    inside: Inside,
    recipe: Recipe,
    call: Option<Call>,
    /// The folder that a build writes the program to.
    output: Option<String>,
    /// What was given last, by name.
    given: BTreeMap<String, String>,
    /// A compilation was cut off: what it left half done is not known, nor whether its build server writes on.
    cut_off: bool,
}

impl Warm {
    /// Makes the container, puts all sources in (absolute paths in the build stage), and builds once, so that the next
    /// one is warm. One that is there from before is replaced: what it holds is not known. None when it was cancelled,
    /// which is heeded between its steps: no request to the engine is cut off.
    pub async fn start(
        place: Place<'_>,
        recipe: Recipe,
        sources: &[File],
        seen: &[String],
        cancel: &CancellationToken,
    ) -> Result<Option<Self>, Report> {
        let docker = place.docker;
        docker.remove_container(place.name).await?;
        if cancel.is_cancelled() {
            return Ok(None);
        }
        docker.create_volume(place.packages, place.stack).await?;
        let idle = Idle {
            name: place.name,
            resource: place.resource,
            image: &recipe.image,
            words: &[inside::PATH, "idle"],
            volume: Some((place.packages, "/root/.nuget/packages")),
            weight: None,
        };
        let program = &place.helper.bytes;
        docker.create_idle(&idle, program, place.network, place.stack).await?;
        docker.start_container(place.name, place.name).await?;
        let inside = Inside::open(docker, place.name, inside::PATH, "session").await?;
        let given = BTreeMap::new();
        let mut warm = Self { inside, recipe, call: None, output: None, given, cut_off: false };
        warm.inside.put("/", sources).await?;
        for words in warm.recipe.restore.clone() {
            if warm.run(&words, cancel, seen).await?.is_none() {
                return Ok(None);
            }
        }
        let built = warm.build(cancel, seen).await?;
        Ok(built.then_some(warm))
    }

    /// Compiles after these sources changed. `replay` allows the compiler's last call to be made again as it was: true
    /// when only contents of files changed that the call names.
    ///
    /// A newer save does not cut it off. The build server would go on and write what nobody wants any more over what is
    /// made next; and where it ends with its client, as it should, the next compilation waits longer for a new server than
    /// for this answer.
    pub async fn compile(
        &mut self,
        changed: &[File],
        replay: bool,
        cancel: &CancellationToken,
        seen: &[String],
    ) -> Result<Compiled, Report> {
        self.inside.put("/", changed).await?;
        let call = self.call.clone().filter(|_| replay);
        let late = CancellationToken::new();
        let compiling = async {
            if let Some(call) = &call {
                let (words, project) = (call.words(), self.recipe.project.clone());
                return Ok(self.run_in(&words, &project, &late, seen).await?.is_some());
            }
            let built = self.build(&late, seen).await;
            if built.is_err() {
                // The files of the last call are not those of the project any more.
                self.call = None;
            }
            built
        };
        let hurry = async {
            cancel.cancelled().await;
            tokio::time::sleep(LAST).await;
            late.cancel();
            std::future::pending().await
        };
        let done = tokio::select! { done = compiling => done?, never = hurry => never };
        self.cut_off = !done;
        if !done || cancel.is_cancelled() {
            return Ok(Compiled::Cancelled);
        }
        self.outputs(call.as_ref()).await.map(Compiled::Outputs)
    }

    /// Whether the container must be made anew.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.cut_off || self.inside.is_broken()
    }

    /// Forgets what was given: the next compilation gives every file of the program that it makes.
    pub fn forget(&mut self) {
        self.given.clear();
    }

    /// Builds the project; tells whether it was not cancelled.
    async fn build(&mut self, cancel: &CancellationToken, seen: &[String]) -> Result<bool, Report> {
        let words = self.recipe.build.clone();
        let Some(lines) = self.run(&words, cancel, seen).await? else { return Ok(false) };
        self.call = Call::find(&lines).or(self.call.take());
        self.output = call::output_folder(&lines).or(self.output.take());
        Ok(true)
    }

    async fn outputs(&mut self, call: Option<&Call>) -> Result<Vec<(String, Bytes)>, Report> {
        let (folder, endings): (String, Vec<String>) = match call {
            Some(call) => {
                let folder = call.output_folder(&self.recipe.project);
                (folder, call.outputs())
            }
            None => (
                self.output.clone().ok_or_else(|| {
                    Report::new(Code::BuildFailed, "the build did not say what it made")
                })?,
                vec![".dll".to_owned(), ".pdb".to_owned()],
            ),
        };
        let got = self.inside.collect(&folder, &endings, &self.given).await?;
        let mut outputs = Vec::new();
        for file in got {
            // Files of a call are named alone; those of other folders do not count as gone.
            let Some((digest, bytes)) = file.contents else { continue };
            if file.path.contains('/') {
                continue;
            }
            self.given.insert(file.path.clone(), digest);
            outputs.push((file.path, bytes));
        }
        Ok(outputs)
    }

    async fn run(
        &mut self,
        words: &[String],
        cancel: &CancellationToken,
        seen: &[String],
    ) -> Result<Option<Vec<String>>, Report> {
        let directory = self.recipe.directory.clone();
        self.run_in(words, &directory, cancel, seen).await
    }

    /// Runs to the end; its lines, or none when it was cancelled.
    async fn run_in(
        &mut self,
        words: &[String],
        directory: &str,
        cancel: &CancellationToken,
        seen: &[String],
    ) -> Result<Option<Vec<String>>, Report> {
        let environment = self.recipe.environment.clone();
        let ran = self.inside.run(words, directory, &environment, cancel, |_| ()).await?;
        match ran {
            Ran::Cancelled => Ok(None),
            Ran::Ended(0, lines) => Ok(Some(lines)),
            Ran::Ended(_, lines) => Err(diagnostics::explain_lines(&lines, seen)),
        }
    }
}
