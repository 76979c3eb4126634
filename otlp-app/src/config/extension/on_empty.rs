//! `on_empty` of extensions whose tokens or users are in a file.

use otlp_transport::OnEmpty;
use serde::Deserialize;

/// What receivers do when the file is emptied while the gateway runs.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum WhenEmpty {
    /// What the file held before stays in use.
    #[default]
    Keep,
    /// Nobody is let in.
    Refuse,
}

impl From<WhenEmpty> for OnEmpty {
    fn from(given: WhenEmpty) -> Self {
        match given {
            WhenEmpty::Keep => Self::Keep,
            WhenEmpty::Refuse => Self::Refuse,
        }
    }
}
