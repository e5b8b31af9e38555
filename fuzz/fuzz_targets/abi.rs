//! See `src/abi.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| requestx_fuzz::abi::check(data));
