//! Where a file of the build context lands in the image, told from the Dockerfile and the project alone: nothing is
//! run. What is not understood is said to need a whole build, so that no file is ever written to a wrong place.

mod compile;
mod paths;
mod pattern;
mod project;
mod shell;
mod stages;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashSet};

pub use self::compile::Compile;
use self::project::{Fate, Project};
use self::shell::Verb;
use self::stages::{Act, Base, Landed, Room, rooms};
use super::arguments::Dockerfile;
use super::context::Context;
use crate::model::{Place, Report};
use crate::sys::dockerignore::{Dockerignore, is_secret};

/// What is known of a build context.
pub struct Source<'a> {
    /// Its files, relative to it, with forward slashes.
    pub paths: Vec<String>,
    /// Those of them that are links, and what they point at, relative to the context too.
    pub linked: HashSet<String>,
    /// The Dockerfile's path in it.
    pub dockerfile: String,
    /// What it leaves out.
    pub ignore: Dockerignore,
    /// A file's text.
    pub text: &'a dyn Fn(&str) -> Option<String>,
}

/// The way from the build context to the image.
#[derive(Debug)]
pub struct Landing {
    files: Vec<String>,
    linked: HashSet<String>,
    dockerfile: String,
    ignore: Dockerignore,
    rooms: Vec<Room>,
    /// Stages that the image is made of.
    wanted: HashSet<usize>,
    published: Option<Published>,
    /// Whether the app serves `wwwroot` by a table made at build time.
    mapped_assets: bool,
    compile: Result<Compile, String>,
}

/// A call of `dotnet publish` with the projects it builds.
#[derive(Debug)]
struct Published {
    stage: usize,
    /// In the stage, absolute.
    output: String,
    /// The app's first, then those it refers to.
    projects: Vec<(String, Project)>,
}

/// Where one file is, stage by stage, and what reads it on the way.
#[derive(Debug, Default)]
struct Flow {
    at: Vec<BTreeSet<String>>,
    compiled: Option<bool>,
    rebuild: Option<String>,
}

impl Flow {
    fn unsure(&mut self, why: impl Into<String>) {
        self.rebuild.get_or_insert_with(|| why.into());
    }
}

/// Files by which a build is made, wherever they are beside a project.
const DECISIVE: &[&str] = &[
    "app.config",
    "bundleconfig.json",
    "compilerconfig.json",
    "directory.build.props",
    "directory.build.rsp",
    "directory.build.targets",
    "directory.packages.props",
    "dotnet-tools.json",
    "global.json",
    "libman.json",
    "msbuild.rsp",
    "nuget.config",
    "packages.config",
    "packages.lock.json",
    "runtimeconfig.template.json",
];
const DECISIVE_ENDS: &[&str] = &[
    ".a", ".csproj", ".dll", ".dylib", ".exe", ".fsproj", ".lib", ".props", ".rsp", ".ruleset",
    ".sln", ".slnx", ".snk", ".so", ".targets", ".user", ".vbproj",
];

impl Landing {
    /// Of a context as it was walked, with the arguments it is built with.
    pub fn of(context: &Context, args: &[(String, String)]) -> Result<Self, Report> {
        let dockerfile = Dockerfile::parse(&context.recipe, &context.dockerfile_path())?;
        let text = |path: &str| context.text(path);
        let source = Source {
            paths: context.files(),
            linked: context.linked(),
            dockerfile: context.dockerfile.clone(),
            ignore: context.ignore(),
            text: &text,
        };
        Ok(Self::read(&dockerfile, args, source))
    }

    /// Of any context.
    #[must_use]
    pub fn read(dockerfile: &Dockerfile, args: &[(String, String)], source: Source<'_>) -> Self {
        let rooms = rooms(dockerfile, args);
        let wanted = wanted(&rooms);
        let mut landing = Self {
            files: source.paths,
            linked: source.linked,
            dockerfile: source.dockerfile,
            ignore: source.ignore,
            rooms,
            wanted,
            published: None,
            mapped_assets: false,
            compile: Err("the Dockerfile publishes no project".to_owned()),
        };
        let found = landing.publish_call().and_then(|call| {
            let published = landing.published(&call, source.text)?;
            Ok((call, published))
        });
        match found {
            Ok((call, published)) => {
                let sources = landing.files.iter().filter(|path| paths::ends(path, &[".cs"]));
                landing.mapped_assets = sources
                    .filter_map(|path| (source.text)(path))
                    .any(|text| text.contains("MapStaticAssets"));
                landing.published = Some(published);
                landing.compile = landing.compile_of(&call);
            }
            Err(why) => landing.compile = Err(why),
        }
        landing
    }

    /// What a file becomes in the image. The path is relative to the build context; the file need not be there, so
    /// that one that is new or gone is judged too.
    #[must_use]
    pub fn place(&self, path: &str) -> Place {
        if self.is_recipe(path) {
            return Place::Rebuild("the image is made by it".to_owned());
        }
        if self.is_left_out(path) {
            return Place::Nowhere;
        }
        if self.linked.contains(path) {
            return Place::Rebuild("a link is followed on the way to the image".to_owned());
        }
        if self
            .rooms
            .iter()
            .enumerate()
            .any(|(place, room)| room.bound && self.wanted.contains(&place))
        {
            return Place::Rebuild("a `RUN` of the Dockerfile reads the build context".to_owned());
        }
        let mut flow = self.flow(path);
        let targets = flow.at.pop().unwrap_or_default();
        if let Some(why) = flow.rebuild {
            return Place::Rebuild(why);
        }
        match (flow.compiled, targets.is_empty(), &self.compile) {
            (None, true, _) => Place::Nowhere,
            (None, false, _) => match targets.iter().find(|target| self.is_shared(path, target)) {
                Some(target) => Place::Rebuild(format!("another file may land at `{target}` too")),
                None => Place::Copied(targets.into_iter().collect()),
            },
            (Some(_), false, _) => Place::Rebuild("it is both compiled and copied".to_owned()),
            (Some(_), true, Err(why)) => Place::Rebuild(why.clone()),
            (Some(replay), true, Ok(compile)) => {
                Place::Compiled { replay: replay && compile.replay }
            }
        }
    }

    /// What a warm builder needs, or why the Dockerfile is not of the usual kind.
    pub fn compile(&self) -> Result<&Compile, &str> {
        self.compile.as_ref().map_err(String::as_str)
    }

    /// Where a file of the context is in the build stage, absolute; empty when it is not there.
    #[must_use]
    pub fn staged(&self, path: &str) -> Vec<String> {
        let Some(published) = &self.published else { return Vec::new() };
        if self.is_left_out(path) {
            return Vec::new();
        }
        let staged = self.copied(path).get(published.stage).cloned().unwrap_or_default();
        staged.into_iter().collect()
    }

    fn is_recipe(&self, path: &str) -> bool {
        path == self.dockerfile
            || path == ".dockerignore"
            || path.strip_suffix(".dockerignore") == Some(&self.dockerfile)
    }

    fn is_left_out(&self, path: &str) -> bool {
        let mut verdict = self.ignore.root();
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            if is_secret(paths::name(&path[..end]).as_bytes()) {
                return true;
            }
            verdict = self.ignore.child(&verdict, &path.as_bytes()[..end]);
        }
        verdict.excluded
    }

    /// Where a file is in each stage, by copying alone.
    fn copied(&self, path: &str) -> Vec<BTreeSet<String>> {
        let mut flow = Flow::default();
        for room in &self.rooms {
            let mut at = inherited(room, &flow);
            for act in &room.acts {
                match act {
                    Act::Copy(copy) => {
                        if let Landed::At(to) = copy.landing(path) {
                            at.insert(to);
                        }
                    }
                    Act::Fetch { stage, copy } => {
                        let from = flow.at.get(*stage).into_iter().flatten();
                        let landed = from.map(|old| copy.landing(old.trim_start_matches('/')));
                        at.extend(landed.filter_map(|one| match one {
                            Landed::At(to) => Some(to),
                            _ => None,
                        }));
                    }
                    Act::Given { .. } | Act::Dotnet(_) | Act::Other(_) => {}
                }
            }
            flow.at.push(at);
        }
        flow.at
    }

    /// The whole way of a file, with what reads it.
    fn flow(&self, path: &str) -> Flow {
        let mut flow = Flow::default();
        for (place, room) in self.rooms.iter().enumerate() {
            let mut at = inherited(room, &flow);
            let acts = if self.wanted.contains(&place) { room.acts.as_slice() } else { &[] };
            for act in acts {
                self.act(act, place, path, &mut at, &mut flow);
            }
            flow.at.push(at);
        }
        flow
    }

    fn act(&self, act: &Act, stage: usize, path: &str, at: &mut BTreeSet<String>, flow: &mut Flow) {
        match act {
            Act::Copy(copy) => match copy.landing(path) {
                Landed::Not => {}
                Landed::At(to) => drop(at.insert(to)),
                Landed::Unsure(why) => flow.unsure(why),
            },
            Act::Fetch { stage, copy } => {
                for old in flow.at.get(*stage).cloned().unwrap_or_default() {
                    match copy.landing(old.trim_start_matches('/')) {
                        Landed::Not => {}
                        Landed::At(to) => drop(at.insert(to)),
                        Landed::Unsure(why) => flow.unsure(why),
                    }
                }
            }
            Act::Dotnet(call) if call.verb == Verb::Publish && !at.is_empty() => {
                match self.published.as_ref().filter(|published| published.stage == stage) {
                    Some(published) => published.take(at, flow, self.mapped_assets),
                    None => flow.unsure(self.compile.as_ref().err().map_or("", String::as_str)),
                }
            }
            Act::Other(text) if !at.is_empty() => flow.unsure(format!("`{text}` may read it")),
            Act::Given { .. } | Act::Dotnet(_) | Act::Other(_) => {}
        }
    }

    /// Whether another file, or something that is not known, may be in the image at the same path.
    fn is_shared(&self, path: &str, target: &str) -> bool {
        let mut stage = self.rooms.len().checked_sub(1);
        while let Some(room) = stage.and_then(|place| self.rooms.get(place)) {
            for act in &room.acts {
                if self.shares(act, path, target) {
                    return true;
                }
            }
            stage = match room.base {
                Base::Stage(parent) => Some(parent),
                Base::Image(_) => None,
            };
        }
        false
    }

    fn shares(&self, act: &Act, path: &str, target: &str) -> bool {
        let covers =
            |to: &Option<String>| to.as_ref().is_none_or(|to| paths::below(target, to).is_some());
        match act {
            Act::Copy(copy) if covers(&copy.to) => {
                let at = Landed::At(target.to_owned());
                let others = self.files.iter().filter(|other| *other != path);
                let mut others = others.filter(|other| !self.is_left_out(other));
                others.any(|other| copy.landing(other) == at)
            }
            Act::Given { to } => covers(to),
            Act::Fetch { stage, copy } if covers(&copy.to) => {
                let at = Landed::At(target.to_owned());
                let brings = |file: &String| {
                    let old = self.flow(file).at.get(*stage).cloned().unwrap_or_default();
                    old.iter().any(|old| copy.landing(old.trim_start_matches('/')) == at)
                };
                // What this line brings there is this very file; else it may be one that nobody knows of.
                let made = !self.is_published(*stage, copy) || is_generated(target);
                if made && !brings(&path.to_owned()) {
                    return true;
                }
                let alike =
                    self.files.iter().filter(|file| paths::name(file) == paths::name(target));
                alike.filter(|file| *file != path).any(brings)
            }
            Act::Copy(_) | Act::Fetch { .. } | Act::Dotnet(_) | Act::Other(_) => false,
        }
    }

    fn is_published(&self, stage: usize, copy: &stages::Copy) -> bool {
        let whole = copy.whole().map(|(from, _)| paths::join("/", from));
        self.published.as_ref().is_some_and(|published| {
            published.stage == stage && whole.as_deref() == Some(&published.output)
        })
    }
}

impl Published {
    /// What the build makes of a file that is in its stage at these paths.
    fn take(&self, at: &mut BTreeSet<String>, flow: &mut Flow, mapped_assets: bool) {
        for staged in at.clone() {
            if let Some(why) = self.decisive(&staged) {
                return flow.unsure(why);
            }
            for (place, (project, parsed)) in self.projects.iter().enumerate() {
                let path = paths::relative(&staged, paths::folder(project));
                match parsed.fate(&path) {
                    // Of a file beside the project only what names it can be meant.
                    Fate::Unsure(_) if place > 0 && path.starts_with("../") => {}
                    Fate::Unsure(why) => flow.unsure(why),
                    Fate::Compiled { replay } => {
                        // The app's compiler call does not name the files of another project.
                        let replay = replay && place == 0 && flow.compiled != Some(false);
                        flow.compiled = Some(replay);
                    }
                    Fate::Published(_) if place > 0 => {
                        flow.unsure("it comes from a project that the app refers to");
                    }
                    Fate::Published(to) if mapped_assets && to.starts_with("wwwroot/") => {
                        flow.unsure("`MapStaticAssets` serves it by a table made at build time");
                    }
                    Fate::Published(to) => drop(at.insert(paths::join(&self.output, &to))),
                    Fate::Nothing => {}
                }
            }
        }
    }

    /// Why a file decides about the whole build.
    fn decisive(&self, staged: &str) -> Option<String> {
        let name = paths::name(staged).to_lowercase();
        if DECISIVE.contains(&name.as_str()) || paths::ends(&name, DECISIVE_ENDS) {
            return Some("the project is built by it".to_owned());
        }
        let web_config = name.starts_with("web.") && paths::ends(&name, &[".config"]);
        let kept = self.projects.first().is_some_and(|(_, app)| {
            app.property("IsTransformWebConfigDisabled")
                .is_some_and(|value| value.eq_ignore_ascii_case("true"))
        });
        (web_config && !(kept && name == "web.config"))
            .then(|| "publishing transforms it".to_owned())
    }
}

/// The stages that the last one is made of.
fn wanted(rooms: &[Room]) -> HashSet<usize> {
    let mut wanted = HashSet::new();
    let mut open: Vec<usize> = rooms.len().checked_sub(1).into_iter().collect();
    while let Some(place) = open.pop() {
        let Some(room) = rooms.get(place).filter(|_| wanted.insert(place)) else { continue };
        if let Base::Stage(parent) = room.base {
            open.push(parent);
        }
        open.extend(room.acts.iter().filter_map(|act| match act {
            Act::Fetch { stage, .. } => Some(*stage),
            _ => None,
        }));
    }
    wanted
}

fn inherited(room: &Room, flow: &Flow) -> BTreeSet<String> {
    match room.base {
        Base::Stage(parent) => flow.at.get(parent).cloned().unwrap_or_default(),
        Base::Image(_) => BTreeSet::new(),
    }
}

/// Whether a build makes files of such names by itself.
fn is_generated(target: &str) -> bool {
    const ENDS: &[&str] = &[".dll", ".pdb", ".json", ".config", ".xml", ".exe", ".so"];
    paths::ends(target, ENDS) || !paths::name(target).contains('.')
}
