//! Requests that a replaced receiver still takes while its senders leave: led to the pipelines of the graph that runs.
//!
//! A connection must not be closed while its sender may be about to write. So a replaced receiver stays open until its
//! senders have gone, and requests of a signal that no pipeline takes any more are refused, if the receiver can do without
//! the signal. A receiver that cannot is drained at once, into the pipelines that it had.

use super::build::Turn;
use super::graph::{Fed, FedSignal, Graph, ReceiverRun};
use crate::component::Needs;
use crate::receiver::{Inlets, Reroute};
use std::sync::Arc;

/// A replaced receiver that stays open, with the switches of its signals.
pub(super) struct Succession {
    receiver: Arc<ReceiverRun>,
    signals: Vec<FedSignal>,
    /// True if the receiver can do without a signal while it runs.
    can_refuse: bool,
}

impl Succession {
    /// Returns the succession of a receiver that `graph` replaces, and the function that takes the signals without a pipeline
    /// from the receiver. `None` if the receiver is to be drained at once. `inlets` makes the inlets of the other signals.
    pub(super) fn new(
        fed: &Fed,
        graph: &Graph,
        inlets: impl FnOnce(&str, &Needs, &[FedSignal]) -> Inlets,
    ) -> Option<(Self, Option<Reroute>)> {
        let Fed { receiver, signals } = fed;
        let has_heirs = |signal: &&FedSignal| !graph.heirs(&receiver.id, signal).is_empty();
        let stay: Vec<_> = signals.iter().filter(has_heirs).cloned().collect();
        let reroute = {
            let running = receiver.running.lock();
            let inlets = inlets(&receiver.id, &receiver.needs, &stay);
            running.as_ref().and_then(|running| running.reroute(&inlets))
        };
        let can_refuse = reroute.is_some();
        let has_successor = graph.receivers.iter().any(|fed| fed.receiver.id == receiver.id);
        let stays_open = match signals.len() - stay.len() {
            0 => true,
            _ => can_refuse && (has_successor || !stay.is_empty()),
        };
        let reroute = reroute.filter(|_| stay.len() < signals.len());
        let succession = Self { receiver: receiver.clone(), signals: signals.clone(), can_refuse };
        stays_open.then_some((succession, reroute))
    }

    /// True if this is the succession of `receiver`.
    pub(super) fn is_of(&self, receiver: &Arc<ReceiverRun>) -> bool {
        Arc::ptr_eq(&self.receiver, receiver)
    }

    /// Leads all signals to the pipelines of `graph`. Returns false if there is a signal that no pipeline takes and that the
    /// receiver cannot do without: the signal goes on as before.
    pub(super) fn lead(&self, graph: &Graph, turns: &mut Vec<Turn>) -> bool {
        let mut is_complete = true;
        for signal in &self.signals {
            let heirs = graph.heirs(&self.receiver.id, signal);
            if heirs.is_empty() && !self.can_refuse {
                is_complete = false;
            } else {
                turns.push((signal.switch.clone(), heirs));
            }
        }
        is_complete
    }
}
