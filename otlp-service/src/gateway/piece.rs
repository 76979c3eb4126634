//! Running components of pipelines: what each is made of and what stands behind it, by which a reload finds those to keep.

use crate::batch::{AttemptFeedback, BatchProcessor};
use crate::fanout::{Delivery, FanOut};
use crate::holder::{Answers, HolderStage};
use crate::ledger::{Hop, Line};
use crate::observe::Edge;
use crate::receiver::{Entrance, PipelineEntry};
use crate::spec::Fingerprint;
use crate::switch::Switch;
use crate::telemetry::RequestStats;
use otlp_protocol::Signal;
use std::sync::Arc;
use std::time::Instant;

/// The rest of a pipeline, from some component on, as a graph has it.
#[derive(Clone)]
pub(super) struct Rest {
    pub(super) entry: PipelineEntry,
    /// The accounts that are filled from here: those of the ends, or of the next holder.
    pub(super) hop: Hop,
    pub(super) delivery: Delivery,
    /// Components to drain one after the other, at most, from here to the ends.
    pub(super) rank: usize,
    /// Of the first component.
    pub(super) serial: u64,
    /// Of the exporters' attempts, for adaptive batch processors. Empty in front of a holder.
    pub(super) feedback: Vec<AttemptFeedback>,
}

/// Facts that a component relies on of the component behind it: the serial, and the delivery.
pub(super) type Behind = (u64, Delivery);

/// A running component of a pipeline, in one graph or in several that follow each other.
pub(super) struct Piece {
    pub(super) serial: u64,
    pub(super) sketch: Sketch,
    pub(super) entry: PipelineEntry,
    pub(super) hop: Hop,
    /// The part to drain. `None` if the component holds nothing.
    pub(super) drained: Option<Drained>,
    /// Of a holder or a connector: where it emits, a switch for each of [`Sketch::outlets`].
    pub(super) outlets: Vec<Switch>,
    /// The lines of the ledger that it fills.
    pub(super) _lines: Vec<Arc<Line>>,
}

/// Identity of a component in two graphs, apart from what stands behind the component.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Sketch {
    pub(super) pipeline: String,
    pub(super) signal: Signal,
    pub(super) role: Role,
    /// Ids and settings; several of a chain of processors; of a fan-out the id of the batch processor right in front, if any.
    pub(super) made_of: Vec<(String, Option<Fingerprint>)>,
    /// Of a holder or a connector: ids and signals of the pipelines it emits into.
    pub(super) outlets: Vec<(String, Signal)>,
}

/// Place of a component in its pipeline.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Processors,
    Batch,
    Holder(Answers),
    Connector(Answers),
    FanOut { is_patient: bool },
}

/// A component of a graph, with what differs between graphs.
pub(super) struct Placed {
    pub(super) piece: Arc<Piece>,
    pub(super) behind: Vec<Behind>,
    pub(super) rank: usize,
}

/// A component that works off what it holds when it is replaced, or when the gateway stops.
pub(super) enum Drained {
    Batch(Arc<BatchProcessor>),
    Holder(HolderStage),
    FanOut(FanOut),
}

// === impl Rest ===

impl Rest {
    pub(super) fn behind(&self) -> Behind {
        (self.serial, self.delivery)
    }

    /// The rest behind an edge; `requests` counts the requests if a pipeline begins there.
    pub(super) fn behind_edge(&self, edge: &Edge, requests: Option<&Arc<RequestStats>>) -> Entrance {
        Entrance { edge: edge.clone(), requests: requests.cloned(), entry: self.entry.clone() }
    }
}

// === impl Piece ===

impl Piece {
    /// Returns the feedback of the exporters behind a fan-out.
    pub(super) fn feedback(&self) -> Vec<AttemptFeedback> {
        match &self.drained {
            Some(Drained::FanOut(fanout)) => fanout.feedback(),
            _ => Vec::new(),
        }
    }
}

// === impl Placed ===

impl Placed {
    /// True if the component can stay in a graph where it is to be as in `sketch` and `behind`.
    pub(super) fn is(&self, sketch: &Sketch, behind: &[Behind]) -> bool {
        let is_same = |(_, settings): &(String, Option<Fingerprint>)| settings.is_some();
        // What is behind a holder or a connector is exchanged while it runs.
        let stays = !self.piece.outlets.is_empty() || self.behind == behind;
        stays && self.piece.sketch == *sketch && sketch.made_of.iter().all(is_same)
    }
}

// === impl Drained ===

impl Drained {
    /// Starts what has more to do than take batches.
    pub(super) fn start(&self) {
        if let Self::Holder(holder) = self {
            holder.start();
        }
    }

    /// Sends on what is held, so that those who wait for it get their answers.
    pub(super) async fn flush(&self) {
        match self {
            Self::Batch(processor) => processor.flush(),
            Self::Holder(holder) => holder.flush().await,
            Self::FanOut(_) => {}
        }
    }

    pub(super) async fn drain(&self, deadline: Instant) {
        match self {
            Self::Batch(processor) => processor.drain(deadline).await,
            Self::Holder(holder) => holder.drain(deadline).await,
            Self::FanOut(fanout) => fanout.drain(deadline).await,
        }
    }
}
