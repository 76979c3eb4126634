//! Reads batches that are on disk alone into memory, ahead of the consumers.

use super::Store;
use crate::queue::QueueEntry;
use crate::queue::disk::backlog::Ready;
use crate::queue::disk::properties::Properties;
use crate::queue::disk::record::Kind;
use crate::queue::disk::segments::{Reader, Stored};
use otlp_protocol::{Batch, Charge};
use otlp_transport::offload;
use std::sync::Arc;
use std::time::Duration;

/// Runs until the store is closed.
pub(super) async fn run(store: Arc<Store>) {
    let mut reader: Option<Reader> = None;
    let read_bytes = MAX_READ_BYTES.min(store.context.budget.limit() / 8).max(1);
    while !store.is_closed() {
        let wanted = store.backlog.lock().wanted(store.memory_bytes / 2);
        let Some(wanted) = wanted else {
            store.wanted.notified().await;
            continue;
        };
        // The consumers hold memory, too: they wait for none, so that there will be some.
        let Ok(mut charge) = store.context.budget.try_charge(read_bytes) else {
            store.context.clock.sleep(PAUSE).await;
            continue;
        };
        let log = store.log.clone();
        let known = reader.take().filter(|reader| reader.next() == wanted.start);
        let mut place = known.unwrap_or_else(|| Reader::new(log, 0, wanted.start));
        let (start, end) = (wanted.start, wanted.end);
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
                store.backlog.lock().skip(start..read);
                reader = Some(place);
                store.ready.notify_one();
            }
            Err(error) => {
                store.monitor.unread(&error);
                store.context.clock.sleep(PAUSE).await;
                reader = Some(place);
            }
        }
    }
}

// === impl Store ===

impl Store {
    /// Makes a batch of a record.
    fn fetched(&self, record: Stored, charge: Charge) {
        let Stored { header, properties, body } = record;
        let Kind::Request(signal) = header.kind else { return };
        let Properties { pipeline, origin, hops } = Properties::decode(&properties).unwrap_or_default();
        let mut backlog = self.backlog.lock();
        let Some((held, answer)) = backlog.fetch(header.sequence, &pipeline, header.count.items) else {
            return;
        };
        let mut batch = Batch::unchecked(signal, body, header.count, header.is_mergeable, charge);
        (batch.origin, batch.hops) = (origin, hops);
        let entry = QueueEntry::new(batch, held, answer);
        let (sequence, record_len) = (header.sequence, header.record_len());
        backlog.push(Ready { sequence, pipeline: pipeline.into(), entry, record_len });
    }
}

/// Read at a time, unless an eighth of the byte budget is less.
const MAX_READ_BYTES: u64 = 1 << 20;
/// Before another try, when memory is short or a file cannot be read.
const PAUSE: Duration = Duration::from_millis(200);
