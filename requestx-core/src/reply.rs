//! What came back: status, the head as the server spelt it, and the body, whole or to be pulled.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::body::recv::Body;
use crate::deadline::PHASES;
use crate::error::Kind;
use crate::head::{Head, Trailers};
use crate::upgraded::Upgraded;
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
    /// The connection, once the server has switched protocols.
    pub upgraded: Option<Arc<Upgraded>>,
    pub timing: Timing,
    /// How a policy came to it, if not at once.
    pub course: Option<Box<Course>>,
}

impl Reply {
    /// One with a head alone.
    pub fn new(head: Head, timing: Timing) -> Reply {
        Reply {
            head,
            whole: None,
            raw_bytes: 0,
            trailers: None,
            body: None,
            upgraded: None,
            timing,
            course: None,
        }
    }
}

/// The way from what was asked for to what answered.
#[derive(Debug, Clone, Default)]
pub struct Course {
    /// What answered.
    pub url: String,
    /// What came before, in its order.
    pub hops: Vec<Hop>,
}

/// One exchange whose answer was not the caller's.
#[derive(Debug, Clone)]
pub struct Hop {
    pub url: String,
    /// 0 where no answer came.
    pub status: u16,
    /// Why none came.
    pub failure: Option<Kind>,
    /// The same was asked again after it, and not another.
    pub repeated: bool,
    /// How long it was waited behind it.
    pub pause: Duration,
    pub timing: Timing,
}
