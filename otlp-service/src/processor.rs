//! The processors of this crate, and the chain that runs processors.

mod actions;
mod attributes;
mod chain;
mod filter;
mod group_by_attrs;
mod matching;
mod pattern;
mod probabilistic_sampler;
mod redaction;
mod resource;
mod resource_detection;
mod resource_keys;
mod span;
mod text;
mod transform;

pub use actions::{ActionConfig, ActionError, ActionKind, ConvertTo};
pub use attributes::AttributesProcessor;
pub use chain::ProcessorChain;
pub use filter::{ErrorMode, FilterConditions, FilterConfig, FilterError, FilterMatch, FilterProcessor};
pub use group_by_attrs::GroupByAttrsProcessor;
pub use matching::{
    AttributeMatch, LibraryMatch, MatchConfig, MatchProperties, SPAN_KINDS, SeverityMatch, TextMatch,
    ValueMatch,
};
pub use otlp_protocol::AttributeValue;
pub use pattern::Pattern;
pub use probabilistic_sampler::{
    AttributeSource, ProbabilisticSampler, SamplerConfig, SamplerError, SamplerMode,
};
pub use redaction::{
    DatabaseConfig, DatabaseSanitizerConfig, RedactionConfig, RedactionError, RedactionHash,
    RedactionProcessor, RedactionSummary, UrlSanitizerConfig,
};
pub use resource::ResourceProcessor;
pub use resource_detection::{
    DetectorKind, HostnameSource, ResourceDetectionConfig, ResourceDetectionProcessor,
};
pub use span::{NameRules, SpanConfig, SpanProcessor, SpanStatus};
pub use transform::{TransformConfig, TransformError, TransformGroup, TransformProcessor};

pub(crate) use chain::run;
pub(crate) use filter::shown;
pub(crate) use resource_keys::ResourceKeys;
pub(crate) use text::{Shortest, SmallNumbers, json_of, number_text, text_of};
