//! What components need of a request reaches them, through connectors and batches, without a word in the receiver's
//! settings.

use crate::gateway::{address, request_with};
use crate::harness::*;
use crate::holders::{connector, exporter, forward, pipeline, start};
use otlp_protocol::Batch;
use otlp_service::{
    Access, ActionConfig, ActionKind, AttributesProcessor, BatchConfig, ComponentNeeds, GatewaySpec,
    MatchConfig, Needs, Out, PipelineStage, Processor, ReceiverSpec, ServerSpec, StageSpec,
};
use otlp_transport::{ExportError, HttpTransportStrategy, ServerConfig};
use std::sync::Arc;

fn headers(names: &[&str]) -> Needs {
    let mut needs = Needs::default();
    needs.headers = names.iter().map(|name| (*name).into()).collect();
    needs
}

/// A processor of a library's user.
struct ByTenant;

impl Processor for ByTenant {
    fn access(&self) -> Access {
        Access::None
    }

    fn needs(&self) -> Needs {
        let mut needs = headers(&["x-tenant"]);
        needs.identity = true;
        needs
    }

    fn process(&self, batch: Batch, out: &mut Out) -> Result<(), ExportError> {
        out.emit(batch);
        Ok(())
    }
}

fn server(keep_headers: bool) -> ServerSpec {
    let config = ServerConfig::new("127.0.0.1:0");
    ServerSpec { keep_headers, ..ServerSpec::new(Arc::new(HttpTransportStrategy), config) }
}

/// Two pipelines, of which the first leads to the second by a connector; who needs what is spread over both.
fn spec(sink: &Sink, keep_headers: bool) -> GatewaySpec {
    let mut action = ActionConfig::default();
    (action.key, action.action) = ("tenant".into(), ActionKind::Insert);
    action.from_context = Some("metadata.X-Team".into());
    let insert = AttributesProcessor::new(&[action], MatchConfig::default()).unwrap();
    let mut first = pipeline("logs/first", &["otlp"], &["forward"]);
    first.stages = vec![
        PipelineStage::new("by_tenant", StageSpec::Processor(Arc::new(ByTenant))),
        PipelineStage::new("batch", StageSpec::Batch(BatchConfig::default())),
    ];
    let mut second = pipeline("logs/second", &["forward"], &["out"]);
    second.stages = vec![PipelineStage::new("attributes", StageSpec::Processor(Arc::new(insert)))];
    let mut out = exporter("out", sink, None);
    out.needs = headers(&["x-user", "x-team"]);
    GatewaySpec {
        receivers: vec![
            ReceiverSpec::otlp("otlp", vec![server(keep_headers)]),
            ReceiverSpec::otlp("otlp/unused", vec![server(true)]),
        ],
        connectors: vec![connector("forward", forward().with_needs(headers(&["x-forward"])))],
        exporters: vec![out],
        pipelines: vec![first, second],
        ..GatewaySpec::default()
    }
}

#[test]
fn needs_flow_up_to_receivers() {
    let needs = spec(&Sink::default(), false).needs();
    assert_eq!((needs.len(), &*needs[0].receiver, &*needs[1].receiver), (2, "otlp", "otlp/unused"));
    assert!(needs[1].needs.is_empty() && needs[1].asked_by.is_empty() && needs[1].without_headers.is_empty());
    let asked: Vec<_> =
        needs[0].asked_by.iter().map(|ComponentNeeds { kind, id, .. }| (*kind, &**id)).collect();
    let expect = [
        ("processor", "by_tenant"),
        ("connector", "forward"),
        ("processor", "attributes"),
        ("exporter", "out"),
    ];
    assert_eq!(asked, expect);
    let mut all = headers(&["x-tenant", "x-forward", "x-team", "x-user"]);
    all.identity = true;
    assert_eq!(needs[0].needs, all);
    assert_eq!(needs[0].without_headers, ["127.0.0.1:0"]);
}

/// A processor reads a header behind a batch processor and a connector; two senders are kept apart by that header.
#[tokio::test]
async fn a_header_reaches_the_processor_that_needs_it() {
    for (keep_headers, expect) in [(true, 2), (false, 1)] {
        let sink = Sink::default();
        let gateway = start(spec(&sink, keep_headers)).await;
        let to = address(&gateway, "otlp/http");
        let body = logs(1).body().plain().to_contiguous();
        let send = |team: &'static str| {
            let (header, body) = (format!("x-team: {team}\r\n"), body.clone());
            async move { request_with(to, "POST /v1/logs", &header, &body).await.0 }
        };
        assert_eq!(tokio::join!(send("red"), send("blue")), (200, 200));
        let bodies = sink.bodies();
        assert_eq!(bodies.len(), expect);
        let holds = |text: &str| {
            bodies.iter().any(|body| body.windows(text.len()).any(|part| part == text.as_bytes()))
        };
        assert_eq!((holds("red"), holds("blue")), (keep_headers, keep_headers));
        gateway.drain(now() + seconds(5)).await;
    }
}
