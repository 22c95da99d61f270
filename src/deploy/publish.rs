//! Tells the platform's services what an app brings for them, over the wire that production's pipeline uses: its
//! metadata and texts to Storage, its policy to Authorization; and its test people, which only exist here.
//!
//! Each publication says everything; to say it again changes nothing. Only a file that is not read any more is
//! forgotten by itself: the texts of a language that was removed stay.

use std::path::Path;

use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::{App, AppId, Code, Report, short_hash};
use crate::sys::fs;
use crate::sys::http::{Http, silent};
use crate::sys::lenient;

const METADATA: &str = "App/config/applicationmetadata.json";
const POLICY: &str = "App/config/authorization/policy.xml";
const TEXTS: &str = "App/config/texts";
const PEOPLE: &str = "App/wwwroot/testData.json";

/// Where the services answer, and what opens their management surface.
#[derive(Clone, Copy)]
pub struct Platform<'a> {
    /// The client.
    pub http: &'a Http,
    /// The platform's host name.
    pub host: &'a str,
    /// The router's port, or the embedded services'.
    pub port: u16,
    /// The stack's key of the services, a bearer token.
    pub key: &'a str,
    /// Who is told.
    pub readers: Readers,
}

/// Services of ours that read what apps bring; a remote environment is never told anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Readers {
    /// Storage: metadata and texts.
    pub storage: bool,
    /// Authorization: the policy.
    pub authorization: bool,
}

/// What the services are told of one app.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Publication {
    metadata: Value,
    policy: Option<String>,
    texts: Vec<(String, Value)>,
    people: Option<Vec<u8>>,
}

/// Whether a file, by its path relative to the app's root, is among what is published.
#[must_use]
pub fn concerns(path: &str) -> bool {
    matches!(path, METADATA | POLICY | PEOPLE) || language(path).is_some()
}

/// `nb` of `App/config/texts/resource.nb.json`.
fn language(path: &str) -> Option<&str> {
    path.strip_prefix(TEXTS)?.strip_prefix("/resource.")?.strip_suffix(".json")
}

/// Which version of an app the services know; none when they know none, or do not answer.
pub async fn published(platform: Platform<'_>, id: &AppId) -> Option<String> {
    let Platform { http, host, port, key, readers } = platform;
    let host = format!("{host}:{port}");
    let ask = |path: &str| http.request(Method::GET, port, Some(&host), path).bearer_auth(key);
    // Storage may have been emptied by itself.
    if readers.storage {
        let storage = ask(&format!("/storage/api/v1/applications/{id}")).send().await.ok()?;
        storage.error_for_status().ok()?;
    }
    let note = ask(&note(id)).send().await.ok()?.error_for_status().ok()?;
    note.text().await.ok()
}

/// Where the services keep the hash of what was published.
fn note(id: &AppId) -> String {
    format!("/platform/local/apps/{id}/published")
}

/// Reads what an app brings and tells the services.
pub async fn publish(platform: Platform<'_>, app: &App) -> Result<(), Report> {
    Publication::read(&app.root)?.send(platform, &app.id).await
}

impl Publication {
    /// Reads the folder of an app.
    pub fn read(root: &Path) -> Result<Self, Report> {
        let object = |file: &str, bytes: &[u8]| -> Result<Value, Report> {
            let read: Result<Map<String, Value>, _> = lenient::read(bytes, file);
            read.map(Value::Object).map_err(|found| {
                Report::new(Code::PublishFailed, format!("`{file}` cannot be understood"))
                    .why(found.message.clone())
                    .with_diagnostics(vec![*found])
            })
        };
        let metadata = fs::read_if_there(&root.join(METADATA))?.unwrap_or_default();
        let policy = fs::read_if_there(&root.join(POLICY))?;
        let mut texts = Vec::new();
        for (name, file) in files(&root.join(TEXTS))? {
            let Some(named) = language(&file) else { continue };
            let mut text = object(&file, &fs::read_if_there(&name)?.unwrap_or_default())?;
            let said = text["language"].as_str().map(str::to_owned);
            let said = said.unwrap_or_else(|| named.to_owned());
            text["language"] = json!(said);
            texts.push((file, text));
        }
        Ok(Self {
            metadata: object(METADATA, &metadata)?,
            policy: policy.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            texts,
            people: fs::read_if_there(&root.join(PEOPLE))?,
        })
    }

    /// Changes with what is said, and with who is told.
    #[must_use]
    pub fn hash(&self, readers: Readers) -> String {
        short_hash(&(self, readers))
    }

    /// Tells the services, the hash last. The first that refuses ends it; what they took until then holds.
    pub async fn send(&self, platform: Platform<'_>, id: &AppId) -> Result<(), Report> {
        let Platform { http, host, port, key, readers } = platform;
        let host = format!("{host}:{port}");
        let to = |method: Method, path: &str| http.request(method, port, Some(&host), path);
        let people = format!("/platform/local/apps/{id}/testData");
        let told = match &self.people {
            Some(people_file) => to(Method::PUT, &people)
                .header("content-type", "application/json")
                .body(people_file.clone()),
            None => to(Method::DELETE, &people),
        };
        ask(PEOPLE, told.bearer_auth(key)).await?;
        // What Designer's token says in production.
        let claims = json!({ "urn:altinn:app": "studio.designer" });
        let token = to(Method::POST, "/platform/local/tokens").bearer_auth(key).json(&claims);
        let token = ask("a token", token).await?;
        let post = |path: &str| to(Method::POST, path).bearer_auth(&token);
        if readers.storage {
            let applications = format!("/storage/api/v1/applications?appId={id}");
            ask(METADATA, post(&applications).json(&self.metadata)).await?;
            let texts = format!("/storage/api/v1/applications/{id}/texts");
            for (file, text) in &self.texts {
                ask(file, post(&texts).json(text)).await?;
            }
        }
        if let Some(policy) = self.policy.as_ref().filter(|_| readers.authorization) {
            let path = format!("/authorization/api/v1/policies?org={}&app={}", id.org, id.app);
            let request = post(&path).header("content-type", "application/xml");
            ask(POLICY, request.body(policy.clone())).await?;
        }
        let noted = to(Method::PUT, &note(id)).bearer_auth(key).body(self.hash(readers));
        ask("its version", noted).await.map(drop)
    }
}

/// Sends; tells the body of the answer.
async fn ask(what: &str, request: RequestBuilder) -> Result<String, Report> {
    let lost = |error: reqwest::Error| {
        silent(Code::PublishFailed, "the platform", &error)
            .fix("altinn-local status", "shows which service is not well")
    };
    let answer = request.send().await.map_err(lost)?;
    let status = answer.status();
    let text = answer.text().await.map_err(lost)?;
    if status.is_success() {
        return Ok(text);
    }
    let words: String = text.chars().take(400).collect();
    Err(Report::new(Code::PublishFailed, format!("the platform did not take `{what}`"))
        .at(what)
        .why(format!("it answered {}: {words}", status.as_u16()))
        .fix("altinn-local up", "tells it again, when the file is mended"))
}

/// The files of a folder by path and by name relative to the app's root, sorted; none when it is not there.
fn files(folder: &Path) -> Result<Vec<(std::path::PathBuf, String)>, Report> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(Report::new(Code::FileFailed, "the app's texts cannot be read")
                .at(folder.display().to_string())
                .why(error.to_string()));
        }
    };
    let mut files: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| (entry.path(), format!("{TEXTS}/{}", entry.file_name().to_string_lossy())))
        .collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn what_is_there_is_read() {
        let root = app(&[
            (METADATA, "\u{feff}{\"id\": \"ttd/a\", \"dataTypes\": [{},],}"),
            ("App/config/texts/resource.nb.json", r#"{"resources": []}"#),
            ("App/config/texts/resource.en.json", r#"{"language": "en", "resources": []}"#),
            ("App/config/texts/notes.md", "not a text"),
        ]);
        let read = Publication::read(root.path()).unwrap();
        assert_eq!(read.metadata, json!({"id": "ttd/a", "dataTypes": [{}]}));
        let languages: Vec<_> = read.texts.iter().map(|(_, text)| &text["language"]).collect();
        assert_eq!(languages, ["en", "nb"]);
        assert_eq!((read.policy, read.people), (None, None));
    }

    #[test]
    fn what_is_broken_is_told_with_its_place() {
        let texts = "App/config/texts/resource.nb.json";
        for (file, text, line) in
            [(METADATA, "{\n  \"id\": \"ttd/a\"\n  x", 3), (texts, "[]", 1), (texts, "", 1)]
        {
            let root = app(&[(METADATA, "{}"), (file, text)]);
            let report = Publication::read(root.path()).unwrap_err();
            assert_eq!(report.code, Code::PublishFailed);
            let found = &report.diagnostics[0];
            assert_eq!((found.file.as_str(), found.line), (file, line));
        }
    }

    #[test]
    fn other_files_do_not_concern_the_platform() {
        for (path, expected) in [
            (METADATA, true),
            (POLICY, true),
            (PEOPLE, true),
            ("App/config/texts/resource.nb.json", true),
            ("App/config/texts/resource.json", false),
            ("App/config/process/process.bpmn", false),
            ("App/Program.cs", false),
        ] {
            assert_eq!(concerns(path), expected, "{path}");
        }
    }
}
