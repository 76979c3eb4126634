//! The processor `resource`: actions on the attributes of resources.

use super::actions::{ActionConfig, ActionError, Actions, Resolved};
use crate::component::{Access, Needs, Out, Processor, Reason};
use otlp_protocol::{AttributeEdits, Batch, Decision, Editor};
use otlp_transport::ExportError;

/// Runs the Collector's actions on the attributes of every resource.
#[derive(Clone, Debug)]
pub struct ResourceProcessor {
    actions: Actions,
}

struct ResourceEditor<'a> {
    actions: &'a Actions,
    context: &'a Resolved,
}

// === impl ResourceProcessor ===

impl ResourceProcessor {
    /// Creates a processor that runs `actions`, in order.
    ///
    /// # Errors
    /// The first error in the actions.
    pub fn new(actions: &[ActionConfig]) -> Result<Self, ActionError> {
        Ok(Self { actions: Actions::new(actions)? })
    }
}

impl Processor for ResourceProcessor {
    fn access(&self) -> Access {
        Access::Edit
    }

    fn needs(&self) -> Needs {
        self.actions.needs()
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        let context = self.actions.resolve(batch.origin.as_deref());
        // An estimate: one resource for each 16 items.
        let resources = usize::try_from(batch.items()).unwrap_or(usize::MAX) / ITEMS_A_RESOURCE + 1;
        let editor = || ResourceEditor { actions: &self.actions, context: &context };
        let growth = self.actions.growth(&context).saturating_mul(resources);
        out.edit_growing(batch, growth, Reason::Filtered, editor).map(drop)
    }
}

// === impl ResourceEditor ===

impl Editor for ResourceEditor<'_> {
    fn resource(&mut self, _: &[u8], attributes: &mut AttributeEdits<'_>) -> Decision {
        self.actions.apply(attributes, self.context);
        Decision::Keep
    }
}

const ITEMS_A_RESOURCE: usize = 16;
