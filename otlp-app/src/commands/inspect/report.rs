//! Writes the findings of `otlp inspect`, as text and as JSON.

use super::sizes::Size;
use super::survey::{SignalSurvey, Survey};
use crate::commands::json::JsonWriter;
use crate::commands::text::{counted, grouped, table, utc};
use std::fmt::Write as _;
use std::time::Duration;

/// Writes text for people. Tables have at most `top` rows.
pub(super) fn text(survey: &Survey, name: &str, has_sizes: bool, top: usize) -> String {
    let broken =
        if survey.broken > 0 { format!(", {} broken", grouped(survey.broken)) } else { String::new() };
    let requests = counted(survey.requests, "requests");
    let mut text = format!("{name}: {}, {requests}{broken}\n", survey.description);
    for (signal, found) in &survey.signals {
        write_signal(&mut text, signal, found, top);
    }
    if has_sizes {
        write_sizes(&mut text, survey, top);
    }
    if !survey.problems.is_empty() {
        text.push_str("problems\n");
    }
    for problem in survey.problems.iter().take(top) {
        let _ = writeln!(text, "  {}", problem.text);
        text.push_str(problem.excerpt.as_deref().unwrap_or_default());
    }
    let left_out = survey.broken - survey.problems.len().min(top) as u64;
    if left_out > 0 {
        let _ = writeln!(text, "  … {} more", grouped(left_out));
    }
    text
}

fn write_signal(text: &mut String, signal: &str, found: &SignalSurvey, top: usize) {
    let SignalSurvey { noun, requests, items, bytes, .. } = found;
    let requests = counted(*requests, "requests");
    let _ = writeln!(
        text,
        "{signal}: {requests}, {}, {} bytes of protobuf",
        counted(*items, noun),
        grouped(*bytes)
    );
    if let Some((first, last)) = found.times {
        let length = crate::commands::text::duration(Duration::from_nanos(last - first));
        let _ = writeln!(text, "  from {} to {}: {length}", utc(first), utc(last));
    }
    let more = |is_full: bool| if is_full { " or more" } else { "" };
    let _ = write!(
        text,
        "  {}{}",
        counted(found.resources.count(), "resources"),
        more(found.resources.is_full())
    );
    if found.traces.count() > 0 {
        let _ = write!(text, ", {}{}", counted(found.traces.count(), "traces"), more(found.traces.is_full()));
    }
    text.push('\n');
    for (count, what) in found.oddities() {
        let _ = writeln!(text, "  {} {what}", grouped(count));
    }
    let mut rows: Vec<_> = found.sources.iter().collect();
    rows.sort_by(|(a, left), (b, right)| right.cmp(left).then_with(|| a.cmp(b)));
    let header = [noun.to_string(), "service".into(), "scope".into()];
    let shown = rows
        .iter()
        .take(top)
        .map(|((service, scope), items)| [grouped(**items), printable(service), printable(scope)]);
    let table_rows: Vec<Vec<String>> = std::iter::once(header).chain(shown).map(Vec::from).collect();
    text.push_str(&table(&table_rows));
    let left_out = rows.len().saturating_sub(top);
    if left_out > 0 {
        let _ = writeln!(text, "  … {} more", grouped(left_out as u64));
    }
}

fn write_sizes(text: &mut String, survey: &Survey, top: usize) {
    let total: u64 = survey.signals.values().map(|found| found.bytes).sum();
    let mut add = |title: [&str; 4], sizes: Vec<(String, Size)>| {
        let row = |(name, size): &(String, Size)| {
            let percent = size.bytes as f64 * 100.0 / total.max(1) as f64;
            vec![grouped(size.bytes), format!("{percent:.1} %"), grouped(size.count), printable(name)]
        };
        let header = title.map(str::to_owned).to_vec();
        let rows: Vec<_> = std::iter::once(header).chain(sizes.iter().take(top).map(row)).collect();
        text.push_str(&table(&rows));
        let left_out = sizes.len().saturating_sub(top);
        if left_out > 0 {
            let _ = writeln!(text, "  … {} more", grouped(left_out as u64));
        }
    };
    add(["bytes", "part", "count", "field"], survey.sizes.parts());
    let mut keys = survey.sizes.keys();
    if survey.sizes.other_keys.count > 0 {
        keys.push(("(other keys)".into(), survey.sizes.other_keys));
    }
    add(["bytes", "part", "count", "attribute"], keys);
}

/// Writes one JSON object.
pub(super) fn json(survey: &Survey, name: &str) -> String {
    let mut json = JsonWriter::default();
    json.object(|json| {
        json.string("file", name);
        json.string("format", &survey.description);
        json.number("requests", survey.requests);
        json.number("broken", survey.broken);
        json.object_at("signals", |json| {
            for (signal, found) in &survey.signals {
                json.object_at(signal, |json| write_signal_json(json, found));
            }
        });
        let sizes = |json: &mut JsonWriter, key: &str, name: &str, sizes: Vec<(String, Size)>| {
            json.list_at(key, |json| {
                for (of, size) in sizes {
                    json.object(|json| {
                        json.string(name, &of);
                        json.number("bytes", size.bytes);
                        json.number("count", size.count);
                    });
                }
            });
        };
        sizes(json, "parts", "field", survey.sizes.parts());
        sizes(json, "attributes", "key", survey.sizes.keys());
        json.object_at("other_attributes", |json| {
            json.number("bytes", survey.sizes.other_keys.bytes);
            json.number("count", survey.sizes.other_keys.count);
        });
        json.list_at("problems", |json| {
            for problem in &survey.problems {
                json.object(|json| json.string("problem", &problem.text));
            }
        });
    });
    json.finish() + "\n"
}

fn write_signal_json(json: &mut JsonWriter, found: &SignalSurvey) {
    json.number("requests", found.requests);
    json.string("item", found.noun);
    json.number("items", found.items);
    json.number("entries", found.entries);
    json.number("bytes", found.bytes);
    if let Some((first, last)) = found.times {
        json.string("first_time", &utc(first));
        json.string("last_time", &utc(last));
    }
    json.number("resources", found.resources.count());
    json.number("traces", found.traces.count());
    json.number("duplicates", found.duplicates);
    json.number("duplicate_ids", found.duplicate_ids);
    json.number("missing_ids", found.missing_ids);
    json.number("zero_ids", found.zero_ids);
    json.number("unknown_fields", found.unknown_fields);
    json.list_at("sources", |json| {
        for ((service, scope), items) in &found.sources {
            json.object(|json| {
                json.string("service", service);
                json.string("scope", scope);
                json.number("items", *items);
            });
        }
    });
    json.number("other_items", found.other_sources);
}

// === impl SignalSurvey ===

impl SignalSurvey {
    /// Returns what a sender should look at, with its count.
    fn oddities(&self) -> impl Iterator<Item = (u64, &'static str)> {
        let all = [
            (self.duplicates, "entries are equal to earlier ones"),
            (self.duplicate_ids, "spans have the ids of earlier ones"),
            (self.missing_ids, "trace and span ids are missing"),
            (self.zero_ids, "ids are zeros"),
            (self.unknown_fields, "fields are unknown to this version of OTLP"),
            (self.other_sources, "items of further services and scopes"),
        ];
        all.into_iter().filter(|(count, _)| *count > 0)
    }
}

/// Replaces control characters of a sender's text, which terminals interpret.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
