//! The app that a new app begins as: the template that `altinn-local app new` takes, too.

use rust_embed::RustEmbed;

use crate::kit::name::AppId;

#[derive(RustEmbed)]
#[folder = "../templates/app"]
#[exclude = "**/bin/*"]
#[exclude = "**/obj/*"]
struct Template;

/// One file of a new app.
pub(super) struct NewFile {
    /// Below the repository's top, with `/`.
    pub(super) path: String,
    pub(super) contents: Vec<u8>,
}

/// The files, with the app's names in them; what is not text stays as it is.
pub(super) fn files(app: &AppId) -> Vec<NewFile> {
    Template::iter()
        .filter_map(|path| {
            let contents = Template::get(&path)?.data;
            let contents = match std::str::from_utf8(&contents) {
                Ok(text) => {
                    text.replace("__ORG__", app.org()).replace("__APP__", app.app()).into_bytes()
                }
                Err(_) => contents.into_owned(),
            };
            Some(NewFile { path: path.into_owned(), contents })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_bears_its_names() {
        let files = files(&AppId::new("ttd", "my-app").unwrap());
        let metadata =
            files.iter().find(|file| file.path == "App/config/applicationmetadata.json").unwrap();
        let metadata: serde_json::Value = serde_json::from_slice(&metadata.contents).unwrap();
        assert_eq!(metadata["id"], "ttd/my-app");
        assert!(files.iter().any(|file| file.path == "Dockerfile"));
        for file in &files {
            let text = String::from_utf8_lossy(&file.contents);
            assert!(!text.contains("__ORG__") && !text.contains("__APP__"), "{}", file.path);
            assert!(!file.path.contains("/bin/") && !file.path.contains("/obj/"), "{}", file.path);
        }
    }
}
