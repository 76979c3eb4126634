//! How the process ends.

use std::io::Write;
use std::process::ExitCode;

/// Why the process fails; `Display` is for people and may have several lines.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The configuration cannot work: exit code 78, `EX_CONFIG` of sysexits.h.
    #[error("{0}")]
    Config(String),
    /// Something failed while starting or running: exit code 1.
    #[error("otlp: {0}")]
    Runtime(String),
    /// A second signal asked to stop at once: exit code 130, as of a process that SIGINT ended.
    #[error("otlp: stopped before everything was delivered")]
    Interrupted,
}

/// Writes a failure to stderr and says how to exit.
pub(crate) fn report(outcome: Result<(), Failure>) -> ExitCode {
    let Err(failure) = outcome else {
        return ExitCode::SUCCESS;
    };
    // Nobody is left to tell if stderr is closed.
    let _ = writeln!(std::io::stderr(), "{}", failure.to_string().trim_end());
    ExitCode::from(match failure {
        Failure::Config(_) => 78,
        Failure::Runtime(_) => 1,
        Failure::Interrupted => 130,
    })
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Runtime(error.to_string())
    }
}
