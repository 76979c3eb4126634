//! Telemetry of the client's own thread.

use super::support::{client, client_exporting_with, exported, lean, own_process, set_global_default};
use std::sync::atomic::{AtomicU32, Ordering};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Interest, Subscriber};
use tracing::{Event, Metadata, debug, info, info_span};

#[test]
fn telemetry_of_an_exporter_is_not_recorded() {
    let Some(door) = own_process("own::telemetry_of_an_exporter_is_not_recorded", &["subscriber", "layer"])
    else {
        return;
    };
    let client = client_exporting_with(|| {
        info!("exporting");
        info_span!("export").in_scope(|| info!("exporting"));
    });
    set_global_default(&client, &door, lean());
    for _ in 0..3 {
        info_span!("s").in_scope(|| info!("event"));
        info!("log");
        let recorded = exported(&client);
        assert_eq!((recorded.spans.len(), recorded.logs.len()), (1, 1), "{recorded:?}");
        assert_eq!(recorded.span("s").events.len(), 1);
    }
}

/// A subscriber of the program, which is always interested in what is not below the level INFO.
struct Asked;

/// Number of questions that the subscriber was asked.
static QUESTIONS: AtomicU32 = AtomicU32::new(0);

impl Subscriber for Asked {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if *metadata.level() <= LevelFilter::INFO { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        QUESTIONS.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_client_does_not_slow_down_the_subscriber_of_the_program() {
    if own_process("own::a_client_does_not_slow_down_the_subscriber_of_the_program", &["alone"]).is_none() {
        return;
    }
    let client = client();
    tracing::subscriber::set_global_default(Asked).unwrap();
    for _ in 0..3 {
        info_span!("span").in_scope(|| info!("event"));
        debug!("below the level");
        client.send_trace("own").finish();
        exported(&client);
    }
    assert_eq!(LevelFilter::current(), LevelFilter::INFO);
    assert_eq!(QUESTIONS.load(Ordering::Relaxed), 0);
}
