//! Profiles: `opentelemetry.proto.profiles.v1development`. Most of what a profile says is in the request's
//! [`Dictionary`], by index.

use super::declare::views;

views! {
    /// A profile.
    repeated Profile {
        /// What the samples' values are.
        sample_type: one(ValueType = 1),
        /// The samples.
        samples: many(Sample = 2),
        /// When it began, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// How long it took, in nanoseconds.
        duration_nano: uint64(4),
        /// What the period counts.
        period_type: one(ValueType = 5),
        /// How much of that lies between samples.
        period: int64(6),
        /// 16 bytes.
        profile_id: bytes(7),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(8),
        /// Format of the original: `pprof`, `jfr`.
        original_payload_format: string(9),
        /// What it was converted from.
        original_payload: bytes(10),
        /// Places of its attributes in [`Dictionary::attribute`].
        attribute_indices: each_int32(11),
    }

    /// A sample.
    repeated Sample {
        /// Place of its stack in [`Dictionary::stack`].
        stack_index: int32(1),
        /// Places of its attributes in [`Dictionary::attribute`].
        attribute_indices: each_int32(2),
        /// Place of its link in [`Dictionary::link`].
        link_index: int32(3),
        /// The values, of the profile's sample type.
        values: each_int64(4),
        /// When, in nanoseconds since 1970.
        timestamps_unix_nano: each_fixed64(5),
    }

    /// What a number means.
    singular ValueType {
        /// What is counted, in [`Dictionary::string`].
        type_strindex: int32(1),
        /// In which unit, in [`Dictionary::string`].
        unit_strindex: int32(2),
    }

    /// What the profiles of a request share, by index; place 0 of each table stands for none.
    ///
    /// A look-up walks the table from its start and returns `None` past its end: to resolve many, collect the table
    /// into a `Vec` first.
    singular Dictionary {
        /// Mapped files.
        mappings: many(Mapping = 1),
        /// Places in code.
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
        /// Where it begins in memory.
        memory_start: uint64(1),
        /// Where it ends in memory.
        memory_limit: uint64(2),
        /// Where it begins in the file.
        file_offset: uint64(3),
        /// The file's name, in [`Dictionary::string`].
        filename_strindex: int32(4),
        /// Places of its attributes in [`Dictionary::attribute`].
        attribute_indices: each_int32(5),
    }

    /// A place in code.
    repeated Location {
        /// Place of its mapping in [`Dictionary::mapping`].
        mapping_index: int32(1),
        /// Its address.
        address: uint64(2),
        /// Its lines: several if calls were inlined, the caller last.
        lines: many(Line = 3),
        /// Places of its attributes in [`Dictionary::attribute`].
        attribute_indices: each_int32(4),
    }

    /// A line of source.
    repeated Line {
        /// Place of its function in [`Dictionary::function`].
        function_index: int32(1),
        /// Its number, from 1.
        line: int64(2),
        /// Its column, from 1; 0 for none.
        column: int64(3),
    }

    /// A function.
    repeated Function {
        /// Its name, in [`Dictionary::string`].
        name_strindex: int32(1),
        /// Its name as the system has it, in [`Dictionary::string`].
        system_name_strindex: int32(2),
        /// Its file's name, in [`Dictionary::string`].
        filename_strindex: int32(3),
        /// Its first line.
        start_line: int64(4),
    }

    /// A span that samples belong to.
    repeated ProfileLink {
        /// 16 bytes.
        trace_id: bytes(1),
        /// 8 bytes.
        span_id: bytes(2),
    }

    /// A stack.
    repeated Stack {
        /// Places of its locations in [`Dictionary::location`], the leaf first.
        location_indices: each_int32(1),
    }

    /// An attribute of the [`Dictionary`].
    repeated KeyValueAndUnit {
        /// Its key, in [`Dictionary::string`].
        key_strindex: int32(1),
        /// Its value.
        value: value(2),
        /// Its unit, in [`Dictionary::string`].
        unit_strindex: int32(3),
    }
}

// === impl Dictionary ===

impl<'a> Dictionary<'a> {
    /// The attribute at that place.
    pub fn attribute(&self, index: i32) -> Option<KeyValueAndUnit<'a>> {
        at(self.attributes(), index)
    }

    /// The function at that place.
    pub fn function(&self, index: i32) -> Option<Function<'a>> {
        at(self.functions(), index)
    }

    /// The link at that place.
    pub fn link(&self, index: i32) -> Option<ProfileLink<'a>> {
        at(self.links(), index)
    }

    /// The location at that place.
    pub fn location(&self, index: i32) -> Option<Location<'a>> {
        at(self.locations(), index)
    }

    /// The mapping at that place.
    pub fn mapping(&self, index: i32) -> Option<Mapping<'a>> {
        at(self.mappings(), index)
    }

    /// The stack at that place.
    pub fn stack(&self, index: i32) -> Option<Stack<'a>> {
        at(self.stacks(), index)
    }

    /// The string at that place.
    pub fn string(&self, index: i32) -> Option<&'a str> {
        at(self.strings(), index)
    }
}

fn at<T>(mut table: impl Iterator<Item = T>, index: i32) -> Option<T> {
    table.nth(usize::try_from(index).ok()?)
}
