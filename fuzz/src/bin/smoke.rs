//! Feeds every target mutations of the fixtures for so many seconds each (the first argument, 5 by default). A second
//! argument runs that target alone.
#![expect(clippy::disallowed_methods, reason = "runs for a time")]

use otlp_fuzz::TARGETS;
use std::path::Path;
use std::time::{Duration, Instant};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().map_or(5, |seconds| seconds.parse().expect("a number of seconds"));
    let only = arguments.next();
    let seeds = seeds();
    for (name, target) in TARGETS {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut random = Random(0);
        let mut runs = 0u64;
        while Instant::now() < end {
            let input = random.input(&seeds);
            if std::panic::catch_unwind(|| target(&input)).is_err() {
                let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
                eprintln!("{name} failed on {hex}");
                std::process::exit(1);
            }
            runs += 1;
        }
        println!("{name}: {runs} inputs");
    }
}

/// The valid fixtures, and the malformed ones that are small.
fn seeds() -> Vec<Vec<u8>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../otlp-protocol/tests/fixtures");
    let mut seeds = Vec::new();
    for directory in ["valid", "malformed", "responses"] {
        let entries = std::fs::read_dir(fixtures.join(directory)).expect("the fixtures");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("a directory entry").path()).collect();
        paths.sort();
        let bodies = paths.into_iter().map(|path| std::fs::read(path).expect("a fixture"));
        seeds.extend(bodies.filter(|body| body.len() < 8192));
    }
    seeds
}

/// SplitMix64: the same inputs in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// Up to three bytes that choose how a target runs, then a seed with a few mutations.
    fn input(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input: Vec<u8> = (0..1 + 2 * self.below(2)).map(|_| self.next() as u8).collect();
        input.extend_from_slice(&seeds[self.below(seeds.len())]);
        for _ in 0..self.below(6) {
            let at = self.below(input.len());
            match self.below(5) {
                0 => input.truncate(at),
                1 => input.insert(at, self.next() as u8),
                2 => {
                    let end = at + self.below(input.len() - at).min(64);
                    let run = input[at..end].to_vec();
                    input.splice(at..at, run);
                }
                3 => {
                    let end = at + self.below(input.len() - at).min(8);
                    input.drain(at..end);
                }
                _ => {
                    if let Some(byte) = input.get_mut(at) {
                        *byte ^= 1 << self.below(8);
                    }
                }
            }
        }
        input
    }
}
