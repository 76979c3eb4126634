//! Calls on the client's own thread, where a wait would never end.

use super::panic_hook::on_panic;
use super::{ALL_ITEMS, Case, HANG, ITEMS, LIMIT, all_are_lost, in_each_case, record};
use otlp_protocol::{Accepted, Batch};
use otlp_service::client::{FlushError, OtlpClient, OtlpConfig};
use otlp_transport::BoxExport;
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

const OWN_THREAD: Result<(), FlushError> = Err(FlushError::OwnThread);

/// Time limit of exports, after which an error hook is called.
const EXPORT_LIMIT: Duration = Duration::from_millis(50);

#[test]
fn in_an_error_hook() {
    in_each_case(|case| {
        let (outcome, outcomes) = mpsc::channel();
        let handle = Arc::new(OnceLock::<OtlpClient>::new());
        let in_hook = handle.clone();
        let config = case.config().with_timeout(EXPORT_LIMIT).with_error_hook(move |_| {
            let client = in_hook.wait();
            outcome.send([client.force_flush(HANG), client.shutdown(LIMIT)]).unwrap();
        });
        let client = handle.get_or_init(|| OtlpClient::new(config).unwrap());
        record(client);
        client.force_flush(HANG).unwrap_err();
        assert_eq!(outcomes.recv().unwrap(), [OWN_THREAD, OWN_THREAD]);
        all_are_lost(client, ITEMS);
        assert_eq!(client.force_flush(HANG), Err(FlushError::ShutDown));
    });
}

#[test]
fn in_the_panic_hook_of_a_panic_in_an_error_hook() {
    in_each_case(|case| {
        let (outcome, outcomes) = mpsc::channel();
        let handle = Arc::new(OnceLock::<OtlpClient>::new());
        let in_hook = handle.clone();
        let config = case.config().with_timeout(EXPORT_LIMIT).with_error_hook(move |_| {
            let (client, outcome) = (in_hook.wait().clone(), outcome.clone());
            on_panic(move || outcome.send(client.force_flush(HANG)).unwrap());
            panic!("the hook's panic");
        });
        let client = handle.get_or_init(|| OtlpClient::new(config).unwrap());
        record(client);
        client.force_flush(HANG).unwrap_err();
        assert_eq!(outcomes.recv().unwrap(), OWN_THREAD);
        // The client's thread has survived the panic.
        record(client);
        assert!(matches!(client.force_flush(HANG), Err(FlushError::Lost(_))));
        all_are_lost(client, 2 * ITEMS);
        // The sum of the counter is collected again.
        assert_eq!(client.shutdown(HANG), Err(FlushError::Lost(1)));
    });
}

/// Drops the last handle of a client in its error hook, and waits until the hook has heard of all items.
pub(super) fn drop_last_handle(case: &Case) {
    let (reported, reports) = mpsc::channel();
    let handle = Arc::new(Mutex::new(None::<OtlpClient>));
    let in_hook = handle.clone();
    let config = case.config().with_timeout(EXPORT_LIMIT).with_error_hook(move |problem| {
        let last = in_hook.lock().take();
        drop(last);
        reported.send(problem.items).unwrap();
    });
    let client = OtlpClient::new(config).unwrap();
    record(&client);
    *handle.lock() = Some(client);
    let mut lost = 0;
    while lost < ALL_ITEMS {
        lost += reports.recv_timeout(HANG).unwrap();
    }
    assert_eq!(lost, ALL_ITEMS);
}

#[test]
fn the_drop_of_the_last_handle_in_an_error_hook() {
    in_each_case(drop_last_handle);
}

#[test]
fn in_an_exporter() {
    let (outcome, outcomes) = mpsc::channel();
    let handle = Arc::new(OnceLock::<OtlpClient>::new());
    let in_export = handle.clone();
    let exporter = BoxExport::from_fn(move |_: Batch| {
        outcome.send(in_export.wait().force_flush(HANG)).unwrap();
        async { Ok(Accepted::FULL) }
    });
    let config = OtlpConfig::default().with_exporter(exporter);
    let client = handle.get_or_init(|| OtlpClient::new(config).unwrap());
    record(client);
    client.force_flush(HANG).unwrap();
    assert_eq!(outcomes.recv().unwrap(), OWN_THREAD);
    client.shutdown(HANG).unwrap();
    assert_eq!((client.stats().spans.sent(), client.stats().logs.sent()), (ITEMS, ITEMS));
}
