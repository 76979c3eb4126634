//! Benchmarks; see the files in `benches/`.
