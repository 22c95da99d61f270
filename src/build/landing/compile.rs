//! Finds the project that a Dockerfile publishes, and whether a long-lived container can do the same.

use super::project::Project;
use super::shell::{Call, Verb};
use super::stages::{Act, Base};
use super::{Landing, Published, paths};

/// What `dotnet` can build.
const BUILDABLE: &[&str] = &["proj", ".sln", ".slnx"];

/// What a warm builder needs to do in a long-lived container what the Dockerfile's build stage does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compile {
    /// The image that the build stage begins with, arguments put in.
    pub image: String,
    /// What is copied from the context, in order: a path or pattern relative to it (empty for all of it), and where
    /// to, absolute. [`Landing::staged`] tells it file by file.
    pub copies: Vec<(String, String)>,
    /// Arguments and environment that the commands see, by name.
    pub env: Vec<(String, String)>,
    /// The project file: in the build stage, absolute.
    pub project: String,
    /// `dotnet restore`, when it is called by itself.
    pub restore: Option<Words>,
    /// `dotnet publish`, as the Dockerfile calls it but for `--no-build`.
    pub publish: Words,
    /// `Release` or what else is asked for; empty when nothing is.
    pub configuration: String,
    /// Where `publish` puts the result: in the build stage, absolute.
    pub output: String,
    /// Where the image has that folder, absolute.
    pub target: String,
    /// The assembly's name, without `.dll`.
    pub assembly: String,
    /// Whether what the compiler writes is what is published, so that its last call may be made again.
    pub replay: bool,
}

/// A command with its working folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// Absolute.
    pub folder: String,
    /// The program first.
    pub words: Vec<String>,
}

impl Landing {
    /// The one call of `dotnet publish`, and its stage.
    pub(super) fn publish_call(&self) -> Result<(usize, Call), String> {
        let mut found = Vec::new();
        for (place, room) in
            self.rooms.iter().enumerate().filter(|(place, _)| self.wanted.contains(place))
        {
            for act in &room.acts {
                match act {
                    Act::Dotnet(call) if call.verb == Verb::Publish => {
                        found.push((place, call.clone()));
                    }
                    _ => {}
                }
            }
        }
        let several = found.len() > 1;
        let one = found.pop().ok_or("the Dockerfile publishes no project")?;
        if several { Err("the Dockerfile publishes more than once".to_owned()) } else { Ok(one) }
    }

    /// The files of a stage whose names pass, with their paths in it.
    fn in_stage(&self, stage: usize, wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let files = self.files.iter().filter(|path| wanted(path) && !self.is_left_out(path));
        let staged = files.flat_map(|path| {
            let at = self.copied(path).get(stage).cloned().unwrap_or_default();
            at.into_iter().map(|at| (path.clone(), at))
        });
        staged.collect()
    }

    pub(super) fn published(
        &self,
        (stage, call): &(usize, Call),
        text: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Published, String> {
        let output =
            call.option(&["-o", "--output"]).ok_or("`dotnet publish` names no output folder")?;
        let output = paths::join(&call.folder, output);
        let made_of = self.in_stage(*stage, |path| {
            let name = paths::name(path).to_lowercase();
            paths::ends(&name, BUILDABLE)
                || name == "directory.build.props"
                || name == "directory.build.targets"
        });
        let subject =
            call.subject().map_or(call.folder.clone(), |path| paths::join(&call.folder, path));
        let root = one_project(&made_of, &subject)?;
        let read = |at: &str| {
            let file = made_of.iter().find(|(_, staged)| staged == at);
            file.and_then(|(path, _)| text(path)).ok_or(format!("`{at}` is not in the build stage"))
        };
        let above = |at: &str, name: &str| {
            let mut folder = paths::folder(at);
            loop {
                let wanted = paths::join(folder, name);
                if made_of.iter().any(|(_, staged)| *staged == wanted) {
                    return read(&wanted).ok();
                }
                if folder == "/" {
                    return None;
                }
                folder = paths::folder(folder);
            }
        };
        let given = call.properties();
        let (mut projects, mut open): (Vec<(String, Project)>, Vec<String>) =
            (Vec::new(), vec![root]);
        while let Some(at) = open.pop() {
            if projects.iter().any(|(known, _)| *known == at) {
                continue;
            }
            let props = above(&at, "Directory.Build.props");
            let targets = above(&at, "Directory.Build.targets");
            let project = Project::read(props.as_deref(), &read(&at)?, targets.as_deref(), &given);
            open.extend(project.references.iter().map(|to| paths::join(paths::folder(&at), to)));
            projects.push((at, project));
        }
        Ok(Published { stage: *stage, output, projects })
    }

    pub(super) fn compile_of(&self, (stage, call): &(usize, Call)) -> Result<Compile, String> {
        let published = self.published.as_ref().ok_or("the Dockerfile publishes no project")?;
        let room = self.rooms.get(*stage).ok_or("the Dockerfile has no stages")?;
        let (image, acts) = self.lineage(*stage);
        let (mut copies, mut restore) = (Vec::new(), None);
        for act in acts {
            match act {
                Act::Copy(copy) => {
                    let to = copy.to.clone().ok_or("the build stage's folder is not known")?;
                    copies.extend(
                        copy.sources.iter().map(|source| (source.text.clone(), to.clone())),
                    );
                }
                Act::Dotnet(call) if call.verb == Verb::Restore => restore = Some(words_of(call)),
                Act::Dotnet(_) => {}
                Act::Fetch { .. } | Act::Given { .. } => {
                    return Err("the build stage takes files from elsewhere".to_owned());
                }
                Act::Other(text) => return Err(format!("the build stage runs `{text}`")),
            }
        }
        let (project, app) = published.projects.first().ok_or("there is no project")?;
        let stem = paths::name(project).trim_end_matches(".csproj");
        let assembly = app.property("AssemblyName").ok_or("the assembly's name is not known")?;
        let mut publish = words_of(call);
        publish.words.retain(|word| word != "--no-build");
        let configuration = call.option(&["-c", "--configuration"]).unwrap_or_default();
        let shapes = ["PublishReadyToRun", "PublishTrimmed", "PublishSingleFile", "PublishAot"];
        Ok(Compile {
            image,
            copies,
            env: room.scope.clone(),
            project: project.clone(),
            restore,
            publish,
            configuration: configuration.to_owned(),
            output: published.output.clone(),
            target: self.received(*stage, &published.output)?,
            assembly: if assembly.is_empty() { stem } else { assembly }.to_owned(),
            replay: shapes.iter().all(|shape| app.is_off(shape)),
        })
    }

    /// A stage's base image and all that was done since, over the stages it goes on from.
    fn lineage(&self, stage: usize) -> (String, Vec<&Act>) {
        let Some(room) = self.rooms.get(stage) else { return (String::new(), Vec::new()) };
        match &room.base {
            Base::Image(image) => (image.clone(), room.acts.iter().collect()),
            Base::Stage(parent) => {
                let (image, mut acts) = self.lineage(*parent);
                acts.extend(&room.acts);
                (image, acts)
            }
        }
    }

    /// Where the image has a folder of a stage.
    fn received(&self, stage: usize, output: &str) -> Result<String, String> {
        let last = self.rooms.len().saturating_sub(1);
        if last == stage {
            return Ok(output.to_owned());
        }
        let (_, acts) = self.lineage(last);
        let mut found = acts.into_iter().filter_map(|act| match act {
            Act::Fetch { stage: from, copy } if *from == stage => {
                let (from, to) = copy.whole()?;
                (paths::join("/", from) == output).then(|| to.to_owned())
            }
            _ => None,
        });
        match (found.next(), found.next()) {
            (Some(to), None) => Ok(to),
            _ => Err("the image does not take the published folder as a whole".to_owned()),
        }
    }
}

/// The project that a call means: a file, or the only one of a folder.
fn one_project(made_of: &[(String, String)], subject: &str) -> Result<String, String> {
    let meant = if paths::name(subject).contains('.') && made_of.iter().any(|(_, at)| at == subject)
    {
        vec![subject]
    } else {
        let here = made_of.iter().map(|(_, at)| at.as_str());
        here.filter(|at| paths::folder(at) == subject && paths::ends(at, BUILDABLE)).collect()
    };
    match meant.as_slice() {
        [one] if paths::ends(one, &[".csproj"]) => Ok((*one).to_owned()),
        [one] => Err(format!("`{one}` is not a C# project")),
        [] => Err(format!("there is no project in `{subject}` of the build stage")),
        _ => Err(format!("there are several projects in `{subject}` of the build stage")),
    }
}

fn words_of(call: &Call) -> Words {
    Words { folder: call.folder.clone(), words: call.words.clone() }
}
