//! Statements and conditions in OTTL: errors at their settings, groups, error modes.

use otlp_service::{ErrorMode, OttlError, SettingsError};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::fmt;

/// A condition, or a group of conditions of one context.
#[derive(Clone, Debug)]
pub(crate) enum Conditions {
    Group(ConditionGroup),
    One(String),
}

/// Conditions of one context.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ConditionGroup {
    /// Context of paths without a context.
    pub(crate) context: Option<String>,
    /// Conditions of which one is enough.
    pub(crate) conditions: Vec<String>,
    /// Effect of an error. Default: as the component says.
    pub(crate) error_mode: Option<Mode>,
}

/// An error mode, as a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    #[default]
    Ignore,
    Propagate,
    Silent,
}

// === impl Mode ===

impl From<Mode> for ErrorMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Ignore => Self::Ignore,
            Mode::Propagate => Self::Propagate,
            Mode::Silent => Self::Silent,
        }
    }
}

// === impl Conditions ===

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrGroup;
        impl<'de> Visitor<'de> for TextOrGroup {
            type Value = Conditions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a condition, or a group {context, conditions, error_mode}")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Conditions, E> {
                Ok(Conditions::One(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Conditions, A::Error> {
                ConditionGroup::deserialize(MapAccessDeserializer::new(map)).map(Conditions::Group)
            }
        }
        deserializer.deserialize_any(TextOrGroup)
    }
}

/// Makes errors of the setting at a path, one for each fault of its text.
pub(crate) fn faults(path: &str, error: &OttlError) -> Vec<SettingsError> {
    let fault = |(problem, lines): (String, Vec<String>)| {
        lines.into_iter().fold(SettingsError::at(path, problem), SettingsError::help)
    };
    error.explained().map(fault).collect()
}
