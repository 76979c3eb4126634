//! `otlp queue verify`.

use super::place::Found;
use crate::commands::text::{counted, grouped};
use crate::exit::Failure;
use otlp_service::FileReport;
use std::fmt::Write as _;
use std::io::{Write, stdout};

/// Reads all records of the queues, and writes a line for each queue and each fault.
pub(super) fn run(queues: &[Found]) -> Result<(), Failure> {
    let mut faulty = 0;
    for queue in queues {
        let view = queue.view()?;
        let reports = view.verify();
        let is_sound = !view.is_cursor_damaged() && reports.iter().all(FileReport::is_sound);
        faulty += u64::from(!is_sound);
        stdout().lock().write_all(text(queue, &reports, view.is_cursor_damaged()).as_bytes())?;
    }
    if queues.is_empty() {
        writeln!(stdout().lock(), "there is no queue on disk")?;
    }
    match faulty {
        0 => Ok(()),
        faulty => Err(Failure::Runtime(format!("damaged queues: {faulty} of {}", queues.len()))),
    }
}

fn text(queue: &Found, reports: &[FileReport], is_cursor_damaged: bool) -> String {
    let sum = |number: fn(&FileReport) -> u64| reports.iter().map(number).sum::<u64>();
    let (requests, undelivered) = (sum(|report| report.requests), sum(|report| report.undelivered));
    let mut text = format!(
        "{}: {}, {}, {} of them not delivered\n",
        queue.name,
        counted(reports.len() as u64, "files"),
        counted(requests, "sound requests"),
        grouped(undelivered)
    );
    if is_cursor_damaged {
        text.push_str("  the cursor is damaged: requests that were delivered may be delivered again\n");
    }
    for report in reports {
        let path = queue.directory.join(&report.file);
        let mut fault = |problem: String| {
            let _ = writeln!(text, "  {}: {problem}", path.display());
        };
        for damage in &report.damage {
            let bytes = counted(damage.end - damage.start, "bytes");
            fault(format!("damaged: {bytes} at byte {}", damage.start));
        }
        if report.lost > 0 {
            fault(format!("not delivered and not readable: {}", counted(report.lost, "requests")));
        }
        if report.unfinished_bytes > 0 {
            let bytes = counted(report.unfinished_bytes, "bytes");
            fault(format!(
                "{bytes} at the end of a request that is being written, or was in a crash: no damage"
            ));
        }
        report.error.iter().for_each(|error| fault(format!("cannot be read to its end: {error}")));
    }
    text
}
