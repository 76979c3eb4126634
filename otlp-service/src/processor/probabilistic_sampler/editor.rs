//! Decisions on the items of a request, and the changes of kept items.

use super::arrived::{Arrived, Identity, Priority};
use super::decide::{Sampler, Verdict};
use super::place::{Found, Place};
use super::probability::{put_randomness, put_threshold, read_randomness, read_threshold};
use super::stats::Tally;
use super::tracestate::{TraceState, Written};
use crate::processor::actions::parse_double;
use crate::processor::text::text_of;
use otlp_protocol::view::AnyValue;
use otlp_protocol::{AttributeEdits, Decision, Editor, Item};

/// Decides on each item of one request.
pub(super) struct ItemEditor<'a> {
    sampler: &'a Sampler,
    place: &'a Place,
    tally: Tally,
    /// The trace state that is being written.
    text: String,
}

// === impl ItemEditor ===

impl<'a> ItemEditor<'a> {
    pub(super) fn new(sampler: &'a Sampler, place: &'a Place) -> Self {
        Self { sampler, place, tally: Tally::default(), text: String::new() }
    }

    /// Returns the number of decisions.
    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    /// Decides on a span: its sampling information is in its trace state.
    fn span(&mut self, number: u32, entry: &[u8], attributes: &mut AttributeEdits<'_>) -> Verdict {
        let found = self.place.find(entry, |key| key == PRIORITY.as_bytes());
        let Found { trace_id, trace_state, may_have_keys } = found;
        let text = std::str::from_utf8(trace_state).unwrap_or_default();
        let priority = match may_have_keys.then(|| attributes.value(PRIORITY)).flatten() {
            Some(value) => Priority::of_span(value, parse_double),
            None => Priority::Defer,
        };
        let state = TraceState::read(text);
        let identity = Identity { trace_id, ..Identity::default() };
        let verdict = self.sampler.decide(state.map(|(_, arrived)| arrived), identity, priority);
        if let (Some((state, _)), Some(written), false) = (state, verdict.written, self.sampler.is_dry_run())
        {
            state.write(written, &mut self.text);
            if self.text != text {
                attributes.set_string(number, &self.text);
            }
        }
        verdict
    }

    /// Decides on an item without a trace state: its sampling information is in its attributes.
    fn record(&mut self, entry: &[u8], attributes: &mut AttributeEdits<'_>) -> Verdict {
        let (from, priority) = (self.sampler.hashed_attribute(), self.sampler.sampling_priority());
        let keys = [RANDOMNESS, THRESHOLD, from, priority];
        let Found { trace_id, may_have_keys, .. } =
            self.place.find(entry, |found| keys.iter().any(|key| key.as_bytes() == found));
        if !may_have_keys {
            let identity = Identity { trace_id, is_record: true, attribute: None };
            return self.record_with(Some(Arrived::default()), identity, Priority::Defer, attributes);
        }
        let arrived = arrived(attributes);
        let hashed = attributes.value(from).filter(|_| !from.is_empty()).map(|value| match value {
            AnyValue::Bytes(bytes) => bytes.to_vec(),
            value => text_of(value).into_owned().into_bytes(),
        });
        let hashed = hashed.filter(|bytes| !bytes.is_empty());
        let priority = match attributes.value(priority).filter(|_| !priority.is_empty()) {
            Some(value) => Priority::of_record(value, self.sampler.precision()),
            None => Priority::Defer,
        };
        let identity = Identity { trace_id, is_record: true, attribute: hashed.as_deref() };
        self.record_with(arrived, identity, priority, attributes)
    }

    fn record_with(
        &mut self,
        arrived: Option<Arrived>,
        identity: Identity<'_>,
        priority: Priority,
        attributes: &mut AttributeEdits<'_>,
    ) -> Verdict {
        let verdict = self.sampler.decide(arrived, identity, priority);
        if let (Some(Written { randomness, threshold }), false) = (verdict.written, self.sampler.is_dry_run())
        {
            if let Some(randomness) = randomness {
                self.text.clear();
                put_randomness(randomness, &mut self.text);
                attributes.upsert(RANDOMNESS, self.text.as_str());
            }
            if let Some(threshold) = threshold {
                self.text.clear();
                put_threshold(threshold, &mut self.text);
                attributes.upsert(THRESHOLD, self.text.as_str());
            }
        }
        verdict
    }
}

impl Editor for ItemEditor<'_> {
    fn item(&mut self, item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        let verdict = match self.place.trace_state {
            Some(number) => self.span(number, item.entry, attributes),
            None => self.record(item.entry, attributes),
        };
        self.tally.count(verdict);
        if verdict.is_sampled || self.sampler.is_dry_run() { Decision::Keep } else { Decision::Drop }
    }
}

/// Reads the sampling information of a record; `None` if it is invalid.
fn arrived(attributes: &mut AttributeEdits<'_>) -> Option<Arrived> {
    let randomness = match attributes.value(RANDOMNESS) {
        Some(AnyValue::String(text)) if !text.is_empty() => Some(read_randomness(text)?),
        _ => None,
    };
    let threshold = match attributes.value(THRESHOLD) {
        Some(AnyValue::String(text)) if !text.is_empty() => Some(read_threshold(text)?),
        _ => None,
    };
    Some(Arrived { randomness, threshold })
}

/// Attribute of spans.
const PRIORITY: &str = "sampling.priority";

// Attributes of log records.
const RANDOMNESS: &str = "sampling.randomness";
const THRESHOLD: &str = "sampling.threshold";
