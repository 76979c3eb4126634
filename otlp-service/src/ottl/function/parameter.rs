//! Parameters of functions.

/// A parameter of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    /// The name in named arguments, in snake case.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) is_optional: bool,
}

/// Kind of the arguments that a parameter takes. A constant argument is checked when the statement is loaded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Any,
    BoolLike,
    BytesLike,
    DoubleLike,
    Duration,
    Int,
    IntLike,
    List,
    Map,
    Text,
    TextLike,
    Time,
    /// A list that is written in the statement; its elements are any expressions.
    Elements,
    /// A regular expression: compiled when the statement is loaded, if it is constant.
    Pattern,
    /// A bool that is written in the statement.
    LiteralBool,
    /// A double or an int that is written in the statement.
    LiteralDouble,
    /// An int that is written in the statement.
    LiteralInt,
    /// A string that is written in the statement.
    LiteralText,
    /// A list of strings that is written in the statement.
    LiteralTexts,
    /// One of these strings, written in the statement.
    Word(&'static [&'static str]),
    /// The bare name of a converter.
    FunctionName,
    /// A path that the function changes.
    Target,
}

// === impl Parameter ===

impl Parameter {
    pub(crate) const fn required(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_optional: false }
    }

    pub(crate) const fn optional(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, is_optional: true }
    }
}
