//! Metrics of the services: counters since the start, histograms with exemplars of the moment's calls, gauges.

use super::calls::{Call, Side};
use super::random::Random;
use super::shop::SERVICES;
use super::{Moment, resource};
use otlp_protocol::encode::{
    ExponentialHistogramPointWriter, HistogramPointWriter, Metrics, NumberPointWriter, ResourceGroupWriter,
    ScopeGroupWriter, SummaryPointWriter,
};
use otlp_protocol::{AggregationTemporality, Body};

/// Points that are still to be written, of one instance of a service.
struct Instance<'m> {
    moment: &'m Moment,
    service: usize,
    left: &'m mut usize,
    random: Random,
}

/// Writes a request of metrics: as many data points as the moment has items. Each service has as many instances as that needs.
pub(super) fn write(moment: &Moment) -> Body {
    let mut left = moment.items;
    Body::write::<Metrics>(|request| {
        let mut instance = 0;
        while left > 0 {
            for service in 0..SERVICES.len() {
                if left > 0 {
                    request.resource_group(|group| {
                        // Of each instance its own random numbers, the same ones at each moment: counters only grow.
                        let random = Random::new(&[moment.seed, instance as u64, service as u64]);
                        let mut writer = Instance { moment, service, left: &mut left, random };
                        writer.write(group, instance);
                    });
                }
            }
            instance += 1;
        }
    })
}

// === impl Instance ===

impl Instance<'_> {
    fn write(&mut self, group: &mut ResourceGroupWriter<'_, Metrics>, instance: usize) {
        resource(group, self.service, instance);
        group.scope_group(|scope| {
            scope.scope(|scope| {
                scope.name(SERVICES.get(self.service).map_or("", |service| service.scope));
            });
            self.requests(scope);
            self.process(scope);
            self.others(scope);
        });
    }

    /// Takes one data point, if any is left to be written.
    fn take(&mut self) -> bool {
        let is_left = *self.left > 0;
        *self.left = self.left.saturating_sub(1);
        is_left
    }

    fn requests(&mut self, scope: &mut ScopeGroupWriter<'_, Metrics>) {
        if !self.take() {
            return;
        }
        scope.metric(|metric| {
            let metric = metric.name("http.server.request.duration").unit("s");
            metric.description("Duration of HTTP server requests.").histogram(|histogram| {
                histogram.aggregation_temporality(AggregationTemporality::Cumulative);
                for status in [200, 500] {
                    if status == 200 || self.take() {
                        histogram.point(|point| self.durations(point, status));
                    }
                }
            })
        });
    }

    fn durations(&mut self, point: &mut HistogramPointWriter<'_>, status: u16) {
        let step = if status == 200 { 40 } else { 1 };
        // The second bucket has most of the values.
        let counts: Vec<u64> =
            [1, 8, 4, 2, 1, 1].map(|part| self.moment.counter(step * part, &mut self.random)).into();
        let count = counts.iter().sum();
        self.span_of_time(|start, now| {
            point.start_time_unix_nano(start).time_unix_nano(now);
        });
        point
            .count(count)
            .sum(count as f64 * 0.018)
            .bucket_counts(counts)
            .explicit_bounds([0.005, 0.025, 0.1, 0.5, 2.5])
            .attribute("http.request.method", "GET")
            .attribute("http.route", "/product/{id}")
            .attribute("http.response.status_code", status)
            .attribute("url.scheme", "http");
        let is_example =
            |call: &&Call| call.side == Side::Server && (call.failure.is_none() == (status == 200));
        if let Some(call) = self.moment.calls_of(self.service).find(is_example) {
            point.exemplar(|exemplar| {
                exemplar
                    .time_unix_nano(self.moment.time(call.end_ago))
                    .double(call.duration() as f64 / 1e9)
                    .trace_id(&call.trace_id)
                    .span_id(&call.span_id);
            });
        }
    }

    fn process(&mut self, scope: &mut ScopeGroupWriter<'_, Metrics>) {
        if self.take() {
            scope.metric(|metric| {
                metric.name("process.cpu.time").unit("s").sum(|sum| {
                    sum.aggregation_temporality(AggregationTemporality::Cumulative).is_monotonic(true);
                    for mode in ["user", "system"] {
                        if mode == "user" || self.take() {
                            sum.point(|point| {
                                let micros = self.moment.counter(700, &mut self.random);
                                self.times(point).double(micros as f64 / 1e6).attribute("cpu.mode", mode);
                            });
                        }
                    }
                })
            });
        }
        if self.take() {
            scope.metric(|metric| {
                metric.name("process.memory.usage").unit("By").sum(|sum| {
                    sum.aggregation_temporality(AggregationTemporality::Cumulative).point(|point| {
                        let used = (80 << 20) + self.now_random().below(64 << 20);
                        self.times(point).int(used as i64);
                    });
                })
            });
        }
        if self.take() {
            scope.metric(|metric| {
                metric.name("system.cpu.utilization").unit("1").gauge(|gauge| {
                    gauge.point(|point| {
                        let percent = self.now_random().below(100);
                        self.times(point).double(percent as f64 / 100.0).attribute("cpu.mode", "user");
                    });
                })
            });
        }
    }

    fn others(&mut self, scope: &mut ScopeGroupWriter<'_, Metrics>) {
        if self.take() {
            scope.metric(|metric| {
                metric.name("db.client.operation.duration").unit("s").exponential_histogram(|histogram| {
                    histogram
                        .aggregation_temporality(AggregationTemporality::Cumulative)
                        .point(|point| self.queries(point));
                })
            });
        }
        if self.take() {
            scope.metric(|metric| {
                metric.name("rpc_durations_seconds").summary(|summary| {
                    summary.point(|point| self.quantiles(point));
                })
            });
        }
    }

    fn queries(&mut self, point: &mut ExponentialHistogramPointWriter<'_>) {
        let counts: Vec<u64> =
            [2, 5, 9, 6, 3, 1].map(|step| self.moment.counter(step, &mut self.random)).into();
        let count = counts.iter().sum();
        self.span_of_time(|start, now| {
            point.start_time_unix_nano(start).time_unix_nano(now);
        });
        point.scale(1).count(count).sum(count as f64 * 0.002).attribute("db.system.name", "postgresql");
        point.positive(|buckets| {
            buckets.offset(-20).bucket_counts(counts);
        });
    }

    fn quantiles(&mut self, point: &mut SummaryPointWriter<'_>) {
        let count = self.moment.counter(12, &mut self.random);
        self.span_of_time(|start, now| {
            point.start_time_unix_nano(start).time_unix_nano(now);
        });
        point.count(count).sum(count as f64 * 0.03).attribute("service", "exponential");
        for (quantile, value) in [(0.5, 0.021), (0.9, 0.062), (0.99, 0.14)] {
            point.quantile_value(|writer| {
                writer.quantile(quantile).value(value);
            });
        }
    }

    /// Returns random numbers of the moment, for what is no counter.
    fn now_random(&mut self) -> Random {
        self.moment.random(self.random.next())
    }

    fn times<'p, 'b>(&self, point: &'p mut NumberPointWriter<'b>) -> &'p mut NumberPointWriter<'b> {
        point.start_time_unix_nano(self.moment.started).time_unix_nano(self.moment.now)
    }

    fn span_of_time(&self, write: impl FnOnce(u64, u64)) {
        write(self.moment.started, self.moment.now);
    }
}
