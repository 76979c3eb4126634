//! `google.rpc.Status` in JSON. `details` are `google.protobuf.Any`: their fields are beside `@type`. A duration is text.

use super::{BAD_REQUEST, FieldViolation, MAX_VIOLATIONS, RETRY_INFO, RpcStatus};
use crate::json::JsonError;
use crate::json::lexer::{Fault, JsonErrorKind, Lexer};
use crate::json::put_string;
use crate::status::MAX_DURATION_SECS;
use std::io::Write as _;
use std::time::Duration;

// === impl RpcStatus ===

impl RpcStatus {
    /// Encodes `google.rpc.Status` as JSON: the body of a failed OTLP/HTTP request with a JSON body.
    ///
    /// ```
    /// use otlp_protocol::{Code, RpcStatus};
    /// use std::time::Duration;
    ///
    /// let mut status = RpcStatus::new(Code::Unavailable, "full");
    /// assert_eq!(status.encode_json(), br#"{"code":14,"message":"full"}"#);
    /// status.retry_delay = Some(Duration::from_millis(5500));
    /// assert_eq!(RpcStatus::decode_json(&status.encode_json()).unwrap(), status);
    /// ```
    pub fn encode_json(&self) -> Vec<u8> {
        let mut out = vec![b'{'];
        if self.code != 0 {
            let _ = write!(out, "\"code\":{},", self.code as i32);
        }
        put_member(&mut out, "message", &self.message);
        if self.retry_delay.is_some() || !self.violations.is_empty() {
            out.extend_from_slice(b"\"details\":[");
            if let Some(delay) = self.retry_delay {
                put_type(&mut out, RETRY_INFO);
                out.extend_from_slice(b"\"retryDelay\":");
                put_duration(&mut out, delay);
                out.extend_from_slice(b"},");
            }
            if !self.violations.is_empty() {
                put_type(&mut out, BAD_REQUEST);
                out.extend_from_slice(b"\"fieldViolations\":[");
                for FieldViolation { field, description } in &self.violations {
                    out.push(b'{');
                    put_member(&mut out, "field", field);
                    put_member(&mut out, "description", description);
                    close(&mut out, b"},");
                }
                close(&mut out, b"]},");
            }
            close(&mut out, b"],");
        }
        close(&mut out, b"}");
        out
    }

    /// Decodes JSON, with the rules of [`decode`](Self::decode): details of other types are ignored, at most 16 violations are
    /// kept, a negative delay is zero, and invalid UTF-8 is replaced.
    ///
    /// # Errors
    /// If the text is not the JSON of such a message.
    pub fn decode_json(text: &[u8]) -> Result<Self, JsonError> {
        let mut status = Self::default();
        let text = String::from_utf8_lossy(text);
        let mut lexer = Lexer::new(text.as_bytes())?;
        lexer.object(|lexer, key| match key {
            b"code" => {
                status.code = lexer.int64()? as u32;
                Ok(())
            }
            b"message" => {
                status.message = lexer.owned_string()?;
                Ok(())
            }
            b"details" => lexer.array(|lexer| status.decode_detail(lexer)),
            _ => lexer.skip_value(),
        })?;
        lexer.end()?;
        Ok(status)
    }

    fn decode_detail(&mut self, lexer: &mut Lexer<'_>) -> Result<(), Fault> {
        // `@type` may come after the fields that it describes.
        let mut type_url = String::new();
        lexer.clone().object(|lexer, key| match key {
            b"@type" => {
                type_url = lexer.owned_string()?;
                Ok(())
            }
            _ => lexer.skip_value(),
        })?;
        // The part before the last slash is the host of a type server.
        let name = type_url.rsplit('/').next().unwrap_or_default();
        lexer.object(|lexer, key| match (name, key) {
            ("google.rpc.RetryInfo", b"retryDelay") => {
                self.retry_delay = Some(duration(lexer)?);
                Ok(())
            }
            ("google.rpc.BadRequest", b"fieldViolations") => lexer.array(|lexer| {
                let violation = violation(lexer)?;
                if self.violations.len() < MAX_VIOLATIONS {
                    self.violations.push(violation);
                }
                Ok(())
            }),
            _ => lexer.skip_value(),
        })
    }
}

fn violation(lexer: &mut Lexer<'_>) -> Result<FieldViolation, Fault> {
    let mut violation = FieldViolation::default();
    lexer.object(|lexer, key| {
        match key {
            b"field" => violation.field = lexer.owned_string()?,
            b"description" => violation.description = lexer.owned_string()?,
            _ => lexer.skip_value()?,
        }
        Ok(())
    })?;
    Ok(violation)
}

/// Reads `"5.500s"`. A negative delay is zero. A delay over 10,000 years is capped.
fn duration(lexer: &mut Lexer<'_>) -> Result<Duration, Fault> {
    let offset = lexer.position();
    let text = lexer.owned_string()?;
    parse_duration(&text).ok_or(Fault { kind: JsonErrorKind::Expected("a duration, as in \"1.5s\""), offset })
}

fn parse_duration(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('s')?;
    let (is_negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number),
    };
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let seconds = seconds.parse().unwrap_or(u64::MAX).min(MAX_DURATION_SECS);
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    Some(if is_negative { Duration::ZERO } else { Duration::new(seconds, nanos) })
}

/// Appends `"5.500s"`, with 0, 3, 6 or 9 decimals as needed.
fn put_duration(out: &mut Vec<u8>, duration: Duration) {
    let (seconds, nanos) = (duration.as_secs().min(MAX_DURATION_SECS), duration.subsec_nanos());
    let _ = match nanos {
        0 => write!(out, "\"{seconds}s\""),
        _ if nanos % 1_000_000 == 0 => write!(out, "\"{seconds}.{:03}s\"", nanos / 1_000_000),
        _ if nanos % 1_000 == 0 => write!(out, "\"{seconds}.{:06}s\"", nanos / 1_000),
        _ => write!(out, "\"{seconds}.{nanos:09}s\""),
    };
}

fn put_type(out: &mut Vec<u8>, type_url: &str) {
    out.push(b'{');
    put_member(out, "@type", type_url);
}

/// Appends a string member and a comma, unless it is empty.
fn put_member(out: &mut Vec<u8>, key: &str, value: &str) {
    if !value.is_empty() {
        put_string(out, key.as_bytes());
        out.push(b':');
        put_string(out, value.as_bytes());
        out.push(b',');
    }
}

/// Ends an object or array. Removes the comma after the last member.
fn close(out: &mut Vec<u8>, end: &[u8]) {
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.extend_from_slice(end);
}
