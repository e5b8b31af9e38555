//! What the core reads from its peers and callers, with bytes that nobody would think of.
//!
//! One file is one rule: its head says it, and `check` panics on bytes that break it. That there is no crash, no hang
//! and no memory without bound is looked after by whoever runs `check`: libFuzzer (`fuzz_targets/`), or the tests, which
//! run every file of `seeds/` through it (`tests/seeds.rs`).
//!
//! The rules are properties, since nobody knows the right answer to arbitrary bytes: what is read does not depend on how
//! the bytes are cut into pieces; what is written can be read back; what is sent names nobody else than was meant.

pub mod abi;
pub mod authority;
pub mod certificate;
pub mod challenge;
pub mod cookies;
pub mod date;
pub mod decode;
pub mod head;
pub mod http2;
pub mod input;
pub mod location;
pub mod peer;
pub mod proxy;
pub mod request;
pub mod response;

/// A rule, which panics if `data` breaks it.
pub type Check = fn(&[u8]);

/// All of them, by the names of their files.
pub const TARGETS: [(&str, Check); 13] = [
    ("abi", abi::check),
    ("authority", authority::check),
    ("certificate", certificate::check),
    ("challenge", challenge::check),
    ("cookies", cookies::check),
    ("date", date::check),
    ("decode", decode::check),
    ("head", head::check),
    ("http2", http2::check),
    ("location", location::check),
    ("proxy", proxy::check),
    ("request", request::check),
    ("response", response::check),
];
