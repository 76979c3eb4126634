//! `otlp components`.

use crate::exit::Failure;
use otlp_service::{ComponentType, Kind, PluginManager};
use std::io::Write;

/// Lists every component type by kind.
pub(crate) fn list(plugins: &PluginManager, out: &mut dyn Write) -> Result<(), Failure> {
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
