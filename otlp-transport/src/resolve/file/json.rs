//! Lists of endpoints in JSON.

use crate::ResolvedEndpoint;
use otlp_protocol::json::{JsonError, JsonReader};

/// Reads a JSON list of endpoints: each a string, or an object with `endpoint`, `weight` (1 to 1000, default 1) and
/// `connect_to`.
///
/// ```
/// use otlp_transport::endpoints_from_json;
///
/// let text = br#"["10.0.0.1:4317", {"endpoint": "https://a.example:4318", "weight": 3, "connect_to": "10.0.0.2:4318"}]"#;
/// let endpoints = endpoints_from_json(text)?;
/// assert_eq!(endpoints[1].address(), "10.0.0.2:4318");
/// # Ok::<(), otlp_transport::otlp_protocol::json::JsonError>(())
/// ```
///
/// # Errors
/// If the text is not such a list: an unknown key, a weight out of range, an endpoint that is missing or empty.
pub fn endpoints_from_json(text: &[u8]) -> Result<Vec<ResolvedEndpoint>, JsonError> {
    JsonReader::read(text, |reader| {
        let mut endpoints = Vec::new();
        reader.array(|reader| {
            endpoints.push(endpoint(reader)?);
            Ok(())
        })?;
        Ok(endpoints)
    })
}

fn endpoint(reader: &mut JsonReader<'_, '_>) -> Result<ResolvedEndpoint, JsonError> {
    let mut found = ResolvedEndpoint::new("");
    if reader.is_at_string() {
        found.endpoint = reader.string()?;
    } else {
        reader.object(|reader, key| {
            match key {
                "endpoint" => found.endpoint = reader.string()?,
                "connect_to" => {
                    found.connect_to = Some(reader.string()?).filter(|address| !address.is_empty())
                }
                "weight" => found.weight = weight(reader)?,
                _ => return Err(reader.expected("one of the keys `endpoint`, `weight`, `connect_to`")),
            }
            Ok(())
        })?;
    }
    if found.endpoint.is_empty() {
        Err(reader.expected("a non-empty `endpoint` before this position"))
    } else {
        Ok(found)
    }
}

fn weight(reader: &mut JsonReader<'_, '_>) -> Result<u32, JsonError> {
    let weight = u32::try_from(reader.int64()?).ok().filter(|weight| (1..=MAX_WEIGHT).contains(weight));
    weight.ok_or_else(|| reader.expected("a weight of 1 to 1000 before this position"))
}

const MAX_WEIGHT: u32 = 1000;
