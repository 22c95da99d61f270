//! Brings an image into its organisation's registry.

use std::time::Instant;

use crate::events::StepScope;
use crate::model::{Code, ImageRef, Report};
use crate::sys::docker::Docker;
use crate::sys::http::Http;
use crate::sys::registry::Registry;

/// A finished push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// Milliseconds.
    pub ms: u64,
    /// Layers that were sent; the registry had the others.
    pub sent: usize,
    /// Layers that the registry had.
    pub kept: usize,
}

/// Whether the registry in an image's name (`127.0.0.1:5511/…`) holds its tag.
pub async fn is_pushed(http: &Http, image: &ImageRef) -> Result<bool, Report> {
    let (registry, repository) = image.repository.split_once('/').unwrap_or_default();
    let port = registry.strip_prefix("127.0.0.1:").and_then(|port| port.parse().ok());
    let port = port.ok_or_else(|| {
        Report::new(Code::RegistryFailed, format!("`{registry}` is not a registry of this machine"))
            .why(format!("the image is `{image}`"))
    })?;
    Registry::new(http.clone(), port).has(repository, &image.tag).await
}

/// Pushes an image to the registry in its name.
pub async fn push(docker: &Docker, image: &ImageRef, scope: &StepScope) -> Result<Pushed, Report> {
    let started = Instant::now();
    let (mut sent, mut kept) = (0, 0);
    let pushed = docker.push_image(image, |line| match line {
        "Pushed" => sent += 1,
        "Layer already exists" => kept += 1,
        line if line.starts_with("Mounted from") => kept += 1,
        "Preparing" | "Waiting" | "Pushing" => {}
        line => scope.log(line),
    });
    pushed.await?;
    Ok(Pushed { ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX), sent, kept })
}
