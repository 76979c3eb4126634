//! Adaptive compression: each body is compressed by the candidate that has served bodies of its size best, for one
//! destination.
//!
//! `chooser` decides, without I/O and without a clock. `class` has what is known of bodies of one size, `terms` what a score
//! is made of, `probe` measures, `budget` says when.

mod budget;
mod candidate;
mod chooser;
mod class;
mod config;
mod probe;
mod stats;
mod terms;

pub use config::AdaptiveCompressionConfig;
pub use stats::AdaptiveStats;

use super::{CompressError, compress};
use crate::{ConfigError, TransportContext, counter};
use candidate::Candidate;
use chooser::{AdaptiveChooser, Choice};
use otlp_protocol::Payload;
use parking_lot::Mutex;
use probe::Probe;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// Compresses bodies for one destination by the encoding and level that score best: 0.4 · ratio + 0.3 · speed + 0.3 · speed
/// of decompression, each divided by the best candidate's. The weights are [configurable](AdaptiveCompressionConfig).
///
/// The candidates are no compression, gzip 1 and 6, zstd 1 and 3, brotli 3 and 5, as far as they are compiled in and the
/// destination has not refused them. Bodies are told apart by their size, in powers of four. One body in 64 is a probe: a
/// blocking thread compresses it with the candidate in use and with another, and inflates both; its memory is charged to the
/// budget. When the traffic changes, probes that were saved up are made at once.
///
/// [`GrpcClient`](crate::GrpcClient) and [`HttpClient`](crate::HttpClient) use it for
/// [`Compression::Adaptive`](crate::Compression::Adaptive). A client of another protocol:
///
/// ```
/// use otlp_protocol::Payload;
/// use otlp_transport::{AdaptiveCompressionConfig, AdaptiveCompressor, TransportContext};
/// use std::time::Duration;
///
/// # #[cfg(feature = "gzip")] {
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let context = TransportContext::tcp(64 << 20);
/// let compressor = AdaptiveCompressor::new(&context, &AdaptiveCompressionConfig::default()).unwrap();
/// let body = compressor.compress(&Payload::from(b"checked out ".repeat(500))).await.unwrap();
/// // Send body.payload(), with body.encoding() in its content-encoding; then tell how long that took:
/// compressor.accepted(&body, Duration::from_millis(3));
/// // or, if the server does not know the encoding, and compress anew:
/// compressor.refused(&body);
/// let body = compressor.compress(&Payload::from(b"checked out ".repeat(500))).await.unwrap();
/// assert_ne!(body.encoding(), Some("gzip"));
/// # });
/// # }
/// ```
#[derive(Clone)]
pub struct AdaptiveCompressor {
    chooser: Arc<Mutex<AdaptiveChooser>>,
    context: TransportContext,
    stats: Arc<AdaptiveStats>,
}

/// A body compressed by an [`AdaptiveCompressor`].
#[derive(Clone, Debug)]
pub struct AdaptiveBody {
    payload: Payload,
    sent: Sent,
}

/// Choice and lengths of a body, which are told to the compressor after an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    choice: Choice,
    plain_len: usize,
    wire_len: usize,
}

// === impl AdaptiveCompressor ===

impl AdaptiveCompressor {
    /// Makes the compressor of one destination.
    ///
    /// # Errors
    /// If a weight is invalid, or none of gzip, zstd and brotli is compiled in.
    pub fn new(context: &TransportContext, config: &AdaptiveCompressionConfig) -> Result<Self, ConfigError> {
        Self::counted(context, config, Arc::default())
    }

    /// Makes a compressor that counts in `stats`.
    pub(crate) fn counted(
        context: &TransportContext,
        config: &AdaptiveCompressionConfig,
        stats: Arc<AdaptiveStats>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let is_compiled_in =
            |candidate: Candidate| candidate == Candidate::Plain || candidate.compressor().is_some();
        let compiled_in = Candidate::ALL.map(is_compiled_in);
        if compiled_in.iter().filter(|is_compiled_in| **is_compiled_in).count() < 2 {
            let problem =
                "adaptive has no encoding to choose: build with the feature `gzip`, `zstd` or `brotli`";
            return Err(ConfigError::new("compression", problem));
        }
        let chooser = Arc::new(Mutex::new(AdaptiveChooser::new(config.clone(), compiled_in)));
        Ok(Self { chooser, context: context.clone(), stats })
    }

    /// Compresses a body. A large body is compressed in pieces, and other tasks run between pieces.
    ///
    /// # Errors
    /// [`CompressError`] if a compression library refuses; the body cannot cause that.
    pub async fn compress(&self, plain: &Payload) -> Result<AdaptiveBody, CompressError> {
        let choice = self.chooser.lock().choose(plain.len(), self.context.clock.now());
        if let Some(other) = choice.probe {
            self.probe(&choice, other, plain);
        }
        let payload = match choice.candidate.compressor() {
            Some(compressor) => compress(compressor, plain, &self.context.buffers).await?.into(),
            None => plain.clone(),
        };
        let sent = Sent { choice, plain_len: plain.len(), wire_len: payload.len() };
        self.stats.count(&choice, sent.plain_len, sent.wire_len);
        Ok(AdaptiveBody { payload, sent })
    }

    /// Tells that the destination has accepted a body, and the duration of the attempt without compression.
    pub fn accepted(&self, body: &AdaptiveBody, attempt: Duration) {
        self.was_accepted(&body.sent, attempt);
    }

    /// Tells that the destination does not know the encoding of a body. The encoding is not used for an hour.
    pub fn refused(&self, body: &AdaptiveBody) {
        self.was_refused(&body.sent);
    }

    /// Returns the counters.
    pub fn stats(&self) -> &Arc<AdaptiveStats> {
        &self.stats
    }

    pub(crate) fn was_accepted(&self, sent: &Sent, attempt: Duration) {
        self.chooser.lock().accepted(&sent.choice, sent.plain_len, sent.wire_len, attempt);
    }

    pub(crate) fn was_refused(&self, sent: &Sent) {
        counter::count(&self.stats.refused_encodings);
        let is_new = self.chooser.lock().refused(sent.choice.candidate, self.context.clock.now());
        if is_new && let Some(encoding) = sent.encoding() {
            tracing::info!(
                encoding,
                "the destination refuses a content encoding, which is not used for an hour"
            );
        }
    }

    /// True if the destination has accepted a body of this encoding.
    pub(crate) fn is_taken(&self, sent: &Sent) -> bool {
        self.chooser.lock().is_taken(sent.choice.candidate)
    }

    /// Starts a probe on a blocking thread.
    fn probe(&self, choice: &Choice, other: Candidate, plain: &Payload) {
        let candidates = [choice.candidate, other];
        let probe = Probe::new(&self.chooser, choice.class, candidates, plain, &self.context);
        match (probe, Handle::try_current()) {
            (Some(probe), Ok(runtime)) => {
                counter::count(&self.stats.probes);
                runtime.spawn_blocking(move || probe.run());
            }
            (None, _) => {
                counter::count(&self.stats.skipped_probes);
                self.chooser.lock().probe_given_up();
            }
            // Dropping a probe gives it up.
            (Some(_), Err(_)) => counter::count(&self.stats.skipped_probes),
        }
    }
}

impl fmt::Debug for AdaptiveCompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveCompressor").field("stats", &self.stats).finish_non_exhaustive()
    }
}

// === impl AdaptiveBody ===

impl AdaptiveBody {
    /// Returns the body as it is sent.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// Returns the encoding, for `content-encoding` or `grpc-encoding`; `None` if the body is not compressed.
    pub fn encoding(&self) -> Option<&'static str> {
        self.sent.encoding()
    }

    pub(crate) fn into_parts(self) -> (Payload, Sent) {
        (self.payload, self.sent)
    }
}

// === impl Sent ===

impl Sent {
    pub(crate) fn encoding(&self) -> Option<&'static str> {
        self.choice.candidate.encoding()
    }
}
