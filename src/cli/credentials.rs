//! `credentials`: the one place where the stack's secrets are shown, because they were asked for.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::engine;
use crate::model::{Code, Credentials, Report, StackName};
use crate::secrets;
use crate::stack::platform;

/// What there is to know.
#[derive(Serialize)]
pub struct Shown {
    schema: &'static str,
    stack: StackName,
    logins: Vec<Login>,
    /// The file that holds all.
    file: String,
}

#[derive(Serialize)]
struct Login {
    service: &'static str,
    user: String,
    password: String,
    /// What a client of the service is given instead of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
}

/// Reads the credentials of a stack whose folder this is.
pub fn run(stack: &StackName, folder: &Path) -> Result<Shown, Report> {
    let credentials = secrets::load(folder)?.ok_or_else(|| {
        Report::new(Code::NotFound, format!("the stack `{stack}` has no credentials yet"))
            .why("they are made by the first `up`")
            .fix("altinn-local up", "make the stack")
    })?;
    let login = |service, user: &str, password: &str| Login {
        service,
        user: user.to_owned(),
        password: password.to_owned(),
        connection: None,
    };
    let postgres = ["gitea", "storage", "events", "designer"].map(|role| {
        login("postgres", role, credentials.database_password(role).unwrap_or_default())
    });
    let blobs = engine::remembered_ports(folder)?.get("azurite").map(|port| {
        platform::blob_connection(&credentials.blob_key, &format!("http://127.0.0.1:{port}"))
    });
    let azurite = Login {
        connection: blobs,
        ..login("azurite", platform::BLOB_ACCOUNT, &credentials.blob_key)
    };
    let mut logins = vec![
        login("gitea", &credentials.gitea_admin, &credentials.gitea_admin_password),
        login("studio", Credentials::DEVELOPER, &credentials.developer_password),
        login("pipeline", "", &credentials.pipeline_token),
        login("postgres", "postgres", &credentials.postgres_password),
    ];
    logins.extend(postgres);
    logins.push(azurite);
    Ok(Shown {
        schema: "altinn-local/credentials/1",
        stack: stack.clone(),
        logins,
        file: secrets::file(folder).display().to_string(),
    })
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<10} {:<16} PASSWORD", "SERVICE", "USER")?;
        for Login { service, user, password, .. } in &self.logins {
            writeln!(f, "{service:<10} {user:<16} {password}")?;
        }
        for connection in self.logins.iter().filter_map(|login| login.connection.as_ref()) {
            writeln!(f, "\n{connection}")?;
        }
        write!(f, "\nAll of them: {}", self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_only_when_there() {
        let folder = tempfile::tempdir().unwrap();
        let stack = "default".parse().unwrap();
        let report = run(&stack, folder.path()).err().unwrap();
        assert_eq!(report.code, Code::NotFound);
        let made = secrets::load_or_generate(folder.path()).unwrap();
        let shown = run(&stack, folder.path()).unwrap();
        let password = made.gitea_admin_password.as_str();
        assert!(shown.to_string().contains(password));
        let json = serde_json::to_value(&shown).unwrap();
        assert_eq!(json["logins"][0]["password"], password);
        for (service, user, password) in [
            ("studio", "developer", &made.developer_password),
            ("pipeline", "", &made.pipeline_token),
        ] {
            let login =
                json["logins"].as_array().unwrap().iter().find(|at| at["service"] == service);
            let login = login.unwrap();
            assert_eq!(
                (&login["user"], &login["password"]),
                (&user.into(), &password.as_str().into())
            );
        }
    }
}
