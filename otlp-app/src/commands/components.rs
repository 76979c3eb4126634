//! `otlp components`.

use crate::exit::Failure;
use clap::Args;
use otlp_service::{ComponentType, Kind, PluginContents, PluginManager};
use std::io::Write;

/// Flags of `otlp components`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ComponentsArgs {
    /// List the plugins instead: name, version, component types, and steps of processing with their order
    #[arg(long)]
    plugins: bool,
}

/// Writes the list that the flags ask for.
pub(crate) fn run(
    args: &ComponentsArgs,
    plugins: &PluginManager,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if args.plugins { list_plugins(plugins, out) } else { list(plugins, out) }
}

/// Lists every component type by kind.
fn list(plugins: &PluginManager, out: &mut dyn Write) -> Result<(), Failure> {
    let width = plugins.types().iter().map(|known| known.name.len()).max().unwrap_or_default();
    for kind in Kind::ALL {
        let mut types = plugins.of(kind).peekable();
        if types.peek().is_some() {
            writeln!(out, "{}:", kind.section())?;
        }
        for ComponentType { name, aliases, about, .. } in types {
            let also =
                if aliases.is_empty() { String::new() } else { format!(" (also: {})", aliases.join(", ")) };
            writeln!(out, "  {name:<width$} {about}{also}")?;
        }
    }
    Ok(())
}

/// Lists every plugin with the names of its component types.
fn list_plugins(plugins: &PluginManager, out: &mut dyn Write) -> Result<(), Failure> {
    for PluginContents { plugin, types, steps, .. } in plugins.contents() {
        writeln!(out, "{plugin}")?;
        for kind in Kind::ALL {
            let names: Vec<_> =
                types.iter().filter(|known| known.kind() == kind).map(|known| known.name).collect();
            if !names.is_empty() {
                writeln!(out, "  {}: {}", kind.section(), names.join(", "))?;
            }
        }
        for step in steps {
            writeln!(out, "  step of processing: {} (order {})", step.name(), step.order())?;
        }
    }
    Ok(())
}

const AFTER_HELP: &str = "\
Examples:
  otlp components            list receivers, processors, exporters, connectors and extensions
  otlp components --plugins  list the plugins that they come from";

#[cfg(test)]
mod tests;
