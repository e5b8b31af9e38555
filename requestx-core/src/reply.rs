//! What came back: status, the head as the server spelt it, and the body, whole or to be pulled.

use bytes::Bytes;

use crate::body::recv::Body;
use crate::deadline::PHASES;
use crate::head::{Head, Trailers};
use crate::wire::Counts;

/// Where the time went, and how much passed the wire.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    /// Nanoseconds, by phase; 0 for what did not happen.
    pub spent: [u64; PHASES],
    pub counts: Counts,
    pub connection: u64,
    /// The connection's number, by which its peer is known; 0 without TLS.
    pub peer: u32,
    pub reused: bool,
}

/// A response.
#[derive(Debug)]
pub struct Reply {
    pub head: Head,
    /// The body, if it was read to its end within the exchange.
    pub whole: Option<Bytes>,
    /// Bytes of a whole body as they came, before decoding.
    pub raw_bytes: u64,
    /// What came behind a whole body.
    pub trailers: Option<Trailers>,
    /// The rest of it otherwise.
    pub body: Option<Box<Body>>,
    pub timing: Timing,
}
