//! `open`: a page in the browser.

use std::process::ExitCode;

use super::Context;
use super::args::Page;
use crate::engine::Snapshot;
use crate::model::{AppId, Code, Report, ResourceKind};

pub(super) async fn run(
    context: &Context<'_>,
    page: Page,
    print: bool,
) -> Result<ExitCode, Report> {
    let client = context.client();
    let snapshot = client.running().await?;
    let mut url = address(&snapshot, page).ok_or_else(|| {
        let title = format!("there is no {} to open yet", word(page));
        Report::new(Code::NotFound, title).fix("altinn-local status --urls", "see what there is")
    })?;
    if page == Page::Dashboard && !print {
        // After `#`, so that it is neither sent nor logged; it works once, within a minute.
        url = format!("{url}#code={}", client.browser_code().await?);
    }
    if print {
        context.printer.line(url);
        return Ok(ExitCode::SUCCESS);
    }
    open::that_detached(&url).map_err(|error| {
        Report::new(Code::NotFound, "no browser could be started")
            .why(error.to_string())
            .fix(format!("altinn-local open {} --print", word(page)), "print the address")
    })?;
    Ok(ExitCode::SUCCESS)
}

fn address(snapshot: &Snapshot, page: Page) -> Option<String> {
    if page == Page::App {
        return app(snapshot);
    }
    snapshot.urls.get(word(page)).cloned()
}

/// Where the first app is.
pub(super) fn app(snapshot: &Snapshot) -> Option<String> {
    let mut apps = snapshot.resources.iter().filter(|found| found.kind == ResourceKind::App);
    let deployed = apps.find_map(|app| app.urls.first().cloned());
    // One that somebody runs beside the stack is no resource of it.
    let mut links = snapshot.urls.iter().filter(|(name, _)| name.parse::<AppId>().is_ok());
    deployed.or_else(|| links.next().map(|(_, url)| url.clone()))
}

const fn word(page: Page) -> &'static str {
    match page {
        Page::Studio => "studio",
        Page::Gitea => "gitea",
        Page::App => "app",
        Page::Platform => "platform",
        Page::Dashboard => "dashboard",
    }
}
