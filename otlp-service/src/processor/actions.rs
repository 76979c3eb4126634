//! The Collector's actions on attributes, checked once and run on each list of attributes.

mod context;
mod convert;
#[cfg_attr(not(feature = "hash"), path = "actions/hash/absent.rs")]
mod hash;
mod program;

pub use convert::ConvertTo;

pub(super) use context::Resolved;
pub(super) use convert::parse_double;
pub(super) use program::Actions;

use context::ContextKey;
use otlp_protocol::AttributeValue;

/// One action of the Collector's `attributes` and `resource` processors.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ActionConfig {
    /// Key of the attribute. Optional for `delete` and `hash` with a pattern.
    pub key: String,
    /// Kind of the action.
    pub action: ActionKind,
    /// The new value. `insert`, `update` and `upsert` need exactly one source of a value.
    pub value: Option<AttributeValue>,
    /// Key of the attribute that has the new value.
    pub from_attribute: Option<String>,
    /// Metadata of the request that is the new value: `metadata.<header>`, `auth.<attribute>`, `client.address`, or a header's
    /// name.
    pub from_context: Option<String>,
    /// The new value if the source has no value.
    pub default_value: Option<AttributeValue>,
    /// Regular expression: `delete` and `hash` match keys, `extract` captures named groups of the value.
    pub pattern: Option<String>,
    /// Target type of `convert`.
    pub converted_type: Option<ConvertTo>,
}

/// Kind of an action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionKind {
    /// Converts a value to another type, if possible.
    Convert,
    /// Removes attributes.
    Delete,
    /// Writes the named groups of an expression into attributes of these names.
    Extract,
    /// Replaces a value by its SHA-256, in hex.
    Hash,
    /// Adds the attribute unless it exists.
    #[default]
    Insert,
    /// Changes the attribute if it exists.
    Update,
    /// Adds or changes the attribute.
    Upsert,
}

/// An error in the configuration of actions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("action {index}: {field}: {problem}")]
#[non_exhaustive]
pub struct ActionError {
    /// Index of the action, from 0.
    pub index: usize,
    /// Name of the field: `value`, `pattern`.
    pub field: &'static str,
    /// The problem, as text.
    pub problem: String,
}

// === impl ActionKind ===

impl ActionKind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::Insert, Self::Update, Self::Upsert, Self::Delete, Self::Hash, Self::Extract, Self::Convert];

    /// Returns the name in settings: `insert`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Convert => "convert",
            Self::Delete => "delete",
            Self::Extract => "extract",
            Self::Hash => "hash",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
        }
    }
}

#[cfg(test)]
#[cfg(feature = "hash")]
mod tests;
