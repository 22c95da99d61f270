//! `data reset`, `seed`, `export`, `import`: what the platform's services keep for the stack.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::args::{Data, Seed, Service};
use super::bundle;
use super::platform::{Platform, scope};
use super::user::{self, Person};
use super::{Context, show};
use crate::model::{AppId, Code, Report};
use crate::sys::fs;

/// Files that instances are made with, together, in bytes; the service takes no more.
const LONGEST: usize = 32 << 20;

pub(super) async fn run(context: &Context<'_>, wanted: Data) -> Result<ExitCode, Report> {
    let platform = Platform::of(context).await?;
    match wanted {
        Data::Reset { app } => reset(context, &platform, app.as_ref()).await?,
        Data::Seed(wanted) => seed(context, &platform, wanted).await?,
        Data::Export { file, app } => {
            let file = context.directory.join(file);
            let written = bundle::write(context, &platform, &file, app.as_ref()).await?;
            show(context.printer, &written);
        }
        Data::Import { file } => {
            let file = context.directory.join(file);
            show(context.printer, &bundle::read(context, &platform, &file).await?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Numbers of things, by service.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    pub(super) schema: &'static str,
    /// What happened to them, in one word.
    #[serde(skip)]
    pub(super) done: &'static str,
    pub(super) services: Map<String, Value>,
}

impl Counts {
    /// `3 instances`, `4 files`: what there is any of.
    fn items(&self) -> Vec<String> {
        let all = self.services.values().filter_map(Value::as_object).flatten();
        all.filter_map(|(name, count)| {
            let count = count.as_u64().filter(|count| *count > 0)?;
            let name = if count == 1 { one(name) } else { name };
            Some(format!("{count} {name}"))
        })
        .collect()
    }
}

/// `instances` is one `instance`; `policies` one `policy`.
fn one(name: &str) -> &str {
    match name {
        "policies" => "policy",
        "deliveries" => "delivery",
        "people" => "file of people",
        _ => name.strip_suffix('s').unwrap_or(name),
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = self.items();
        let items = if items.is_empty() { "nothing".to_owned() } else { items.join(", ") };
        write!(f, "{}: {items}.", self.done)
    }
}

async fn reset(
    context: &Context<'_>,
    platform: &Platform,
    app: Option<&AppId>,
) -> Result<(), Report> {
    let path = format!("data{}", scope(app));
    let mut listed = Counts { schema: "", done: "", services: Map::new() };
    for service in Service::ALL {
        let request = platform.manage(Method::GET, service, &path);
        let mut kept = platform.json(service, request, Code::DataBroken).await?;
        if let Some(kept) = kept.as_object_mut() {
            // These come from deploys and stay.
            kept.retain(|name, _| {
                !["applications", "texts", "policies", "people"].contains(&name.as_str())
            });
        }
        listed.services.insert(service.name().to_owned(), kept);
    }
    let items = listed.items();
    if !items.is_empty() {
        let of = app.map_or_else(|| "of the stack".to_owned(), |app| format!("of {app}"));
        context.confirm(&format!("`data reset` deletes this data {of} for good:"), &items)?;
    }
    let schema = "altinn-local/data-reset/1";
    let mut gone = Counts { schema, done: "Deleted", services: Map::new() };
    // Storage first: while it is emptied, it tells nothing more to Events.
    for service in [Service::Storage, Service::Events, Service::Platform] {
        let request = platform.manage(Method::DELETE, service, &path);
        let went = platform.slowly(service, request, Code::DataBroken).await?;
        gone.services.insert(service.name().to_owned(), went);
    }
    show(context.printer, &gone);
    Ok(())
}

/// What `data seed` made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Seeded {
    schema: &'static str,
    app: AppId,
    seed: u64,
    instances: u64,
    files: u64,
    already_there: u64,
}

impl fmt::Display for Seeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { app, seed, instances, files, already_there, .. } = self;
        write!(f, "Made {instances} instances of {app} with {files} files, seed {seed}.")?;
        if *already_there > 0 {
            write!(f, " {already_there} were there already.")?;
        }
        Ok(())
    }
}

async fn seed(context: &Context<'_>, platform: &Platform, wanted: Seed) -> Result<(), Report> {
    let app = match &wanted.app {
        Some(app) => app.clone(),
        None => own_app(context)?,
    };
    let files = match &wanted.from {
        Some(folder) => files(&context.directory.join(folder))?,
        None => Vec::new(),
    };
    let people = user::people(platform).await?.persons;
    let body = json!({
        "app": app, "count": wanted.count, "seed": wanted.seed, "files": files,
        "owners": owners(&people, &wanted.parties)?,
    });
    let request = platform.manage(Method::POST, Service::Storage, "data/seed").json(&body);
    let mut last = Value::Null;
    let each = |line: Value| {
        if let (Some(made), Some(of)) = (line["made"].as_u64(), line["of"].as_u64()) {
            context.printer.note(format!("  {made} of {of}"));
        }
        last = line;
    };
    let told = platform.lines(Service::Storage, request, Code::DataRefused, each).await;
    told.map_err(|report| {
        if report.code != Code::DataRefused {
            return report;
        }
        report
            .fix(format!("altinn-local deploy {app}"), "tell Storage of the app and its data types")
    })?;
    if last["done"] != true {
        let status = last["status"].as_u64().unwrap_or_default();
        return Err(Report::new(Code::ServiceSilent, "Storage stopped in the middle")
            .why(format!("it answered {status} at instance {}", last["at"]))
            .fix("altinn-local logs storage", "see why; the same command goes on where it ended"));
    }
    let number = |name: &str| last[name].as_u64().unwrap_or_default();
    show(
        context.printer,
        &Seeded {
            schema: "altinn-local/data-seed/1",
            app,
            seed: wanted.seed,
            instances: number("instances"),
            files: number("files"),
            already_there: number("alreadyThere"),
        },
    );
    Ok(())
}

/// The app of the folder one stands in.
fn own_app(context: &Context<'_>) -> Result<AppId, Report> {
    let settings = context.settings()?;
    let apps = settings.require_apps()?;
    let wanted = match apps {
        [app] => app,
        apps => {
            apps.iter().find(|app| context.directory.starts_with(&app.root)).ok_or_else(|| {
                Report::new(Code::NotAnApp, "there are several apps here")
                    .fix("altinn-local data seed --app ORG/APP", "name one of them")
            })?
        }
    };
    Ok(crate::engine::found_app(wanted)?.id)
}

/// Who owns the instances: every person with a number, or these parties.
fn owners(people: &[Person], parties: &[i64]) -> Result<Vec<Value>, Report> {
    if parties.is_empty() {
        let named =
            people.iter().filter(|person| person.ssn.as_ref().is_some_and(|ssn| !ssn.is_empty()));
        return Ok(named.map(own).collect());
    }
    parties.iter().map(|party| owner(people, *party)).collect()
}

fn own(person: &Person) -> Value {
    json!({ "partyId": person.party_id, "userId": person.user_id, "personNumber": person.ssn })
}

fn owner(people: &[Person], id: i64) -> Result<Value, Report> {
    if let Some(person) = people.iter().find(|person| person.party_id == id) {
        return Ok(own(person));
    }
    let acting = people.iter().find_map(|person| {
        let party = person.parties.iter().find(|party| party.party_id == id)?;
        Some((person, party))
    });
    let (person, party) = acting.ok_or_else(|| {
        Report::new(Code::NotFound, format!("no test person may act for party {id}"))
            .fix("altinn-local user list", "see whom there is")
    })?;
    Ok(json!({
        "partyId": id, "userId": person.user_id,
        "personNumber": party.ssn, "organisationNumber": party.org_number,
    }))
}

/// The files of a folder, named by their data types.
fn files(folder: &Path) -> Result<Vec<Value>, Report> {
    let mut names = fs::list(folder)?;
    names.retain(|path| path.is_file());
    names.sort();
    let mut all = Vec::new();
    let mut length = 0;
    for path in names {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (kind, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
        if kind.is_empty() {
            continue;
        }
        let bytes = fs::read_if_there(&path)?.unwrap_or_default();
        length += bytes.len();
        if length > LONGEST {
            return Err(Report::new(Code::DataRefused, "the files to seed with are too long")
                .at(folder.display().to_string())
                .why("together they may be 32 MiB"));
        }
        all.push(json!({
            "dataType": kind, "filename": name, "contentType": content_type(ending),
            "content": STANDARD.encode(bytes),
        }));
    }
    if all.is_empty() {
        return Err(Report::new(Code::DataRefused, "there are no files to seed with")
            .at(folder.display().to_string())
            .fix("altinn-local data seed", "without --from: text is made up for attachments"));
    }
    Ok(all)
}

fn content_type(ending: &str) -> &'static str {
    match ending.to_ascii_lowercase().as_str() {
        "xml" => "application/xml",
        "json" => "application/json",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "csv" => "text/csv",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_in_words() {
        let services = json!({
            "storage": { "applications": 0, "instances": 1, "files": 4 },
            "events": { "events": 7, "deliveries": 1 },
            "platform": { "policies": 1 },
        });
        let mut counts = Counts {
            schema: "",
            done: "Deleted",
            services: services.as_object().cloned().unwrap(),
        };
        let told = counts.to_string();
        assert_eq!(told, "Deleted: 1 instance, 4 files, 7 events, 1 delivery, 1 policy.");
        counts.services.clear();
        assert_eq!(counts.to_string(), "Deleted: nothing.");
    }

    #[test]
    fn files_are_named_by_their_data_type() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(files(folder.path()).unwrap_err().code, Code::DataRefused);
        std::fs::write(folder.path().join("model.xml"), "<a/>").unwrap();
        std::fs::write(folder.path().join(".hidden"), "x").unwrap();
        let found = files(folder.path()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0]["dataType"], "model");
        assert_eq!(found[0]["contentType"], "application/xml");
        assert_eq!(found[0]["content"], "PGEvPg==");
        assert!(files(&folder.path().join("none")).is_err());
    }
}
