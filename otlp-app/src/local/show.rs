//! What the local gateway shows of a batch: a line, or that and what is inside.
//!
//! Everything shown comes from a sender: it is cut to limits, and escaped, since a terminal obeys control characters.

use crate::output::Output;
use otlp_protocol::wire::{Cursor, WireError, WireType};
use otlp_protocol::{Accepted, Batch};
use otlp_transport::{Export, ExportResult};
use std::fmt::Write as _;
use std::io::Write;

/// Writes a line for each batch to stdout, and accepts it.
pub(crate) struct Show {
    /// Whether to write a line for each resource and scope, too.
    pub(crate) details: bool,
}

/// A resource, as far as it is shown.
#[derive(Default)]
struct Resource {
    attributes: Vec<(String, String)>,
    scopes: Vec<Scope>,
}

/// A scope, as far as it is shown.
#[derive(Default)]
struct Scope {
    name: String,
    entries: u64,
}

/// Takes a field's number and value.
type Take<'a> = dyn FnMut(u32, &[u8]) -> Result<(), WireError> + 'a;

impl Export for Show {
    async fn export(&self, batch: Batch) -> ExportResult {
        let text = self.text(&batch);
        // A stdout that is closed, or that nobody reads, costs lines, never batches.
        let _ = Output::stdout().write_all(text.as_bytes());
        Ok(Accepted::FULL)
    }
}

impl Show {
    fn text(&self, batch: &Batch) -> String {
        let body = batch.body().plain().to_contiguous();
        let limit = if self.details { MAX_SHOWN } else { 1 };
        let mut resources = Vec::new();
        // The body has been checked; what a damaged one would show is what could be read of it.
        let _ = read_request(&body, limit, &mut resources);
        let service = resources.iter().find_map(Resource::service).unwrap_or_default();
        let noun = batch.signal.items_noun.replace('_', " ");
        let size = bytes(batch.len());
        let mut text =
            format!("{:<9}{:>8} {noun:<16}{size:>10}  {service}\n", batch.signal.name, batch.items());
        if self.details {
            resources.iter().for_each(|resource| resource.describe(&mut text));
        }
        text
    }
}

// === impl Resource ===

impl Resource {
    fn service(&self) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == "service.name").map(|(_, value)| value.as_str())
    }

    fn describe(&self, text: &mut String) {
        let attributes: Vec<_> =
            self.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let _ = writeln!(text, "  resource {}", attributes.join(" "));
        for Scope { name, entries } in &self.scopes {
            let name = if name.is_empty() { "(unnamed)" } else { name };
            let _ = writeln!(text, "    scope {name}: {entries} entries");
        }
    }
}

/// `repeated resource_* = 1`, the same for every signal.
fn read_request(body: &[u8], limit: usize, resources: &mut Vec<Resource>) -> Result<(), WireError> {
    fields(body, &mut |number, value| {
        if number == 1 && resources.len() < limit {
            let mut resource = Resource::default();
            let result = read_resource(value, &mut resource);
            resources.push(resource);
            return result;
        }
        Ok(())
    })
}

/// `resource = 1 { attributes = 1 }`, `repeated scope_* = 2`.
fn read_resource(body: &[u8], resource: &mut Resource) -> Result<(), WireError> {
    let Resource { attributes, scopes } = resource;
    fields(body, &mut |number, value| match number {
        1 => fields(value, &mut |number, value| {
            if number == 1 && attributes.len() < MAX_SHOWN {
                attributes.extend(read_attribute(value)?);
            }
            Ok(())
        }),
        2 if scopes.len() < MAX_SHOWN => {
            scopes.push(read_scope(value)?);
            Ok(())
        }
        _ => Ok(()),
    })
}

/// `scope = 1 { name = 1 }`, `repeated entry = 2`.
fn read_scope(body: &[u8]) -> Result<Scope, WireError> {
    let mut scope = Scope::default();
    fields(body, &mut |number, value| {
        match number {
            1 => fields(value, &mut |number, value| {
                if number == 1 {
                    scope.name = shown(value);
                }
                Ok(())
            })?,
            2 => scope.entries += 1,
            _ => {}
        }
        Ok(())
    })?;
    Ok(scope)
}

/// `key = 1`, `value = 2 { string_value = 1 }`; attributes of other types are left out.
fn read_attribute(body: &[u8]) -> Result<Option<(String, String)>, WireError> {
    let (mut key, mut text) = (String::new(), None);
    fields(body, &mut |number, value| match number {
        1 => {
            key = shown(value);
            Ok(())
        }
        2 => fields(value, &mut |number, value| {
            if number == 1 {
                text = Some(shown(value));
            }
            Ok(())
        }),
        _ => Ok(()),
    })?;
    Ok(text.map(|text| (key, text)))
}

/// Hands every field that has a length to `take`.
fn fields(body: &[u8], take: &mut Take<'_>) -> Result<(), WireError> {
    let mut cursor = Cursor::new(body);
    while !cursor.is_at_end() {
        match cursor.tag()? {
            (number, WireType::Len) => take(number, cursor.len_delimited()?)?,
            (number, wire_type) => cursor.skip_value(number, wire_type)?,
        }
    }
    Ok(())
}

/// A sender's text, cut and escaped.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.get(..MAX_TEXT_BYTES).unwrap_or(text));
    text.chars().flat_map(|c| c.escape_debug().take(if c.is_control() { usize::MAX } else { 1 })).collect()
}

fn bytes(count: usize) -> String {
    match count {
        0..=999 => format!("{count} B"),
        1_000..=999_999 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.1} MB", count as f64 / 1e6),
    }
}

/// Of resources in a batch, of attributes and scopes in a resource.
const MAX_SHOWN: usize = 20;
const MAX_TEXT_BYTES: usize = 200;

#[cfg(test)]
mod tests;
