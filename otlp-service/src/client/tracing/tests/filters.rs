//! Levels, and filters of a layer that hide spans.

use super::support::{Kept, Recorded, client, exported, lean, on_both};
use crate::client::{OtlpLayer, SpanExt as _};
use tracing::level_filters::LevelFilter;
use tracing::{debug, debug_span, info, info_span};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, registry};

/// A body with a hidden span between two visible spans.
fn nested() {
    let outer = info_span!("outer");
    let _in_outer = outer.enter();
    let hidden = debug_span!("hidden", a = tracing::field::Empty);
    hidden.record("a", 1);
    hidden.follows_from(&outer);
    info!(parent: &hidden, "explicit event");
    info_span!(parent: &hidden, "explicit").in_scope(|| info!("event"));
    let _in_hidden = hidden.enter();
    info!("event");
    debug!("hidden event");
    info_span!("inner").in_scope(|| info!("event"));
}

fn check(recorded: &Recorded) {
    assert_eq!(recorded.spans.len(), 3, "{recorded:?}");
    let outer = recorded.span("outer");
    assert_eq!(recorded.span("inner").parent, Some(outer.span_id));
    assert_eq!(recorded.span("explicit").parent, Some(outer.span_id));
    assert_eq!(outer.events.len(), 2);
    assert!(recorded.logs.is_empty());
}

fn layer(client: &Kept) -> OtlpLayer {
    client.tracing_layer().with_options(lean())
}

#[test]
fn children_of_a_span_behind_a_filter_belong_to_the_span_around_it() {
    let client = client();
    let filtered =
        layer(&client).with_filter(filter_fn(|metadata| *metadata.level() <= tracing::Level::INFO));
    // Another layer sees the hidden spans: without, the registry would not make these spans.
    let other = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    tracing::subscriber::with_default(registry().with(filtered).with(other), nested);
    check(&exported(&client));
}

#[test]
fn the_level_of_a_layer_hides_spans_from_the_layer_alone() {
    let (quiet, all) = (client(), client());
    let mut options = lean();
    options.max_level = LevelFilter::INFO;
    let subscriber = registry().with(quiet.tracing_layer().with_options(options)).with(layer(&all));
    tracing::subscriber::with_default(subscriber, nested);
    check(&exported(&quiet));
    let recorded = exported(&all);
    assert_eq!(recorded.spans.len(), 4);
    assert_eq!(recorded.span("hidden").attributes["a"], "1");
    assert_eq!(recorded.span("hidden").events.len(), 3);
}

#[test]
fn the_level_of_a_subscriber_disables_callsites() {
    let mut options = lean();
    options.max_level = LevelFilter::INFO;
    let body = || {
        let hidden = debug_span!("hidden");
        assert!(hidden.context().is_none());
        hidden.in_scope(|| debug!("hidden event"));
        info_span!("shown").in_scope(|| info!("event"));
    };
    on_both(&options, body, |recorded| {
        assert_eq!((recorded.spans.len(), recorded.logs.len()), (1, 0));
        assert_eq!(recorded.spans[0].events.len(), 1);
    });
}

#[test]
fn contexts_are_found_under_other_layers() {
    let client = client();
    let subscriber = registry()
        .with(layer(&client).with_filter(LevelFilter::TRACE).boxed())
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::sink));
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("s");
        assert!(span.context().is_some());
    });
    assert_eq!(exported(&client).spans.len(), 1);
}

#[test]
fn a_subscriber_works_under_a_filter() {
    let client = client();
    let subscriber = client.tracing_subscriber().with_options(lean()).with(LevelFilter::INFO);
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("s");
        let _hidden = debug_span!("hidden");
        assert!(span.context().is_some());
    });
    assert_eq!(exported(&client).spans.len(), 1);
}
