//! OTLP pipelines for your own program: batching, queues, retries, fan-out, processors, and a ledger that accounts for every
//! item; as a whole gateway or piece by piece.
//!
//! ```toml
//! [dependencies]
//! otlp-protocol = "0.1"
//! otlp-service = "0.1"
//! otlp-transport = "0.1"
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! ```
//!
//! # A gateway
//!
//! A [`Gateway`] runs what a [`GatewaySpec`] describes: receivers → stages (processors, batch, holders) → fan-out → per exporter
//! and signal a queue → retry → client. This gateway receives logs over gRPC and HTTP on one port:
//!
//! ```
//! use otlp_protocol::Signal;
//! use otlp_service::{
//!     BatchConfig, ExporterSpec, Gateway, GatewaySpec, NopExporter, PipelineSpec, PipelineStage, ReceiverSpec,
//!     ServerSpec, StageSpec,
//! };
//! use otlp_transport::{BoxAttempt, MultiplexTransportStrategy, ServerConfig, TransportContext};
//! use std::{sync::Arc, time::Duration};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = ServerSpec::new(Arc::new(MultiplexTransportStrategy), ServerConfig::new("127.0.0.1:0"));
//! let pipeline = PipelineSpec {
//!     id: "logs".into(),
//!     signal: Signal::LOGS,
//!     receivers: vec!["otlp".into()],
//!     stages: vec![PipelineStage::new("batch", StageSpec::Batch(BatchConfig::default()))],
//!     exporters: vec!["nop".into()],
//! };
//! let mut spec = GatewaySpec::default();
//! spec.receivers = vec![ReceiverSpec::otlp("otlp", vec![server])];
//! spec.exporters = vec![ExporterSpec::new("nop", BoxAttempt::new(NopExporter))];
//! spec.pipelines = vec![pipeline];
//!
//! let context = TransportContext::tcp(64 << 20); // At most 64 MiB of bodies in memory.
//! let clock = context.clock.clone();
//! let gateway = Gateway::start(context, spec).await?;
//! println!("listening on {:?}", gateway.endpoints());
//!
//! let report = gateway.drain(clock.now() + Duration::from_secs(5)).await;
//! println!("{}", report.ledger);
//! report.ledger.check()?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Gateway::inlet`] sends batches into a pipeline without a receiver.
//!
//! # A pipeline by hand
//!
//! All parts are [`Export`](otlp_transport::Export)s or [`Attempt`](otlp_transport::Attempt)s, and work without a gateway. The
//! returned future of an export is the acknowledgement. A client or an exporter makes one attempt: for retries, wrap it in
//! [`ExponentialBackoffRetry`].
//!
//! ```
//! use otlp_protocol::encode::{LogRecords, RequestWriter};
//! use otlp_protocol::{Batch, Charge, Signal, ValidateLimits};
//! use otlp_service::{
//!     BatchConfig, BatchProcessor, BatchStats, Destination, ExponentialBackoffRetry, ExporterStats, FanOut, Ledger,
//!     MemoryQueue, NopExporter, Queue, QueueConfig, Registry, RetryConfig,
//! };
//! use otlp_transport::{Clock, Export, TokioClock};
//! use std::{sync::Arc, time::Duration};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = Arc::new(TokioClock);
//! let (ledger, registry) = (Ledger::new(), Registry::new());
//! let retry = ExponentialBackoffRetry::new(RetryConfig::default(), clock.clone(), NopExporter);
//! let stats = ExporterStats::new(&registry, "nop", Signal::LOGS);
//! let queue = MemoryQueue::start(QueueConfig::default(), stats, retry, clock.clone());
//! let destination = Destination::queued(ledger.account("logs", "nop"), queue.clone());
//! let fanout = FanOut::new(vec![destination], clock.clone());
//! let stats = BatchStats::new(&registry, "batch", "logs", Signal::LOGS);
//! let batcher = BatchProcessor::start_before(BatchConfig::default(), &fanout, clock.clone(), stats);
//!
//! let mut body = Vec::new();
//! RequestWriter::<LogRecords>::new(&mut body).resource_group(|group| {
//!     group.scope_group(|scope| {
//!         scope.log_record(|record| {
//!             record.body("started");
//!         });
//!     });
//! });
//! let batch = Batch::checked(Signal::LOGS, body, &ValidateLimits::default(), Charge::none())?;
//! batcher.export(batch).await?;
//!
//! // Drain in the direction of the data: each part sends what it holds to the next part.
//! let deadline = clock.now() + Duration::from_secs(5);
//! batcher.drain(deadline).await;
//! fanout.drain(deadline).await;
//! queue.drain(deadline).await;
//! assert_eq!(ledger.snapshot().line("logs", "nop").map(|line| line.sent), Some(1));
//! # Ok(())
//! # }
//! ```
//!
//! # Main types
//!
//! | type | purpose |
//! |---|---|
//! | [`Gateway`], [`GatewaySpec`] | a running gateway, and its description: [`ReceiverSpec`], [`PipelineSpec`], [`ExporterSpec`], [`ConnectorSpec`], [`ExtensionSpec`] |
//! | [`Processor`], [`Out`], [`ProcessorChain`] | changes, filters or samples batches; the results of a processor; processors in a row |
//! | [`AttributesProcessor`], [`ResourceProcessor`] | the Collector's processors `attributes` and `resource` |
//! | [`ProbabilisticSampler`], [`SamplerConfig`] | the Collector's processor `probabilistic_sampler` |
//! | [`RedactionProcessor`], [`RedactionConfig`] | the Collector's processor `redaction` |
//! | [`BatchProcessor`], [`BatchConfig`] | joins requests into larger ones |
//! | [`AdaptiveBatchProcessor`], [`AdaptiveBatchConfig`], [`AttemptFeedback`] | the same, with a size that follows the latency of the destinations |
//! | [`Holder`], [`HolderSpec`], [`Outlet`] | holds data over time (tail sampling, deduplication), or connects pipelines |
//! | [`FanOut`], [`Destination`] | sends each batch to all destinations of a pipeline |
//! | [`MemoryQueue`], [`QueueConfig`], [`Queue`] | the sending queue, its settings, and the contract for other queues |
//! | [`ExponentialBackoffRetry`], [`RetryConfig`] | retries with exponential backoff; heeds the delays that destinations ask for |
//! | [`ProducerConsumerPipeline`], [`Producer`] | a bounded pipeline from many producers to many consumers, of batches or of any items |
//! | [`KeyValueStore`], [`ComponentStorage`] | offsets and other state of a component, in a file |
//! | [`Receiver`], [`Exporter`], [`Extension`] | contracts for components of your own |
//! | [`Ledger`], [`LedgerSnapshot`], [`LedgerLine`] | counts of items by state, for each pipeline and destination |
//! | [`Registry`], [`PerformanceMetrics`] | own metrics, with the Collector's names, as Prometheus text |
//! | [`OwnSpans`], [`OwnQueue`] | own traces: the recorder of spans and its sampler; the way of own spans and log lines to a destination |
//! | [`HealthChecker`], [`HealthCheck`], [`HealthProbe`] | health checks, and the answers to probes |
//! | [`NetworkHealthCheck`], [`DatabaseHealthCheck`] | checks of a destination and of a store |
//! | [`TelemetryObserver`], [`TelemetrySubject`], [`Subscription`] | copies of the batches that pass an edge of the graph |
//! | [`MicroserviceArchitecture`], [`ServicePolicy`] | services by name, each with several endpoints |
//! | [`PluginManager`], [`OtlpPlugin`], [`ProcessPlugin`] | component types by name, for applications with configuration files; functions of plugins, in order |
//! | [`DebugExporter`], [`NopExporter`] | exporters without a network: text of batches, nothing |
//!
//! # Delivery modes
//!
//! | [`QueueConfig`] | an export is answered | what a crash loses |
//! |---|---|---|
//! | `enabled: false`, or `wait_for_result: true` | end to end: with the destination's answer | nothing: the sender sends again |
//! | `enabled: true` (default) | memory: once the batch is in the queue | the contents of queues and batches |
//!
//! # Features
//!
//! All but the last three are on by default. A program that only records its own telemetry needs `client` and `grpc` or `http`, without
//! default features.
//!
//! | feature | adds |
//! |---|---|
//! | `gateway` | everything but the client |
//! | `grpc`, `http` | OTLP/gRPC and OTLP/HTTP; `gateway` brings both |
//! | `tls` | `https://` endpoints of exporters and clients, receivers with certificates; without it, cleartext |
//! | `gzip`, `zstd`, `brotli`, `deflate`, `snappy`, `lz4` | the content encoding, for receivers, exporters and clients |
//! | `basic-auth` | bcrypt hashes in the `htpasswd` of receivers |
//! | `hash` | the action `hash` of [`AttributesProcessor`] and [`ResourceProcessor`] |
//! | `client` | `OtlpClient`: a program's own traces, logs and metrics |
//! | `tracing` | the client's layer and subscriber for the crate tracing |
//! | `tower` | layers that carry trace contexts in the headers of requests |
//!
//! # Layers
//!
//! This crate composes [`Export`](otlp_transport::Export)s and knows nothing of sockets, configuration files or command lines;
//! of HTTP the client knows only the headers that carry trace contexts:
//! otlp-transport below has servers and clients, otlp-app above is the program `otlp`. Bodies stay encoded; only processors and
//! the debug exporter look into them.

#![warn(missing_debug_implementations)]

#[cfg(feature = "gateway")]
mod batch;
#[cfg(feature = "gateway")]
mod calendar;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "gateway")]
mod component;
#[cfg(feature = "gateway")]
mod connector;
mod cut;
#[cfg(feature = "gateway")]
mod dead_letter;
#[cfg(feature = "gateway")]
mod debug;
#[cfg(feature = "gateway")]
mod event;
#[cfg(feature = "gateway")]
mod exporter;
#[cfg(feature = "gateway")]
mod fanout;
#[cfg(feature = "gateway")]
mod gateway;
#[cfg(feature = "gateway")]
mod health;
#[cfg(feature = "gateway")]
mod holder;
#[cfg(feature = "gateway")]
mod key_value;
#[cfg(feature = "gateway")]
mod ledger;
#[cfg(feature = "gateway")]
mod lifecycle;
#[cfg(feature = "gateway")]
mod observe;
#[cfg(feature = "gateway")]
mod ottl;
#[cfg(feature = "gateway")]
mod own_queue;
#[cfg(feature = "gateway")]
mod own_spans;
#[cfg(feature = "gateway")]
mod plugin;
#[cfg(feature = "gateway")]
mod processor;
#[cfg(feature = "gateway")]
mod producer_consumer;
#[cfg(feature = "gateway")]
mod queue;
#[cfg(feature = "gateway")]
mod receiver;
mod retry;
#[cfg(feature = "gateway")]
mod services;
#[cfg(feature = "gateway")]
mod spec;
#[cfg(any(feature = "client", feature = "gateway"))]
mod surroundings;
#[cfg(feature = "gateway")]
mod switch;
#[cfg(feature = "gateway")]
mod tasks;
#[cfg(feature = "gateway")]
mod telemetry;

#[cfg(feature = "gateway")]
pub use batch::{
    AdaptiveBatchConfig, AdaptiveBatchProcessor, AttemptFeedback, BatchConfig, BatchOptions, BatchProcessor,
    MeasuredAttempt,
};
#[cfg(feature = "client")]
pub use client::{OtlpClient, OtlpConfig, TraceBuilder};
#[cfg(feature = "gateway")]
pub use component::{Access, Needs, Out, Processor, ProcessorMetrics, Reason, Started};
#[cfg(feature = "gateway")]
pub use connector::{ForwardConnector, Route, RoutingConfig, RoutingConnector, RoutingError};
#[cfg(feature = "gateway")]
pub use dead_letter::DeadLetterConfig;
#[cfg(feature = "gateway")]
pub use exporter::{DebugConfig, DebugExporter, DebugFormat, NopExporter};
#[cfg(feature = "prometheus")]
pub use exporter::{PrometheusConfig, PrometheusExporter, ResourceLabels, TranslationStrategy};
#[cfg(feature = "gateway")]
pub use fanout::{Delivery, Destination, FanOut, PatientFanOut, join_answers};
#[cfg(feature = "gateway")]
pub use gateway::{DrainReport, Gateway, StartError};
#[cfg(feature = "gateway")]
pub use health::{
    Affects, CheckReport, DatabaseHealthCheck, ErrorRules, Health, HealthCheck, HealthCheckConfig,
    HealthChecker, HealthChecksSpec, HealthEntry, HealthProbe, HealthReport, NetworkHealthCheck, StoreSpec,
};
#[cfg(feature = "gateway")]
pub use holder::{Answers, BoxError, Holder, HolderAccount, HolderContext, HolderSpec, HolderStage, Outlet};
#[cfg(feature = "gateway")]
pub use key_value::{
    ComponentStorage, KeyValueBatch, KeyValueError, KeyValueLimits, KeyValueStore, KeyValueStores,
};
#[cfg(feature = "gateway")]
pub use ledger::{Account, DropReason, Held, Hop, Ledger, LedgerImbalance, LedgerLine, LedgerSnapshot};
#[cfg(feature = "gateway")]
pub use lifecycle::{BoxExtension, Exporter, Extension};
#[cfg(feature = "gateway")]
pub use observe::{
    Edge, EdgeExport, EdgeFilter, EdgeInfo, Lost, Observed, SubscribeError, Subscription, SubscriptionHandle,
    TelemetryObserver, TelemetrySubject,
};
#[cfg(feature = "gateway")]
pub use ottl::OttlError;
#[cfg(feature = "gateway")]
pub use own_queue::{OwnEntry, OwnQueue, OwnQueueConfig, OwnResource, OwnSender};
#[cfg(feature = "gateway")]
pub use own_spans::{OwnSpan, OwnSpans, ParentBased, Recording, Sampler};
#[cfg(feature = "gateway")]
pub use plugin::{
    AuthPart, Build, BuildContext, BuildFn, CheckFiles, Choice, Clash, ComponentType, Components, Connect,
    ConnectorPart, Decode, DecodeError, ExporterPart, ExtensionPart, ExtensionRef, GoDuration, HealthPart,
    KeyRule, Kind, MakeClient, MakeServer, OnlyFor, OtlpPlugin, PipelineRef, Place, PluginContents,
    PluginInfo, PluginManager, ProcessPlugin, ProcessStep, ReceiverPart, Registered, RuleKind, ServerPart,
    Setting, SettingList, SettingMap, SettingValue, Settings, SettingsError, StagePart, Target,
};
#[cfg(feature = "gateway")]
pub use processor::{
    ActionConfig, ActionError, ActionKind, AttributeMatch, AttributeSource, AttributeValue,
    AttributesProcessor, ConvertTo, DatabaseConfig, DatabaseSanitizerConfig, DetectorKind, ErrorMode,
    FilterConditions, FilterConfig, FilterError, FilterMatch, FilterProcessor, GroupByAttrsProcessor,
    HostnameSource, LibraryMatch, MatchConfig, MatchProperties, NameRules, Pattern, ProbabilisticSampler,
    ProcessorChain, RedactionConfig, RedactionError, RedactionHash, RedactionProcessor, RedactionSummary,
    ResourceDetectionConfig, ResourceDetectionProcessor, ResourceProcessor, SPAN_KINDS, SamplerConfig,
    SamplerError, SamplerMode, SeverityMatch, SpanConfig, SpanProcessor, SpanStatus, TextMatch,
    TransformConfig, TransformError, TransformGroup, TransformProcessor, UrlSanitizerConfig, ValueMatch,
};
#[cfg(feature = "gateway")]
pub use producer_consumer::{
    PipelineItem, Producer, ProducerConsumerConfig, ProducerConsumerCounts, ProducerConsumerPipeline,
    ProducerOrder, SendError,
};
#[cfg(feature = "gateway")]
pub use queue::{
    BacklogConfig, BacklogOrder, BatchSizer, DiskCompression, DiskConfig, FileReport, MemoryQueue, OnFull,
    Queue, QueueBatchConfig, QueueClass, QueueClassError, QueueClasses, QueueConfig, QueueEntry, QueueFiles,
    QueueFuture, QueueName, QueueSummary, QueueView, Receipt, Share, Size, Sizer, Slot, StoredRequest,
    StoredRequests, Wait,
};
#[cfg(feature = "gateway")]
pub use receiver::{BoxReceiver, Inlets, OtlpReceiver, OtlpServers, Receiver, Reroute, Running};
pub use retry::{Backoff, ExponentialBackoffRetry, PartlyDelivered, RetryConfig};
#[cfg(feature = "gateway")]
pub use services::{
    MicroserviceArchitecture, ServiceEndpoints, ServiceError, ServiceHealthCheck, ServiceLimits,
    ServicePolicy, ServiceStatus,
};
#[cfg(feature = "gateway")]
pub use spec::{
    Alteration, Change, ChangedKind, Changes, ComponentNeeds, ConnectorSpec, ExporterSpec, ExtensionSpec,
    Fingerprint, GatewaySpec, HealthSpec, MetricsPage, PipelineDelivery, PipelineSpec, PipelineStage,
    ReceiverNeeds, ReceiverSpec, ServerSpec, StageSpec, StatusPages, StatusSpec,
};
#[cfg(feature = "gateway")]
pub use telemetry::{
    BatchStats, Counter, ExporterStats, Histogram, LatencySummary, MeasuredPart, MetricFamily, MetricKind,
    MetricsFormat, MetricsLevel, MetricsReader, MetricsReaderConfig, Performance, PerformanceMetrics,
    ProcessorStats, Registration, Registry, Sample, Temporality,
};

#[cfg(doctest)]
#[doc = include_str!("../../docs/service.md")]
struct DocsPage;

#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../../docs/client.md")]
struct ClientPage;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmePage;
