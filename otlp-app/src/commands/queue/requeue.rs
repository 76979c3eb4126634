//! `otlp queue requeue`.

use super::RequeueArgs;
use super::place::Found;
use crate::commands::input::{Input, is_stdin};
use crate::commands::text::counted;
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
    /// Requests of a file that could not be added.
    broken: u64,
}

/// Adds the requests of files to a queue.
pub(super) fn run(queue: &Found, args: &RequeueArgs) -> Result<(), Failure> {
    let signal = queue.signal.ok_or_else(|| {
        Failure::Usage(format!("{}: the name of the directory is no signal", queue.directory.display()))
    })?;
    let pipeline = args.pipeline.as_deref().unwrap_or(signal.name);
    let mut requeue = Requeue { queue, files: queue.open()?, signal, pipeline, broken: 0 };
    for path in &args.files {
        let (requests, items) = requeue.add(path)?;
        let (requests, items) = (counted(requests, "requests"), counted(items, "items"));
        writeln!(stdout().lock(), "{}: added to queue {}: {requests} with {items}", shown(path), queue.name)?;
    }
    let Requeue { files, broken, .. } = requeue;
    files.close().map_err(|error| queue.failure(&error))?;
    match broken {
        0 => Ok(()),
        broken => Err(Failure::Runtime(format!("not added: {}", counted(broken, "broken requests")))),
    }
}

// === impl Requeue ===

impl Requeue<'_> {
    /// Adds the requests of a file. Returns the number of requests and items.
    fn add(&mut self, path: &Path) -> Result<(u64, u64), Failure> {
        let input =
            Input::open(path).map_err(|error| Failure::Runtime(format!("{}: {error}", shown(path))))?;
        let (mut requests, mut items) = (0, 0);
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
            requests += 1;
            items += batch.items();
            bytes += batch.len();
            group.push(batch);
            if bytes >= GROUP_BYTES {
                self.append(&group, path, requests - group.len() as u64)?;
                group.clear();
                bytes = 0;
            }
        }
        self.append(&group, path, requests - group.len() as u64)?;
        Ok((requests, items))
    }

    /// Appends a group, before which `added` requests of the file were added.
    fn append(&self, group: &[Batch], path: &Path, added: u64) -> Result<(), Failure> {
        if group.is_empty() {
            return Ok(());
        }
        let appended = self.files.append(group, self.pipeline, TokioClock.wall());
        appended.map_err(|error| {
            let added = counted(added, "requests");
            self.queue.failure(&format!("{error}; added of {}: {added}", shown(path)))
        })
    }
}

fn shown(path: &Path) -> String {
    if is_stdin(path) { "stdin".into() } else { path.display().to_string() }
}

/// Written and synced at a time.
const GROUP_BYTES: usize = 1 << 20;
