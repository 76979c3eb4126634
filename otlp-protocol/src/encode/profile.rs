//! Profiles.

use super::declare::writers;

writers! {
    /// Writes a profile.
    ProfileWriter {
        /// Type of the samples' values.
        sample_type: nested(ValueTypeWriter = 1, SHORT),
        /// A sample.
        sample: nested(SampleWriter = 2, SHORT),
        /// Start of the profile, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// Duration of the profile, in nanoseconds.
        duration_nano: uint64(4),
        /// Type of the period.
        period_type: nested(ValueTypeWriter = 5, SHORT),
        /// Period between samples, in units of the period type.
        period: int64(6),
        /// Id of the profile.
        profile_id: id(7, 16),
        /// Number of attributes that were dropped.
        dropped_attributes_count: uint32(8),
        /// Format of the original profile: `pprof`, `jfr`.
        original_payload_format: string(9),
        /// The original profile, before conversion.
        original_payload: bytes(10),
        /// Indices of the attributes in the dictionary.
        attribute_indices: each_int32(11),
    }

    /// Writes a sample.
    SampleWriter {
        /// Index of the stack in the dictionary.
        stack_index: int32(1),
        /// Indices of the attributes in the dictionary.
        attribute_indices: each_int32(2),
        /// Index of the link in the dictionary.
        link_index: int32(3),
        /// The values, of the profile's sample type.
        values: each_int64(4),
        /// Time, in nanoseconds since 1970.
        timestamps_unix_nano: each_fixed64(5),
    }

    /// Writes the type and the unit of a value.
    ValueTypeWriter {
        /// Name of the type: a string's index in the dictionary.
        type_strindex: int32(1),
        /// Unit: a string's index in the dictionary.
        unit_strindex: int32(2),
    }

    /// Writes the tables that the profiles of a request share. Index 0 of each table means none: write an empty element first.
    DictionaryWriter {
        /// A mapped file.
        mapping: nested(MappingWriter = 1, SHORT),
        /// A location in code.
        location: nested(LocationWriter = 2, SHORT),
        /// A function.
        function: nested(FunctionWriter = 3, SHORT),
        /// A span.
        link: nested(ProfileLinkWriter = 4, SHORT),
        /// A string.
        string: strings(5),
        /// An attribute.
        attribute: nested(KeyValueAndUnitWriter = 6, SHORT),
        /// A stack.
        stack: nested(StackWriter = 7, SHORT),
    }

    /// Writes a mapped file.
    MappingWriter {
        /// Start address in memory.
        memory_start: uint64(1),
        /// End address in memory.
        memory_limit: uint64(2),
        /// Offset of the start in the file.
        file_offset: uint64(3),
        /// Name of the file: a string's index in the dictionary.
        filename_strindex: int32(4),
        /// Indices of the attributes in the dictionary.
        attribute_indices: each_int32(5),
    }

    /// Writes a location in code.
    LocationWriter {
        /// Index of the mapping in the dictionary.
        mapping_index: int32(1),
        /// Address.
        address: uint64(2),
        /// A line. If calls were inlined there are several, the caller last.
        line: nested(LineWriter = 3, SHORT),
        /// Indices of the attributes in the dictionary.
        attribute_indices: each_int32(4),
    }

    /// Writes a line of source.
    LineWriter {
        /// Index of the function in the dictionary.
        function_index: int32(1),
        /// Line number, from 1.
        line: int64(2),
        /// Column, from 1; 0 if unknown.
        column: int64(3),
    }

    /// Writes a function.
    FunctionWriter {
        /// Name: a string's index in the dictionary.
        name_strindex: int32(1),
        /// Name in the system, such as a mangled name: a string's index in the dictionary.
        system_name_strindex: int32(2),
        /// Name of the source file: a string's index in the dictionary.
        filename_strindex: int32(3),
        /// First line of the function.
        start_line: int64(4),
    }

    /// Writes a span that samples belong to.
    ProfileLinkWriter {
        /// Id of the trace.
        trace_id: id(1, 16),
        /// Id of the span.
        span_id: id(2, 8),
    }

    /// Writes a stack.
    StackWriter {
        /// Indices of the locations in the dictionary, the leaf first.
        location_indices: each_int32(1),
    }

    /// Writes an attribute of the dictionary.
    KeyValueAndUnitWriter {
        /// Key: a string's index in the dictionary.
        key_strindex: int32(1),
        /// Value.
        value: value(2),
        /// Unit: a string's index in the dictionary.
        unit_strindex: int32(3),
    }
}
