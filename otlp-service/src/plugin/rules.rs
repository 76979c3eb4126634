//! Keys of the Collector that a component knows but does not use: data that the application acts by.

/// What to do about one key of the Collector.
#[derive(Clone, Copy, Debug)]
pub struct KeyRule {
    /// Dotted path below the component; `*` is any key; lists are looked into. Empty: the whole component.
    pub path: &'static str,
    /// Whether it may stand there.
    pub kind: RuleKind,
    /// Why it changes nothing, or why that would be wrong.
    pub reason: &'static str,
}

/// Whether a key that is not used may be in a file.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RuleKind {
    /// Ignoring it does no harm: a note.
    Ignored,
    /// A note, unless the value is this or off, which says what happens anyway.
    IgnoredUnless(&'static str),
    /// A section that the Collector turns off by `enabled: false`: then the section is not there.
    Optional,
    /// A section that is on, with its defaults, when it is there without a value.
    OnIfThere,
    /// Letters of the key may be large or small.
    AnyCase,
    /// The component works as the one of the name that `reason` gives: a note.
    OldName,
    /// This value, or one that is off, says what happens anyway; any other is refused.
    Only(&'static str),
    /// Ignoring it would do harm, unless its value is off: `false`, null, an empty text, list or map, or a map with
    /// `enabled: false`.
    Refused,
    /// It has the keys of another component, with their rules.
    Like(&'static [&'static [KeyRule]]),
}

// === impl KeyRule ===

impl KeyRule {
    /// A rule that ignores.
    pub const fn ignored(path: &'static str, reason: &'static str) -> Self {
        Self { path, kind: RuleKind::Ignored, reason }
    }

    /// A rule that ignores, without a note for one value.
    pub const fn ignored_unless(path: &'static str, value: &'static str, reason: &'static str) -> Self {
        Self { path, kind: RuleKind::IgnoredUnless(value), reason }
    }

    /// A section that `enabled: false` turns off.
    pub const fn optional(path: &'static str) -> Self {
        Self { path, kind: RuleKind::Optional, reason: "`enabled: false` turns the section off" }
    }

    /// A section that is on if it is there without a value; other keys without a value have their defaults.
    pub const fn on_if_there(path: &'static str) -> Self {
        Self { path, kind: RuleKind::OnIfThere, reason: "" }
    }

    /// A key directly below the component whose letters may be large or small; `key` is in small letters.
    pub const fn any_case(key: &'static str) -> Self {
        Self { path: key, kind: RuleKind::AnyCase, reason: "" }
    }

    /// A component under a name that the Collector has given up; `now` is the name of today.
    pub const fn old_name(now: &'static str) -> Self {
        Self { path: "", kind: RuleKind::OldName, reason: now }
    }

    /// A rule that takes one value only.
    pub const fn only(path: &'static str, value: &'static str, reason: &'static str) -> Self {
        Self { path, kind: RuleKind::Only(value), reason }
    }

    /// A rule that refuses.
    pub const fn refused(path: &'static str, reason: &'static str) -> Self {
        Self { path, kind: RuleKind::Refused, reason }
    }

    /// A key whose value has the keys of another component; `reason` says of which. A plain path.
    pub const fn like(
        path: &'static str,
        rules: &'static [&'static [KeyRule]],
        reason: &'static str,
    ) -> Self {
        Self { path, kind: RuleKind::Like(rules), reason }
    }
}
