//! A program that records the same traces, metrics and logs with the official Rust SDK and with the client of otlp-service:
//! `same LIBRARY PROGRAM`. The variables `OTEL_…` say what both send with.

mod client;
mod error;
mod measured;
mod measured_official;
mod official;
mod traced;

use std::env;
use std::error::Error;

pub type Outcome = Result<(), Box<dyn Error>>;

/// The context of a request from another process.
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACESTATE: &str = "rojo=00f067aa0ba902b7";
/// The same of a request that is not sampled.
const NOT_SAMPLED: &str = "00-1af7651916cd43dd8448eb211c80319c-c7ad6b7169203331-00";

/// A time that the program sets, in seconds since 1970.
const SET_TIME: u64 = 1_700_000_000;

fn main() -> Outcome {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["client", "by-hand"] => client::run(),
        ["client", "delta"] => measured::run(),
        ["client", "tracing"] => traced::run_layer(),
        ["subscriber", "tracing"] => traced::run_subscriber(),
        ["official", program] => {
            // The gRPC exporter needs a runtime around it when it is made and while it sends.
            let runtime = tokio::runtime::Runtime::new()?;
            let _entered = runtime.enter();
            match *program {
                "by-hand" => official::run(),
                "delta" => measured_official::run(),
                "tracing" => traced::run_official(),
                other => Err(format!("no program {other}").into()),
            }
        }
        other => Err(format!("no library and program {other:?}").into()),
    }
}
