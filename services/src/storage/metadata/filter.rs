//! What an instance query asks for (`platform-api.md` §1.4), read and checked.

use crate::kit::date::Date;

/// Which instances, in which order, from where on.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Organisation.
    pub org: Option<String>,
    /// `org/app`.
    pub app: Option<String>,
    /// Owner.
    pub party: Option<i64>,
    /// Id of the current task.
    pub task: Option<String>,
    /// Whether the process has ended; `false` asks for a current task.
    pub complete: Option<bool>,
    /// Bounds in time.
    pub bounds: Vec<(Moment, Bound, Date)>,
    /// Stakeholder who must not have confirmed.
    pub unconfirmed_by: Option<String>,
    /// Whether the owner organisation has confirmed.
    pub confirmed: Option<bool>,
    /// Archived or not.
    pub archived: Option<bool>,
    /// Soft-deleted or not.
    pub soft_deleted: Option<bool>,
    /// Hard-deleted or not.
    pub hard_deleted: Option<bool>,
    /// Part of a presentation text.
    pub search: Option<String>,
    /// Last twelve characters of the guid.
    pub reference: Option<String>,
    /// By last change.
    pub order: Order,
    /// Hits of a page.
    pub size: i64,
    /// After this hit.
    pub after: Option<(Date, i64)>,
    /// Without elements when false.
    pub elements: bool,
}

/// Which time of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// `created`.
    Created,
    /// `lastChanged`.
    LastChanged,
    /// `process.ended`.
    Ended,
    /// `dueBefore`.
    DueBefore,
    /// `visibleAfter`.
    VisibleAfter,
}

/// How a time is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// `gt`.
    After,
    /// `gte`.
    From,
    /// `lt`.
    Before,
    /// `lte`.
    UpTo,
    /// `eq`.
    At,
}

/// The order of hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Latest change first.
    #[default]
    Latest,
    /// Oldest change first.
    Oldest,
}
