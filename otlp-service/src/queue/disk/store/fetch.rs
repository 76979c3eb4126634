//! Reads batches that are on disk alone into memory, ahead of the consumers.

use super::Store;
use crate::queue::QueueEntry;
use crate::queue::disk::backlog::Ready;
use crate::queue::disk::properties::Properties;
use crate::queue::disk::ranges::Ranges;
use crate::queue::disk::record::Kind;
use crate::queue::disk::segments::{Log, Reader, Stored};
use otlp_protocol::{Batch, Charge};
use otlp_transport::offload;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Runs until the store is closed.
pub(super) async fn run(store: Arc<Store>) {
    let mut readers = Readers::default();
    let read_bytes = MAX_READ_BYTES.min(store.context.budget.limit() / 8).max(1);
    while !store.is_closed() {
        let Some((start, wanted)) = store.wanted().and_then(|wanted| Some((wanted.start()?, wanted))) else {
            store.wanted.notified().await;
            continue;
        };
        // The consumers hold memory, too: they wait for none, so that there will be some.
        let Ok(mut charge) = store.context.budget.try_charge(read_bytes) else {
            store.context.clock.sleep(PAUSE).await;
            continue;
        };
        let (mut place, end) = (readers.take(&store.log, start), wanted.end());
        let read = offload::on(store.offload(), move || {
            let records = place.read(end, read_bytes as usize);
            (place, records)
        });
        let Some((place, records)) = read.await else { return };
        store.monitor.look_for_damage(&store.log);
        match records {
            Ok(records) => {
                // Without records there are none before the end.
                let read = if records.is_empty() { end } else { place.next() };
                for record in records {
                    store.fetched(record, charge.share());
                }
                store.skip(&wanted, read);
                readers.keep(place);
                store.common.ready.notify_one();
            }
            Err(error) => {
                store.monitor.unread(&error);
                store.context.clock.sleep(PAUSE).await;
                readers.keep(place);
            }
        }
    }
}

/// Places in segments that were read before. Of two segments that are read in turn, neither is read from its start again.
#[derive(Default)]
struct Readers(VecDeque<Reader>);

// === impl Readers ===

impl Readers {
    /// Takes the reader that is nearest before a record, or makes one.
    fn take(&mut self, log: &Arc<Log>, start: u64) -> Reader {
        let segment = log.segment_of(start).unwrap_or(start..start + 1);
        let leads_to =
            |reader: &Reader| reader.next() == start || (segment.start..start).contains(&reader.next());
        let place = self.0.iter().position(leads_to);
        let known = place.and_then(|place| self.0.remove(place));
        known.unwrap_or_else(|| Reader::new(log.clone(), 0, start))
    }

    fn keep(&mut self, reader: Reader) {
        self.0.push_back(reader);
        if self.0.len() > MAX_READERS {
            self.0.pop_front();
        }
    }
}

// === impl Store ===

impl Store {
    /// Forgets what was to be read and was not found before `read`.
    fn skip(&self, wanted: &Ranges, read: u64) {
        let mut backlog = self.backlog.lock();
        wanted.iter().for_each(|records| backlog.skip(records.start..records.end.min(read)));
    }

    /// Makes a batch of a record.
    fn fetched(&self, record: Stored, charge: Charge) {
        let Stored { header, properties, body } = record;
        let Kind::Request(signal) = header.kind else { return };
        let Properties { pipeline, origin, hops } = Properties::decode(&properties).unwrap_or_default();
        let (since, is_live_first) = (self.clock().now(), self.common.pace().is_some());
        let mut backlog = self.backlog.lock();
        let Some((held, answer)) = backlog.fetch(header.sequence, &pipeline, header.count.items) else {
            return;
        };
        let mut batch = Batch::unchecked(signal, body, header.count, header.is_mergeable, charge);
        (batch.origin, batch.hops) = (origin, hops);
        let entry = QueueEntry::new(batch, held, answer);
        let (sequence, record_len) = (header.sequence, header.record_len());
        let ready = Ready { sequence, pipeline: pipeline.into(), entry, record_len, since };
        if is_live_first {
            backlog.push_read(ready);
        } else {
            backlog.push(ready);
        }
    }
}

/// Read at a time, unless an eighth of the byte budget is less.
const MAX_READ_BYTES: u64 = 1 << 20;
const MAX_READERS: usize = 2;
/// Before another try, when memory is short or a file cannot be read.
const PAUSE: Duration = Duration::from_millis(200);
