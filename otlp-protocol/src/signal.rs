//! The signals as values: the differences between signals are data in a [`SignalDescriptor`].

use crate::schema::{self, Message};
use std::fmt;

/// A telemetry signal: a pointer to its [`SignalDescriptor`], which it dereferences to. Compared by name.
///
/// ```
/// use otlp_protocol::Signal;
///
/// assert_eq!(Signal::by_name("traces"), Some(Signal::TRACES));
/// assert_eq!((Signal::LOGS.http_path, Signal::METRICS.items_noun), ("/v1/logs", "metric_points"));
/// ```
#[derive(Clone, Copy)]
pub struct Signal(&'static SignalDescriptor);

/// Properties of a signal.
#[derive(Debug)]
pub struct SignalDescriptor {
    /// Name of the signal in the Collector's `service.pipelines`: `traces`.
    pub name: &'static str,
    /// Name of the items in metrics: `spans`, as in `otelcol_receiver_accepted_spans`.
    pub items_noun: &'static str,
    /// Path of the unary gRPC method, with the leading slash.
    pub grpc_path: &'static str,
    /// Default path over HTTP.
    pub http_path: &'static str,
    /// The request message.
    pub request: &'static Message,
    /// Position of the items in an entry (span, metric, log record, profile).
    pub items: Items,
    /// True if entries are identified by their trace and span ids. Then [`repair`](crate::repair()) rejects an entry with an id
    /// of the wrong length, its own or in a link. In other signals the id is removed.
    pub needs_ids: bool,
    /// JSON name of the rejected count in the response's `partialSuccess`.
    pub rejected_name: &'static str,
    /// The Collector's name of the receipt of a request, in the names of own spans: `TraceDataReceived`.
    pub received_name: &'static str,
}

/// Position of the items in an entry. Entries are at `resource_*(1) / scope_*(2) / entry(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Items {
    /// Each entry is one item.
    Entries,
    /// The items are the repeated messages `field` inside the entry's `oneof` fields `containers`. The last container counts, as
    /// in a decoder.
    Inside {
        /// Field numbers of the containers: the arms of one `oneof`.
        containers: &'static [u32],
        /// Field number of the items in each container.
        field: u32,
    },
    /// The items are the entry's own repeated messages `field`.
    Repeated {
        /// Field number of the items in the entry.
        field: u32,
    },
}

impl Signal {
    /// Spans.
    pub const TRACES: Self = Self(&SignalDescriptor {
        name: "traces",
        items_noun: "spans",
        grpc_path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        http_path: "/v1/traces",
        request: schema::constant("opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest"),
        items: Items::Entries,
        needs_ids: true,
        rejected_name: "rejectedSpans",
        received_name: "TraceDataReceived",
    });
    /// Metric data points.
    pub const METRICS: Self = Self(&SignalDescriptor {
        name: "metrics",
        items_noun: "metric_points",
        grpc_path: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        http_path: "/v1/metrics",
        request: schema::constant("opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest"),
        items: Items::Inside { containers: &[5, 7, 9, 10, 11], field: 1 },
        needs_ids: false,
        rejected_name: "rejectedDataPoints",
        received_name: "MetricsReceived",
    });
    /// Log records.
    pub const LOGS: Self = Self(&SignalDescriptor {
        name: "logs",
        items_noun: "log_records",
        grpc_path: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        http_path: "/v1/logs",
        request: schema::constant("opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest"),
        items: Items::Entries,
        needs_ids: false,
        rejected_name: "rejectedLogRecords",
        received_name: "LogsReceived",
    });
    /// Profile samples (`v1development`).
    pub const PROFILES: Self = Self(&SignalDescriptor {
        name: "profiles",
        items_noun: "profile_samples",
        grpc_path: "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export",
        http_path: "/v1development/profiles",
        request: schema::constant(
            "opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest",
        ),
        items: Items::Repeated { field: 2 },
        needs_ids: false,
        rejected_name: "rejectedProfiles",
        received_name: "ProfilesReceived",
    });
    /// All signals of OTLP 1.x.
    pub const ALL: [Self; 4] = [Self::TRACES, Self::METRICS, Self::LOGS, Self::PROFILES];

    /// Makes a signal of a descriptor.
    pub const fn new(descriptor: &'static SignalDescriptor) -> Self {
        Self(descriptor)
    }

    /// The data of the signal, also in constants.
    pub const fn descriptor(self) -> &'static SignalDescriptor {
        self.0
    }

    /// Returns the message types of a request's levels: the envelope of a resource, the envelope of a scope, and an entry.
    /// `None` for a level that the signal does not have.
    pub fn levels(self) -> [Option<&'static Message>; 3] {
        let child = |message: Option<&'static Message>, number| message?.field(number)?.message();
        let resource = child(Some(self.request), RESOURCES);
        let scope = child(resource, BELOW_RESOURCE[0]);
        [resource, scope, child(scope, BELOW_RESOURCE[1])]
    }

    /// Returns the signal with a Collector name: `traces`, `metrics`, `logs` or `profiles`.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.name == name)
    }
}

impl std::ops::Deref for Signal {
    type Target = SignalDescriptor;

    fn deref(&self) -> &SignalDescriptor {
        self.0
    }
}

impl PartialEq for Signal {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0) || self.name == other.name
    }
}

impl Eq for Signal {}

impl std::hash::Hash for Signal {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Field number of the resources in a request.
pub(crate) const RESOURCES: u32 = 1;

/// Field numbers of the scopes in a resource, and of the entries in a scope.
pub(crate) const BELOW_RESOURCE: [u32; 2] = [2, 2];

/// Field number of the resource or scope in its envelope.
pub(crate) const HEADER: u32 = 1;
