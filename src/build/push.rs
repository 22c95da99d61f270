//! Brings an image into its organisation's registry.

use std::time::Instant;

use crate::events::StepScope;
use crate::model::{ImageRef, Report};
use crate::sys::docker::Docker;

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
