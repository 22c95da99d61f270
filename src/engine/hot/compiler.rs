//! The compiler of an app, kept warm in a container of its own.

use tokio_util::sync::CancellationToken;

use super::{Ground, contents};
use crate::build::{self, Compiled, Context, Warm};
use crate::engine::way::{below, prefix};
use crate::model::{Code, Report, labels};
use crate::sys::inside::File;

/// A compiler, and the sources that it has.
#[derive(Debug, Default)]
pub(super) struct Compiler {
    rollouts: u64,
    warm: Option<(Warm, Context)>,
}

impl Compiler {
    /// After something was rolled out, the next compilation gives every file of the program.
    pub(super) fn follow(&mut self, rollouts: u64) {
        if std::mem::replace(&mut self.rollouts, rollouts) != rollouts {
            self.forget();
        }
    }

    /// What was given last is not in the containers.
    pub(super) fn forget(&mut self) {
        if let Some((warm, _)) = &mut self.warm {
            warm.forget();
        }
    }

    /// The program's files that the compiler made anew; none when it was cancelled.
    pub(super) async fn compile(
        &mut self,
        ground: &Ground<'_>,
    ) -> Result<Option<Vec<File>>, Report> {
        let recipe = ground.landing.compile().map_err(|why| {
            Report::new(Code::BuildFailed, "the app cannot be compiled apart from its image")
                .why(why)
        })?;
        let target = recipe.target.clone();
        let seen = ground.work.context.paths();
        // Not cut off by a newer save, which would have to begin from the beginning.
        self.warm(ground, &CancellationToken::new()).await?;
        let Some((warm, known)) = &mut self.warm else { return Ok(None) };
        let changes = ground.work.context.changes_since(known);
        let mut files = Vec::new();
        let mut replay = ground.course.replay;
        for change in &changes {
            let path = below(&ground.work.app, &change.path);
            let contents = if change.gone { None } else { contents(ground.work, &path)? };
            let staged = ground.landing.staged(&change.path);
            replay &= staged.is_empty() || (!change.new && !change.gone);
            let file = |path: String| File { path, contents: contents.clone() };
            files.extend(staged.into_iter().map(file));
        }
        *known = ground.work.context.clone();
        match warm.compile(&files, replay, ground.cancel, &seen).await? {
            Compiled::Cancelled => Ok(None),
            Compiled::Outputs(outputs) => {
                let file = |(name, bytes)| File {
                    path: format!("{}/{name}", target.trim_end_matches('/')),
                    contents: Some(bytes),
                };
                Ok(Some(outputs.into_iter().map(file).collect()))
            }
        }
    }

    /// Makes the warm compiler, unless there is one that answers.
    pub(super) async fn warm(
        &mut self,
        ground: &Ground<'_>,
        cancel: &CancellationToken,
    ) -> Result<(), Report> {
        if self.warm.as_ref().is_some_and(|(warm, _)| !warm.is_broken()) {
            return Ok(());
        }
        let (shop, work) = (ground.shop, ground.work);
        let helper = shop.helper.clone()?;
        let compile = ground.landing.compile().map_err(|why| {
            Report::new(Code::BuildFailed, "the app cannot be compiled apart from its image")
                .why(why)
        })?;
        let (app, stack) = (&work.app, &shop.site.stack);
        let mut sources = Vec::new();
        for path in work.context.paths() {
            let inner = path.strip_prefix(&prefix(app)).unwrap_or(&path);
            let staged = ground.landing.staged(inner);
            if staged.is_empty() {
                continue;
            }
            let contents = contents(work, &path)?;
            sources
                .extend(staged.into_iter().map(|path| File { path, contents: contents.clone() }));
        }
        let place = build::Place {
            docker: &shop.docker,
            helper: &helper,
            name: &format!("altinn-{stack}-build-{}", app.id.release()),
            resource: &format!("{}{}", labels::WARM, app.id.release()),
            packages: &format!("altinn-{stack}-packages"),
            network: &ground.desire.stack.network,
            stack,
        };
        let warm =
            Warm::start(place, build::Recipe::of(compile), &sources, &work.context.paths(), cancel)
                .await?;
        self.warm = warm.map(|warm| (warm, work.context.clone()));
        Ok(())
    }
}
