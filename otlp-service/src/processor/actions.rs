//! What to do to a list of attributes: the Collector's actions, checked once and run on each list.

mod context;
mod convert;
#[cfg_attr(not(feature = "hash"), path = "actions/hash/absent.rs")]
mod hash;
mod program;

pub use convert::ConvertTo;

pub(super) use context::Resolved;
pub(super) use program::Actions;

use context::ContextKey;
use otlp_protocol::AttributeValue;

/// One action as the Collector's `attributes` and `resource` processors take it.
#[derive(Clone, Debug, Default)]
pub struct ActionConfig {
    /// Which attribute. `delete` and `hash` do without if there is a pattern.
    pub key: String,
    /// What to do.
    pub action: ActionKind,
    /// The value to put there. `insert`, `update` and `upsert` need one source of a value.
    pub value: Option<AttributeValue>,
    /// The attribute whose value to put there.
    pub from_attribute: Option<String>,
    /// What of the request to put there: `metadata.<header>`, `auth.<attribute>`, `client.address`, or a header's name.
    pub from_context: Option<String>,
    /// The value to put there if the source has none.
    pub default_value: Option<AttributeValue>,
    /// The expression: `delete` and `hash` match keys with it, `extract` takes the value apart by its named groups.
    pub pattern: Option<String>,
    /// The type that `convert` converts to.
    pub converted_type: Option<ConvertTo>,
}

/// What an action does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionKind {
    /// Changes the type of a value, if the value has one of that type.
    Convert,
    /// Takes attributes away.
    Delete,
    /// Puts the groups of an expression into attributes of their names.
    Extract,
    /// Puts the SHA-256 of a value in its place, in hex.
    Hash,
    /// Adds the attribute unless it is there.
    #[default]
    Insert,
    /// Changes the attribute if it is there.
    Update,
    /// Adds or changes it.
    Upsert,
}

/// Why actions cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("action {index}: {field}: {problem}")]
pub struct ActionError {
    /// Which action, from 0.
    pub index: usize,
    /// Which field of it: `value`, `pattern`.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

// === impl ActionKind ===

impl ActionKind {
    /// All actions.
    pub const ALL: [Self; 7] =
        [Self::Insert, Self::Update, Self::Upsert, Self::Delete, Self::Hash, Self::Extract, Self::Convert];

    /// Its name in settings: `insert`.
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

#[cfg(all(test, feature = "hash"))]
mod tests;
