//! What a destination's answer says, short enough for an error and a log line.

/// The beginning of a text on one line, for a message: proxies send whole pages.
pub(super) fn excerpt(text: &[u8]) -> String {
    let beginning = String::from_utf8_lossy(&text[..text.len().min(8 * MAX_EXCERPT_CHARS)]);
    let visible =
        beginning.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = visible.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

const MAX_EXCERPT_CHARS: usize = 200;
