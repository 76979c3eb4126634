//! YAML values with their places.

use super::source::Span;

/// A value and its place.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Span,
    /// Text of a reference that was read as a list or a map: used where a text is expected.
    pub(crate) written: Option<Box<str>>,
}

/// Content of a [`Node`]. A scalar keeps its text, and its type is read from the text on demand: a text field takes `1.10`
/// unchanged.
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
    /// True if the text came from a variable or another file; errors must not show it.
    pub(crate) referred: bool,
    /// Text in the file, if it has references: `${env:HOST}:4317`.
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
    /// A value at its place.
    pub(crate) fn new(value: Value, span: Span) -> Self {
        Self { value, span, written: None }
    }

    /// A scalar of that text.
    pub(crate) fn scalar(text: impl Into<String>, plain: bool, span: Span) -> Self {
        Self::new(Value::Scalar(Scalar::new(text.into(), plain)), span)
    }

    /// A map without entries.
    pub(crate) fn empty_map(span: Span) -> Self {
        Self::new(Value::Map(Vec::new()), span)
    }

    /// Returns true for null, written or left out.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.resolve() == Resolved::Null)
    }

    /// Returns true for null or the empty text.
    pub(crate) fn is_empty_text(&self) -> bool {
        self.is_null() || matches!(&self.value, Value::Scalar(scalar) if scalar.text.is_empty())
    }

    /// Returns true for null, an empty text, list or map, or a map with `enabled: false`.
    pub(crate) fn is_off(&self) -> bool {
        match &self.value {
            Value::Scalar(_) => self.is_empty_text(),
            Value::List(nodes) => nodes.iter().all(Self::is_off),
            Value::Map(entries) => entries.is_empty() || self.is_disabled(),
        }
    }

    /// Returns true for a map with `enabled: false`, whose other keys have no effect.
    pub(crate) fn is_disabled(&self) -> bool {
        self.get("enabled").is_some_and(Self::is_false)
    }

    /// Returns true for `false`.
    pub(crate) fn is_false(&self) -> bool {
        self.is_bool(false)
    }

    /// Returns true for `true`.
    pub(crate) fn is_true(&self) -> bool {
        self.is_bool(true)
    }

    fn is_bool(&self, value: bool) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.resolve() == Resolved::Bool(value))
    }

    /// Removes a key from a map.
    pub(crate) fn remove(&mut self, key: &str) -> Option<Entry> {
        let Value::Map(entries) = &mut self.value else { return None };
        let index = entries.iter().position(|entry| entry.key == key)?;
        Some(entries.remove(index))
    }

    /// Returns the entries of a map; of null, no entries; `None` for anything else.
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ if self.is_null() => Some(&[]),
            _ => None,
        }
    }

    /// Returns the value of a key, if this is a map that has the key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Returns the value of a key for changes.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.value {
            Value::Map(entries) => {
                entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value)
            }
            _ => None,
        }
    }

    /// Returns the place of a dotted path, with indices for lists, or the place of the deepest part of the path that exists.
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

    /// Returns true if there is a value at a dotted path.
    pub(crate) fn has(&self, path: &str) -> bool {
        path.split('.').try_fold(self, Self::get).is_some()
    }

    /// Returns the text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// Returns the dotted path of the value at `span`, if it is below this value.
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

    /// Returns the kind of the value, for errors.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Scalar(_) => "a single value",
        }
    }

    /// Describes the value for errors. Shows neither long texts nor the value of a reference.
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
    /// A text that is in the file.
    pub(crate) fn new(text: String, plain: bool) -> Self {
        Self { text, plain, referred: false, in_file: None }
    }

    /// Returns the first reference of the text in the file, without its default, which may be a secret.
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

    /// Returns the scalar in its own type.
    pub(crate) fn resolve(&self) -> Resolved<'_> {
        if self.plain { Resolved::of(&self.text) } else { Resolved::Text(&self.text) }
    }

    /// Returns the scalar where a text is expected: null is the empty text, but a variable with the value `null` is that text.
    pub(crate) fn as_text(&self) -> &str {
        if self.resolve() == Resolved::Null && !self.referred { "" } else { &self.text }
    }

    /// Returns the scalar where a number is expected; quotes do not matter.
    pub(crate) fn number(&self) -> Option<f64> {
        match Resolved::of(&self.text) {
            Resolved::Int(number) => Some(number as f64),
            Resolved::Float(number) => Some(number),
            Resolved::Null if self.is_empty_reference() => Some(0.0),
            _ => None,
        }
    }

    /// Returns the scalar where a whole number is expected. Helm writes large numbers as `1e+06`.
    pub(crate) fn whole_number(&self) -> Option<i64> {
        match Resolved::of(&self.text) {
            Resolved::Int(number) => Some(number),
            // Above 2^53 a float no longer tells whole numbers apart.
            Resolved::Float(number) if number.fract() == 0.0 && number.abs() <= MAX_WHOLE_FLOAT => {
                Some(number as i64)
            }
            Resolved::Null if self.is_empty_reference() => Some(0),
            _ => None,
        }
    }

    /// Returns true for a quoted reference with an empty value, `"${env:X:-}"`. As in the Collector, it is the empty text where
    /// a text is expected, and zero of the type elsewhere.
    pub(crate) fn is_empty_reference(&self) -> bool {
        self.referred && !self.plain && self.text.is_empty()
    }
}

// === impl Resolved ===

impl<'a> Resolved<'a> {
    /// Reads a text without quotes.
    fn of(text: &'a str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "true" | "True" | "TRUE" => Self::Bool(true),
            "false" | "False" | "FALSE" => Self::Bool(false),
            _ => {
                int(text).map(Self::Int).or_else(|| float(text).map(Self::Float)).unwrap_or(Self::Text(text))
            }
        }
    }
}

/// Reads a whole number as the Collector's YAML does: `_` between digits is left out, and `017` is octal.
fn int(text: &str) -> Option<i64> {
    let plain = text.starts_with(|c: char| c.is_ascii_digit()).then(|| text.replace('_', ""));
    let text = plain.as_deref().unwrap_or(text);
    let radix = |prefix: &str, radix| {
        let digits = text.strip_prefix(prefix).filter(|digits| !digits.starts_with(['+', '-']));
        digits.and_then(|digits| i64::from_str_radix(digits, radix).ok())
    };
    radix("0x", 16)
        .or_else(|| radix("0o", 8))
        .or_else(|| radix("0b", 2))
        .or_else(|| radix("0", 8))
        .or_else(|| text.parse().ok())
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
const MAX_WHOLE_FLOAT: f64 = 9_007_199_254_740_992.0;
