//! Flags of `otlp send`.

use crate::args::{parse_duration, parse_signal};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use otlp_protocol::Signal;
use otlp_transport::Compression;
use std::path::PathBuf;
use std::time::Duration;

/// Flags of `otlp send`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct SendArgs {
    /// Files to send, `-` for stdin: requests in protobuf or OTLP/JSON, JSON lines, files of the Collector's exporter `file`;
    /// compressed by gzip or zstd or not. All this is found by the content
    #[arg(value_name = "FILE", required_unless_present = "generate", conflicts_with = "generate")]
    pub(super) files: Vec<PathBuf>,
    /// Send generated telemetry of a shop of seven services: traces, metrics, logs, profiles, or all. Several signals
    /// (traces,logs) tell of the same requests, with the same trace ids
    #[arg(long, value_name = "SIGNAL", value_delimiter = ',', value_parser = parse_generated)]
    pub(super) generate: Vec<Generated>,
    #[command(flatten)]
    pub(super) destination: DestinationArgs,
    /// Requests in a second (100, 0.5) or in another unit (30/m). Default: as fast as the destination answers
    #[arg(long, value_name = "NUMBER[/UNIT]", value_parser = parse_rate, allow_negative_numbers = true)]
    pub(super) rate: Option<f64>,
    /// Number of requests. Files are read again from the start if they have fewer. Default: each request of the files once;
    /// one request of each generated signal, unless --rate or --duration is given
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true)]
    pub(super) count: Option<u64>,
    /// Time after which no further request is sent. Files are read again from the start if they end before
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) duration: Option<Duration>,
    /// Largest number of requests that wait for their answers at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(super) concurrency: u16,
    /// Clients that share these requests, each with its own connections
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) connections: u16,
    /// Number of times that a request is sent again if the destination cannot take it for the moment
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(super) retries: u32,
    /// Items of a request (spans, data points, log records, samples). Default: 100 of generated requests; requests of files
    /// are split only with this flag
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=super::generate::MAX_ITEMS as i64))]
    pub(super) batch_items: Option<u32>,
    /// Signal of the files, if their content does not tell
    #[arg(long, value_name = "SIGNAL", value_parser = parse_signal, conflicts_with = "generate")]
    pub(super) signal: Option<Signal>,
    /// Generate this number of requests before the first is sent, and send them again and again, with the same ids and times:
    /// takes less CPU time than generating each. At most as many as have a million items
    #[arg(long, value_name = "NUMBER", conflicts_with = "files", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) reuse: Option<u32>,
    /// Number that the generated telemetry depends on, except for times. Default: another one each time
    #[arg(long, value_name = "NUMBER", conflicts_with = "files")]
    pub(super) seed: Option<u64>,
}

/// Flags that name a destination.
#[derive(Debug, Args)]
pub(crate) struct DestinationArgs {
    /// Destination: http://host:port, https://host:port, host:port (cleartext) or unix:///path. Default: the destination
    /// that OTEL_EXPORTER_OTLP_* name, or else http://localhost:4317, or http://localhost:4318 with --protocol http/...
    #[arg(long, value_name = "ENDPOINT", value_parser = NonEmptyStringValueParser::new())]
    pub(super) to: Option<String>,
    /// Protocol. Default: grpc, but http/protobuf for endpoints with port 4318 or with a path; without --to as
    /// OTEL_EXPORTER_OTLP_PROTOCOL says
    #[arg(long, value_name = "PROTOCOL")]
    pub(super) protocol: Option<WireProtocol>,
    /// Compression of requests
    #[arg(long, value_name = "ENCODING")]
    pub(super) compression: Option<CompressionName>,
    /// Header of each request. May be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_header)]
    pub(super) header: Vec<(String, String)>,
    /// Time limit of one request; 0s is no limit. Default: 5s over gRPC, 30s over HTTP
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(super) timeout: Option<Duration>,
    /// PEM file of trusted certificates, in place of the system's
    #[arg(long, value_name = "FILE")]
    pub(super) tls_ca: Option<PathBuf>,
    /// PEM file of the client certificate
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,
    /// PEM file of the client certificate's key
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,
    /// Name in the server's certificate, in place of the endpoint's host
    #[arg(long, value_name = "NAME")]
    pub(super) tls_server_name: Option<String>,
    /// Accept any certificate
    #[arg(long)]
    pub(super) tls_skip_verify: bool,
}

/// Signals to generate that one value names.
#[derive(Clone, Debug)]
pub(super) struct Generated(pub(super) Vec<Signal>);

/// Transport and encoding, as OTEL_EXPORTER_OTLP_PROTOCOL names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum WireProtocol {
    Grpc,
    #[value(name = "http/protobuf", alias = "http")]
    HttpProtobuf,
    #[value(name = "http/json")]
    HttpJson,
}

/// Compression by its name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum CompressionName {
    None,
    Gzip,
    Zstd,
    #[value(name = "br", alias = "brotli")]
    Brotli,
    Zlib,
    Deflate,
    Snappy,
    XSnappyFramed,
    Lz4,
}

// === impl DestinationArgs ===

impl DestinationArgs {
    /// True if the command line names an endpoint.
    pub(crate) fn is_named(&self) -> bool {
        self.to.is_some()
    }

    /// True if a flag is about TLS.
    pub(super) fn has_tls_flags(&self) -> bool {
        let Self { tls_ca, tls_cert, tls_server_name, tls_skip_verify, .. } = self;
        tls_ca.is_some() || tls_cert.is_some() || tls_server_name.is_some() || *tls_skip_verify
    }
}

// === impl WireProtocol ===

impl WireProtocol {
    /// Returns the name as a value of `OTEL_EXPORTER_OTLP_PROTOCOL`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::HttpProtobuf => "http/protobuf",
            Self::HttpJson => "http/json",
        }
    }
}

// === impl CompressionName ===

impl CompressionName {
    pub(super) fn compression(self) -> Compression {
        match self {
            Self::None => Compression::None,
            Self::Gzip => Compression::Gzip,
            Self::Zstd => Compression::Zstd,
            Self::Brotli => Compression::Brotli,
            Self::Zlib => Compression::Zlib,
            Self::Deflate => Compression::Deflate,
            Self::Snappy => Compression::Snappy,
            Self::XSnappyFramed => Compression::SnappyFramed,
            Self::Lz4 => Compression::Lz4,
        }
    }
}

fn parse_generated(text: &str) -> Result<Generated, String> {
    match text {
        "all" => Ok(Generated(Signal::ALL.into())),
        _ => parse_signal(text).map(|signal| Generated(vec![signal])).map_err(|error| error + ", all"),
    }
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Parses requests in a second: `100`, `100/s`, `30/m`, `1/h`.
fn parse_rate(text: &str) -> Result<f64, String> {
    let (number, unit) = text.split_once('/').unwrap_or((text, "s"));
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("unknown unit; available: s, m, h".into()),
    };
    match number.parse::<f64>() {
        Ok(number) if number > 0.0 && number.is_finite() => Ok(number / seconds),
        _ => Err("expected a number above 0, such as 100 or 30/m".into()),
    }
}

const AFTER_HELP: &str = "\
Examples:
  otlp send --generate traces                one request of generated traces to localhost:4317
  otlp send --generate all --rate 10         traces, metrics, logs and profiles until Ctrl-C
  otlp send --generate traces --duration 30s --connections 4 --concurrency 64
                                             as fast as possible for 30 s
  otlp send traces.jsonl.gz --to http://localhost:4318
  otlp send request.pb --to https://collector:4317 --header authorization='Bearer ...'
  curl -s https://example.com/spans.json | otlp send -
  otlp send day1.jsonl day2.jsonl --rate 100 --retries 10

Exit codes:
  0    the destination accepted everything
  1    the destination did not accept everything or has not answered, or a file could not be read
  2    wrong command line
  3    the destination accepted nothing";

#[cfg(test)]
mod tests;
