//! `user list`, `user login`: the test people, and tokens for them.

use std::fmt;
use std::process::ExitCode;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::args::{Login, Service, User};
use super::platform::Platform;
use super::{Context, show};
use crate::events::clean;
use crate::model::{Code, Report};

pub(super) async fn run(context: &Context<'_>, wanted: User) -> Result<ExitCode, Report> {
    let platform = Platform::of(context).await?;
    match wanted {
        User::List => show(context.printer, &people(&platform).await?),
        User::Login(login) => log_in(context, &platform, login).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Who there is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct People {
    #[serde(default)]
    schema: String,
    pub(super) persons: Vec<Person>,
    orgs: Vec<serde_json::Value>,
    system_users: Vec<serde_json::Value>,
    /// Files of people that the platform could not read.
    #[serde(default)]
    faults: Vec<String>,
}

/// A test person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Person {
    pub(super) user_id: i64,
    pub(super) party_id: i64,
    user_name: Option<String>,
    pub(super) ssn: Option<String>,
    name: String,
    /// Whom they may act for beside themselves.
    pub(super) parties: Vec<Party>,
}

/// Somebody whom a person may act for.
#[expect(clippy::struct_field_names, reason = "the wire's name")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Party {
    pub(super) party_id: i64,
    name: String,
    pub(super) org_number: Option<String>,
    pub(super) ssn: Option<String>,
    roles: Vec<String>,
}

pub(super) async fn people(platform: &Platform) -> Result<People, Report> {
    let found = platform.people().await?;
    let mut people: People = serde_json::from_value(found).map_err(|error| {
        Report::new(Code::ServiceSilent, "the platform's answer was not understood")
            .caused_by(&error)
            .fix("altinn-local down", "data stays; then `altinn-local up`")
    })?;
    "altinn-local/user-list/1".clone_into(&mut people.schema);
    Ok(people)
}

impl Person {
    fn shown(&self) -> String {
        let own = self.user_name.as_deref().filter(|_| self.name.is_empty());
        clean(own.unwrap_or(&self.name))
    }
}

impl fmt::Display for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8} {:<8} {:<12} NAME", "USER", "PARTY", "NUMBER")?;
        for person in &self.persons {
            let number = person.ssn.as_deref().filter(|ssn| !ssn.is_empty()).unwrap_or("–");
            let (user, party, name) = (person.user_id, person.party_id, person.shown());
            write!(f, "\n{user:<8} {party:<8} {number:<12} {name}")?;
            for party in &person.parties {
                let number = party.org_number.as_ref().or(party.ssn.as_ref());
                let number = number.map_or("–", String::as_str);
                let roles = party.roles.join(", ");
                let line = format!(
                    "         {:<8} {number:<12}   {} {}",
                    party.party_id,
                    clean(&party.name),
                    clean(&roles)
                );
                write!(f, "\n{}", line.trim_end())?;
            }
        }
        for fault in &self.faults {
            write!(f, "\n\nnot read: {}", clean(fault))?;
        }
        Ok(())
    }
}

/// The one person that a word means.
fn find<'a>(people: &'a [Person], word: &str) -> Result<&'a Person, Report> {
    let number: Option<i64> = word.parse().ok();
    let exact: [&dyn Fn(&Person) -> bool; 4] = [
        &|person| Some(person.user_id) == number,
        &|person| Some(person.party_id) == number,
        &|person| person.ssn.as_deref() == Some(word),
        &|person| person.user_name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(word)),
    ];
    for is_it in exact {
        if let Some(person) = people.iter().find(|person| is_it(person)) {
            return Ok(person);
        }
    }
    let part = word.to_lowercase();
    let fits = |person: &&Person| {
        let user_name = person.user_name.as_deref().unwrap_or_default();
        person.name.to_lowercase().contains(&part) || user_name.to_lowercase().contains(&part)
    };
    let found: Vec<&Person> = people.iter().filter(fits).collect();
    match found.as_slice() {
        [person] => Ok(person),
        [] => Err(unknown(people, word)),
        several => Err(ambiguous(several, word)),
    }
}

fn unknown(people: &[Person], word: &str) -> Report {
    let report = Report::new(Code::NotFound, format!("there is no test person `{}`", clean(word)));
    let close = |person: &&Person| {
        let names = person.name.split(' ').chain(person.user_name.as_deref());
        let best =
            names.map(|name| strsim::jaro_winkler(&name.to_lowercase(), &word.to_lowercase()));
        best.fold(0.0, f64::max) > 0.85
    };
    let report = match people.iter().find(close) {
        Some(person) => report.fix(
            format!("altinn-local user login {}", person.user_id),
            format!("{} sounds alike", person.shown()),
        ),
        None => report,
    };
    report.fix("altinn-local user list", "see who there is")
}

fn ambiguous(several: &[&Person], word: &str) -> Report {
    let title = format!("`{}` fits {} test people", clean(word), several.len());
    let report = Report::new(Code::NotFound, title);
    several.iter().take(5).fold(report, |report, person| {
        report.fix(format!("altinn-local user login {}", person.user_id), person.shown())
    })
}

async fn log_in(context: &Context<'_>, platform: &Platform, login: Login) -> Result<(), Report> {
    let mut query: Vec<(&str, String)> = Vec::new();
    if let Some(scope) = &login.scope {
        query.push((if login.org.is_some() { "scopes" } else { "scope" }, scope.clone()));
    }
    if let Some(level) = login.level {
        query.push(("authenticationLevel", level.to_string()));
    }
    if let Some(org) = &login.org {
        query.push(("org", org.clone()));
        let token = platform.token("/Home/GetTestOrgToken", &query).await;
        print(context, &token?, &json!({ "org": org }));
        return Ok(());
    }
    if let Some(id) = &login.system {
        if !id.is_empty() {
            query.push(("systemUserId", id.clone()));
        }
        let token = platform.token("/Home/GetTestSystemUserToken", &query).await?;
        print(context, &token, &json!({ "system": id }));
        return Ok(());
    }
    let people = people(platform).await?.persons;
    let person = find(&people, login.person.as_deref().unwrap_or_default())?;
    if let Some(party) = login.party {
        may_act(person, party)?;
        query.push(("partyId", party.to_string()));
    }
    if login.open || login.link {
        return open(context, platform, person, &login).await;
    }
    query.push(("userId", person.user_id.to_string()));
    let token = platform.token("/Home/auth/user", &query).await?;
    print(context, &token, &json!({ "userId": person.user_id, "partyId": person.party_id }));
    Ok(())
}

fn may_act(person: &Person, party: i64) -> Result<(), Report> {
    let known = |known: &Party| known.party_id == party;
    if person.party_id == party || person.parties.iter().any(known) {
        return Ok(());
    }
    let title = format!("{} may not act for party {party}", person.shown());
    Err(Report::new(Code::NotFound, title)
        .fix("altinn-local user list", "see who may act for whom"))
}

/// The token alone, so that `TOKEN=$(altinn-local user login 1337)` works.
fn print(context: &Context<'_>, token: &str, whose: &serde_json::Value) {
    let printer = context.printer;
    if printer.is_json() {
        let schema = "altinn-local/user-login/1";
        printer.json(&json!({ "schema": schema, "token": token, "for": whose }));
    } else {
        printer.line(token);
    }
}

async fn open(
    context: &Context<'_>,
    platform: &Platform,
    person: &Person,
    login: &Login,
) -> Result<(), Report> {
    let wanted = json!({
        "userId": person.user_id, "partyId": login.party, "level": login.level,
        "goto": platform.app_url,
    });
    let request = platform.manage(Method::POST, Service::Platform, "login").json(&wanted);
    let answer = platform.json(Service::Platform, request, Code::NotFound).await?;
    let url = answer["url"].as_str().unwrap_or_default();
    if login.link {
        if context.printer.is_json() {
            let schema = "altinn-local/user-link/1";
            context.printer.json(&json!({ "schema": schema, "url": url }));
        } else {
            context.printer.line(url);
        }
        return Ok(());
    }
    ::open::that_detached(url).map_err(|error| {
        let command = format!("altinn-local user login {} --link", person.user_id);
        Report::new(Code::NotFound, "no browser could be started")
            .why(error.to_string())
            .fix(command, "print the address")
    })?;
    context.printer.note(format!("The browser logs in as {}.", person.shown()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(user: i64, name: &str, user_name: &str) -> Person {
        Person {
            user_id: user,
            party_id: user + 500_000,
            user_name: Some(user_name.to_owned()),
            ssn: Some(format!("0103901{user:0>4}")),
            name: name.to_owned(),
            parties: Vec::new(),
        }
    }

    fn everybody() -> Vec<Person> {
        vec![
            person(1337, "Sophie Salt", "sophieddg"),
            person(12345, "Ola Nordmann", "OlaNordmann"),
            person(12346, "Kari Nordmann", "kari"),
        ]
    }

    #[test]
    fn people_are_found_by_what_fits_one() {
        let people = everybody();
        for (word, user) in [
            ("1337", 1337),
            ("501337", 1337),
            ("01039011337", 1337),
            ("SophieDDG", 1337),
            ("salt", 1337),
            ("ola", 12345),
            ("Ola Nord", 12345),
            ("kari", 12346),
        ] {
            assert_eq!(find(&people, word).unwrap().user_id, user, "{word}");
        }
    }

    #[test]
    fn others_are_told_who_might_be_meant() {
        let people = everybody();
        let report = find(&people, "nordmann").unwrap_err();
        assert_eq!(report.code, Code::NotFound);
        assert_eq!(report.title, "`nordmann` fits 2 test people");
        assert_eq!(report.fixes[1].command, "altinn-local user login 12346");
        let report = find(&people, "Sofie").unwrap_err();
        assert_eq!(report.fixes[0].command, "altinn-local user login 1337");
        let report = find(&people, "zzz").unwrap_err();
        assert_eq!(report.fixes[0].command, "altinn-local user list");
        assert!(may_act(&people[0], 501_337).is_ok());
        assert_eq!(may_act(&people[0], 1).unwrap_err().code, Code::NotFound);
    }

    #[test]
    fn the_list_tells_who_acts_for_whom() {
        let mut sophie = person(1337, "Sophie Salt", "sophieddg");
        sophie.parties.push(Party {
            party_id: 500_000,
            name: "DDG Fitness AS".to_owned(),
            org_number: Some("897069650".to_owned()),
            ssn: None,
            roles: vec!["DAGL".to_owned(), "REGNA".to_owned()],
        });
        let people = People {
            schema: String::new(),
            persons: vec![sophie],
            orgs: Vec::new(),
            system_users: Vec::new(),
            faults: Vec::new(),
        };
        insta::assert_snapshot!(people, @r"
        USER     PARTY    NUMBER       NAME
        1337     501337   01039011337  Sophie Salt
                 500000   897069650      DDG Fitness AS DAGL, REGNA
        ");
    }
}
