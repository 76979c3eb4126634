//! `google.rpc.Status` with the details that OTLP uses: `RetryInfo` and `BadRequest`.

mod json;

use super::{Code, MAX_DURATION_SECS};
use crate::wire::{Cursor, WireError, WireType, put_len_delimited, put_uint};
use std::time::Duration;

/// A `google.rpc.Status`: the body of a failed HTTP request, and `grpc-status-details-bin` of a failed gRPC call.
///
/// ```
/// use otlp_protocol::{Code, RpcStatus};
/// use std::time::Duration;
///
/// let status = RpcStatus { retry_delay: Some(Duration::from_secs(5)), ..RpcStatus::new(Code::Unavailable, "full") };
/// assert_eq!(RpcStatus::decode(&status.encode())?, status);
/// # Ok::<(), otlp_protocol::wire::WireError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RpcStatus {
    /// Number of the gRPC code. HTTP clients ignore it.
    pub code: u32,
    /// Message for developers, in English.
    pub message: String,
    /// Delay of `google.rpc.RetryInfo`: the request may be sent again after this time.
    pub retry_delay: Option<Duration>,
    /// Violations of `google.rpc.BadRequest`.
    pub violations: Vec<FieldViolation>,
}

/// One `google.rpc.BadRequest.FieldViolation`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path of the field: `resource_spans[0].scope_spans[0].spans[0].trace_id`.
    pub field: String,
    /// Description of the fault.
    pub description: String,
}

impl RpcStatus {
    /// Makes a status without details.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code: code as u32, message: message.into(), ..Self::default() }
    }

    /// Encodes `google.rpc.Status`.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.message.len() + 16);
        put_uint(&mut out, 1, u64::from(self.code));
        put_text(&mut out, 2, &self.message);
        if let Some(delay) = self.retry_delay {
            let mut duration = Vec::new();
            put_uint(&mut duration, 1, delay.as_secs().min(MAX_DURATION_SECS));
            put_uint(&mut duration, 2, u64::from(delay.subsec_nanos()));
            let mut retry_info = Vec::new();
            put_len_delimited(&mut retry_info, 1, &duration);
            put_any(&mut out, RETRY_INFO, &retry_info);
        }
        if !self.violations.is_empty() {
            let mut bad_request = Vec::new();
            for FieldViolation { field, description } in &self.violations {
                let mut violation = Vec::new();
                put_text(&mut violation, 1, field);
                put_text(&mut violation, 2, description);
                put_len_delimited(&mut bad_request, 1, &violation);
            }
            put_any(&mut out, BAD_REQUEST, &bad_request);
        }
        out
    }

    /// Decodes `google.rpc.Status`. Details of other types are ignored. At most 16 violations are kept.
    ///
    /// # Errors
    /// If the bytes are not a protobuf message.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut status = Self::default();
        let mut fields = Cursor::new(bytes);
        while !fields.is_at_end() {
            match fields.tag()? {
                (1, WireType::Varint) => status.code = fields.varint()? as u32,
                (2, WireType::Len) => status.message = text(fields.len_delimited()?),
                (3, WireType::Len) => status.decode_any(fields.len_delimited()?)?,
                (number, wire_type) => fields.skip_value(number, wire_type)?,
            }
        }
        Ok(status)
    }

    fn decode_any(&mut self, any: &[u8]) -> Result<(), WireError> {
        let (mut type_url, mut value) = (&[][..], &[][..]);
        let mut fields = Cursor::new(any);
        while !fields.is_at_end() {
            match fields.tag()? {
                (1, WireType::Len) => type_url = fields.len_delimited()?,
                (2, WireType::Len) => value = fields.len_delimited()?,
                (number, wire_type) => fields.skip_value(number, wire_type)?,
            }
        }
        // The part before the last slash is the host of a type server.
        let name = type_url.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        match name {
            b"google.rpc.RetryInfo" => self.retry_delay = Some(decode_retry_info(value)?),
            b"google.rpc.BadRequest" => decode_bad_request(value, &mut self.violations)?,
            _ => {}
        }
        Ok(())
    }
}

/// Appends a string, unless it is empty, the default of proto3.
fn put_text(out: &mut Vec<u8>, number: u32, text: &str) {
    if !text.is_empty() {
        put_len_delimited(out, number, text.as_bytes());
    }
}

fn put_any(out: &mut Vec<u8>, type_url: &str, value: &[u8]) {
    let mut any = Vec::with_capacity(type_url.len() + value.len() + 8);
    put_len_delimited(&mut any, 1, type_url.as_bytes());
    put_len_delimited(&mut any, 2, value);
    put_len_delimited(out, 3, &any);
}

/// Decodes `RetryInfo`. A negative delay is zero. A delay over 10,000 years is capped.
fn decode_retry_info(bytes: &[u8]) -> Result<Duration, WireError> {
    let (mut seconds, mut nanos) = (0, 0);
    each_len_field(bytes, 1, |duration| {
        let mut fields = Cursor::new(duration);
        while !fields.is_at_end() {
            match fields.tag()? {
                (1, WireType::Varint) => seconds = fields.varint()? as i64,
                (2, WireType::Varint) => nanos = fields.varint()? as i32,
                (number, wire_type) => fields.skip_value(number, wire_type)?,
            }
        }
        Ok(())
    })?;
    let (Ok(seconds), Ok(nanos)) = (u64::try_from(seconds), u32::try_from(nanos)) else {
        return Ok(Duration::ZERO);
    };
    Ok(Duration::new(seconds.min(MAX_DURATION_SECS), nanos.min(999_999_999)))
}

fn decode_bad_request(bytes: &[u8], violations: &mut Vec<FieldViolation>) -> Result<(), WireError> {
    each_len_field(bytes, 1, |violation| {
        if violations.len() >= MAX_VIOLATIONS {
            return Ok(());
        }
        let mut decoded = FieldViolation::default();
        each_len_field(violation, 1, |field| {
            decoded.field = text(field);
            Ok(())
        })?;
        each_len_field(violation, 2, |description| {
            decoded.description = text(description);
            Ok(())
        })?;
        violations.push(decoded);
        Ok(())
    })
}

fn each_len_field<'a>(
    bytes: &'a [u8],
    wanted: u32,
    mut with: impl FnMut(&'a [u8]) -> Result<(), WireError>,
) -> Result<(), WireError> {
    let mut fields = Cursor::new(bytes);
    while !fields.is_at_end() {
        match fields.tag()? {
            (number, WireType::Len) if number == wanted => with(fields.len_delimited()?)?,
            (number, wire_type) => fields.skip_value(number, wire_type)?,
        }
    }
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
const MAX_VIOLATIONS: usize = 16;
