//! Keys of fields, and attributes of metadata, encoded once a callsite.

use super::attributes::Attributes;
use otlp_protocol::wire::put_len_delimited;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;
use tracing::Metadata;

/// The key of a field.
pub(super) struct FieldKey {
    /// Position of the key's encoding: a `KeyValue` up to the length of its value.
    pub(super) head: Range<usize>,
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
}

// === impl FieldKey ===

impl FieldKey {
    /// Encodes the keys of all fields, one after the other.
    pub(super) fn encode_all(names: &[&'static str], is_span: bool) -> (Box<[Self]>, Box<[u8]>) {
        let mut keys = Vec::new();
        let fields = names.iter().enumerate().map(|(index, name)| {
            let from = keys.len();
            put_key(&mut keys, name);
            let is_replaced = names.iter().skip(index + 1).any(|later| later == name);
            let role = if is_replaced { Role::Replaced } else { Role::of(name, is_span) };
            Self { head: from..keys.len(), role }
        });
        let fields = fields.collect();
        (fields, keys.into_boxed_slice())
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

    /// Returns the chosen attributes, with texts of at most `max_value` characters.
    #[inline]
    pub(super) fn get(&self, choice: Choice, max_value: Option<usize>) -> Cow<'_, Extra> {
        let index =
            usize::from(choice.location) | usize::from(choice.target) << 1 | usize::from(choice.level) << 2;
        match (max_value, self.encoded.get(index)) {
            (None, Some(extra)) => Cow::Borrowed(extra.get_or_init(|| self.encode(choice, None))),
            _ => Cow::Owned(self.encode(choice, max_value)),
        }
    }

    #[cold]
    fn encode(&self, choice: Choice, max_value: Option<usize>) -> Extra {
        let metadata = self.metadata;
        let attributes = [
            (choice.level, "level", Some(Constant::Text(metadata.level().as_str()))),
            (choice.target, "target", Some(Constant::Text(metadata.target()))),
            (choice.location, "code.file.path", metadata.file().map(Constant::Text)),
            (choice.location, "code.line.number", metadata.line().map(i64::from).map(Constant::Int)),
            (choice.location, "code.module.name", metadata.module_path().map(Constant::Text)),
        ];
        let (mut bytes, mut count) = (Vec::new(), 0);
        for (is_chosen, name, value) in attributes {
            if let Some(value) = value.filter(|_| is_chosen && !self.names.contains(&name)) {
                put_constant(&mut bytes, self.tag, name, value, max_value);
                count += 1;
            }
        }
        Extra { bytes: bytes.into_boxed_slice(), count }
    }
}

/// A value that is known when the key is encoded.
#[derive(Clone, Copy)]
pub(super) enum Constant<'a> {
    Int(i64),
    Text(&'a str),
}

/// Appends an attribute with the name and the value, of at most `max_value` characters.
pub(super) fn put_constant(
    out: &mut Vec<u8>,
    tag: u8,
    name: &str,
    value: Constant<'_>,
    max_value: Option<usize>,
) {
    let mut head = Vec::new();
    put_key(&mut head, name);
    let mut attributes = Attributes::new(out, tag, u32::MAX, max_value);
    match value {
        Constant::Int(value) => attributes.int(&head, value),
        Constant::Text(value) => attributes.text(&head, value),
    }
}

/// Appends the start of a `KeyValue`, up to the length of the value.
pub(super) fn put_key(out: &mut Vec<u8>, name: &str) {
    put_len_delimited(out, 1, name.as_bytes());
    out.push(VALUE);
}

/// Tag of the value in a `KeyValue`.
const VALUE: u8 = 0x12;
