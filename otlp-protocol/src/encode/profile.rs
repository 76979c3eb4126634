//! Profiles.

use super::declare::writers;

writers! {
    /// Writes a profile.
    ProfileWriter {
        /// What the samples' values are.
        sample_type: nested(ValueTypeWriter = 1, SHORT),
        /// A sample.
        sample: nested(SampleWriter = 2, SHORT),
        /// When it began, in nanoseconds since 1970.
        time_unix_nano: fixed64(3),
        /// How long it took, in nanoseconds.
        duration_nano: uint64(4),
        /// What the period counts.
        period_type: nested(ValueTypeWriter = 5, SHORT),
        /// How much of that lies between samples.
        period: int64(6),
        /// Its id.
        profile_id: id(7, 16),
        /// Attributes that were left out.
        dropped_attributes_count: uint32(8),
        /// Format of the original: `pprof`, `jfr`.
        original_payload_format: string(9),
        /// What it was converted from.
        original_payload: bytes(10),
        /// Places of its attributes in the dictionary.
        attribute_indices: each_int32(11),
    }

    /// Writes a sample.
    SampleWriter {
        /// Place of its stack in the dictionary.
        stack_index: int32(1),
        /// Places of its attributes in the dictionary.
        attribute_indices: each_int32(2),
        /// Place of its link in the dictionary.
        link_index: int32(3),
        /// The values, of the profile's sample type.
        values: each_int64(4),
        /// When, in nanoseconds since 1970.
        timestamps_unix_nano: each_fixed64(5),
    }

    /// Writes what a number means.
    ValueTypeWriter {
        /// What is counted: a string's place in the dictionary.
        type_strindex: int32(1),
        /// In which unit: a string's place in the dictionary.
        unit_strindex: int32(2),
    }

    /// Writes what the profiles of a request share. Place 0 of each table stands for none: write an empty one first.
    DictionaryWriter {
        /// A mapped file.
        mapping: nested(MappingWriter = 1, SHORT),
        /// A place in code.
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
        /// Where it begins in memory.
        memory_start: uint64(1),
        /// Where it ends in memory.
        memory_limit: uint64(2),
        /// Where it begins in the file.
        file_offset: uint64(3),
        /// The file's name: a string's place in the dictionary.
        filename_strindex: int32(4),
        /// Places of its attributes in the dictionary.
        attribute_indices: each_int32(5),
    }

    /// Writes a place in code.
    LocationWriter {
        /// Place of its mapping in the dictionary.
        mapping_index: int32(1),
        /// Its address.
        address: uint64(2),
        /// A line; of several, where calls were inlined, the caller last.
        line: nested(LineWriter = 3, SHORT),
        /// Places of its attributes in the dictionary.
        attribute_indices: each_int32(4),
    }

    /// Writes a line of source.
    LineWriter {
        /// Place of its function in the dictionary.
        function_index: int32(1),
        /// Its number, from 1.
        line: int64(2),
        /// Its column, from 1; 0 for none.
        column: int64(3),
    }

    /// Writes a function.
    FunctionWriter {
        /// Its name: a string's place in the dictionary.
        name_strindex: int32(1),
        /// Its name as the system has it: a string's place in the dictionary.
        system_name_strindex: int32(2),
        /// Its file's name: a string's place in the dictionary.
        filename_strindex: int32(3),
        /// Its first line.
        start_line: int64(4),
    }

    /// Writes a span that samples belong to.
    ProfileLinkWriter {
        /// Its trace.
        trace_id: id(1, 16),
        /// Its own id.
        span_id: id(2, 8),
    }

    /// Writes a stack.
    StackWriter {
        /// Places of its locations in the dictionary, the leaf first.
        location_indices: each_int32(1),
    }

    /// Writes an attribute of the dictionary.
    KeyValueAndUnitWriter {
        /// Its key: a string's place in the dictionary.
        key_strindex: int32(1),
        /// Its value.
        value: value(2),
        /// Its unit: a string's place in the dictionary.
        unit_strindex: int32(3),
    }
}
