//! Says what an encoded request holds and where it would be cut:
//! `cargo run -p otlp-protocol --example inspect -- traces request.bin 1000`, or `… traces hex:0a021200`.

use otlp_protocol::{Body, Signal, SplitLimits, ValidateLimits, split};
use std::error::Error;
use std::io::Write as _;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(signal), Some(source)) = (arguments.next(), arguments.next()) else {
        return Err(
            "usage: inspect traces|metrics|logs|profiles <file>|hex:<digits> [max items a part]".into()
        );
    };
    let signal = Signal::by_name(&signal).ok_or("there is no such signal")?;
    let body = match source.strip_prefix("hex:") {
        Some(digits) => unhex(digits)?,
        None => std::fs::read(source)?,
    };
    let max_items = arguments.next().map(|number| number.parse()).transpose()?;

    let body = Body::check(signal, body, &ValidateLimits::default())?;
    let mut out = std::io::stdout().lock();
    let (items, noun) = (body.count().items, signal.items_noun);
    writeln!(out, "{items} {noun}, {} bytes, mergeable: {}", body.len(), body.is_mergeable())?;

    let limits = SplitLimits { max_items, max_bytes: None };
    for part in split(&body, limits) {
        writeln!(
            out,
            "part: {} {noun}, {} bytes, {} segments",
            part.count().items,
            part.len(),
            part.plain().segments().count()
        )?;
    }
    Ok(())
}

fn unhex(digits: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}
