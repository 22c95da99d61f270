//! Which way a save takes, and what has to be done on it: a pure function of the changed paths, the user's rules and
//! where the Dockerfile puts files. When in doubt the heavier way is taken: it is slower, never wrong.

use std::collections::BTreeMap;

use globset::{Glob, GlobMatcher};
use serde::Serialize;

use crate::model::{Lane, Place, Reload, WatchAction, WatchMode, WatchRule};

/// A file that changed on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Relative to the app's root, forward slashes.
    pub path: String,
    /// It is not there any more.
    pub gone: bool,
    /// It was not there before.
    pub new: bool,
}

/// What holds for every path of an app.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The user's rules, in order.
    pub rules: &'a [WatchRule],
    /// Which ways the user allows.
    pub mode: WatchMode,
    /// Whether a supervisor can start the app's process anew in its container.
    pub supervised: bool,
    /// Values files outside `deployment/`, relative to the app's root.
    pub values: &'a [String],
}

/// What one change asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Verdict {
    /// The lightest way that is right for this change alone.
    lane: Lane,
    /// A few words that name the file and say why.
    reason: String,
    /// Absolute paths in the image that get the file's bytes, or lose the file.
    targets: Vec<String>,
    /// What is done beside writing.
    needs: Needs,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing to be done by itself")]
struct Needs {
    compile: bool,
    /// Of a compiled file: whether the compiler's call may be replayed.
    replay: bool,
    restart: bool,
    reload: Reload,
    release: bool,
    master: bool,
}

/// What has to be done for a save.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing to be done by itself")]
pub struct Course {
    /// The way.
    pub lane: Lane,
    /// A few words that name the deciding file.
    pub reason: String,
    /// Files to write: the path relative to the app's root, and where to in the image.
    pub sync: Vec<(String, Vec<String>)>,
    /// Paths in the image to remove.
    pub gone: Vec<String>,
    /// Files that the compiler reads, relative to the app's root; also those that are gone.
    pub compile: Vec<String>,
    /// Whether the compiler's last call may be made again as it was.
    pub replay: bool,
    /// Whether the app's process must start anew for what is written. A compiled change always does.
    pub restart: bool,
    /// What open pages do.
    pub reload: Reload,
    /// Whether the chart's values or the deployment folder changed.
    pub release: bool,
    /// Whether `altinn-local*.yaml` changed.
    pub master: bool,
    /// Whether the whole Dockerfile is built; what `sync`, `gone` and `compile` list is then in that image anyway.
    pub build: bool,
}

impl Course {
    /// The style sheets that open pages swap, relative to the app's root; none when the whole page is loaded anew.
    #[must_use]
    pub fn styles(&self) -> Vec<String> {
        match self.reload {
            Reload::Css => self.sync.iter().map(|(path, _)| path.clone()).collect(),
            Reload::None | Reload::Page => Vec::new(),
        }
    }
}

/// Files that .NET and Altinn's libraries read once, when the process starts.
const READ_AT_START: &[&str] = &["applicationmetadata.json"];
const READ_AT_START_ENDS: &[&str] = &["bpmn", "config"];

/// Decides about a save. `place` tells for a path relative to the app's root what it is in the image. The order of
/// the changes does not matter, and more changes never take a lighter way.
#[must_use]
pub fn course(changes: &[Change], ground: &Ground<'_>, place: impl Fn(&str) -> Place) -> Course {
    let rules = Rules::read(ground.rules);
    let mut judged: BTreeMap<&Change, Verdict> = BTreeMap::new();
    for change in changes {
        judged.insert(change, verdict(change, ground, &rules, &place));
    }
    let mut course = gather(&judged);
    let heaviest = judged.iter().filter(|(_, verdict)| verdict.lane == course.lane);
    let reasons: Vec<&str> = heaviest.map(|(_, verdict)| verdict.reason.as_str()).collect();
    course.reason = match reasons.as_slice() {
        [] => "nothing changed".to_owned(),
        [one] => (*one).to_owned(),
        [first, others @ ..] => format!("{first} (+{})", others.len()),
    };
    // New values bring a new pod anyway; what was compiled goes with it, in its image.
    let code = judged.values().find(|verdict| verdict.needs.compile);
    let configured = course.release || course.master;
    if let Some(code) = code.filter(|_| configured && course.lane < Lane::Layer) {
        course.lane = Lane::Layer;
        course.reason = format!("{}; the configuration changed too", code.reason);
    }
    course
}

fn gather(judged: &BTreeMap<&Change, Verdict>) -> Course {
    let needs = || judged.values().map(|verdict| verdict.needs);
    let written = |gone: bool| {
        let with_targets = judged.iter().filter(|(_, verdict)| !verdict.targets.is_empty());
        with_targets.filter(move |(change, _)| change.gone == gone)
    };
    let lane = judged.values().map(|verdict| verdict.lane).max().unwrap_or(Lane::Ignore);
    let compiled = judged.iter().filter(|(_, verdict)| verdict.needs.compile);
    let compile: Vec<String> = compiled.map(|(change, _)| change.path.clone()).collect();
    Course {
        lane,
        reason: String::new(),
        sync: written(false)
            .map(|(file, told)| (file.path.clone(), told.targets.clone()))
            .collect(),
        gone: written(true).flat_map(|(_, told)| told.targets.clone()).collect(),
        replay: !compile.is_empty() && needs().all(|need| !need.compile || need.replay),
        compile,
        restart: needs().any(|need| need.restart),
        reload: needs().map(|need| need.reload).max().unwrap_or_default(),
        release: needs().any(|need| need.release),
        master: needs().any(|need| need.master),
        build: lane == Lane::Build,
    }
}

fn verdict(
    change: &Change,
    ground: &Ground<'_>,
    rules: &Rules<'_>,
    place: &impl Fn(&str) -> Place,
) -> Verdict {
    let path = change.path.as_str();
    let rule = match rules.find(path) {
        Ok(rule) => rule,
        Err(glob) => return build(format!("the glob `{glob}` of a watch rule is not understood")),
    };
    if let Some((rule, _)) = rule.as_ref().filter(|(rule, _)| rule.action == WatchAction::Ignore) {
        return nothing(format!("{path} is left alone by the rule `{}`", rule.glob));
    }
    if let Some((rule, _)) = rule.as_ref().filter(|(rule, _)| rule.action == WatchAction::Rebuild) {
        return build(format!("{path}: the rule `{}` says rebuild", rule.glob));
    }
    let master = is_master_file(path);
    if master || path.starts_with("deployment/") || ground.values.iter().any(|known| known == path)
    {
        let what = if master { "is the master file" } else { "is part of the release" };
        let needs = Needs { release: !master, master, reload: Reload::Page, ..Needs::default() };
        let reason = format!("{path} {what}");
        return Verdict { lane: Lane::Config, reason, targets: Vec::new(), needs };
    }
    let named = rule.as_ref().and_then(|(rule, glob)| target(rule, glob, path));
    let landed = named.map_or_else(|| place(path), |target| Place::Copied(vec![target]));
    let said = rule.map(|(rule, _)| rule);
    let told = match landed {
        Place::Rebuild(why) => build(format!("{path}: {why}")),
        Place::Copied(targets) => copied(change, ground, said, targets),
        // The user wants it written, so it has to be somewhere.
        Place::Nowhere | Place::Compiled { .. } if said.is_some() => {
            let action = said.map_or(WatchAction::Sync, |rule| rule.action);
            build(format!("{path}: where `{action}` puts it is not known; the rule needs `to`"))
        }
        Place::Compiled { replay } => compiled(change, ground, replay),
        Place::Nowhere => nothing(format!("{path} is not in the image")),
    };
    match ground.mode {
        WatchMode::Build if told.lane > Lane::Ignore && told.lane < Lane::Build => {
            Verdict { lane: Lane::Build, reason: format!("{path}: `watch.mode` is build"), ..told }
        }
        _ => told,
    }
}

fn build(reason: String) -> Verdict {
    let needs = Needs { reload: Reload::Page, ..Needs::default() };
    Verdict { lane: Lane::Build, reason, targets: Vec::new(), needs }
}

fn nothing(reason: String) -> Verdict {
    Verdict { lane: Lane::Ignore, reason, targets: Vec::new(), needs: Needs::default() }
}

fn copied(
    change: &Change,
    ground: &Ground<'_>,
    rule: Option<&WatchRule>,
    targets: Vec<String>,
) -> Verdict {
    let path = &change.path;
    let at_start = is_read_at_start(path);
    let restart = match rule.map(|rule| rule.action) {
        Some(WatchAction::Restart) => true,
        // The user knows the app better than a list of names does.
        Some(_) => false,
        None => at_start,
    };
    let swapped = !change.gone && !restart && ending(path) == "css";
    let to_page = rule.is_some_and(|rule| rule.action == WatchAction::Reload);
    let reload = if swapped && !to_page { Reload::Css } else { Reload::Page };
    let (lane, why) = match ground.mode {
        WatchMode::Image => (Lane::Layer, "is in the image; `watch.mode` is image"),
        _ if restart && !ground.supervised => {
            (Lane::Layer, "is read at start, and the process cannot be restarted in place")
        }
        _ if restart => (Lane::Asset, "is copied; the process reads it at start"),
        _ => (Lane::Asset, "is copied as it is"),
    };
    let needs = Needs { restart, reload, ..Needs::default() };
    Verdict { lane, reason: format!("{path} {why}"), targets, needs }
}

fn compiled(change: &Change, ground: &Ground<'_>, replay: bool) -> Verdict {
    let (lane, why) = match ground.mode {
        WatchMode::Image => (Lane::Layer, "is compiled; `watch.mode` is image"),
        _ if !ground.supervised => {
            (Lane::Layer, "is compiled, and the process cannot be restarted in place")
        }
        _ => (Lane::Code, "is compiled"),
    };
    // The compiler's last call names its files: one more or one less makes it another call.
    let replay = replay && !change.gone && !change.new;
    let needs =
        Needs { compile: true, replay, restart: true, reload: Reload::Page, ..Needs::default() };
    Verdict { lane, reason: format!("{} {why}", change.path), targets: Vec::new(), needs }
}

/// `altinn-local.yaml` and its overlays at the root.
#[must_use]
pub fn is_master_file(path: &str) -> bool {
    path == "altinn-local.yaml"
        || (path.starts_with("altinn-local.") && ending(path) == "yaml" && !path.contains('/'))
}

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, end)| end)
}

fn is_read_at_start(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let settings = name.starts_with("appsettings.") && ending(name) == "json";
    settings || READ_AT_START.contains(&name) || READ_AT_START_ENDS.contains(&ending(name))
}

/// The user's rules, ready to match.
struct Rules<'a>(Vec<(&'a WatchRule, Option<GlobMatcher>)>);

impl<'a> Rules<'a> {
    fn read(rules: &'a [WatchRule]) -> Self {
        let matcher =
            |rule: &WatchRule| Glob::new(&rule.glob).ok().map(|glob| glob.compile_matcher());
        Self(rules.iter().map(|rule| (rule, matcher(rule))).collect())
    }

    /// The first rule that matches; the glob itself when one before it cannot be understood.
    fn find(&self, path: &str) -> Result<Option<(&'a WatchRule, &GlobMatcher)>, &'a str> {
        for (rule, matcher) in &self.0 {
            match matcher {
                None => return Err(&rule.glob),
                Some(matcher) if matcher.is_match(path) => return Ok(Some((rule, matcher))),
                Some(_) => {}
            }
        }
        Ok(None)
    }
}

/// Where a rule's `to` puts a path.
fn target(rule: &WatchRule, matcher: &GlobMatcher, path: &str) -> Option<String> {
    let to = rule.to.as_deref()?;
    if !to.ends_with('/') {
        return Some(to.to_owned());
    }
    let glob = matcher.glob().glob();
    let fixed = glob.find(['*', '?', '[', '{', '\\']).map_or(glob, |end| &glob[..end]);
    let folder = fixed.rfind('/').map_or("", |end| &fixed[..=end]);
    Some(format!("{to}{}", path.strip_prefix(folder).unwrap_or(path)))
}

#[cfg(test)]
mod tests;
