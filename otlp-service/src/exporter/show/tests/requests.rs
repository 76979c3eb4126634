//! A request of each signal with most fields.

use super::*;

/// 2020-02-11 20:26:12 UTC.
pub(super) const TIME: u64 = 1_581_452_772_000_000_321;
const MS: u64 = 1_000_000;

fn shop<E: otlp_protocol::encode::Entries>(group: &mut ResourceGroupWriter<'_, E>) {
    group.resource(|resource| {
        resource.attribute("service.name", "shop");
    });
}

pub(in super::super) fn traces() -> (Signal, Vec<u8>) {
    let mut body = Vec::new();
    RequestWriter::<Spans>::new(&mut body).resource_group(|group| {
        group.resource(|resource| {
            resource.attribute("service.name", "shop").attribute("host.cores", 4);
            resource.entity_ref(|entity| {
                entity.entity_type("service").id_key("service.name");
            });
        });
        group.schema_url("https://schema/1");
        group.scope_group(|scope| {
            scope.scope(|scope| {
                scope.name("io.shop").version("1.2").attribute("a", "b");
            });
            scope.schema_url("https://schema/2");
            scope.span(|span| {
                span.trace_id(&[1; 16]).span_id(&[2; 8]).name("GET /cart").kind(2).trace_state("ot=th:0");
                span.start_time_unix_nano(TIME).end_time_unix_nano(TIME + 12 * MS + MS / 4);
                span.attribute("http.status", 500).attribute("cached", false);
                span.status(|status| {
                    status.code(2).message("card declined");
                });
                span.dropped_attributes_count(1);
                span.event(|event| {
                    event.name("retry").time_unix_nano(TIME + MS).attribute("attempt", 2);
                });
                span.link(|link| {
                    link.trace_id(&[8; 16]).span_id(&[9; 8]).attribute("why", "batch");
                });
            });
            // The later child stands first.
            scope.span(|span| {
                span.trace_id(&[1; 16]).span_id(&[3; 8]).parent_span_id(&[2; 8]).name("SELECT carts").kind(3);
                span.start_time_unix_nano(TIME + MS).end_time_unix_nano(TIME + 4 * MS);
                span.status(|status| {
                    status.code(1);
                });
            });
            scope.span(|span| {
                span.trace_id(&[1; 16]).span_id(&[4; 8]).parent_span_id(&[2; 8]).name("render");
                span.start_time_unix_nano(TIME + 5 * MS).end_time_unix_nano(TIME + 5 * MS + 450_000);
            });
        });
    });
    (Signal::TRACES, body)
}

pub(in super::super) fn logs() -> (Signal, Vec<u8>) {
    let mut body = Vec::new();
    RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
        shop(group);
        group.scope_group(|scope| {
            scope.log_record(|record| {
                record.time_unix_nano(TIME).severity_number(17).body("payment failed\nfor card");
                record.trace_id(&[1; 16]).span_id(&[2; 8]).flags(1).attribute("order", 17);
            });
            scope.log_record(|record| {
                record.severity_number(14).event_name("order.placed");
                let mut list = Vec::new();
                for value in [&b"\x0a\x05\x0a\x03a\"b"[..], b"\x0a\x02\x10\x01"] {
                    list.extend_from_slice(value);
                }
                let array = [&[0x2a, list.len() as u8][..], &list].concat();
                record.body_map(|map| {
                    map.attribute("id", 7).attribute("tags", AnyValue::new(&array));
                });
            });
            scope.log_record(|record| {
                record.observed_time_unix_nano(TIME).severity_number(9).severity_text("info");
            });
        });
    });
    (Signal::LOGS, body)
}

pub(in super::super) fn metrics() -> (Signal, Vec<u8>) {
    let mut body = Vec::new();
    RequestWriter::<Metrics>::new(&mut body).resource_group(|group| {
        shop(group);
        group.scope_group(|scope| {
            scope.metric(|metric| {
                metric.name("queue.size").unit("{message}").description("waiting").gauge(|gauge| {
                    gauge.point(|point| {
                        point.time_unix_nano(TIME).int(17).attribute("queue", "a");
                    });
                    gauge.point(|point| {
                        point.time_unix_nano(TIME).double(0.5).flags(1);
                    });
                })
            });
            scope.metric(|metric| {
                metric.name("requests").unit("1").sum(|sum| {
                    sum.aggregation_temporality(2).is_monotonic(true).point(|point| {
                        point.start_time_unix_nano(TIME - MS).time_unix_nano(TIME).int(3);
                        point.exemplar(|exemplar| {
                            exemplar.trace_id(&[1; 16]).span_id(&[2; 8]).time_unix_nano(TIME).double(1.5);
                            exemplar.attribute("user", "u1");
                        });
                    });
                })
            });
            scope.metric(|metric| metric.name("http.duration").unit("s").histogram(histogram));
            scope.metric(|metric| metric.name("sizes").exponential_histogram(exponential));
            scope.metric(|metric| {
                metric.name("latency").summary(|summary| {
                    summary.point(|point| {
                        point.time_unix_nano(TIME).count(2).sum(3.000_000_1);
                        for (quantile, value) in [(0.5, 1.0), (0.99, 2.0)] {
                            point.quantile_value(|writer| {
                                writer.quantile(quantile).value(value);
                            });
                        }
                    });
                })
            });
        });
    });
    (Signal::METRICS, body)
}

fn histogram(histogram: &mut otlp_protocol::encode::HistogramWriter<'_>) {
    histogram.aggregation_temporality(1).point(|point| {
        point.time_unix_nano(TIME).count(3).sum(4.5).min(0.25).max(4.0).attribute("route", "/cart");
        point.explicit_bounds([0.5, 1.0]).bucket_counts([1, 0, 2]);
    });
}

fn exponential(histogram: &mut otlp_protocol::encode::ExponentialHistogramWriter<'_>) {
    histogram.aggregation_temporality(1).point(|point| {
        point.time_unix_nano(TIME).count(6).sum(9.0).scale(0).zero_count(2).zero_threshold(0.001);
        point.negative(|buckets| {
            buckets.bucket_counts([1]);
        });
        point.positive(|buckets| {
            buckets.offset(1).bucket_counts([2, 1]);
        });
    });
}

pub(in super::super) fn profiles() -> (Signal, Vec<u8>) {
    let mut body = Vec::new();
    let mut request = RequestWriter::<Profiles>::new(&mut body);
    request.resource_group(|group| {
        shop(group);
        group.scope_group(|scope| {
            scope.profile(|profile| {
                profile.profile_id(&[3; 16]).time_unix_nano(TIME).duration_nano(10_000 * MS);
                profile.sample_type(|of| {
                    of.type_strindex(1).unit_strindex(2);
                });
                profile.attribute_indices([1]);
                profile.sample(|sample| {
                    sample.stack_index(1).values([5, 6]).attribute_indices([1]);
                });
                profile.sample(|sample| {
                    sample.values([7]);
                });
            });
        });
    });
    request.dictionary(|dictionary| {
        for string in ["", "cpu", "nanoseconds", "thread", "main", "parse", "serve"] {
            dictionary.string(string);
        }
        dictionary.attribute(|_| {});
        dictionary.attribute(|attribute| {
            attribute.key_strindex(3).value(AnyValue::StringIndex(4));
        });
        for name in [0, 5, 6] {
            dictionary.function(|function| {
                function.name_strindex(name);
            });
            dictionary.location(|location| {
                location.line(|line| {
                    line.function_index(name.max(4) - 4);
                });
            });
        }
        dictionary.stack(|_| {});
        dictionary.stack(|stack| {
            stack.location_indices([1, 2]);
        });
    });
    (Signal::PROFILES, body)
}
