//! The page of all series, made part by part while it is sent: the metrics are locked for one part at a time.

use super::Shared;
use super::families::{Families, Kind};
use super::format::{Format, Syntax};
use super::labels::escaped;
use super::protobuf::MetricFamily;
use super::text::Text;
use bytes::Bytes;
use prost::Message;
use std::sync::Arc;

/// A page that is being sent.
pub(super) struct Parts {
    shared: Arc<Shared>,
    format: Format,
    place: Place,
}

/// What is sent next.
enum Place {
    Targets,
    /// The metric after this one.
    After(Option<Arc<str>>),
    /// Series of a metric.
    Series {
        name: Arc<str>,
        labels: Vec<Arc<str>>,
        next: usize,
    },
    End,
}

// === impl Parts ===

impl Parts {
    pub(super) fn new(shared: Arc<Shared>, format: Format) -> Self {
        Self { shared, format, place: Place::Targets }
    }

    /// Returns the next part, `None` after the last.
    pub(super) fn next(&mut self) -> Option<Bytes> {
        let shared = Arc::clone(&self.shared);
        let mut part = String::with_capacity(PART_BYTES + PART_BYTES / 4);
        let mut messages = Vec::new();
        let families = shared.families.lock();
        while part.len() + messages.len() < PART_BYTES {
            self.place = match std::mem::replace(&mut self.place, Place::End) {
                Place::Targets => {
                    self.targets(&families, &mut part, &mut messages);
                    Place::After(None)
                }
                Place::After(name) => match families.after(name.as_deref()) {
                    Some((name, labels)) => Place::Series { name, labels, next: 0 },
                    None => {
                        let is_open = matches!(self.format.syntax, Syntax::OpenMetrics { .. });
                        part.push_str(if is_open { "# EOF\n" } else { "" });
                        break;
                    }
                },
                Place::Series { name, labels, next } => {
                    let next = self.series(&families, &name, &labels, next, &mut part, &mut messages);
                    match next < labels.len() {
                        true => Place::Series { name, labels, next },
                        false => Place::After(Some(name)),
                    }
                }
                Place::End => break,
            };
        }
        drop(families);
        let part = if self.format.syntax == Syntax::Protobuf { messages.into() } else { Bytes::from(part) };
        (!part.is_empty()).then_some(part)
    }

    fn targets(&self, families: &Families, part: &mut String, messages: &mut Vec<u8>) {
        let escaping = self.format.escaping;
        let name = self.shared.intake.namer().target_info();
        let name = escaping.escape(&name);
        let mut targets = families.targets().peekable();
        if targets.peek().is_none() {
            return;
        }
        if self.format.syntax == Syntax::Protobuf {
            let mut family = MetricFamily::new(&name, TARGET_HELP, Kind::Gauge);
            targets.for_each(|labels| family.add_target(labels, escaping));
            return put_message(messages, &family);
        }
        let mut text = self.text(part);
        text.head(&name, TARGET_HELP, Kind::Gauge);
        targets.for_each(|labels| text.target(&name, &escaped(labels, escaping)));
    }

    /// Writes series from `next` on until the part is full, and returns the next one.
    fn series(
        &self,
        families: &Families,
        name: &str,
        labels: &[Arc<str>],
        next: usize,
        part: &mut String,
        messages: &mut Vec<u8>,
    ) -> usize {
        // The metric may have expired meanwhile.
        let Some(family) = families.family(name) else { return labels.len() };
        let escaping = self.format.escaping;
        let name = escaping.escape(name);
        if self.format.syntax == Syntax::Protobuf {
            let mut message = MetricFamily::new(&name, &family.help, family.kind);
            let end = labels.len().min(next + MESSAGE_SERIES);
            for labels in &labels[next..end] {
                if let Some(point) = family.point(labels) {
                    message.add(labels, family, point, escaping, self.shared.has_timestamps);
                }
            }
            if !message.metrics.is_empty() {
                put_message(messages, &message);
            }
            return end;
        }
        let mut text = self.text(part);
        if next == 0 {
            text.head(&name, &family.help, family.kind);
        }
        for (at, labels) in labels.iter().enumerate().skip(next) {
            if let Some(point) = family.point(labels) {
                text.series(&name, &escaped(labels, escaping), family, point);
            }
            if text.out.len() >= PART_BYTES {
                return at + 1;
            }
        }
        labels.len()
    }

    fn text<'a>(&self, out: &'a mut String) -> Text<'a> {
        let is_open = matches!(self.format.syntax, Syntax::OpenMetrics { .. });
        Text { out, is_open, has_timestamps: self.shared.has_timestamps }
    }
}

fn put_message(out: &mut Vec<u8>, family: &MetricFamily) {
    // A Vec has room for any message.
    let _ = family.encode_length_delimited(out);
}

const TARGET_HELP: &str = "Target metadata";

/// Of the page at a time.
const PART_BYTES: usize = 64 << 10;
/// Series of one message; a metric of more has several messages.
const MESSAGE_SERIES: usize = 256;
