//! `otlp tap`.

use crate::admin::{Received, Request, VERSION, request_of};
use crate::args::parse_signal;
use crate::color;
use crate::config::SystemLookup;
use crate::exit::Failure;
use clap::Args as ClapArgs;
use otlp_protocol::Signal;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, ErrorKind, IsTerminal, Write, stderr, stdout};
use std::os::unix::net::UnixStream;

/// Flags of `otlp tap`.
#[derive(Debug, ClapArgs)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct TapArgs {
    /// Edge to look at: PIPELINE for what enters a pipeline, PIPELINE/STAGE for what leaves a processor, PIPELINE/EXPORTER for
    /// what is handed to an exporter. Default: what enters any pipeline
    #[arg(value_name = "PIPELINE[/STAGE]")]
    edge: Option<String>,
    /// Admin socket of the gateway: the PATH of `otlp run --admin PATH`
    #[arg(long, value_name = "PATH")]
    admin: String,
    /// List the edges of the gateway
    #[arg(long)]
    list: bool,
    /// Show only resources with this attribute: service.name=cart. May be given several times; then all must match
    #[arg(long = "where", value_name = "KEY=VALUE", value_parser = parse_pair)]
    resource: Vec<(String, String)>,
    /// Show only this signal: traces, metrics, logs, profiles. May be given several times
    #[arg(long, value_name = "SIGNAL", value_parser = parse_signal)]
    signal: Vec<Signal>,
    /// Largest number of items shown in a second. Further items are counted
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    /// End after this number of items
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..), allow_negative_numbers = true)]
    count: Option<u64>,
    /// Show all fields of each item
    #[arg(short = 'v', long, visible_alias = "verbose", conflicts_with = "json")]
    details: bool,
    /// Show each span, log record, metric and profile as a line of OTLP/JSON
    #[arg(long)]
    json: bool,
    /// Show values that look like secrets. Default: such values are replaced by ****
    #[arg(long)]
    no_mask: bool,
}

/// Shows telemetry of a running gateway until the gateway ends, the reader of stdout goes away, or the count is reached.
pub(crate) fn run(args: &TapArgs) -> Result<(), Failure> {
    if let Some(key) = args.repeated_key() {
        return Err(Failure::Usage(format!("--where names {key} twice; a resource has one value of a key")));
    }
    let path = &args.admin;
    let failure = |error: std::io::Error| {
        Failure::Runtime(format!(
            "the admin socket {path}: {error}; is a gateway running with --admin {path}?"
        ))
    };
    let mut stream = UnixStream::connect(path).map_err(failure)?;
    stream.write_all(args.request().line().as_bytes()).map_err(failure)?;
    let mut out = stdout().lock();
    for line in BufReader::new(stream).lines() {
        match show(&line.map_err(failure)?, &mut out) {
            Ok(Shown::More) => {}
            Ok(Shown::Last) => return Ok(()),
            // The reader of stdout has gone.
            Err(Failed::Output(error)) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(Failed::Output(error)) => return Err(error.into()),
            Err(Failed::Gateway(error)) => return Err(Failure::Runtime(error)),
        }
    }
    Err(Failure::Runtime("the gateway has closed the connection".into()))
}

/// Outcome of a line of the answer.
enum Shown {
    More,
    Last,
}

enum Failed {
    /// The gateway cannot answer.
    Gateway(String),
    /// stdout or stderr cannot be written.
    Output(std::io::Error),
}

/// Shows a line of the answer: telemetry on stdout, all else on stderr.
fn show(line: &str, out: &mut impl Write) -> Result<Shown, Failed> {
    if let Some(request) = request_of(line) {
        writeln!(out, "{request}")?;
        out.flush()?;
        return Ok(Shown::More);
    }
    let received = Received::read(line).map_err(Failed::Gateway)?;
    if let Some(error) = received.error {
        return Err(Failed::Gateway(error));
    }
    if let Some(edges) = received.edges {
        let width = edges.iter().map(|edge| edge.edge.chars().count()).max().unwrap_or_default();
        for edge in edges {
            writeln!(out, "{:<width$} {}", edge.edge, edge.signal.unwrap_or_default())?;
        }
        return Ok(Shown::Last);
    }
    if let Some(text) = received.text {
        out.write_all(text.as_bytes())?;
        out.flush()?;
    }
    if let Some(lost) = received.lost {
        if lost.batches > 0 {
            writeln!(
                stderr(),
                "otlp tap: {} items in {} copies were lost so far: otlp tap is too slow",
                lost.items,
                lost.batches
            )?;
        }
        if lost.skipped_items > 0 {
            writeln!(stderr(), "otlp tap: {} items over the rate were not shown so far", lost.skipped_items)?;
        }
    }
    if let Some(reason) = received.end {
        writeln!(stderr(), "otlp tap: {reason}")?;
        return Ok(Shown::Last);
    }
    Ok(Shown::More)
}

impl TapArgs {
    /// Returns a key that `--where` names more than once.
    fn repeated_key(&self) -> Option<&str> {
        let mut keys = HashSet::new();
        self.resource.iter().map(|(key, _)| key.as_str()).find(|key| !keys.insert(*key))
    }

    fn request(&self) -> Request {
        let format = match self {
            Self { json: true, .. } => "json",
            Self { details: true, .. } => "detailed",
            _ => "lines",
        };
        Request {
            version: VERSION,
            command: if self.list { "edges" } else { "tap" }.into(),
            edge: self.edge.clone(),
            signals: self.signal.iter().map(|signal| signal.name.into()).collect(),
            r#where: self.resource.iter().cloned().collect(),
            format: Some(format.into()),
            color: color::is_wanted(&SystemLookup, stdout().is_terminal()),
            rate: Some(self.rate),
            count: self.count,
            mask: Some(!self.no_mask),
        }
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("no `=`; give KEY=VALUE, such as service.name=cart")?;
    Ok((key.to_owned(), value.to_owned()))
}

const AFTER_HELP: &str = "\
Examples:
  otlp run --config gateway.yaml --admin /run/otlp/admin.sock
                                             run a gateway with an admin socket
  otlp tap --admin /run/otlp/admin.sock      show what enters the pipelines
  otlp tap traces/batch --admin /run/otlp/admin.sock --where service.name=cart --count 20
                                             show 20 spans of a service behind the batch processor
  otlp tap --admin /run/otlp/admin.sock --json --signal logs | jq
                                             show log records as OTLP/JSON
  otlp tap --admin /run/otlp/admin.sock --list
                                             list the edges

Copies are lost rather than slowing the gateway; stderr says how many.

Exit codes:
  0    the gateway ended, the reader of stdout went away, or --count was reached
  1    there is no such gateway or edge
  2    wrong command line";
