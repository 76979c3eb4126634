//! Keys of fields, and attributes of metadata, encoded once a callsite.

use crate::client::engine::Buffer;
use crate::client::key::{HEAD_BYTES, Key};
use crate::client::trace::{AttributeLimits, Attributes};
use otlp_protocol::ToValue;
use std::sync::OnceLock;
use tracing::Metadata;

/// The key of a field.
pub(super) struct FieldKey {
    pub(super) key: Key,
    /// The meaning of the field.
    pub(super) role: Role,
}

/// The meaning of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// An attribute.
    Attribute,
    /// `message` of an event: the name of the span event, or the body of the log record.
    Message,
    /// `error` of an event: the exception, if the event has no message.
    Error,
    /// `otel.name` of a span.
    Name,
    /// `otel.kind` of a span.
    Kind,
    /// `otel.status_code` of a span.
    StatusCode,
    /// `otel.status_description` of a span.
    StatusDescription,
    /// A field that a later field of the same name replaces: keys are unique.
    Replaced,
}

/// Attributes of metadata, encoded for each choice of attributes at its first use. An attribute with the name of a field is left
/// out: the field wins.
pub(super) struct Extras {
    metadata: &'static Metadata<'static>,
    tag: u8,
    names: Box<[&'static str]>,
    encoded: [OnceLock<Extra>; 8],
    /// True if a field is named `exception.message` or `exception.stacktrace`: errors do not set these attributes then.
    pub(super) has_exception: bool,
    /// True if a field is named `thread.id` or `thread.name`: the attributes of the thread are left out then.
    pub(super) has_thread: bool,
}

/// A choice of attributes of metadata.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    /// `code.file.path`, `code.line.number`, `code.module.name`.
    pub(super) location: bool,
    /// `target`.
    pub(super) target: bool,
    /// `level`.
    pub(super) level: bool,
}

/// Encoded attributes.
#[derive(Clone, Default)]
pub(super) struct Extra {
    pub(super) bytes: Box<[u8]>,
    pub(super) count: u32,
    /// Fingerprints of the keys.
    pub(super) fingerprints: u64,
}

// === impl Choice ===

impl Choice {
    #[inline]
    fn index(self) -> usize {
        usize::from(self.location) | usize::from(self.target) << 1 | usize::from(self.level) << 2
    }
}

// === impl FieldKey ===

impl FieldKey {
    /// Encodes the keys of all fields.
    pub(super) fn encode_all(names: &[&'static str], is_span: bool) -> Box<[Self]> {
        // The keys live as long as the callsite, and that is as long as the program.
        let heads: Vec<[u8; HEAD_BYTES]> = names.iter().map(|name| Key::head_of(name)).collect();
        let heads: &'static [[u8; HEAD_BYTES]] = Box::leak(heads.into_boxed_slice());
        let fields = names.iter().zip(heads).enumerate().map(|(index, (name, head))| {
            let is_replaced = names.iter().skip(index + 1).any(|later| later == name);
            let role = if is_replaced { Role::Replaced } else { Role::of(name, is_span) };
            Self { key: Key::from_head(name, head), role }
        });
        fields.collect()
    }
}

// === impl Role ===

impl Role {
    fn of(name: &str, is_span: bool) -> Self {
        match (is_span, name) {
            (true, "otel.name") => Self::Name,
            (true, "otel.kind") => Self::Kind,
            (true, "otel.status_code") => Self::StatusCode,
            (true, "otel.status_description") => Self::StatusDescription,
            (false, "message") => Self::Message,
            (false, "error") => Self::Error,
            _ => Self::Attribute,
        }
    }
}

// === impl Extras ===

impl Extras {
    pub(super) fn new(metadata: &'static Metadata<'static>, tag: u8, names: &[&'static str]) -> Self {
        let has = |name: &str| names.contains(&name);
        Self {
            metadata,
            tag,
            names: names.into(),
            encoded: Default::default(),
            has_exception: has("exception.message") || has("exception.stacktrace"),
            has_thread: has("thread.id") || has("thread.name"),
        }
    }

    /// Returns the chosen attributes, with texts of at most `max_value` characters; `made` keeps them if they are made for this call.
    #[inline]
    pub(super) fn get<'a>(
        &'a self,
        choice: Choice,
        max_value: Option<usize>,
        made: &'a mut Option<Extra>,
    ) -> &'a Extra {
        match (max_value, self.encoded.get(choice.index())) {
            (None, Some(extra)) => extra.get_or_init(|| self.encode(choice, None)),
            _ => made.insert(self.encode(choice, max_value)),
        }
    }

    #[cold]
    fn encode(&self, choice: Choice, max_value: Option<usize>) -> Extra {
        let metadata = self.metadata;
        let mut extra = ExtraWriter::new(self.tag, max_value);
        let mut put = |is_chosen: bool, name: &str, text: Option<&str>| {
            if let Some(text) = text.filter(|_| is_chosen && !self.names.contains(&name)) {
                extra.put(name, text);
            }
        };
        put(choice.level, "level", Some(metadata.level().as_str()));
        put(choice.target, "target", Some(metadata.target()));
        put(choice.location, "code.file.path", metadata.file());
        put(choice.location, "code.module.name", metadata.module_path());
        if let Some(line) = metadata.line().filter(|_| choice.location)
            && !self.names.contains(&"code.line.number")
        {
            extra.put("code.line.number", line);
        }
        extra.end()
    }
}

/// Encodes attributes that many spans or events have.
pub(super) struct ExtraWriter {
    out: Buffer,
    list: Attributes,
    tag: u8,
    limits: AttributeLimits,
}

// === impl ExtraWriter ===

impl ExtraWriter {
    /// Writes attributes as field `tag`, with texts of at most `max_value` characters.
    pub(super) fn new(tag: u8, max_value: Option<usize>) -> Self {
        let limits = AttributeLimits::new(u32::MAX, max_value);
        Self { out: Buffer::default(), list: Attributes::default(), tag, limits }
    }

    pub(super) fn put(&mut self, name: &str, value: impl ToValue) {
        self.list.put(&mut self.out, self.tag, &self.limits, name, value);
    }

    pub(super) fn end(self) -> Extra {
        let Attributes { count, seen, .. } = self.list;
        Extra { bytes: self.out.as_slice().into(), count, fingerprints: seen }
    }
}
