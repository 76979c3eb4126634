//! Filter of the shown entries.

use super::ProfileTables;
use super::entry::ShownEntry;
use super::put_plain;
use memchr::memmem::Finder;

/// A filter of entries. Without conditions all entries pass.
#[derive(Debug, Default)]
pub(in crate::exporter) struct Filter {
    service: Option<String>,
    text: Option<Wanted>,
}

/// A text that must be in an entry.
#[derive(Debug)]
struct Wanted {
    text: String,
    /// The bytes of the text, for strings.
    encoded: Finder<'static>,
    /// The bytes of the text read as hex, for ids.
    id: Option<Finder<'static>>,
}

/// State of a search over several entries.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// Numbers of the resource and the scope that were searched last, and the result.
    surroundings: Option<(usize, usize)>,
    stands_in_surroundings: bool,
    /// The text of the entry.
    shown: String,
}

// === impl Filter ===

impl Filter {
    pub(in crate::exporter) fn new(service: Option<String>, text: Option<String>) -> Self {
        let wanted = |text: String| Wanted {
            encoded: Finder::new(text.as_bytes()).into_owned(),
            id: bytes(&text).map(|id| Finder::new(&id).into_owned()),
            text,
        };
        Self { service, text: text.map(wanted) }
    }

    /// Returns true if an entry passes.
    pub(super) fn passes(
        &self,
        entry: &ShownEntry<'_>,
        shared: &ProfileTables<'_>,
        search: &mut Search,
    ) -> bool {
        if self.service.as_deref().is_some_and(|service| service != entry.service) {
            return false;
        }
        self.text.as_ref().is_none_or(|wanted| wanted.stands_in(entry, shared, search))
    }
}

// === impl Wanted ===

impl Wanted {
    /// Returns true if the entry's strings, ids or shown text, or the strings of its resource or scope contain the text.
    fn stands_in(&self, entry: &ShownEntry<'_>, shared: &ProfileTables<'_>, search: &mut Search) -> bool {
        let has = |finder: &Finder<'_>, bytes: &[u8]| finder.find(bytes).is_some();
        let encoded = entry.data.as_bytes();
        if has(&self.encoded, encoded) || self.id.as_ref().is_some_and(|id| has(id, encoded)) {
            return true;
        }
        let at = (entry.resource_number, entry.scope_number);
        if search.surroundings != Some(at) {
            let mut pieces = entry.resource.pieces().chain(entry.scope.pieces());
            search.stands_in_surroundings = pieces.any(|piece| has(&self.encoded, piece));
            search.surroundings = Some(at);
        }
        if search.stands_in_surroundings {
            return true;
        }
        search.shown.clear();
        put_plain(&mut search.shown, entry, shared);
        search.shown.contains(&self.text)
    }
}

/// Returns the bytes of a hex text that is long enough for the start of an id.
fn bytes(text: &str) -> Option<Vec<u8>> {
    if text.len() < MIN_ID_DIGITS || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

const MIN_ID_DIGITS: usize = 8;
