//! Limits of spans and log records, as the SDK specification has them. What is beyond a limit is dropped, the newest first, and
//! counted in the span or log record.

/// Limits of a span.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanLimits {
    /// Attributes of a span. Default 128.
    pub attributes: u32,
    /// Length of a text value, in characters, also in lists and maps; of a byte value, in bytes. Default none.
    pub attribute_value_length: Option<usize>,
    /// Events of a span. Default 128.
    pub events: u32,
    /// Links of a span. Default 128.
    pub links: u32,
    /// Attributes of an event. Default 128.
    pub attributes_per_event: u32,
    /// Attributes of a link. Default 128.
    pub attributes_per_link: u32,
}

/// Limits of a log record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLimits {
    /// Attributes of a log record. Default 128.
    pub attributes: u32,
    /// Length of a text value, as in [`SpanLimits::attribute_value_length`]. Default none.
    pub attribute_value_length: Option<usize>,
}

impl Default for SpanLimits {
    fn default() -> Self {
        Self {
            attributes: 128,
            attribute_value_length: None,
            events: 128,
            links: 128,
            attributes_per_event: 128,
            attributes_per_link: 128,
        }
    }
}

impl Default for LogLimits {
    fn default() -> Self {
        Self { attributes: 128, attribute_value_length: None }
    }
}
