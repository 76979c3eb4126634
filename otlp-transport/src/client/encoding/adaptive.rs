//! Requests whose encoding is chosen adaptively: what the destination refuses is sent again at once in another encoding.

use super::{Encoded, Encoder, not_compressed};
use crate::compression::Sent;
use crate::{AdaptiveCompressor, Clock, ExportError, ExportResult};
use otlp_protocol::{Batch, ErrorKind, Retry};

impl Encoder {
    /// Sends a request. Each further attempt follows a refusal for good, so the destination takes the request once.
    pub(super) async fn send_adaptively<F: Future<Output = ExportResult> + Send>(
        &self,
        compressor: &AdaptiveCompressor,
        batch: &Batch,
        clock: &dyn Clock,
        send: impl Fn(Encoded) -> F + Send + Sync,
    ) -> ExportResult {
        let (plain, room) = self.plain(batch).await?;
        for _ in 0..MAX_RESENDS {
            let (payload, sent) = compressor.compress(&plain).await.map_err(not_compressed)?.into_parts();
            let chosen = sent.encoding();
            let encoded = Encoded { payload, room: None, is_compressed: chosen.is_some(), chosen };
            let start = clock.now();
            let result = send(encoded).await;
            let Err(error) = &result else {
                compressor.was_accepted(&sent, clock.now().saturating_duration_since(start));
                return result;
            };
            match doubt(compressor, &sent, error) {
                Doubt::None => return result,
                Doubt::Refused => compressor.was_refused(&sent),
                Doubt::Suspected => {
                    let result = send(Encoded::plain(plain, room)).await;
                    if result.is_ok() {
                        compressor.was_refused(&sent);
                    }
                    return result;
                }
            }
        }
        send(Encoded::plain(plain, room)).await
    }
}

/// Judgement of the encoding of a request that failed.
enum Doubt {
    None,
    /// The destination may not know the encoding, but does not say so.
    Suspected,
    Refused,
}

/// Judges a failed request. Destinations that do not know an encoding answer 415 or UNIMPLEMENTED, or 400 with a text like
/// the Collector's `unsupported Content-Encoding: br`. Some only find that the body is no protobuf: any refusal for good of
/// an encoding that they have never accepted, or a 415, is tried again without compression.
fn doubt(compressor: &AdaptiveCompressor, sent: &Sent, error: &ExportError) -> Doubt {
    let may_be_encoding = match error.kind() {
        ErrorKind::UnsupportedEncoding => return Doubt::Refused,
        ErrorKind::InvalidData
        | ErrorKind::Internal
        | ErrorKind::Unimplemented
        | ErrorKind::UnsupportedMediaType => error.retry() == Retry::Never,
        _ => false,
    };
    if !may_be_encoding || sent.encoding().is_none() {
        return Doubt::None;
    }
    let message = error.message().to_ascii_lowercase();
    if ENCODING_WORDS.iter().any(|word| message.contains(word)) {
        return Doubt::Refused;
    }
    if error.kind() == ErrorKind::UnsupportedMediaType || !compressor.is_taken(sent) {
        return Doubt::Suspected;
    }
    Doubt::None
}

/// One for each encoding that may be refused.
const MAX_RESENDS: usize = 3;
/// Words in the texts of servers that do not know an encoding.
const ENCODING_WORDS: [&str; 5] =
    ["content-encoding", "content encoding", "grpc-encoding", "decompressor", "compress"];
