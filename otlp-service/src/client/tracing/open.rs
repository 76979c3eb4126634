//! An open span: the span itself, and what the doors know about it.

use super::activity::Activity;
use super::attributes::AttributeWriter;
use super::callsite::{Callsite, SPAN_ATTRIBUTE};
use super::key::Extra;
use super::span_fields::Marks;
use crate::client::engine::local;
use crate::client::trace::{Attributes, OpenSpan};
use std::borrow::Cow;

/// An open span, or the rest of a closed span in a free slot.
pub(super) struct Open {
    /// Grows when the span closes: older ids are invalid. Starts at 1.
    pub(super) generation: u64,
    /// Handles of the span.
    pub(super) handles: u64,
    pub(super) callsite: Option<&'static Callsite>,
    /// True once ids and sampling are decided.
    pub(super) is_started: bool,
    /// True once the context was used: the parent is fixed from then on.
    pub(super) is_used: bool,
    /// False if the span is started and not sampled.
    pub(super) is_recording: bool,
    /// True if attributes of the metadata are written at the end.
    pub(super) has_extras: bool,
    /// True if the span has a name of its own, and not the name of the metadata.
    pub(super) has_name: bool,
    /// The last exit, if spans end there; or else 0.
    pub(super) exit: u64,
    /// Kept if `busy_ns` and `idle_ns` are recorded.
    pub(super) activity: Activity,
    /// `None` in a free slot.
    pub(super) span: Option<Box<OpenSpan>>,
}

// === impl Open ===

impl Default for Open {
    fn default() -> Self {
        Self {
            generation: 1,
            handles: 0,
            callsite: None,
            is_started: false,
            is_used: false,
            is_recording: false,
            has_extras: false,
            has_name: false,
            exit: 0,
            activity: Activity::default(),
            span: None,
        }
    }
}

impl Open {
    /// Returns the name of the span.
    pub(super) fn name(&self) -> Cow<'static, str> {
        match (self.span.as_deref().filter(|_| self.has_name), self.callsite) {
            (Some(span), _) => Cow::Owned(span.name.clone()),
            (None, Some(callsite)) => Cow::Borrowed(callsite.metadata.name()),
            (None, None) => Cow::Borrowed(""),
        }
    }

    /// Takes over what fields set besides attributes.
    #[inline]
    pub(super) fn mark(&mut self, marks: Option<Box<Marks>>) {
        if let (Some(marks), Some(span)) = (marks, &mut self.span) {
            self.has_name |= marks.apply(span);
        }
    }

    /// Adds encoded attributes. An attribute with the same key is replaced; `extras` are the attributes of the metadata.
    pub(super) fn merge(&mut self, list: &Attributes, fields: &[u8], extras: &Extra) {
        self.compare(list.seen, extras);
        if let Some(span) = &mut self.span {
            let (out, attributes, limits) = span.parts();
            attributes.dropped = attributes.dropped.saturating_add(list.dropped);
            attributes.absorb(out, SPAN_ATTRIBUTE, limits.count, fields);
        }
    }

    /// Returns the writer of attributes, which replace attributes with the same keys; `fingerprints` are those of the keys.
    pub(super) fn writer(&mut self, fingerprints: u64, extras: &Extra) -> Option<AttributeWriter<'_>> {
        self.compare(fingerprints, extras);
        self.span.as_deref_mut().map(|span| AttributeWriter::new(span.parts(), SPAN_ATTRIBUTE))
    }

    /// Writes the attributes of the metadata now if keys that are written later may be among theirs.
    fn compare(&mut self, fingerprints: u64, extras: &Extra) {
        if self.has_extras
            && extras.fingerprints & fingerprints != 0
            && let Some(span) = &mut self.span
        {
            self.has_extras = false;
            let (out, attributes, _) = span.parts();
            out.put(&extras.bytes);
            attributes.seen |= extras.fingerprints;
        }
    }
}

impl Drop for Open {
    /// Gives a span that is open when its door is dropped back.
    fn drop(&mut self) {
        if let Some(span) = self.span.take() {
            local::discard(span);
        }
    }
}
