//! `${…}` in scalars: environment variables and files.
//!
//! `${env:NAME}`, `${NAME}`, `${env:NAME:-default}`, `${file:path}`; `$$` is a `$`. A scalar that is one reference takes
//! the type of what it refers to (`queue_size: ${env:SIZE}`), also a list or a map; a reference within a longer text is
//! text. Files are expanded in turn; environment variables are taken as they are, so that their owner cannot read files.
//! Variables that are not set are gathered, so that one error shows all of them.

use super::lookup::{Lookup, MAX_FILE_BYTES};
use super::node::{Entry, Node, Value};
use super::parse::parse;
use super::problem::Problem;
use super::source::{SourceId, Sources, Span};
use super::unset::Unset;

/// Replaces every reference below `node`. Variables that are not set and have no default are empty, and added to `unset`.
pub(crate) fn expand(
    node: &mut Node,
    sources: &mut Sources,
    lookup: &dyn Lookup,
    unset: &mut Vec<Unset>,
) -> Result<(), Problem> {
    Expander { sources, lookup, unset, references: 0, bytes: 0 }.expand(node, 0)
}

struct Expander<'a> {
    sources: &'a mut Sources,
    lookup: &'a dyn Lookup,
    unset: &'a mut Vec<Unset>,
    references: usize,
    bytes: usize,
}

/// A part of a scalar's text: plain text or a reference.
enum Part<'a> {
    Text(&'a str),
    /// The text between `${` and `}`.
    Reference(&'a str),
}

// === impl Expander ===

impl Expander<'_> {
    fn expand(&mut self, node: &mut Node, nested_files: usize) -> Result<(), Problem> {
        let span = node.span;
        match &mut node.value {
            Value::List(nodes) => nodes.iter_mut().try_for_each(|node| self.expand(node, nested_files)),
            Value::Map(entries) => {
                entries.iter_mut().try_for_each(|Entry { value, .. }| self.expand(value, nested_files))
            }
            Value::Scalar(scalar) if !scalar.text.contains('$') => Ok(()),
            Value::Scalar(scalar) => {
                let text = std::mem::take(&mut scalar.text);
                match cut(&text).map_err(|problem| problem.or_at(span))?.as_slice() {
                    [Part::Reference(reference)] => {
                        let quoted = !scalar.plain;
                        *node = self.whole(reference, span, nested_files)?;
                        keep_empty_text(node, quoted);
                    }
                    parts => {
                        scalar.referred = parts.iter().any(|part| matches!(part, Part::Reference(_)));
                        scalar.in_file = scalar.referred.then(|| text.as_str().into());
                        scalar.text = self.joined(parts, span, nested_files)?;
                        scalar.plain = false;
                    }
                }
                Ok(())
            }
        }
    }

    /// Returns the value of a scalar that is one reference.
    fn whole(&mut self, reference: &str, span: Span, nested_files: usize) -> Result<Node, Problem> {
        let (text, file) = self.look_up(reference, span, nested_files)?;
        let written = format!("${{{reference}}}");
        let structured = text.starts_with(['{', '[']) || (file.is_some() && text.trim_end().contains('\n'));
        let parsed = structured.then(|| parse(&text, file.unwrap_or(span.source)).ok()).flatten();
        // A secret may begin like a list, and a certificate has several lines: text that is no list or map is taken as text.
        match (parsed.filter(|node| !matches!(node.value, Value::Scalar(_))), file) {
            (Some(mut node), Some(_)) => {
                node.written = Some(text.trim_end_matches(['\n', '\r']).into());
                self.sources.was_read(node.span.source);
                self.sources.hide_secrets(&node);
                self.expand(&mut node, nested_files + 1)?;
                Ok(node)
            }
            (Some(mut node), None) => {
                place_at(&mut node, span, &written);
                node.written = Some(text.into());
                Ok(node)
            }
            (None, _) => {
                let text = text.trim_end_matches(['\n', '\r']).to_owned();
                let mut node = Node::scalar(text, true, span);
                place_at(&mut node, span, &written);
                Ok(node)
            }
        }
    }

    /// Returns a text whose references are replaced.
    fn joined(&mut self, parts: &[Part<'_>], span: Span, nested_files: usize) -> Result<String, Problem> {
        let mut joined = String::new();
        for part in parts {
            match part {
                Part::Text(text) => joined.push_str(text),
                Part::Reference(reference) => {
                    let (text, _) = self.look_up(reference, span, nested_files)?;
                    joined.push_str(text.trim_end_matches(['\n', '\r']));
                }
            }
        }
        Ok(joined)
    }

    /// Returns the text of a reference, and its source if that is a file.
    fn look_up(
        &mut self,
        reference: &str,
        span: Span,
        nested_files: usize,
    ) -> Result<(String, Option<SourceId>), Problem> {
        self.references += 1;
        if self.references > MAX_REFERENCES {
            return Err(Problem::at(span, format!("more than {MAX_REFERENCES} references `${{…}}`")));
        }
        let (scheme, rest) = match reference.split_once(':') {
            Some((scheme @ ("env" | "file"), rest)) => (scheme, rest),
            Some((name, default)) if default.starts_with('-') && is_name(name) => ("env", reference),
            // The text is not shown: it may be part of a secret that contains `${`.
            Some(_) => {
                let message = "unknown kind of reference; available: `${env:NAME}`, `${file:PATH}`";
                return Err(Problem::at(span, message).help("write `$$` for a literal `$`"));
            }
            None => ("env", reference),
        };
        let (text, file) = match scheme {
            "file" => self.read_file(rest, span, nested_files)?,
            _ => (self.read_env(rest, span)?, None),
        };
        self.bytes += text.len();
        if self.bytes > MAX_REFERENCED_BYTES {
            return Err(Problem::at(
                span,
                format!("the references `${{…}}` stand for more than {MAX_REFERENCED_BYTES} bytes"),
            ));
        }
        Ok((text, file))
    }

    fn read_env(&mut self, reference: &str, span: Span) -> Result<String, Problem> {
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        if !is_name(name) {
            // The text is not shown: it may be part of a secret that contains `${`.
            let message = "invalid name of an environment variable after `${`";
            return Err(Problem::at(span, message).help("write `$$` for a literal `$`"));
        }
        let value = self.lookup.env(name).or_else(|| default.map(str::to_owned));
        if value.is_none() {
            self.unset.push(Unset { name: name.to_owned(), span });
        }
        Ok(value.unwrap_or_default())
    }

    fn read_file(
        &mut self,
        path: &str,
        span: Span,
        nested_files: usize,
    ) -> Result<(String, Option<SourceId>), Problem> {
        if nested_files >= MAX_NESTED_FILES {
            return Err(Problem::at(
                span,
                format!("`${{file:…}}` references are nested deeper than {MAX_NESTED_FILES} files"),
            ));
        }
        let text = self
            .lookup
            .file(path)
            .map_err(|error| Problem::at(span, format!("cannot read `{}`: {error}", path.escape_debug())))?;
        let source = self.sources.add(path, text.as_str());
        Ok((text, Some(source)))
    }
}

/// Cuts a text at its references; `$$` becomes `$`, any other `$` stays.
fn cut(text: &str) -> Result<Vec<Part<'_>>, Problem> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        let (before, from) = rest.split_at(dollar);
        if !before.is_empty() {
            parts.push(Part::Text(before));
        }
        rest = if let Some(after) = from.strip_prefix("$$") {
            parts.push(Part::Text("$"));
            after
        } else if let Some(after) = from.strip_prefix("${") {
            let (reference, after) = after.split_once('}').ok_or_else(|| {
                Problem::new("`${` without a closing `}`").help("write `$$` for a literal `$`")
            })?;
            parts.push(Part::Reference(reference));
            after
        } else {
            parts.push(Part::Text("$"));
            &from[1..]
        };
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    Ok(parts)
}

/// Makes a reference in quotes with an empty value the empty text, and one without quotes null.
fn keep_empty_text(node: &mut Node, quoted: bool) {
    if let Value::Scalar(scalar) = &mut node.value
        && scalar.text.is_empty()
    {
        scalar.plain = !quoted;
    }
}

/// Gives all values below `node` the place of the reference, and marks them as values of a variable, which errors must not
/// show.
fn place_at(node: &mut Node, span: Span, written: &str) {
    node.span = span;
    match &mut node.value {
        Value::Scalar(scalar) => (scalar.referred, scalar.in_file) = (true, Some(written.into())),
        Value::List(nodes) => nodes.iter_mut().for_each(|node| place_at(node, span, written)),
        Value::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.key_span = span;
            place_at(&mut entry.value, span, written);
        }),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Limit of the Collector.
const MAX_REFERENCES: usize = 100;
const MAX_NESTED_FILES: usize = 8;
const MAX_REFERENCED_BYTES: usize = MAX_FILE_BYTES;
