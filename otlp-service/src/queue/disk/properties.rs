//! Properties of a stored batch beside its body, in a form that later versions can add to: tag, length, value. Unknown tags are
//! skipped.

use super::record::u32_at;
use otlp_protocol::{Batch, Hops, Origin};
use std::sync::Arc;

/// Properties of a stored batch.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Properties {
    /// The pipeline that the batch came from, which counts it.
    pub(super) pipeline: String,
    /// What the receiver was told to keep of the sender.
    pub(super) origin: Option<Arc<Origin>>,
    pub(super) hops: Option<Arc<Hops>>,
}

// === impl Properties ===

impl Properties {
    /// Encodes the properties of a batch. The deadline is left out, since the sender has its answer, and so are spans.
    pub(super) fn encode(pipeline: &str, batch: &Batch) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 * FIELD_BYTES + pipeline.len());
        put(&mut out, PIPELINE, &[pipeline.as_bytes()]);
        if let Some(origin) = &batch.origin {
            put(&mut out, ORIGIN, &[]);
            let texts = [(IDENTITY, &origin.identity), (TENANT, &origin.tenant)];
            for (tag, text) in texts {
                text.iter().for_each(|text| put(&mut out, tag, &[text.as_bytes()]));
            }
            if let Some(peer) = origin.peer {
                put(&mut out, PEER, &[peer.to_string().as_bytes()]);
            }
            for (name, value) in &origin.headers {
                put(&mut out, HEADER, &[&len(name.as_bytes()), name.as_bytes(), value]);
            }
            for (key, value) in &origin.resource {
                put(&mut out, RESOURCE, &[&len(key.as_bytes()), key.as_bytes(), value.as_bytes()]);
            }
        }
        if let Some(hops) = &batch.hops {
            put(&mut out, HOPS, &[&hops.text()]);
        }
        out
    }

    /// Decodes properties; `None` if the bytes are not such.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (mut properties, mut origin) = (Self::default(), Origin::default());
        let mut has_origin = false;
        for field in fields(bytes) {
            let (tag, value) = field?;
            match tag {
                PIPELINE => properties.pipeline = text(value)?.into(),
                ORIGIN => has_origin = true,
                IDENTITY => origin.identity = Some(text(value)?.into()),
                TENANT => origin.tenant = Some(text(value)?.into()),
                PEER => origin.peer = Some(text(value)?.parse().ok()?),
                HEADER => {
                    let (name, value) = pair(value)?;
                    origin.headers.push((text(name)?.into(), value.to_vec().into()));
                }
                RESOURCE => {
                    let (key, value) = pair(value)?;
                    origin.resource.push((text(key)?.into(), text(value)?.into()));
                }
                HOPS => properties.hops = Hops::parse(value).map(Arc::new),
                _ => {}
            }
        }
        properties.origin = has_origin.then(|| Arc::new(origin));
        Some(properties)
    }
}

/// Appends a field, whose value is in parts.
pub(super) fn put(out: &mut Vec<u8>, tag: u8, parts: &[&[u8]]) {
    out.push(tag);
    let len: usize = parts.iter().map(|part| part.len()).sum();
    out.extend_from_slice(&(len as u32).to_le_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// Returns the fields; `None` in place of a field that is cut.
pub(super) fn fields(mut bytes: &[u8]) -> impl Iterator<Item = Option<(u8, &[u8])>> {
    std::iter::from_fn(move || {
        let (tag, rest) = bytes.split_first()?;
        let value = u32_at(rest, 0).and_then(|len| rest.get(4..)?.split_at_checked(len as usize));
        bytes = value.map_or(&[][..], |(_, rest)| rest);
        Some(value.map(|(value, _)| (*tag, value)))
    })
}

fn len(bytes: &[u8]) -> [u8; 4] {
    (bytes.len() as u32).to_le_bytes()
}

/// Splits a value into a name, which has its length in front, and the rest.
fn pair(value: &[u8]) -> Option<(&[u8], &[u8])> {
    value.get(4..)?.split_at_checked(u32_at(value, 0)? as usize)
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

const FIELD_BYTES: usize = 5;

const PIPELINE: u8 = 1;
const ORIGIN: u8 = 2;
const IDENTITY: u8 = 3;
const TENANT: u8 = 4;
const PEER: u8 = 5;
const HEADER: u8 = 6;
const RESOURCE: u8 = 7;
const HOPS: u8 = 8;

#[cfg(test)]
mod tests;
