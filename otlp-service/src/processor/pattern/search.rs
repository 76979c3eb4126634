//! A search through encoded messages, for those in which an expression cannot match.
//!
//! A text is in one piece in the encoding of its message, so that one search through the message is enough to know that no expression
//! matches any text in it. Most messages have no match, and most of the time for them is that of finding their texts.

use super::{MAX_COMPILED_BYTES, translate};
use regex_automata::meta::{Config, Regex};
use regex_syntax::hir::{Hir, HirKind};

/// A search that finds something in each message with a text that one of its expressions matches. It may find something in others.
#[derive(Clone, Debug)]
pub(crate) struct Search(Regex);

// === impl Search ===

impl Search {
    /// Makes a search for expressions in Go's syntax. `None` if an expression matches the empty text, or if all together are too large.
    pub(crate) fn new<'a>(texts: impl Iterator<Item = &'a String>) -> Option<Self> {
        let mut all = Vec::new();
        for text in texts {
            let parsed = regex_syntax::parse(&translate(text)).ok()?;
            all.push(without_assertions(&parsed));
        }
        let size = MAX_COMPILED_BYTES.saturating_mul(all.len().max(1));
        let any = Hir::alternation(all);
        if any.properties().minimum_len().is_none_or(|len| len == 0) {
            return None;
        }
        // The text of `any` would not do: an optional repetition is written as a lazy repetition.
        let config = Config::new().nfa_size_limit(Some(size)).utf8_empty(false);
        Regex::builder().configure(config).build_from_hir(&any).ok().map(Self)
    }

    /// Returns false if no expression matches a text of an encoded message.
    #[inline]
    pub(crate) fn finds(&self, message: &[u8]) -> bool {
        self.0.is_match(message)
    }
}

/// Removes the assertions of an expression (`^`, `\b`), which depend on what is around a match: the result matches at least what the
/// expression matches. Recursion is bounded by the depth that the parser accepts.
fn without_assertions(hir: &Hir) -> Hir {
    let each = |parts: &[Hir]| parts.iter().map(without_assertions).collect();
    match hir.kind() {
        HirKind::Look(_) => Hir::empty(),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) => hir.clone(),
        HirKind::Repetition(repetition) => {
            Hir::repetition(repetition.with(without_assertions(&repetition.sub)))
        }
        HirKind::Capture(group) => without_assertions(&group.sub),
        HirKind::Concat(parts) => Hir::concat(each(parts)),
        HirKind::Alternation(parts) => Hir::alternation(each(parts)),
    }
}
