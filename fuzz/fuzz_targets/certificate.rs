//! See `src/certificate.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| requestx_fuzz::certificate::check(data));
