//! Edits of encoded requests: changes the attributes of resources, scopes and items, and drops items.
//!
//! [`edit()`] shows the messages of a request to an [`Editor`], one after the other, and writes the request anew with what
//! the editor changed. Nothing is decoded: changed attributes replace the old bytes, the lengths around them follow, and
//! everything else stays as it came, unknown fields included. The result decodes to what the same changes of the decoded
//! request would give.
//!
//! An editor of one level is a closure in [`resources`], [`scopes`], [`entries`] or [`items`]. An editor of several levels
//! is a type that implements [`Editor`].
//!
//! ```
//! use otlp_protocol::encode::Spans;
//! use otlp_protocol::view::{RequestView, Span};
//! use otlp_protocol::{Body, edit};
//!
//! let body = Body::write::<Spans>(|request| {
//!     request.resource_group(|group| {
//!         group.scope_group(|scope| {
//!             scope.span(|span| {
//!                 span.name("login").attribute("password", "secret");
//!             });
//!             scope.span(|span| {
//!                 span.name("GET /health");
//!             });
//!         });
//!     });
//! });
//! let redacted = edit(&body, &mut edit::items(|_, attributes| attributes.upsert("password", "***")), 1 << 20)?;
//! let mut no_health = edit::entries(|item| match Span::new(item.entry).name() {
//!     "GET /health" => edit::Decision::Drop,
//!     _ => edit::Decision::Keep,
//! });
//! let edited = edit(&redacted.body, &mut no_health, 1 << 20)?;
//! assert_eq!(edited.dropped.items, 1);
//! let bytes = edited.body.to_bytes();
//! let span = RequestView::new(body.signal(), &bytes).spans().next().unwrap();
//! assert_eq!(span.attributes().get("password"), Some("***".into()));
//! # Ok::<(), edit::EditError>(())
//! ```

mod attribute;
mod attributes;
mod closure;
mod dictionary;
#[cfg(feature = "hash")]
mod hash;
mod numbers;
mod others;
mod walk;

pub use self::attributes::{AttributeEdits, Change, Put};
pub use self::closure::{entries, items, resources, scopes};
#[cfg(feature = "hash")]
pub use self::hash::sha256_hex;
pub(crate) use self::numbers::Numbers;

use self::walk::Walk;
use crate::splice::TooLarge;
use crate::{Body, Count};
use std::fmt;

/// Decides on each message of a request, and changes attributes.
///
/// An editor implements the methods of the levels that it wants to see. A level whose method is not implemented is passed
/// over. Messages come as the encoding that the sender made, before any edit: the views of [`view`](crate::view) read them.
/// An absent resource or scope is empty, and is written if it is given an attribute.
pub trait Editor {
    /// Decides on a resource.
    fn resource(&mut self, _resource: &[u8], _attributes: &mut AttributeEdits<'_>) -> Decision {
        Decision::SkipLevel
    }

    /// Decides on an instrumentation scope.
    fn scope(&mut self, _resource: &[u8], _scope: &[u8], _attributes: &mut AttributeEdits<'_>) -> Decision {
        Decision::SkipLevel
    }

    /// Decides on an entry, before its items: a span, log record, metric or profile.
    fn entry(&mut self, _item: &Item<'_>) -> Decision {
        Decision::SkipLevel
    }

    /// Returns false if an entry stays as it is: no item and no part of the entry is shown to the editor. Default true.
    fn looks_into(&mut self, _item: &Item<'_>) -> bool {
        true
    }

    /// Decides on an item: a span, log record, data point or sample. Samples have no attributes of their own (they refer to
    /// a table), so [`AttributeEdits::is_editable`] is false for samples.
    fn item(&mut self, _item: &Item<'_>, _attributes: &mut AttributeEdits<'_>) -> Decision {
        Decision::SkipLevel
    }

    /// Returns true if the editor wants to see the parts of items. Default false.
    fn shows_parts(&self) -> bool {
        false
    }

    /// Decides on a part of an item that has attributes of its own, before the item: an event or a link of a span, an exemplar of a
    /// data point. The item is as it came.
    fn part(&mut self, _item: &Item<'_>, _part: Part<'_>, _attributes: &mut AttributeEdits<'_>) -> Decision {
        Decision::SkipLevel
    }
}

/// A part of an item: an event, a link, an exemplar.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// Name of the item's field that holds the parts: `events`, `links`, `exemplars`.
    pub field: &'static str,
    /// The part, encoded.
    pub message: &'a [u8],
}

/// An item with the messages around it, each encoded.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Item<'a> {
    /// The index of the item's resource among the resources of the request, from 0. To compare the resources of two items
    /// of one request, compare the indices: the encodings may be long.
    pub resource_index: usize,
    /// The item's resource; empty if absent.
    pub resource: &'a [u8],
    /// The item's instrumentation scope; empty if absent.
    pub scope: &'a [u8],
    /// The entry that the item is, or is part of: a span, log record, metric or profile.
    pub entry: &'a [u8],
    /// The item inside its entry: a data point or a sample.
    pub point: Option<&'a [u8]>,
    /// The fields of the resource's envelope without its children, such as the schema URL: a
    /// [`ResourceGroup`](crate::view::ResourceGroup). Shown by [`partition`](crate::partition()) alone.
    pub resource_group: &'a [u8],
    /// The fields of the scope's envelope without its children: a [`ScopeGroup`](crate::view::ScopeGroup). Shown by
    /// [`partition`](crate::partition()) alone.
    pub scope_group: &'a [u8],
}

/// Decision of an [`Editor`] on a message. `()` converts into [`Keep`](Self::Keep).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The message stays, with the changes that were made to its attributes.
    Keep,
    /// The message is removed with everything in it. An envelope, metric or profile whose last child was removed is removed
    /// as well; one that was empty before stays.
    Drop,
    /// As [`Keep`](Self::Keep), and no further messages of this level are shown to the editor in this request.
    SkipLevel,
}

/// Result of [`edit()`].
#[derive(Clone, Debug)]
pub struct Edited {
    /// The edited body; the original one if nothing changed.
    pub body: Body,
    /// Items and entries that were dropped.
    pub dropped: Count,
    /// True if the body differs from the original one.
    pub changed: bool,
}

/// Limits that stop an edit. The original body is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The edited body, or the list of changes, would be larger than the limit.
    #[error("the edited request would be larger than {limit} bytes")]
    TooLarge {
        /// The limit: `max_bytes` of [`edit()`].
        limit: usize,
    },
    /// A message has too many attributes to edit them.
    #[error("a message has more than {limit} attributes, the most that can be edited")]
    TooManyAttributes {
        /// The limit: [`MAX_ATTRIBUTES`].
        limit: usize,
    },
    /// The dictionary of a profiles request has too many strings to look up keys.
    #[error("the dictionary has more than {limit} strings, the most that can be looked up")]
    TooManyStrings {
        /// The limit: [`MAX_STRINGS`].
        limit: usize,
    },
}

/// The most attributes of one message that can be edited.
pub const MAX_ATTRIBUTES: usize = 1 << 16;

/// The most strings of a dictionary that attributes may refer to.
pub const MAX_STRINGS: usize = 1 << 20;

/// Lets an editor change a body. The edited body may have up to `max_bytes`.
///
/// The body is read once and, if anything changes, written once. Long stretches without a change are linked, not copied. A
/// body in several segments is copied into one segment to be read. The module [`edit`](mod@crate::edit) has an example.
///
/// ```
/// use otlp_protocol::encode::LogRecords;
/// use otlp_protocol::{AttributeEdits, Body, Decision, Editor, Item, edit};
///
/// /// Names the cluster on each resource, and removes passwords from all items.
/// struct Redact;
///
/// impl Editor for Redact {
///     fn resource(&mut self, _resource: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
///         attributes.insert("k8s.cluster.name", "berlin");
///         Decision::Keep
///     }
///
///     fn item(&mut self, _item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
///         attributes.delete("password");
///         Decision::Keep
///     }
/// }
///
/// let body = Body::write::<LogRecords>(|request| {
///     request.resource_group(|group| {
///         group.scope_group(|scope| {
///             scope.log_record(|record| {
///                 record.attribute("password", "secret");
///             });
///         });
///     });
/// });
/// let edited = edit(&body, &mut Redact, 1 << 20)?;
/// assert!(edited.changed);
/// # Ok::<(), otlp_protocol::EditError>(())
/// ```
///
/// # Errors
/// If a limit is exceeded; then no part of the body is changed.
pub fn edit(body: &Body, editor: &mut (impl Editor + ?Sized), max_bytes: usize) -> Result<Edited, EditError> {
    let bytes = body.to_bytes();
    let mut walk = Walk::new(body.signal(), &bytes, editor, max_bytes)?;
    walk.request()?;
    let (splices, dropped) = walk.finish();
    let mut count = body.count();
    count -= dropped;
    let edited = splices.link(&bytes)?.map(|plain| body.with(plain, count));
    let changed = edited.is_some();
    Ok(Edited { body: edited.unwrap_or_else(|| body.clone()), dropped, changed })
}

impl From<()> for Decision {
    fn from((): ()) -> Self {
        Self::Keep
    }
}

impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("resource_index", &self.resource_index)
            .field("resource_bytes", &self.resource.len())
            .field("scope_bytes", &self.scope.len())
            .field("entry_bytes", &self.entry.len())
            .field("point_bytes", &self.point.map(<[u8]>::len))
            .finish()
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("field", &self.field).field("bytes", &self.message.len()).finish()
    }
}

impl From<TooLarge> for EditError {
    fn from(TooLarge { limit }: TooLarge) -> Self {
        Self::TooLarge { limit }
    }
}
