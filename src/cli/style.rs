//! Colours and words: never a colour alone.

use crate::model::ResourceState;

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    colored: bool,
}

impl Style {
    /// With colours.
    #[must_use]
    pub const fn colored() -> Self {
        Self { colored: true }
    }

    /// Without.
    #[must_use]
    pub const fn plain() -> Self {
        Self { colored: false }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colored { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// For headings.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// For what matters less.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// For faults.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// For what went well.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// For what wants attention.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// For what can be typed.
    #[must_use]
    pub fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// A text in the colour of a state.
    #[must_use]
    pub fn state(self, state: ResourceState, text: &str) -> String {
        match state {
            ResourceState::Healthy => self.green(text),
            ResourceState::Degraded => self.yellow(text),
            ResourceState::Failed => self.red(text),
            ResourceState::Stopped | ResourceState::Pending => self.dim(text),
            _ => self.cyan(text),
        }
    }
}

/// The sign of a state; a word always stands beside it.
#[must_use]
pub const fn glyph(state: ResourceState) -> &'static str {
    match state {
        ResourceState::Pending => "○",
        ResourceState::Pulling => "↓",
        ResourceState::Creating => "…",
        ResourceState::Starting => "◔",
        ResourceState::Healthy => "✔",
        ResourceState::Degraded => "!",
        ResourceState::Failed => "✖",
        ResourceState::Stopping => "◍",
        ResourceState::Stopped => "·",
    }
}

/// A time span for people: `0.4s`, `41s`, `3m 5s`, `2h 14m`, `3d 4h`.
#[must_use]
pub fn span(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        0..10 => format!("{}.{}s", seconds, milliseconds % 1000 / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_keep_two_figures() {
        for (milliseconds, text) in [
            (0, "0.0s"),
            (940, "0.9s"),
            (9_999, "9.9s"),
            (41_000, "41s"),
            (112_000, "1m 52s"),
            (8_040_000, "2h 14m"),
            (180_000_000, "2d 2h"),
        ] {
            assert_eq!(span(milliseconds), text);
        }
    }
}
