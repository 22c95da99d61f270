//! The passwords and keys of one stack: generated once, kept private, never printed by accident.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Everything secret that a stack is made with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credentials {
    /// Gitea's administrator, as Altinn's own local set-up names it.
    pub gitea_admin: String,
    /// The administrator's password.
    pub gitea_admin_password: String,
    /// Gitea's `SECRET_KEY`.
    pub gitea_secret_key: String,
    /// Gitea's `INTERNAL_TOKEN`, in the shape of a JWT.
    pub gitea_internal_token: String,
    /// Gitea's `JWT_SECRET`: 43 characters of base64url.
    pub gitea_jwt_secret: String,
    /// PostgreSQL's superuser's password.
    pub postgres_password: String,
    /// The password of the role `gitea`.
    pub gitea_database_password: String,
    /// What opens the management surface of the platform's services, as a bearer token. Empty, as what follows, in the
    /// file of a stack that is older than the key, until the next `up`.
    #[serde(default)]
    pub services_key: String,
    /// The password of the role `storage`.
    #[serde(default)]
    pub storage_database_password: String,
    /// The password of the role `events`.
    #[serde(default)]
    pub events_database_password: String,
    /// The key of the account in the blob store: base64 of 64 bytes, as Azure's keys are.
    #[serde(default)]
    pub blob_key: String,
    /// The password of the role `designer`.
    #[serde(default)]
    pub designer_database_password: String,
    /// The password of Studio's developer in Gitea.
    #[serde(default)]
    pub developer_password: String,
    /// What opens the pipeline's build API.
    #[serde(default)]
    pub pipeline_token: String,
    /// What Gitea signs the news of pushes with.
    #[serde(default)]
    pub pipeline_hook_secret: String,
}

impl Credentials {
    /// Studio's developer, who has what an app's team has; the same in every stack.
    pub const DEVELOPER: &str = "developer";

    /// The password of a database's role, which has the database's name.
    #[must_use]
    pub fn database_password(&self, database: &str) -> Option<&str> {
        match database {
            "gitea" => Some(&self.gitea_database_password),
            "storage" => Some(&self.storage_database_password),
            "designer" => Some(&self.designer_database_password),
            "events" => Some(&self.events_database_password),
            _ => None,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("gitea_admin", &self.gitea_admin)
            .finish_non_exhaustive()
    }
}
