//! Edits on the encoding itself: attributes of resources, scopes and items are changed, and items dropped, by cutting and
//! putting in bytes; the lengths around them follow, everything else stays as it came, unknown fields and all.
//!
//! An [`Editor`] is shown one message after the other, in the order they stand, and changes attributes through
//! [`AttributeEdits`]. What it does is what it would do to the decoded request: pieces of a message that was sent in
//! pieces are one to it, and data that a decoder would not see is not shown.

mod attribute;
mod attribute_value;
mod attributes;
mod dictionary;
#[cfg(feature = "hash")]
mod hash;
mod levels;
mod value;
mod walk;

pub use self::attribute_value::AttributeValue;
pub use self::attributes::{AttributeEdits, Change, Put};
#[cfg(feature = "hash")]
pub use self::hash::sha256_hex;
pub use self::value::Value;

use self::walk::Walk;
use crate::splice::TooLarge;
use crate::{Body, Count};

/// Decides on each message, and changes its attributes. What a method is not written for is kept as it is.
///
/// Messages come as the encoding that the sender made, before any edit: views of [`view`](crate::view) read them. One
/// that is absent is empty.
pub trait Editor {
    /// Which levels the editor wants to see; nothing below the last of them is read.
    fn levels(&self) -> Levels;

    /// A resource.
    fn resource(&mut self, _resource: &[u8], _attributes: &mut AttributeEdits<'_>) -> Fate {
        Fate::Keep
    }

    /// An instrumentation scope.
    fn scope(&mut self, _resource: &[u8], _scope: &[u8], _attributes: &mut AttributeEdits<'_>) -> Fate {
        Fate::Keep
    }

    /// An entry: a span, log record, metric or profile, before its items.
    fn entry(&mut self, _item: &Item<'_>) -> Fate {
        Fate::Keep
    }

    /// An item: a span, log record, data point or sample. Samples have no attributes of their own (they refer to a
    /// table), so [`AttributeEdits::is_editable`] is false for them.
    fn item(&mut self, _item: &Item<'_>, _attributes: &mut AttributeEdits<'_>) -> Fate {
        Fate::Keep
    }
}

/// The levels of a request that an [`Editor`] is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// [`Editor::resource`] is called.
    pub resources: bool,
    /// [`Editor::scope`] is called.
    pub scopes: bool,
    /// [`Editor::entry`] is called.
    pub entries: bool,
    /// [`Editor::item`] is called.
    pub items: bool,
}

/// An item and what it belongs to, as encoded messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Item<'a> {
    /// The index of its resource among the resources of the request, from 0. Two items of one request have the same
    /// resource if the indices are equal: compare the indices, not the encodings, which may be long.
    pub resource_index: usize,
    /// Its resource; empty if absent.
    pub resource: &'a [u8],
    /// Its instrumentation scope; empty if absent.
    pub scope: &'a [u8],
    /// The entry that it is, or is part of: span, log record, metric, profile.
    pub entry: &'a [u8],
    /// The item inside its entry: data point, sample.
    pub point: Option<&'a [u8]>,
}

/// Whether a message stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Keep,
    /// It goes, with all that is in it. An envelope, metric or profile that has nothing left goes as well; one that had
    /// nothing in the first place stays.
    Drop,
}

/// What [`edit`] made of a body.
#[derive(Clone, Debug)]
pub struct Edited {
    /// The body; the one that came in, if nothing changed.
    pub body: Body,
    /// What was dropped: the body holds so much less.
    pub dropped: Count,
    /// Whether the body is another than before.
    pub changed: bool,
}

/// Why a body could not be edited; it is left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The edited body, or the notes on what to change, would be larger than the limit.
    #[error("the edited request would have more than {limit} bytes")]
    TooLarge {
        /// The limit: `max_bytes` of [`edit`].
        limit: usize,
    },
    /// A message has too many attributes to edit them.
    #[error("a message has more than {limit} attributes")]
    TooManyAttributes {
        /// The limit: [`MAX_ATTRIBUTES`].
        limit: usize,
    },
    /// A dictionary has too many strings to look keys up in it.
    #[error("the dictionary has more than {limit} strings")]
    TooManyStrings {
        /// The limit: [`MAX_STRINGS`].
        limit: usize,
    },
}

/// The attributes of one message that can be edited.
pub const MAX_ATTRIBUTES: usize = 1 << 16;

/// The strings of one dictionary that attributes may refer to.
pub const MAX_STRINGS: usize = 1 << 20;

/// Lets an editor change a body. The edited one may have `max_bytes`.
///
/// The body is read once and, if anything changes, written once; long stretches without a change are linked. A body in
/// several segments is copied into one to be read.
///
/// ```
/// use otlp_protocol::{AttributeEdits, Body, Editor, Fate, Item, Levels, Signal, ValidateLimits, edit};
///
/// struct Redact;
///
/// impl Editor for Redact {
///     fn levels(&self) -> Levels {
///         Levels { items: true, ..Levels::default() }
///     }
///
///     fn item(&mut self, _item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Fate {
///         attributes.delete("password");
///         attributes.upsert("redacted", true);
///         Fate::Keep
///     }
/// }
///
/// // A log record with one attribute, `password`.
/// let body = b"\x0a\x10\x12\x0e\x12\x0c\x32\x0a\x0a\x08password".to_vec();
/// let body = Body::check(Signal::LOGS, body, &ValidateLimits::default())?;
/// let edited = edit(&body, &mut Redact, 1 << 20)?;
/// assert!(edited.changed);
/// let bytes = edited.body.plain().to_contiguous();
/// assert_eq!(bytes, "\x0a\x14\x12\x12\x12\x10\x32\x0e\x0a\x08redacted\x12\x02\x10\x01");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If a limit is reached. The body is not changed in part.
pub fn edit(body: &Body, editor: &mut (impl Editor + ?Sized), max_bytes: usize) -> Result<Edited, EditError> {
    let bytes = body.plain().to_contiguous();
    let mut walk = Walk::new(body.signal(), &bytes, editor, max_bytes)?;
    walk.request()?;
    let (splices, dropped) = walk.finish();
    let mut count = body.count();
    count -= dropped;
    let edited = splices.link(&bytes)?.map(|plain| body.with(plain, count));
    let changed = edited.is_some();
    Ok(Edited { body: edited.unwrap_or_else(|| body.clone()), dropped, changed })
}

impl From<TooLarge> for EditError {
    fn from(TooLarge { limit }: TooLarge) -> Self {
        Self::TooLarge { limit }
    }
}
