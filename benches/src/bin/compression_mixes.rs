//! Records what compression does to three mixes of traffic, for the tests of adaptive compression: each line of the output
//! is one request, with its size and, for each candidate, compressed size, and the fastest of several compressions and
//! decompressions in nanoseconds.
//!
//! ```sh
//! cargo run --release -p otlp-benches --bin compression_mixes -- otlp-transport/src/compression/adaptive/mixes
//! ```
//!
//! In each mix the traffic shifts once. `shop`: traces of web services become logs with random tokens. `fleet`: repetitive
//! metrics become traces with large random payloads. `media`: records with content that is compressed already become small
//! and large requests of all kinds.

use otlp_protocol::encode::{LogRecords, Metrics, Spans};
use otlp_protocol::{Body, BufferPool, Charge, Payload, SpanKind};
use otlp_transport::{Codec, codec};
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: compression_mixes FOLDER")?;
    let mut random = Random(42);
    type Make = fn(&mut Random) -> Vec<u8>;
    let mixes: [(&str, [&[Make]; 2]); 3] = [
        ("shop", [&[|random| traces(random, 40..400, 0)], &[|random| logs(random, 60..700, 400)]]),
        ("fleet", [&[|random| metrics(random, 100..500)], &[|random| traces(random, 40..160, 900)]]),
        (
            "media",
            [
                &[|random| frames(random, 2..90)],
                &[
                    |random| traces(random, 5..250, 0),
                    |random| logs(random, 10..400, 20),
                    |random| metrics(random, 10..150),
                ],
            ],
        ),
    ];
    for (name, phases) in mixes {
        let mut lines = String::from("phase,plain");
        for (encoding, level) in CANDIDATES {
            write!(lines, ",{encoding}-{level},compress,decompress")?;
        }
        lines.push('\n');
        for (phase, makers) in phases.iter().enumerate() {
            for number in 0..REQUESTS {
                let plain = makers[number % makers.len()](&mut random);
                write!(lines, "{phase},{}", plain.len())?;
                for (encoding, level) in CANDIDATES {
                    let (wire, compress, decompress) = measure(encoding, level, &plain)?;
                    write!(lines, ",{wire},{compress},{decompress}")?;
                }
                lines.push('\n');
            }
        }
        std::fs::write(Path::new(&folder).join(name).with_extension("csv"), lines)?;
    }
    Ok(())
}

/// Compressed size, and nanoseconds of compression and decompression.
#[expect(clippy::disallowed_methods, reason = "it measures real time")]
fn measure(encoding: &str, level: u32, plain: &[u8]) -> Result<(usize, u128, u128), Box<dyn Error>> {
    let codec = codec(encoding).ok_or("an encoding is not compiled in")?;
    let compressor = codec.compressor_at(level).ok_or("a level is not offered")?;
    let (buffers, payload) = (BufferPool::new(4), Payload::from(plain.to_vec()));
    let (mut wire_len, mut compress, mut decompress) = (0, u128::MAX, u128::MAX);
    for _ in 0..RUNS {
        let start = Instant::now();
        let wire = compressor.compress(&payload, &buffers)?;
        compress = compress.min(start.elapsed().as_nanos());
        decompress = decompress.min(decompression(codec, &wire, plain, &buffers)?);
        wire_len = wire.len();
    }
    Ok((wire_len, compress, decompress))
}

#[expect(clippy::disallowed_methods, reason = "it measures real time")]
fn decompression(
    codec: &dyn Codec,
    wire: &[u8],
    plain: &[u8],
    buffers: &BufferPool,
) -> Result<u128, Box<dyn Error>> {
    let start = Instant::now();
    let inflated = codec.decompress(wire, plain.len(), &mut Charge::none(), buffers)?;
    let took = start.elapsed().as_nanos();
    if inflated == plain { Ok(took) } else { Err("the body came back changed".into()) }
}

/// Spans of a web service with database calls, and `noise` random bytes as text in every span.
fn traces(random: &mut Random, spans: std::ops::Range<u64>, noise: u64) -> Vec<u8> {
    let spans = random.of(spans);
    let body = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.resource(|resource| {
                resource
                    .attribute("service.name", SERVICES[random.below(5)])
                    .attribute("service.version", "2.18.0");
                resource.attribute("host.name", format!("node-{}", random.of(0..40)).as_str());
            });
            group.scope_group(|scope| {
                let mut trace = random.id();
                for number in 0..spans {
                    if number % 9 == 0 {
                        trace = random.id();
                    }
                    let (start, route) =
                        (START + number * 1_700_000 + random.of(0..900_000), random.below(6));
                    scope.span(|span| {
                        span.trace_id(&trace).span_id(&random.short_id()).parent_span_id(&random.short_id());
                        span.name(ROUTES[route]).kind(SpanKind::Server);
                        span.start_time_unix_nano(start);
                        span.end_time_unix_nano(start + random.of(200_000..90_000_000));
                        span.attribute("http.request.method", "GET").attribute("http.route", ROUTES[route]);
                        span.attribute("url.path", format!("/customers/{}", random.of(0..99_999)).as_str());
                        span.attribute("http.response.status_code", if number % 17 == 0 { 500 } else { 200 });
                        span.attribute("db.system", "postgresql")
                            .attribute("thread.id", random.of(1..64) as i64);
                        if noise > 0 {
                            span.attribute("payload", random.token(noise).as_str());
                        }
                    });
                }
            });
        });
    });
    body.plain().to_contiguous().to_vec()
}

/// Log records with texts of a few patterns, and `noise` random bytes as text in every record.
fn logs(random: &mut Random, records: std::ops::Range<u64>, noise: u64) -> Vec<u8> {
    let records = random.of(records);
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.resource(|resource| {
                resource.attribute("service.name", SERVICES[random.below(5)]);
            });
            group.scope_group(|scope| {
                for number in 0..records {
                    scope.log_record(|record| {
                        let (order, took) = (random.of(0..9_999_999), random.of(1..2000));
                        record
                            .time_unix_nano(START + number * 310_000 + random.of(0..90_000))
                            .severity_text("INFO");
                        record.body(format!("order {order} for customer checked out in {took} ms").as_str());
                        record.attribute("session", random.token(noise).as_str());
                    });
                }
            });
        });
    });
    body.plain().to_contiguous().to_vec()
}

/// Log records with content that is compressed already.
fn frames(random: &mut Random, records: std::ops::Range<u64>) -> Vec<u8> {
    let records = random.of(records);
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                for number in 0..records {
                    scope.log_record(|record| {
                        record.time_unix_nano(START + number).severity_text("INFO");
                        record.attribute("frame", [(); 640].map(|()| random.next() as u8));
                    });
                }
            });
        });
    });
    body.plain().to_contiguous().to_vec()
}

/// Sums of a fleet of hosts that differ in few bytes.
fn metrics(random: &mut Random, metrics: std::ops::Range<u64>) -> Vec<u8> {
    let metrics = random.of(metrics);
    let body = Body::write::<Metrics>(|request| {
        request.resource_group(|group| {
            group.resource(|resource| {
                resource.attribute("host.name", format!("node-{}", random.of(0..40)).as_str());
            });
            group.scope_group(|scope| {
                for number in 0..metrics {
                    scope.metric(|metric| {
                        metric.name(NAMES[number as usize % 5]).unit("By").sum(|sum| {
                            for cpu in 0..4 {
                                sum.point(|point| {
                                    point.attribute("cpu", cpu).attribute("state", STATES[random.below(4)]);
                                    point.start_time_unix_nano(START).time_unix_nano(START + 60_000_000_000);
                                    point.int(random.of(0..1_000_000) as i64);
                                });
                            }
                        })
                    });
                }
            });
        });
    });
    body.plain().to_contiguous().to_vec()
}

/// SplitMix64: the same traffic at each run.
struct Random(u64);

// === impl Random ===

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn of(&mut self, range: std::ops::Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    fn below(&mut self, end: u64) -> usize {
        self.of(0..end) as usize
    }

    fn short_id(&mut self) -> [u8; 8] {
        self.next().to_be_bytes()
    }

    fn id(&mut self) -> [u8; 16] {
        u128::from(self.next()).wrapping_mul(u128::MAX / 59).to_be_bytes()
    }

    /// Random characters of six bits each.
    fn token(&mut self, len: u64) -> String {
        (0..len).map(|_| char::from(ALPHABET[self.below(64)])).collect()
    }
}

/// As `ALL` in `otlp-transport/src/compression/adaptive/candidate.rs`.
const CANDIDATES: [(&str, u32); 6] =
    [("gzip", 1), ("gzip", 6), ("zstd", 1), ("zstd", 3), ("br", 3), ("br", 5)];
/// Requests of each phase.
const REQUESTS: usize = 40;
const RUNS: usize = 9;
const START: u64 = 1_753_000_000_000_000_000;
const SERVICES: [&str; 5] = ["cart", "checkout", "payment", "shipping", "frontend"];
const ROUTES: [&str; 6] =
    ["/cart", "/checkout", "/customers/{id}", "/orders/{id}/items", "/products", "/products/{id}/reviews"];
const NAMES: [&str; 5] =
    ["system.cpu.time", "system.memory.usage", "system.disk.io", "system.network.io", "process.memory.usage"];
const STATES: [&str; 4] = ["user", "system", "idle", "wait"];
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
