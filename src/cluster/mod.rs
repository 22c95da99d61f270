//! One organisation's Kubernetes cluster: made by kind, filled by server-side apply, found again by its record.
//!
//! A cluster is finished when its record lies beside its kubeconfig; it is filled when the marker inside, written
//! last, has the wanted hash. What lacks the one is made anew, what lacks the other is filled again. Nothing here
//! knows of apps; `deploy` puts them in.

mod create;
mod fill;
mod node;
mod objects;
mod observe;
mod record;
mod sync;

pub use create::{create, delete};
pub use fill::{fill, wait_for_api};
pub use node::node_files;
pub use objects::{Contents, fingerprint, objects};
pub use observe::observe;
pub use record::{any, connect, kubeconfig};
pub use sync::prepare_sync;
