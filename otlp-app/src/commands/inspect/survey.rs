//! Counts of what is in requests: one walk over each request, by the schema table.

use super::excerpt::excerpt;
use super::sizes::Sizes;
use crate::commands::input::Record;
use otlp_protocol::schema::{Field, Kind, Message, message};
use otlp_protocol::view::{KeyValue, RequestView};
use otlp_protocol::wire::{Cursor, WireError, WireType, put_len_delimited};
use otlp_protocol::{Body, Signal, count};
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Counts over all requests of a file.
pub(super) struct Survey {
    /// Compression and framing of the file.
    pub(super) description: String,
    pub(super) requests: u64,
    /// Requests that are not valid or could not be read.
    pub(super) broken: u64,
    /// Counts by signal name.
    pub(super) signals: BTreeMap<&'static str, SignalSurvey>,
    pub(super) sizes: Sizes,
    /// The first problems.
    pub(super) problems: Vec<Problem>,
}

/// A fault in a request.
pub(super) struct Problem {
    pub(super) text: String,
    /// The bytes around the fault.
    pub(super) excerpt: Option<String>,
}

/// Counts over the requests of one signal.
#[derive(Default)]
pub(super) struct SignalSurvey {
    /// Name of the items: `spans`.
    pub(super) noun: &'static str,
    pub(super) requests: u64,
    pub(super) items: u64,
    pub(super) entries: u64,
    /// Bytes of the requests in protobuf.
    pub(super) bytes: u64,
    /// Items by service and scope.
    pub(super) sources: BTreeMap<(String, String), u64>,
    /// Items of sources beyond [`MAX_SOURCES`].
    pub(super) other_sources: u64,
    /// First and last time in nanoseconds since 1970.
    pub(super) times: Option<(u64, u64)>,
    /// Resources that are different from each other.
    pub(super) resources: Distinct,
    /// Traces.
    pub(super) traces: Distinct,
    /// Entries that are equal to an earlier entry of an equal resource.
    pub(super) duplicates: u64,
    /// Spans with the ids of an earlier span.
    pub(super) duplicate_ids: u64,
    /// Ids that are missing where the signal needs them.
    pub(super) missing_ids: u64,
    /// Ids of zeros, which mean no id.
    pub(super) zero_ids: u64,
    pub(super) unknown_fields: u64,
    entries_seen: Distinct,
    ids_seen: Distinct,
}

/// Number of different values, exact up to [`MAX_DISTINCT`].
#[derive(Default)]
pub(super) struct Distinct(HashSet<u64>);

// === impl Survey ===

impl Survey {
    pub(super) fn new(description: String) -> Self {
        let (signals, sizes, problems) = (BTreeMap::new(), Sizes::new(), Vec::new());
        Self { description, requests: 0, broken: 0, signals, sizes, problems }
    }

    /// Counts a request.
    pub(super) fn add(&mut self, record: &Record, signal: Option<Signal>) {
        match record.check(signal) {
            Ok(body) => {
                self.requests += 1;
                self.add_body(&body);
            }
            Err(fault) => {
                let text =
                    format!("request {} (at byte {}): {}", record.number, record.offset, fault.problem);
                let around = fault.offset.map(|offset| excerpt(&record.bytes, record.format, offset));
                self.add_problem(text, around);
            }
        }
    }

    /// Counts a request that could not be read.
    pub(super) fn add_problem(&mut self, text: String, excerpt: Option<String>) {
        self.requests += 1;
        self.broken += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { text, excerpt });
        }
    }

    fn add_body(&mut self, body: &Body) {
        let bytes = body.to_bytes();
        let signal = body.signal();
        let found = self.signals.entry(signal.name).or_default();
        found.noun = signal.items_noun;
        found.requests += 1;
        found.items += body.count().items;
        found.entries += body.count().entries;
        found.bytes += bytes.len() as u64;
        found.add_sources(&RequestView::new(signal, &bytes));
        let [resource_group, _, entry] = signal.levels();
        let resource = resource_group.and_then(|group| group.field(RESOURCE)?.message());
        let mut walk = Walk { found, sizes: &mut self.sizes, signal, entry, resource, resource_hash: 0 };
        // A valid body has no malformed fields.
        let _ = walk.message(signal.request, &bytes, 0);
    }
}

// === impl SignalSurvey ===

impl SignalSurvey {
    fn add_sources(&mut self, view: &RequestView<'_>) {
        for group in view.resources() {
            let service = group.resource().attributes().get("service.name");
            let service = service.and_then(|name| name.as_str()).unwrap_or("-");
            for scope in group.scopes() {
                let name = scope.scope().name();
                let source = (service.to_owned(), if name.is_empty() { "-" } else { name }.to_owned());
                let items = items_of(view.signal(), scope.as_bytes());
                if self.sources.len() < MAX_SOURCES || self.sources.contains_key(&source) {
                    *self.sources.entry(source).or_default() += items;
                } else {
                    self.other_sources += items;
                }
            }
        }
    }

    fn add_time(&mut self, nanos: u64) {
        if nanos > 0 {
            let (first, last) = self.times.unwrap_or((nanos, nanos));
            self.times = Some((first.min(nanos), last.max(nanos)));
        }
    }
}

// === impl Distinct ===

impl Distinct {
    /// Adds a value. Returns true if an equal value was added before.
    fn add(&mut self, value: &[u8]) -> bool {
        let hash = hash_of(value);
        if self.0.len() < MAX_DISTINCT { !self.0.insert(hash) } else { self.0.contains(&hash) }
    }

    /// Returns the number of different values.
    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// True if there may be more values than were counted.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_DISTINCT
    }
}

/// A walk over one request.
struct Walk<'s> {
    found: &'s mut SignalSurvey,
    sizes: &'s mut Sizes,
    signal: Signal,
    /// Message of an entry.
    entry: Option<&'static Message>,
    /// Message of a resource.
    resource: Option<&'static Message>,
    /// Hash of the resource that was read last.
    resource_hash: u64,
}

// === impl Walk ===

impl Walk<'_> {
    /// Walks over the fields of a message, which is counted in `part`. A valid body bounds the depth.
    fn message(&mut self, message: &'static Message, bytes: &[u8], part: usize) -> Result<(), WireError> {
        let mut cursor = Cursor::new(bytes);
        while !cursor.is_at_end() {
            let start = cursor.position();
            let (number, wire_type) = cursor.tag()?;
            let field = message.field(number);
            let mut value = cursor.clone();
            cursor.skip_value(number, wire_type)?;
            let len = cursor.position() - start;
            let Some(field) = field else {
                self.found.unknown_fields += 1;
                self.sizes.add(part, "(unknown fields)", len);
                continue;
            };
            let part = self.sizes.add(part, field.name, len);
            match wire_type {
                WireType::Len => self.len_delimited(field, value.len_delimited()?, part, len)?,
                WireType::Fixed64 if is_time(message, field) => self.found.add_time(value.fixed64()?),
                _ => {}
            }
        }
        Ok(())
    }

    fn len_delimited(
        &mut self,
        field: &'static Field,
        value: &[u8],
        part: usize,
        len: usize,
    ) -> Result<(), WireError> {
        let Some(message) = field.message() else {
            if field.kind == Kind::Bytes && ID_FIELDS.contains(&field.name) && !value.is_empty() {
                self.found.zero_ids += u64::from(value.iter().all(|byte| *byte == 0));
            }
            return Ok(());
        };
        if is_attribute(message) {
            self.sizes.add_key(KeyValue::new(value).key(), len);
            return Ok(());
        }
        if self.is(self.resource, message) {
            self.found.resources.add(value);
            self.resource_hash = hash_of(value);
        }
        if self.is(self.entry, message) {
            self.entry(value);
        }
        self.message(message, value, part)
    }

    fn is(&self, wanted: Option<&'static Message>, message: &'static Message) -> bool {
        wanted.is_some_and(|wanted| std::ptr::eq(wanted, message))
    }

    /// Counts duplicates and missing ids of an entry.
    fn entry(&mut self, entry: &[u8]) {
        let of_resource = [&self.resource_hash.to_be_bytes(), entry].concat();
        self.found.duplicates += u64::from(self.found.entries_seen.add(&of_resource));
        let id = |name: &str| {
            let field = self.entry?.fields.iter().find(|field| field.name == name)?;
            last_bytes(entry, field.number)
        };
        let (trace, span) = (id("trace_id").unwrap_or_default(), id("span_id").unwrap_or_default());
        if !trace.is_empty() {
            self.found.traces.add(trace);
        }
        if self.signal.needs_ids {
            self.found.missing_ids += u64::from(trace.is_empty()) + u64::from(span.is_empty());
            if !trace.is_empty() && !span.is_empty() {
                let is_known = self.found.ids_seen.add(&[trace, span].concat());
                self.found.duplicate_ids += u64::from(is_known);
            }
        }
    }
}

fn hash_of(value: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Returns the last value of a length-delimited field.
fn last_bytes(bytes: &[u8], wanted: u32) -> Option<&[u8]> {
    let mut found = None;
    let mut cursor = Cursor::new(bytes);
    while !cursor.is_at_end() {
        match cursor.tag().ok()? {
            (number, WireType::Len) if number == wanted => found = Some(cursor.len_delimited().ok()?),
            (number, wire_type) => cursor.skip_value(number, wire_type).ok()?,
        }
    }
    found
}

/// Counts the items of one scope.
fn items_of(signal: Signal, scope: &[u8]) -> u64 {
    let (mut group, mut request) = (Vec::new(), Vec::new());
    put_len_delimited(&mut group, SCOPES, scope);
    put_len_delimited(&mut request, RESOURCE, &group);
    count(signal, &request).map_or(0, |count| count.items)
}

/// True for the times of items. The start of a counter may be long before its time.
fn is_time(message: &Message, field: &Field) -> bool {
    match field.name {
        "time_unix_nano" | "end_time_unix_nano" | "observed_time_unix_nano" => true,
        "start_time_unix_nano" => !message.fields.iter().any(|field| field.name == "time_unix_nano"),
        _ => false,
    }
}

fn is_attribute(found: &'static Message) -> bool {
    message("opentelemetry.proto.common.v1.KeyValue").is_some_and(|message| std::ptr::eq(message, found))
}

/// Field number of the resource in its envelope, and of the envelopes in a request.
const RESOURCE: u32 = 1;
const SCOPES: u32 = 2;
const ID_FIELDS: [&str; 4] = ["trace_id", "span_id", "parent_span_id", "profile_id"];
/// The most services with their scopes that are counted apart.
const MAX_SOURCES: usize = 10_000;
/// The most different entries, ids, traces and resources that are told apart: 16 MiB each.
const MAX_DISTINCT: usize = 1 << 20;
/// The most problems that are kept.
const MAX_PROBLEMS: usize = 1_000;
