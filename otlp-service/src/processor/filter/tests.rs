//! Tests of the processor `filter`.

mod profiles;

use super::*;
use crate::component::Reason;
use crate::processor::matching::{AttributeMatch, MatchProperties, TextMatch};
use otlp_protocol::encode::{LogRecords, Metrics, Spans};
use otlp_protocol::view::RequestView;
use otlp_protocol::{Body, Charge, Origin};

fn conditions(signal: Signal, context: Option<&str>, conditions: &[&str]) -> FilterConditions {
    let mut list = FilterConditions::new(signal, conditions.iter().copied());
    list.context = context.map(str::to_owned);
    list
}

fn filter(lists: Vec<FilterConditions>) -> FilterProcessor {
    let config = FilterConfig { conditions: lists, ..FilterConfig::default() };
    FilterProcessor::new(config).unwrap_or_else(|errors| panic!("{}", errors[0]))
}

fn run(filter: &FilterProcessor, body: &Body) -> Result<(Option<Body>, Out), ExportError> {
    let mut out = Out::new();
    filter.process(Batch::new(body.clone(), Charge::none()), &mut out)?;
    let left = out.batches.first().map(|batch| batch.body().clone());
    Ok((left, out))
}

/// Two resources: the first with the spans `a`, `b` (with the events `x`, `y`) and `c`, the second, of production, with `a`.
fn traces() -> Body {
    Body::write::<Spans>(|request| {
        request.resource_group(|group| {
            group.scope_group(|group| {
                group.scope(|scope| {
                    scope.name("lib");
                });
                for (name, code) in [("a", 200), ("b", 404), ("c", 200)] {
                    group.span(|span| {
                        span.name(name).attribute("code", code);
                        if name == "b" {
                            span.event(|event| {
                                event.name("x");
                            });
                            span.event(|event| {
                                event.name("y");
                            });
                        }
                    });
                }
            });
        });
        request.resource_group(|group| {
            group.resource(|resource| {
                resource.attribute("env", "prod");
            });
            group.scope_group(|group| {
                group.span(|span| {
                    span.name("a");
                });
            });
        });
    })
}

/// Shows the spans of a body: resource index, name, events.
fn shown(body: Option<&Body>) -> String {
    let Some(body) = body else { return String::new() };
    let bytes = body.to_bytes();
    let mut text = String::new();
    for (index, group) in RequestView::new(body.signal(), &bytes).resources().enumerate() {
        for span in group.scopes().flat_map(|scope| scope.spans()) {
            text += &format!(" {index}{}", span.name());
            span.events().for_each(|event| text += event.name());
        }
    }
    text.trim_start().to_owned()
}

#[test]
fn what_meets_a_condition_is_removed_at_its_level() {
    for (list, left, removed) in [
        (vec![r#"span.name == "a""#], "0bxy 0c", 2),
        (vec![r#"span.attributes["code"] == 404"#], "0a 0c 1a", 1),
        (vec![r#"span.attributes["no"] != nil"#], "0a 0bxy 0c 1a", 0),
        (vec![r#"resource.attributes["env"] != "prod""#], "0a", 3),
        (vec![r#"scope.name == "lib""#], "0a", 3),
        (vec![r#"spanevent.name == "x""#], "0a 0by 0c 1a", 0),
        (vec![r#"spanevent.name == "x""#, r#"span.name == "c""#], "0a 0by 1a", 1),
        (vec![r#"span.name == "a" or span.name == "b""#, r#"span.name == "c""#], "", 4),
        (vec![r#"otelcol.client.metadata["x"] == nil"#], "", 4),
    ] {
        let (body, out) = run(&filter(vec![conditions(Signal::TRACES, None, &list)]), &traces()).unwrap();
        assert_eq!(
            (shown(body.as_ref()).as_str(), out.removed(Reason::Filtered)),
            (left, removed),
            "{list:?}"
        );
        assert_eq!(out.removed(Reason::Dropped), 0);
        assert_eq!(body.as_ref().map_or(0, |body| body.count().items), 4 - removed, "{list:?}");
    }
}

#[test]
fn contexts_may_be_given_and_groups_run_in_order() {
    let lists = vec![
        conditions(Signal::TRACES, Some("spanevent"), &[r#"name == "x""#]),
        conditions(Signal::TRACES, Some("span"), &[r#"Len(events) == 1 or name == "a""#]),
    ];
    let filter = filter(lists);
    assert_eq!(filter.plans[0].passes.len(), 2);
    assert_eq!(shown(run(&filter, &traces()).unwrap().0.as_ref()), "0c");
}

#[test]
fn other_signals_pass() {
    let (body, _) =
        run(&filter(vec![conditions(Signal::LOGS, None, &["log.body != nil"])]), &traces()).unwrap();
    assert_eq!(body.unwrap().to_bytes(), traces().to_bytes());
}

#[test]
fn without_a_condition_empty_resources_stay_too() {
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|_| {});
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.log_record(|_| {});
            });
        });
    });
    for list in
        [conditions(Signal::LOGS, Some("log"), &[]), conditions(Signal::TRACES, None, &["span.name == nil"])]
    {
        let (left, _) = run(&filter(vec![list]), &body).unwrap();
        assert_eq!(left.map(|left| left.to_bytes()), Some(body.to_bytes()));
    }
}

#[test]
fn envelopes_without_content_are_removed_as_deep_as_conditions_go() {
    let body = Body::write::<LogRecords>(|request| {
        request.resource_group(|_| ());
        request.resource_group(|group| {
            group.scope_group(|_| ());
        });
        request.resource_group(|group| {
            group.scope_group(|_| ());
            group.scope_group(|group| {
                group.log_record(|record| {
                    record.body("x");
                });
            });
        });
    });
    let shape = |list: &[&str]| {
        let left = run(&filter(vec![conditions(Signal::LOGS, None, list)]), &body).unwrap().0.unwrap();
        let bytes = left.to_bytes();
        let groups: Vec<_> = RequestView::new(Signal::LOGS, &bytes)
            .resources()
            .map(|group| group.scopes().map(|scope| scope.entries().count()).collect::<Vec<_>>())
            .collect();
        groups
    };
    assert_eq!(shape(&[r#"resource.attributes["a"] == 1"#]), [vec![0], vec![0, 1]]);
    assert_eq!(shape(&[r#"scope.name == "a""#]), [vec![1]]);
    assert_eq!(shape(&[r#"log.body == "y""#]), [vec![1]]);
}

#[test]
fn metrics_without_points_are_removed() {
    let body = Body::write::<Metrics>(|request| {
        request.resource_group(|group| {
            group.scope_group(|group| {
                for name in ["a", "b"] {
                    group.metric(|metric| {
                        metric.name(name).gauge(|gauge| {
                            for value in if name == "a" { 0..2 } else { 1..2 } {
                                gauge.point(|point| {
                                    point.int(value);
                                });
                            }
                        })
                    });
                }
                group.metric(|metric| metric.name("empty").gauge(|_| ()));
            });
        });
    });
    let left = |list: &[&str]| {
        let (left, out) = run(&filter(vec![conditions(Signal::METRICS, None, list)]), &body).unwrap();
        let left = left.map(|left| left.to_bytes()).unwrap_or_default();
        let metrics: Vec<_> = RequestView::new(Signal::METRICS, &left)
            .metrics()
            .map(|metric| format!("{}{}", metric.name(), metric.points().count()))
            .collect();
        (metrics.join(" "), out.removed(Reason::Filtered))
    };
    assert_eq!(left(&["datapoint.value_int == 1"]), ("a1".into(), 2));
    assert_eq!(left(&["Len(metric.data_points) == 0"]), ("a2 b1".into(), 0));
    // An int point reads 0 as a double.
    assert_eq!(left(&["datapoint.value_double == 0.0"]), (String::new(), 3));
    assert_eq!(left(&[r#"metric.name == "a""#]), ("b1 empty0".into(), 2));
    assert_eq!(left(&[r#"metric.name == "a" and datapoint.value_int == 0"#]), ("a1 b1".into(), 1));
}

#[test]
fn error_modes() {
    let failing = |mode| {
        let mut list = conditions(
            Signal::TRACES,
            None,
            &[r#"HasPrefix(span.attributes["x"], "a")"#, r#"span.name == "a""#],
        );
        list.error_mode = mode;
        run(&filter(vec![list]), &traces()).map(|(body, _)| shown(body.as_ref()))
    };
    assert_eq!(failing(ErrorMode::Ignore).unwrap(), "0bxy 0c");
    assert_eq!(failing(ErrorMode::Silent).unwrap(), "0bxy 0c");
    let error = failing(ErrorMode::Propagate).unwrap_err().to_string();
    assert!(error.contains("HasPrefix: expected a string, found nil"), "{error}");
}

#[test]
fn a_dry_run_counts_and_removes_nothing() {
    let registry = crate::telemetry::Registry::new();
    let list =
        conditions(Signal::TRACES, None, &[r#"span.name == "a""#, r#"HasPrefix(span.attributes["x"], "a")"#]);
    let mut config = FilterConfig { conditions: vec![list], is_dry_run: true, ..FilterConfig::default() };
    let count = |config: FilterConfig| {
        let metrics = ProcessorMetrics::new(&registry, "filter/a", "traces", Signal::TRACES);
        let filter = FilterProcessor::new(config).unwrap().with_metrics(&metrics).unwrap();
        let mut out = Out::new();
        filter.process(Batch::new(traces(), Charge::none()), &mut out).unwrap();
        let snapshot = registry.snapshot();
        let value = |name: &str| -> f64 {
            let family = snapshot.families.iter().find(|family| family.name == name).unwrap();
            family.samples.iter().map(|sample| sample.value).sum::<f64>()
        };
        let names = ["spans_filtered", "condition_met", "condition_items", "condition_errors"];
        (out.into_batches()[0].items(), names.map(|name| value(&format!("otelcol_processor_filter_{name}"))))
    };
    assert_eq!(count(config.clone()), (4, [0.0, 2.0, 2.0, 2.0]));
    config.is_dry_run = false;
    assert_eq!(count(config), (2, [2.0, 2.0, 2.0, 2.0]));
}

#[test]
fn items_are_counted_by_condition() {
    let body = Body::write::<Metrics>(|request| {
        for env in ["test", "prod"] {
            request.resource_group(|group| {
                group.resource(|resource| {
                    resource.attribute("env", env);
                });
                group.scope_group(|group| {
                    for (name, points) in [("a", 2), ("b", 3)] {
                        group.metric(|metric| {
                            metric.name(name).gauge(|gauge| {
                                for value in 0..points {
                                    gauge.point(|point| {
                                        point.int(value);
                                    });
                                }
                            })
                        });
                    }
                });
            });
        }
    });
    let count = |body: &Body, condition: &str| {
        let registry = crate::telemetry::Registry::new();
        let metrics = ProcessorMetrics::new(&registry, "filter", "p", body.signal());
        let filter = filter(vec![conditions(body.signal(), None, &[condition])]);
        let mut out = Out::new();
        let filter = filter.with_metrics(&metrics).unwrap();
        filter.process(Batch::new(body.clone(), Charge::none()), &mut out).unwrap();
        let value = |name: &str| {
            let snapshot = registry.snapshot();
            let name = format!("otelcol_processor_filter_condition_{name}");
            let family = snapshot.families.into_iter().find(|family| family.name == name).unwrap();
            family.samples[0].value
        };
        (value("met"), value("items"))
    };
    assert_eq!(count(&body, r#"resource.attributes["env"] == "test""#), (1.0, 5.0));
    assert_eq!(count(&body, "scope.name == \"\""), (2.0, 10.0));
    assert_eq!(count(&body, r#"metric.name == "b""#), (2.0, 6.0));
    assert_eq!(count(&body, "datapoint.value_int == 1"), (4.0, 4.0));
    assert_eq!(count(&traces(), r#"spanevent.name == "x""#), (1.0, 0.0));
}

#[test]
fn properties_select_what_stays() {
    let is = |text: &str| TextMatch::Is(text.into());
    let named = vec![is("a"), is("b")];
    let include = MatchProperties { span_names: named, ..MatchProperties::default() };
    let coded = vec![AttributeMatch { key: "code".into(), value: None }];
    let exclude = MatchProperties { attributes: coded, ..MatchProperties::default() };
    let mut matches = FilterMatch::new(Signal::TRACES);
    matches.entries.include = Some(include);
    let of = |matches: FilterMatch| {
        let config = FilterConfig { matches: vec![matches], ..FilterConfig::default() };
        shown(run(&FilterProcessor::new(config).unwrap(), &traces()).unwrap().0.as_ref())
    };
    assert_eq!(of(matches.clone()), "0a 0bxy 1a");
    matches.entries.exclude = Some(exclude);
    assert_eq!(of(matches), "0a");
    let mut of_resources = FilterMatch::new(Signal::TRACES);
    let of_env = vec![AttributeMatch { key: "env".into(), value: None }];
    let resources = MatchProperties { resources: of_env, ..MatchProperties::default() };
    of_resources.resources.exclude = Some(resources.clone());
    assert_eq!(of(of_resources.clone()), "0a 0bxy 0c");
    of_resources.resources.exclude = None;
    of_resources.resources.include = Some(resources);
    assert_eq!(of(of_resources), "0a");
}

#[test]
fn strange_conditions_have_a_remark() {
    let list = [
        r#"true or span.name == "a""#,
        r#"span.name == 5"#,
        r#"span.kind == "SERVER" and span.name == "a""#,
        r#"span.name == "a""#,
    ];
    let filter = filter(vec![conditions(Signal::TRACES, None, &list)]);
    let remarks = filter.remarks();
    let paths: Vec<_> =
        remarks.iter().map(|(path, remark)| (path.as_str(), remark.contains("everything"))).collect();
    assert_eq!(paths, [("0", true), ("1", false), ("2", false)]);
}

#[test]
fn the_faults_of_all_conditions_are_returned() {
    let list = conditions(Signal::LOGS, None, &["log.bdy == 1", "log.body == nil", "span.name == 1", "1 =="]);
    let mut unknown = conditions(Signal::LOGS, Some("span"), &["name == 1"]);
    unknown.path = "log_conditions.1".into();
    let config = FilterConfig { conditions: vec![list, unknown], ..FilterConfig::default() };
    let errors = FilterProcessor::new(config).unwrap_err();
    let paths: Vec<_> = errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["0", "2", "3", "log_conditions.1"]);
    assert!(errors[3].error.to_string().contains("unknown context `span`, known: log, scope, resource"));
}

#[test]
fn conditions_read_the_properties_of_the_request() {
    let filter =
        filter(vec![conditions(Signal::TRACES, None, &[r#"otelcol.client.metadata["X-Test"][0] == "1""#])]);
    assert_eq!(filter.needs().headers, ["x-test".into()]);
    let mut batch = Batch::new(traces(), Charge::none());
    let headers = vec![("x-test".into(), "1".into())];
    batch.origin = Some(Arc::new(Origin { headers, ..Origin::default() }));
    let mut out = Out::new();
    filter.process(batch, &mut out).unwrap();
    assert_eq!((out.removed(Reason::Filtered), out.into_batches().len()), (4, 0));
}

#[test]
fn headers_in_pieces_are_joined() {
    // A scope group whose scope comes in two pieces.
    let piece = |bytes: &[u8]| [&[0x0a, bytes.len() as u8], bytes].concat();
    let scope = [piece(&[0x0a, 1, b'n']), piece(&[0x12, 1, b'v'])].concat();
    let group = [scope, vec![0x12, 0]].concat();
    let group = [vec![0x12, group.len() as u8], group].concat();
    let body = [vec![0x0a, group.len() as u8], group].concat();
    let body = Body::check(Signal::LOGS, body, &otlp_protocol::ValidateLimits::default()).unwrap();
    let list = [r#"scope.name == "n" and scope.version == "v" and log.body == nil"#];
    let (left, out) = run(&filter(vec![conditions(Signal::LOGS, None, &list)]), &body).unwrap();
    assert_eq!((left.is_none(), out.removed(Reason::Filtered)), (true, 1));
}
