//! Resources and scopes.

use super::declare::writers;

writers! {
    /// Writes a resource.
    ResourceWriter {
        attribute: attribute(1),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(2),
        /// An entity that the resource belongs to.
        entity_ref: nested(EntityRefWriter = 3, SHORT),
    }

    /// Writes an entity.
    EntityRefWriter {
        /// Schema of the keys.
        schema_url: string(1),
        /// Kind of entity: `service`, `host`.
        entity_type: string(2),
        /// Key of an attribute that identifies the entity.
        id_key: strings(3),
        /// Key of an attribute that describes the entity.
        description_key: strings(4),
    }

    /// Writes a scope.
    ScopeWriter {
        /// Name.
        name: string(1),
        /// Version.
        version: string(2),
        attribute: attribute(3),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(4),
    }
}
