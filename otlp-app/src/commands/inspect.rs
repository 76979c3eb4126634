//! `otlp inspect`: says what is in a file of requests, and where a request is broken.

mod excerpt;
mod report;
mod sizes;
mod survey;

use super::input::{Input, is_stdin};
use crate::args::parse_signal;
use crate::exit::Failure;
use clap::Args;
use otlp_protocol::Signal;
use std::io::{Write, stdout};
use std::path::PathBuf;
use survey::Survey;

/// Flags of `otlp inspect`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct InspectArgs {
    /// File to read, `-` for stdin: requests in protobuf or OTLP/JSON, JSON lines, files of the Collector's exporter `file`, a
    /// gRPC message; compressed by gzip or zstd or not. All this is found by the content
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Signal of the requests, if their content does not tell: traces, metrics, logs, profiles
    #[arg(long, value_name = "SIGNAL", value_parser = parse_signal)]
    signal: Option<Signal>,
    /// Also show the bytes of each part of the requests and of each attribute key
    #[arg(long)]
    sizes: bool,
    /// Number of rows of each table: services, parts, attribute keys, problems
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    top: usize,
    /// Print one JSON object with everything
    #[arg(long)]
    json: bool,
}

/// Reads the file, and prints what was found.
pub(crate) fn run(args: &InspectArgs) -> Result<(), Failure> {
    let name = if is_stdin(&args.file) { "stdin".into() } else { args.file.display().to_string() };
    let failure = |problem: String| Failure::Runtime(format!("{name}: {problem}"));
    let input = Input::open(&args.file).map_err(|error| failure(error.to_string()))?;
    let mut survey = Survey::new(input.description());
    for read in input {
        match read {
            Ok(record) => survey.add(&record, args.signal),
            Err(error) => survey.add_problem(error.to_string(), None),
        }
    }
    let text = if args.json {
        report::json(&survey, &name)
    } else {
        report::text(&survey, &name, args.sizes, args.top)
    };
    stdout().lock().write_all(text.as_bytes())?;
    match survey.broken {
        0 => Ok(()),
        broken => Err(failure(format!("broken requests: {broken} of {}", survey.requests))),
    }
}

const AFTER_HELP: &str = "\
Examples:
  otlp inspect spans.jsonl.gz                what is in this file
  otlp inspect request.pb --sizes            which parts and which attributes cost what
  otlp inspect --json - < capture | jq '.signals'

Exit codes:
  0    all requests are valid
  1    a request is broken, or the file cannot be read
  2    wrong command line";

#[cfg(test)]
mod tests;
