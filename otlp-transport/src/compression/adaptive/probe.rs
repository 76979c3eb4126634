//! A probe: two candidates measured on one body, on a blocking thread, while the body is being sent.

use super::candidate::Candidate;
use super::chooser::AdaptiveChooser;
use super::terms::Measured;
use crate::compression::{CompressError, Compressor};
use crate::{Clock, TransportContext};
use bytes::Bytes;
use otlp_protocol::{BufferPool, Charge, Payload};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A probe that is under way. Dropping it without measurements gives it up.
pub(super) struct Probe {
    chooser: Arc<Mutex<AdaptiveChooser>>,
    class: usize,
    candidates: [Candidate; 2],
    sample: Payload,
    clock: Arc<dyn Clock>,
    buffers: BufferPool,
    /// Of the body, and of what is made of it.
    _charge: Charge,
    is_over: bool,
}

// === impl Probe ===

impl Probe {
    /// Makes the probe of two candidates; `None` if the memory budget has no room.
    pub(super) fn new(
        chooser: &Arc<Mutex<AdaptiveChooser>>,
        class: usize,
        candidates: [Candidate; 2],
        plain: &Payload,
        context: &TransportContext,
    ) -> Option<Self> {
        let sample = start_of(plain, MAX_SAMPLE_BYTES);
        // The whole body stays in memory; compressed and inflated samples are made one after the other.
        let needed = plain.len() + 3 * sample.len();
        Some(Self {
            chooser: chooser.clone(),
            class,
            candidates,
            _charge: context.budget.try_charge(needed as u64).ok()?,
            sample,
            clock: context.clock.clone(),
            buffers: context.buffers.clone(),
            is_over: false,
        })
    }

    /// Measures, which takes milliseconds for large bodies.
    pub(super) fn run(mut self) {
        let [used, other] = self.candidates.map(|candidate| self.measure(candidate));
        if let (Some(used), Some(other)) = (used, other) {
            self.is_over = true;
            self.chooser.lock().probed(self.class, self.sample.len(), &used, &other);
        }
    }

    /// Returns the fastest of some runs: the first run finds cold caches.
    fn measure(&self, candidate: Candidate) -> Option<Measured> {
        let (Some(codec), Some(compressor)) = (candidate.codec(), candidate.compressor()) else {
            return Some(Measured::plain(self.sample.len()));
        };
        let mut fastest =
            Measured { candidate, wire_len: 0, compress: Duration::MAX, decompress: Duration::MAX };
        for _ in 0..if self.sample.len() < SMALL_BYTES { RUNS } else { 1 } {
            let start = self.clock.now();
            let wire = compress(compressor, &self.sample, &self.buffers).ok()?;
            fastest.compress = fastest.compress.min(self.since(start));
            let start = self.clock.now();
            codec.decompress(&wire, self.sample.len(), &mut Charge::none(), &self.buffers).ok()?;
            fastest.decompress = fastest.decompress.min(self.since(start));
            fastest.wire_len = wire.len();
        }
        Some(fastest)
    }

    fn since(&self, start: Instant) -> Duration {
        self.clock.now().saturating_duration_since(start)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if !self.is_over {
            self.chooser.lock().probe_given_up();
        }
    }
}

/// Compresses as requests of that size are compressed.
fn compress(
    compressor: &dyn Compressor,
    plain: &Payload,
    buffers: &BufferPool,
) -> Result<Bytes, CompressError> {
    if plain.len() < compressor.quick_bytes() {
        return compressor.compress(plain, buffers);
    }
    let mut compressor = compressor.piecewise(plain.len());
    plain.segments().try_for_each(|segment| compressor.push(segment))?;
    compressor.finish()
}

/// The first bytes of a body, without a copy.
fn start_of(plain: &Payload, max_bytes: usize) -> Payload {
    let mut left = max_bytes;
    let start = plain.segments().map_while(|segment| {
        let part = segment.slice(..segment.len().min(left));
        left -= part.len();
        (!part.is_empty()).then_some(part)
    });
    start.collect()
}

/// Of larger bodies the start is measured.
const MAX_SAMPLE_BYTES: usize = 1 << 20;
/// Below this size the runs that warm up take longer than the others.
const SMALL_BYTES: usize = 64 << 10;
const RUNS: usize = 3;
