//! Changes to any field of encoded requests, with reads that see the changes.
//!
//! [`rewrite()`] shows the messages of a request to a [`Rewriter`]: resources, scopes, entries, and the parts of entries (data
//! points, span events, exemplars). A shown message is open together with the messages around it: a rewriter that sees a log
//! record can change the record's resource, and the next records see the changed resource. A message is copied when it is
//! first changed, and written into the new request once. Unchanged messages are skipped over, and keep their bytes. Changed
//! messages keep unknown fields.
//!
//! [`edit()`](crate::edit()) does less, with fewer copies: it changes attributes and drops items, and an editor sees messages
//! as they came.
//!
//! ```
//! use otlp_protocol::encode::Spans;
//! use otlp_protocol::rewrite::{FieldValue, Level, OpenMessages, Rewriter, rewrite};
//! use otlp_protocol::view::{Event, RequestView, Span};
//! use otlp_protocol::{Body, Decision, StatusCode};
//!
//! /// Sets the status of spans with the attribute `failed`, counts these spans in the resource, and drops events.
//! struct Failures(i64);
//!
//! impl Rewriter for Failures {
//!     fn shows(&self, level: Level) -> bool {
//!         matches!(level, Level::Entry | Level::Child)
//!     }
//!
//!     fn visit(&mut self, level: Level, messages: &mut OpenMessages) -> Decision {
//!         if level == Level::Child {
//!             let is_debug = Event::new(messages.bytes(level)).name() == "debug";
//!             return if is_debug { Decision::Drop } else { Decision::Keep };
//!         }
//!         if Span::new(messages.bytes(level)).attributes().get("failed").is_some() {
//!             self.0 += 1;
//!             messages.edit(level).set(&[15, 3], FieldValue::Int(StatusCode::Error.number().into()));
//!             messages.edit(Level::Resource).set_attribute(1, "failures", self.0);
//!         }
//!         Decision::Keep
//!     }
//! }
//!
//! let body = Body::write::<Spans>(|request| {
//!     request.resource_group(|group| {
//!         group.scope_group(|scope| {
//!             scope.span(|span| {
//!                 span.name("charge").attribute("failed", true);
//!                 span.event(|event| {
//!                     event.name("debug");
//!                 });
//!             });
//!         });
//!     });
//! });
//! let bytes = rewrite(&body, &mut Failures(0), 1 << 20)?.body.to_bytes();
//! let span = RequestView::new(body.signal(), &bytes).spans().next().unwrap();
//! assert_eq!((span.status().code(), span.events().count()), (StatusCode::Error, 0));
//! assert_eq!(span.resource().attributes().get("failures"), Some(1.into()));
//! # Ok::<(), otlp_protocol::EditError>(())
//! ```

mod children;
mod field;
mod message;
mod open;
mod walk;

pub use self::field::FieldValue;
pub use self::message::MessageEdits;
pub use self::open::OpenMessages;

use self::walk::Walk;
use crate::{Body, Decision, EditError, Edited};

/// Reads and changes the messages of a request.
pub trait Rewriter {
    /// Returns true if [`visit`](Self::visit) is called for the messages of a level. Asked once, before the first message.
    fn shows(&self, level: Level) -> bool;

    /// Decides on the message that is open at `level`. The messages at the levels above `level` are open, too; messages below
    /// `level` are not.
    fn visit(&mut self, level: Level, messages: &mut OpenMessages) -> Decision;
}

/// Level of a message in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A resource. An absent resource is empty, and is written if it is changed.
    Resource,
    /// An instrumentation scope. An absent scope is empty, and is written if it is changed.
    Scope,
    /// A span, log record, metric or profile.
    Entry,
    /// A span event, or a data point of a metric.
    Child,
    /// An exemplar of a data point.
    Exemplar,
}

/// Lets a rewriter change a body. The new body may have up to `max_bytes`, and so may the list of changes and each message
/// that is being changed.
///
/// The rules of [`Editor`](crate::Editor) hold for dropped messages: an envelope or metric whose last child was dropped is
/// dropped as well. A span stays without its events, a data point without its exemplars. [`Edited::dropped`] counts entries
/// and items alone.
///
/// The module [`rewrite`](mod@crate::rewrite) has an example.
///
/// # Errors
/// If a limit is exceeded; then no part of the body is changed.
pub fn rewrite(
    body: &Body,
    rewriter: &mut (impl Rewriter + ?Sized),
    max_bytes: usize,
) -> Result<Edited, EditError> {
    let bytes = body.to_bytes();
    let mut walk = Walk::new(body.signal(), &bytes, rewriter, max_bytes)?;
    walk.request()?;
    let counted = walk.finish();
    let mut count = body.count();
    count += counted.added;
    count -= counted.removed;
    let edited = counted.splices.link(&bytes)?.map(|plain| body.with(plain, count));
    let changed = edited.is_some();
    Ok(Edited { body: edited.unwrap_or_else(|| body.clone()), dropped: counted.dropped, changed })
}

// === impl Level ===

impl Level {
    /// All levels, from the outermost.
    pub const ALL: [Self; 5] = [Self::Resource, Self::Scope, Self::Entry, Self::Child, Self::Exemplar];
}
