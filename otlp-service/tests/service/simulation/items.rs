//! Items with numbers, and what became of them.

use otlp_protocol::wire::put_len_delimited;
use otlp_protocol::{Batch, Charge, Count, Signal};
use parking_lot::Mutex;
use std::sync::Arc;

/// All items of a simulation, by number. Cloning shares them.
#[derive(Clone, Default)]
pub(super) struct Items(Arc<Mutex<Vec<Item>>>);

/// An item, as its sender knows the item.
#[derive(Clone, Debug)]
pub(super) struct Item {
    /// By number.
    pub(super) pipeline: usize,
    /// Destinations refuse the item for good.
    pub(super) is_poison: bool,
    /// Items of its request.
    pub(super) request_items: u64,
    /// Requests with the item that have been sent.
    pub(super) sent: u64,
    /// The run of the gateway that answered with success.
    pub(super) acked: Option<usize>,
}

// === impl Items ===

impl Items {
    /// Makes the items of a request, one of which may be poison, and returns their numbers.
    pub(super) fn add(&self, pipeline: usize, request_items: u64, poison: Option<u64>) -> Vec<u64> {
        let mut items = self.0.lock();
        let first = items.len() as u64;
        let item =
            |place| Item { pipeline, is_poison: poison == Some(place), request_items, sent: 0, acked: None };
        items.extend((0..request_items).map(item));
        (first..first + request_items).collect()
    }

    pub(super) fn sent(&self, numbers: &[u64]) {
        self.each(numbers, |item| item.sent += 1);
    }

    pub(super) fn acked(&self, numbers: &[u64], run: usize) {
        self.each(numbers, |item| item.acked = Some(run));
    }

    pub(super) fn is_poison(&self, number: u64) -> bool {
        self.0.lock()[number as usize].is_poison
    }

    pub(super) fn all(&self) -> Vec<Item> {
        self.0.lock().clone()
    }

    fn each(&self, numbers: &[u64], change: impl Fn(&mut Item)) {
        let mut items = self.0.lock();
        numbers.iter().for_each(|number| change(&mut items[*number as usize]));
    }
}

/// A request of log records, each of which has a number between brackets in its text.
pub(super) fn request(numbers: &[u64], text_bytes: usize, charge: Charge) -> Batch {
    let mut scope = Vec::new();
    for number in numbers {
        let mut record = Vec::new();
        put_len_delimited(&mut record, 3, format!("[{number}]{:x<text_bytes$}", "").as_bytes());
        put_len_delimited(&mut scope, 2, &record);
    }
    let (mut resource, mut body) = (Vec::new(), Vec::new());
    put_len_delimited(&mut resource, 2, &scope);
    put_len_delimited(&mut body, 1, &resource);
    let items = numbers.len() as u64;
    Batch::unchecked(Signal::LOGS, body, Count { items, entries: items }, true, charge)
}

/// The numbers in a request.
pub(super) fn numbers_in(batch: &Batch) -> Vec<u64> {
    let body = batch.body().plain().to_contiguous();
    // Quicker than a search byte by byte, in tests without optimization.
    let text = String::from_utf8_lossy(&body);
    let number = |piece: &str| piece.split_once(']')?.0.parse().ok();
    let numbers: Vec<u64> = text.split('[').skip(1).filter_map(number).collect();
    assert_eq!(numbers.len() as u64, batch.items());
    numbers
}
