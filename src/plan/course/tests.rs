use proptest::prelude::*;

use super::*;

/// A small app: what its Dockerfile and project would say.
fn place(path: &str) -> Place {
    match path {
        "App/wwwroot/a.css" => Place::Copied(vec!["/app/wwwroot/a.css".to_owned()]),
        "App/wwwroot/a.js" => Place::Copied(vec!["/app/wwwroot/a.js".to_owned()]),
        "App/appsettings.json" => Place::Copied(vec!["/app/appsettings.json".to_owned()]),
        "both.txt" => Place::Copied(vec!["/a/both.txt".to_owned(), "/b/both.txt".to_owned()]),
        "App/Program.cs" | "App/logic/Calc.cs" => Place::Compiled { replay: true },
        "Lib/Lib.cs" => Place::Compiled { replay: false },
        "Dockerfile" => Place::Rebuild("it is the Dockerfile".to_owned()),
        "App/App.csproj" => Place::Rebuild("it is the project".to_owned()),
        _ => Place::Nowhere,
    }
}

const PATHS: &[&str] = &[
    "App/wwwroot/a.css",
    "App/wwwroot/a.js",
    "App/appsettings.json",
    "both.txt",
    "App/Program.cs",
    "App/logic/Calc.cs",
    "Lib/Lib.cs",
    "Dockerfile",
    "App/App.csproj",
    "README.md",
    "deployment/values.yaml",
    "local/values.yaml",
    "altinn-local.yaml",
    "altinn-local.tt02.yaml",
    "generated/x.txt",
];

fn edit(path: &str) -> Change {
    Change { path: path.to_owned(), gone: false, new: false }
}

fn rule(glob: &str, action: WatchAction, to: Option<&str>) -> WatchRule {
    WatchRule { glob: glob.to_owned(), action, to: to.map(str::to_owned) }
}

fn ground(rules: &[WatchRule]) -> Ground<'_> {
    let values: &'static [String] = Box::leak(Box::new(["local/values.yaml".to_owned()]));
    Ground { rules, mode: WatchMode::Auto, supervised: true, values }
}

fn of(paths: &[&str]) -> Course {
    let changes: Vec<Change> = paths.iter().map(|path| edit(path)).collect();
    course(&changes, &ground(&[]), place)
}

#[test]
fn changes_take_the_lightest_way_that_is_right() {
    for (paths, lane, reason, reload) in [
        (vec![], Lane::Ignore, "nothing changed", Reload::None),
        (vec!["README.md"], Lane::Ignore, "README.md is not in the image", Reload::None),
        (
            vec!["App/wwwroot/a.css"],
            Lane::Asset,
            "App/wwwroot/a.css is copied as it is",
            Reload::Css,
        ),
        (
            vec!["App/wwwroot/a.js", "App/wwwroot/a.css"],
            Lane::Asset,
            "App/wwwroot/a.css is copied as it is (+1)",
            Reload::Page,
        ),
        (
            vec!["App/appsettings.json"],
            Lane::Asset,
            "App/appsettings.json is copied; the process reads it at start",
            Reload::Page,
        ),
        (
            vec!["App/Program.cs", "App/wwwroot/a.js"],
            Lane::Code,
            "App/Program.cs is compiled",
            Reload::Page,
        ),
        (
            vec!["deployment/values.yaml", "App/wwwroot/a.js"],
            Lane::Config,
            "deployment/values.yaml is part of the release",
            Reload::Page,
        ),
        (
            vec!["local/values.yaml"],
            Lane::Config,
            "local/values.yaml is part of the release",
            Reload::Page,
        ),
        (
            vec!["altinn-local.tt02.yaml"],
            Lane::Config,
            "altinn-local.tt02.yaml is the master file",
            Reload::Page,
        ),
        (
            vec!["deployment/values.yaml", "App/Program.cs"],
            Lane::Layer,
            "App/Program.cs is compiled; the configuration changed too",
            Reload::Page,
        ),
        (
            vec!["Dockerfile", "App/Program.cs"],
            Lane::Build,
            "Dockerfile: it is the Dockerfile",
            Reload::Page,
        ),
    ] {
        let course = of(&paths);
        let found = (course.lane, course.reason.as_str(), course.reload);
        assert_eq!(found, (lane, reason, reload), "{paths:?}");
        assert_eq!(course.build, lane == Lane::Build, "{paths:?}");
    }
}

#[test]
fn what_is_to_be_done_is_listed() {
    let mut changes: Vec<Change> =
        ["both.txt", "App/Program.cs", "deployment/values.yaml"].map(edit).to_vec();
    changes.push(Change { gone: true, ..edit("App/wwwroot/a.js") });
    let found = course(&changes, &ground(&[]), place);
    let both = vec!["/a/both.txt".to_owned(), "/b/both.txt".to_owned()];
    assert_eq!(found.sync, [("both.txt".to_owned(), both)]);
    assert_eq!(found.gone, ["/app/wwwroot/a.js"]);
    assert_eq!(found.compile, ["App/Program.cs"]);
    assert!(found.replay && found.restart && found.release && !found.master && !found.build);
}

#[test]
fn the_compilers_call_is_replayed_only_while_its_files_are_the_same() {
    let (old, lib) = (edit("App/Program.cs"), edit("Lib/Lib.cs"));
    let gone = Change { gone: true, ..old.clone() };
    let new = Change { new: true, ..edit("App/logic/Calc.cs") };
    for (changes, replay) in [
        (vec![old.clone()], true),
        (vec![old.clone(), edit("App/wwwroot/a.js")], true),
        (vec![gone], false),
        (vec![old.clone(), new], false),
        (vec![old, lib], false),
        (vec![edit("App/wwwroot/a.js")], false),
    ] {
        assert_eq!(course(&changes, &ground(&[]), place).replay, replay, "{changes:?}");
    }
}

#[test]
fn the_mode_and_the_supervisor_bound_the_way() {
    for (path, mode, supervised, lane) in [
        ("App/Program.cs", WatchMode::Auto, true, Lane::Code),
        ("App/Program.cs", WatchMode::Auto, false, Lane::Layer),
        ("App/Program.cs", WatchMode::Image, true, Lane::Layer),
        ("App/Program.cs", WatchMode::Build, true, Lane::Build),
        ("App/wwwroot/a.js", WatchMode::Auto, false, Lane::Asset),
        ("App/wwwroot/a.js", WatchMode::Image, true, Lane::Layer),
        ("App/wwwroot/a.js", WatchMode::Build, true, Lane::Build),
        ("App/appsettings.json", WatchMode::Auto, false, Lane::Layer),
        ("deployment/values.yaml", WatchMode::Image, false, Lane::Config),
        ("deployment/values.yaml", WatchMode::Build, false, Lane::Config),
        ("README.md", WatchMode::Build, true, Lane::Ignore),
    ] {
        let ground = Ground { mode, supervised, ..ground(&[]) };
        let found = course(&[edit(path)], &ground, place);
        assert_eq!(found.lane, lane, "{path} {mode} {supervised}: {}", found.reason);
    }
}

#[test]
fn the_users_rules_decide_in_their_order() {
    use WatchAction::{Ignore, Rebuild, Reload as Load, Restart, Sync};
    let to = |targets: &[&str]| targets.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
    for (rules, path, lane, targets, restart, reload) in [
        (
            vec![rule("**/*.css", Ignore, None)],
            "App/wwwroot/a.css",
            Lane::Ignore,
            to(&[]),
            false,
            Reload::None,
        ),
        (
            vec![rule("**/*.css", Rebuild, None)],
            "App/wwwroot/a.css",
            Lane::Build,
            to(&[]),
            false,
            Reload::Page,
        ),
        (
            vec![rule("**/*.css", Load, None)],
            "App/wwwroot/a.css",
            Lane::Asset,
            to(&["/app/wwwroot/a.css"]),
            false,
            Reload::Page,
        ),
        (
            vec![rule("**/*.css", Restart, None)],
            "App/wwwroot/a.css",
            Lane::Asset,
            to(&["/app/wwwroot/a.css"]),
            true,
            Reload::Page,
        ),
        (
            vec![rule("App/appsettings.json", Sync, None)],
            "App/appsettings.json",
            Lane::Asset,
            to(&["/app/appsettings.json"]),
            false,
            Reload::Page,
        ),
        (
            vec![rule("generated/**", Sync, Some("/srv/"))],
            "generated/x.txt",
            Lane::Asset,
            to(&["/srv/x.txt"]),
            false,
            Reload::Page,
        ),
        (
            vec![rule("**/x.txt", Sync, Some("/srv/"))],
            "generated/x.txt",
            Lane::Asset,
            to(&["/srv/generated/x.txt"]),
            false,
            Reload::Page,
        ),
        (
            vec![rule("generated/x.txt", Sync, Some("/srv/y"))],
            "generated/x.txt",
            Lane::Asset,
            to(&["/srv/y"]),
            false,
            Reload::Page,
        ),
        (
            vec![rule("generated/**", Sync, None)],
            "generated/x.txt",
            Lane::Build,
            to(&[]),
            false,
            Reload::Page,
        ),
        (
            vec![rule("**/*.cs", Sync, None)],
            "App/Program.cs",
            Lane::Build,
            to(&[]),
            false,
            Reload::Page,
        ),
        (
            vec![rule("Dockerfile", Sync, None)],
            "Dockerfile",
            Lane::Build,
            to(&[]),
            false,
            Reload::Page,
        ),
        (
            vec![rule("deployment/**", Ignore, None)],
            "deployment/values.yaml",
            Lane::Ignore,
            to(&[]),
            false,
            Reload::None,
        ),
        (
            vec![rule("App/**", Ignore, None), rule("**/*.css", Rebuild, None)],
            "App/wwwroot/a.css",
            Lane::Ignore,
            to(&[]),
            false,
            Reload::None,
        ),
        (
            vec![rule("a[", Ignore, None)],
            "App/wwwroot/a.css",
            Lane::Build,
            to(&[]),
            false,
            Reload::Page,
        ),
    ] {
        let ground = ground(&rules);
        let found = course(&[edit(path)], &ground, place);
        let synced: Vec<String> = found.sync.into_iter().flat_map(|(_, targets)| targets).collect();
        let found = (found.lane, synced, found.restart, found.reload);
        assert_eq!(found, (lane, targets, restart, reload), "{rules:?} {path}");
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let one = (0..PATHS.len(), 0..3_u8).prop_map(|(place, how)| Change {
        path: PATHS[place].to_owned(),
        gone: how == 1,
        new: how == 2,
    });
    proptest::collection::vec(one, 0..8)
}

fn rules() -> impl Strategy<Value = Vec<WatchRule>> {
    let action = prop_oneof![
        Just(WatchAction::Sync),
        Just(WatchAction::Rebuild),
        Just(WatchAction::Restart),
        Just(WatchAction::Ignore),
        Just(WatchAction::Reload),
    ];
    let glob = prop_oneof![Just("**/*.css"), Just("App/**"), Just("generated/**"), Just("*.md")];
    let to = prop_oneof![Just(None), Just(Some("/srv/".to_owned()))];
    let one = (glob, action, to)
        .prop_map(|(glob, action, to)| WatchRule { to, ..rule(glob, action, None) });
    proptest::collection::vec(one, 0..4)
}

fn mode() -> impl Strategy<Value = WatchMode> {
    prop_oneof![Just(WatchMode::Auto), Just(WatchMode::Image), Just(WatchMode::Build)]
}

proptest! {
    #[test]
    fn the_order_of_changes_does_not_matter(
        mut some in changes(), rules in rules(), mode in mode(), supervised: bool,
    ) {
        let ground = Ground { mode, supervised, ..ground(&rules) };
        let one = course(&some, &ground, place);
        some.reverse();
        prop_assert_eq!(&one, &course(&some, &ground, place));
        some.sort();
        prop_assert_eq!(&one, &course(&some, &ground, place));
    }

    #[test]
    fn more_changes_never_take_a_lighter_way(
        some in changes(), more in changes(), rules in rules(), mode in mode(), supervised: bool,
    ) {
        let ground = Ground { mode, supervised, ..ground(&rules) };
        let all: Vec<Change> = some.iter().chain(&more).cloned().collect();
        let (part, whole) = (course(&some, &ground, place), course(&all, &ground, place));
        prop_assert!(part.lane <= whole.lane, "{:?} {:?}", part, whole);
        prop_assert!(part.reload <= whole.reload);
        prop_assert!(!part.restart || whole.restart);
        prop_assert!(!part.release || whole.release);
    }

    #[test]
    fn what_lands_in_the_image_is_never_forgotten(
        some in changes(), mode in mode(), supervised: bool,
    ) {
        let ground = Ground { mode, supervised, ..ground(&[]) };
        let found = course(&some, &ground, place);
        for change in &some {
            let kept = match place(&change.path) {
                Place::Nowhere => true,
                Place::Rebuild(_) => found.build,
                Place::Compiled { .. } => found.compile.contains(&change.path),
                Place::Copied(targets) if change.gone => {
                    targets.iter().all(|target| found.gone.contains(target))
                }
                Place::Copied(targets) => found.sync.contains(&(change.path.clone(), targets)),
            };
            prop_assert!(kept, "{:?} is not in {:?}", change, found);
        }
        let in_place = matches!(found.lane, Lane::Asset | Lane::Code);
        prop_assert!(!in_place || (mode == WatchMode::Auto && !found.build && !found.release));
        prop_assert!(!in_place || supervised || !found.restart);
    }
}
