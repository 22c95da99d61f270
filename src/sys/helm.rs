//! Runs Helm, the real program, on charts of our own.
//!
//! It sees neither the user's kubeconfig nor their repositories, plugins and caches, and values reach it only
//! through a file that the owner alone may read: `--set` would split a value at commas and braces.
//! Never `dependency update`, never `--wait` (it polls every two seconds; `deploy::rollout` watches instead).

use std::fs;
use std::path::{Path, PathBuf};

use semver::Version;
use serde_json::Value;

use super::calls::Calls;
use super::fs::create_private_dir;
use super::process::{Finished, Program};
use crate::model::{Code, Label, Report};

/// The first version that knows `--labels`, by which a release is recognised without reading its values.
const OLDEST: Version = Version::new(3, 13, 0);

/// Where everything of an app lives in its organisation's cluster, as in production.
pub const NAMESPACE: &str = "default";

/// A chart of ours has some ten files; what is far above is not ours.
const MOST_FILES: usize = 200;

/// The largest values file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// The Helm program with folders of its own.
#[derive(Debug, Clone)]
pub struct Helm {
    path: PathBuf,
    home: PathBuf,
    calls: Calls,
}

impl Helm {
    /// Helm at `path`. `home` is a folder of ours, made when needed, for its caches and for values on their way.
    #[must_use]
    pub fn new(path: &Path, home: &Path, calls: Calls) -> Self {
        Self { path: path.to_path_buf(), home: home.to_path_buf(), calls }
    }

    /// The version of the program; an error when it is older than 3.13.
    pub async fn version(&self) -> Result<Version, Report> {
        let told = self
            .program()
            .args(["version", "--template", "{{.Version}}"])
            .run(|_| ())
            .await?
            .success(Code::ToolMissing, "helm does not tell its version")?;
        recent_enough(&told)
    }

    /// The objects of a chart as YAML documents in Helm's order of installation. Needs no cluster.
    pub async fn template(
        &self,
        release: &str,
        chart: &Path,
        values: &Value,
    ) -> Result<String, Report> {
        refuse_links(chart)?;
        let values = self.values_file(values)?;
        let finished = self
            .program()
            .args(["template", release])
            .arg(chart.display().to_string())
            .args(["--namespace", NAMESPACE, "--values"])
            .arg(values.path().display().to_string())
            .run(|_| ())
            .await?;
        done(finished, "helm cannot render the app's chart")
    }

    /// Installs or upgrades a release and tells its revision. Returns when the objects are applied, not when they
    /// are ready. `labels` go onto Helm's record of the release.
    ///
    /// Do not drop the future before it ends: Helm would be killed and leave the release `pending`.
    pub async fn upgrade_install(
        &self,
        kubeconfig: &Path,
        release: &str,
        chart: &Path,
        values: &Value,
        labels: &[(&str, &str)],
        on_line: impl FnMut(&str) + Send,
    ) -> Result<u32, Report> {
        refuse_links(chart)?;
        let values = self.values_file(values)?;
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.calls.changing("helm upgrade --install");
        let finished = self
            .in_cluster(kubeconfig, ["upgrade", release])
            .arg(chart.display().to_string())
            .args(["--install", "--no-hooks"])
            // The API server checks the same objects; to fetch its schema first doubles the time (0.42 s, not 0.21 s).
            .arg("--disable-openapi-validation")
            .args(["--labels", &labels.join(","), "--values"])
            .arg(values.path().display().to_string())
            .run(on_line)
            .await?;
        let told = done(finished, "helm cannot install the app")?;
        revision(&told).ok_or_else(|| {
            Report::new(Code::ChartFailed, "helm did not tell the release's revision")
                .with_tail(told.lines().map(str::to_owned).collect())
        })
    }

    /// Makes an earlier revision the newest one again. Do not drop the future before it ends.
    pub async fn rollback(
        &self,
        kubeconfig: &Path,
        release: &str,
        revision: u32,
    ) -> Result<(), Report> {
        self.calls.changing("helm rollback");
        let finished = self
            .in_cluster(kubeconfig, ["rollback", release])
            .args([&revision.to_string(), "--no-hooks"])
            .run(|_| ())
            .await?;
        done(finished, "helm cannot go back to the release's last good revision").map(drop)
    }

    /// Removes a release with its objects; one that is not there is no error. Do not drop the future before it ends.
    pub async fn uninstall(&self, kubeconfig: &Path, release: &str) -> Result<(), Report> {
        self.calls.changing("helm uninstall");
        let finished = self
            .in_cluster(kubeconfig, ["uninstall", release])
            .args(["--ignore-not-found", "--no-hooks"])
            .run(|_| ())
            .await?;
        done(finished, "helm cannot remove the release").map(drop)
    }

    fn in_cluster<'a>(
        &self,
        kubeconfig: &Path,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Program {
        self.program()
            .args(words)
            .args(["--namespace", NAMESPACE, "--kubeconfig"])
            .arg(kubeconfig.display().to_string())
    }

    /// Helm with every folder and variable it knows pointed at our own.
    fn program(&self) -> Program {
        let folders = [
            ("HELM_CACHE_HOME", "cache"),
            ("HELM_CONFIG_HOME", "config"),
            ("HELM_DATA_HOME", "data"),
            ("HELM_PLUGINS", "data/plugins"),
            ("HELM_REGISTRY_CONFIG", "config/registry.json"),
            ("HELM_REPOSITORY_CONFIG", "config/repositories.yaml"),
            ("HELM_REPOSITORY_CACHE", "cache/repository"),
            // Where client libraries keep what an API server can do; by default in ~/.kube.
            ("KUBECACHEDIR", "cache/kube"),
            // Never there: a command without a cluster must not read the user's.
            ("KUBECONFIG", "no-kubeconfig"),
        ];
        let emptied = [
            "HELM_DEBUG",
            "HELM_KUBEASUSER",
            "HELM_KUBEASGROUPS",
            "HELM_KUBECAFILE",
            "HELM_KUBEINSECURE_SKIP_TLS_VERIFY",
            "HELM_KUBETLS_SERVER_NAME",
            "HELM_MAX_HISTORY",
        ];
        let program = Program::new(&self.path).env("HELM_DRIVER", "secret");
        let program = folders.iter().fold(program, |program, (name, folder)| {
            program.env(*name, self.home.join(folder).display().to_string())
        });
        emptied.iter().fold(program, |program, name| program.env(*name, ""))
    }

    /// The values in a file with mode 0600, which goes when the guard is dropped.
    fn values_file(&self, values: &Value) -> Result<tempfile::NamedTempFile, Report> {
        create_private_dir(&self.home)?;
        let write = || -> std::io::Result<_> {
            let file = tempfile::Builder::new()
                .prefix("values-")
                .suffix(".json")
                .tempfile_in(&self.home)?;
            serde_json::to_writer(&file, values)?;
            Ok(file)
        };
        write().map_err(|error| {
            Report::new(Code::FileFailed, "cannot write the values for helm")
                .at(self.home.display().to_string())
                .why(error.to_string())
        })
    }
}

/// A file of somebody's chart, as text; none when it is not there. A link is refused: it could lead anywhere on
/// the machine, and what it leads to would end up in messages.
pub fn read_chart_file(path: &Path) -> Result<Option<String>, Report> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, error.to_string())),
    };
    if found.is_symlink() {
        return Err(linked(path));
    }
    if !found.is_file() || found.len() > LARGEST {
        return Err(unreadable(path, "it is not a file of at most 1 MiB"));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(path, error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable(path, "it is not UTF-8 text"))?;
    Ok(Some(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    }))
}

/// Whether a path is a folder, and not a link to one.
#[must_use]
pub fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}

/// Refuses a chart with links in it: Helm follows them, and has run code by way of one (CVE-2025-53547).
fn refuse_links(chart: &Path) -> Result<(), Report> {
    let mut folders = vec![chart.to_path_buf()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).map_err(|error| unreadable(&folder, error.to_string()))?;
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&folder, error.to_string()))?;
            let kind = entry.file_type().map_err(|error| unreadable(&folder, error.to_string()))?;
            seen += 1;
            if kind.is_symlink() {
                return Err(linked(&entry.path()));
            }
            if seen > MOST_FILES {
                return Err(unreadable(chart, format!("it has more than {MOST_FILES} files")));
            }
            if kind.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(())
}

fn linked(path: &Path) -> Report {
    Report::new(Code::ChartFailed, "a file of the chart is a link, which is refused")
        .at(path.display().to_string())
        .fix(
            format!("cp -L {0} {0}.file && mv {0}.file {0}", path.display()),
            "puts the file itself in the link's place",
        )
}

fn unreadable(path: &Path, why: impl Into<String>) -> Report {
    Report::new(Code::ChartFailed, "a file of the chart cannot be read")
        .at(path.display().to_string())
        .why(why)
}

fn recent_enough(told: &str) -> Result<Version, Report> {
    let text = told.trim().trim_start_matches('v');
    match Version::parse(text) {
        // A pre-release of a later version compares as later, and so passes.
        Ok(version) if version >= OLDEST => Ok(version),
        _ => Err(Report::new(Code::ToolMissing, format!("helm is too old: {}", first(text, 20)))
            .why(format!("{OLDEST} or later is needed, for labels on releases"))
            .fix("altinn-local doctor", "shows which helm is used, and how to get a newer one")),
    }
}

/// Helm's own reason stands in one line, `Error: …`, which quotes whole objects when a cluster refuses them.
fn done(mut finished: Finished, title: &str) -> Result<String, Report> {
    let place = finished.tail.iter().rposition(|line| line.starts_with("Error: "));
    let reason = place.map(|place| finished.tail.remove(place));
    finished.success(Code::ChartFailed, title).map_err(|mut report| {
        if let Some(reason) = reason {
            let reason = shortened(reason.trim_start_matches("Error: "));
            report.labels.insert(0, (Label::Why, reason));
        }
        report
    })
}

/// A long text without its middle: what was done stands at its beginning, the reason at its end.
fn shortened(text: &str) -> String {
    const KEPT: usize = 200;
    let length = text.chars().count();
    if length <= 2 * KEPT + 1 {
        return text.to_owned();
    }
    let end: String = text.chars().skip(length - KEPT).collect();
    format!("{}…{end}", first(text, KEPT))
}

/// The revision in what `helm upgrade` prints.
fn revision(told: &str) -> Option<u32> {
    let line = told.lines().find_map(|line| line.strip_prefix("REVISION: "))?;
    line.trim().parse().ok()
}

fn first(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_are_refused() {
        for (told, good) in [
            ("v3.13.0\n", true),
            ("v3.17.3", true),
            ("v4.0.0-rc.1", true),
            ("v3.12.3", false),
            ("v2.17.0", false),
            ("Client: v3", false),
            ("", false),
        ] {
            assert_eq!(recent_enough(told).is_ok(), good, "{told:?}");
        }
    }

    #[test]
    fn the_revision_is_found() {
        let told =
            "Release \"ttd-a\" has been upgraded. Happy Helming!\nNAME: ttd-a\nREVISION: 12\n";
        assert_eq!(revision(told), Some(12));
        assert_eq!(revision("nothing"), None);
    }

    #[test]
    fn a_long_reason_keeps_both_ends() {
        assert_eq!(shortened("short"), "short");
        let text = format!("begin {} end", "æ".repeat(10_000));
        let cut = shortened(&text);
        assert!(cut.starts_with("begin ") && cut.ends_with(" end"));
        assert_eq!(cut.chars().count(), 401);
    }

    #[cfg(unix)]
    #[test]
    fn links_in_a_chart_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let templates = folder.path().join("templates");
        fs::create_dir(&templates).unwrap();
        fs::write(folder.path().join("values.yaml"), "\u{feff}a: 1").unwrap();
        assert!(refuse_links(folder.path()).is_ok());
        let link = templates.join("a.yaml");
        std::os::unix::fs::symlink("/etc/hostname", &link).unwrap();
        assert_eq!(refuse_links(folder.path()).unwrap_err().code, Code::ChartFailed);
        assert_eq!(read_chart_file(&link).unwrap_err().code, Code::ChartFailed);
        let values = folder.path().join("values.yaml");
        assert_eq!(read_chart_file(&values).unwrap().as_deref(), Some("a: 1"));
        assert_eq!(read_chart_file(&templates.join("b")).unwrap(), None);
        assert!(is_folder(&templates) && !is_folder(&link));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn helm_sees_our_files_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (chart, home) = (folder.path().join("chart"), folder.path().join("home"));
        fs::create_dir(&chart).unwrap();
        let program = folder.path().join("helm");
        // Tells its arguments, its surroundings, and the values file as it finds it.
        let script = "#!/bin/sh\necho \"$@\"; env | grep -E '^(HELM|KUBE)' | sort\n\
            for word in \"$@\"; do case $word in *.json) ls -l $word | cut -c1-10; cat $word;; esac; done\n\
            echo; echo REVISION: 7\n";
        // Written by another process: one that a test beside this starts could inherit a file open for writing, and
        // the program could then not be run yet ("text file busy").
        let write = "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\"";
        let words =
            [std::ffi::OsStr::new("-c"), write.as_ref(), program.as_os_str(), script.as_ref()];
        let status = std::process::Command::new("/bin/sh").args(words).status();
        assert!(status.unwrap().success());
        let calls = Calls::default();
        let helm = Helm::new(&program, &home, calls.clone());
        let mut told = Vec::new();
        let revision = helm
            .upgrade_install(
                Path::new("/ours"),
                "ttd-a",
                &chart,
                &serde_json::json!({"a": "b,c={d}"}),
                &[("x", "y"), ("z", "1")],
                |line| told.push(line.to_owned()),
            )
            .await
            .unwrap();
        assert_eq!((revision, calls.count()), (7, 1));
        let has = |line: &str| assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
        assert!(told[0].starts_with("upgrade ttd-a --namespace default --kubeconfig /ours "));
        assert!(told[0].contains(" --labels x=y,z=1 ") && !told[0].contains("b,c"), "{told:#?}");
        has("HELM_KUBECAFILE=");
        has("HELM_DRIVER=secret");
        has(&format!("KUBECONFIG={}", home.join("no-kubeconfig").display()));
        has("-rw-------");
        has("{\"a\":\"b,c={d}\"}");
        let left = fs::read_dir(&home).unwrap();
        assert_eq!(left.count(), 0, "the values are gone");
    }
}
