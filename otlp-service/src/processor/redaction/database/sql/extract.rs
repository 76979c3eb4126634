//! The field of `EXTRACT(field FROM source)`, which counts as a value.

use super::scanner::Kind;

/// State behind a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Extract {
    /// Behind `EXTRACT`.
    Function,
    #[default]
    Nothing,
    /// Behind `EXTRACT(`.
    Parenthesis,
}

// === impl Extract ===

impl Extract {
    /// True if a name behind this state is a field.
    pub(super) fn is_field(self, name: &str) -> bool {
        self == Self::Parenthesis && FIELDS.iter().any(|field| is_equal(name, field))
    }

    /// Returns the state behind a further token.
    pub(super) fn after(self, kind: Kind, part: &str) -> Self {
        match kind {
            Kind::Comment { .. } | Kind::Space => self,
            Kind::Function if part.eq_ignore_ascii_case("EXTRACT") => Self::Function,
            Kind::Parenthesis if self == Self::Function => Self::Parenthesis,
            _ => Self::Nothing,
        }
    }
}

/// True if a name is a field in any case. As in Go, the long s is an S, and the sign of the kelvin a K.
fn is_equal(name: &str, field: &str) -> bool {
    let upper = |letter: char| match letter {
        'ſ' => 'S',
        '\u{212a}' => 'K',
        letter => letter.to_ascii_uppercase(),
    };
    name.chars().map(upper).eq(field.chars())
}

const FIELDS: [&str; 22] = [
    "CENTURY",
    "DAY",
    "DECADE",
    "DOW",
    "DOY",
    "EPOCH",
    "HOUR",
    "ISODOW",
    "ISOYEAR",
    "JULIAN",
    "MICROSECONDS",
    "MILLENNIUM",
    "MILLISECONDS",
    "MINUTE",
    "MONTH",
    "QUARTER",
    "SECOND",
    "TIMEZONE",
    "TIMEZONE_HOUR",
    "TIMEZONE_MINUTE",
    "WEEK",
    "YEAR",
];
