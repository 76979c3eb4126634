//! Prints a configuration's tree as YAML, without secrets.

use super::mask;
use super::node::{Entry, Node, Scalar, Value};

/// Prints the tree as YAML. Secrets are `***`; a value that came from outside the file is printed as its reference.
pub(crate) fn yaml(root: &Node) -> String {
    let mut out = String::new();
    value(&mut out, root, 0, false);
    out.trim_start().to_owned()
}

/// The entries of a map, each on a line of its own. `is_secret`: every value below is a secret.
fn map(out: &mut String, entries: &[Entry], indent: usize, is_secret: bool) {
    for Entry { key, value: node, .. } in entries {
        let is_map = matches!(node.value, Value::Map(_));
        let is_secret = is_secret || mask::holds_secrets(key) || (!is_map && mask::may_be_secret(key));
        start_line(out, indent);
        let is_plain =
            !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
        let key = if is_plain && !key.starts_with('-') { key.clone() } else { quoted(key) };
        out.push_str(&key);
        out.push(':');
        value(out, node, indent + 1, is_secret);
    }
}

fn list(out: &mut String, nodes: &[Node], indent: usize, is_secret: bool) {
    for node in nodes {
        start_line(out, indent);
        out.push('-');
        value(out, node, indent + 1, is_secret);
    }
}

/// A value after its key or dash: on the same line, or on lines of its own.
fn value(out: &mut String, node: &Node, indent: usize, is_secret: bool) {
    match &node.value {
        Value::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
        Value::List(nodes) if nodes.is_empty() => out.push_str(" []\n"),
        Value::Map(entries) => {
            out.push('\n');
            map(out, entries, indent, is_secret);
        }
        Value::List(nodes) => {
            out.push('\n');
            list(out, nodes, indent, is_secret);
        }
        Value::Scalar(scalar) if node.is_null() && scalar.in_file.is_none() => out.push('\n'),
        Value::Scalar(scalar) => {
            out.push(' ');
            out.push_str(&text(scalar, is_secret));
            out.push('\n');
        }
    }
}

fn text(scalar: &Scalar, is_secret: bool) -> String {
    match &scalar.in_file {
        Some(written) if !is_secret => quoted(&mask::without_secrets(written)),
        Some(written) if is_reference(written) => quoted(written),
        Some(_) => quoted("***"),
        None if scalar.referred || is_secret => quoted("***"),
        None if scalar.plain && !scalar.text.contains(['\n', '@', '?']) => scalar.text.clone(),
        // In YAML read again a `$` would begin a reference.
        None => quoted(&mask::without_secrets(&scalar.text).replace('$', "$$")),
    }
}

/// Returns true if a text is one reference without a default. A default may be a secret.
fn is_reference(text: &str) -> bool {
    let inside = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| !inside.contains(['}', '$']) && !inside.contains(":-"))
}

fn start_line(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n("  ", indent));
}

/// A text in double quotes. YAML has the escapes of JSON, and more.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
