//! Brings one container to what it should be: made, filled, started, ready, set up.

use serde_json::json;

use crate::events::StepScope;
use crate::model::{Code, Credentials, FileSpec, Report, Service, Setup, SignIn, StackName};
use crate::plan::ServiceChange;
use crate::sys::docker::{Docker, SET_UP_MARKER};
use crate::sys::gitea::Gitea;
use crate::sys::http::Http;
use crate::sys::template;

use super::gitea::Seed;
use super::ready;

const DATABASES: &str = include_str!("../../templates/postgres/databases.sql");

/// What container steps need.
#[derive(Debug, Clone)]
pub struct Executor<'a> {
    /// The engine.
    pub docker: &'a Docker,
    /// For probes.
    pub http: &'a Http,
    /// The stack's name, for labels.
    pub stack: &'a StackName,
    /// The stack's network.
    pub network: &'a str,
    /// Passwords for set-up.
    pub credentials: &'a Credentials,
    /// The router's port, through which Gitea is reached.
    pub router_port: u16,
}

impl Executor<'_> {
    /// Carries out a change; every one of them may be repeated.
    pub async fn run(
        &self,
        service: &Service,
        change: &ServiceChange,
        scope: &StepScope,
    ) -> Result<(), Report> {
        let id = match change {
            ServiceChange::Create => self.create(service, scope).await?,
            ServiceChange::Replace(old) => {
                // A database that is killed must recover; one that is stopped must not.
                self.docker.stop_container(old).await?;
                self.docker.remove_container(old).await?;
                self.create(service, scope).await?
            }
            ServiceChange::Start(id) => {
                self.docker.start_container(id, &service.container).await?;
                id.clone()
            }
            ServiceChange::SetUp(id) => id.clone(),
        };
        ready::wait(self.docker, self.http, service, &id, scope).await?;
        if !self.docker.is_set_up(&id).await? {
            self.set_up(service, &id, scope).await?;
        }
        Ok(())
    }

    async fn create(&self, service: &Service, scope: &StepScope) -> Result<String, Report> {
        let files = self.files(service, scope).await?;
        scope.detail("creating");
        let (network, stack) = (self.network, self.stack);
        let id = self.docker.create_container(service, &files, network, stack).await?;
        self.docker.start_container(&id, &service.container).await?;
        Ok(id)
    }

    /// The files that a new container gets, with the OAuth application that Gitea makes for it.
    async fn files(&self, service: &Service, scope: &StepScope) -> Result<Vec<FileSpec>, Report> {
        let mut files = service.files.clone();
        if let Some(SignIn { name, redirect }) = &service.sign_in {
            scope.detail("making its OAuth application in Gitea");
            let application = self.gitea().renew_application(name, redirect).await?;
            for file in &mut files {
                file.contents = file.contents.replace(SignIn::ID, &application.id);
                file.contents = file.contents.replace(SignIn::SECRET, &application.secret);
            }
        }
        Ok(files)
    }

    /// Does what a new container needs, then marks it; a cut in the middle leaves no mark, so it is done again.
    async fn set_up(&self, service: &Service, id: &str, scope: &StepScope) -> Result<(), Report> {
        match &service.setup {
            Some(Setup::Databases(names)) => self.databases(id, names, scope).await?,
            Some(Setup::Gitea { orgs, .. }) => {
                let (gitea, router_port) = (self.gitea(), self.router_port);
                let seed = Seed { gitea, router_port, credentials: self.credentials };
                seed.set_up(self.docker, id, orgs, scope).await?;
            }
            None => {}
        }
        let marker = FileSpec {
            path: SET_UP_MARKER.to_owned(),
            contents: String::new(),
            mode: 0o444,
            owner: (0, 0),
        };
        self.docker.put_files(id, &[marker]).await
    }

    /// Gitea's API as its administrator.
    #[must_use]
    pub fn gitea(&self) -> Gitea {
        let credentials = self.credentials;
        let (user, password) = (&credentials.gitea_admin, &credentials.gitea_admin_password);
        let calls = self.docker.calls.clone();
        Gitea::new(self.http.clone(), self.router_port, user, password, calls)
    }

    /// Roles and databases, made or brought to the stack's passwords: a volume may be older than the credentials.
    /// Passwords go by standard input, to a socket inside the container.
    async fn databases(&self, id: &str, names: &[String], scope: &StepScope) -> Result<(), Report> {
        scope.detail("making databases");
        self.docker.calls.changing("postgres: make databases");
        let password = |name: &String| self.credentials.database_password(name);
        let databases = names
            .iter()
            .filter_map(|name| Some(json!({ "name": name, "password": password(name)? })));
        let values = json!({
            "superuser_password": self.credentials.postgres_password,
            "databases": databases.collect::<Vec<_>>(),
        });
        let script = template::render(DATABASES, &values)?;
        let words = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres"];
        let done = self.docker.exec(id, &words, Some(&script)).await?;
        if done.code == 0 {
            return Ok(());
        }
        Err(Report::new(Code::ServiceFailed, "PostgreSQL refused to make the databases")
            .with_tail(done.lines))
    }
}
