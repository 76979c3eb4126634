//! OTLP pipelines: batching, queues, retry, fan-out, the ledger, own metrics, health.
//!
//! **What this crate must not know:** hyper, tonic, sockets, files of configuration, command lines. It composes
//! [`Export`](otlp_transport::Export)s; into bodies only processors look, through otlp-protocol's views and edits.
//!
//! A [`Gateway`] is built from a [`GatewaySpec`]: receivers → stages (processors, batch, holders) → fan-out → per exporter
//! queue → retry → client, or connector → another pipeline.
//! The returned future of an export is the acknowledgement; where it comes from is the delivery mode, chosen by
//! [`QueueConfig`].

#![warn(missing_debug_implementations)]

mod batch;
mod component;
mod cut;
mod debug;
mod exporter;
mod fanout;
mod gateway;
mod health;
mod holder;
mod ledger;
mod lifecycle;
mod plugin;
mod processor;
mod queue;
mod receiver;
mod retry;
mod spec;
mod tasks;
mod telemetry;

pub use batch::{BatchConfig, BatchOptions, BatchProcessor};
pub use component::{Access, Needs, Out, Processor, Reason};
pub use exporter::{DebugConfig, DebugExporter, DebugFormat, NopExporter};
pub use fanout::{Delivery, Destination, FanOut, PatientFanOut, join_answers};
pub use gateway::{DrainReport, Gateway, StartError};
pub use health::{Health, HealthCheck, HealthChecker, HealthEntry, HealthReport, NetworkHealthCheck};
pub use holder::{Answers, BoxError, Holder, HolderAccount, HolderContext, HolderSpec, HolderStage, Outlet};
pub use ledger::{Account, DropReason, Held, Hop, Ledger, LedgerImbalance, LedgerLine, LedgerSnapshot};
pub use lifecycle::{BoxExtension, Exporter, Extension};
pub use plugin::{
    AuthPart, AuthRef, Build, BuildContext, BuildFn, CheckFiles, Choice, Clash, ComponentType, Components,
    Connect, Decode, ExporterPart, ExtensionPart, GoDuration, KeyRule, Kind, MakeClient, MakeServer, OnlyFor,
    OtlpPlugin, PluginInfo, PluginManager, ReceiverPart, Registered, RuleKind, ServerPart, SettingsError,
    StagePart, Target,
};
pub use processor::{
    ActionConfig, ActionError, ActionKind, AttributeMatch, AttributeValue, AttributesProcessor, ConvertTo,
    LibraryMatch, MatchConfig, MatchProperties, Pattern, ProcessorChain, ResourceProcessor, SPAN_KINDS,
    SeverityMatch, TextMatch, ValueMatch,
};
pub use queue::{MemoryQueue, OnFull, Queue, QueueConfig, QueueEntry, QueueFuture, Slot, Wait};
pub use receiver::{BoxReceiver, Inlets, OtlpReceiver, OtlpServers, Receiver, Running};
pub use retry::{Backoff, ExponentialBackoffRetry, PartlyDelivered, RetryConfig};
pub use spec::{
    Alteration, Change, ChangedKind, Changes, ComponentNeeds, ConnectorSpec, ExporterSpec, ExtensionSpec,
    Fingerprint, GatewaySpec, HealthSpec, PipelineDelivery, PipelineSpec, PipelineStage, ReceiverNeeds,
    ReceiverSpec, ServerSpec, StageSpec,
};
pub use telemetry::{
    BatchStats, Counter, ExporterStats, Histogram, MetricFamily, MetricKind, PerformanceMetrics,
    ProcessorStats, Registration, Registry, Sample,
};

#[cfg(doctest)]
#[doc = include_str!("../../docs/service.md")]
struct DocsPage;
