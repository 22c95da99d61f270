use super::*;
use crate::cli::style::Style;
use crate::model::{Code, Diagnostic, Report, Severity};

fn manner() -> Manner<'static> {
    Manner { style: Style::plain(), causes: false, root: None }
}

/// Events as an agent wrote them.
const RECORDED: &str = r#"
{"seq":1,"t":"2026-01-01T14:02:00Z","type":"runStarted","run":1,"command":"up"}
{"seq":2,"t":"2026-01-01T14:02:00Z","type":"stepStarted","step":"create studio.gitea","resource":"studio.gitea"}
{"seq":3,"t":"2026-01-01T14:02:00Z","type":"stepStarted","step":"create org.ttd.cluster","resource":"org.ttd.cluster"}
{"seq":4,"t":"2026-01-01T14:02:06Z","type":"stepFinished","step":"create studio.gitea","ms":6100}
{"seq":5,"t":"2026-01-01T14:02:07Z","type":"stepProgress","step":"create org.ttd.cluster","detail":"the node boots"}
{"seq":6,"t":"2026-01-01T14:02:08Z","type":"log","source":"create org.ttd.cluster","line":"noise"}
{"seq":7,"t":"2026-01-01T14:02:09Z","type":"somethingNew","x":1}
{"seq":8,"t":"2026-01-01T14:02:31Z","type":"stepFinished","step":"create org.ttd.cluster","ms":31000}
{"seq":9,"t":"2026-01-01T14:02:32Z","type":"shipped","app":"ttd/my-app","tag":"8e1f0aa","revision":7,"lane":"build","reason":"Dockerfile","stages":[{"name":"build","ms":2100},{"name":"deploy","ms":900}],"totalMs":3200}
{"seq":10,"t":"2026-01-01T14:02:40Z","type":"change","app":"ttd/my-app","paths":["App/logic/Calc.cs","App/a.cs"],"count":3}
{"seq":11,"t":"2026-01-01T14:02:41Z","type":"runFinished","run":1,"ms":41000,"changingCalls":9,"report":null,"links":[["Studio","http://studio.localhost:8800"]]}
"#;

fn recorded() -> Vec<Event> {
    RECORDED.trim().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn plain_lines_tell_what_was_done() {
    let mut plain = Plain::new(manner(), TimeZone::UTC, false);
    let mut lines = Vec::new();
    for event in recorded() {
        lines.extend(plain.event(&event));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    14:02:00  up …
    14:02:06  ✔ create studio.gitea                      6.1s
    14:02:31  ✔ create org.ttd.cluster                   31s
    14:02:32  ✔ live    ttd/my-app v7 8e1f0aa   build (Dockerfile)   build 2.1s · deploy 900ms   3.2s
    14:02:40  change    App/logic/Calc.cs (+2 files)
    ");
}

#[test]
fn silence_is_broken_by_what_is_under_way() {
    let mut plain = Plain::new(manner(), TimeZone::UTC, false);
    let mut view = View::default();
    for event in recorded().into_iter().take(7) {
        view.hear(&event);
        plain.event(&event);
    }
    let tick = |plain: &mut Plain<'_>, time: &str| plain.tick(&view, time.parse().unwrap());
    assert_eq!(tick(&mut plain, "2026-01-01T14:02:10Z"), None);
    assert_eq!(tick(&mut plain, "2026-01-01T14:02:19Z"), None);
    let line = tick(&mut plain, "2026-01-01T14:02:20Z");
    assert_eq!(tick(&mut plain, "2026-01-01T14:02:21Z"), None);
    insta::assert_snapshot!(line.unwrap(), @"14:02:20  … create org.ttd.cluster (20s, the node boots)");
}

#[test]
fn a_failed_save_keeps_the_old_version_in_sight() {
    let found = Diagnostic {
        file: "App/logic/Calc.cs".to_owned(),
        line: 41,
        column: 17,
        code: "CS0103".to_owned(),
        severity: Severity::Error,
        message: "The name 'totl' does not exist in the current context".to_owned(),
    };
    let report =
        Report::new(Code::CompileFailed, "the app does not compile").with_diagnostics(vec![found]);
    let event = Event {
        seq: 1,
        time: "2026-01-01T14:02:19Z".to_owned(),
        kind: EventKind::ShipFailed {
            app: "ttd/my-app".parse().unwrap(),
            report: Box::new(report),
            serving: Some(7),
        },
    };
    let lines = Plain::new(manner(), TimeZone::UTC, false).event(&event);
    insta::assert_snapshot!(lines.join("\n"), @r"
    14:02:19  ✖  error[AL3102] the app does not compile
              App/logic/Calc.cs:41:17  CS0103  The name 'totl' does not exist in the current context
              still serving v7 · waiting for the next change
    ");
}

#[test]
fn the_end_of_another_run_is_not_ours() {
    let last = || recorded().pop().unwrap();
    assert!(end_of(last(), Some(2)).is_none());
    assert!(end_of(last(), None).is_none());
    let outcome = end_of(last(), Some(1)).unwrap().unwrap();
    assert_eq!(outcome.link_lines(), ["  Studio  http://studio.localhost:8800"]);
    let json = serde_json::to_string(&outcome).unwrap();
    assert!(json.starts_with(r#"{"type":"result","ok":true,"run":1,"#), "{json}");
}
