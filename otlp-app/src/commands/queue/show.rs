//! `otlp queue ls` and `otlp queue status`.

use super::holder::Holder;
use super::place::Found;
use crate::commands::json::JsonWriter;
use crate::commands::text::{bytes, counted, grouped, table, utc};
use crate::exit::Failure;
use otlp_service::QueueSummary;
use otlp_transport::{Clock, TokioClock};
use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::time::{Duration, SystemTime};

/// A line of `otlp queue ls` or `otlp queue status`: the name, the sizes and the holder of a queue.
struct Shown<'a> {
    queue: &'a Found,
    summary: QueueSummary,
    holder: Option<Holder>,
    /// Names of the headers of the oldest request.
    headers: Vec<String>,
}

/// Lists queues.
pub(super) fn list(queues: &[Found], is_json: bool) -> Result<(), Failure> {
    let shown = read(queues)?;
    let text = if is_json { json(&shown) } else { lines(&shown, TokioClock.wall()) };
    Ok(stdout().lock().write_all(text.as_bytes())?)
}

/// Shows each queue.
pub(super) fn status(queues: &[Found], is_json: bool) -> Result<(), Failure> {
    let shown = read(queues)?;
    let now = TokioClock.wall();
    let text = match is_json {
        true => json(&shown),
        false if shown.is_empty() => NONE.into(),
        false => shown.iter().map(|shown| shown.paragraph(now)).collect::<Vec<_>>().join("\n"),
    };
    Ok(stdout().lock().write_all(text.as_bytes())?)
}

fn read(queues: &[Found]) -> Result<Vec<Shown<'_>>, Failure> {
    queues.iter().map(Shown::read).collect()
}

fn lines(shown: &[Shown<'_>], now: SystemTime) -> String {
    if shown.is_empty() {
        return NONE.into();
    }
    let header = ["queue", "requests", "items", "bytes", "segments", "oldest", "gateway"].map(str::to_owned);
    let rows = shown.iter().map(|Shown { queue, summary, holder, .. }| {
        let oldest = summary.oldest.map_or_else(|| "-".into(), |oldest| age(oldest, now));
        let gateway =
            holder.as_ref().map_or_else(|| "stopped".into(), |holder| format!("running ({})", holder.pid));
        vec![
            queue.name.clone(),
            grouped(summary.requests),
            grouped(summary.items),
            grouped(summary.bytes),
            grouped(summary.segments),
            oldest,
            gateway,
        ]
    });
    table(&std::iter::once(header.into()).chain(rows).collect::<Vec<_>>())
}

fn json(shown: &[Shown<'_>]) -> String {
    let mut json = JsonWriter::default();
    json.object(|json| {
        json.list_at("queues", |json| shown.iter().for_each(|shown| json.object(|json| shown.write(json))));
    });
    json.finish() + "\n"
}

// === impl Shown ===

impl<'a> Shown<'a> {
    fn read(queue: &'a Found) -> Result<Self, Failure> {
        let view = queue.view()?;
        let summary = view.summary().map_err(|error| queue.failure(&error))?;
        let first = view.requests().next().transpose().map_err(|error| queue.failure(&error))?;
        let mut headers: Vec<String> =
            first.iter().flat_map(|request| request.header_names()).map(str::to_owned).collect();
        headers.dedup();
        Ok(Self { queue, summary, holder: Holder::of(&queue.directory), headers })
    }

    fn paragraph(&self, now: SystemTime) -> String {
        let Self { queue, summary, holder, headers } = self;
        let QueueSummary { requests, items, segments, .. } = summary;
        let size = |number: u64| bytes(number as f64);
        let mut text = format!("{}\n", queue.name);
        let mut line = |key: &str, value: String| {
            let _ = writeln!(text, "  {key:<10} {value}");
        };
        line("directory", queue.directory.display().to_string());
        line(
            "gateway",
            match holder {
                Some(holder) => format!("{holder} has the queue open; figures may be some seconds old"),
                None => "stopped".into(),
            },
        );
        let (requests, items) = (counted(*requests, "requests"), counted(*items, "items"));
        line("left", format!("{requests}, {items}, {}", size(summary.bytes)));
        line("segments", format!("{}, {}", grouped(*segments), size(summary.segment_bytes)));
        queue.max_bytes.iter().for_each(|limit| line("limit", size(*limit)));
        if let Some(oldest) = summary.oldest {
            line("oldest", format!("{}, {} ago", utc(nanos(oldest)), age(oldest, now)));
        }
        for (pipeline, items) in &summary.pipelines {
            let pipeline = if pipeline.is_empty() { "unknown" } else { pipeline };
            line("pipeline", format!("{pipeline}: {}", counted(*items, "items")));
        }
        if !headers.is_empty() {
            line("headers", format!("{} (of the oldest request, without values)", headers.join(", ")));
        }
        if summary.is_cursor_damaged {
            line("cursor", "damaged: requests that were delivered may be delivered again".into());
        }
        text
    }

    fn write(&self, json: &mut JsonWriter) {
        let Self { queue, summary, holder, headers } = self;
        json.string("queue", &queue.name);
        json.string("directory", &queue.directory.display().to_string());
        for (key, number) in [
            ("requests", summary.requests),
            ("items", summary.items),
            ("bytes", summary.bytes),
            ("segments", summary.segments),
            ("segment_bytes", summary.segment_bytes),
        ] {
            json.number(key, number);
        }
        queue.max_bytes.iter().for_each(|limit| json.number("limit_bytes", *limit));
        summary.oldest.iter().for_each(|oldest| json.string("oldest", &utc(nanos(*oldest))));
        holder.iter().for_each(|holder| json.number("pid", holder.pid.into()));
        json.object_at("pipelines", |json| {
            summary.pipelines.iter().for_each(|(pipeline, items)| json.number(pipeline, *items));
        });
        json.list_at("headers", |json| {
            headers.iter().for_each(|name| json.object(|json| json.string("name", name)));
        });
        json.number("damaged_cursors", summary.is_cursor_damaged.into());
    }
}

/// Returns the time since `then` in its largest unit.
fn age(then: SystemTime, now: SystemTime) -> String {
    let seconds = now.duration_since(then).unwrap_or(Duration::ZERO).as_secs();
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

const NONE: &str = "there is no queue on disk\n";
