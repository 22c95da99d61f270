//! `app clone` and `app link`: an app's repository of the user and the one in the stack's Gitea.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Context;
use crate::build;
use crate::model::{App, AppId, Code, Report};
use crate::secrets;
use crate::sys::calls::Calls;
use crate::sys::gitea::Gitea;
use crate::sys::http::Http;
use crate::sys::project;
use crate::sys::remote::{self, Home, Linked, REMOTE, Standing};

/// A clone that was made.
#[derive(Debug, Serialize)]
pub(super) struct Cloned {
    schema: &'static str,
    app: AppId,
    directory: PathBuf,
    url: String,
    branch: Option<String>,
    commit: Option<String>,
}

impl fmt::Display for Cloned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.directory.display();
        match &self.commit {
            Some(commit) => {
                let commit = &commit[..7.min(commit.len())];
                writeln!(f, "Cloned {} into `{directory}` ({commit}).\n", self.app)?;
            }
            None => writeln!(f, "Cloned {} into `{directory}`: no commits yet.\n", self.app)?,
        }
        writeln!(f, "Next:")?;
        writeln!(f, "  cd {directory}")?;
        writeln!(f, "  altinn-local up      each save is live")?;
        write!(
            f,
            "  git push             to the stack's Gitea; git asks altinn-local for the password"
        )
    }
}

/// A repository that has the remote.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Link {
    schema: &'static str,
    app: AppId,
    directory: PathBuf,
    remote: &'static str,
    url: String,
    branch: Option<String>,
    remote_branch: Option<String>,
    /// Commits that only the folder has; none when there is nothing to compare.
    ahead: Option<usize>,
    /// Commits that only Gitea has.
    behind: Option<usize>,
    /// Whether both have commits, but none in common.
    unrelated: bool,
    #[serde(skip)]
    standing: Standing,
}

impl Link {
    fn of(app: AppId, directory: PathBuf, url: String, linked: Linked) -> Self {
        let apart = match linked.standing {
            Standing::Apart { ahead, behind } => Some((ahead, behind)),
            _ => None,
        };
        Self {
            schema: "altinn-local/app-link/1",
            app,
            directory,
            remote: REMOTE,
            url,
            branch: linked.branch,
            remote_branch: linked.remote_branch,
            ahead: apart.map(|(ahead, _)| ahead),
            behind: apart.map(|(_, behind)| behind),
            unrelated: linked.standing == Standing::Unrelated,
            standing: linked.standing,
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (directory, url) = (self.directory.display(), &self.url);
        writeln!(f, "Remote `{REMOTE}` of `{directory}` is {url}\n")?;
        let theirs = self.remote_branch.as_deref().unwrap_or("master");
        let ours = self.branch.as_deref().unwrap_or("HEAD");
        let push = if ours == theirs { ours.to_owned() } else { format!("{ours}:{theirs}") };
        let push = format!("  git push {REMOTE} {push}");
        let merge = format!("  git merge {REMOTE}/{theirs}");
        match self.standing {
            Standing::RemoteEmpty => write!(f, "Gitea has no commits yet.\n\nNext:\n{push}"),
            Standing::LocalEmpty => {
                write!(
                    f,
                    "There are no commits here yet.\n\nNext:\n  git switch -c {theirs} {REMOTE}/{theirs}"
                )
            }
            Standing::Unrelated => write!(
                f,
                "This repository and Gitea's share no commit; neither is changed. `altinn-local up` pushes a folder \
                 without\ncommits as one commit of its own.\n\nTo join both histories:\n{merge} --allow-unrelated-histories\n{push}"
            ),
            Standing::Apart { ahead: 0, behind: 0 } => {
                write!(f, "Both are at the same commit.\n\nNext, after a commit:\n{push}")
            }
            Standing::Apart { ahead, behind: 0 } => {
                write!(f, "{} ahead of Gitea.\n\nNext:\n{push}", commits(ahead))
            }
            Standing::Apart { ahead: 0, behind } => {
                write!(f, "{} behind Gitea; nothing is changed.\n\nNext:\n{merge}", commits(behind))
            }
            Standing::Apart { ahead, behind } => write!(
                f,
                "They went apart: {} ahead, {behind} behind; neither is changed.\n\nNext:\n{merge}\n{push}",
                commits(ahead)
            ),
        }
    }
}

fn commits(count: usize) -> String {
    if count == 1 { "1 commit".to_owned() } else { format!("{count} commits") }
}

/// Clones an app into `folder` (relative to where one stands), or into a folder of the app's name.
pub(super) async fn clone(
    context: &Context<'_>,
    app: &AppId,
    folder: Option<&Path>,
) -> Result<Cloned, Report> {
    let directory = folder.unwrap_or(Path::new(app.app.as_str())).to_path_buf();
    let target = context.directory.join(&directory);
    project::refuse_full(&target, &format!("altinn-local app clone {app} OTHER-FOLDER"))?;
    let home = home(context, app).await?;
    let url = home.url.clone();
    let made = blocking(move || remote::clone(&home, &target)).await?;
    let (branch, commit) = (made.branch, made.commit);
    let schema = "altinn-local/app-clone/1";
    Ok(Cloned { schema, app: app.clone(), directory, url, branch, commit })
}

/// Gives the app's repository the remote.
pub(super) async fn link(
    context: &Context<'_>,
    folder: Option<&Path>,
    force: bool,
) -> Result<Link, Report> {
    let start = folder.map_or_else(|| context.directory.clone(), |it| context.directory.join(it));
    let App { id: app, root, .. } = build::find_app(&start)?;
    let home = home(context, &app).await?;
    let (url, top) = (home.url.clone(), root.clone());
    let linked = blocking(move || remote::link(&home, &top, force)).await?;
    Ok(Link::of(app, root, url, linked))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Report> + Send + 'static,
) -> Result<T, Report> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Report::bug("git was cut off", &error))?
}

/// The app's repository in the Gitea of the stack, which must have it.
async fn home(context: &Context<'_>, app: &AppId) -> Result<Home, Report> {
    let folder = context.dirs.stack(&context.stack);
    let snapshot = context.client().running().await?;
    let gitea = snapshot.urls.get("gitea").and_then(|url| {
        let site = url.strip_suffix("/repos/")?;
        Some((site.to_owned(), site.rsplit_once(':')?.1.parse::<u16>().ok()?))
    });
    let (Some((site, port)), Some(credentials)) = (gitea, secrets::load(&folder)?) else {
        return Err(Report::new(Code::NotFound, "the stack has no Gitea, or not yet")
            .fix("altinn-local up", "bring it up, with containers"));
    };
    let (user, password) = (credentials.gitea_admin, credentials.gitea_admin_password);
    let known = Gitea::new(Http::new()?, port, &user, &password, Calls::default());
    if known.repository(app.org.as_str(), app.app.as_str()).await?.is_none() {
        return Err(Report::new(Code::NotFound, format!("the stack's Gitea has no {app}"))
            .fix("altinn-local open gitea", "see what there is")
            .fix("altinn-local up", "in the app's folder: puts the app there"));
    }
    Ok(Home {
        url: format!("{site}/repos/{app}.git"),
        address: format!("http://127.0.0.1:{port}/repos/{app}.git"),
        site,
        helper: helper(&folder)?,
        user,
        password,
    })
}

/// The helper for git's configuration: this very program, by its path, because an IDE has another PATH; and the stack's
/// folder, because it has other variables, too.
fn helper(stack: &Path) -> Result<String, Report> {
    let program = std::env::current_exe()
        .map_err(|error| Report::bug("this program cannot find itself", &error))?;
    Ok(format!("!{} git-credential {}", quoted(&program), quoted(stack)))
}

/// For the shell that git gives it to, also on Windows.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text };
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_one_word_of_the_shell() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }

    #[test]
    fn a_link_tells_how_the_two_stand() {
        let told = |standing, branch: &str| {
            let linked = Linked {
                branch: Some(branch.to_owned()),
                remote_branch: Some("master".to_owned()),
                standing,
            };
            let url = "http://studio.localhost:8800/repos/ttd/a.git".to_owned();
            Link::of("ttd/a".parse().unwrap(), "a".into(), url, linked).to_string()
        };
        let all = [
            told(Standing::RemoteEmpty, "main"),
            told(Standing::LocalEmpty, "main"),
            told(Standing::Unrelated, "main"),
            told(Standing::Apart { ahead: 0, behind: 0 }, "master"),
            told(Standing::Apart { ahead: 1, behind: 0 }, "main"),
            told(Standing::Apart { ahead: 0, behind: 2 }, "main"),
            told(Standing::Apart { ahead: 3, behind: 2 }, "main"),
        ];
        insta::assert_snapshot!(all.join("\n\n----\n\n"));
    }
}
