//! `otlp config`: prints the merged configuration, or the JSON Schema of configuration files.

pub(crate) mod schema;

use crate::app;
use crate::args::ConfigArgs;
use crate::exit::Failure;
use clap::Subcommand;
use otlp_service::PluginManager;
use std::io::Write;

/// Commands below `otlp config`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the merged configuration as YAML, without secrets and without the values of variables
    Print(ConfigArgs),
    /// Print the JSON Schema of configuration files, for completion and checks in editors
    #[command(after_help = SCHEMA_HELP)]
    Schema,
}

/// Runs a command below `otlp config`.
pub(crate) fn run(command: &ConfigCommand, plugins: &PluginManager) -> Result<(), Failure> {
    match command {
        ConfigCommand::Print(args) => app::print_config(args),
        ConfigCommand::Schema => {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{:#}", schema::schema(plugins))?;
            Ok(())
        }
    }
}

const SCHEMA_HELP: &str = "\
Examples:
  otlp config schema > otlp.schema.json

First line of a configuration file, for editors with the YAML language server (VS Code, Neovim, Helix, JetBrains):

  # yaml-language-server: $schema=./otlp.schema.json";
