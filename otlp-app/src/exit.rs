//! Exit codes of the process.

use crate::output::Output;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::time::Duration;

/// Longest time that the process waits at its end for its last log lines to be read from stdout or stderr.
pub(crate) const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// Failure of the process. `Display` is the text for the operator and may have several lines.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The configuration is wrong: exit code 78, `EX_CONFIG` of sysexits.h.
    #[error("{0}")]
    Config(String),
    /// Something failed while starting or running: exit code 1.
    #[error("otlp: {0}")]
    Runtime(String),
    /// The command line is wrong in a way that only a command itself can find: exit code 2.
    #[error("otlp: {0}")]
    Usage(String),
    /// The reader of stdout has gone, such as `head` of `otlp … | head`: exit code 141, as of a process that SIGPIPE ended. Nothing
    /// is written to stderr.
    #[error("")]
    ReaderGone,
    /// A destination did not accept everything that a command sent.
    #[error("otlp: not everything was accepted: {problem}")]
    NotAccepted {
        /// Exit code.
        code: u8,
        /// Counts of what was not accepted.
        problem: String,
    },
    /// A command ends with an exit code of its own, such as that of the command of `otlp exec`.
    #[error("{problem}")]
    Command {
        /// Exit code.
        code: u8,
        /// Text of the error; empty if the command has written the error itself.
        problem: String,
    },
    /// A second signal stopped the process before the drain was over: exit code 130, as of a process that SIGINT ended.
    #[error("otlp: stopped by a second signal before the drain was over")]
    Interrupted,
}

/// Writes a failure to stderr, and waits at most [`FLUSH_LIMIT`] for each stream to be read. Returns the exit code.
pub(crate) fn report(outcome: Result<(), Failure>) -> ExitCode {
    let code = match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = failure.to_string();
            if !text.is_empty() {
                let _ = Output::stderr().write_all(format!("{}\n", text.trim_end()).as_bytes());
            }
            failure.exit_code()
        }
    };
    Output::files().into_iter().for_each(|file| file.flush_within(FLUSH_LIMIT));
    Output::stdout().flush_within(FLUSH_LIMIT);
    Output::stderr().flush_within(FLUSH_LIMIT);
    code
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Config(_) => 78,
            Self::Runtime(_) => 1,
            Self::Usage(_) => 2,
            Self::ReaderGone => 141,
            Self::NotAccepted { code, .. } | Self::Command { code, .. } => *code,
            Self::Interrupted => 130,
        })
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Runtime(error.to_string()),
        }
    }
}
