//! How a dev server is, as others see it.

use super::route::DevRoute;
use crate::model::{Report, ResourceState};

/// A dev server at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevState {
    /// `Creating` while packages are installed, `Starting` until it answers, `Healthy` while it serves, `Degraded` when
    /// it died and is started again or serves what has a fault, `Failed` when it was given up.
    pub state: ResourceState,
    /// Where it answers; none while it does not.
    pub route: Option<DevRoute>,
    /// What is wrong with it, or with what it serves.
    pub error: Option<Report>,
}

impl DevState {
    /// A state with neither an answer nor a fault.
    #[must_use]
    pub const fn new(state: ResourceState) -> Self {
        Self { state, route: None, error: None }
    }

    /// It answers.
    pub(super) const fn serving(route: DevRoute) -> Self {
        Self { state: ResourceState::Healthy, route: Some(route), error: None }
    }

    /// It does not answer, for this reason.
    #[must_use]
    pub const fn faulty(state: ResourceState, error: Report) -> Self {
        Self { state, route: None, error: Some(error) }
    }

    /// Whether it is more than on its way: it serves, or something is wrong.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        use ResourceState::{Degraded, Failed, Healthy};
        matches!(self.state, Healthy | Degraded | Failed)
    }
}
