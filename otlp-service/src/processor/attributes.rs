//! The processor `attributes`: actions on the attributes of spans, log records and data points.

use super::actions::{ActionConfig, ActionError, Actions, Resolved};
use super::matching::{MatchConfig, Selection};
use crate::component::{Access, Needs, Out, Processor, Reason};
use otlp_protocol::view::{Entry, Resource, Scope};
use otlp_protocol::{AttributeEdits, Batch, Decision, Editor, Item, Signal};
use otlp_transport::ExportError;

/// Runs the Collector's actions on the attributes of matching items: spans, log records, data points. Samples of profiles have
/// no attributes of their own.
///
/// ```
/// use otlp_service::{ActionConfig, ActionKind, AttributesProcessor, MatchConfig};
///
/// let mut action = ActionConfig::default();
/// action.key = "password".into();
/// action.action = ActionKind::Delete;
/// assert!(AttributesProcessor::new(&[action.clone()], MatchConfig::default()).is_ok());
/// action.action = ActionKind::Insert;
/// let error = AttributesProcessor::new(&[action], MatchConfig::default()).unwrap_err();
/// assert_eq!((error.index, error.field), (0, "value"));
/// ```
#[derive(Clone, Debug)]
pub struct AttributesProcessor {
    actions: Actions,
    matching: MatchConfig,
}

struct ItemEditor<'a> {
    processor: &'a AttributesProcessor,
    context: &'a Resolved,
    signal: Signal,
    of_resource: Selection,
    of_scope: Selection,
    of_entry: Selection,
}

// === impl AttributesProcessor ===

impl AttributesProcessor {
    /// Creates a processor that runs `actions`, in order, on the items that `matching` selects.
    ///
    /// # Errors
    /// The first error in the actions.
    pub fn new(actions: &[ActionConfig], matching: MatchConfig) -> Result<Self, ActionError> {
        Ok(Self { actions: Actions::new(actions)?, matching })
    }
}

impl Processor for AttributesProcessor {
    fn access(&self) -> Access {
        Access::Edit
    }

    fn needs(&self) -> Needs {
        self.actions.needs()
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        let (signal, context) = (batch.signal(), self.actions.resolve(batch.origin.as_deref()));
        let items = usize::try_from(batch.items()).unwrap_or(usize::MAX);
        let editor = || ItemEditor {
            processor: self,
            context: &context,
            signal,
            of_resource: Selection::ALL,
            of_scope: Selection::ALL,
            of_entry: Selection::ALL,
        };
        let growth = self.actions.growth(&context).saturating_mul(items);
        out.edit_growing(batch, growth, Reason::Filtered, editor).map(drop)
    }
}

// === impl ItemEditor ===

impl Editor for ItemEditor<'_> {
    fn resource(&mut self, resource: &[u8], _: &mut AttributeEdits<'_>) -> Decision {
        if self.processor.matching.is_empty() {
            return Decision::SkipLevel;
        }
        self.of_resource = self.processor.matching.of_resource(Resource::new(resource));
        self.of_scope = self.of_resource;
        Decision::Keep
    }

    fn scope(&mut self, _: &[u8], scope: &[u8], _: &mut AttributeEdits<'_>) -> Decision {
        if self.processor.matching.is_empty() {
            return Decision::SkipLevel;
        }
        self.of_scope = self.processor.matching.of_scope(self.of_resource, Scope::new(scope));
        Decision::Keep
    }

    fn entry(&mut self, item: &Item<'_>) -> Decision {
        if self.processor.matching.is_empty() {
            return Decision::SkipLevel;
        }
        self.of_entry = self.processor.matching.of_entry(self.of_scope, Entry::new(self.signal, item.entry));
        Decision::Keep
    }

    fn item(&mut self, _: &Item<'_>, attributes: &mut AttributeEdits<'_>) -> Decision {
        let matching = &self.processor.matching;
        if matching.is_empty()
            || matching.selects(self.of_entry, |test| test.matches(attributes.value(&test.key)))
        {
            self.processor.actions.apply(attributes, self.context);
        }
        Decision::Keep
    }
}
