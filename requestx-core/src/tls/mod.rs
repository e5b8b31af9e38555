//! TLS, in one place: what is trusted, who we are, and the handshake. Two backends under one seam.
//!
//! On Linux the backend is OpenSSL itself, because hyper-tls (native-tls) hides what has to be seen:
//! it turns an end without close_notify into a clean end, accepts a certificate without subjectAltName by its
//! common name, and adds the caller's CAs to the system's where `verify=` means to replace them.
//! Elsewhere, and on Linux with the feature `native-tls`, hyper-tls serves, and what it lacks is refused.
//!
//! Certificates are verified unless the caller says otherwise in so many words (`danger_accept_invalid`).

use std::collections::{HashMap, VecDeque};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context as Task, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::Error;
use crate::options::Http;
use crate::socket::Socket;

#[cfg(not(native_backend))]
#[path = "openssl.rs"]
mod backend;
#[cfg(native_backend)]
#[path = "native.rs"]
mod backend;

mod platform;
mod settings;

pub use settings::{Choice, Pin as Fingerprint, Roots, Secret, Settings, Version};

pub use backend::{build_info, handshake, hash, Context, TlsStream, NAME};

/// What a handshake agreed upon.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// In DER, the server's own first.
    pub chain: Vec<Vec<u8>>,
    /// "TLSv1.3"; empty where the backend does not tell.
    pub version: String,
    pub cipher: String,
    /// The cipher's strength.
    pub bits: u32,
    /// What ALPN chose; empty for nothing.
    pub protocol: String,
    pub resumed: bool,
}

/// The peers of a process's connections, by number: of those that are open, and of as many others as `KEPT`.
#[derive(Debug, Default)]
pub struct Peers(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    by_number: HashMap<u32, Weak<Peer>>,
    recent: VecDeque<Arc<Peer>>,
}

/// How many further connections a peer outlives its own.
const KEPT: usize = 256;

impl Peers {
    /// Keeps the peer of a connection by its number.
    pub fn add(&self, connection: u64, peer: &Arc<Peer>) {
        let (mut known, number) = (self.lock(), connection as u32);
        if known.recent.len() >= KEPT {
            known.recent.pop_front();
        }
        known.recent.push_back(peer.clone());
        if number as usize % KEPT == 0 {
            known.by_number.retain(|_, peer| peer.strong_count() > 0);
        }
        known.by_number.insert(number, Arc::downgrade(peer));
    }

    /// The peer of the connection with this number, if it is still known.
    pub fn get(&self, number: u32) -> Option<Arc<Peer>> {
        self.lock().by_number.get(&number).and_then(Weak::upgrade)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The contexts of a process. Reading a bundle of 140 certificates takes longer than a handshake, so it is done once
/// for each set of settings, and again when a file that was read has changed.
#[derive(Debug, Default)]
pub struct Contexts(Mutex<HashMap<u64, Kept>>);

/// A context, and its files as they were when it was made.
#[derive(Debug)]
struct Kept {
    stamps: Vec<Stamp>,
    context: Arc<Context>,
    uses: usize,
}

/// A file as it was when it was read.
type Stamp = Option<(std::time::SystemTime, u64)>;

/// Contexts kept; a caller with more settings than this pays for reading again.
const MOST: usize = 64;

/// Handshakes of one context; a fresh one then forgets the sessions of hosts that nobody asks for any more.
const MOST_USES: usize = 4096;

impl Contexts {
    /// The context for `settings`, whose `number` is their identity.
    ///
    /// # Errors
    /// `Tls` if a file cannot be read or used.
    pub fn get(&self, settings: &Settings, number: u64) -> Result<Arc<Context>, Error> {
        let stamps = stamps(settings);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) =
            kept.get_mut(&number).filter(|found| found.stamps == stamps && found.uses < MOST_USES)
        {
            found.uses += 1;
            return Ok(found.context.clone());
        }
        let context = Arc::new(Context::new(settings)?);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(number, Kept { stamps, context: context.clone(), uses: 1 });
        Ok(context)
    }
}

fn stamps(settings: &Settings) -> Vec<Stamp> {
    let roots = &settings.roots;
    let own = roots.platform_store();
    [&roots.file, &roots.folder, &settings.certificate, &settings.key, &own.file]
        .into_iter()
        .flatten()
        .chain(&own.folders)
        .map(|path| std::fs::metadata(path).and_then(|meta| Ok((meta.modified()?, meta.len()))).ok())
        .collect()
}

/// A connection, plain or secured; secured again where an https proxy is in between.
#[derive(Debug)]
pub enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream>),
}

impl Stream {
    /// What the last handshake agreed upon.
    pub fn peer(&self) -> Option<&Arc<Peer>> {
        match self {
            Stream::Plain(_) => None,
            Stream::Tls(secured) => Some(&secured.peer),
        }
    }

    /// The server has chosen HTTP/2 in the handshake.
    pub fn chose_http2(&self) -> bool {
        self.peer().is_some_and(|peer| peer.protocol == "h2")
    }
}

/// What the client offers in the handshake (ALPN), best first.
pub fn protocols(http: Http) -> &'static [&'static str] {
    match http {
        Http::One => &["http/1.1"],
        Http::Negotiated => &["h2", "http/1.1"],
        Http::Two => &["h2"],
    }
}

/// Passes a call on to whichever stream it is.
macro_rules! either {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Plain($stream) => $call,
            Stream::Tls($stream) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Task<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Task<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Task<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self, Stream::Plain(_))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_kept_whether_sessions_are_or_not() {
        let contexts = Contexts::default();
        for no_resumption in [false, true] {
            let settings = Settings { no_resumption, ..Settings::default() };
            let number = settings.identity();
            let first = contexts.get(&settings, number).unwrap();

            assert!(Arc::ptr_eq(&first, &contexts.get(&settings, number).unwrap()));
        }
    }
}
