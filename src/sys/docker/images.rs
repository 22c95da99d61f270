//! Images: build, tag, push, pull, look at, save and load.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::time::Duration;

use bollard::models::{BuildInfo, BuildInfoAux, ImageInspect};
use bollard::query_parameters::{
    BuildImageOptions, BuildImageOptionsBuilder, BuilderVersion, CreateImageOptionsBuilder,
    ImportImageOptions, ListImagesOptions, PushImageOptionsBuilder, RemoveImageOptions,
    TagImageOptionsBuilder,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::{Docker, failed, found};
use crate::model::{Code, ImageRef, Report};

/// How long the engine may take to begin an answer to a call that moves whole images.
const PATIENCE: Duration = Duration::from_hours(1);

/// What to build.
#[derive(Debug, Clone, Default)]
pub struct BuildRequest {
    /// The image's name when done, as `127.0.0.1:5511/ttd-my-app:c-…`.
    pub tag: String,
    /// Build arguments; nothing secret may be among them, since they stay in the image's history.
    pub args: Vec<(String, String)>,
    /// Labels of the image.
    pub labels: Vec<(String, String)>,
    /// The Dockerfile's path in the context, with forward slashes.
    pub dockerfile: String,
    /// `BuildKit`, or the classic builder for an engine without it (Podman).
    pub buildkit: bool,
}

/// What a build tells while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildOutput {
    /// A step began, as `[build 4/7] RUN dotnet publish`.
    Step(String),
    /// A step was not run again.
    Cached(String),
    /// A line of a step's own output.
    Log(String),
    /// A step failed, in the builder's words; the last one is about the build as a whole.
    Error {
        /// The step; empty for the whole build.
        step: String,
        /// Why.
        text: String,
    },
}

/// An image the engine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundImage {
    /// `sha256:…`.
    pub id: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Bytes, unpacked.
    pub size: u64,
}

impl From<ImageInspect> for FoundImage {
    fn from(image: ImageInspect) -> Self {
        let labels = image.config.and_then(|config| config.labels).unwrap_or_default();
        Self {
            id: image.id.unwrap_or_default(),
            labels: labels.into_iter().collect(),
            size: image.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        }
    }
}

impl Docker {
    /// The names of all images that the engine has.
    pub async fn image_names(&self) -> Result<BTreeSet<ImageRef>, Report> {
        let answer = self.client.list_images(None::<ListImagesOptions>).await;
        let images = answer.map_err(|error| failed("list images", &error))?;
        let names = images.iter().flat_map(|image| &image.repo_tags);
        Ok(names.map(|name| ImageRef::parse(name)).collect())
    }

    /// The image of this name or id, if the engine has it.
    pub async fn image(&self, name: &str) -> Result<Option<FoundImage>, Report> {
        let image = found("look at an image", self.client.inspect_image(name).await)?;
        Ok(image.map(Into::into))
    }

    /// Builds a context (a plain tar stream) and tells each step and line; gives the image's id. Dropping the
    /// future ends the connection, on which the engine cancels the build.
    pub async fn build_image(
        &self,
        context: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        request: &BuildRequest,
        mut each: impl FnMut(BuildOutput),
    ) -> Result<String, Report> {
        self.calls.changing(&format!("build {}", request.tag));
        let engine = self.client.clone().with_timeout(PATIENCE);
        let body = bollard::body_try_stream(context);
        let mut answers = engine.build_image(options(request)?, None, Some(body));
        let (mut trace, mut id) = (Trace::default(), None);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(told) => id = trace.follow(told, &mut each).or(id),
                Err(error) => {
                    let report = Report::new(Code::BuildFailed, "the image could not be built");
                    let words = words(&error);
                    // BuildKit has named the step before; the classic builder fails in the step it told last.
                    let step = if request.buildkit { String::new() } else { trace.current };
                    each(BuildOutput::Error { step, text: words.clone() });
                    return Err(report.why(words));
                }
            }
        }
        if id.is_none() {
            // Podman tells no id, but has given the name.
            id = self.image(&request.tag).await?.map(|image| image.id);
        }
        id.ok_or_else(|| Report::new(Code::BuildFailed, "the builder ended without an image"))
    }

    /// Gives an image a further name.
    pub async fn tag_image(&self, image: &str, name: &ImageRef) -> Result<(), Report> {
        self.calls.changing(&format!("tag {name}"));
        let options = TagImageOptionsBuilder::new().repo(&name.repository).tag(&name.tag).build();
        let tagged = self.client.tag_image(image, Some(options)).await;
        tagged.map_err(|error| failed("tag an image", &error))
    }

    /// Pushes an image without credentials to the registry in its name; tells the engine's progress lines.
    pub async fn push_image(
        &self,
        image: &ImageRef,
        mut each: impl FnMut(&str),
    ) -> Result<(), Report> {
        self.calls.changing(&format!("push {image}"));
        let options = PushImageOptionsBuilder::new().tag(&image.tag).build();
        let engine = self.client.clone().with_timeout(PATIENCE);
        let mut answers = engine.push_image(&image.repository, Some(options), None);
        while let Some(answer) = answers.next().await {
            let told = answer.map_err(|error| {
                let title = format!("the engine could not push to `{}`", registry(image));
                Report::new(Code::RegistryFailed, title).why(words(&error))
            })?;
            each(&told.status.unwrap_or_default());
        }
        Ok(())
    }

    /// Pulls an image without credentials; tells the engine's progress lines.
    pub async fn pull_image(
        &self,
        image: &ImageRef,
        mut each: impl FnMut(&str),
    ) -> Result<(), Report> {
        self.calls.changing(&format!("pull {image}"));
        // `name@sha256:…` was cut at its last colon.
        let (name, tag) = match image.repository.strip_suffix("@sha256") {
            Some(name) => (name, format!("sha256:{}", image.tag)),
            None => (image.repository.as_str(), image.tag.clone()),
        };
        let options = CreateImageOptionsBuilder::new().from_image(name).tag(&tag).build();
        let engine = self.client.clone().with_timeout(PATIENCE);
        let mut answers = engine.create_image(Some(options), None, None);
        while let Some(answer) = answers.next().await {
            let told = answer.map_err(|error| {
                let title = format!("`{image}` could not be pulled");
                Report::new(Code::PullFailed, title).why(words(&error))
            })?;
            each(&told.status.unwrap_or_default());
        }
        Ok(())
    }

    /// An image with all its layers as a tar stream, for [`Docker::load_image`].
    pub fn save_image(&self, image: &str) -> impl Stream<Item = Result<Bytes, Report>> + use<> {
        let (engine, image) = (self.client.clone().with_timeout(PATIENCE), image.to_owned());
        let parts = engine.export_image(&image);
        parts.map(|part| part.map_err(|error| failed("save an image", &error)))
    }

    /// Loads images from a tar stream.
    pub async fn load_image(
        &self,
        parts: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        mut each: impl FnMut(&str),
    ) -> Result<(), Report> {
        self.calls.changing("load images");
        let engine = self.client.clone().with_timeout(PATIENCE);
        let mut answers = engine.import_image_stream(ImportImageOptions::default(), parts, None);
        while let Some(answer) = answers.next().await {
            let told = answer.map_err(|error| failed("load images", &error))?;
            each(told.stream.unwrap_or_default().trim_end());
        }
        Ok(())
    }

    /// Removes all images that are named by registries on these ports of 127.0.0.1.
    pub async fn remove_images_of(&self, ports: &[u16]) -> Result<(), Report> {
        let prefixes: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}/")).collect();
        let named = |image: &ImageRef| prefixes.iter().any(|one| image.repository.starts_with(one));
        for image in self.image_names().await?.into_iter().filter(named) {
            self.remove_image(&image.to_string()).await?;
        }
        Ok(())
    }

    /// Removes all tags of the repositories of these images but the images themselves.
    pub async fn remove_other_tags(&self, keep: &[ImageRef]) -> Result<(), Report> {
        let other = |image: &ImageRef| {
            keep.iter().any(|kept| kept.repository == image.repository) && !keep.contains(image)
        };
        for image in self.image_names().await?.into_iter().filter(other) {
            self.remove_image(&image.to_string()).await?;
        }
        Ok(())
    }

    /// Removes one name of an image; the image goes when it was the last. Gone already is fine.
    pub async fn remove_image(&self, name: &str) -> Result<(), Report> {
        self.calls.changing(&format!("remove image {name}"));
        let removed = self.client.remove_image(name, None::<RemoveImageOptions>, None).await;
        found("remove an image", removed).map(|_| ())
    }
}

/// The registry's part of an image's name, as `127.0.0.1:5511`.
pub(crate) fn registry(image: &ImageRef) -> &str {
    image.repository.split('/').next().unwrap_or_default()
}

/// The engine's own words.
fn words(error: &bollard::errors::Error) -> String {
    use bollard::errors::Error;
    match error {
        Error::DockerResponseServerError { message, .. } => message.clone(),
        Error::DockerStreamError { error } => error.clone(),
        other => crate::sys::http::chain(other),
    }
}

fn options(request: &BuildRequest) -> Result<BuildImageOptions, Report> {
    let map =
        |pairs: &[(String, String)]| pairs.iter().cloned().collect::<HashMap<String, String>>();
    let options = BuildImageOptionsBuilder::new()
        .dockerfile(&request.dockerfile)
        .t(&request.tag)
        .buildargs(&map(&request.args))
        .labels(&map(&request.labels))
        .rm(true)
        // `rm` alone leaves the containers of a failed classic build behind.
        .forcerm(true);
    if !request.buildkit {
        return Ok(options.version(BuilderVersion::BuilderV1).build());
    }
    let mut random = [0; 12];
    getrandom::fill(&mut random).map_err(|error| Report::bug("no random bytes", &error))?;
    // Every build needs a session of its own.
    let session = crate::model::hex(&random, random.len());
    Ok(options.version(BuilderVersion::BuilderBuildKit).session(&session).build())
}

/// What was told so far: `BuildKit` repeats a step with every change and cuts log lines anywhere.
#[derive(Debug, Default)]
struct Trace {
    /// The classic builder's step.
    current: String,
    /// Names by digest.
    names: HashMap<String, String>,
    /// Told as cached or failed.
    ended: HashSet<String>,
    /// Unfinished lines by step and output.
    lines: HashMap<(String, i64), Vec<u8>>,
}

impl Trace {
    /// Passes on what one answer tells; gives the image's id when it is in it.
    fn follow(&mut self, told: BuildInfo, each: &mut impl FnMut(BuildOutput)) -> Option<String> {
        if let Some(text) = told.stream {
            self.classic(&text, each);
        }
        match told.aux? {
            BuildInfoAux::Default(image) => image.id,
            BuildInfoAux::BuildKit(status) => {
                for vertex in status.vertexes {
                    let begun = vertex.started.is_some() || vertex.cached;
                    let known = self.names.contains_key(&vertex.digest);
                    if begun && !known && !vertex.cached {
                        each(BuildOutput::Step(vertex.name.clone()));
                    }
                    if begun {
                        self.names.insert(vertex.digest.clone(), vertex.name.clone());
                    }
                    let ends = vertex.cached || !vertex.error.is_empty();
                    if ends && self.ended.insert(vertex.digest.clone()) {
                        each(if vertex.error.is_empty() {
                            BuildOutput::Cached(vertex.name)
                        } else {
                            BuildOutput::Error { step: vertex.name, text: vertex.error }
                        });
                    }
                }
                for log in status.logs {
                    let unfinished = self.lines.entry((log.vertex, log.stream)).or_default();
                    whole_lines(unfinished, &log.msg, each);
                }
                None
            }
        }
    }

    /// The classic builder tells all in one text: `Step 3/9 : RUN …`, ` ---> Using cache`, output.
    fn classic(&mut self, text: &str, each: &mut impl FnMut(BuildOutput)) {
        let mut unfinished = Vec::new();
        std::mem::swap(&mut unfinished, self.lines.entry((String::new(), 0)).or_default());
        whole_lines(&mut unfinished, text.as_bytes(), &mut |output| match output {
            BuildOutput::Log(line) if line.starts_with("Step ") || line.starts_with("STEP ") => {
                self.current.clone_from(&line);
                each(BuildOutput::Step(line));
            }
            BuildOutput::Log(line) if line == " ---> Using cache" => {
                each(BuildOutput::Cached(self.current.clone()));
            }
            BuildOutput::Log(line) if line.starts_with(" ---> ") || line.is_empty() => {}
            output => each(output),
        });
        self.lines.insert((String::new(), 0), unfinished);
    }
}

/// Passes on the lines that are whole now. A carriage return starts a line over, as progress bars use it.
fn whole_lines(unfinished: &mut Vec<u8>, bytes: &[u8], each: &mut impl FnMut(BuildOutput)) {
    for byte in bytes {
        if *byte != b'\n' {
            unfinished.push(*byte);
            continue;
        }
        let line = String::from_utf8_lossy(unfinished);
        let line = line.trim_end_matches('\r');
        let line = line.rsplit('\r').next().unwrap_or_default();
        each(BuildOutput::Log(line.to_owned()));
        unfinished.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(texts: &[&str]) -> Vec<BuildOutput> {
        let (mut trace, mut heard) = (Trace::default(), Vec::new());
        for text in texts {
            let told = BuildInfo { stream: Some((*text).to_owned()), ..BuildInfo::default() };
            trace.follow(told, &mut |output| heard.push(output));
        }
        heard
    }

    #[test]
    fn the_classic_builder_is_understood() {
        let heard = outputs(&[
            "Step 1/2 : FROM x",
            "\n",
            " ---> 0123456789ab\n",
            "Step 2/2 : RUN y\n ---> Using cache\n",
            "10%\r100%\r\nout",
            "put\n",
        ]);
        let expected = [
            BuildOutput::Step("Step 1/2 : FROM x".to_owned()),
            BuildOutput::Step("Step 2/2 : RUN y".to_owned()),
            BuildOutput::Cached("Step 2/2 : RUN y".to_owned()),
            BuildOutput::Log("100%".to_owned()),
            BuildOutput::Log("output".to_owned()),
        ];
        assert_eq!(heard, expected);
    }

    #[test]
    fn a_build_kit_session_is_never_used_twice() {
        let request = BuildRequest { buildkit: true, ..BuildRequest::default() };
        let (one, two) = (options(&request).unwrap(), options(&request).unwrap());
        assert!(one.session.is_some());
        assert_ne!(one.session, two.session);
    }
}
