//! References to container images.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `repository:tag`, as an engine or a kubelet takes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ImageRef {
    /// Registry and path, as `ttdaltinnregistry01.azurecr.io/ttd-my-app`.
    pub repository: String,
    /// The tag, as `c-0123456789ab`.
    pub tag: String,
}

impl ImageRef {
    /// Joins a repository and a tag.
    #[must_use]
    pub fn new(repository: impl Into<String>, tag: impl Into<String>) -> Self {
        Self { repository: repository.into(), tag: tag.into() }
    }

    /// Reads `repository[:tag]`; no tag means `latest`. A colon before the last slash is a port.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.rsplit_once(':') {
            Some((repository, tag)) if !tag.contains('/') => Self::new(repository, tag),
            _ => Self::new(text, "latest"),
        }
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.repository, self.tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_not_a_tag() {
        for (text, repository, tag) in [
            ("localhost:5000/a", "localhost:5000/a", "latest"),
            ("localhost:5000/a:1", "localhost:5000/a", "1"),
            ("nginx", "nginx", "latest"),
            ("postgres:16-alpine", "postgres", "16-alpine"),
        ] {
            assert_eq!(ImageRef::parse(text), ImageRef::new(repository, tag), "{text}");
        }
    }
}
