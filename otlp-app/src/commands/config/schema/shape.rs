//! Shapes of settings: their keys and types, from their `Deserialize` implementation and from the rules of their component type.

use otlp_service::{KeyRule, RuleKind};
use std::collections::BTreeMap;

/// Type of a value in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Not known: any value.
    Any,
    Bool,
    Integer,
    Number,
    Text,
    /// One of these words, in upper or lower case.
    Words(Vec<String>),
    List(Box<Shape>),
    /// A map whose keys the user chooses.
    Map(Box<Shape>),
    /// A map of known keys.
    Struct(BTreeMap<String, Property>),
}

/// Key of a [`Shape::Struct`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) shape: Shape,
    /// Effect of the key, if a rule is about the key.
    pub(super) note: Option<String>,
    /// The key is valid in upper and lower case.
    pub(super) any_case: bool,
}

// === impl Property ===

impl Property {
    pub(super) fn of(shape: Shape) -> Self {
        Self { shape, note: None, any_case: false }
    }
}

// === impl Shape ===

impl Shape {
    /// Adds the keys that rules know.
    pub(super) fn apply(&mut self, rules: &[KeyRule]) {
        for rule in rules {
            match (rule.kind, rule.path) {
                (RuleKind::OldName | RuleKind::OnIfThere, _) => {}
                (RuleKind::AnyCase, key) => {
                    if let Self::Struct(properties) = self
                        && let Some(property) = properties.get_mut(key)
                    {
                        property.any_case = true;
                    }
                }
                (RuleKind::Like(tables), path) => {
                    self.at(path, &mut |below| tables.iter().for_each(|rules| below.apply(rules)));
                }
                (RuleKind::Optional, path) => self.at(path, &mut |section| {
                    if let Self::Struct(properties) = section {
                        let enabled = || Property::of(Self::Bool);
                        properties.entry("enabled".into()).or_insert_with(enabled);
                    }
                }),
                (_, "") => *self = Self::Any,
                (_, path) => self.add(path, rule),
            }
        }
    }

    /// Adds the key of a rule, which decides on its value.
    fn add(&mut self, path: &str, rule: &KeyRule) {
        let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
        self.at(parent, &mut |parent| {
            if let Self::Struct(properties) = parent
                && key != "*"
            {
                properties.insert(key.into(), Property { note: Some(note(rule)), ..Property::of(Self::Any) });
            }
        });
    }

    /// Calls `found` with each shape at `path`: `*` is any key, elements of lists are included.
    fn at(&mut self, path: &str, found: &mut dyn FnMut(&mut Self)) {
        if let Self::List(element) = self {
            return element.at(path, found);
        }
        if path.is_empty() {
            return found(self);
        }
        let (key, below) = path.split_once('.').unwrap_or((path, ""));
        match self {
            Self::Map(value) => value.at(below, found),
            Self::Struct(properties) if key == "*" => {
                properties.values_mut().for_each(|property| property.shape.at(below, found));
            }
            Self::Struct(properties) => {
                let absent = || Property::of(Self::Struct(BTreeMap::new()));
                properties.entry(key.into()).or_insert_with(absent).shape.at(below, found);
            }
            _ => {}
        }
    }
}

/// The effect of a key, for users.
fn note(rule: &KeyRule) -> String {
    let reason = rule.reason;
    match rule.kind {
        RuleKind::Ignored => format!("Ignored: {reason}."),
        RuleKind::IgnoredUnless(value) => format!("Ignored unless `{value}`: {reason}."),
        RuleKind::Only("") => format!("Must be empty: {reason}."),
        RuleKind::Only(value) => format!("Must be `{value}`: {reason}."),
        _ => format!("Not supported: {reason}."),
    }
}
