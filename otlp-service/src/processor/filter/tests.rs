//! Tests of the processor `filter`.
