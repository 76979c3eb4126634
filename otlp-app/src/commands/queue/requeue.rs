//! `otlp queue requeue`.

use super::RequeueArgs;
use super::place::Found;
use crate::commands::input::{Input, is_stdin};
use crate::commands::text::{counted, grouped};
use crate::exit::Failure;
use otlp_protocol::{Batch, Charge, Signal};
use otlp_service::QueueFiles;
use otlp_transport::{Clock, TokioClock};
use std::io::{Write, stderr, stdout};
use std::path::Path;

/// Requests that are added to a queue.
struct Requeue<'a> {
    queue: &'a Found,
    files: QueueFiles,
    signal: Signal,
    pipeline: &'a str,
    /// The queue has no room for the next request.
    is_full: bool,
    /// Requests of files that could not be read.
    broken: u64,
}

/// The requests of a file that could be read: the first are in the queue, the others in the file alone.
#[derive(Default)]
struct Tally {
    added: u64,
    added_items: u64,
    left: u64,
}

/// Adds the requests of files to a queue.
pub(super) fn run(queue: &Found, args: &RequeueArgs) -> Result<(), Failure> {
    let signal = queue.signal.ok_or_else(|| {
        Failure::Usage(format!("{}: the name of the directory is no signal", queue.directory.display()))
    })?;
    let pipeline = args.pipeline.as_deref().unwrap_or(signal.name);
    let mut requeue = Requeue { queue, files: queue.open()?, signal, pipeline, is_full: false, broken: 0 };
    let (mut all, mut left) = (Tally::default(), Vec::new());
    for path in &args.files {
        let Tally { added, added_items, left: of_file } = requeue.add(path)?;
        let (requests, items) = (counted(added, "requests"), counted(added_items, "items"));
        writeln!(stdout().lock(), "{}: added to queue {}: {requests} with {items}", shown(path), queue.name)?;
        if of_file > 0 {
            left.push(format!("{} of {} in {}", grouped(of_file), grouped(added + of_file), shown(path)));
        }
        all.added += added;
        all.left += of_file;
    }
    let Requeue { files, broken, .. } = requeue;
    let max_bytes = files.max_bytes();
    files.close().map_err(|error| queue.failure(&error))?;
    let broken = (broken > 0).then(|| format!("not added: {}", counted(broken, "broken requests")));
    if left.is_empty() {
        return broken.map_or(Ok(()), |broken| Err(Failure::Runtime(broken)));
    }
    let full = queue.full(max_bytes, &all, &left);
    Err(queue.failure(&[Some(full), broken].into_iter().flatten().collect::<Vec<_>>().join("; ")))
}

// === impl Found ===

impl Found {
    /// Describes a queue that did not take all requests. `left` names the files with those that are left.
    fn full(&self, max_bytes: u64, all: &Tally, left: &[String]) -> String {
        let limit = match self.max_bytes {
            Some(_) => "`sending_queue.max_bytes`",
            None => "a default; --config takes the limit of the configuration",
        };
        format!(
            "the queue is full: {} bytes are its limit ({limit}). Added: {}. Not added: {}, the last {}. Deliver what is in the \
             queue, or raise the limit, and add these requests then",
            grouped(max_bytes),
            counted(all.added, "requests"),
            counted(all.left, "requests"),
            left.join(", ")
        )
    }
}

// === impl Requeue ===

impl Requeue<'_> {
    /// Adds the requests of a file, as many as there is room for, and counts the others.
    fn add(&mut self, path: &Path) -> Result<Tally, Failure> {
        let input =
            Input::open(path).map_err(|error| Failure::Runtime(format!("{}: {error}", shown(path))))?;
        let mut tally = Tally::default();
        let (mut group, mut bytes) = (Vec::new(), 0);
        for read in input {
            let body = match read.and_then(|record| record.body(Some(self.signal))) {
                Ok(body) => body,
                Err(error) => {
                    self.broken += 1;
                    let _ = writeln!(stderr().lock(), "otlp: {}: {error}", shown(path));
                    continue;
                }
            };
            let batch = Batch::new(body, Charge::none());
            bytes += batch.len();
            group.push(batch);
            if bytes >= GROUP_BYTES || self.is_full {
                self.append(&mut group, path, &mut tally)?;
                bytes = 0;
            }
        }
        self.append(&mut group, path, &mut tally)?;
        Ok(tally)
    }

    /// Appends a group of a file's requests, as many as there is room for.
    fn append(&mut self, group: &mut Vec<Batch>, path: &Path, tally: &mut Tally) -> Result<(), Failure> {
        // After a request that does not fit none is added: the requests of a file stay in order.
        let added = if self.is_full || group.is_empty() {
            0
        } else {
            let appended = self.files.append(group, self.pipeline, TokioClock.wall());
            appended.map_err(|error| {
                let added = counted(tally.added, "requests");
                self.queue.failure(&format!("{error}; added of {}: {added}", shown(path)))
            })?
        };
        self.is_full |= added < group.len();
        tally.added += added as u64;
        tally.added_items += group.iter().take(added).map(Batch::items).sum::<u64>();
        tally.left += (group.len() - added) as u64;
        group.clear();
        Ok(())
    }
}

fn shown(path: &Path) -> String {
    if is_stdin(path) { "stdin".into() } else { path.display().to_string() }
}

/// Written and synced at a time.
const GROUP_BYTES: usize = 1 << 20;
