//! Working copies: `repos/{user}/{org}/{app}` below the data folder. One request at a time works in one of them.

mod conflict;
pub(super) mod files;
pub(super) mod git;
pub(super) mod place;
pub(super) mod tell;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Designer;
use super::gitea::Repository;
use super::session::Session;
use crate::kit::fault::Fault;
use crate::kit::name::AppId;
use git::{Author, Copy};

/// All working copies.
pub(super) struct Copies {
    data: PathBuf,
    locks: Mutex<HashMap<PathBuf, Arc<tokio::sync::Mutex<()>>>>,
}

/// What work in a copy is given.
pub(super) struct Desk {
    /// Its top folder.
    pub(super) root: PathBuf,
    pub(super) copy: Copy,
    /// Who works, with a token.
    pub(super) author: Author,
}

impl Copies {
    pub(super) fn new(data: &Path) -> Self {
        Self { data: data.join("repos"), locks: Mutex::default() }
    }

    fn root(&self, user: &str, app: &AppId) -> PathBuf {
        // Gitea's names of users are these letters; anything else would be a folder of its own choosing.
        let user: String = user
            .to_ascii_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '+' })
            .collect();
        self.data.join(user).join(app.org()).join(app.app())
    }

    fn lock(&self, root: &Path) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        locks.entry(root.to_path_buf()).or_default().clone()
    }
}

impl Designer {
    /// Works in the user's copy of an app, which is cloned when there is none. Only for those who may see the app.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        session: &Session,
        app: &AppId,
        work: impl FnOnce(&Desk) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let repository = self.repository(session, app).await?;
        self.work_in(session, app, &repository, work).await
    }

    /// As [`Designer::work`], for those who may push to it.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        session: &Session,
        app: &AppId,
        work: impl FnOnce(&Desk) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let repository = self.writable(session, app).await?;
        self.work_in(session, app, &repository, work).await
    }

    async fn work_in<T: Send + 'static>(
        &self,
        session: &Session,
        app: &AppId,
        repository: &Repository,
        work: impl FnOnce(&Desk) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let user = &session.user;
        let name = if user.full_name.is_empty() { &user.login } else { &user.full_name };
        let author = Author {
            name: name.clone(),
            email: user.email.clone(),
            token: self.token(session).await?,
        };
        let branch = match repository.default_branch.as_str() {
            "" => "master".to_owned(),
            branch => branch.to_owned(),
        };
        let root = self.0.copies.root(&user.login, app);
        let url = self.0.gitea.git_url(app);
        let lock = self.0.copies.lock(&root);
        let held = lock.lock_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let _held = held;
            let copy = if root.join(".git").exists() {
                Copy::open(&root)?
            } else {
                if let Some(folder) = root.parent() {
                    std::fs::create_dir_all(folder).map_err(Fault::internal)?;
                }
                Copy::make(&root, &url, &branch, &author)?
            };
            work(&Desk { root, copy, author })
        });
        done.await.map_err(Fault::internal)?
    }
}
