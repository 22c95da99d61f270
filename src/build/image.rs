//! Builds an app's image.

use std::time::Instant;

use super::arguments::{Dockerfile, plan_args};
use super::context::{Context, app_changed};
use super::diagnostics::{Listener, Seen, missing_base};
use crate::events::StepScope;
use crate::model::{App, ImageRef, Report, labels};
use crate::sys::docker::{BuildOutput, BuildRequest, Docker, Product};

/// What a build will be made of, and the tag that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Build arguments.
    pub args: Vec<(String, String)>,
    /// Names of base images, arguments put in.
    pub bases: Vec<String>,
    /// Those of them that the engine does not have.
    pub missing: Vec<String>,
    /// The ids of those that it has, which the tag is made of too.
    ids: Vec<String>,
    /// The tag: equal tags mean equal images. While base images are missing it is a guess.
    pub tag: String,
}

impl Plan {
    /// The same plan for other contents of the same files; the Dockerfile is the same.
    #[must_use]
    pub fn renewed(&self, context: &Context) -> Self {
        Self { tag: context.tag(&self.args, &self.ids), ..self.clone() }
    }
}

/// A finished build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The image's id, as `sha256:…`.
    pub id: String,
    /// Milliseconds.
    pub ms: u64,
}

/// Plans a build: reads the Dockerfile and asks the engine which base images it has. Changes nothing.
pub async fn plan(
    docker: &Docker,
    app: &App,
    context: &Context,
    offered: &[(String, String)],
) -> Result<Plan, Report> {
    let dockerfile = Dockerfile::parse(&context.recipe, &context.dockerfile_path())?;
    let args = plan_args(&dockerfile, offered, &app.build_args);
    let bases = dockerfile.bases(&args);
    let (mut ids, mut missing) = (Vec::new(), Vec::new());
    for base in &bases {
        match docker.image(base).await? {
            Some(image) => ids.push(image.id),
            None => missing.push(base.clone()),
        }
    }
    let tag = context.tag(&args, &ids);
    Ok(Plan { args, bases, missing, ids, tag })
}

/// Fetches the base images that a plan misses. Plan again afterwards: the tag is made of what was fetched.
pub async fn fetch_bases(docker: &Docker, plan: &Plan, scope: &StepScope) -> Result<(), Report> {
    for base in &plan.missing {
        scope.detail(format!("pulling {base}"));
        let pulled = docker.pull_image(&ImageRef::parse(base), |_| ()).await;
        pulled.map_err(|report| {
            let why = report.labels.first().map_or(report.title.as_str(), |(_, why)| why.as_str());
            missing_base(base, why)
        })?;
    }
    Ok(())
}

/// Builds a context under the given name, with `more` labels beside our own, and passes each line on. Dropping the
/// future cancels the build.
pub async fn build(
    docker: &Docker,
    app: &App,
    context: &Context,
    plan: &Plan,
    image: &ImageRef,
    more: &[(String, String)],
    scope: &StepScope,
) -> Result<Built, Report> {
    let started = Instant::now();
    let own = std::iter::once((labels::RESOURCE.to_owned(), app.id.resource()));
    let request = BuildRequest {
        tag: image.to_string(),
        args: plan.args.clone(),
        labels: own.chain(more.iter().cloned()).collect(),
        dockerfile: context.dockerfile.clone(),
        buildkit: docker.product() == Product::Docker,
    };
    let (tar, changed) = context.tar();
    let mut listener = Listener::default();
    let built = docker.build_image(tar, &request, |output| {
        tell(scope, &output);
        listener.hear(&output);
    });
    let report = match built.await {
        Ok(id) => {
            let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            return Ok(Built { id, ms });
        }
        Err(report) => report,
    };
    if let Some(path) = changed.get() {
        return Err(app_changed(path));
    }
    let explained = listener.explain(&Seen {
        paths: &context.paths(),
        dockerfile: &context.dockerfile_path(),
        withheld: &context.withheld,
        bases: &plan.bases,
    });
    // Without a word of the builder's own, the engine did not get as far as building.
    Err(if explained.labels.is_empty() { report } else { explained })
}

fn tell(scope: &StepScope, output: &BuildOutput) {
    match output {
        // Steps of the builder's own making say nothing to a developer.
        BuildOutput::Step(step) | BuildOutput::Cached(step)
            if step.starts_with("[internal]") || step == "copy /context /" => {}
        BuildOutput::Step(step) => scope.detail(step.clone()),
        BuildOutput::Cached(step) => scope.log(&format!("{step} (cached)")),
        BuildOutput::Log(line) => scope.log(line),
        // The whole build's error is in the report.
        BuildOutput::Error { step, .. } if step.is_empty() => {}
        BuildOutput::Error { step, text } => scope.log(&format!("{step}: {text}")),
    }
}
