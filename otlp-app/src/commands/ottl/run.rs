//! `otlp ottl run`.

use super::difference::Difference;
use super::{Program, RunArgs, Texts, explained};
use crate::commands::input::{Input, is_stdin};
use crate::commands::text::counted;
use crate::exit::Failure;
use otlp_protocol::{Batch, Body, Charge, Signal};
use otlp_service::{ErrorMode, Out};
use std::io::{Write, stderr, stdout};

/// Numbers over the whole file.
#[derive(Default)]
struct Counts {
    requests: u64,
    items: u64,
    changed: u64,
    removed: u64,
    added: u64,
    /// Requests in which a text failed, or that cannot be read.
    failed: u64,
}

/// The programs of a signal: one whose errors end the request, to see the first error, and one that goes on.
struct Programs {
    signal: Signal,
    strict: Program,
    lenient: Program,
}

/// Runs the texts on each request of the file.
pub(super) fn run(args: &RunArgs) -> Result<(), Failure> {
    let name = if is_stdin(&args.file) { "stdin".into() } else { args.file.display().to_string() };
    let failure = |problem: String| Failure::Runtime(format!("{name}: {problem}"));
    let input = Input::open(&args.file).map_err(|error| failure(error.to_string()))?;
    let mut programs: Vec<Programs> = Vec::new();
    let mut counts = Counts::default();
    let mut out = stdout().lock();
    for read in input {
        counts.requests += 1;
        let body = match read.and_then(|record| record.body(args.texts.signal)) {
            Ok(body) => body,
            Err(error) => {
                writeln!(stderr(), "otlp: {name}: {error}")?;
                counts.failed += 1;
                continue;
            }
        };
        let programs = of_signal(&args.texts, body.signal(), &mut programs)?;
        let (after, error) = programs.process(&body);
        if let Some(error) = error {
            writeln!(out, "! request {}: {error}", counts.requests)?;
            counts.failed += 1;
        }
        let difference = Difference::of(&body, after.as_ref());
        let room = args.max_items.saturating_sub(counts.changed + counts.removed + counts.added);
        counts.add(&body, &difference);
        out.write_all(difference.text(room).as_bytes())?;
    }
    writeln!(stderr(), "otlp: {counts}")?;
    match counts.failed {
        0 => Ok(()),
        failed => Err(failure(format!("{} failed", counted(failed, "requests")))),
    }
}

/// Returns the programs of a signal, which are made when the first request of the signal comes.
fn of_signal<'p>(
    texts: &Texts,
    signal: Signal,
    programs: &'p mut Vec<Programs>,
) -> Result<&'p Programs, Failure> {
    let index = match programs.iter().position(|programs| programs.signal == signal) {
        Some(index) => index,
        None => {
            let of = |mode| {
                let program = texts.program(signal, mode);
                program.map_err(|faults| Failure::Command { code: 1, problem: explained(&faults) })
            };
            programs.push(Programs {
                signal,
                strict: of(ErrorMode::Propagate)?,
                lenient: of(ErrorMode::Silent)?,
            });
            programs.len() - 1
        }
    };
    programs.get(index).ok_or_else(|| Failure::Runtime("there is no program for the signal".into()))
}

// === impl Programs ===

impl Programs {
    /// Returns what is left of a body, and the first error.
    fn process(&self, body: &Body) -> (Option<Body>, Option<String>) {
        let process = |program: &Program| {
            let mut out = Out::new();
            program.processor().process(Batch::new(body.clone(), Charge::none()), &mut out)?;
            Ok::<_, otlp_transport::ExportError>(out.into_batches().pop().map(|batch| batch.body().clone()))
        };
        let error = match process(&self.strict) {
            Ok(after) => return (after, None),
            Err(error) => error.to_string(),
        };
        match process(&self.lenient) {
            Ok(after) => (after, Some(error)),
            Err(error) => (Some(body.clone()), Some(error.to_string())),
        }
    }
}

// === impl Counts ===

impl Counts {
    fn add(&mut self, body: &Body, difference: &Difference) {
        self.items += body.count().items;
        self.changed += difference.changed();
        self.removed += difference.removed();
        self.added += difference.added();
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (requests, items) = (counted(self.requests, "requests"), counted(self.items, "items"));
        write!(
            f,
            "{requests}, {items}: {} changed, {} removed, {} added",
            self.changed, self.removed, self.added
        )
    }
}
