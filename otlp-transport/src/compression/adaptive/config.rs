//! Settings of adaptive compression.

use crate::ConfigError;

/// Weights of adaptive compression, [`Compression::Adaptive`](crate::Compression::Adaptive). A candidate's score is the
/// weighted mean of three terms, each divided by the best candidate's. Only the proportions of the weights matter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AdaptiveCompressionConfig {
    /// Weight of the compression ratio. Default 0.4.
    pub ratio_weight: f64,
    /// Weight of the speed of compression. Default 0.3.
    pub speed_weight: f64,
    /// Weight of the speed of decompression at the destination. Default 0.3.
    pub decompress_weight: f64,
}

// === impl AdaptiveCompressionConfig ===

impl AdaptiveCompressionConfig {
    /// # Errors
    /// If a weight is negative or no number, or all are zero.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let weights = [
            ("adaptive_compression.ratio_weight", self.ratio_weight),
            ("adaptive_compression.speed_weight", self.speed_weight),
            ("adaptive_compression.decompress_weight", self.decompress_weight),
        ];
        for (key, weight) in weights {
            if !(0.0..=MAX_WEIGHT).contains(&weight) {
                let problem = format!("a weight is a number from 0 to {MAX_WEIGHT}");
                return Err(ConfigError::new(key, problem).with_value(weight.to_string()));
            }
        }
        if weights.iter().all(|&(_, weight)| weight == 0.0) {
            let problem = "all weights are 0: give at least one a value, such as ratio_weight 1";
            return Err(ConfigError::new("adaptive_compression", problem));
        }
        Ok(())
    }
}

impl Default for AdaptiveCompressionConfig {
    fn default() -> Self {
        Self { ratio_weight: 0.4, speed_weight: 0.3, decompress_weight: 0.3 }
    }
}

const MAX_WEIGHT: f64 = 1000.0;
