//! The one error of the crate: what kind, in which phase, and a sentence.
//!
//! The kind says whose fault it is: the caller's (10-19), the network's (20-29), the peer's identity (30-39), the
//! clock's (40), the conversation's (50-59), the caller's wish to stop (70-79) or ours (80-89).
//! Numbers are given once and cross the ABI as `RQX_E_*`; a retired one stays listed as reserved.
//!
//! A message says what was tried, on what, and what came back. It may quote the peer, so it is bounded and holds no
//! control bytes: it ends in logs and terminals.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use crate::deadline::Phase;

/// What went wrong. The discriminants are the ABI's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Kind {
    InvalidArgument = 10,
    Null = 11,
    InvalidUrl = 12,
    InvalidHeader = 13,
    UnsupportedScheme = 14,
    UnknownOption = 15,
    State = 16,
    Handle = 17,
    InvalidMethod = 18,
    Connect = 20,
    Dns = 21,
    Refused = 22,
    Proxy = 23,
    Forbidden = 24,
    Tls = 30,
    TlsVerify = 31,
    Timeout = 40,
    Io = 50,
    Reset = 51,
    Protocol = 52,
    Incomplete = 53,
    Decode = 54,
    TooLarge = 55,
    Stream = 56,
    TooManyRedirects = 57,
    Cancelled = 70,
    Closed = 71,
    Forked = 72,
    Interrupted = 73,
    Again = 74,
    NoResources = 80,
    Internal = 81,
}

/// Longer texts are cut: some peers answer with megabytes where a word was meant.
const MESSAGE_LIMIT: usize = 900;

/// An error: kind, phase, one line of text, and what lies beneath.
#[derive(Debug, Clone)]
pub struct Error {
    pub kind: Kind,
    pub phase: Phase,
    pub message: String,
    /// errno (or the platform's equivalent), 0 where there is none.
    pub os_code: i32,
    /// The TLS library's own verification code, 0 where there is none.
    pub tls_code: i32,
    /// HTTP's status in a proxy's answer to CONNECT, 0 where there is none.
    pub proxy_status: u16,
    /// Causes, outermost first.
    pub chain: Vec<String>,
}

impl Error {
    pub fn new(kind: Kind, phase: Phase, message: impl Into<String>) -> Error {
        Error {
            kind,
            phase,
            message: printable(&message.into()),
            os_code: 0,
            tls_code: 0,
            proxy_status: 0,
            chain: Vec::new(),
        }
    }

    /// The caller's mistake, found before anything was sent.
    pub fn caller(kind: Kind, message: impl Into<String>) -> Error {
        Error::new(kind, Phase::None, message)
    }

    /// An I/O failure of `phase`; `what` says what was tried, on what.
    ///
    /// An `Error` that travelled inside the `io::Error` (through hyper, say) comes out as it was.
    pub fn io(phase: Phase, what: &str, source: &io::Error) -> Error {
        if let Some(ours) = source.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            return ours.clone();
        }
        let kind = match source.kind() {
            io::ErrorKind::ConnectionRefused => Kind::Refused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
                Kind::Reset
            }
            io::ErrorKind::UnexpectedEof => Kind::Incomplete,
            io::ErrorKind::OutOfMemory => Kind::NoResources,
            _ if out_of_descriptors(source) => Kind::NoResources,
            _ if phase == Phase::Connect => Kind::Connect,
            _ => Kind::Io,
        };
        let mut error = Error::new(kind, phase, format!("{what}: {source}"));
        error.os_code = source.raw_os_error().unwrap_or(0);
        error.chain = chain_of(source);
        error
    }

    /// Our error for one of hyper's, or of h2's; one of ours that travelled through them comes out as it was.
    pub fn of_fault(phase: Phase, what: &str, error: &(dyn StdError + 'static)) -> Error {
        if let Some(ours) = ours_beneath(error) {
            return ours.clone().about(what);
        }
        if let Some((kind, why)) = stream_fault(error) {
            return Error::new(kind, phase, format!("{what}: {why}")).with_chain(chain_of(error));
        }
        let hypers = error.downcast_ref::<hyper::Error>();
        let ended = hypers.is_some_and(hyper::Error::is_incomplete_message);
        if let Some(source) = io_beneath(error).filter(|_| !ended) {
            return Error::io(phase, what, source).about(what);
        }
        let (kind, why) = match () {
            _ if ended && phase == Phase::Read => {
                (Kind::Incomplete, "the server closed the connection before the end".into())
            }
            _ if ended => (Kind::Reset, "the server closed the connection without answering".into()),
            _ if hypers.is_some_and(|error| error.is_canceled() || error.is_closed()) => {
                (Kind::Closed, error.to_string())
            }
            _ => {
                (Kind::Protocol, causes(Some(error)).map(ToString::to_string).collect::<Vec<_>>().join(": "))
            }
        };
        Error::new(kind, phase, format!("{what}: {why}")).with_chain(chain_of(error))
    }

    /// The same, saying what it happened to.
    pub fn about(mut self, what: &str) -> Error {
        if !self.message.starts_with(what) {
            self.message = format!("{what}: {}", self.message);
        }
        self
    }

    /// The same, as the fault of a proxy, while `what` was done; what is ours, the clock's or the caller's stays so.
    pub fn of_proxy(self, what: &str) -> Error {
        let mut error = self.about(what);
        if !matches!(error.kind, Kind::Timeout | Kind::Forbidden | Kind::NoResources | Kind::Internal) {
            error.kind = Kind::Proxy;
        }
        error
    }

    pub fn with_tls_code(mut self, code: i32) -> Error {
        self.tls_code = code;
        self
    }

    pub fn with_proxy_status(mut self, status: u16) -> Error {
        self.proxy_status = status;
        self
    }

    pub fn with_chain(mut self, chain: Vec<String>) -> Error {
        self.chain = chain.iter().map(|cause| printable(cause)).collect();
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {}

/// What hyper says went wrong, or h2, or what we find wrong ourselves with what they have let pass.
pub type Fault = Box<dyn StdError + Send + Sync>;

/// Whether the server says that it has not begun with the request, so that any request may be sent again:
/// RFC 9113 sections 8.7 and 6.8.
pub fn is_unprocessed(error: &(dyn StdError + 'static)) -> bool {
    h2_beneath(error).is_some_and(|error| {
        error.reason() == Some(h2::Reason::REFUSED_STREAM) || (error.is_go_away() && error.is_remote())
    })
}

/// Whether the server will do in HTTP/1.1 what it has not begun with: RFC 9113 section 7.
pub fn wants_http1(error: &(dyn StdError + 'static)) -> bool {
    h2_beneath(error)
        .is_some_and(|error| error.reason() == Some(h2::Reason::HTTP_1_1_REQUIRED) && error.is_remote())
}

/// Whether only one stream of HTTP/2 is concerned, and its connection serves on: what we ourselves find wrong is wrong
/// with one answer.
pub fn is_of_one_stream(error: &(dyn StdError + 'static)) -> bool {
    ours_beneath(error).is_some() || h2_beneath(error).is_some_and(h2::Error::is_reset)
}

/// What HTTP/2 itself says is wrong with a stream or a connection.
fn stream_fault(error: &(dyn StdError + 'static)) -> Option<(Kind, String)> {
    let error = h2_beneath(error)?;
    let reason = error.reason()?;
    let whose = if error.is_remote() { "the server" } else { "we" };
    let code = code_of(reason);
    Some(match () {
        _ if error.is_go_away() && error.is_remote() => {
            (Kind::Stream, format!("the server closed the HTTP/2 connection: {code}"))
        }
        _ if error.is_reset() => (Kind::Stream, format!("{whose} reset the HTTP/2 stream: {code}")),
        _ => (Kind::Protocol, format!("{whose} broke off HTTP/2: {code}")),
    })
}

/// A code of HTTP/2, by its name and number.
pub fn code_of(reason: h2::Reason) -> String {
    format!("{reason:?} (0x{:x})", u32::from(reason))
}

fn h2_beneath<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a h2::Error> {
    causes(Some(error)).find_map(|cause| cause.downcast_ref::<h2::Error>())
}

fn ours_beneath<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
    causes(Some(error)).find_map(|cause| cause.downcast_ref::<Error>())
}

/// The first `io::Error` below `error`, if there is one: hyper wraps its own, and h2 names it no source.
pub fn io_beneath<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a io::Error> {
    let of_h2 = |cause: &'a (dyn StdError + 'static)| cause.downcast_ref::<h2::Error>()?.get_io();
    causes(Some(error)).find_map(|cause| cause.downcast_ref::<io::Error>().or_else(|| of_h2(cause)))
}

/// The texts of `error`'s causes, outermost first.
pub fn chain_of(error: &(dyn StdError + 'static)) -> Vec<String> {
    causes(error.source()).take(8).map(|cause| printable(&cause.to_string())).collect()
}

/// `error` and what lies beneath it, outermost first.
pub fn causes<'a>(
    error: Option<&'a (dyn StdError + 'static)>,
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error, |cause| (*cause).source())
}

fn out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}

fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MESSAGE_LIMIT));
    for c in text.chars() {
        if out.len() >= MESSAGE_LIMIT {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_bounded_and_holds_no_control_bytes() {
        let error = Error::caller(Kind::InvalidUrl, format!("bad\r\n\x1b[31m{}", "x".repeat(5000)));

        assert!(error.message.starts_with("bad\\r\\n\\u{1b}[31mxxx"));
        assert!(error.message.len() <= 1000);
    }

    #[test]
    fn our_error_survives_a_journey_inside_an_io_error() {
        let ours = Error::new(Kind::TooLarge, Phase::Await, "head too long");
        let travelled = io::Error::other(ours);

        assert_eq!(Kind::TooLarge, Error::io(Phase::Read, "read", &travelled).kind);
    }

    #[test]
    fn an_errno_is_kept() {
        let refused = io::Error::from_raw_os_error(libc::ECONNREFUSED);
        let error = Error::io(Phase::Connect, "connect to 127.0.0.1:1", &refused);

        assert_eq!((Kind::Refused, libc::ECONNREFUSED), (error.kind, error.os_code));
    }
}
