//! Fields of messages by their paths: a table for each context.

mod exemplar;
mod log;
mod metric;
mod point;
mod profile;
mod request;
mod resource;
mod span;

pub(crate) use request::{CACHE, request_field, request_fields};
pub(crate) use span::{KINDS, OLD_KINDS};

use super::context::Context;
use super::environment::{Environment, Level};
use super::target::{Special, Write};
use super::value::Value;
use std::fmt;

/// A field of a context, by its path without the context and without keys: `status.code`.
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) read: Read,
    /// The message that has the field.
    pub(crate) level: Level,
    pub(crate) write: Write,
    /// True if the path may be followed by keys.
    pub(crate) is_keyed: bool,
}

/// Reads a field of the current messages.
pub(crate) type Read = for<'a> fn(&'a Environment<'_>) -> Value<'a>;

// === impl Field ===

impl Field {
    pub(super) const fn new(level: Level, name: &'static str, write: Write, read: Read) -> Self {
        let is_keyed =
            matches!(write, Write::AnyValue(_) | Write::Attributes(_) | Write::Special(Special::TraceState));
        Self { name, read, level, write, is_keyed }
    }

    /// Lets keys follow the path.
    const fn keyed(self) -> Self {
        Self { is_keyed: true, ..self }
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("name", &self.name).field("write", &self.write).finish_non_exhaustive()
    }
}

/// Returns the fields of a context.
pub(crate) fn fields(context: Context) -> &'static [Field] {
    match context {
        Context::DataPoint => point::FIELDS,
        Context::Exemplar => exemplar::FIELDS,
        Context::Log => log::FIELDS,
        Context::Metric => metric::FIELDS,
        Context::Profile => profile::FIELDS,
        Context::Resource => resource::RESOURCE,
        Context::Scope => resource::SCOPE,
        Context::Span => span::SPAN,
        Context::SpanEvent => span::EVENT,
    }
}
