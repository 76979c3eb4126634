use crate::{Attempt, BoxAttempt, BoxExport, Export, ExportError, ExportResult, Routes};
use otlp_protocol::{Accepted, Batch, Charge, ErrorKind, Retry, Signal, ValidateLimits};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts what it is told.
#[derive(Default)]
struct Counter {
    items: AtomicU64,
    refused: AtomicU64,
    unread: AtomicU64,
}

impl Export for Counter {
    async fn export(&self, batch: Batch) -> ExportResult {
        self.items.fetch_add(batch.items(), Relaxed);
        Ok(Accepted::FULL)
    }

    fn refuse(&self, items: u64) {
        self.refused.fetch_add(items, Relaxed);
    }

    fn refuse_unread(&self) {
        self.unread.fetch_add(1, Relaxed);
    }
}

/// An attempt, which is an export through the blanket implementation.
struct Nop;

impl Attempt for Nop {
    async fn attempt(&self, _: &Batch) -> ExportResult {
        Ok(Accepted::FULL)
    }
}

fn batch() -> Batch {
    let body = b"\x0a\x04\x12\x02\x12\x00".to_vec();
    Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), Charge::none()).unwrap()
}

#[tokio::test]
async fn a_shared_export_is_an_export_and_hears_of_refusals() {
    let counter = Arc::new(Counter::default());
    let export = BoxExport::new(counter.clone());
    assert!(export.export(batch()).await.is_ok());
    export.refuse(2);
    export.refuse_unread();
    let counted = [&counter.items, &counter.refused, &counter.unread].map(|count| count.load(Relaxed));
    assert_eq!(counted, [1, 2, 1]);
}

#[tokio::test]
async fn a_shared_attempt_is_an_export_and_a_plug() {
    let nop = Arc::new(Nop);
    assert!(Export::export(&nop, batch()).await.is_ok());
    assert!(BoxAttempt::from(nop).attempt(&batch()).await.is_ok());
}

#[tokio::test]
async fn a_closure_is_an_export_of_all_signals() {
    let refused = || ExportError::new(ErrorKind::InvalidData, Retry::Never, "not today");
    let routes = Routes::all(BoxExport::from_fn(move |_| async move { Err(refused()) }));
    for signal in Signal::ALL {
        let route = routes.by_http_path(signal.http_path).unwrap();
        assert_eq!(route.signal, signal);
        assert_eq!(route.export.export(batch()).await.unwrap_err().message(), "not today");
    }
}

#[test]
fn debug_output_names_types_and_paths() {
    assert!(format!("{:?}", BoxExport::new(Arc::new(Nop))).ends_with("Nop>)"));
    assert!(format!("{:?}", BoxAttempt::new(Nop)).ends_with("Nop)"));
    let shown = format!("{:?}", Routes::all(BoxExport::new(Nop)));
    assert!(shown.contains("/v1/logs") && shown.contains("Nop"), "{shown}");
}
