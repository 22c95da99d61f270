//! Makes a stack's credentials, once, and keeps them.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::model::{Code, Credentials, Report, hex};
use crate::sys::fs;

/// The name of Gitea's administrator; the same in every stack, as in Altinn's own local set-up.
const GITEA_ADMIN: &str = "localgiteaadmin";

/// The file, in the folder of the stack.
#[must_use]
pub fn file(stack: &Path) -> PathBuf {
    stack.join("credentials.json")
}

/// Reads the stack's credentials; none when it has none yet. A file that others can read is refused.
pub fn load(stack: &Path) -> Result<Option<Credentials>, Report> {
    let path = file(stack);
    let Some(bytes) = fs::read_if_there(&path)? else {
        return Ok(None);
    };
    refuse_open(&path)?;
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        Report::new(Code::FileFailed, "the stack's credentials cannot be read")
            .at(path.display().to_string())
            // Where it breaks, not what stands there.
            .why(format!("line {}, column {}", error.line(), error.column()))
            .fix("altinn-local down --volumes", "delete the stack's data; `up` makes both anew")
    })
}

/// Reads the stack's credentials, or makes and keeps them; what an older file lacks is added to it. The caller holds
/// the stack's lock.
pub fn load_or_generate(stack: &Path) -> Result<Credentials, Report> {
    let credentials = match load(stack)? {
        Some(whole) if all(&whole).iter().all(|secret| !secret.is_empty()) => return Ok(whole),
        Some(older) => completed(&older, &generate()?)?,
        None => generate()?,
    };
    let json = serde_json::to_vec_pretty(&credentials).map_err(|error| no_json(&error))?;
    fs::write_private(&file(stack), &json)?;
    Ok(credentials)
}

/// What an older file says, and new values for what is empty in it.
fn completed(older: &Credentials, new: &Credentials) -> Result<Credentials, Report> {
    let map = |credentials| serde_json::to_value(credentials).map_err(|error| no_json(&error));
    let (mut whole, new) = (map(older)?, map(new)?);
    for (name, value) in new.as_object().into_iter().flatten() {
        if whole[name] == "" {
            whole[name] = value.clone();
        }
    }
    serde_json::from_value(whole).map_err(|error| no_json(&error))
}

fn no_json(error: &serde_json::Error) -> Report {
    Report::bug("credentials have no JSON form", error)
}

/// New ones, at least 160 random bits each.
pub fn generate() -> Result<Credentials, Report> {
    Ok(Credentials {
        gitea_admin: GITEA_ADMIN.to_owned(),
        gitea_admin_password: password()?,
        gitea_secret_key: password()?,
        gitea_internal_token: token()?,
        gitea_jwt_secret: URL_SAFE_NO_PAD.encode(random::<32>()?),
        postgres_password: password()?,
        gitea_database_password: password()?,
        services_key: password()?,
        storage_database_password: password()?,
        events_database_password: password()?,
        blob_key: STANDARD.encode(random::<64>()?),
        designer_database_password: password()?,
        developer_password: password()?,
        pipeline_token: password()?,
        pipeline_hook_secret: password()?,
    })
}

/// Every secret. Without `..`, so that a new one cannot be forgotten here.
#[must_use]
pub fn all(credentials: &Credentials) -> [&str; 14] {
    let Credentials {
        gitea_admin: _,
        gitea_admin_password,
        gitea_secret_key,
        gitea_internal_token,
        gitea_jwt_secret,
        postgres_password,
        gitea_database_password,
        services_key,
        storage_database_password,
        events_database_password,
        blob_key,
        designer_database_password,
        developer_password,
        pipeline_token,
        pipeline_hook_secret,
    } = credentials;
    [
        gitea_admin_password,
        gitea_secret_key,
        gitea_internal_token,
        gitea_jwt_secret,
        postgres_password,
        gitea_database_password,
        services_key,
        storage_database_password,
        events_database_password,
        blob_key,
        designer_database_password,
        developer_password,
        pipeline_token,
        pipeline_hook_secret,
    ]
}

fn random<const N: usize>() -> Result<[u8; N], Report> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Report::new(Code::Bug, "the system gives no random numbers").why(error.to_string())
    })?;
    Ok(bytes)
}

/// 40 hexadecimal digits: no character of them means anything to a shell, a URL, SQL or an INI file.
fn password() -> Result<String, Report> {
    Ok(hex(&random::<20>()?, 20))
}

/// Has the form of a JWT, because Gitea looks at it.
fn token() -> Result<String, Report> {
    let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = URL_SAFE_NO_PAD.encode(br#"{"nbf":0}"#);
    let signature = URL_SAFE_NO_PAD.encode(random::<32>()?);
    Ok(format!("{header}.{claims}.{signature}"))
}

#[cfg(unix)]
fn refuse_open(path: &Path) -> Result<(), Report> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_or(0, |file| file.permissions().mode() & 0o777);
    if mode & !0o700 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Report::new(Code::FileFailed, "the stack's credentials can be read by others")
        .at(path.to_string())
        .why(format!("its mode is {mode:o}, not 600"))
        .fix(format!("chmod 600 {path}"), "let only its owner read it"))
}

/// Windows keeps the file in the user's own profile, which others cannot enter.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "its sibling can fail")]
fn refuse_open(_path: &Path) -> Result<(), Report> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn made_once_and_read_back() {
        let stack = tempfile::tempdir().unwrap();
        assert!(load(stack.path()).unwrap().is_none());
        let made = load_or_generate(stack.path()).unwrap();
        assert_eq!(load_or_generate(stack.path()).unwrap(), made);
        assert_ne!(generate().unwrap(), made);
        assert_eq!(made.gitea_jwt_secret.len(), 43);
        assert_eq!(made.gitea_internal_token.split('.').count(), 3);
    }

    #[test]
    fn an_older_file_keeps_what_it_has_and_gets_the_rest() {
        let stack = tempfile::tempdir().unwrap();
        let made = generate().unwrap();
        let mut json = serde_json::to_value(&made).unwrap();
        json.as_object_mut().unwrap().remove("servicesKey").unwrap();
        fs::write_private(&file(stack.path()), json.to_string().as_bytes()).unwrap();
        assert!(load(stack.path()).unwrap().unwrap().services_key.is_empty());
        let filled = load_or_generate(stack.path()).unwrap();
        assert_eq!(filled.services_key.len(), 40);
        assert_eq!(Credentials { services_key: made.services_key.clone(), ..filled.clone() }, made);
        assert_eq!(load_or_generate(stack.path()).unwrap(), filled);
    }

    #[test]
    fn secrets_are_long_distinct_and_not_shown() {
        let made = generate().unwrap();
        let distinct: BTreeSet<_> = all(&made).into_iter().collect();
        assert_eq!(distinct.len(), 14);
        let shown = format!("{made:?}");
        for secret in distinct {
            assert!(secret.len() >= 40 && !shown.contains(secret));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let stack = tempfile::tempdir().unwrap();
        load_or_generate(stack.path()).unwrap();
        let path = file(stack.path());
        let chmod = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        for mode in [0o640, 0o604, 0o666] {
            chmod(mode);
            let report = load(stack.path()).unwrap_err();
            assert!(report.fixes[0].command.starts_with("chmod 600 "), "{report:?}");
        }
        chmod(0o600);
        assert!(load(stack.path()).unwrap().is_some());
    }

    #[test]
    fn a_broken_file_is_told_without_its_contents() {
        let stack = tempfile::tempdir().unwrap();
        fs::write_private(&file(stack.path()), b"{\"giteaAdmin\": canary").unwrap();
        let report = load(stack.path()).unwrap_err();
        assert!(!format!("{report:?}").contains("canary"), "{report:?}");
    }
}
