//! Resources and scopes.

use super::declare::writers;

writers! {
    /// Writes a resource.
    ResourceWriter {
        attribute: attribute(1),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(2),
        /// An entity that it takes part in.
        entity_ref: nested(EntityRefWriter = 3, SHORT),
    }

    /// Writes an entity.
    EntityRefWriter {
        /// Schema of the keys.
        schema_url: string(1),
        /// What kind of entity: `service`, `host`.
        entity_type: string(2),
        /// The key of an attribute that identifies it.
        id_key: strings(3),
        /// The key of an attribute that describes it.
        description_key: strings(4),
    }

    /// Writes a scope.
    ScopeWriter {
        /// Its name.
        name: string(1),
        /// Its version.
        version: string(2),
        attribute: attribute(3),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(4),
    }
}
