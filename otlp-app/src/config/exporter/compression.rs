//! `compression` and `adaptive_compression` of exporters.

use otlp_service::SettingsError;
use otlp_transport::{AdaptiveCompressionConfig, ClientConfig, Compression};
use serde::Deserialize;

/// Content encodings of requests.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ContentEncoding {
    /// gzip.
    #[default]
    Gzip,
    /// Zstandard.
    Zstd,
    /// Brotli, which the Collector does not take.
    #[serde(rename = "br", alias = "brotli")]
    Brotli,
    /// deflate in zlib's framing.
    Zlib,
    /// deflate in zlib's framing, under HTTP's name.
    Deflate,
    /// Snappy.
    Snappy,
    /// Snappy's framing format.
    #[serde(rename = "x-snappy-framed")]
    SnappyFramed,
    /// LZ4's frame format.
    Lz4,
    /// No compression.
    #[serde(alias = "")]
    None,
    /// Chosen for each request.
    Adaptive,
}

/// Weights of `compression: adaptive`, of which only the proportions matter. Not a key of the Collector.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AdaptiveCompression {
    /// Weight of the compression ratio, 0 to 1000. Default 0.4.
    ratio_weight: Option<f64>,
    /// Weight of the speed of compression, 0 to 1000. Default 0.3.
    speed_weight: Option<f64>,
    /// Weight of the speed of decompression at the destination, 0 to 1000. Default 0.3.
    decompress_weight: Option<f64>,
}

/// # Errors
/// If there are weights and nothing to weigh. `at` is the path before the client's keys.
pub(super) fn check_used(config: &ClientConfig, at: &str) -> Result<(), SettingsError> {
    let is_default = config.adaptive_compression == AdaptiveCompressionConfig::default();
    if is_default || config.compression == Compression::Adaptive {
        return Ok(());
    }
    let problem = "it has no effect on a fixed encoding";
    Err(SettingsError::at(format!("{at}adaptive_compression"), problem).help("set `compression: adaptive`"))
}

// === impl AdaptiveCompression ===

impl AdaptiveCompression {
    pub(super) fn config(&self) -> AdaptiveCompressionConfig {
        let mut config = AdaptiveCompressionConfig::default();
        let weights = [
            (&mut config.ratio_weight, self.ratio_weight),
            (&mut config.speed_weight, self.speed_weight),
            (&mut config.decompress_weight, self.decompress_weight),
        ];
        for (weight, given) in weights {
            *weight = given.unwrap_or(*weight);
        }
        config
    }
}

impl From<ContentEncoding> for Compression {
    fn from(encoding: ContentEncoding) -> Self {
        match encoding {
            ContentEncoding::Gzip => Self::Gzip,
            ContentEncoding::Zstd => Self::Zstd,
            ContentEncoding::Brotli => Self::Brotli,
            ContentEncoding::Zlib => Self::Zlib,
            ContentEncoding::Deflate => Self::Deflate,
            ContentEncoding::Snappy => Self::Snappy,
            ContentEncoding::SnappyFramed => Self::SnappyFramed,
            ContentEncoding::Lz4 => Self::Lz4,
            ContentEncoding::None => Self::None,
            ContentEncoding::Adaptive => Self::Adaptive,
        }
    }
}
