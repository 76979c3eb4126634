//! `otlp ottl check`.

use super::{Fault, Texts, explained};
use crate::exit::Failure;
use otlp_protocol::Signal;
use otlp_service::ErrorMode;
use std::fmt::Write as _;
use std::io::{Write, stdout};

/// Checks the texts, and prints the signals for which they are valid, and remarks.
pub(super) fn run(texts: &Texts) -> Result<(), Failure> {
    let text = report(texts).map_err(|problem| Failure::Command { code: 1, problem })?;
    stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// Returns the text for people.
///
/// # Errors
/// The faults of the texts, for the signal that the texts fit best.
pub(super) fn report(texts: &Texts) -> Result<String, String> {
    let all = Signal::ALL;
    let signals = texts.signal.as_ref().map_or(&all[..], std::slice::from_ref);
    let (mut valid, mut remarks) = (Vec::new(), Vec::new());
    let mut fewest: Option<Vec<Fault>> = None;
    for signal in signals {
        match texts.program(*signal, ErrorMode::Ignore) {
            Ok(program) => {
                valid.push(signal.name);
                program.remarks().into_iter().for_each(|remark| {
                    if !remarks.contains(&remark) {
                        remarks.push(remark);
                    }
                });
            }
            Err(faults) if fewest.as_ref().is_none_or(|fewest| rank(&faults) < rank(fewest)) => {
                fewest = Some(faults);
            }
            Err(_) => {}
        }
    }
    if valid.is_empty() {
        return Err(explained(&fewest.unwrap_or_default()));
    }
    let mut text = format!("valid for {}\n", valid.join(", "));
    for (flag, remark) in remarks {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "note: {flag}: {remark}");
    }
    Ok(text)
}

/// Faults at places come before faults of whole texts, whose paths belong to another signal; few faults before many.
fn rank(faults: &[Fault]) -> (bool, usize) {
    let is_of_all = faults.iter().any(|fault| fault.error.is_of_all());
    (is_of_all, faults.iter().map(|fault| fault.error.explained().count()).sum())
}
