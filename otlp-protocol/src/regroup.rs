//! Groups the items of a request anew: attributes of items become attributes of their resources, and equal envelopes merge.
//!
//! The request is read once into a tree of envelopes and slices of the body, and written once from that tree. Nothing is decoded:
//! what does not move stays as it came, unknown fields included.

mod identity;
mod moved;
mod tree;

use self::identity::Identity;
use self::moved::Moved;
use self::tree::{Header, Node, Tree};
use crate::edit::Numbers;
use crate::field::{Field, fields, joined, pieces};
use crate::signal::{BELOW_RESOURCE, HEADER, RESOURCES};
use crate::wire::put_len_delimited;
use crate::{Body, EditError, Items};
use std::collections::HashMap;

/// Result of [`regroup`].
#[derive(Clone, Debug)]
pub struct Regrouped {
    /// The new body; the original one if nothing changed.
    pub body: Body,
    /// Number of items that had one of the keys.
    pub moved: u64,
    /// Number of resources in the new body.
    pub resources: usize,
    /// True if the body differs from the original one.
    pub changed: bool,
}

/// Moves attributes with these keys from items to resources, and merges equal resources, scopes and metrics. Without keys equal
/// resources, scopes and metrics are merged alone. The new body may have up to `max_bytes`, and the tree as many.
///
/// An item that has one of the keys moves to a resource that has the attributes of its resource and, in place of those with the same
/// key, the item's. Resources are equal if they have the same attributes, in any order, and are equal otherwise, schema URL and
/// unknown fields included; so are scopes. Metrics are equal if they differ in nothing but their data points. Envelopes are in the
/// order of their first items, and items in their order.
///
/// An envelope without entries and a metric without data points stay with their resource. So does a metric with data points of
/// several types. Items without attributes of their own, such as samples of profiles, do not move.
///
/// ```
/// use otlp_protocol::encode::LogRecords;
/// use otlp_protocol::{Body, regroup, view::RequestView};
///
/// let body = Body::write::<LogRecords>(|request| {
///     request.resource_group(|group| {
///         group.scope_group(|scope| {
///             for host in ["a", "b", "a"] {
///                 scope.log_record(|record| {
///                     record.body("started").attribute("host.name", host);
///                 });
///             }
///         });
///     });
/// });
/// let regrouped = regroup(&body, &["host.name"], 1 << 20)?;
/// assert_eq!((regrouped.moved, regrouped.resources), (3, 2));
/// let bytes = regrouped.body.to_bytes();
/// let hosts = RequestView::new(body.signal(), &bytes).resources().map(|group| group.resource());
/// let hosts: Vec<_> = hosts.filter_map(|resource| resource.attributes().get("host.name")).collect();
/// assert_eq!(hosts, ["a".into(), "b".into()]);
/// # Ok::<(), otlp_protocol::EditError>(())
/// ```
///
/// # Errors
/// If the new body or the tree would be larger than `max_bytes`.
pub fn regroup(body: &Body, keys: &[impl AsRef<str>], max_bytes: usize) -> Result<Regrouped, EditError> {
    let bytes = body.to_bytes();
    let mut walk = Walk {
        body: &bytes,
        keys: keys.iter().map(|key| key.as_ref().as_bytes()).collect(),
        items: body.signal().items,
        numbers: Numbers::of(body.signal()),
        tree: Tree::new(&bytes, max_bytes),
        item: Moved::default(),
        visited: 0,
        resources: 0,
        moved: 0,
    };
    for field in fields(&bytes, 0) {
        match field.is(RESOURCES) {
            true => walk.resource(&field)?,
            false => walk.tree.place(Node::ROOT, field.whole)?,
        }
    }
    let Walk { tree, visited, resources, moved, .. } = walk;
    if moved == 0 && tree.nodes() == visited {
        return Ok(Regrouped { body: body.clone(), moved, resources, changed: false });
    }
    let body = Body::made(body.signal(), tree.write()?);
    Ok(Regrouped { body, moved, resources, changed: true })
}

struct Walk<'a> {
    body: &'a [u8],
    keys: Vec<&'a [u8]>,
    items: Items,
    numbers: Numbers,
    tree: Tree<'a>,
    /// The attributes of the current item that move.
    item: Moved,
    /// Envelopes of the body, counted as the nodes of the tree would be if nothing merged.
    visited: usize,
    /// Resources of the tree.
    resources: usize,
    moved: u64,
}

/// A resource of the body, and the resources of the tree that its items go to.
struct OpenResource<'a> {
    envelope: &'a Field,
    /// The resource as it is, once something stays in it.
    own: Option<Node>,
    /// By the encoded attributes that moved.
    others: HashMap<Vec<u8>, Node>,
}

/// The header of a metric and of the container of its data points.
struct MetricHeaders {
    metric: Header,
    arm: u32,
    container: Header,
}

// === impl Walk ===

impl Walk<'_> {
    fn resource(&mut self, envelope: &Field) -> Result<(), EditError> {
        self.visited += 1;
        let mut resource = OpenResource { envelope, own: None, others: HashMap::new() };
        let mut is_empty = true;
        for scope in envelope.fields(self.body).filter(|field| field.is(BELOW_RESOURCE[0])) {
            is_empty = false;
            self.scope(&scope, &mut resource)?;
        }
        if is_empty {
            self.own(&mut resource)?;
        }
        Ok(())
    }

    fn scope(&mut self, envelope: &Field, resource: &mut OpenResource<'_>) -> Result<(), EditError> {
        self.visited += 1;
        let number = BELOW_RESOURCE[1];
        let scope = pieces(self.body, envelope, HEADER);
        let mut identity = Identity::new(b's');
        identity.message(&joined(self.body, &scope), self.numbers.scope.attributes);
        let is_other = |field: &Field| !field.is(HEADER) && !field.is(number);
        identity.rest(self.body, envelope.fields(self.body).filter(is_other));
        let is_header = |field: &Field| !field.is(number);
        let header = self.tree.header(identity, envelope.fields(self.body).filter(is_header));
        let mut is_empty = true;
        for entry in envelope.fields(self.body).filter(|field| field.is(number)) {
            is_empty = false;
            self.entry(&entry, resource, header)?;
        }
        if is_empty {
            let own = self.own(resource)?;
            self.tree.child(own, BELOW_RESOURCE[0], header)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &Field,
        resource: &mut OpenResource<'_>,
        scope: Header,
    ) -> Result<(), EditError> {
        if let Items::Inside { containers, field } = self.items
            && let Some((container, headers)) = self.metric(entry, containers, field)
        {
            self.visited += 2;
            let attributes = self.numbers.point(headers.arm).attributes;
            for point in container.fields(self.body).filter(|point| point.is(field)) {
                let home = self.home(&point, attributes, resource)?;
                let scope = self.tree.child(home, BELOW_RESOURCE[0], scope)?;
                let metric = self.tree.child(scope, BELOW_RESOURCE[1], headers.metric)?;
                let container = self.tree.child(metric, headers.arm, headers.container)?;
                self.place(container, &point)?;
            }
            return Ok(());
        }
        let attributes = if self.items == Items::Entries { self.numbers.entry.attributes } else { 0 };
        let home = self.home(entry, attributes, resource)?;
        let scope = self.tree.child(home, BELOW_RESOURCE[0], scope)?;
        self.place(scope, entry)
    }

    /// The container of a metric's data points, if the metric has one container and points in the container.
    fn metric(&mut self, entry: &Field, containers: &[u32], points: u32) -> Option<(Field, MetricHeaders)> {
        let is_container = |field: &Field| field.is_len && containers.contains(&field.number);
        let mut found = entry.fields(self.body).filter(is_container);
        let (container, None) = (found.next()?, found.next()) else { return None };
        if !container.fields(self.body).any(|field| field.is(points)) {
            return None;
        }
        let of_metric = || entry.fields(self.body).filter(|field| !is_container(field));
        let of_container = || container.fields(self.body).filter(|field| !field.is(points));
        let mut identity = Identity::new(b'm');
        identity.rest(self.body, of_metric());
        identity.number(container.number);
        identity.rest(self.body, of_container());
        let metric = self.tree.header(identity, of_metric());
        let mut identity = Identity::new(b'c');
        identity.rest(self.body, of_container());
        let headers = MetricHeaders {
            metric,
            arm: container.number,
            container: self.tree.header(identity, of_container()),
        };
        Some((container, headers))
    }

    /// The resource that an item goes to. Reads the attributes that move.
    fn home(
        &mut self,
        item: &Field,
        attributes: u32,
        resource: &mut OpenResource<'_>,
    ) -> Result<Node, EditError> {
        self.item.read(self.body, item, attributes, &self.keys);
        if self.item.is_empty() {
            return self.own(resource);
        }
        self.moved += 1;
        if let Some(known) = resource.others.get(self.item.attributes()) {
            return Ok(*known);
        }
        let envelope = resource.envelope;
        let message = pieces(self.body, envelope, HEADER);
        let number = self.numbers.resource.attributes;
        let message = self.item.merge_into(&joined(self.body, &message), number, &self.keys);
        let mut header = Vec::new();
        put_len_delimited(&mut header, HEADER, &message);
        envelope.fields(self.body).filter(is_beside_resource).for_each(|field| {
            header.extend_from_slice(self.body.get(field.whole).unwrap_or_default());
        });
        let identity = self.identity(&message, envelope);
        let header = self.tree.written_header(identity, &header);
        let node = self.add(header)?;
        self.tree.charge(self.item.attributes().len())?;
        resource.others.insert(self.item.attributes().to_vec(), node);
        Ok(node)
    }

    /// The resource of the body, as it is.
    fn own(&mut self, resource: &mut OpenResource<'_>) -> Result<Node, EditError> {
        if let Some(own) = resource.own {
            return Ok(own);
        }
        let envelope = resource.envelope;
        let message = pieces(self.body, envelope, HEADER);
        let identity = self.identity(&joined(self.body, &message), envelope);
        let is_header = |field: &Field| !field.is(BELOW_RESOURCE[0]);
        let header = self.tree.header(identity, envelope.fields(self.body).filter(is_header));
        let node = self.add(header)?;
        resource.own = Some(node);
        Ok(node)
    }

    fn identity(&self, message: &[u8], envelope: &Field) -> Identity {
        let mut identity = Identity::new(b'r');
        identity.message(message, self.numbers.resource.attributes);
        identity.rest(self.body, envelope.fields(self.body).filter(is_beside_resource));
        identity
    }

    /// The resource of the tree with this header.
    fn add(&mut self, header: Header) -> Result<Node, EditError> {
        let before = self.tree.nodes();
        let node = self.tree.child(Node::ROOT, RESOURCES, header)?;
        self.resources += self.tree.nodes() - before;
        Ok(node)
    }

    /// Places an item without the attributes that move.
    fn place(&mut self, node: Node, item: &Field) -> Result<(), EditError> {
        match self.item.is_empty() {
            true => self.tree.place(node, item.whole.clone()),
            false => self.tree.place_without(node, item, self.item.cuts()),
        }
    }
}

/// True for a field of a resource's envelope that is neither the resource nor a scope.
fn is_beside_resource(field: &Field) -> bool {
    !field.is(HEADER) && !field.is(BELOW_RESOURCE[0])
}
