//! `otlp convert`: writes the requests of a file in another format.

mod indent;
mod output;

pub(crate) use output::{Names, Output};

use super::input::{Input, Record, is_stdin};
use crate::app::runtime;
use crate::args::parse_signal;
use crate::commands::text::counted;
use crate::exit::Failure;
use crate::signals::{OnHangup, Signals};
use clap::{Args, ValueEnum};
use otlp_protocol::json::from_protobuf;
use otlp_protocol::{Body, Signal};
use std::fmt::Display;
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
    /// exporter `file` with `format: proto`. Empty requests are left out
    Protobuf,
}

/// A file to convert, and the format to write.
struct Conversion {
    input: Input,
    /// Names of the files, for texts.
    from: String,
    into: String,
    target: Target,
    signal: Option<Signal>,
}

/// Requests that were converted, and what was lost.
#[derive(Default)]
struct Counts {
    requests: u64,
    broken: u64,
    /// Requests without content that are not in the protobuf.
    empty: u64,
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
    let input = Input::open(&args.input).map_err(|error| failure(&from, &error))?;
    let conversion = Conversion { input, from, into, target, signal: args.signal };
    let Some(names) = Names::of(&args.output) else {
        let output = Output::open(&args.output).map_err(|error| unwritable(&conversion.into, error))?;
        return conversion.run(output);
    };
    let runtime = runtime()?;
    let outcome = runtime.block_on(conversion.run_until_signal(&args.output, names));
    // A thread that reads stdin must not keep the process.
    runtime.shutdown_background();
    outcome
}

// === impl Conversion ===

impl Conversion {
    /// Writes a file. A signal that ends the process removes the file that is not complete.
    async fn run_until_signal(self, path: &Path, names: Names) -> Result<(), Failure> {
        // Before, a signal ends the process as usual.
        let mut signals = Signals::listen(OnHangup::Drain)?;
        let output = Output::create(path, &names).map_err(|error| unwritable(&self.into, error))?;
        let into = self.into.clone();
        let running = tokio::task::spawn_blocking(move || self.run(output));
        tokio::select! {
            biased;
            outcome = running => outcome.unwrap_or_else(|error| Err(failure(&into, &error))),
            name = signals.end_asked() => {
                names.remove_unfinished();
                let code = SIGNALED.iter().find(|(known, _)| *known == name).map_or(1, |(_, code)| *code);
                Err(Failure::Command { code, problem: format!("otlp: {name}: {into} is not written") })
            }
        }
    }

    fn run(self, mut output: Output) -> Result<(), Failure> {
        let mut counts = Counts::default();
        let mut first = None;
        let Self { input, from, into, target, signal } = self;
        let unwritable = |error| unwritable(&into, error);
        for read in input {
            match read.and_then(|record: Record| record.body(signal)) {
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
        if counts.empty > 0 {
            let empty = counted(counts.empty, "empty requests");
            let _ =
                writeln!(stderr().lock(), "otlp: {from}: left out {empty}: protobuf has no bytes for them");
        }
        if counts.unknown_fields > 0 {
            let lost = counted(counts.unknown_fields, "fields");
            let text = "unknown to this version of OTLP are not in the JSON";
            let _ = writeln!(stderr().lock(), "otlp: {from}: {lost} {text}");
        }
        match counts.broken {
            0 => Ok(()),
            broken => {
                let all = counts.requests + broken;
                Err(failure(&from, &format!("{broken} of {all} requests could not be read")))
            }
        }
    }
}

fn failure(place: &str, problem: &dyn Display) -> Failure {
    Failure::Runtime(format!("{place}: {problem}"))
}

fn unwritable(into: &str, error: std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => error.into(),
        _ => failure(into, &error),
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
        if bytes.is_empty() {
            // A length of 0 would tell no signal.
            self.empty += 1;
            return Ok(());
        }
        if self.requests - self.empty == 1 {
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

/// Exit codes of signals, as shells tell them.
const SIGNALED: [(&str, u8); 4] = [("SIGHUP", 129), ("SIGINT", 130), ("SIGQUIT", 131), ("SIGTERM", 143)];
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
  2    wrong command line
  128 + N  signal N ended the command; OUT stays as it was";

#[cfg(test)]
mod tests;
