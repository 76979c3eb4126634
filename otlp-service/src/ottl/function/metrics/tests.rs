use super::*;
use crate::ottl::function::tests::NOW;
use crate::ottl::program::{Group, Texts};
use crate::ottl::value::{Map, Value};
use otlp_protocol::encode::{MetricEnd, MetricWriter, Metrics, NumberPointWriter};
use otlp_protocol::rewrite::{Level as Open, OpenMessages, Rewriter, rewrite};
use otlp_protocol::view::{DataPoint, Metric, MetricData, Number, NumberPoint, RequestView};
use otlp_protocol::{Body, Decision};

/// Runs statements on each metric, and keeps the first error.
struct Run {
    group: Group,
    result: Result<(), String>,
}

impl Rewriter for Run {
    fn shows(&self, level: Open) -> bool {
        level == Open::Entry
    }

    fn visit(&mut self, _: Open, messages: &mut OpenMessages) -> Decision {
        let mut env = Environment::open(messages, None, NOW);
        for statement in &self.group.statements {
            if let Err(error) = statement.run(&mut env) {
                self.result = self.result.clone().and(Err(error.to_string()));
            }
        }
        Decision::Keep
    }
}

/// Runs a statement on a metric, and returns the metrics, each with its name, unit, kind and points.
fn run(statement: &str, write: impl FnOnce(MetricWriter<'_>) -> MetricEnd) -> Result<Vec<String>, String> {
    let group = Group::new(Texts {
        context: Some(Context::Metric),
        allowed: &[Context::Metric],
        conditions: &[],
        statements: &[statement.to_owned()],
    });
    let group = group.map_err(|errors| errors[0].error.to_string().lines().next().unwrap().to_owned())?;
    let body = Body::write::<Metrics>(|request| {
        request.resource_group(|group| {
            group.scope_group(|scope| {
                scope.metric(write);
            });
        });
    });
    let mut run = Run { group, result: Ok(()) };
    let bytes = rewrite(&body, &mut run, 1 << 20).unwrap().body.to_bytes();
    run.result?;
    Ok(RequestView::new(body.signal(), &bytes).metrics().map(|metric| shown(&metric)).collect())
}

fn shown(metric: &Metric<'_>) -> String {
    let kind = match metric.data() {
        MetricData::Gauge(_) => "gauge".to_owned(),
        MetricData::Sum(sum) => format!("sum {:?} {}", sum.aggregation_temporality(), sum.is_monotonic()),
        MetricData::Histogram(data) => format!("histogram {:?}", data.aggregation_temporality()),
        MetricData::ExponentialHistogram(_) => "exponential".to_owned(),
        _ => "other".to_owned(),
    };
    let points: Vec<String> = metric.points().map(|point| point_shown(&point)).collect();
    let texts = [metric.name(), metric.description(), metric.unit(), &kind];
    format!("{}: {}", texts.join("|"), points.join("; "))
}

fn point_shown(point: &DataPoint<'_>) -> String {
    let value = match point {
        DataPoint::Number(point) => match point.value() {
            Number::Double(value) => format!("{value:?}"),
            Number::Int(value) => value.to_string(),
            Number::Empty => "-".into(),
        },
        DataPoint::Histogram(point) => {
            let (counts, bounds): (Vec<_>, Vec<_>) =
                (point.bucket_counts().collect(), point.explicit_bounds().collect());
            let exemplars: Vec<_> = point.exemplars().map(|exemplar| exemplar.value()).collect();
            format!(
                "{} {:?} {counts:?} {bounds:?} {:?} {:?} {exemplars:?}",
                point.count(),
                point.sum(),
                point.min(),
                point.max()
            )
        }
        DataPoint::ExponentialHistogram(point) => {
            let side = |buckets: otlp_protocol::view::Buckets<'_>| {
                format!("{}{:?}", buckets.offset(), buckets.bucket_counts().collect::<Vec<_>>())
            };
            format!(
                "{} {:?} {} {} {}",
                point.count(),
                point.sum(),
                point.zero_count(),
                side(point.positive()),
                side(point.negative())
            )
        }
        DataPoint::Summary(point) => {
            let quantiles: Vec<_> = point.quantile_values().map(|value| value.value()).collect();
            format!("{} {quantiles:?}", point.sum())
        }
        _ => String::new(),
    };
    let attributes = Value::Map(Map::Encoded(point.attributes())).json().unwrap();
    format!("{value} {attributes} {}-{}", point.start_time_unix_nano(), point.time_unix_nano())
}

/// Writes a point with two attributes, from 1 to 2.
fn at<'w, 'b>(point: &'w mut NumberPointWriter<'b>, a: &str, b: &str) -> &'w mut NumberPointWriter<'b> {
    point.start_time_unix_nano(1).time_unix_nano(2).attribute("a", a).attribute("b", b)
}

fn gauge(metric: MetricWriter<'_>) -> MetricEnd {
    metric.name("m").unit("s").gauge(|gauge| {
        gauge.point(|point| {
            at(point, "x", "1").int(5);
        });
        gauge.point(|point| {
            at(point, "x", "2").int(7);
        });
        gauge.point(|point| {
            at(point, "y", "1").double(1.5);
        });
    })
}

fn histogram(metric: MetricWriter<'_>) -> MetricEnd {
    metric.name("h").unit("s").histogram(|data| {
        data.aggregation_temporality(AggregationTemporality::Delta);
        for (min, at) in [(0.5, "x"), (0.25, "y")] {
            data.point(|point| {
                point.start_time_unix_nano(1).time_unix_nano(2).count(100).sum(50.0).min(min).max(9.0);
                point.bucket_counts([50, 35, 15]).explicit_bounds([1.0, 5.0]).attribute("a", at);
                point.exemplar(|exemplar| {
                    exemplar.int(3);
                });
            });
        }
    })
}

#[test]
fn gauges_become_sums_and_sums_gauges() {
    let points = r#"5 {"a":"x","b":"1"} 1-2; 7 {"a":"x","b":"2"} 1-2; 1.5 {"a":"y","b":"1"} 1-2"#;
    let sum = run(r#"convert_gauge_to_sum("delta", true)"#, gauge).unwrap();
    assert_eq!(sum, [format!("m||s|sum Delta true: {points}")]);
    assert_eq!(run("convert_sum_to_gauge()", gauge).unwrap(), [format!("m||s|gauge: {points}")]);
    let gauge = run("convert_sum_to_gauge()", |metric| {
        metric.name("m").sum(|sum| {
            sum.is_monotonic(true).point(|point| {
                point.int(5);
            });
        })
    });
    assert_eq!(gauge.unwrap(), ["m|||gauge: 5 {} 0-0"]);
    assert_eq!(
        run(r#"convert_gauge_to_sum("x", true)"#, gauge_of_nothing).unwrap_err(),
        "1:22: `aggregation_temporality` must be one of delta, cumulative"
    );
}

fn gauge_of_nothing(metric: MetricWriter<'_>) -> MetricEnd {
    metric.gauge(|_| {})
}

#[test]
fn values_are_scaled() {
    let scaled = run(r#"scale_metric(2.5, "ms")"#, gauge).unwrap();
    assert_eq!(
        scaled,
        [r#"m||ms|gauge: 12 {"a":"x","b":"1"} 1-2; 17 {"a":"x","b":"2"} 1-2; 3.75 {"a":"y","b":"1"} 1-2"#]
    );
    let scaled = run("scale_metric(10)", histogram).unwrap();
    let point = "100 Some(500.0) [50, 35, 15] [10.0, 50.0] Some(5.0) Some(90.0) [Int(30)] {\"a\":\"x\"} 1-2";
    assert!(scaled[0].starts_with(&format!("h||s|histogram Delta: {point}")), "{scaled:?}");
    let summary = run("scale_metric(0.5)", |metric| {
        metric.summary(|summary| {
            summary.point(|point| {
                point.sum(4.0).quantile_value(|value| {
                    value.quantile(0.5).value(3.0);
                });
            });
        })
    });
    assert_eq!(summary.unwrap(), ["|||other: 2 [1.5] {} 0-0"]);
    let exponential = run("scale_metric(0.5)", |metric| metric.exponential_histogram(|_| {}));
    assert_eq!(exponential.unwrap_err(), "scale_metric: exponential histograms cannot be scaled");
}

#[test]
fn metrics_are_added() {
    let copies = run(r#"copy_metric(name="c", unit="1") where metric.name == "m""#, gauge).unwrap();
    assert_eq!(copies.len(), 2);
    assert_eq!(copies[1], copies[0].replace("m||s", "c||1"));
    let added = |statement: &str| run(statement, histogram).unwrap().split_off(1);
    assert_eq!(
        added(r#"extract_count_metric(true) where metric.name == "h""#),
        [r#"h_count||1|sum Delta true: 100 {"a":"x"} 1-2; 100 {"a":"y"} 1-2"#]
    );
    assert_eq!(
        added(r#"extract_sum_metric(false, ".total") where metric.name == "h""#),
        [r#"h.total||s|sum Delta false: 50.0 {"a":"x"} 1-2; 50.0 {"a":"y"} 1-2"#]
    );
    assert_eq!(
        added(r#"extract_percentile_metric(99.5) where metric.name == "h""#),
        [r#"h_p99.5|p99.5|s|gauge: 9.0 {"a":"x"} 1-2; 9.0 {"a":"y"} 1-2"#]
    );
    assert_eq!(
        run("extract_sum_metric(true)", gauge).unwrap_err(),
        "extract_sum_metric: the metric must be a histogram, an exponential histogram or a summary"
    );
    assert_eq!(run("extract_percentile_metric(50)", gauge).unwrap().len(), 1);
    assert_eq!(
        run("extract_percentile_metric(100)", gauge).unwrap_err(),
        "1:27: the percentile must be above 0 and below 100"
    );
}

#[test]
fn quantiles_become_points() {
    let added = run(r#"convert_summary_quantile_val_to_gauge("q") where metric.name == "s""#, |metric| {
        metric.name("s").unit("ms").summary(|summary| {
            summary.point(|point| {
                point.time_unix_nano(2).attribute("a", "x").attribute("q", "old");
                for (quantile, value) in [(0.5, 3.0), (0.99, 9.0)] {
                    point.quantile_value(|writer| {
                        writer.quantile(quantile).value(value);
                    });
                }
            });
        })
    });
    let points = r#"3.0 {"a":"x","q":0.5} 0-2; 9.0 {"a":"x","q":0.99} 0-2"#;
    assert_eq!(added.unwrap()[1], format!("s.quantiles||ms|gauge: {points}"));
}

#[test]
fn points_are_asked_for_attributes() {
    for (condition, holds) in [
        (r#"HasAttrKeyOnDatapoint("a")"#, true),
        (r#"HasAttrKeyOnDatapoint("c")"#, false),
        (r#"HasAttrOnDatapoint("a", "x")"#, true),
        // The first point with the key decides.
        (r#"HasAttrOnDatapoint("a", "y")"#, false),
        (r#"HasAttrOnDatapoint("c", "")"#, false),
    ] {
        let names = run(&format!("set(metric.name, \"found\") where {condition}"), gauge).unwrap();
        assert_eq!(names[0].starts_with("found"), holds, "{condition}");
    }
}

#[test]
fn points_are_joined() {
    for (function, by_none, by_a) in [
        ("sum", "13", ["12", "1.5"]),
        ("max", "7", ["7", "1.5"]),
        ("min", "1", ["5", "1.5"]),
        ("mean", "4", ["6", "1.5"]),
        ("median", "5", ["6", "1.5"]),
        ("count", "3", ["2", "1.0"]),
    ] {
        let joined = run(&format!(r#"aggregate_on_attributes("{function}", [])"#), gauge).unwrap();
        assert_eq!(joined, [format!("m||s|gauge: {by_none} {{}} 1-2")], "{function}");
        let joined = run(&format!(r#"aggregate_on_attributes("{function}", ["a"])"#), gauge).unwrap();
        let [x, y] = by_a;
        assert_eq!(
            joined,
            [format!(r#"m||s|gauge: {x} {{"a":"x"}} 1-2; {y} {{"a":"y"}} 1-2"#)],
            "{function}"
        );
    }
    let kept = run(r#"aggregate_on_attributes("sum")"#, gauge).unwrap();
    assert_eq!(kept, run("convert_sum_to_gauge()", gauge).unwrap());
    let renamed = run(r#"aggregate_on_attribute_value("sum", "a", ["x", "y"], "z")"#, gauge).unwrap();
    assert_eq!(renamed, [r#"m||s|gauge: 6 {"a":"z","b":"1"} 1-2; 7 {"a":"z","b":"2"} 1-2"#]);
    let summary = run(r#"aggregate_on_attributes("sum")"#, |metric| metric.summary(|_| {}));
    assert_eq!(summary.unwrap_err(), "aggregate_on_attributes: the points of a summary cannot be joined");
}

#[test]
fn deltas_of_different_starts_stay_apart() {
    let sum = |temporality| {
        move |metric: MetricWriter<'_>| {
            metric.sum(|sum| {
                sum.aggregation_temporality(temporality);
                sum.point(|point| {
                    point.start_time_unix_nano(5).time_unix_nano(9).int(1);
                });
                sum.point(|point| {
                    point.start_time_unix_nano(4).time_unix_nano(9).int(2);
                });
            })
        }
    };
    let joined = |temporality| run(r#"aggregate_on_attributes("sum")"#, sum(temporality)).unwrap();
    assert_eq!(joined(AggregationTemporality::Delta), ["|||sum Delta false: 1 {} 5-9; 2 {} 4-9"]);
    assert_eq!(joined(AggregationTemporality::Cumulative), ["|||sum Cumulative false: 3 {} 4-9"]);
}

#[test]
fn histograms_are_joined() {
    let joined = run(r#"aggregate_on_attributes("sum", [])"#, histogram).unwrap();
    let point = "200 Some(100.0) [100, 70, 30] [1.0, 5.0] Some(0.25) Some(9.0) [Int(3), Int(3)] {} 1-2";
    assert_eq!(joined, [format!("h||s|histogram Delta: {point}")]);
    let exponential = |offsets: [i32; 2]| {
        move |metric: MetricWriter<'_>| {
            metric.exponential_histogram(|data| {
                for offset in offsets {
                    data.point(|point| {
                        point.count(5).sum(2.0).zero_count(1);
                        point.positive(|buckets| {
                            buckets.offset(offset).bucket_counts([1, 3]);
                        });
                    });
                }
            })
        }
    };
    let joined = run(r#"aggregate_on_attributes("sum")"#, exponential([2, -1]));
    assert_eq!(joined.unwrap(), ["|||exponential: 10 Some(4.0) 2 -1[1, 3, 0, 1, 3] 0[] {} 0-0"]);
    assert_eq!(
        run(r#"aggregate_on_attributes("sum")"#, exponential([i32::MIN, i32::MAX])).unwrap_err(),
        "aggregate_on_attributes: the points have buckets that are more than 65,536 buckets apart"
    );
}

/// The expected percentiles are those of the Collector, v0.161.
#[test]
fn percentiles_are_interpolated() {
    type Case<'c> = (f64, &'c [u64], &'c [f64], Option<f64>, Option<f64>, Option<f64>);
    let cases: [Case<'_>; 11] = [
        (50.0, &[60, 40], &[1.0], None, None, Some(0.833_333_333_333_333_4)),
        (95.0, &[50, 35, 50, 15], &[1.0, 3.0, 5.0], None, None, Some(5.0)),
        (99.5, &[100, 400, 400, 95, 5], &[0.1, 0.5, 1.0, 5.0], None, None, Some(5.0)),
        (99.0, &[25, 50, 25], &[100.0, 500.0], None, Some(750.0), Some(740.0)),
        (
            90.0,
            &[50, 100, 200, 300, 200, 100, 50],
            &[10.0, 25.0, 50.0, 100.0, 250.0, 500.0],
            None,
            None,
            Some(375.0),
        ),
        (50.0, &[100], &[], Some(5.0), Some(25.0), Some(15.0)),
        (50.0, &[100], &[], None, None, None),
        (50.0, &[100, 0], &[-5.0], None, None, Some(-5.0)),
        (50.0, &[100, 0], &[-5.0], Some(-10.0), None, Some(-7.5)),
        (50.0, &[], &[], None, None, None),
        (50.0, &[0, 0], &[1.0], None, None, None),
    ];
    for (percentile, counts, bounds, min, max, expect) in cases {
        let metrics =
            run(&format!("extract_percentile_metric({percentile:?}) where metric.name == \"h\""), |metric| {
                metric.name("h").histogram(|data| {
                    data.point(|point| {
                        point.count(counts.iter().sum()).bucket_counts(counts.iter().copied());
                        point.explicit_bounds(bounds.iter().copied());
                        if let Some(min) = min {
                            point.min(min);
                        }
                        if let Some(max) = max {
                            point.max(max);
                        }
                    });
                })
            });
        let metrics = metrics.unwrap();
        let found = metrics
            .get(1)
            .map(|metric| metric.split(": ").nth(1).unwrap().split(' ').next().unwrap().to_owned());
        assert_eq!(found, expect.map(|value| format!("{value:?}")), "{percentile} of {counts:?}");
    }
}

/// The expected percentiles are those of the Collector, v0.161.
#[test]
fn percentiles_of_exponential_histograms_are_interpolated() {
    type Case<'c> = (f64, i32, u64, &'c [u64], u64, f64, &'c [u64], f64);
    let cases: [Case<'_>; 8] = [
        (50.0, 0, 100, &[], 0, 0.0, &[30, 40, 30], 2.828_427_124_746_19),
        (95.0, 2, 210, &[], 0, 0.0, &[20, 30, 40, 50, 30, 35, 5], 2.759_268_240_690_809_6),
        (99.0, -1, 500, &[], 0, 0.0, &[100, 200, 150, 40, 10], 512.0),
        (75.0, 1, 120, &[], 20, 0.0, &[40, 60], 1.681_792_830_507_429_2),
        (50.0, 2, 95, &[20, 30, 20], 10, 0.0, &[15], -1.203_025_036_082_116_6),
        (25.0, 0, 100, &[15, 35, 20, 10], 5, 0.0, &[15], -4.756_828_460_010_884),
        (99.0, 1, 200, &[], 0, 0.0, &[100, 80, 20], 2.732_080_513_508_790_4),
        (50.0, 0, 100, &[10], 80, 1.0, &[10], 0.0),
    ];
    for (percentile, scale, count, negative, zeros, threshold, positive, expect) in cases {
        let mut bytes = Vec::new();
        let body = Body::write::<Metrics>(|request| {
            request.resource_group(|group| {
                group.scope_group(|scope| {
                    scope.metric(|metric| {
                        metric.exponential_histogram(|data| {
                            data.point(|point| {
                                point.count(count).scale(scale).zero_count(zeros).zero_threshold(threshold);
                                point.positive(|buckets| {
                                    buckets.bucket_counts(positive.iter().copied());
                                });
                                point.negative(|buckets| {
                                    buckets.bucket_counts(negative.iter().copied());
                                });
                            });
                        })
                    });
                });
            });
        });
        bytes.extend_from_slice(&body.to_bytes());
        let metric = RequestView::new(body.signal(), &bytes).metrics().next().unwrap();
        let added = extract::percentile(metric.as_bytes(), percentile, "", "").unwrap().unwrap();
        let point = NumberPoint::new(
            message::fields(&added.data.bytes)
                .next()
                .map(|field| match field.value {
                    message::Raw::Len(point) => point,
                    _ => &[],
                })
                .unwrap(),
        );
        let Number::Double(found) = point.value() else { panic!("{point:?}") };
        assert!((found - expect).abs() < 1e-9, "{percentile}: {found}, not {expect}");
    }
}

#[test]
fn histograms_that_do_not_fit_are_refused() {
    for (counts, bounds, count, expect) in [
        (&[1u64, 2][..], &[][..], 3, "the histogram must have one bucket more than bounds"),
        (&[1, 2], &[1.0], 30, "the buckets have fewer values than the count says"),
    ] {
        let error = run("extract_percentile_metric(99)", |metric| {
            metric.histogram(|data| {
                data.point(|point| {
                    point
                        .count(count)
                        .bucket_counts(counts.iter().copied())
                        .explicit_bounds(bounds.iter().copied());
                });
            })
        });
        assert_eq!(error.unwrap_err(), format!("extract_percentile_metric: {expect}"));
    }
}
