//! What a run is to do, from its definition and its parameters. Pure.
//!
//! Names and dialects: Designer's of today (`TAGNAME`, `DEPLOYMENT_ID`, …) and that of 2019 (`should_build`,
//! `should_deploy`), as in Altinn's own pipelines.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use crate::model::{AppId, Definition, Domain, EnvironmentName, OrgName, TaskKind};
use crate::sys::git::Revision;

/// The parameter that is a secret.
pub(super) const TOKEN: &str = "APP_DEPLOY_TOKEN";
/// The name of the header in which the token goes to Gitea; without it, the token is a password.
pub(super) const HEADER: &str = "APP_AUTH_HEADER_NAME";
/// Labels of Helm's records hold as much.
const LONGEST_TAG: usize = 63;

/// What the stack has for runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where apps can be deployed.
    pub environments: Vec<EnvironmentName>,
    /// The organisations that have a cluster and a registry.
    pub orgs: BTreeSet<OrgName>,
    /// What `GITEA_ENVIRONMENT` may be, without scheme; the first is how others are told it.
    pub gitea: Vec<String>,
    /// The names under which apps and the platform are reached.
    pub domain: Domain,
    /// The router's port, a part of all of them.
    pub port: u16,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// Somebody with the pipeline's token: everything must be said, as in production.
    Caller,
    /// The stack's own user, over the agent's socket: what is left out is made up for.
    Owner,
}

/// Where the app's files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The repository's owner, as written.
    pub owner: String,
    /// The repository, as written.
    pub repository: String,
    /// The commit.
    pub revision: Revision,
}

/// A run, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Whose it is.
    pub org: OrgName,
    /// The app; none when it is about the whole organisation.
    pub app: Option<AppId>,
    /// Where the files come from; none when none are needed.
    pub source: Option<Source>,
    /// The image's tag; none when it follows from the commit.
    pub tag: Option<Tag>,
    /// Where it is deployed.
    pub environment: Option<EnvironmentName>,
    /// Designer's number of the deployment.
    pub deployment: Option<String>,
    /// Maskinporten scopes, JSON: a label of the image.
    pub scopes: Option<String>,
    /// What is done, in order.
    pub tasks: Vec<TaskKind>,
}

/// How an image is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// As it was asked for.
    Given(String),
    /// The commit's digits: the dialect of 2019 has no other name.
    Commit,
    /// The next semantic version, from the nature of the changes since the last.
    Next,
}

/// Why a run was not queued: each says the parameter's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct Refused(pub Vec<String>);

/// What a parameter says; none when it says nothing. Names of variables in Azure DevOps know no case.
#[must_use]
pub fn parameter<'a>(parameters: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    let in_any_case = || {
        let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    };
    let found = parameters.get(name).or_else(in_any_case)?.trim();
    (!found.is_empty()).then_some(found)
}

/// Understands a request. All faults are told at once.
pub fn read(
    definition: Definition,
    parameters: &BTreeMap<String, String>,
    asker: Asker,
    facts: &Facts,
) -> Result<Order, Refused> {
    let mut reader = Reader { parameters, asker, facts, faults: Vec::new() };
    let order = reader.order(definition);
    match order {
        Some(order) if reader.faults.is_empty() => Ok(order),
        _ => Err(Refused(reader.faults)),
    }
}

struct Reader<'a> {
    parameters: &'a BTreeMap<String, String>,
    asker: Asker,
    facts: &'a Facts,
    faults: Vec<String>,
}

impl Reader<'_> {
    fn order(&mut self, definition: Definition) -> Option<Order> {
        self.check_access();
        let org = self.org();
        let has = |name| self.given(name).is_some();
        let whole_org = definition == Definition::GitOps && !has("APP_REPO");
        let away = !has("TAGNAME") && !has("APP_COMMIT_ID");
        if whole_org && away {
            let environment = self.environment(true);
            let tasks = vec![TaskKind::Sync];
            return Some(Order { environment, ..Order::of(org?, None, tasks) });
        }
        let app = self.app();
        match definition {
            Definition::Decommission => Some(self.removal(org?, app?)),
            // Over the socket, what is deployed may be left to the agent.
            Definition::GitOps if away => Some(self.removal(org?, app?)),
            Definition::GitOps => Some(self.deployment(org?, app?)),
            Definition::Classic | Definition::Build => Some(self.build(definition, org?, app?)),
            Definition::Quality => {
                let source = Some(self.source());
                let tasks = vec![TaskKind::Clone, TaskKind::Build, TaskKind::Test];
                Some(Order { source, tag: Some(Tag::Commit), ..Order::of(org?, Some(app?), tasks) })
            }
        }
    }

    fn build(&mut self, definition: Definition, org: OrgName, app: AppId) -> Order {
        let source = Some(self.source());
        let (build, deploy) = (self.flag("should_build", true), self.flag("should_deploy", false));
        let tag = match (self.tag(), definition) {
            (Some(tag), _) => Some(Tag::Given(tag)),
            (None, Definition::Classic) => Some(Tag::Commit),
            (None, _) if self.asker == Asker::Owner => Some(Tag::Next),
            (None, _) => {
                self.missing("TAGNAME");
                None
            }
        };
        let environment = if deploy { self.environment(false) } else { None };
        let scopes = self.text("APP_MASKINPORTEN_SCOPES");
        let mut tasks = vec![TaskKind::Clone];
        if build {
            tasks.extend([TaskKind::Build, TaskKind::Push]);
        }
        if deploy {
            tasks.extend([TaskKind::Publish, TaskKind::Helm, TaskKind::Rollout]);
        }
        let deployment = self.text("DEPLOYMENT_ID");
        let order = Order::of(org, Some(app), tasks);
        Order { source, tag, environment, deployment, scopes, ..order }
    }

    fn deployment(&mut self, org: OrgName, app: AppId) -> Order {
        let source = Some(self.source());
        let tag = self.tag();
        if tag.is_none() {
            self.missing("TAGNAME");
        }
        let environment = self.environment(true);
        let deployment = self.text("DEPLOYMENT_ID");
        let tasks = vec![TaskKind::Clone, TaskKind::Publish, TaskKind::Helm, TaskKind::Rollout];
        let tag = tag.map(Tag::Given);
        Order { source, tag, environment, deployment, ..Order::of(org, Some(app), tasks) }
    }

    fn removal(&mut self, org: OrgName, app: AppId) -> Order {
        let environment = self.environment(true);
        Order { environment, ..Order::of(org, Some(app), vec![TaskKind::Remove]) }
    }

    fn given(&self, name: &str) -> Option<&str> {
        parameter(self.parameters, name)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.given(name).map(str::to_owned)
    }

    fn missing(&mut self, name: &str) {
        self.faults.push(format!("{name} is missing"));
    }

    fn wrong(&mut self, name: &str, why: impl std::fmt::Display) {
        self.faults.push(format!("{name}: {why}"));
    }

    fn required(&mut self, name: &str) -> Option<String> {
        let text = self.text(name);
        if text.is_none() {
            self.missing(name);
        }
        text
    }

    fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str, text: &str) -> Option<T> {
        text.parse().map_err(|error| self.wrong(name, error)).ok()
    }

    fn flag(&mut self, name: &str, default: bool) -> bool {
        match self.given(name).map(str::to_ascii_lowercase).as_deref() {
            None => default,
            Some("true" | "1") => true,
            Some("false" | "0") => false,
            Some(other) => {
                let why = format!("`{other}` is neither true nor false");
                self.wrong(name, why);
                default
            }
        }
    }

    fn org(&mut self) -> Option<OrgName> {
        let given = self.required("APP_OWNER")?;
        let org: OrgName = self.parsed("APP_OWNER", &given.to_lowercase())?;
        if !self.facts.orgs.contains(&org) {
            let why =
                format!("{org} has no cluster here; name it under `orgs:` in altinn-local.yaml");
            self.wrong("APP_OWNER", why);
            return None;
        }
        Some(org)
    }

    /// Images and releases are named in lower case, whatever the repository's name is.
    fn app(&mut self) -> Option<AppId> {
        let repository = self.required("APP_REPO")?;
        let owner = self.given("APP_OWNER")?.to_lowercase();
        let app = self.parsed("APP_REPO", &repository.to_lowercase())?;
        Some(AppId { org: owner.parse().ok()?, app })
    }

    fn source(&mut self) -> Source {
        let revision = match (self.text("APP_COMMIT_ID"), self.asker) {
            (Some(commit), _) if is_commit(&commit) => Revision::Commit(commit.to_lowercase()),
            (Some(name), Asker::Owner) if is_reference(&name) => Revision::Named(name),
            (Some(other), _) => {
                let shown: String = other.chars().take(60).collect();
                self.wrong("APP_COMMIT_ID", format!("`{shown}` is not a commit's 40 digits"));
                Revision::Head
            }
            (None, Asker::Owner) => Revision::Head,
            (None, Asker::Caller) => {
                self.missing("APP_COMMIT_ID");
                Revision::Head
            }
        };
        let owner = self.text("APP_OWNER").unwrap_or_default();
        let repository = self.text("APP_REPO").unwrap_or_default();
        Source { owner, repository, revision }
    }

    fn tag(&mut self) -> Option<String> {
        let tag = self.text("TAGNAME")?;
        let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let fine = tag.chars().all(inside) && edge(tag.chars().next()) && edge(tag.chars().last());
        if !fine || tag.len() > LONGEST_TAG {
            let shown: String = tag.chars().take(80).collect();
            self.wrong(
                "TAGNAME",
                format!("`{shown}` is not a tag: letters, digits, `.`, `_` and `-`, at most {LONGEST_TAG}"),
            );
        }
        Some(tag)
    }

    fn environment(&mut self, required: bool) -> Option<EnvironmentName> {
        let known = &self.facts.environments;
        // What owners, and requests of 2019, leave out is the first there is.
        let given = match self.text("APP_ENVIRONMENT") {
            None if self.asker == Asker::Owner || !required => return known.first().cloned(),
            None => {
                self.missing("APP_ENVIRONMENT");
                return None;
            }
            Some(given) => given,
        };
        let found = known.iter().find(|one| one.as_str().eq_ignore_ascii_case(&given)).cloned();
        if found.is_none() {
            let known: Vec<&str> = known.iter().map(EnvironmentName::as_str).collect();
            let shown: String = given.chars().take(40).collect();
            let why =
                format!("there is no environment `{shown}` here; there is {}", known.join(", "));
            self.wrong("APP_ENVIRONMENT", why);
        }
        found
    }

    /// The token only ever goes to this stack's Gitea, whatever a request says.
    fn check_access(&mut self) {
        if self.asker == Asker::Caller {
            self.required(TOKEN);
        }
        let gitea = match self.text("GITEA_ENVIRONMENT") {
            Some(gitea) => gitea,
            None if self.asker == Asker::Owner => return,
            None => return self.missing("GITEA_ENVIRONMENT"),
        };
        let bare = gitea.split_once("://").map_or(gitea.as_str(), |(_, rest)| rest);
        let bare = bare.trim_end_matches('/');
        if !self.facts.gitea.iter().any(|known| known.eq_ignore_ascii_case(bare)) {
            let known = self.facts.gitea.first().map_or("", String::as_str);
            let shown: String = gitea.chars().take(80).collect();
            self.wrong(
                "GITEA_ENVIRONMENT",
                format!("`{shown}` is not this stack's Gitea, `{known}`"),
            );
        }
        if let Some(header) = self.text(HEADER)
            && !header.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        {
            self.wrong(HEADER, "not the name of a header");
        }
    }
}

impl Order {
    fn of(org: OrgName, app: Option<AppId>, tasks: Vec<TaskKind>) -> Self {
        Self {
            org,
            app,
            source: None,
            tag: None,
            environment: None,
            deployment: None,
            scopes: None,
            tasks,
        }
    }
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.chars().all(|c| c.is_ascii_hexdigit())
}

/// What a branch or a tag may be called; stricter than git.
fn is_reference(text: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    text.len() <= 200
        && text.chars().all(inside)
        && !text.contains("..")
        && !text.starts_with(['-', '/'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn facts() -> Facts {
        Facts {
            environments: vec!["local".parse().unwrap()],
            orgs: BTreeSet::from(["ttd".parse().unwrap()]),
            gitea: vec![
                "studio.localhost:8800/repos".to_owned(),
                "127.0.0.1:8800/repos".to_owned(),
            ],
            ..Facts::default()
        }
    }

    fn parameters(words: &str) -> BTreeMap<String, String> {
        let known = BTreeMap::from([
            ("owner", "APP_OWNER=ttd"),
            ("repo", "APP_REPO=Demo"),
            ("token", "APP_DEPLOY_TOKEN=0123456789"),
            ("gitea", "GITEA_ENVIRONMENT=studio.localhost:8800/repos"),
            ("tag", "TAGNAME=1.0.0"),
            ("env", "APP_ENVIRONMENT=local"),
        ]);
        let pair = |word: &str| {
            let word = if word == "commit" {
                format!("APP_COMMIT_ID={COMMIT}")
            } else {
                (*known.get(word).unwrap_or(&word)).to_owned()
            };
            let (name, value) = word.split_once('=').unwrap();
            (name.to_owned(), value.to_owned())
        };
        words.split(' ').filter(|word| !word.is_empty()).map(pair).collect()
    }

    fn told(definition: Definition, asker: Asker, words: &str) -> String {
        match read(definition, &parameters(words), asker, &facts()) {
            Ok(order) => {
                let tasks: Vec<String> =
                    order.tasks.iter().map(|task| format!("{task:?}")).collect();
                let app = order.app.map(|app| app.to_string()).unwrap_or_default();
                let environment = order.environment.map(|it| it.to_string()).unwrap_or_default();
                format!("{app} {:?} {environment} [{}]", order.tag, tasks.join(" "))
            }
            Err(refused) => refused.to_string(),
        }
    }

    #[test]
    fn definitions_and_flags_decide_what_is_done() {
        use Definition::{Build, Classic, Decommission, GitOps, Quality};
        let common = "owner repo token gitea";
        for (definition, words, expected) in [
            (Build, "commit tag", "ttd/demo Some(Given(\"1.0.0\"))  [Clone Build Push]"),
            (Build, "commit tag should_build=false", "ttd/demo Some(Given(\"1.0.0\"))  [Clone]"),
            (
                Build,
                "commit tag should_deploy=True",
                "ttd/demo Some(Given(\"1.0.0\")) local [Clone Build Push Publish Helm Rollout]",
            ),
            (Classic, "commit", "ttd/demo Some(Commit)  [Clone Build Push]"),
            (
                Classic,
                "commit should_deploy=True",
                "ttd/demo Some(Commit) local [Clone Build Push Publish Helm Rollout]",
            ),
            (
                Classic,
                "commit SHOULD_BUILD=false should_deploy=true",
                "ttd/demo Some(Commit) local [Clone Publish Helm Rollout]",
            ),
            (
                GitOps,
                "commit tag env DEPLOYMENT_ID=4",
                "ttd/demo Some(Given(\"1.0.0\")) local [Clone Publish Helm Rollout]",
            ),
            (GitOps, "env", "ttd/demo None local [Remove]"),
            (Decommission, "env", "ttd/demo None local [Remove]"),
            (Quality, "commit", "ttd/demo Some(Commit)  [Clone Build Test]"),
        ] {
            assert_eq!(
                told(definition, Asker::Caller, &format!("{common} {words}")),
                expected,
                "{words}"
            );
        }
        let root = told(GitOps, Asker::Caller, "owner token gitea env");
        assert_eq!(root, " None local [Sync]");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_all_at_once() {
        use Definition::{Build, GitOps};
        for (definition, words, expected) in [
            (
                Build,
                "",
                "APP_DEPLOY_TOKEN is missing; GITEA_ENVIRONMENT is missing; APP_OWNER is missing; APP_REPO is missing",
            ),
            (Build, "owner repo token gitea", "APP_COMMIT_ID is missing; TAGNAME is missing"),
            (
                Build,
                "owner repo token gitea tag APP_COMMIT_ID=main",
                "APP_COMMIT_ID: `main` is not a commit's 40 digits",
            ),
            (
                Build,
                "owner repo token gitea commit TAGNAME=a:b",
                "TAGNAME: `a:b` is not a tag: letters, digits, `.`, `_` and `-`, at most 63",
            ),
            (
                Build,
                "owner repo token gitea commit tag should_deploy=maybe",
                "should_deploy: `maybe` is neither true nor false",
            ),
            (GitOps, "owner repo token gitea commit tag", "APP_ENVIRONMENT is missing"),
            (
                GitOps,
                "owner repo token gitea commit tag APP_ENVIRONMENT=tt02",
                "APP_ENVIRONMENT: there is no environment `tt02` here; there is local",
            ),
            (GitOps, "owner repo token gitea commit env", "TAGNAME is missing"),
            (
                Build,
                "owner repo token commit tag GITEA_ENVIRONMENT=evil.example/repos",
                "GITEA_ENVIRONMENT: `evil.example/repos` is not this stack's Gitea, `studio.localhost:8800/repos`",
            ),
            (
                Build,
                "APP_OWNER=skd repo token gitea commit tag",
                "APP_OWNER: skd has no cluster here; name it under `orgs:` in altinn-local.yaml",
            ),
        ] {
            assert_eq!(told(definition, Asker::Caller, words), expected, "{words}");
        }
    }

    #[test]
    fn an_owner_may_leave_out_what_the_stack_knows() {
        let told = |words| told(Definition::Build, Asker::Owner, words);
        assert_eq!(told("owner repo"), "ttd/demo Some(Next)  [Clone Build Push]");
        assert_eq!(
            told("owner repo APP_COMMIT_ID=feature/a tag"),
            "ttd/demo Some(Given(\"1.0.0\"))  [Clone Build Push]"
        );
        assert!(told("owner repo APP_COMMIT_ID=--upload-pack=x").contains("APP_COMMIT_ID"));
    }
}
