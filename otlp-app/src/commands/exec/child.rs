//! The command as a child process: signals are passed on until the command ends.

use super::environment::Environment;
use crate::exit::Failure;
use crate::signals::Signals;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpgrp, kill_process, waitid};
use rustix::termios::tcgetpgrp;
use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use tokio::sync::oneshot;

/// Runs the command to its end. Any outcome but exit code 0 is a failure.
pub(super) async fn run(
    command: &[OsString],
    environment: &Environment,
    signals: &mut Signals,
) -> Result<(), Failure> {
    let mut child = start(command, environment)?;
    let pid = Pid::from_child(&child);
    let (sender, mut ended) = oneshot::channel();
    let wait = move || {
        // Leaves the process to be reaped: until then no other process has the id that signals go to.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while waitid(WaitId::Pid(pid), options).is_err_and(|error| error == Errno::INTR) {}
        let _ = sender.send(());
    };
    if let Err(error) = std::thread::Builder::new().name("wait".into()).spawn(wait) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(error.into());
    }
    loop {
        tokio::select! {
            biased;
            _ = &mut ended => break,
            name = signals.end_asked() => pass(name, pid),
        }
    }
    match code(child.wait()?) {
        0 => Ok(()),
        code => Err(Failure::Command { code, problem: String::new() }),
    }
}

fn start(command: &[OsString], environment: &Environment) -> Result<Child, Failure> {
    let [program, arguments @ ..] = command else {
        return Err(Failure::Runtime("no command is given after `--`".into()));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    environment.apply(&mut command);
    command.spawn().map_err(|error| {
        let program = program.to_string_lossy();
        let code = if error.kind() == ErrorKind::NotFound { NOT_FOUND } else { NOT_EXECUTABLE };
        Failure::Command { code, problem: format!("otlp: cannot run `{program}`: {error}") }
    })
}

/// Passes a signal to the command.
fn pass(name: &str, pid: Pid) {
    let signal = match name {
        "SIGTERM" => Signal::TERM,
        "SIGHUP" => Signal::HUP,
        // A terminal sends these signals to all processes in its foreground: the command has it already.
        "SIGINT" | "SIGQUIT" if is_in_foreground() => return,
        "SIGINT" => Signal::INT,
        "SIGQUIT" => Signal::QUIT,
        _ => return,
    };
    if let Err(error) = kill_process(pid, signal) {
        tracing::warn!("{name} could not be passed to the command: {error}");
    }
}

/// Returns true if this process is in the foreground of its terminal.
fn is_in_foreground() -> bool {
    File::open("/dev/tty").is_ok_and(|terminal| tcgetpgrp(terminal) == Ok(getpgrp()))
}

/// Returns the exit code of a command as shells tell it.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| Some(SIGNALED + status.signal()?));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;
/// Added to the number of the signal that ended a command.
const SIGNALED: i32 = 128;
