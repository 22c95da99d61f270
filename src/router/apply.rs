//! Puts a configuration into the running router: tested first, reloaded only then, the old one kept on failure.

use crate::events::StepScope;
use crate::model::{Code, FileSpec, Report};
use crate::sys::docker::Docker;

const ACTIVE: &str = "/etc/nginx/nginx.conf";
const NEXT: &str = "/etc/nginx/next.conf";

/// The configuration that the router has now; none when it cannot be read.
pub async fn current(docker: &Docker, container: &str) -> Result<Option<String>, Report> {
    docker.read_file(container, ACTIVE).await
}

fn file(path: &str, text: &str) -> FileSpec {
    FileSpec { path: path.to_owned(), contents: text.to_owned(), mode: 0o644, owner: (0, 0) }
}

/// Tests the new configuration with NGINX itself, then makes it the active one.
pub async fn apply(
    docker: &Docker,
    container: &str,
    text: &str,
    scope: &StepScope,
) -> Result<(), Report> {
    docker.put_files(container, &[file(NEXT, text)]).await?;
    scope.detail("nginx -t");
    let words = ["nginx", "-p", "/run/nginx/", "-t", "-c", NEXT];
    let tested = docker.exec(container, &words, None).await?;
    if tested.code != 0 {
        return Err(Report::new(Code::RouterRefused, "NGINX refused the new routes")
            .why("the old routes stay in place")
            .with_tail(tested.lines));
    }
    docker.put_files(container, &[file(ACTIVE, text)]).await?;
    docker.signal(container, "SIGHUP").await
}
