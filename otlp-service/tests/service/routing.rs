//! The connector `routing`: parts of requests go into the pipelines of their routes.

use crate::harness::*;
use crate::holders::{connector, exporter, pipeline, start};
use otlp_protocol::encode::{LogRecords, Metrics, Spans};
use otlp_protocol::view::RequestView;
use otlp_protocol::{Batch, Body, Charge, Origin, Signal};
use otlp_service::{
    ErrorMode, Gateway, GatewaySpec, LedgerLine, PipelineSpec, Route, RoutingConfig, RoutingConnector,
};
use otlp_transport::{Export, ExportResult};
use std::sync::Arc;

/// A gateway with the sinks `a`, `b` and `rest`, each behind a pipeline of that name.
async fn gateway(signal: Signal, sinks: &[Sink; 3], table: Vec<Route>, has_default: bool) -> Gateway {
    let mut config = RoutingConfig::default();
    config.table = table;
    config.default_pipelines = if has_default { vec![format!("{signal}/rest")] } else { Vec::new() };
    with_config(signal, sinks, config).await
}

pub(crate) async fn with_config(signal: Signal, sinks: &[Sink; 3], config: RoutingConfig) -> Gateway {
    let names = ["a", "b", "rest"];
    let of = |name: &str, receivers: &[&str], exporters: &[&str]| PipelineSpec {
        signal,
        ..pipeline(&format!("{signal}/{name}"), receivers, exporters)
    };
    let behind = names.iter().map(|name| of(name, &["routing"], &[name]));
    let spec = GatewaySpec {
        connectors: vec![connector("routing", RoutingConnector::spec(config).unwrap())],
        exporters: names.iter().zip(sinks).map(|(name, sink)| exporter(name, sink, None)).collect(),
        pipelines: behind.chain([of("in", &[], &["routing"])]).collect(),
        ..GatewaySpec::default()
    };
    start(spec).await
}

pub(crate) async fn send(gateway: &Gateway, body: Body, headers: &[(&str, &str)]) -> ExportResult {
    let mut batch = Batch::new(body, Charge::none());
    let header = |(name, value): &(&str, &str)| ((*name).into(), (*value).to_owned().into());
    batch.origin =
        Some(Arc::new(Origin { headers: headers.iter().map(header).collect(), ..Origin::default() }));
    let signal = batch.signal();
    gateway.inlet(&format!("{signal}/in")).unwrap().export(batch).await
}

pub(crate) fn route(context: &str, condition: &str, pipelines: &[&str]) -> Route {
    let mut route = Route::new(condition, pipelines.iter().copied());
    route.context = Some(context.into());
    route
}

/// Records of these severities, in a resource of each tenant.
pub(crate) fn logs(tenants: &[(&str, &[i32])]) -> Body {
    Body::write::<LogRecords>(|request| {
        for (tenant, severities) in tenants {
            request.resource_group(|group| {
                group.resource(|resource| {
                    resource.attribute("tenant", *tenant);
                });
                group.scope_group(|scope| {
                    for severity in *severities {
                        scope.log_record(|record| {
                            record.severity_number(*severity).body(*tenant);
                        });
                    }
                });
            });
        }
    })
}

pub(crate) fn items(sinks: &[Sink; 3]) -> [u64; 3] {
    sinks.each_ref().map(Sink::items)
}

pub(crate) fn line(gateway: &Gateway, signal: Signal) -> LedgerLine {
    let ledger = gateway.ledger();
    assert_eq!(ledger.check(), Ok(()));
    ledger.line(&format!("{signal}/in"), "routing").unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn the_first_route_takes_what_it_selects_and_the_rest_goes_to_the_default() {
    let sinks = <[Sink; 3]>::default();
    let table = vec![
        route("resource", r#"attributes["tenant"] == "acme""#, &["logs/a"]),
        route("log", "severity_number >= SEVERITY_NUMBER_ERROR", &["logs/b", "traces/other"]),
        route("span", r#"name == "of another signal""#, &["traces/a"]),
    ];
    let gateway = gateway(Signal::LOGS, &sinks, table, true).await;
    let body = logs(&[("acme", &[9, 17]), ("other", &[9, 17, 18])]);
    send(&gateway, body, &[]).await.unwrap();
    assert_eq!(items(&sinks), [2, 2, 1]);
    let line = line(&gateway, Signal::LOGS);
    assert_eq!((line.accepted, line.sent, line.produced, line.filtered), (5, 5, 0, 0));
    // Only the resource of the route.
    send(&gateway, logs(&[("acme", &[1])]), &[]).await.unwrap();
    assert_eq!(items(&sinks), [3, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_no_route_selects_is_filtered_without_a_default() {
    let sinks = <[Sink; 3]>::default();
    let table = vec![route("resource", r#"attributes["tenant"] == "acme""#, &["logs/a", "logs/b"])];
    let gateway = gateway(Signal::LOGS, &sinks, table, false).await;
    send(&gateway, logs(&[("acme", &[1, 2]), ("other", &[3])]), &[]).await.unwrap();
    assert_eq!(items(&sinks), [2, 2, 0]);
    let line = line(&gateway, Signal::LOGS);
    assert_eq!((line.accepted, line.sent, line.produced, line.filtered), (3, 4, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_asked_the_following_conditions_too() {
    let sinks = <[Sink; 3]>::default();
    let mut copy = route("log", "severity_number > 0", &["logs/a"]);
    copy.is_copy = true;
    let table = vec![
        route("resource", r#"attributes["tenant"] == "first""#, &["logs/b"]),
        copy,
        route("resource", r#"attributes["tenant"] == "second""#, &["logs/b"]),
    ];
    let gateway = gateway(Signal::LOGS, &sinks, table, true).await;
    send(&gateway, logs(&[("first", &[1]), ("second", &[2]), ("third", &[3, 0])]), &[]).await.unwrap();
    assert_eq!(items(&sinks), [2, 2, 2]);
    let line = line(&gateway, Signal::LOGS);
    assert_eq!((line.accepted, line.sent, line.produced), (4, 6, 2));
}

#[tokio::test(start_paused = true)]
async fn requests_are_routed_by_their_headers() {
    let sinks = <[Sink; 3]>::default();
    let table = vec![
        route("request", r#"request["X-Tenant"] == "a""#, &["logs/a"]),
        route("request", r#"request["x-tenant"] != "c""#, &["logs/b"]),
        Route::new(r#"otelcol.client.metadata["x-level"][0] == "high""#, ["logs/a"]),
    ];
    let mut config = RoutingConfig::default();
    config.table = table.clone();
    let needs = RoutingConnector::spec(config).unwrap().needs;
    assert_eq!(needs.headers, ["x-tenant", "x-level"].map(Box::from));
    let gateway = gateway(Signal::LOGS, &sinks, table, true).await;
    for headers in [&[("x-tenant", "a")][..], &[("x-tenant", "b")], &[("x-tenant", "c")]] {
        send(&gateway, logs(&[("t", &[1, 2])]), headers).await.unwrap();
    }
    assert_eq!(items(&sinks), [2, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn spans_metrics_and_data_points_are_routed() {
    let sinks = <[Sink; 3]>::default();
    let table = vec![route("span", r#"name == "a" and resource.attributes["no"] == nil"#, &["traces/a"])];
    let traces = gateway(Signal::TRACES, &sinks, table, true).await;
    let body = Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                for name in ["a", "b", "a"] {
                    scope.span(|span| {
                        span.name(name);
                    });
                }
            });
        });
    });
    send(&traces, body, &[]).await.unwrap();
    assert_eq!(items(&sinks), [2, 0, 1]);
    let sinks = <[Sink; 3]>::default();
    let table = vec![
        route("metric", r#"name == "m0""#, &["metrics/a"]),
        route("datapoint", "value_int == 2", &["metrics/b"]),
    ];
    let metrics = gateway(Signal::METRICS, &sinks, table, true).await;
    let body = Body::write::<Metrics>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                for name in ["m0", "m1"] {
                    scope.metric(|metric| {
                        metric.name(name).gauge(|gauge| {
                            for value in [1, 2, 3] {
                                gauge.point(|point| {
                                    point.int(value);
                                });
                            }
                        })
                    });
                }
            });
        });
    });
    send(&metrics, body, &[]).await.unwrap();
    assert_eq!(items(&sinks), [3, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_a_condition_fails_the_request_or_is_no_match() {
    for (mode, expect) in [(ErrorMode::Propagate, None), (ErrorMode::Ignore, Some([1, 0, 1]))] {
        let sinks = <[Sink; 3]>::default();
        let mut config = RoutingConfig::default();
        config.error_mode = mode;
        config.default_pipelines = vec!["logs/rest".into()];
        config.table = vec![
            route("log", r#"body["key"] == 1"#, &["logs/b"]),
            route("log", "severity_number == 1", &["logs/a"]),
        ];
        let gateway = with_config(Signal::LOGS, &sinks, config).await;
        let result = send(&gateway, logs(&[("t", &[1, 2])]), &[]).await;
        match expect {
            Some(expect) => assert_eq!((result.is_ok(), items(&sinks)), (true, expect)),
            None => {
                let error = result.unwrap_err().to_string();
                assert!(error.contains(r#"the routing condition `body["key"] == 1` failed"#), "{error}");
                assert_eq!(items(&sinks), [0, 0, 0]);
            }
        }
        assert_eq!(gateway.ledger().check(), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn items_and_errors_are_counted_by_route() {
    let sinks = <[Sink; 3]>::default();
    let mut copy = route("log", "severity_number >= 2", &["logs/b"]);
    copy.is_copy = true;
    let mut config = RoutingConfig::default();
    config.error_mode = ErrorMode::Silent;
    config.table = vec![
        copy,
        route("log", r#"body["key"] == 1"#, &["logs/b"]),
        route("request", r#"request["x-tenant"] == "a""#, &["logs/b"]),
        route("log", "severity_number == 1", &["logs/a", "logs/b"]),
    ];
    let gateway = with_config(Signal::LOGS, &sinks, config).await;
    send(&gateway, logs(&[("t", &[1, 1, 2, 3])]), &[]).await.unwrap();
    let labels = [("connector", "routing"), ("otel_signal", "logs"), ("pipeline", "logs/in")];
    let get = |name: &str, context: &str, condition: &str| {
        let of_route = [("context", context), ("condition", condition)];
        gateway.metrics().get(name, &[&labels[..], &of_route].concat())
    };
    let items = |context: &str, condition: &str| get("otlp_connector_routing_items", context, condition);
    assert_eq!(items("log", "severity_number >= 2"), Some(2.0));
    assert_eq!(items("log", r#"body["key"] == 1"#), Some(0.0));
    assert_eq!(items("request", r#"request["x-tenant"] == "a""#), Some(0.0));
    assert_eq!(items("log", "severity_number == 1"), Some(2.0));
    assert_eq!(items("default", ""), Some(2.0));
    let errors = |condition: &str| get("otlp_connector_routing_errors", "log", condition);
    assert_eq!((errors(r#"body["key"] == 1"#), errors("severity_number == 1")), (Some(4.0), Some(0.0)));
}

#[tokio::test(start_paused = true)]
async fn schema_urls_are_read_and_kept() {
    let sinks = <[Sink; 3]>::default();
    let table = vec![
        route("resource", r#"schema_url == "https://example.com/r1""#, &["logs/a"]),
        Route::new(r#"log.severity_number == 2 and scope.schema_url == "https://example.com/s""#, ["logs/b"]),
    ];
    let gateway = gateway(Signal::LOGS, &sinks, table, true).await;
    let body = Body::write::<LogRecords>(|request| {
        for url in ["https://example.com/r1", "https://example.com/r2"] {
            request.resource_group(|group| {
                group.schema_url(url).scope_group(|scope| {
                    scope.schema_url("https://example.com/s");
                    for severity in [1, 2] {
                        scope.log_record(|record| {
                            record.severity_number(severity);
                        });
                    }
                });
            });
        }
    });
    send(&gateway, body, &[]).await.unwrap();
    assert_eq!(items(&sinks), [2, 1, 1]);
    for (sink, expect) in sinks.iter().zip(["r1 s", "r2 s", "r2 s"]) {
        let bytes = sink.bodies().remove(0);
        let view = RequestView::new(Signal::LOGS, &bytes);
        let urls = view.resources().flat_map(|group| {
            let of_resource = group.schema_url();
            group.scopes().map(move |scope| format!("{of_resource} {}", scope.schema_url()))
        });
        let urls: Vec<_> = urls.map(|urls| urls.replace("https://example.com/", "")).collect();
        assert_eq!(urls, [expect]);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_of_parts_are_joined() {
    let sinks =
        [Sink::scripted([Step::Reject(1, "bad")]), Sink::scripted([Step::Reject(1, "old")]), Sink::default()];
    let table = vec![
        route("log", "severity_number == 1", &["logs/a"]),
        route("log", "severity_number == 2", &["logs/b"]),
    ];
    let gateway = gateway(Signal::LOGS, &sinks, table, true).await;
    let accepted = send(&gateway, logs(&[("t", &[1, 2, 1, 2, 3])]), &[]).await.unwrap();
    assert_eq!((accepted.rejected, accepted.message.as_str()), (2, "bad; old"));
}

#[test]
fn faults_of_all_conditions_are_found() {
    let mut config = RoutingConfig::default();
    config.table = vec![
        route("spanevent", "true", &["traces/a"]),
        route("log", "bodyy == 1", &["logs/a"]),
        route("request", r#"request["a"]"#, &["logs/a"]),
        Route::new("severity_number == 1", ["logs/a"]),
    ];
    let errors = RoutingConnector::spec(config).unwrap_err();
    let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
    for (shown, part) in shown.iter().zip([
        "route 0: ",
        "did you mean `body`?",
        "must be `request[\"key\"] == \"value\"`",
        "no path has a context in front",
    ]) {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert_eq!(shown.len(), 4);
}
