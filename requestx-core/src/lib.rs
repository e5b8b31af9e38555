//! The HTTP client behind requestx.
//!
//! One exchange is written once, in [`exchange`], in the order of the wire:
//!
//! ```text
//!   ffi ─→ client ─→ exchange ─→ check out ─→ send ─→ await the head ─→ hand over the body
//!                                   │            │            │                 │
//!                                   lease        wire         reply             body::recv
//!                                   pool         body::send                     body::decode
//!                                   connect dns tls
//!                                   connection: http1 http2              upgraded
//! ```
//!
//! [`runtime`] runs it in one of two lanes. In *wait* the calling thread drives the I/O itself for as long as it
//! waits; in *spawn* one background thread does, and what is finished goes on a queue.
//! The same exchange, the same pool, the same errors serve both.
//!
//! What a request needs is parsed and checked once, into a [`plan::Plan`]; what may be chosen is in
//! [`options::Options`]; what went wrong is an [`error::Error`] with a kind and a [`deadline::Phase`].
//! [`process`] holds what a forked child must not touch.
//!
//! What is done beyond one exchange, where a caller's options ask for it, is [`policy`]: between client and exchange.
//!
//! [`ffi`] is the C ABI, and the only part that knows of C. Its unsafe code is in `ffi/raw.rs`.

#![allow(missing_docs)] // fields and variants whose names say it; functions are documented

pub mod authority;
pub mod body;
pub mod client;
pub mod connect;
pub mod connection;
pub mod deadline;
pub mod dial;
pub mod dns;
pub mod error;
pub mod exchange;
pub mod ffi;
pub mod guard;
pub mod head;
pub mod hex;
pub mod http1;
pub mod http2;
pub mod lease;
pub mod options;
pub mod plan;
pub mod policy;
pub mod pool;
pub mod process;
pub mod proxy;
pub mod reply;
pub mod runtime;
pub mod socket;
pub mod tls;
pub mod tunnel;
pub mod upgraded;
pub mod wire;
