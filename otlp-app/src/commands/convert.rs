//! `otlp convert`: writes the requests of a file in another format.

mod indent;
mod output;

use super::input::{Input, Record, is_stdin};
use crate::args::parse_signal;
use crate::commands::text::counted;
use crate::exit::Failure;
use clap::{Args, ValueEnum};
use otlp_protocol::json::from_protobuf;
use otlp_protocol::{Body, Signal};
use output::Output;
use std::io::{ErrorKind, Write, stderr};
use std::path::{Path, PathBuf};

/// Flags of `otlp convert`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ConvertArgs {
    /// File to read, `-` for stdin. Format, compression and signal are found by the content
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// File to write, `-` for stdout. A name that ends in .gz or .zst is compressed. A file that exists is replaced when all is
    /// converted
    #[arg(value_name = "OUT", default_value = "-")]
    output: PathBuf,
    /// Format to write. Default: by the name of OUT: .json, .jsonl, .pb
    #[arg(long, value_name = "FORMAT")]
    to: Option<Target>,
    /// Signal of the requests, if their content does not tell: traces, metrics, logs, profiles
    #[arg(long, value_name = "SIGNAL", value_parser = parse_signal)]
    signal: Option<Signal>,
}

/// Format to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// OTLP/JSON with indentation, for people
    Json,
    /// OTLP/JSON, a line for each request, as the Collector's exporter `file` writes it
    Jsonl,
    /// Protobuf. Of several requests each has its length of four bytes (big endian) before it, as in files of the Collector's
    /// exporter `file` with `format: proto`
    Protobuf,
}

/// Requests that were converted, and what was lost.
#[derive(Default)]
struct Counts {
    requests: u64,
    broken: u64,
    unknown_fields: u64,
}

/// Converts the file. Requests that cannot be read are left out, with a note each.
pub(crate) fn run(args: &ConvertArgs) -> Result<(), Failure> {
    let place = |path: &Path, std: &str| {
        if is_stdin(path) { std.to_owned() } else { path.display().to_string() }
    };
    let (from, into) = (place(&args.input, "stdin"), place(&args.output, "stdout"));
    let target = args.to.or_else(|| Target::of_name(&args.output)).ok_or_else(|| {
        Failure::Usage(format!("{into}: the name does not tell the format; name it by --to"))
    })?;
    let failure = |place: &str, problem: String| Failure::Runtime(format!("{place}: {problem}"));
    let unwritable = |error: std::io::Error| match error.kind() {
        ErrorKind::BrokenPipe => error.into(),
        _ => failure(&into, error.to_string()),
    };
    let input = Input::open(&args.input).map_err(|error| failure(&from, error.to_string()))?;
    let mut output = Output::create(&args.output).map_err(unwritable)?;
    let mut counts = Counts::default();
    let mut first = None;
    for read in input {
        let body = read.and_then(|record: Record| record.body(args.signal));
        match body {
            Ok(body) => counts.write(&body, target, &mut first, &mut output).map_err(unwritable)?,
            Err(error) => {
                counts.broken += 1;
                let _ = writeln!(stderr().lock(), "otlp: {from}: {error}");
            }
        }
    }
    if let Some(only) = first.take() {
        output.write_all(&only).map_err(unwritable)?;
    }
    // Without a request OUT stays as it was.
    if counts.requests > 0 || counts.broken == 0 {
        output.finish().map_err(unwritable)?;
    }
    if counts.unknown_fields > 0 {
        let lost = counted(counts.unknown_fields, "fields");
        let _ = writeln!(
            stderr().lock(),
            "otlp: {from}: {lost} unknown to this version of OTLP are not in the JSON"
        );
    }
    match counts.broken {
        0 => Ok(()),
        broken => Err(failure(
            &from,
            format!("{broken} of {} requests could not be read", counts.requests + broken),
        )),
    }
}

// === impl Target ===

impl Target {
    /// Returns the format of a file by its name.
    fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
        match name.rsplit_once('.')?.1 {
            "json" => Some(Self::Json),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "pb" | "binpb" | "bin" | "proto" | "otlp" => Some(Self::Protobuf),
            _ => None,
        }
    }
}

// === impl Counts ===

impl Counts {
    /// Writes a request. `first` keeps the first request in protobuf until it is known to be the only one.
    fn write(
        &mut self,
        body: &Body,
        target: Target,
        first: &mut Option<Vec<u8>>,
        output: &mut Output,
    ) -> std::io::Result<()> {
        self.requests += 1;
        let bytes = body.to_bytes();
        if target != Target::Protobuf {
            let mut text = Vec::new();
            let written = from_protobuf(body.signal().request, &bytes, MAX_TEXT_BYTES, &mut text);
            self.unknown_fields += written.map_err(std::io::Error::other)?.unknown_fields;
            if target == Target::Json {
                text = indent::indented(&text);
            }
            text.push(b'\n');
            return output.write_all(&text);
        }
        if self.requests == 1 {
            *first = Some(bytes.to_vec());
            return Ok(());
        }
        if let Some(first) = first.take() {
            write_prefixed(&first, output)?;
        }
        write_prefixed(&bytes, output)
    }
}

fn write_prefixed(request: &[u8], output: &mut Output) -> std::io::Result<()> {
    let len = u32::try_from(request.len()).map_err(std::io::Error::other)?;
    output.write_all(&len.to_be_bytes())?;
    output.write_all(request)
}

/// The largest text of one request.
const MAX_TEXT_BYTES: usize = 1 << 30;

const AFTER_HELP: &str = "\
Examples:
  otlp convert request.pb --to json          show a request
  otlp convert spans.jsonl spans.pb.zst      JSON lines to compressed protobuf
  curl -s https://example.com/spans.pb | otlp convert - --to jsonl --signal traces | jq

Exit codes:
  0    all requests were converted
  1    a request could not be read (the others were converted), or a file failed
  2    wrong command line";

#[cfg(test)]
mod tests;
