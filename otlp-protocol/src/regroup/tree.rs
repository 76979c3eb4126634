//! The envelopes of a request that is grouped anew: each with its header and children, found by what their headers mean.

use super::identity::Identity;
use crate::EditError;
use crate::field::Field;
use crate::wire::{MAX_TAG_AND_LENGTH, WireType, put_tag, put_varint, varint_len};
use std::collections::HashMap;
use std::ops::Range;

/// The envelopes of a new request.
pub(super) struct Tree<'a> {
    body: &'a [u8],
    /// Headers and items that are not in the body as they are to be.
    text: Vec<u8>,
    headers: Vec<Slice>,
    /// Headers by identity.
    known: HashMap<Vec<u8>, Header>,
    nodes: Vec<Envelope>,
    /// Envelopes by parent, field number and header.
    places: HashMap<(Node, u32, Header), Node>,
    /// Bytes that the tree takes.
    size: usize,
    max_bytes: usize,
}

/// An envelope of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node(usize);

/// A header: the fields of an envelope beside its children.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Header(usize);

struct Envelope {
    number: u32,
    header: Slice,
    children: Vec<Child>,
}

enum Child {
    Envelope(Node),
    /// Whole fields.
    Fields(Slice),
}

/// A range of the body, or of the text.
#[derive(Clone)]
enum Slice {
    Body(Range<usize>),
    Text(Range<usize>),
}

// === impl Node ===

impl Node {
    /// The request.
    pub(super) const ROOT: Self = Self(0);
}

// === impl Tree ===

impl<'a> Tree<'a> {
    pub(super) fn new(body: &'a [u8], max_bytes: usize) -> Self {
        let root = Envelope { number: 0, header: Slice::Text(0..0), children: Vec::new() };
        Self {
            body,
            text: Vec::new(),
            headers: Vec::new(),
            known: HashMap::new(),
            nodes: vec![root],
            places: HashMap::new(),
            size: 0,
            max_bytes,
        }
    }

    /// Number of envelopes, without the request.
    pub(super) fn nodes(&self) -> usize {
        self.nodes.len() - 1
    }

    /// The header of an identity, made of fields of the body if it is new.
    pub(super) fn header(&mut self, identity: Identity, fields: impl Iterator<Item = Field>) -> Header {
        let identity = identity.into_bytes();
        if let Some(known) = self.known.get(&identity) {
            return *known;
        }
        let mut runs: Vec<Range<usize>> = Vec::new();
        for field in fields {
            match runs.last_mut() {
                Some(last) if last.end == field.whole.start => last.end = field.whole.end,
                _ => runs.push(field.whole),
            }
        }
        let slice = match &*runs {
            [] => Slice::Body(0..0),
            [only] => Slice::Body(only.clone()),
            runs => {
                let start = self.text.len();
                runs.iter().for_each(|run| self.text.extend_from_slice(of(self.body, run)));
                Slice::Text(start..self.text.len())
            }
        };
        self.add_header(identity, slice)
    }

    /// The header of an identity, with these bytes if it is new.
    pub(super) fn written_header(&mut self, identity: Identity, bytes: &[u8]) -> Header {
        let identity = identity.into_bytes();
        if let Some(known) = self.known.get(&identity) {
            return *known;
        }
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        self.add_header(identity, Slice::Text(start..self.text.len()))
    }

    /// The envelope of a header in another envelope.
    pub(super) fn child(&mut self, parent: Node, number: u32, header: Header) -> Result<Node, EditError> {
        let place = (parent, number, header);
        if let Some(known) = self.places.get(&place) {
            return Ok(*known);
        }
        let node = Node(self.nodes.len());
        let header = self.headers.get(header.0).cloned().unwrap_or(Slice::Body(0..0));
        self.nodes.push(Envelope { number, header, children: Vec::new() });
        self.places.insert(place, node);
        self.add(parent, Child::Envelope(node))?;
        self.charge(size_of::<Envelope>() + size_of::<((Node, u32, Header), Node)>())?;
        Ok(node)
    }

    /// Places fields of the body in an envelope.
    pub(super) fn place(&mut self, node: Node, fields: Range<usize>) -> Result<(), EditError> {
        let last = self.nodes.get_mut(node.0).and_then(|envelope| envelope.children.last_mut());
        match last {
            Some(Child::Fields(Slice::Body(last))) if last.end == fields.start => {
                last.end = fields.end;
                Ok(())
            }
            _ => self.add(node, Child::Fields(Slice::Body(fields))),
        }
    }

    /// Places a field of the body in an envelope, without some fields of its message.
    pub(super) fn place_without(
        &mut self,
        node: Node,
        field: &Field,
        cuts: &[Range<usize>],
    ) -> Result<(), EditError> {
        let start = self.text.len();
        let gone: usize = cuts.iter().map(ExactSizeIterator::len).sum();
        put_tag(&mut self.text, field.number, WireType::Len);
        put_varint(&mut self.text, (field.value.len() - gone) as u64);
        let mut from = field.value.start;
        for cut in cuts {
            self.text.extend_from_slice(of(self.body, &(from..cut.start)));
            from = cut.end;
        }
        self.text.extend_from_slice(of(self.body, &(from..field.value.end)));
        let written = start..self.text.len();
        let last = self.nodes.get_mut(node.0).and_then(|envelope| envelope.children.last_mut());
        match last {
            Some(Child::Fields(Slice::Text(last))) if last.end == written.start => {
                last.end = written.end;
                self.charge(0)
            }
            _ => self.add(node, Child::Fields(Slice::Text(written))),
        }
    }

    /// Counts bytes that are kept beside the tree.
    ///
    /// # Errors
    /// If the tree takes too many bytes.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), EditError> {
        self.size += bytes;
        let is_within = self.size + self.text.len() <= self.max_bytes;
        if is_within { Ok(()) } else { Err(EditError::TooLarge { limit: self.max_bytes }) }
    }

    /// Writes the request.
    pub(super) fn write(self) -> Result<Vec<u8>, EditError> {
        // Children come after their parents.
        let mut lens = vec![0; self.nodes.len()];
        for (index, envelope) in self.nodes.iter().enumerate().rev() {
            let children = envelope.children.iter().map(|child| match child {
                Child::Fields(slice) => slice.len(),
                Child::Envelope(node) => {
                    let number = self.nodes.get(node.0).map_or(0, |child| child.number);
                    let len = lens.get(node.0).copied().unwrap_or_default();
                    varint_len(u64::from(number) << 3) + varint_len(len as u64) + len
                }
            });
            let len = envelope.header.len() + children.sum::<usize>();
            if let Some(known) = lens.get_mut(index) {
                *known = len;
            }
        }
        let len = lens.first().copied().unwrap_or_default();
        if len > self.max_bytes {
            return Err(EditError::TooLarge { limit: self.max_bytes });
        }
        let mut out = Vec::with_capacity(len + MAX_TAG_AND_LENGTH);
        self.write_children(Node::ROOT, &lens, &mut out);
        Ok(out)
    }

    /// Writes header and children of an envelope. A request has at most five levels.
    fn write_children(&self, node: Node, lens: &[usize], out: &mut Vec<u8>) {
        let Some(envelope) = self.nodes.get(node.0) else { return };
        out.extend_from_slice(self.bytes(&envelope.header));
        for child in &envelope.children {
            match child {
                Child::Fields(slice) => out.extend_from_slice(self.bytes(slice)),
                Child::Envelope(node) => {
                    let number = self.nodes.get(node.0).map_or(0, |child| child.number);
                    put_tag(out, number, WireType::Len);
                    put_varint(out, lens.get(node.0).copied().unwrap_or_default() as u64);
                    self.write_children(*node, lens, out);
                }
            }
        }
    }

    fn add_header(&mut self, identity: Vec<u8>, slice: Slice) -> Header {
        let header = Header(self.headers.len());
        self.headers.push(slice);
        // Checked with the envelope that gets the header.
        self.size += identity.len() + size_of::<Slice>() + size_of::<(Vec<u8>, Header)>();
        self.known.insert(identity, header);
        header
    }

    fn add(&mut self, node: Node, child: Child) -> Result<(), EditError> {
        if let Some(envelope) = self.nodes.get_mut(node.0) {
            envelope.children.push(child);
        }
        self.charge(size_of::<Child>())
    }

    fn bytes(&self, slice: &Slice) -> &[u8] {
        match slice {
            Slice::Body(range) => of(self.body, range),
            Slice::Text(range) => of(&self.text, range),
        }
    }
}

// === impl Slice ===

impl Slice {
    fn len(&self) -> usize {
        match self {
            Self::Body(range) | Self::Text(range) => range.len(),
        }
    }
}

fn of<'a>(bytes: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    bytes.get(range.clone()).unwrap_or_default()
}
