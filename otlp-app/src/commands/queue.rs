//! `otlp queue`: what is in the queues on disk, also without a gateway.

mod drain;
mod export;
mod holder;
mod place;
mod requeue;
mod show;
mod verify;

use crate::app::runtime;
use crate::commands::send::DestinationArgs;
use crate::exit::Failure;
use clap::{Args, Subcommand};
use otlp_service::PluginManager;
use place::{Found, PlaceArgs};
use std::path::PathBuf;

/// Commands below `otlp queue`.
#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// List the queues, with what is left in each
    #[command(after_help = LS_HELP)]
    Ls(ShowArgs),
    /// Show what is left in each queue: pipelines, age, files
    #[command(after_help = STATUS_HELP)]
    Status(ShowArgs),
    /// Read every record, and report damage. Changes no file
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Write what is left in a queue to a file that `otlp inspect` and `otlp send` read. Changes no file of the queue
    #[command(after_help = EXPORT_HELP)]
    Export(ExportArgs),
    /// Send what is left in queues of a stopped gateway to a destination, and take what is accepted out of the queues
    #[command(after_help = DRAIN_HELP)]
    Drain(Box<DrainArgs>),
    /// Add the requests of files, such as dead letters, to a queue of a stopped gateway
    #[command(after_help = REQUEUE_HELP)]
    Requeue(RequeueArgs),
}

/// Flags of `otlp queue ls` and `otlp queue status`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Flags of `otlp queue verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    place: PlaceArgs,
}

/// Flags of `otlp queue export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// File to write, `-` for stdout: requests in protobuf, with a length of four bytes before each. A file that exists is replaced
    /// when all is written
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// Flags of `otlp queue drain`.
#[derive(Debug, Args)]
pub(crate) struct DrainArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    destination: DestinationArgs,
    /// Number of times that a request is sent again if the destination cannot take it for the moment
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    retries: u32,
    /// Largest number of requests that wait for their answers at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
}

/// Flags of `otlp queue requeue`.
#[derive(Debug, Args)]
pub(crate) struct RequeueArgs {
    /// Files of requests, `-` for stdin. Format and compression are found by the content
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    place: PlaceArgs,
    /// Pipeline that counts the items in the gateway's ledger. Default: the name of the signal
    #[arg(long, value_name = "PIPELINE")]
    pipeline: Option<String>,
}

/// Runs a command below `otlp queue`.
pub(crate) fn run(command: &QueueCommand, plugins: &PluginManager) -> Result<(), Failure> {
    match command {
        QueueCommand::Ls(args) => show::list(&args.place.find(plugins)?, args.json),
        QueueCommand::Status(args) => show::status(&args.place.find(plugins)?, args.json),
        QueueCommand::Verify(args) => verify::run(&args.place.find(plugins)?),
        QueueCommand::Export(args) => export::run(&Found::only(args.place.find(plugins)?)?, &args.output),
        QueueCommand::Requeue(args) => requeue::run(&Found::only(args.place.find(plugins)?)?, args),
        QueueCommand::Drain(args) => {
            let queues = args.place.find(plugins)?;
            let runtime = runtime()?;
            let outcome = runtime.block_on(drain::run(&queues, args));
            runtime.shutdown_background();
            outcome
        }
    }
}

const LS_HELP: &str = "\
Examples:
  otlp queue ls --config gateway.yaml        queues of the gateway's exporters
  otlp queue ls --directory /var/lib/otlp    queues below a directory
  otlp queue ls --directory /var/lib/otlp --json | jq '.queues[].items'

Also works while a gateway has the queues open: figures may be some seconds old then.

Exit codes:
  0    the queues were read; there may be none
  1    a queue cannot be read
  2    wrong command line
  78   wrong configuration";

const STATUS_HELP: &str = "\
Examples:
  otlp queue status --config gateway.yaml    all queues of the gateway
  otlp queue status --directory /var/lib/otlp --queue otlp/traces
                                             one queue

Also works while a gateway has the queues open: figures may be some seconds old then. Of headers only the names are shown.

Exit codes:
  0    the queues were read; there may be none
  1    a queue cannot be read
  2    wrong command line, or no such queue
  78   wrong configuration";

const VERIFY_HELP: &str = "\
Examples:
  otlp queue verify --config gateway.yaml    all queues of the gateway
  otlp queue verify --directory /var/lib/otlp --queue otlp/traces
                                             one queue

Damaged records are skipped by the gateway, and counted in otlp_queue_damaged_records. A record at the end of the newest file that is not written to its end is no damage.

Exit codes:
  0    no damage
  1    a file is damaged, or cannot be read
  2    wrong command line, or no such queue
  78   wrong configuration";

const EXPORT_HELP: &str = "\
Examples:
  otlp queue export --config gateway.yaml --queue otlp/logs -o logs.otlp
  otlp inspect logs.otlp                     look at what was left
  otlp send logs.otlp --to backend:4317      send it

While a gateway has the queue open, requests that it delivers meanwhile may be in the file, too.

Exit codes:
  0    the file is written
  1    a part of the queue cannot be read, or the file cannot be written
  2    wrong command line, or no such queue
  78   wrong configuration";

const DRAIN_HELP: &str = "\
Examples:
  otlp queue drain --config gateway.yaml --to backend:4317
                                             deliver what a stopped gateway has left
  otlp queue drain --directory /var/lib/otlp --queue otlp/logs --to https://backend:4318
                                             deliver one queue

The gateway must be stopped. What the destination refuses stays in the queue. Interrupted, the command goes on where it was when it is run again; a few requests may be sent twice.

Exit codes:
  0    the queues are empty: everything was accepted
  1    requests are left, a gateway has a queue open, or a queue cannot be read
  2    wrong command line, or no such queue
  78   wrong configuration";

const REQUEUE_HELP: &str = "\
Examples:
  otlp queue requeue dead/*.otlp --config gateway.yaml --queue otlp/logs
                                             deliver dead letters at the gateway's next start
  otlp queue requeue logs.otlp --directory /var/lib/otlp --queue otlp/logs

The gateway must be stopped. The device has the requests when the command ends; the files stay, and should be moved away. A queue that has reached `sending_queue.max_bytes` takes no more: the error tells which requests of which files are not in the queue. With --directory the limit is the default, 10 GiB or half of the bytes that are free.

Exit codes:
  0    all requests of the files are in the queue
  1    the queue is full or cannot be written, a gateway has it open, or a request is broken
  2    wrong command line, or no such queue
  78   wrong configuration";
