//! Replacement of identifiers in the paths of URLs, as in the Collector, which uses Grafana's library clusterurl.

mod letters;

use super::config::UrlSanitizerConfig;
use letters::{LETTERS, PAIRS, THRESHOLD};
use std::collections::HashSet;

/// Sanitizes URLs.
#[derive(Debug)]
pub(super) struct UrlSanitizer {
    attributes: HashSet<Box<str>>,
    sanitizes_names: bool,
}

/// A path that is rewritten in place: `written` bytes of the result, then the bytes of the current segment.
struct Rewrite {
    bytes: Vec<u8>,
    written: usize,
    /// End of the current segment, as copied behind the result.
    end: usize,
    /// The segment has characters of identifiers.
    is_replaced: bool,
    /// One such character may be the second of a segment: `v1`.
    has_grace: bool,
}

// === impl UrlSanitizer ===

impl UrlSanitizer {
    pub(super) fn new(config: &UrlSanitizerConfig) -> Self {
        Self {
            attributes: config.attributes.iter().map(|key| key.as_str().into()).collect(),
            sanitizes_names: config.sanitize_span_name.unwrap_or(true),
        }
    }

    pub(super) fn has_attribute(&self, key: &str) -> bool {
        self.attributes.contains(key)
    }

    pub(super) fn sanitizes_names(&self) -> bool {
        self.sanitizes_names
    }

    /// Replaces segments that are no words by `*`, and cuts off query and fragment. Anything behind the tenth slash is cut off.
    pub(super) fn sanitize(&self, url: &str) -> String {
        let mut rewrite = Rewrite {
            bytes: url.as_bytes().to_vec(),
            written: 0,
            end: 0,
            is_replaced: false,
            has_grace: true,
        };
        let mut segments = 0;
        for &byte in url.as_bytes() {
            if matches!(byte, b'?' | b'&' | b'#') {
                if rewrite.is_replaced {
                    rewrite.put(b'*');
                } else if rewrite.end > rewrite.written {
                    rewrite.written = rewrite.end;
                }
                rewrite.bytes.truncate(rewrite.written);
                break;
            }
            if byte != b'/' {
                rewrite.add(byte);
                continue;
            }
            segments += 1;
            rewrite.end_segment();
            if segments >= MAX_SEGMENTS {
                break;
            }
            rewrite.put(byte);
            rewrite.end = rewrite.written;
            (rewrite.is_replaced, rewrite.has_grace) = (false, true);
        }
        rewrite.finish()
    }
}

// === impl Rewrite ===

impl Rewrite {
    fn put(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.written) {
            *place = byte;
            self.written += 1;
        }
    }

    /// Adds a byte to the segment.
    fn add(&mut self, byte: u8) {
        if self.is_replaced {
            return;
        }
        if let Some(place) = self.bytes.get_mut(self.end) {
            *place = byte;
        }
        self.end += 1;
        if byte.is_ascii_alphabetic() || b"-_. ".contains(&byte) {
            return;
        }
        if self.has_grace && self.end - self.written == 2 {
            self.has_grace = false;
        } else {
            self.is_replaced = true;
        }
    }

    fn end_segment(&mut self) {
        if self.is_replaced {
            self.put(b'*');
        } else if self.end > self.written {
            match self.bytes.get(self.written..self.end).is_some_and(is_word) {
                true => self.written = self.end,
                false => self.put(b'*'),
            }
        }
    }

    fn finish(mut self) -> String {
        if !self.bytes.is_empty() {
            self.end_segment();
        }
        self.bytes.truncate(self.written);
        String::from_utf8(self.bytes).unwrap_or_default()
    }
}

/// True if the pairs of letters of a segment are as frequent as in English.
fn is_word(segment: &[u8]) -> bool {
    let letters = segment.iter().filter_map(|byte| {
        let letter = byte.to_ascii_lowercase();
        LETTERS.iter().position(|known| *known == letter)
    });
    let (mut sum, mut pairs, mut row) = (0.0, 0.0_f64, None::<&[f64; 27]>);
    for letter in letters {
        if let Some(row) = row {
            sum += row.get(letter).copied().unwrap_or_default();
            pairs += 1.0;
        }
        row = PAIRS.get(letter);
    }
    f64::exp(sum / pairs.max(1.0)) > THRESHOLD
}

const MAX_SEGMENTS: usize = 10;
