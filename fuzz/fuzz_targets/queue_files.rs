#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| otlp_fuzz::queue_files(data));
