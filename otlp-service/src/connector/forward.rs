//! `forward`: leads pipelines into other pipelines of the same signal.

use crate::fanout::join_answers;
use crate::holder::{Answers, Holder, HolderAccount, HolderContext, HolderSpec, Outlet};
use futures_util::future::join_all;
use otlp_protocol::Batch;
use otlp_transport::{Export, ExportResult};

/// Sends each batch into all pipelines of its signal that name the connector as a receiver, at the same time, and answers with
/// their joined answers. The batches of several pipelines may come in.
///
/// A copy for each further pipeline counts as produced. If some pipelines accept a batch and another pipeline refuses the batch,
/// a sender that tries again sends duplicates to those that accepted.
///
/// ```
/// use otlp_protocol::Signal;
/// use otlp_service::{ConnectorSpec, ForwardConnector, PipelineSpec};
///
/// let connector = ConnectorSpec::new("forward", ForwardConnector::spec());
/// let pipelines = [
///     PipelineSpec::new("logs/in", Signal::LOGS).with_receiver("otlp").with_exporter("forward"),
///     PipelineSpec::new("logs/archive", Signal::LOGS).with_receiver("forward").with_exporter("otlp/archive"),
/// ];
/// # drop((connector, pipelines));
/// ```
#[derive(Debug)]
pub struct ForwardConnector {
    account: HolderAccount,
    outlets: Vec<Outlet>,
}

impl ForwardConnector {
    /// Creates the description of the connector.
    pub fn spec() -> HolderSpec {
        let make = |HolderContext { account, outlets, .. }: HolderContext| match outlets.is_empty() {
            true => Err("no pipeline has the connector among its receivers".into()),
            false => Ok(Self { account, outlets }),
        };
        HolderSpec::new(Answers::AfterCommit, make).with_same_signal()
    }
}

impl Export for ForwardConnector {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let held = self.account.hold(batch.items());
        match &*self.outlets {
            [only] => only.export(batch, held).await,
            several => {
                // The items came in once: the copies for the further outlets are produced.
                let mut held = Some(held);
                let exports = several.iter().map(|outlet| {
                    let held = held.take().unwrap_or_else(|| self.account.hold(0));
                    outlet.export(batch.share(), held)
                });
                let exports: Vec<_> = exports.collect();
                join_answers(join_all(exports).await, u64::max)
            }
        }
    }
}

impl Holder for ForwardConnector {}
