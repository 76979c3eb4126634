//! Resources and instrumentation scopes: `opentelemetry.proto.resource.v1`.

use super::declare::views;

views! {
    /// Source of telemetry: a process, a host.
    singular Resource {
        /// Attributes.
        attributes: attributes(1),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(2),
        /// Entities that the resource belongs to.
        entity_refs: many(EntityRef = 3),
    }

    /// An entity, by keys of the resource's attributes.
    repeated EntityRef {
        /// Schema of the keys.
        schema_url: string(1),
        /// Kind of entity: `service`, `host`.
        entity_type: string(2),
        /// Keys of the attributes that identify the entity.
        id_keys: strings(3),
        /// Keys of the attributes that describe the entity.
        description_keys: strings(4),
    }

    /// The instrumentation scope: the library that made the telemetry.
    singular Scope {
        /// Name.
        name: string(1),
        /// Version.
        version: string(2),
        /// Attributes.
        attributes: attributes(3),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(4),
    }
}
