//! The text of any bytes.

use otlp_service::{DebugConfig, DebugFormat};

/// Any bytes are shown in every format without a panic, in bounded text without a character that a terminal obeys.
pub fn show(data: &[u8]) {
    let Some((signal, body)) = super::signal(data) else { return };
    // What the signal leaves of the first byte.
    let choice = data.first().map_or(0, |first| first >> 2);
    let mut config = DebugConfig::default();
    config.format = FORMATS[usize::from(choice & 0x0f) % FORMATS.len()];
    config.grep = (choice & 0x10 != 0).then(|| "0102030405060708".to_owned());
    config.service = (choice & 0x20 != 0).then(|| "checkout".to_owned());
    let text = config.text(signal, body);
    assert!(text.len() < MAX_TEXT, "{} bytes of {}", text.len(), body.len());
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    let lines = text.lines().count();
    let is_a_line_an_entry = config.format == DebugFormat::Json || config.format == DebugFormat::Lines;
    // A data point takes two bytes at least.
    assert!(!is_a_line_an_entry || lines <= body.len() + 1, "{lines} lines of {}", body.len());
}

const FORMATS: [DebugFormat; 5] =
    [DebugFormat::Basic, DebugFormat::Normal, DebugFormat::Detailed, DebugFormat::Lines, DebugFormat::Json];

/// A batch's text ends soon after 256 KiB.
const MAX_TEXT: usize = 1 << 20;
