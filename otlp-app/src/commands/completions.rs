//! `otlp completions`: the completion script of a shell.

use crate::args::Args;
use crate::exit::Failure;
use clap::CommandFactory;
use clap_complete::Shell;
use std::io::Write;

/// Flags of `otlp completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct CompletionsArgs {
    /// Shell that the script is for
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "otlp", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(())
}

const HELP: &str = "\
Examples:
  otlp completions bash > /etc/bash_completion.d/otlp
  otlp completions zsh > /usr/local/share/zsh/site-functions/_otlp
  otlp completions fish > ~/.config/fish/completions/otlp.fish
  otlp completions powershell >> $PROFILE";
