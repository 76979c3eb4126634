//! An entry of a request with its resource and scope, and the lines about resources and scopes.

use super::ProfileTables;
use super::text::{is_full, put, put_text};
use super::value::{MAX_VALUE_BYTES, Pairs, put_attributes, put_more, put_pairs};
use otlp_protocol::schema::Message;
use otlp_protocol::view::{AnyValue, Attributes, DataPoint, EntityRef, Entry, RequestView, Resource, Scope};
use otlp_protocol::{Count, Signal};

/// An entry with its resource and scope. Resource and scope are read once for all their entries.
#[derive(Clone, Copy)]
pub(super) struct ShownEntry<'a> {
    pub(super) resource: Resource<'a>,
    pub(super) resource_schema: &'a str,
    pub(super) resource_number: usize,
    pub(super) scope: Scope<'a>,
    pub(super) scope_schema: &'a str,
    pub(super) scope_number: usize,
    pub(super) number: usize,
    pub(super) data: Entry<'a>,
    /// `service.name` of the resource, or nothing.
    pub(super) service: &'a str,
}

/// Iterates over all entries of a request.
pub(super) fn entries<'a>(view: RequestView<'a>) -> impl Iterator<Item = ShownEntry<'a>> {
    let signal = view.signal();
    view.resources().enumerate().flat_map(move |(resource_number, group)| {
        let (resource, resource_schema) = (group.resource(), group.schema_url());
        let service = service(resource);
        group.scopes().enumerate().flat_map(move |(scope_number, group)| {
            let (scope, scope_schema) = (group.scope(), group.schema_url());
            group.entries().enumerate().map(move |(number, entry)| ShownEntry {
                resource,
                resource_schema,
                resource_number,
                scope,
                scope_schema,
                scope_number,
                number,
                data: Entry::new(signal, entry),
                service,
            })
        })
    })
}

fn service(resource: Resource<'_>) -> &str {
    match resource.attributes().get("service.name") {
        Some(AnyValue::String(name)) => name,
        _ => "",
    }
}

// === impl ShownEntry ===

impl<'a> ShownEntry<'a> {
    /// Returns the number of items in the entry.
    pub(super) fn items(&self) -> u64 {
        match self.data {
            Entry::Metric(metric) => metric.points().count() as u64,
            Entry::Profile(profile) => profile.samples().count() as u64,
            _ => 1,
        }
    }

    /// Iterates over the data points of a metric; other entries have none.
    pub(super) fn points(&self) -> impl Iterator<Item = DataPoint<'a>> + use<'a> {
        let metric = if let Entry::Metric(metric) = self.data { Some(metric) } else { None };
        metric.into_iter().flat_map(|metric| metric.points())
    }
}

/// Appends the line about a batch: `traces resource_spans=1 spans=2`.
pub(super) fn put_summary(out: &mut String, signal: Signal, view: RequestView<'_>, count: Count) {
    put(out, format_args!("{}", signal.name));
    let resources = signal.request.field(1);
    if let Some(field) = resources {
        put(out, format_args!(" {}={}", field.name, view.resources().count()));
    }
    let scopes = resources.and_then(|field| field.message()?.field(2)?.message());
    let entries = scopes.and_then(|scope| scope.field(2)).map_or("", |field| field.name);
    if !entries.is_empty() && entries != signal.items_noun {
        put(out, format_args!(" {entries}={}", count.entries));
    }
    put(out, format_args!(" {}={}\n", signal.items_noun, count.items));
}

/// Appends the line about a resource in the format `Normal`.
pub(super) fn put_resource_line(
    out: &mut String,
    entry: &ShownEntry<'_>,
    signal: Signal,
    shared: &ProfileTables<'_>,
) {
    put(out, format_args!("{} #{}", resource_name(signal), entry.resource_number));
    put_schema(out, entry.resource_schema);
    put_spaced_pairs(out, entry.resource.attributes(), shared);
    out.push('\n');
}

/// Appends the line about a scope in the format `Normal`.
pub(super) fn put_scope_line(
    out: &mut String,
    entry: &ShownEntry<'_>,
    signal: Signal,
    shared: &ProfileTables<'_>,
) {
    let scope = entry.scope;
    put(out, format_args!("{} #{} ", scope_name(signal), entry.scope_number));
    put_text(out, scope.name(), MAX_VALUE_BYTES);
    if !scope.version().is_empty() {
        out.push('@');
        put_text(out, scope.version(), MAX_VALUE_BYTES);
    }
    put_schema(out, entry.scope_schema);
    put_spaced_pairs(out, scope.attributes(), shared);
    out.push('\n');
}

/// Appends all fields of a resource.
pub(super) fn put_resource(
    out: &mut String,
    entry: &ShownEntry<'_>,
    signal: Signal,
    shared: &ProfileTables<'_>,
) {
    put(out, format_args!("{} #{}\nResource SchemaURL: ", resource_name(signal), entry.resource_number));
    put_text(out, entry.resource_schema, MAX_VALUE_BYTES);
    out.push('\n');
    let resource = entry.resource;
    put_attributes(out, "", "Resource attributes", resource.attributes(), &shared.strings);
    let mut rest = resource.entity_refs().enumerate();
    while !is_full(out) {
        let Some((number, entity)) = rest.next() else { return };
        put_entity(out, number, entity);
        if number + 1 == MAX_ENTITIES {
            break;
        }
    }
    put_more(out, "", rest.count() as u64, "entity refs");
}

/// Appends all fields of a scope.
pub(super) fn put_scope(
    out: &mut String,
    entry: &ShownEntry<'_>,
    signal: Signal,
    shared: &ProfileTables<'_>,
) {
    let scope = entry.scope;
    let name = scope_name(signal);
    put(out, format_args!("{name} #{}\n{name} SchemaURL: ", entry.scope_number));
    put_text(out, entry.scope_schema, MAX_VALUE_BYTES);
    out.push_str("\nInstrumentationScope ");
    put_text(out, scope.name(), MAX_VALUE_BYTES);
    out.push(' ');
    put_text(out, scope.version(), MAX_VALUE_BYTES);
    out.push('\n');
    put_attributes(out, "", "InstrumentationScope attributes", scope.attributes(), &shared.strings);
}

fn put_entity(out: &mut String, number: usize, entity: EntityRef<'_>) {
    put(out, format_args!("Resource entity ref #{number}\n     -> Type: "));
    put_text(out, entity.entity_type(), MAX_VALUE_BYTES);
    for (title, keys) in [("ID keys", entity.id_keys()), ("Description keys", entity.description_keys())] {
        let mut rest = keys.peekable();
        if rest.peek().is_none() {
            continue;
        }
        put(out, format_args!("\n     -> {title}:"));
        for key in rest.by_ref().take(MAX_ENTITIES) {
            out.push(' ');
            put_text(out, key, MAX_VALUE_BYTES);
        }
        let more = rest.count();
        if more > 0 {
            put(out, format_args!(" …{more} more"));
        }
    }
    out.push('\n');
}

fn put_schema(out: &mut String, url: &str) {
    if !url.is_empty() {
        out.push_str(" [");
        put_text(out, url, MAX_VALUE_BYTES);
        out.push(']');
    }
}

fn put_spaced_pairs(out: &mut String, attributes: Attributes<'_>, shared: &ProfileTables<'_>) {
    if !attributes.is_empty() {
        out.push(' ');
        put_pairs(out, attributes, NORMAL_PAIRS, &shared.strings);
    }
}

/// `ResourceSpans`.
fn resource_name(signal: Signal) -> &'static str {
    signal.request.field(1).and_then(|field| field.message()).map_or("Resource", short_name)
}

/// `ScopeSpans`.
fn scope_name(signal: Signal) -> &'static str {
    let resource = signal.request.field(1).and_then(|field| field.message());
    resource.and_then(|message| message.field(2)?.message()).map_or("Scope", short_name)
}

fn short_name(message: &'static Message) -> &'static str {
    message.name.rsplit('.').next().unwrap_or(message.name)
}

/// Limits of attributes in the format `Normal`.
pub(super) const NORMAL_PAIRS: Pairs = Pairs { max: 64, max_bytes: MAX_VALUE_BYTES, separator: " " };
/// Largest number of entities of a resource, and of keys of an entity.
const MAX_ENTITIES: usize = 16;
