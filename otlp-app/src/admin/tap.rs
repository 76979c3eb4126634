//! The command `tap`: shows copies of the telemetry that passes an edge.

use super::Served;
use super::line::Connection;
use super::pace::Pace;
use super::protocol::{Answer, Request};
use super::secrets::Secrets;
use otlp_protocol::{Body, SplitLimits, parts, redact};
use otlp_service::{DebugConfig, DebugFormat, Lost, Observed, TelemetryObserver};
use otlp_transport::Clock;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{Sender, channel};

/// Writes copies as lines of the answer. Runs on a thread for blocking work, and waits there while the peer does not read: then
/// further copies are lost.
struct Shower {
    show: DebugConfig,
    masks: bool,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    progress: Arc<Progress>,
}

/// What the connection learns of its shower.
#[derive(Default)]
struct Progress {
    /// Items over the rate, or without room in a line.
    skipped_items: AtomicU64,
    /// True once as many items were shown as were asked for.
    is_counted: AtomicBool,
}

struct State {
    pace: Pace,
    /// `None` once the answer is over.
    lines: Option<Sender<String>>,
}

/// Answers a request for copies, until its count is reached, the peer closes the connection or the gateway ends.
pub(super) async fn run(connection: &mut Connection, request: &Request, served: &Served) -> io::Result<()> {
    let asked = request.subscription(&served.subject.edges());
    let asked = asked.and_then(|subscription| Ok((subscription, request.debug_format()?)));
    let (subscription, format) = match asked {
        Ok(asked) => asked,
        Err(error) => return connection.send(&Answer::Error(&error).line()).await,
    };
    let (sender, mut lines) = channel(QUEUED_LINES);
    let progress: Arc<Progress> = Arc::default();
    let mut show = DebugConfig::default();
    (show.format, show.has_color) = (format, request.color);
    let pace = Pace::new(request.rate.unwrap_or(DEFAULT_RATE), request.count);
    let shower = Shower {
        show,
        masks: request.mask.unwrap_or(true),
        clock: served.clock.clone(),
        state: Mutex::new(State { pace, lines: Some(sender) }),
        progress: progress.clone(),
    };
    let subscription = match served.subject.subscribe(subscription, shower) {
        Ok(subscription) => subscription,
        Err(error) => return connection.send(&Answer::Error(&error.to_string()).line()).await,
    };
    let mut told = (Lost::default(), 0);
    loop {
        let ended = tokio::select! {
            line = lines.recv() => match line {
                Some(line) => {
                    connection.send(&line).await?;
                    continue;
                }
                None => true,
            },
            () = connection.closed() => return Ok(()),
            () = served.clock.sleep(TELL_INTERVAL) => false,
        };
        let lost = (subscription.lost(), progress.skipped_items.load(Ordering::Relaxed));
        if lost != told {
            told = lost;
            let (lost, skipped_items) = lost;
            connection.send(&Answer::Lost { lost, skipped_items }.line()).await?;
        }
        if ended {
            let is_counted = progress.is_counted.load(Ordering::Relaxed);
            let reason = if is_counted { "the count is reached" } else { "the gateway has stopped" };
            return connection.send(&Answer::End(reason).line()).await;
        }
    }
}

impl TelemetryObserver for Shower {
    fn on_batch(&self, observed: &Observed) {
        let mut state = self.state.lock();
        let State { pace, lines } = &mut *state;
        let body = observed.batch().body();
        let mut skipped = body.count().items;
        for part in parts(body, SplitLimits { max_items: None, max_bytes: Some(SHOWN_BYTES) }) {
            let Some(to) = &*lines else { return };
            let room = pace.room(self.clock.now());
            if room == 0 {
                break;
            }
            let limits = SplitLimits { max_items: Some(room), max_bytes: None };
            let Some(part) = parts(&part.body, limits).next() else { break };
            let items = part.body.count().items.min(room);
            pace.take(items);
            skipped = skipped.saturating_sub(items);
            let is_sent = self.send(observed.edge(), &part.body, room, to);
            if pace.is_over() {
                self.progress.is_counted.store(true, Ordering::Relaxed);
            }
            if !is_sent || pace.is_over() {
                *lines = None;
                return;
            }
        }
        self.progress.skipped_items.fetch_add(skipped, Ordering::Relaxed);
    }
}

// === impl Shower ===

impl Shower {
    /// Sends the lines of a part, for `room` items at most. False if the peer has gone.
    fn send(&self, edge: &str, part: &Body, room: u64, to: &Sender<String>) -> bool {
        let max_bytes = 4 * part.len() + SHOWN_BYTES;
        let masked = if self.masks { redact(part, &Secrets, max_bytes) } else { Ok(part.clone()) };
        let Ok(masked) = masked else {
            self.progress.skipped_items.fetch_add(part.count().items, Ordering::Relaxed);
            return true;
        };
        let mut show = self.show.clone();
        show.max_items_per_second = room;
        let text = show.text(part.signal(), &masked.to_bytes());
        if self.show.format != DebugFormat::Json {
            return text.is_empty() || to.blocking_send(Answer::Text { edge, text: &text }.line()).is_ok();
        }
        text.lines().all(|request| to.blocking_send(Answer::Request { edge, request }.line()).is_ok())
    }
}

/// Lines that wait for the peer to read them. A line has about 256 KiB at most.
const QUEUED_LINES: usize = 4;
/// Items in a second without a setting.
pub(crate) const DEFAULT_RATE: u64 = 1000;
/// Size of the parts that are shown one after the other, so that lines stay short.
const SHOWN_BYTES: usize = 32 << 10;
/// Time between two lines about lost copies.
const TELL_INTERVAL: Duration = Duration::from_secs(1);
