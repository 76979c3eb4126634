//! Ends of pipelines: exporters and connectors, as a fan-out sends to them.

use super::destination::Way;
use super::piece::{Behind, Piece, Role};
use crate::fanout::{Delivery, Destination};
use crate::ledger::Line;
use crate::receiver::PipelineEntry;
use std::sync::Arc;

/// An end of a pipeline.
pub(super) enum End {
    Exporter(Arc<Way>),
    /// With when the pipelines answer that the connector leads into.
    Connector(Arc<Piece>, Delivery),
}

impl End {
    pub(super) fn behind(&self) -> Behind {
        match self {
            Self::Exporter(way) => (way.serial, way.delivery),
            Self::Connector(piece, behind) => (piece.serial, piece.delivery(*behind)),
        }
    }

    pub(super) fn destination(&self, line: &Line) -> Destination {
        let account = line.account().clone();
        let destination = match self {
            Self::Exporter(way) => way.destination(account),
            Self::Connector(piece, behind) => match &piece.entry {
                PipelineEntry::Holder(stage) => Destination::queued(account, stage.as_queue(*behind)),
                entry => Destination::direct(account, entry.clone()),
            },
        };
        destination.with_serial(self.behind().0)
    }
}

impl Piece {
    /// Delivery of a connector whose pipelines answer like `behind`.
    fn delivery(&self, behind: Delivery) -> Delivery {
        match self.sketch.role {
            Role::Connector(answers) | Role::Holder(answers) => answers.delivery(behind),
            _ => behind,
        }
    }
}
