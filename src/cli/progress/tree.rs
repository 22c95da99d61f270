//! Progress as a tree that is redrawn: one line for each group of the view.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::view::{Group, Stand, Step, View, between};
use crate::cli::style::{Style, span};
use crate::events::clean;

/// How wide a group's name is.
const NAME: usize = 10;

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// The lines on the screen.
pub struct Tree {
    canvas: MultiProgress,
    lines: Vec<ProgressBar>,
    style: Style,
    frame: usize,
}

impl Tree {
    /// An empty tree.
    #[must_use]
    pub const fn new(canvas: MultiProgress, style: Style) -> Self {
        Self { canvas, lines: Vec::new(), style, frame: 0 }
    }

    /// Draws the view as it is now. The canvas itself limits how often the terminal is written to.
    pub fn draw(&mut self, view: &View, now: Timestamp) {
        self.frame = (self.frame + 1) % SPINNER.len();
        let groups = view.groups();
        while self.lines.len() > groups.len() {
            if let Some(line) = self.lines.pop() {
                self.canvas.remove(&line);
            }
        }
        while self.lines.len() < groups.len() {
            let line = self.canvas.add(ProgressBar::new_spinner());
            if let Ok(template) = ProgressStyle::with_template("{wide_msg}") {
                line.set_style(template);
            }
            self.lines.push(line);
        }
        for (line, group) in self.lines.iter().zip(&groups) {
            line.set_message(text(group, SPINNER[self.frame], self.style, now));
        }
    }

    /// Puts lines above the tree, where they stay.
    pub fn above(&self, lines: &[String]) {
        for line in lines {
            // A terminal that is gone: the run goes on, and its end is told by the exit code.
            let _ = self.canvas.println(line);
        }
    }

    /// Takes the tree off the screen.
    pub fn clear(&mut self) {
        for line in self.lines.drain(..) {
            line.finish_and_clear();
        }
        let _ = self.canvas.clear();
    }
}

/// `✔ Studio      gitea ✔ 6s   router … 1s: waiting for its port`.
fn text(group: &Group<'_>, spinner: &str, style: Style, now: Timestamp) -> String {
    let failed = group.steps.iter().any(|step| step.stand == Stand::Failed);
    let running = group.steps.iter().any(|step| matches!(step.stand, Stand::Running(_)));
    let sign = match (failed, running) {
        (true, _) => style.red("✖"),
        (false, true) => style.cyan(spinner),
        (false, false) => style.green("✔"),
    };
    let members: Vec<String> = group.steps.iter().map(|step| member(step, style, now)).collect();
    format!("{sign} {:<NAME$}  {}", group.name, members.join("   "))
}

fn member(step: &Step, style: Style, now: Timestamp) -> String {
    let name = short(step);
    match step.stand {
        Stand::Done(ms) => format!("{name} {} {}", style.green("✔"), style.dim(&span(ms))),
        Stand::Failed => format!("{name} {}", style.red("✖")),
        Stand::Running(since) => {
            let detail = step.detail.as_deref().map(|detail| format!(": {}", clean(detail)));
            format!("{name} … {}{}", span(between(since, now)), detail.unwrap_or_default())
        }
    }
}

/// `create studio.gitea` is `create gitea` in its group's line.
fn short(step: &Step) -> String {
    let verb = step.id.split(' ').next().unwrap_or_default();
    let name = step.resource.rsplit('.').next().unwrap_or_default();
    if verb == step.id { step.id.clone() } else { format!("{verb} {name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Event, EventKind};

    #[test]
    fn a_group_is_a_line() {
        let mut view = View::default();
        let event = |time: &str, kind| Event { seq: 1, time: time.to_owned(), kind };
        for (step, resource) in [
            ("create studio.gitea", "studio.gitea"),
            ("create studio.router", "studio.router"),
            ("create org.ttd.cluster", "org.ttd.cluster"),
        ] {
            let kind =
                EventKind::StepStarted { step: step.to_owned(), resource: resource.to_owned() };
            view.hear(&event("2026-01-01T12:00:00Z", kind));
        }
        let done = EventKind::StepFinished { step: "create studio.gitea".to_owned(), ms: 6_100 };
        view.hear(&event("2026-01-01T12:00:06Z", done));
        let detail = EventKind::StepProgress {
            step: "create org.ttd.cluster".to_owned(),
            detail: "node is not ready".to_owned(),
        };
        view.hear(&event("2026-01-01T12:00:07Z", detail));
        let now = "2026-01-01T12:00:31Z".parse().unwrap();
        let lines: Vec<String> =
            view.groups().iter().map(|group| text(group, "⠋", Style::plain(), now)).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        ⠋ Studio      create gitea ✔ 6.1s   create router … 31s
        ⠋ Org ttd     create cluster … 31s: node is not ready
        ");
    }
}
