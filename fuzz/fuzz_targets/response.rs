//! See `src/response.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| requestx_fuzz::response::check(data));
