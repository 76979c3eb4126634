//! Contexts: the kinds of messages that statements are about.

use otlp_protocol::Signal;
use otlp_protocol::view::Entry;

/// A kind of message with its paths. The name is the prefix of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Context {
    DataPoint,
    Exemplar,
    Log,
    Metric,
    Profile,
    Resource,
    Scope,
    Span,
    SpanEvent,
}

/// A set of contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contexts(u16);

// === impl Context ===

impl Context {
    /// All contexts, those that are inferred first in front.
    pub(crate) const ALL: [Self; 9] = [
        Self::Log,
        Self::Exemplar,
        Self::DataPoint,
        Self::Metric,
        Self::SpanEvent,
        Self::Span,
        Self::Profile,
        Self::Scope,
        Self::Resource,
    ];

    /// Returns the contexts of the messages of a signal, from the inside out.
    pub(crate) fn of_signal(signal: Signal) -> &'static [Self] {
        match Entry::new(signal, &[]) {
            Entry::LogRecord(_) => &[Self::Log, Self::Scope, Self::Resource],
            Entry::Metric(_) => &[Self::DataPoint, Self::Metric, Self::Scope, Self::Resource],
            Entry::Profile(_) => &[Self::Profile, Self::Scope, Self::Resource],
            Entry::Span(_) => &[Self::SpanEvent, Self::Span, Self::Scope, Self::Resource],
            _ => &[Self::Scope, Self::Resource],
        }
    }

    /// Returns the prefix of the context's paths.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::DataPoint => "datapoint",
            Self::Exemplar => "exemplar",
            Self::Log => "log",
            Self::Metric => "metric",
            Self::Profile => "profile",
            Self::Resource => "resource",
            Self::Scope => "scope",
            Self::Span => "span",
            Self::SpanEvent => "spanevent",
        }
    }

    /// Returns the context with a prefix.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = if name == "instrumentation_scope" { "scope" } else { name };
        Self::ALL.into_iter().find(|context| context.name() == name)
    }

    /// Returns the contexts whose messages enclose a message of this context, itself included.
    pub(crate) const fn reach(self) -> Contexts {
        let contexts = Contexts::of(&[self, Self::Resource]);
        match self {
            Self::Resource => contexts,
            Self::Scope | Self::Log | Self::Metric | Self::Profile | Self::Span => contexts.with(Self::Scope),
            Self::SpanEvent => contexts.with(Self::Scope).with(Self::Span),
            Self::DataPoint => contexts.with(Self::Scope).with(Self::Metric),
            Self::Exemplar => contexts.with(Self::Scope).with(Self::Metric).with(Self::DataPoint),
        }
    }
}

// === impl Contexts ===

impl Contexts {
    pub(crate) const ALL: Self = Self(u16::MAX);

    pub(crate) const fn of(contexts: &[Context]) -> Self {
        let (mut set, mut index) = (Self(0), 0);
        while index < contexts.len() {
            set = set.with(contexts[index]);
            index += 1;
        }
        set
    }

    pub(crate) const fn with(self, context: Context) -> Self {
        Self(self.0 | 1 << context as u8)
    }

    pub(crate) const fn has(self, context: Context) -> bool {
        self.0 & 1 << context as u8 != 0
    }
}
