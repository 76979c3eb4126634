//! `on_empty` of extensions whose tokens or users are in a file.

use otlp_transport::OnEmpty;
use serde::Deserialize;

/// Values of `on_empty`: effect of a file that is emptied while the gateway runs.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum WhenEmpty {
    /// The last content of the file stays in use.
    #[default]
    Keep,
    /// No credentials are accepted.
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
