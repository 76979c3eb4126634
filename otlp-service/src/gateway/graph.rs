//! All that runs for one spec. Graphs that follow each other share what a reload keeps.

use super::checks::Checks;
use super::destination::{Exporter, Way};
use super::pages::PagesRun;
use super::piece::{Piece, Placed, Rest};
use super::shared::Managed;
use crate::component::Needs;
use crate::observe::Edge;
use crate::receiver::{BoxRunning, Entrance};
use crate::spec::{Fingerprint, Outline};
use crate::switch::Switch;
use crate::telemetry::RequestStats;
use otlp_protocol::Signal;
use otlp_transport::Address;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Components and their connections, as one spec has them.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) outline: Outline,
    /// In the order in which they were started.
    pub(super) extensions: Vec<Arc<ExtensionRun>>,
    pub(super) exporters: Vec<Arc<Exporter>>,
    /// By exporter and name of the signal.
    pub(super) ways: BTreeMap<(String, &'static str), Arc<Way>>,
    pub(super) pieces: Vec<Placed>,
    /// By pipeline.
    pub(super) heads: BTreeMap<String, Head>,
    pub(super) receivers: Vec<Fed>,
    pub(super) pages: Vec<Arc<PagesRun>>,
    pub(super) checks: Checks,
}

/// A running extension.
pub(super) struct ExtensionRun {
    pub(super) id: String,
    pub(super) settings: Option<Fingerprint>,
    pub(super) managed: Arc<Managed>,
}

/// A running receiver.
pub(super) struct ReceiverRun {
    pub(super) id: String,
    pub(super) settings: Option<Fingerprint>,
    pub(super) needs: Needs,
    /// `None` once it is retired.
    pub(super) running: Mutex<Option<BoxRunning>>,
}

/// A receiver, and what it feeds.
pub(super) struct Fed {
    pub(super) receiver: Arc<ReceiverRun>,
    pub(super) signals: Vec<FedSignal>,
}

/// Pipelines of a signal that a receiver feeds, by id, and the switch that leads there.
#[derive(Clone)]
pub(super) struct FedSignal {
    pub(super) signal: Signal,
    pub(super) pipelines: Vec<String>,
    pub(super) switch: Switch,
}

/// The beginning of a pipeline.
pub(super) struct Head {
    pub(super) signal: Signal,
    /// In front of the rest.
    pub(super) edge: Edge,
    /// Counts the requests that enter.
    pub(super) requests: Arc<RequestStats>,
    pub(super) rest: Rest,
    /// Leads there from outside.
    pub(super) inlet: Switch,
}

impl Graph {
    /// The entries of pipelines.
    pub(super) fn entries(&self, pipelines: &[String]) -> Vec<Entrance> {
        let heads = pipelines.iter().filter_map(|id| self.heads.get(id));
        heads.map(Head::entrance).collect()
    }

    /// The first components of pipelines, as serials.
    pub(super) fn serials(&self, pipelines: &[String]) -> Vec<u64> {
        pipelines.iter().filter_map(|id| self.heads.get(id)).map(|head| head.rest.serial).collect()
    }

    /// Entries of the pipelines that take the place of those which a receiver of another graph fed.
    pub(super) fn heirs(&self, receiver: &str, fed: &FedSignal) -> Vec<Entrance> {
        let same = self.receivers.iter().find(|known| known.receiver.id == receiver);
        let of_signal = same.and_then(|known| known.signals.iter().find(|known| known.signal == fed.signal));
        match of_signal {
            Some(known) => self.entries(&known.pipelines),
            None => {
                let takes = |id: &&String| self.heads.get(*id).is_some_and(|head| head.signal == fed.signal);
                self.entries(&fed.pipelines.iter().filter(takes).cloned().collect::<Vec<_>>())
            }
        }
    }

    /// True if the receiver runs in this graph.
    pub(super) fn feeds(&self, receiver: &Arc<ReceiverRun>) -> bool {
        self.receivers.iter().any(|fed| Arc::ptr_eq(&fed.receiver, receiver))
    }

    /// True if the component is in this graph.
    pub(super) fn has(&self, piece: &Arc<Piece>) -> bool {
        self.pieces.iter().any(|placed| Arc::ptr_eq(&placed.piece, piece))
    }

    /// Names and addresses of all listeners.
    pub(super) fn endpoints(&self) -> Vec<(String, Address)> {
        let receivers = self.receivers.iter().flat_map(|fed| {
            let running = fed.receiver.running.lock();
            running.as_ref().map(BoxRunning::endpoints).unwrap_or_default()
        });
        let pages =
            self.pages.iter().map(|pages| (pages.wanted.name().to_owned(), pages.server.local_addr()));
        receivers.chain(pages).collect()
    }
}

// === impl Head ===

impl Head {
    pub(super) fn entrance(&self) -> Entrance {
        self.rest.behind_edge(&self.edge, Some(&self.requests))
    }
}
