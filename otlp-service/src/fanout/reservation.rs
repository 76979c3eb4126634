//! Room in the queues of a fan-out's destinations, taken before a batch is accepted.

use super::FanOut;
use crate::ledger::Holding;
use crate::queue::Slot;
use std::borrow::Borrow;

/// What a queue said when asked for room.
#[derive(Debug)]
pub(crate) enum Ticket {
    /// A slot of its own.
    Slot(Slot),
    /// It lets a batch in though it may be full: a further part of one that has a slot. Such parts are bounded by the
    /// byte budget.
    OverCapacity,
    /// It is full, and drops what does not fit.
    Full,
}

/// A ticket for each queue of a fan-out, in order. Dropping it gives the slots back.
#[derive(Debug)]
pub(crate) struct Reservation {
    tickets: std::vec::IntoIter<Ticket>,
}

/// Items that were accepted into memory, with room reserved for the batch that will carry them.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(super) reservation: Reservation,
    /// One for each destination, in order.
    pub(super) holdings: Vec<Holding>,
}

/// Items that stay the sender's unless they are [sent](Self::send): dropping this counts them as refused.
pub(crate) struct Unsent<F: Borrow<FanOut>> {
    fanout: F,
    items: u64,
}

// === impl Reservation ===

impl Reservation {
    pub(super) fn new(tickets: Vec<Ticket>) -> Self {
        Self { tickets: tickets.into_iter() }
    }

    /// The next queue's ticket.
    pub(super) fn next(&mut self) -> Ticket {
        // There is one for each queue; should there not be, nothing is lost for it.
        self.tickets.next().unwrap_or(Ticket::OverCapacity)
    }

    /// For a further part of the same batch.
    fn for_further_part(&self) -> Self {
        let further = |ticket: &Ticket| match ticket {
            Ticket::Slot(_) | Ticket::OverCapacity => Ticket::OverCapacity,
            Ticket::Full => Ticket::Full,
        };
        Self::new(self.tickets.as_slice().iter().map(further).collect())
    }
}

// === impl Admission ===

impl Admission {
    /// Accepts more items into the same batch.
    pub(crate) fn admit(&mut self, items: u64) {
        self.holdings.iter_mut().for_each(|holding| holding.admit(items));
    }

    /// Moves `items` of them to a further part of the batch.
    pub(crate) fn split_off(&mut self, items: u64) -> Self {
        let holdings = self.holdings.iter_mut().map(|holding| holding.split_off(items)).collect();
        Self { reservation: self.reservation.for_further_part(), holdings }
    }
}

// === impl Unsent ===

impl<F: Borrow<FanOut>> Unsent<F> {
    pub(crate) fn new(fanout: F, items: u64) -> Self {
        Self { fanout, items }
    }

    /// Takes more items in.
    pub(crate) fn add(&mut self, items: u64) {
        self.items += items;
    }

    /// From here on somebody else counts them.
    pub(crate) fn send(mut self) {
        self.items = 0;
    }
}

impl<F: Borrow<FanOut>> Drop for Unsent<F> {
    fn drop(&mut self) {
        if self.items > 0 {
            self.fanout.borrow().refuse(self.items);
        }
    }
}
