use crate::target::Target;
use crate::tee::{Failures, Tee};
use crate::{Outcome, values};
use opentelemetry::trace::{
    Link, Span, SpanContext, SpanKind, Status, TraceContextExt, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};
use std::time::{Duration, UNIX_EPOCH};

const SPANS: usize = 300;
const KINDS: [SpanKind; 5] =
    [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer];

pub fn send(resource: &Resource, targets: &[Target], failures: &Failures) -> Outcome {
    let exporters = targets.iter().map(Target::spans).collect::<Result<_, _>>()?;
    let batches =
        BatchConfigBuilder::default().with_max_queue_size(4096).with_max_export_batch_size(64).build();
    let tee = Tee { exporters, failures: failures.clone() };
    let provider = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_span_processor(BatchSpanProcessor::builder(tee).with_batch_config(batches).build())
        .build();
    let first = provider.tracer_with_scope(
        InstrumentationScope::builder("interop.first")
            .with_version("1.2.3")
            .with_schema_url("https://opentelemetry.io/schemas/1.36.0")
            .with_attributes([KeyValue::new("scope.attr", true)])
            .build(),
    );
    let second = provider.tracer("interop.second");

    let mut attributes = values::every_type("span.");
    attributes.push(values::large());
    if !targets.iter().any(Target::is_json) {
        attributes.extend(values::not_finite());
    }
    let root = first.span_builder("root ⟶").with_attributes(attributes).start(&first);
    let within = Context::new().with_span(root);
    for index in 0..SPANS {
        let tracer = if index % 7 == 0 { &second } else { &first };
        span(tracer, index, &within)?;
    }
    within.span().record_error(&std::io::Error::other("recorded"));
    within.span().end();
    Ok(provider.shutdown()?)
}

fn span(tracer: &impl Tracer, index: usize, parent: &Context) -> Outcome {
    let start = UNIX_EPOCH + Duration::new(1_700_000_000, index as u32);
    let mut span = tracer
        .span_builder(format!("span-{index}"))
        .with_kind(KINDS[index % KINDS.len()].clone())
        .with_start_time(start)
        .with_links(vec![link(parent.span().span_context())?])
        .start_with_context(tracer, parent);
    span.set_attribute(KeyValue::new("index", index as i64));
    span.set_attribute(KeyValue::new("extreme", i64::MIN + index as i64));
    let attributes = values::every_type("event.");
    let attribute = attributes[index % attributes.len()].clone();
    span.add_event_with_timestamp("event", start + Duration::from_nanos(5), vec![attribute]);
    span.add_event("bare event", Vec::new());
    span.set_status(match index % 3 {
        0 => Status::Unset,
        1 => Status::error("späť"),
        _ => Status::Ok,
    });
    span.end();
    Ok(())
}

/// A link with attributes and a trace state.
fn link(to: &SpanContext) -> Result<Link, Box<dyn std::error::Error>> {
    let state = TraceState::from_key_value([("vendor", "value"), ("other", "1")])?;
    let linked = SpanContext::new(to.trace_id(), to.span_id(), to.trace_flags(), false, state);
    Ok(Link::new(linked, values::every_type("link."), 0))
}
