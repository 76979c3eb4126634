//! Batches as text, read through views without decoding.
//!
//! All text comes from senders: it is escaped, since terminals interpret control characters, and cut to limits, with a count of the
//! bytes or items left out. An [`Allowance`] bounds work and text.

mod entry;
mod filter;
mod json;
mod log;
mod metric;
mod point;
mod profile;
mod span;
mod style;
mod text;
mod tree;
mod value;

pub(super) use filter::Filter;
pub(super) use text::{Grouped, put};

use super::debug::DebugFormat;
use entry::{ShownEntry, entries};
use filter::Search;
use otlp_protocol::view::{Dictionary, Entry, Function, KeyValueAndUnit, Location, RequestView, Stack};
use otlp_protocol::{Count, Signal};
use style::Style;

/// Format and filter of the text of batches.
#[derive(Debug)]
pub(super) struct Show {
    pub(super) format: DebugFormat,
    pub(super) has_color: bool,
    pub(super) filter: Filter,
}

/// Limits of the text of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Allowance {
    /// Lines: one for each span, log record, data point, profile.
    pub(super) lines: u64,
    /// Entries that may be read.
    pub(super) entries: u64,
}

/// The text of a batch.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) text: String,
    /// Used part of the allowance.
    pub(super) used: Allowance,
    /// Number of items that the text shows or the filter removed.
    pub(super) items: u64,
}

/// The dictionary of a profiles request, by table; empty for other signals.
struct ProfileTables<'a> {
    strings: Vec<&'a str>,
    attributes: Vec<KeyValueAndUnit<'a>>,
    stacks: Vec<Stack<'a>>,
    locations: Vec<Location<'a>>,
    functions: Vec<Function<'a>>,
}

/// A batch being shown.
struct Showing<'s, 'a> {
    show: &'s Show,
    signal: Signal,
    view: RequestView<'a>,
    dictionary: Dictionary<'a>,
    left: Allowance,
    shown: Shown,
    /// Numbers of the resource and the scope whose lines were written last.
    headed: (Option<usize>, Option<usize>),
}

// === impl Show ===

impl Show {
    /// Returns the text of a request.
    pub(super) fn text(&self, signal: Signal, body: &[u8], count: Count, allowance: Allowance) -> Shown {
        let view = RequestView::new(signal, body);
        let (headed, shown) = ((None, None), Shown::default());
        let dictionary = view.dictionary();
        let mut showing = Showing { show: self, signal, view, dictionary, left: allowance, shown, headed };
        match self.format {
            DebugFormat::Basic => {
                entry::put_summary(&mut showing.shown.text, signal, view, count);
                showing.shown.items = count.items;
                showing.left.lines = showing.left.lines.saturating_sub(1);
            }
            _ => showing.put_entries(count),
        }
        let left = showing.left;
        let mut shown = showing.shown;
        shown.used =
            Allowance { lines: allowance.lines - left.lines, entries: allowance.entries - left.entries };
        shown
    }
}

// === impl Showing ===

impl<'a> Showing<'_, 'a> {
    fn put_entries(&mut self, count: Count) {
        let shared = ProfileTables::new(self.dictionary);
        let style = Style { has_color: self.show.has_color };
        let mut spans = Vec::new();
        let mut search = Search::default();
        for entry in entries(self.view) {
            if self.left.entries == 0 || self.left.lines == 0 || text::is_full(&self.shown.text) {
                break;
            }
            self.left.entries -= 1;
            if !self.show.filter.passes(&entry, &shared, &mut search) {
                self.shown.items += entry.items();
                continue;
            }
            match (self.show.format, entry.data) {
                (DebugFormat::Lines, Entry::Span(span)) => {
                    // Written as trees after all spans were read.
                    spans.push((entry, span));
                    self.left.lines -= 1;
                }
                _ => self.put_entry(style, &entry, &shared, count),
            }
        }
        for branch in tree::order(&spans) {
            let Some((entry, span)) = spans.get(branch.index) else { continue };
            if text::is_full(&self.shown.text) {
                break;
            }
            span::put_line(&mut self.shown.text, style, entry, span, &branch.branch);
            self.shown.items += 1;
        }
    }

    fn put_entry(&mut self, style: Style, entry: &ShownEntry<'a>, shared: &ProfileTables<'_>, count: Count) {
        let (out, lines) = (&mut self.shown.text, self.left.lines);
        let shown = match self.show.format {
            DebugFormat::Json
                if !json::put_line(out, self.signal, self.dictionary, entry, MAX_JSON_BYTES) =>
            {
                self.left.lines -= 1;
                return;
            }
            DebugFormat::Json => 1,
            DebugFormat::Lines => put_line(out, style, entry, shared, lines),
            DebugFormat::Detailed => {
                self.put_heads(entry, shared, count, entry::put_resource, entry::put_scope);
                put_detailed(&mut self.shown.text, entry, shared, lines)
            }
            _ => {
                self.put_heads(entry, shared, count, entry::put_resource_line, entry::put_scope_line);
                put_normal(&mut self.shown.text, entry, shared, lines)
            }
        };
        self.left.lines = lines.saturating_sub(shown.max(1));
        self.shown.items += match entry.data {
            // Of a metric the points that found room; every other entry is shown as a whole.
            Entry::Metric(_) if self.show.format != DebugFormat::Json => shown,
            _ => entry.items(),
        };
    }

    /// Appends the line about the batch, and the lines before the first entry of a resource and of a scope.
    fn put_heads(
        &mut self,
        entry: &ShownEntry<'_>,
        shared: &ProfileTables<'_>,
        count: Count,
        resource: Put,
        scope: Put,
    ) {
        let out = &mut self.shown.text;
        if self.headed.0.is_none() {
            entry::put_summary(out, self.signal, self.view, count);
        }
        if self.headed.0 != Some(entry.resource_number) {
            resource(out, entry, self.signal, shared);
            self.headed = (Some(entry.resource_number), None);
        }
        if self.headed.1 != Some(entry.scope_number) {
            scope(out, entry, self.signal, shared);
            self.headed.1 = Some(entry.scope_number);
        }
    }
}

// === impl ProfileTables ===

impl<'a> ProfileTables<'a> {
    /// Reads the tables once: each look-up in the encoded dictionary would read a table from its start.
    fn new(dictionary: Dictionary<'a>) -> Self {
        Self {
            strings: dictionary.strings().collect(),
            attributes: dictionary.attributes().collect(),
            stacks: dictionary.stacks().collect(),
            locations: dictionary.locations().collect(),
            functions: dictionary.functions().collect(),
        }
    }

    /// Returns the string at an index of the dictionary; empty if there is none.
    fn string(&self, index: i32) -> &'a str {
        at(&self.strings, index).unwrap_or_default()
    }

    /// Returns the attribute at an index of the dictionary.
    fn attribute(&self, index: i32) -> Option<KeyValueAndUnit<'a>> {
        at(&self.attributes, index)
    }

    /// Iterates over the names of the functions of a stack, the innermost first.
    fn functions(&self, stack_index: i32) -> impl Iterator<Item = &'a str> {
        let stack = at(&self.stacks, stack_index);
        let locations = stack.into_iter().flat_map(|stack| stack.location_indices());
        let lines =
            locations.filter_map(|index| at(&self.locations, index)).flat_map(|location| location.lines());
        let functions = lines.filter_map(|line| at(&self.functions, line.function_index()));
        functions.map(|function| self.string(function.name_strindex()))
    }
}

fn at<T: Copy>(table: &[T], index: i32) -> Option<T> {
    table.get(usize::try_from(index).ok()?).copied()
}

/// Writes about an entry's resource or scope.
type Put = fn(&mut String, &ShownEntry<'_>, Signal, &ProfileTables<'_>);

/// Appends lines in the format `Lines`; returns the number of lines.
fn put_line(
    out: &mut String,
    style: Style,
    entry: &ShownEntry<'_>,
    shared: &ProfileTables<'_>,
    max: u64,
) -> u64 {
    match entry.data {
        Entry::LogRecord(record) => log::put_line(out, style, entry, &record),
        Entry::Metric(metric) => return metric::put_lines(out, style, entry, &metric, max),
        Entry::Profile(profile) => profile::put_line(out, style, entry, &profile, shared),
        Entry::Span(span) => span::put_line(out, style, entry, &span, ""),
        _ => put_other(out, entry),
    }
    1
}

/// Appends lines in the format `Normal`; returns the number of lines.
fn put_normal(out: &mut String, entry: &ShownEntry<'_>, shared: &ProfileTables<'_>, max: u64) -> u64 {
    match entry.data {
        Entry::LogRecord(record) => log::put_normal(out, &record),
        Entry::Metric(metric) => return metric::put_normal(out, entry, &metric, max),
        Entry::Profile(profile) => profile::put_normal(out, &profile, shared),
        Entry::Span(span) => span::put_normal(out, &span),
        _ => put_other(out, entry),
    }
    1
}

/// Appends text in the format `Detailed`; returns the number of items.
fn put_detailed(out: &mut String, entry: &ShownEntry<'_>, shared: &ProfileTables<'_>, max: u64) -> u64 {
    match entry.data {
        Entry::LogRecord(record) => log::put_detailed(out, entry.number, &record),
        Entry::Metric(metric) => return metric::put_detailed(out, entry, &metric, max),
        Entry::Profile(profile) => profile::put_detailed(out, entry.number, &profile, shared),
        Entry::Span(span) => span::put_detailed(out, entry.number, &span),
        _ => put_other(out, entry),
    }
    1
}

/// Appends the text that a filter searches beside the encoded entry: numbers, durations and status as shown.
fn put_plain(out: &mut String, entry: &ShownEntry<'_>, shared: &ProfileTables<'_>) {
    put_line(out, Style { has_color: false }, entry, shared, MAX_SEARCHED_POINTS);
    put_normal(out, entry, shared, MAX_SEARCHED_POINTS);
}

fn put_other(out: &mut String, entry: &ShownEntry<'_>) {
    put(out, format_args!("Entry #{}: {} bytes\n", entry.number, entry.data.as_bytes().len()));
}

/// Largest length of an entry in JSON; longer entries are left out and counted.
const MAX_JSON_BYTES: usize = 256 << 10;
/// Largest number of data points that a filter searches in a metric.
const MAX_SEARCHED_POINTS: u64 = 100;

#[cfg(test)]
mod tests;
