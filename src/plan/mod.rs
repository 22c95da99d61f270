//! Pure decisions: what is wanted and what was found give the steps that are missing. No clock, no file, no call.

mod course;
mod diff;
mod order;
mod step;
#[cfg(test)]
mod tests;

pub use course::{Change, Course, Ground, course, is_master_file};
pub use diff::{AppTarget, MissingImages, diff, teardown};
pub use order::order;
pub use step::{Plan, Planned, ServiceChange, Step};
