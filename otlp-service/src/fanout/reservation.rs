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

    /// The next queue's ticket; there is one for each queue.
    pub(super) fn next(&mut self) -> Option<Ticket> {
        self.tickets.next()
    }
}

// === impl Admission ===

impl Admission {
    /// Accepts more items into the same batch.
    pub(crate) fn admit(&mut self, items: u64) {
        self.holdings.iter_mut().for_each(|holding| holding.admit(items));
    }

    /// Moves `items` of them, with the room that was reserved, to a part of the batch.
    pub(crate) fn split_off(&mut self, items: u64) -> Self {
        let holdings = self.holdings.iter_mut().map(|holding| holding.split_off(items)).collect();
        Self { reservation: std::mem::replace(&mut self.reservation, Reservation::new(Vec::new())), holdings }
    }

    /// Gives the rest room for another part.
    pub(crate) fn renew(&mut self, reservation: Reservation) {
        self.reservation = reservation;
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

    /// Moves some of the items to one of their own.
    pub(crate) fn split_off(&mut self, items: u64) -> Self
    where
        F: Clone,
    {
        let items = items.min(self.items);
        self.items -= items;
        Self { fanout: self.fanout.clone(), items }
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
