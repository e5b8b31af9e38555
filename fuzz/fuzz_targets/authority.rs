//! See `src/authority.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| requestx_fuzz::authority::check(data));
