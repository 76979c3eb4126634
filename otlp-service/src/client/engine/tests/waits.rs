//! Flushes and shutdowns: their time limits, the threads and processes that call them.

use super::threads::Last;
use super::*;

#[test]
fn the_clients_own_thread_records_nothing_and_cannot_wait() {
    let slot = Arc::new(Mutex::new(None::<OtlpClient>));
    let (of_export, seen) = (slot.clone(), Arc::new(Mutex::new(None)));
    let answer = seen.clone();
    let export = BoxExport::from_fn(move |_: Batch| {
        let client = of_export.lock().clone().unwrap();
        assert!(!client.send_trace("own").start().is_recording());
        *answer.lock() = Some(client.force_flush(WAIT));
        async { Ok(Accepted::FULL) }
    });
    let client = client(export, |_| {});
    *slot.lock() = Some(client.clone());
    client.send_trace("span").finish();
    client.force_flush(WAIT).unwrap();
    assert_eq!(*seen.lock(), Some(Err(FlushError::OwnThread)));
    assert_eq!(client.stats().spans.sent(), 1);
    slot.lock().take();
}

#[test]
fn a_silent_destination_delays_nothing_beyond_the_time_limits() {
    let export = BoxExport::from_fn(|_: Batch| std::future::pending());
    let client = client(export, |config| config.on_error.call = Some(Arc::new(|_| {})));
    client.send_trace("span").finish();
    assert_eq!(client.force_flush(Duration::from_millis(10)), Err(FlushError::TimedOut));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let flushed = runtime.block_on(client.flush(Duration::from_millis(10)));
    assert_eq!(flushed, Err(FlushError::TimedOut));
    let stopped = client.shutdown(Duration::from_millis(50));
    assert!(matches!(stopped, Err(FlushError::TimedOut | FlushError::Lost(1))), "{stopped:?}");
    while client.stats().spans.lost(LossReason::Shutdown) == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(client.shutdown(WAIT), Err(FlushError::ShutDown));
}

#[test]
fn exports_have_a_time_limit() {
    let export = BoxExport::from_fn(|_: Batch| std::future::pending());
    let client = client(export, |config| {
        config.spans.timeout = Duration::from_millis(10);
        config.on_error.call = Some(Arc::new(|_| {}));
    });
    client.send_trace("span").finish();
    assert_eq!(client.force_flush(WAIT), Err(FlushError::Lost(1)));
    assert_eq!(client.stats().spans.lost(LossReason::TimedOut), 1);
}

#[test]
fn flushes_on_runtimes_in_panic_hooks_and_in_drop() {
    let kept = Kept::default();
    let client = client(kept.export(), |_| {});
    let current = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let one = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    for runtime in [current, one] {
        runtime.block_on(async {
            client.send_trace("blocking").finish();
            client.force_flush(WAIT).unwrap();
            client.send_trace("async").finish();
            client.flush(WAIT).await.unwrap();
            let of_task = client.clone();
            let task = async move {
                of_task.send_trace("task").finish();
                of_task.force_flush(WAIT).unwrap();
            };
            tokio::spawn(task).await.unwrap();
        });
    }
    let of_thread = client.clone();
    let unwinds = thread::spawn(move || {
        let _last = Last(of_thread);
        panic!("unwinds through a destructor that records");
    });
    assert!(unwinds.join().is_err());
    drop(client);
    assert_eq!(kept.spans(), 7);
}

#[test]
fn a_disabled_client_has_no_thread_and_never_waits() {
    let client = client(Kept::default().export(), |config| config.is_disabled = true);
    assert_eq!(Arc::strong_count(client.0.engine.shared()), 1, "a thread has the engine");
    assert!(!client.send_trace("span").start().is_recording());
    assert_eq!(
        [client.force_flush(WAIT), client.shutdown(WAIT), client.force_flush(WAIT)],
        [const { Ok(()) }; 3]
    );
}

#[test]
fn after_a_fork_the_parents_spans_are_counted_and_own_spans_arrive() {
    let kept = Kept::default();
    let client = client(kept.export(), |_| {});
    client.send_trace("of the parent").finish();
    let open = client.send_trace("open at the fork").start();
    let parent = client.0.engine.shared().clone();
    parent.pretend_fork();
    let child = client.send_trace("of the child").finish();
    drop(open);
    client.send_trace("of the child").parent(&child).finish();
    client.send_log(SeverityNumber::Info).body("of the child").emit();
    client.force_flush(WAIT).unwrap();
    let stats = client.stats();
    assert_eq!((stats.spans.lost(LossReason::Fork), stats.spans.sent()), (1, 3));
    assert_eq!(stats.logs.sent(), 1);
    let scopes = kept.requests(Signal::TRACES);
    assert!(RequestView::new(Signal::TRACES, &scopes[0]).spans().all(|span| !span.scope().name().is_empty()));
    // The engine of the parent process ends in the parent process.
    parent.control.order_stop(CLOCK.now());
}
