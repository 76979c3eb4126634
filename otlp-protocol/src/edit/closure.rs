//! Editors of one level, made of closures.

use super::{AttributeEdits, Decision, Editor, Item};

/// Makes an editor that calls `edit` with each resource and its attributes. The closure returns a [`Decision`], or nothing
/// to keep the resource.
pub fn resources<R: Into<Decision>>(edit: impl FnMut(&[u8], &mut AttributeEdits<'_>) -> R) -> impl Editor {
    Resources(edit)
}

/// Makes an editor that calls `edit` with each resource, scope and the scope's attributes. The closure returns a
/// [`Decision`], or nothing to keep the scope.
pub fn scopes<R: Into<Decision>>(
    edit: impl FnMut(&[u8], &[u8], &mut AttributeEdits<'_>) -> R,
) -> impl Editor {
    Scopes(edit)
}

/// Makes an editor that calls `decide` with each entry: a span, log record, metric or profile. Entries have no attributes
/// to edit at this level; [`items`] edits those of spans and log records.
pub fn entries<R: Into<Decision>>(decide: impl FnMut(&Item<'_>) -> R) -> impl Editor {
    Entries(decide)
}

/// Makes an editor that calls `edit` with each item (a span, log record, data point or sample) and its attributes. The
/// closure returns a [`Decision`], or nothing to keep the item.
pub fn items<R: Into<Decision>>(edit: impl FnMut(&Item<'_>, &mut AttributeEdits<'_>) -> R) -> impl Editor {
    Items(edit)
}

struct Resources<F>(F);
struct Scopes<F>(F);
struct Entries<F>(F);
struct Items<F>(F);

impl<R: Into<Decision>, F: FnMut(&[u8], &mut AttributeEdits<'_>) -> R> Editor for Resources<F> {
    fn resource(&mut self, resource: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        (self.0)(resource, attributes).into()
    }
}

impl<R: Into<Decision>, F: FnMut(&[u8], &[u8], &mut AttributeEdits<'_>) -> R> Editor for Scopes<F> {
    fn scope(&mut self, resource: &[u8], scope: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        (self.0)(resource, scope, attributes).into()
    }
}

impl<R: Into<Decision>, F: FnMut(&Item<'_>) -> R> Editor for Entries<F> {
    fn entry(&mut self, item: &Item<'_>) -> Decision {
        (self.0)(item).into()
    }
}

impl<R: Into<Decision>, F: FnMut(&Item<'_>, &mut AttributeEdits<'_>) -> R> Editor for Items<F> {
    fn item(&mut self, item: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        (self.0)(item, attributes).into()
    }
}
