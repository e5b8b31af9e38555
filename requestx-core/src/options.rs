//! What a caller may choose, for a client or for one exchange: a value, checked when it is set.

use std::sync::Arc;
use std::time::Duration;

use crate::deadline::Limits;
use crate::dial::Dial;
use crate::{policy, proxy, tls};

/// The choices. `Default` is what a caller gets who says nothing.
#[derive(Debug, Clone)]
pub struct Options {
    pub limits: Limits,
    pub tls: tls::Choice,
    /// Of an https proxy, where the caller has said anything of it.
    pub proxy_tls: Option<Box<tls::Choice>>,
    pub http: Http,
    pub proxy: proxy::Choice,
    pub dial: Arc<Dial>,
    /// How old a name's addresses may be that are used again.
    pub names_live: Duration,
    pub pool: PoolLimits,
    /// Undo Content-Encoding.
    pub decode: bool,
    /// How far a body that is kept whole may grow by that.
    pub growth: Growth,
    /// Longest response head that is read, in bytes.
    pub max_head: usize,
    /// What is done beyond one exchange.
    pub policy: policy::Choice,
}

impl Options {
    /// The settings for TLS with an https proxy: its own, or what of the origin's suits it.
    pub fn tls_of_proxy(&self) -> tls::Settings {
        self.proxy_tls.as_ref().map_or_else(|| self.tls.for_proxy(), |own| tls::Settings::clone(own))
    }
}

/// The longest head that is read where nobody says otherwise, in bytes.
pub const MAX_HEAD: usize = 256 * 1024;

/// Which HTTP is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Http {
    /// HTTP/1.1 alone.
    One,
    /// HTTP/2 where a server offers it in the TLS handshake (ALPN), else HTTP/1.1.
    #[default]
    Negotiated,
    /// HTTP/2 alone; over plain connections by prior knowledge.
    Two,
}

/// How many connections are kept, and for how long. 0 is without limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoolLimits {
    pub per_host: usize,
    pub total: usize,
    pub idle_per_host: usize,
    /// Hosts that idle connections are kept for.
    pub idle_hosts: usize,
    pub idle_timeout: Option<Duration>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            limits: Limits::default(),
            tls: tls::Choice::default(),
            proxy_tls: None,
            http: Http::default(),
            proxy: proxy::Choice::default(),
            dial: Arc::default(),
            names_live: Duration::from_secs(60),
            pool: PoolLimits::default(),
            decode: true,
            growth: Growth::default(),
            max_head: MAX_HEAD,
            policy: policy::Choice::default(),
        }
    }
}

impl Default for PoolLimits {
    /// No limit on what is open, as in requests; idle ones are let go before most servers' own 60 to 120 seconds.
    fn default() -> PoolLimits {
        PoolLimits {
            per_host: 0,
            total: 0,
            idle_per_host: 128,
            idle_hosts: 0,
            idle_timeout: Some(Duration::from_secs(90)),
        }
    }
}

/// How far a body that is kept whole may grow when its codings are undone; 0 is as far as it likes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// Decoded bytes.
    pub bytes: u64,
    /// Decoded bytes for each that came, beyond the first 64 MiB.
    pub ratio: u64,
}

impl Growth {
    /// Bytes that are kept of a body at most.
    pub fn most(&self) -> usize {
        usize::try_from(self.bytes).ok().filter(|bytes| *bytes > 0).unwrap_or(usize::MAX)
    }
}

impl Default for Growth {
    /// Text grows 5 to 30 times, tables and logs seldom 100; gzip reaches 1032 and br a million, with nothing in them.
    fn default() -> Growth {
        Growth { bytes: 4 * 1024 * 1024 * 1024, ratio: 256 }
    }
}
