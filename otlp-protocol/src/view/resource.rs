//! Who sent it: `opentelemetry.proto.resource.v1` and instrumentation scopes.

use super::declare::views;

views! {
    /// What the telemetry is about: a process, a host.
    singular Resource {
        /// Its attributes.
        attributes: attributes(1),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(2),
        /// Entities that it takes part in.
        entity_refs: many(EntityRef = 3),
    }

    /// An entity, by keys of the resource's attributes.
    repeated EntityRef {
        /// Schema of the keys.
        schema_url: string(1),
        /// What kind of entity: `service`, `host`.
        entity_type: string(2),
        /// Keys of the attributes that identify it.
        id_keys: strings(3),
        /// Keys of the attributes that describe it.
        description_keys: strings(4),
    }

    /// The library that made the telemetry.
    singular Scope {
        /// Its name.
        name: string(1),
        /// Its version.
        version: string(2),
        /// Its attributes.
        attributes: attributes(3),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(4),
    }
}
