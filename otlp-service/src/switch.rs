//! The points of a running gateway that a reload turns to another target: between what takes telemetry in and pipelines, and
//! between a holder or a connector and what stands behind.
//!
//! An export holds its target for as long as it takes, so that whoever turns the switch can wait until the last export
//! into the old target has ended. A request costs a lock and a count at each switch.

use crate::fanout::join_answers;
use crate::receiver::Entrance;
use futures_util::future::join_all;
use otlp_protocol::{Batch, ErrorKind};
use otlp_transport::{Export, ExportError, ExportResult};
use parking_lot::Mutex;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::sync::oneshot;

/// Leads to the entries of pipelines. Of several pipelines each gets the batch, at the same time; unlike the destinations
/// of one pipeline they do not wait for one another, so a refusal by one of them may leave duplicates in the others when
/// the sender tries again. Cloning shares the switch.
#[derive(Clone)]
pub(crate) struct Switch(Arc<Mutex<State>>);

struct State {
    target: Arc<Target>,
    /// Ends with the target.
    ended: Ended,
}

/// Target of a switch, held by the switch and by the exports into the target.
struct Target {
    entries: Vec<Entrance>,
    _held: oneshot::Sender<Infallible>,
}

/// Resolves when the last export into an old target has ended.
pub(crate) struct Ended(oneshot::Receiver<Infallible>);

// === impl Switch ===

impl Switch {
    /// A switch to these entries. Without entries every batch is refused, retryably.
    pub(crate) fn new(entries: Vec<Entrance>) -> Self {
        Self(Arc::new(Mutex::new(State::new(entries))))
    }

    /// Leads the exports that begin from now on to other entries.
    pub(crate) fn turn(&self, entries: Vec<Entrance>) -> Ended {
        let before = std::mem::replace(&mut *self.0.lock(), State::new(entries));
        // Here the target may drop, which may take other locks.
        let State { target, ended } = before;
        drop(target);
        ended
    }

    /// True if both are the same switch.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn target(&self) -> Arc<Target> {
        self.0.lock().target.clone()
    }

    /// Exports a batch that came at `begun`. Returns the time of the answer too, if the only pipeline has read the clock, so that
    /// who measures the same request need not read the clock again.
    pub(crate) async fn export_from(&self, begun: Instant, batch: Batch) -> (ExportResult, Option<Instant>) {
        self.lead(Some(begun), batch).await
    }

    async fn lead(&self, begun: Option<Instant>, mut batch: Batch) -> (ExportResult, Option<Instant>) {
        let target = self.target();
        match &*target.entries {
            [] => (Err(ExportError::refused(ErrorKind::Unavailable, NO_PIPELINE)), None),
            [only] => only.export_from(begun, batch).await,
            several => {
                let exports = several.iter().map(|pipeline| pipeline.export_from(begun, batch.share()));
                let answers = join_all(exports).await.into_iter().map(|(answer, _)| answer);
                (join_answers(answers, u64::max), None)
            }
        }
    }
}

impl Export for Switch {
    async fn export(&self, batch: Batch) -> ExportResult {
        self.lead(None, batch).await.0
    }
}

// === impl State ===

impl State {
    fn new(entries: Vec<Entrance>) -> Self {
        let (held, ended) = oneshot::channel();
        Self { target: Arc::new(Target { entries, _held: held }), ended: Ended(ended) }
    }
}

// === impl Ended ===

impl Future for Ended {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

const NO_PIPELINE: &str = "the configuration was reloaded: no pipeline takes this signal from here any more";
