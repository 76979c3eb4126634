//! `routing`: leads telemetry into pipelines by conditions.

mod delivery;
mod request;
mod stats;
mod table;

pub(crate) use table::{Chooser, Table};
pub use table::{Route, RoutingConfig, RoutingError};

use crate::component::{Needs, Reason, reserve};
use crate::holder::{Answers, BoxError, Holder, HolderAccount, HolderContext, HolderSpec, Outlet};
use crate::ottl::unix_nanos;
use delivery::Deliveries;
use otlp_protocol::{Batch, Body, Signal, partition};
use otlp_transport::{Clock, Export, ExportError, ExportResult};
use stats::Stats;
use std::sync::Arc;
use std::time::Instant;

/// Sends resources, spans, data points, log records and whole requests into the pipelines of the first route whose condition
/// holds, and the rest into the default pipelines, or nowhere.
///
/// A route that copies does not end the search: what its condition selects is sent to its pipelines, and is asked the following
/// conditions as well. All parts are sent at the same time, and the answers are joined: if some pipelines accept their part and
/// another pipeline refuses its part, a sender that tries again sends duplicates to those that accepted. With
/// [`RoutingConfig::retry_parts_for`] the refused part alone is sent again first.
///
/// ```
/// use otlp_service::{Route, RoutingConfig, RoutingConnector};
///
/// let mut config = RoutingConfig::default();
/// config.default_pipelines = vec!["logs/rest".into()];
/// config.table = vec![Route::new(r#"resource.attributes["tenant"] == "acme""#, ["logs/acme"])];
/// assert!(RoutingConnector::spec(config.clone()).is_ok());
///
/// config.table.push(Route::new(r#"resource.atributes["tenant"] == "x""#, ["logs/x"]));
/// let errors = RoutingConnector::spec(config).unwrap_err();
/// assert!(errors[0].error.to_string().contains("did you mean `attributes`?"));
/// ```
#[derive(Debug)]
pub struct RoutingConnector {
    account: HolderAccount,
    clock: Arc<dyn Clock>,
    table: Arc<Table>,
    /// For each route, and then for what no route selects.
    outlets: Vec<Vec<Outlet>>,
    stats: Stats,
}

/// A part of a batch with the outlets that the part is sent to.
struct Part<'o> {
    batch: Batch,
    outlets: &'o [Outlet],
    /// Index of the route, or the number of routes.
    route: usize,
    /// True if the items are in another part as well, where they are counted.
    is_copy: bool,
}

// === impl RoutingConnector ===

impl RoutingConnector {
    /// Checks the conditions, and creates the description of the connector.
    ///
    /// # Errors
    /// The faults of all conditions.
    pub fn spec(config: RoutingConfig) -> Result<HolderSpec, Vec<RoutingError>> {
        let mut needs = Needs::default();
        let table = Arc::new(Table::new(config, &mut needs)?);
        let make = move |context: HolderContext| Self::new(table.clone(), context);
        Ok(HolderSpec::new(Answers::AfterCommit, make).with_same_signal().with_needs(needs))
    }

    fn new(table: Arc<Table>, context: HolderContext) -> Result<Self, BoxError> {
        let stats = Stats::new(&context, &table);
        let HolderContext { account, outlets, clock, signal, .. } = context;
        let lists = table.routes.iter().map(|route| &route.pipelines).chain([&table.default_pipelines]);
        let outlets = lists.map(|pipelines| named(pipelines, signal, &outlets)).collect::<Result<_, _>>()?;
        Ok(Self { account, clock, table, outlets, stats })
    }

    /// Returns the time after which no part is sent again; `None` if no part is.
    fn end_of_retries(&self, deadline: Option<Instant>) -> Option<Instant> {
        let time = Some(self.table.retry_parts_for).filter(|time| !time.is_zero())?;
        [self.clock.now().checked_add(time), deadline].into_iter().flatten().min()
    }

    /// Divides a batch by the routes.
    ///
    /// # Errors
    /// Of a condition whose errors fail the request, and if the byte budget has no room for the parts.
    fn parts(&self, batch: &mut Batch) -> Result<Vec<Part<'_>>, ExportError> {
        let body = batch.body().contiguous();
        let origin = batch.origin.clone();
        let now = unix_nanos(self.clock.wall());
        // Short records are copied: their bytes are known only after the division.
        let mut room = batch.charge().another();
        reserve(batch, &mut room, body.len() as u64)?;
        let (mut parts, last) = (Vec::new(), self.table.routes.len());
        for (index, _) in self.table.routes.iter().enumerate().filter(|(_, route)| route.is_copy) {
            let mut chooser = Chooser::new(&self.table, body.signal(), origin.as_deref(), now);
            let divided = partition(&body, 2, |item| usize::from(!chooser.copies(index, item)));
            self.stats.add_errors(index, chooser.errors(index));
            chooser.finish()?;
            if let Some(copy) = divided.into_iter().next().flatten() {
                parts.push(self.part(batch, &body, copy, index, true)?);
            }
        }
        let mut chooser = Chooser::new(&self.table, body.signal(), origin.as_deref(), now);
        let divided = partition(&body, last + 1, |item| chooser.moves(item).unwrap_or(last));
        for (index, _) in self.table.routes.iter().enumerate().filter(|(_, route)| !route.is_copy) {
            self.stats.add_errors(index, chooser.errors(index));
        }
        chooser.finish()?;
        for (index, moved) in divided.into_iter().enumerate() {
            if let Some(moved) = moved {
                parts.push(self.part(batch, &body, moved, index, false)?);
            }
        }
        Ok(parts)
    }

    /// Makes a batch of a part of the body.
    fn part(
        &self,
        batch: &mut Batch,
        whole: &Body,
        part: Body,
        index: usize,
        is_copy: bool,
    ) -> Result<Part<'_>, ExportError> {
        let mut charge = batch.share().take_charge();
        charge.try_grow(part.plain().len_outside(&whole.plain().to_contiguous()) as u64)?;
        let outlets = self.outlets.get(index).map(Vec::as_slice).unwrap_or_default();
        Ok(Part { batch: batch.part(part, charge), outlets, route: index, is_copy })
    }
}

/// Returns the outlets into pipelines of a signal by their ids.
///
/// # Errors
/// If a pipeline of the signal does not have the connector among its receivers.
fn named(pipelines: &[String], signal: Signal, outlets: &[Outlet]) -> Result<Vec<Outlet>, BoxError> {
    let of_signal = pipelines.iter().filter(|id| id.split('/').next() == Some(signal.name));
    let outlet = |id: &String| {
        let found = outlets.iter().find(|outlet| outlet.pipeline() == id);
        found.cloned().ok_or_else(|| {
            format!("the pipeline {id} does not have the connector among its receivers").into()
        })
    };
    of_signal.map(outlet).collect()
}

impl Export for RoutingConnector {
    async fn export(&self, mut batch: Batch) -> ExportResult {
        let mut held = self.account.hold(batch.items());
        let (parts, deadline) = (self.parts(&mut batch)?, batch.deadline);
        drop(batch);
        let mut deliveries = Deliveries::new();
        for (index, Part { batch, outlets, route, is_copy }) in parts.into_iter().enumerate() {
            self.stats.add_items(route, batch.items());
            let mut own = if is_copy { self.account.hold(0) } else { held.split_off(batch.items()) };
            if outlets.is_empty() {
                own.settle(Reason::Filtered, batch.items());
                continue;
            }
            deliveries.add((index, route), batch, outlets, (&self.account, own));
        }
        // Items that the division left out are none; the guard is empty.
        drop(held);
        let end = self.end_of_retries(deadline);
        deliveries.send().await;
        if let Some(end) = end {
            deliveries.send_again(&*self.clock, end, |route| self.stats.add_retry(route)).await;
        }
        deliveries.finish()
    }
}

impl Holder for RoutingConnector {}
