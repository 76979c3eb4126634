//! `otlp send`: sends files or generated telemetry, and says how it was answered.

mod args;
mod destination;
mod driver;
mod generate;
mod latencies;
mod source;
mod summary;
mod tally;

pub(crate) use args::{DestinationArgs, SendArgs};

use crate::app::runtime;
use crate::commands::text::counted;
use crate::config::{Lookup, SystemLookup};
use crate::exit::Failure;
use crate::protocol::Protocol;
use crate::signals::{OnHangup, Signals};
use crate::start;
use destination::Destination;
use driver::{Driver, Pace};
use generate::Generator;
use otlp_protocol::Signal;
use otlp_transport::{Client, ClientConfig, Clock, TransportContext};
use source::{Files, Source, unix_nanos};
use std::collections::VecDeque;
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Sends requests until all are sent or a signal ends it, and prints a summary.
pub(crate) fn run(args: &SendArgs) -> Result<(), Failure> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(send(args));
    // A thread that reads stdin must not keep the process.
    runtime.shutdown_background();
    outcome
}

async fn send(args: &SendArgs) -> Result<(), Failure> {
    let mut warnings = Vec::new();
    let destination = Destination::new(&args.destination, &SystemLookup, &mut warnings);
    let description = destination.description();
    warnings.iter().for_each(|warning| note(warning));
    let mut context = TransportContext::tcp(MAX_BODY_BYTES);
    context.proxies = start::proxies(&SystemLookup);
    let client = |_| destination.protocol.strategy().client(&context, destination.config.clone());
    let clients: Result<Vec<Client>, _> = (0..args.connections).map(client).collect();
    let clients = clients.map_err(|error| Failure::Usage(error.to_string()))?;
    let (source, pace) = plan(args, &*context.clock)?;
    // Before, a signal ends the process as usual.
    let mut signals = Signals::listen(OnHangup::Drain)?;
    let driver = Arc::new(Driver::new(source, pace, context.clock.clone()));
    let progress = tokio::spawn(show_progress(driver.clone(), context.clock.clone(), stderr().is_terminal()));
    let sending = driver.run(&clients, args.concurrency.into());
    tokio::pin!(sending);
    tokio::select! {
        () = &mut sending => {}
        _ = signals.end_asked() => {
            driver.stop();
            let waiting = driver.tally().waiting_requests;
            if waiting > 0 {
                clear_progress(stderr().is_terminal());
                let requests = counted(waiting, "requests");
                note(&format!("waits for the answers to {requests}; a second signal ends at once"));
            }
            tokio::select! {
                () = &mut sending => {}
                () = signals.end_now_asked() => {}
            }
        }
    }
    progress.abort();
    // Until the task has ended it may write.
    let _ = progress.await;
    clear_progress(stderr().is_terminal());
    driver.take_faults().iter().for_each(|fault| note(fault));
    let tally = driver.tally();
    let wire_bytes = clients.iter().map(|client| client.stats().sent_bytes.load(Relaxed)).sum();
    let text = summary::summary(&tally, driver.elapsed(), wire_bytes, &description);
    let written = stdout().lock().write_all(text.as_bytes());
    summary::outcome(&tally)?;
    match written {
        // The exit code tells how the destination answered, also to `otlp send … | head -1`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Makes the source, and the number and pace of its requests.
fn plan(args: &SendArgs, clock: &dyn Clock) -> Result<(Source, Pace), Failure> {
    let mut pace =
        Pace { count: args.count, duration: args.duration, rate: args.rate, retries: args.retries };
    if args.generate.is_empty() {
        let is_repeated = args.count.is_some() || args.duration.is_some();
        let (paths, max_items) = (args.files.clone(), args.batch_items.map(u64::from));
        let files = Files { paths, signal: args.signal, max_items, is_repeated };
        return Ok((Source::files(files)?, pace));
    }
    let mut signals: Vec<Signal> = Vec::new();
    for signal in args.generate.iter().flat_map(|generated| &generated.0) {
        if !signals.contains(signal) {
            signals.push(*signal);
        }
    }
    if args.rate.is_none() && args.duration.is_none() {
        pace.count = pace.count.or(Some(signals.len() as u64));
    }
    let now = unix_nanos(clock);
    let items = args.batch_items.map_or(GENERATED_ITEMS, |items| items as usize);
    let generator = Generator::new(signals, items, args.seed.unwrap_or(now), now);
    let Some(reuse) = args.reuse else { return Ok((Source::Generated(generator), pace)) };
    let number = (reuse as usize).min(MAX_PREMADE_ITEMS / items.max(1)).max(1) as u64;
    Ok((Source::Premade((0..number).map(|number| generator.request(number, now)).collect()), pace))
}

/// Writes faults of files as they are found, and on a terminal a line with the progress ten times a second.
async fn show_progress(driver: Arc<Driver>, clock: Arc<dyn Clock>, is_terminal: bool) {
    let mut last_second = VecDeque::from([0]);
    loop {
        clock.sleep(TICK).await;
        let faults = driver.take_faults();
        if !faults.is_empty() {
            clear_progress(is_terminal);
            faults.iter().for_each(|fault| note(fault));
        }
        if is_terminal {
            let tally = driver.tally();
            last_second.push_back(tally.sent_items());
            let ticks = last_second.len() - 1;
            let items = tally.sent_items() - last_second.front().copied().unwrap_or_default();
            let recent = items as f64 / (TICK.as_secs_f64() * ticks.max(1) as f64);
            if ticks >= TICKS_OF_A_SECOND {
                last_second.pop_front();
            }
            let line = summary::progress(&tally, driver.progress(), recent);
            let _ = write!(stderr().lock(), "{START_OF_LINE}{line}");
        }
    }
}

/// Returns a generated request, for tests of other commands.
#[cfg(test)]
pub(crate) fn sample(signal: Signal, items: usize) -> otlp_protocol::Body {
    Generator::new(vec![signal], items, 1, 1_799_999_000_000_000_000).request(0, 1_800_000_000_000_000_000)
}

/// Returns protocol and settings of the client of an endpoint, as `--to` takes it.
pub(crate) fn client_of(endpoint: &str) -> (Protocol, ClientConfig) {
    let Destination { protocol, config } = Destination::of_endpoint(endpoint, None);
    (protocol, config)
}

/// Returns protocol and settings of the client of a destination, and warnings about flags and variables.
pub(crate) fn destination(
    args: &DestinationArgs,
    lookup: &dyn Lookup,
) -> (Protocol, ClientConfig, Vec<String>) {
    let mut warnings = Vec::new();
    let Destination { protocol, config } = Destination::new(args, lookup, &mut warnings);
    (protocol, config, warnings)
}

fn clear_progress(is_terminal: bool) {
    if is_terminal {
        let _ = write!(stderr().lock(), "{START_OF_LINE}");
    }
}

fn note(text: &str) {
    let _ = writeln!(stderr().lock(), "otlp: {text}");
}

/// Budget of answers in memory.
const MAX_BODY_BYTES: u64 = 1 << 30;
/// Items of a generated request by default.
const GENERATED_ITEMS: usize = 100;
/// The most items in requests that are sent again and again: about 350 MB of spans.
const MAX_PREMADE_ITEMS: usize = 1_000_000;
const TICK: Duration = Duration::from_millis(100);
const TICKS_OF_A_SECOND: usize = 10;
/// Goes to the start of the terminal's line, and erases the line.
const START_OF_LINE: &str = "\r\x1b[2K";
