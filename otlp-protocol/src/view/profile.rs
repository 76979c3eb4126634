//! Profiles: `opentelemetry.proto.profiles.v1development`. Profiles refer to the tables of the request's [`Dictionary`] by
//! index.

use super::declare::views;

views! {
    /// A profile.
    repeated Profile {
        /// Type of the samples' values.
        sample_type: one(ValueType = 1),
        /// The samples.
        samples: many(Sample = 2),
        /// Start of the profile, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// Duration of the profile, in nanoseconds.
        duration_nano: uint64(4),
        /// Type of the period.
        period_type: one(ValueType = 5),
        /// Period between samples, in units of the period type.
        period: int64(6),
        /// Id of the profile; `None` if absent.
        profile_id: id(7, 16),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(8),
        /// Format of the original profile: `pprof`, `jfr`.
        original_payload_format: string(9),
        /// The original profile, before conversion.
        original_payload: bytes(10),
        /// Indices of the attributes, for [`Dictionary::attribute`].
        attribute_indices: each_int32(11),
    }

    /// A sample.
    repeated Sample {
        /// Index of the stack, for [`Dictionary::stack`].
        stack_index: int32(1),
        /// Indices of the attributes, for [`Dictionary::attribute`].
        attribute_indices: each_int32(2),
        /// Index of the link, for [`Dictionary::link`].
        link_index: int32(3),
        /// The values, of the profile's sample type.
        values: each_int64(4),
        /// Time, in nanoseconds since 1970.
        timestamps_unix_nano: each_fixed64(5),
    }

    /// Type and unit of a value.
    singular ValueType {
        /// Name of the type: an index for [`Dictionary::string`].
        type_strindex: int32(1),
        /// Unit: an index for [`Dictionary::string`].
        unit_strindex: int32(2),
    }

    /// Tables that the profiles of a request share. Index 0 of each table means none.
    ///
    /// A look-up walks the table from its start, and returns `None` past its end. For many look-ups, collect the table into a
    /// `Vec` first.
    singular Dictionary {
        /// Mapped files.
        mappings: many(Mapping = 1),
        /// Locations in code.
        locations: many(Location = 2),
        /// Functions.
        functions: many(Function = 3),
        /// Spans.
        links: many(ProfileLink = 4),
        /// Strings.
        strings: strings(5),
        /// Attributes.
        attributes: many(KeyValueAndUnit = 6),
        /// Stacks.
        stacks: many(Stack = 7),
    }

    /// A mapped file.
    repeated Mapping {
        /// Start address in memory.
        memory_start: uint64(1),
        /// End address in memory.
        memory_limit: uint64(2),
        /// Offset of the start in the file.
        file_offset: uint64(3),
        /// Name of the file: an index for [`Dictionary::string`].
        filename_strindex: int32(4),
        /// Indices of the attributes, for [`Dictionary::attribute`].
        attribute_indices: each_int32(5),
    }

    /// A location in code.
    repeated Location {
        /// Index of the mapping, for [`Dictionary::mapping`].
        mapping_index: int32(1),
        /// Address.
        address: uint64(2),
        /// Lines: several if calls were inlined, the caller last.
        lines: many(Line = 3),
        /// Indices of the attributes, for [`Dictionary::attribute`].
        attribute_indices: each_int32(4),
    }

    /// A line of source.
    repeated Line {
        /// Index of the function, for [`Dictionary::function`].
        function_index: int32(1),
        /// Line number, from 1.
        line: int64(2),
        /// Column, from 1; 0 if unknown.
        column: int64(3),
    }

    /// A function.
    repeated Function {
        /// Name: an index for [`Dictionary::string`].
        name_strindex: int32(1),
        /// Name in the system, such as a mangled name: an index for [`Dictionary::string`].
        system_name_strindex: int32(2),
        /// Name of the source file: an index for [`Dictionary::string`].
        filename_strindex: int32(3),
        /// First line of the function.
        start_line: int64(4),
    }

    /// A span that samples belong to.
    repeated ProfileLink {
        /// Id of the trace; `None` if absent.
        trace_id: id(1, 16),
        /// Id of the span; `None` if absent.
        span_id: id(2, 8),
    }

    /// A stack.
    repeated Stack {
        /// Indices of the locations, for [`Dictionary::location`], the leaf first.
        location_indices: each_int32(1),
    }

    /// An attribute of the [`Dictionary`].
    repeated KeyValueAndUnit {
        /// Key: an index for [`Dictionary::string`].
        key_strindex: int32(1),
        /// Value.
        value: value(2),
        /// Unit: an index for [`Dictionary::string`].
        unit_strindex: int32(3),
    }
}

// === impl Dictionary ===

impl<'a> Dictionary<'a> {
    /// Looks up an attribute.
    pub fn attribute(&self, index: i32) -> Option<KeyValueAndUnit<'a>> {
        at(self.attributes(), index)
    }

    /// Looks up a function.
    pub fn function(&self, index: i32) -> Option<Function<'a>> {
        at(self.functions(), index)
    }

    /// Looks up a link.
    pub fn link(&self, index: i32) -> Option<ProfileLink<'a>> {
        at(self.links(), index)
    }

    /// Looks up a location.
    pub fn location(&self, index: i32) -> Option<Location<'a>> {
        at(self.locations(), index)
    }

    /// Looks up a mapping.
    pub fn mapping(&self, index: i32) -> Option<Mapping<'a>> {
        at(self.mappings(), index)
    }

    /// Looks up a stack.
    pub fn stack(&self, index: i32) -> Option<Stack<'a>> {
        at(self.stacks(), index)
    }

    /// Looks up a string.
    pub fn string(&self, index: i32) -> Option<&'a str> {
        at(self.strings(), index)
    }
}

fn at<T>(mut table: impl Iterator<Item = T>, index: i32) -> Option<T> {
    table.nth(usize::try_from(index).ok()?)
}
