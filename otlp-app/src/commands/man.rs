//! `otlp man`: the manual pages.

use crate::args::Args;
use crate::exit::Failure;
use clap::CommandFactory;
use clap_mangen::Man;
use std::io::Write;
use std::path::PathBuf;

/// Flags of `otlp man`.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct ManArgs {
    /// Directory for the pages of all commands, which must exist. Default: the page of `otlp` goes to standard output
    #[arg(value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

/// Prints the page of `otlp`, or writes the pages of all commands.
pub(crate) fn run(args: &ManArgs) -> Result<(), Failure> {
    let Some(directory) = &args.directory else {
        let mut page = Vec::new();
        Man::new(Args::command()).render(&mut page)?;
        std::io::stdout().lock().write_all(&page)?;
        return Ok(());
    };
    clap_mangen::generate_to(Args::command(), directory).map_err(|error| {
        Failure::Runtime(format!("{}: cannot write the manual pages: {error}", directory.display()))
    })
}

const HELP: &str = "\
Examples:
  otlp man | man -l -                        read the manual page
  otlp man /usr/local/share/man/man1         install the pages of all commands";
