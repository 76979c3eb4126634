//! An entry as a line of OTLP/JSON: a request with this entry, its resource and its scope.

use super::entry::ShownEntry;
use super::text::{is_unsafe, put};
use otlp_protocol::Signal;
use otlp_protocol::json::from_protobuf;
use otlp_protocol::view::{Dictionary, Pieces};
use otlp_protocol::wire::put_len_delimited;

/// Appends the line and returns true; appends nothing and returns false if the line is longer than `max_bytes`.
pub(super) fn put_line(
    out: &mut String,
    signal: Signal,
    dictionary: Dictionary<'_>,
    entry: &ShownEntry<'_>,
    max_bytes: usize,
) -> bool {
    let pieces = entry.resource.pieces().chain(entry.scope.pieces());
    let pieces = pieces.chain(dictionary.pieces()).chain([entry.data.as_bytes()]);
    if pieces.map(<[u8]>::len).sum::<usize>() > max_bytes {
        // JSON is longer than protobuf.
        return false;
    }
    let mut line = Vec::new();
    if from_protobuf(signal.request, &request(dictionary, entry), max_bytes, &mut line).is_err() {
        return false;
    }
    let Ok(line) = String::from_utf8(line) else { return false };
    for c in line.chars() {
        // These characters are in strings only. Their codes have four hex digits.
        if is_unsafe(c) {
            put(out, format_args!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    true
}

/// Encodes a request with this entry alone.
fn request(dictionary: Dictionary<'_>, entry: &ShownEntry<'_>) -> Vec<u8> {
    let (mut scope, mut group, mut request) = (Vec::new(), Vec::new(), Vec::new());
    put_pieces(&mut scope, 1, entry.scope.pieces());
    put_len_delimited(&mut scope, 2, entry.data.as_bytes());
    put_text(&mut scope, 3, entry.scope_schema);
    put_pieces(&mut group, 1, entry.resource.pieces());
    put_len_delimited(&mut group, 2, &scope);
    put_text(&mut group, 3, entry.resource_schema);
    put_len_delimited(&mut request, 1, &group);
    put_pieces(&mut request, 2, dictionary.pieces());
    request
}

fn put_pieces(out: &mut Vec<u8>, number: u32, pieces: Pieces<'_>) {
    pieces.filter(|piece| !piece.is_empty()).for_each(|piece| put_len_delimited(out, number, piece));
}

fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    if !text.is_empty() {
        put_len_delimited(out, number, text.as_bytes());
    }
}
