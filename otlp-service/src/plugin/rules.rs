//! Rules for the Collector's keys that a component does not use, as data for the application.

/// Treatment of one key of the Collector.
#[derive(Clone, Copy, Debug)]
pub struct KeyRule {
    /// Dotted path below the component; `*` is any key; elements of lists are included. Empty: the whole component.
    pub path: &'static str,
    /// Kind of the rule.
    pub kind: RuleKind,
    /// Reason for the user: the effect of ignoring the key.
    pub reason: &'static str,
}

/// Kind of a [`KeyRule`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum RuleKind {
    /// Ignoring the key does no harm: the application notes that.
    Ignored,
    /// Ignored with a note, or without a note if the value is this value or off, which is the behaviour anyway.
    IgnoredUnless(&'static str),
    /// A section that `enabled: false` turns off in the Collector: the section is treated as absent then.
    Optional,
    /// A section that turns a feature on, with defaults, also without a value.
    OnIfThere,
    /// The key is valid in upper and lower case.
    AnyCase,
    /// An old name of the component type that `reason` names: the application notes that.
    OldName,
    /// Only this value, or a value that is off, is accepted: it is the behaviour anyway.
    Only(&'static str),
    /// The key is refused, since ignoring it could lose or expose data, unless its value is off: `false`, null, an empty text,
    /// list or map, or a map with `enabled: false`.
    Refused,
    /// The value has the keys of another component, with their rules.
    Like(&'static [&'static [KeyRule]]),
}

// === impl KeyRule ===

impl KeyRule {
    /// Creates a rule that ignores a key.
    pub const fn ignored(path: &'static str, reason: &'static str) -> Self {
        Self { path, kind: RuleKind::Ignored, reason }
    }

    /// Creates a rule that ignores a key, without a note for one value.
    pub const fn ignored_unless(path: &'static str, value: &'static str, reason: &'static str) -> Self {
        Self { path, kind: RuleKind::IgnoredUnless(value), reason }
    }

    /// Creates a rule for a section that `enabled: false` turns off.
    pub const fn optional(path: &'static str) -> Self {
        Self { path, kind: RuleKind::Optional, reason: "`enabled: false` turns the section off" }
    }

    /// Creates a rule for a section that turns a feature on also without a value; other keys without a value get their defaults.
    pub const fn on_if_there(path: &'static str) -> Self {
        Self { path, kind: RuleKind::OnIfThere, reason: "" }
    }

    /// Creates a rule for a key directly below the component in any case; `key` is in lower case.
    pub const fn any_case(key: &'static str) -> Self {
        Self { path: key, kind: RuleKind::AnyCase, reason: "" }
    }

    /// Creates a rule for an old name of a component type; `now` is today's name.
    pub const fn old_name(now: &'static str) -> Self {
        Self { path: "", kind: RuleKind::OldName, reason: now }
    }

    /// Creates a rule that accepts one value only.
    pub const fn only(path: &'static str, value: &'static str, reason: &'static str) -> Self {
        Self { path, kind: RuleKind::Only(value), reason }
    }

    /// Creates a rule that refuses a key.
    pub const fn refused(path: &'static str, reason: &'static str) -> Self {
        Self { path, kind: RuleKind::Refused, reason }
    }

    /// Creates a rule for a key whose value has the keys of another component, named by `reason`. `path` has no `*`.
    pub const fn like(
        path: &'static str,
        rules: &'static [&'static [KeyRule]],
        reason: &'static str,
    ) -> Self {
        Self { path, kind: RuleKind::Like(rules), reason }
    }
}
