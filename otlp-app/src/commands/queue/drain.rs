//! `otlp queue drain`.

use super::DrainArgs;
use super::place::Found;
use crate::commands::send::destination;
use crate::commands::text::counted;
use crate::config::SystemLookup;
use crate::exit::Failure;
use crate::start;
use otlp_protocol::{Batch, Retry};
use otlp_service::{QueueFiles, StoredRequest};
use otlp_transport::{Attempt, Client, Clock, ExportError, ExportResult, TransportContext};
use std::collections::VecDeque;
use std::io::{Write, stderr, stdout};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Sends requests, and counts the answers.
struct Drain<'a> {
    client: Client,
    clock: Arc<dyn Clock>,
    args: &'a DrainArgs,
}

/// Requests and items by their fate.
#[derive(Default)]
struct Counts {
    accepted: u64,
    accepted_items: u64,
    rejected_items: u64,
    refused: u64,
    refusal: Option<ExportError>,
    /// The destination cannot take requests: no further ones are sent.
    unavailable: Option<ExportError>,
}

/// A request that was sent, and its last answer.
type Sent = (StoredRequest, ExportResult);

/// Sends what is left in queues until they are empty, or the destination takes nothing for the moment.
pub(super) async fn run(queues: &[Found], args: &DrainArgs) -> Result<(), Failure> {
    if !args.destination.is_named() {
        return Err(Failure::Usage("name the destination by --to ENDPOINT".into()));
    }
    let mut context = TransportContext::tcp(MAX_BODY_BYTES);
    context.proxies = start::proxies(&SystemLookup);
    let (protocol, config, warnings) = destination(&args.destination, &SystemLookup);
    warnings.iter().for_each(|warning| note(warning));
    let client = protocol.strategy().client(&context, config);
    let client = client.map_err(|error| Failure::Usage(error.to_string()))?;
    let drain = Drain { client, clock: context.clock.clone(), args };
    if queues.is_empty() {
        writeln!(stdout().lock(), "there is no queue on disk")?;
    }
    let mut left = 0;
    for queue in queues {
        left += u64::from(!drain.queue(queue).await?);
    }
    match left {
        0 => Ok(()),
        left => Err(Failure::Runtime(format!("queues that are not empty: {left} of {}", queues.len()))),
    }
}

// === impl Drain ===

impl Drain<'_> {
    /// Drains a queue. Returns true if the queue is empty.
    async fn queue(&self, queue: &Found) -> Result<bool, Failure> {
        let mut files = queue.open()?;
        let mut counts = Counts::default();
        let sent = self.send_all(&mut files, &mut counts).await;
        files.close().map_err(|error| queue.failure(&error))?;
        sent.map_err(|error| queue.failure(&error))?;
        writeln!(
            stdout().lock(),
            "{}: accepted: {} with {}",
            queue.name,
            counted(counts.accepted, "requests"),
            counted(counts.accepted_items, "items")
        )?;
        if counts.rejected_items > 0 {
            let rejected = counted(counts.rejected_items, "items");
            note(&format!("{}: rejected by the destination: {rejected}", queue.name));
        }
        if let Some(refusal) = &counts.refusal {
            let refused = counted(counts.refused, "requests");
            note(&format!("{}: refused, and left in the queue: {refused}: {refusal}", queue.name));
        }
        if let Some(error) = &counts.unavailable {
            note(&format!("{}: the rest is left in the queue: {error}", queue.name));
        }
        Ok(counts.refusal.is_none() && counts.unavailable.is_none())
    }

    async fn send_all(&self, files: &mut QueueFiles, counts: &mut Counts) -> std::io::Result<()> {
        let mut ready = VecDeque::new();
        let mut sending: JoinSet<Sent> = JoinSet::new();
        let mut is_at_end = false;
        loop {
            while counts.unavailable.is_none() && sending.len() < usize::from(self.args.concurrency) {
                if ready.is_empty() && !is_at_end {
                    ready.extend(files.read(READ_BYTES)?);
                    is_at_end = ready.is_empty();
                }
                let Some(request) = ready.pop_front() else { break };
                let (client, clock, retries) = (self.client.clone(), self.clock.clone(), self.args.retries);
                sending.spawn(async move {
                    let result = attempt(&client, &*clock, &request.batch, retries).await;
                    (request, result)
                });
            }
            match sending.join_next().await {
                Some(Ok((request, result))) => counts.settle(files, &request, result),
                // A request whose task panicked stays in the queue.
                Some(Err(error)) => return Err(std::io::Error::other(error)),
                None => return Ok(()),
            }
        }
    }
}

// === impl Counts ===

impl Counts {
    fn settle(&mut self, files: &QueueFiles, request: &StoredRequest, result: ExportResult) {
        match result {
            Ok(answer) => {
                files.settle(request);
                let count = request.batch.count();
                let rejected = count.rejected_items(request.batch.signal(), answer.rejected);
                self.accepted += 1;
                self.accepted_items += count.items.saturating_sub(rejected);
                self.rejected_items += rejected;
            }
            Err(error) if error.retry().is_retryable() => self.unavailable = Some(error),
            Err(error) => {
                self.refused += 1;
                self.refusal.get_or_insert(error);
            }
        }
    }
}

/// Sends a request, and sends it again while the destination cannot take it.
async fn attempt(client: &Client, clock: &dyn Clock, batch: &Batch, retries: u32) -> ExportResult {
    let mut pause = FIRST_PAUSE;
    for _ in 0..retries {
        let result = client.attempt(batch).await;
        let delay = match &result {
            Err(error) => match error.retry() {
                Retry::After(delay) => delay.min(MAX_PAUSE),
                Retry::Backoff => pause,
                Retry::Never => return result,
            },
            Ok(_) => return result,
        };
        clock.sleep(delay).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
    client.attempt(batch).await
}

fn note(text: &str) {
    let _ = writeln!(stderr().lock(), "otlp: {text}");
}

/// Budget of answers in memory.
const MAX_BODY_BYTES: u64 = 1 << 30;
/// Read at a time.
const READ_BYTES: usize = 1 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const MAX_PAUSE: Duration = Duration::from_secs(30);
