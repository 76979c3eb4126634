//! A YAML value that knows where it was written.

use super::source::Span;

/// A value and its place.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

/// What a [`Node`] is. A scalar's type is read from its text when it is asked for: a text field takes `1.10` as it is.
#[derive(Clone)]
pub(crate) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value. Keys of one map differ.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

/// A text; unless it was quoted it may stand for null, a boolean or a number.
#[derive(Clone)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) plain: bool,
    /// It came from outside the file, and errors must not show it.
    pub(crate) referred: bool,
    /// What stands in the file, if that has references: `${env:HOST}:4317`.
    pub(crate) in_file: Option<Box<str>>,
}

/// A scalar in its own type: YAML 1.2 core schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Resolved<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a str),
}

// === impl Node ===

impl Node {
    /// A scalar of that text.
    pub(crate) fn scalar(text: impl Into<String>, plain: bool, span: Span) -> Self {
        Self { value: Value::Scalar(Scalar::new(text.into(), plain)), span }
    }

    /// A map without entries.
    pub(crate) fn empty_map(span: Span) -> Self {
        Self { value: Value::Map(Vec::new()), span }
    }

    /// Whether it is null: written so, or nothing written.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.resolve() == Resolved::Null)
    }

    /// The entries of a map; null has none; `None` for anything else.
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ if self.is_null() => Some(&[]),
            _ => None,
        }
    }

    /// The value of a key, if this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The value of a key, to be changed.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.value {
            Value::Map(entries) => {
                entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
            }
            _ => None,
        }
    }

    /// The place of a dotted path, with indices for lists, or of the deepest part of it that is there.
    pub(crate) fn span_of(&self, path: &str) -> Span {
        let mut node = self;
        for key in path.split('.').filter(|key| !key.is_empty()) {
            let item = || match &node.value {
                Value::List(nodes) => nodes.get(key.parse::<usize>().ok()?),
                Value::Map(_) | Value::Scalar(_) => None,
            };
            match node.get(key).or_else(item) {
                Some(below) => node = below,
                None => break,
            }
        }
        node.span
    }

    /// Whether there is a value at a dotted path.
    pub(crate) fn has(&self, path: &str) -> bool {
        path.split('.').try_fold(self, Self::get).is_some()
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The dotted path of the value at `span`, if it is below this one.
    pub(crate) fn path_of(&self, span: Span) -> Option<String> {
        let below = |key: &str, node: &Self| match &node.value {
            Value::Scalar(_) => (node.span == span).then(|| key.to_owned()),
            _ => node.path_of(span).map(|path| format!("{key}.{path}")),
        };
        match &self.value {
            Value::Scalar(_) => None,
            Value::List(nodes) => nodes.iter().enumerate().find_map(|(i, node)| below(&i.to_string(), node)),
            Value::Map(entries) => entries.iter().find_map(|entry| below(&entry.key, &entry.value)),
        }
    }

    /// Its kind, for errors.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Scalar(_) => "a single value",
        }
    }

    /// What it is, for errors. Shows neither a long text nor what a reference stands for.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::List(_) | Value::Map(_) => self.kind().into(),
            Value::Scalar(scalar) => match scalar.resolve() {
                Resolved::Null => "nothing".into(),
                _ if scalar.referred => scalar.describe_reference(),
                _ if scalar.text.chars().count() > MAX_SHOWN_CHARS => "a long text".into(),
                Resolved::Text(text) if !scalar.plain => format!("the text `{}`", text.escape_debug()),
                _ => format!("`{}`", scalar.text.escape_debug()),
            },
        }
    }
}

// === impl Scalar ===

impl Scalar {
    /// A text that stands in the file.
    pub(crate) fn new(text: String, plain: bool) -> Self {
        Self { text, plain, referred: false, in_file: None }
    }

    /// The first reference of what stands in the file, without its default, which may be secret.
    pub(crate) fn reference(&self) -> Option<&str> {
        let (_, from) = self.in_file.as_ref()?.split_once("${")?;
        let reference = from.split('}').next()?;
        Some(reference.split_once(":-").map_or(reference, |(name, _)| name))
    }

    fn describe_reference(&self) -> String {
        match self.reference() {
            Some(reference) => format!("the value of `${{{}}}`", reference.escape_debug()),
            None => "the value of a reference".into(),
        }
    }

    /// The scalar in its own type.
    pub(crate) fn resolve(&self) -> Resolved<'_> {
        let text = self.text.as_str();
        if !self.plain {
            return Resolved::Text(text);
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
            "true" | "True" | "TRUE" => Resolved::Bool(true),
            "false" | "False" | "FALSE" => Resolved::Bool(false),
            _ => int(text)
                .map(Resolved::Int)
                .or_else(|| float(text).map(Resolved::Float))
                .unwrap_or(Resolved::Text(text)),
        }
    }
}

fn int(text: &str) -> Option<i64> {
    let radix = |prefix: &str, radix| {
        text.strip_prefix(prefix).and_then(|digits| i64::from_str_radix(digits, radix).ok())
    };
    radix("0x", 16).or_else(|| radix("0o", 8)).or_else(|| text.parse().ok())
}

fn float(text: &str) -> Option<f64> {
    match text {
        ".inf" | "+.inf" => Some(f64::INFINITY),
        "-.inf" => Some(f64::NEG_INFINITY),
        ".nan" => Some(f64::NAN),
        // Rust reads `inf`, `nan` and `infinity` as numbers, YAML does not.
        _ if text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
            && !text.contains(['n', 'N']) =>
        {
            text.parse().ok()
        }
        _ => None,
    }
}

const MAX_SHOWN_CHARS: usize = 60;
