//! See `src/location.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| requestx_fuzz::location::check(data));
