//! `otlp queue export`.

use super::place::Found;
use crate::commands::convert::{Names, Output};
use crate::commands::input::is_stdin;
use crate::commands::text::counted;
use crate::exit::Failure;
use otlp_service::StoredRequest;
use std::io::{self, Write, stderr};
use std::path::Path;

/// Writes what is left in a queue to a file.
pub(super) fn run(queue: &Found, path: &Path) -> Result<(), Failure> {
    let unwritable = |error: io::Error| Failure::Runtime(format!("{}: {error}", path.display()));
    let view = queue.view()?;
    let mut output = open(path).map_err(unwritable)?;
    output.write_all(HEADER).map_err(unwritable)?;
    let (mut requests, mut items, mut unread) = (0, 0, 0);
    for request in view.requests() {
        match request {
            Ok(request) => {
                write(&mut output, &request).map_err(unwritable)?;
                requests += 1;
                items += request.batch.items();
            }
            Err(error) => {
                unread += 1;
                note(&format!("queue {}: a file cannot be read to its end: {error}", queue.name));
            }
        }
    }
    output.finish().map_err(unwritable)?;
    if !is_stdin(path) {
        let (requests, items) = (counted(requests, "requests"), counted(items, "items"));
        let signal = queue.signal.map(|signal| format!(" of {}", signal.name)).unwrap_or_default();
        note(&format!(
            "{}: {requests}{signal} with {items}, as they are in queue {}",
            path.display(),
            queue.name
        ));
    }
    match unread {
        0 => Ok(()),
        _ => Err(queue.failure(&"requests are missing in the file; `otlp queue verify` shows the damage")),
    }
}

/// A new file is readable by its owner alone, as the queue is.
fn open(path: &Path) -> io::Result<Output> {
    let Some(names) = Names::of(path) else { return Output::open(path) };
    let output = Output::create(path, &names)?;
    names.make_private()?;
    Ok(output)
}

fn write(output: &mut Output, request: &StoredRequest) -> io::Result<()> {
    let body = request.batch.body().plain();
    let len = u32::try_from(body.len()).map_err(|_| io::Error::other("a request is larger than 4 GiB"))?;
    output.write_all(&len.to_be_bytes())?;
    body.segments().try_for_each(|segment| output.write_all(segment))
}

fn note(text: &str) {
    let _ = writeln!(stderr().lock(), "otlp: {text}");
}

/// Two empty requests: no other file that `otlp inspect` reads begins so, whatever bytes a request begins with.
const HEADER: &[u8] = &[0; 8];
