//! Whatever runs are noted, and whatever is scanned, the text is the same.

use super::{MAX_RUNS, write_noting};
use crate::Signal;
use crate::field::{Field, fields};
use crate::schema::Message;
use crate::wire::put_len_delimited;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % limit.max(1) as u64) as usize
    }
}

/// The fields of a message in another order, some of them twice, and messages in pieces.
fn scatter(random: &mut Random, message: &'static Message, body: &[u8]) -> Vec<u8> {
    let mut pieces = Vec::new();
    for field in fields(body, 0) {
        let whole = body[field.whole.clone()].to_vec();
        let child = message.field(field.number).and_then(|known| known.message()).filter(|_| field.is_len);
        let Some(child) = child else {
            pieces.extend(std::iter::repeat_n(whole, 1 + random.below(2)));
            continue;
        };
        let value = scatter(random, child, field.bytes(body));
        let parts: Vec<Field> = fields(&value, 0).collect();
        let cut = parts.get(random.below(parts.len() + 1)).map_or(0, |part| part.whole.start);
        for piece in [&value[..cut], &value[cut..]] {
            let mut whole = Vec::new();
            put_len_delimited(&mut whole, field.number, piece);
            pieces.push(whole);
        }
    }
    for index in (1..pieces.len()).rev() {
        pieces.swap(index, random.below(index + 1));
    }
    pieces.concat()
}

fn text(signal: Signal, body: &[u8], max_runs: usize) -> (String, u64) {
    let mut out = Vec::new();
    let written = write_noting(signal.request, body, usize::MAX, max_runs, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), written.unknown_fields)
}

#[test]
fn a_scan_writes_what_noted_runs_write() {
    for signal in Signal::ALL {
        for name in ["full", "min"] {
            let path = format!("{}/tests/fixtures/valid/{signal}_{name}.pb", env!("CARGO_MANIFEST_DIR"));
            let body = std::fs::read(path).unwrap();
            for seed in 0..25 {
                let body = scatter(&mut Random(seed), signal.request, &body);
                let expected = text(signal, &body, MAX_RUNS);
                for max_runs in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55] {
                    assert_eq!(text(signal, &body, max_runs), expected, "{signal} {seed} {max_runs}");
                }
            }
        }
    }
}
