//! TLS, in one place: what is trusted, who we are, and the handshake. Two backends under one seam.
//!
//! On Linux the backend is OpenSSL itself, because hyper-tls (native-tls) hides what has to be seen:
//! it turns an end without close_notify into a clean end, accepts a certificate without subjectAltName by its
//! common name, and adds the caller's CAs to the system's where `verify=` means to replace them.
//! Elsewhere, and on Linux with the feature `native-tls`, hyper-tls serves, and what it lacks is refused.
//!
//! Certificates are verified unless the caller says otherwise in so many words (`danger_accept_invalid`).

use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
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

pub use backend::{build_info, handshake, Context, TlsStream, NAME};

/// Whose certificates are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Roots {
    /// The platform's store, where SSL_CERT_FILE and SSL_CERT_DIR may point elsewhere.
    #[default]
    Platform,
    /// These in PEM, and no others.
    File(PathBuf),
    /// A folder of certificates in PEM named by their hashes (`openssl rehash`), and no others.
    Folder(PathBuf),
}

/// The client's own certificate, in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The certificate, and the chain above it if there is one.
    pub certificate: PathBuf,
    /// The private key; the certificate's file where it is `None`.
    pub key: Option<PathBuf>,
}

/// All that a TLS connection's trust depends on: two connections share a pool entry only if theirs are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    pub danger_accept_invalid: bool,
    pub roots: Roots,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

impl Settings {
    /// The client certificate and where its key is.
    pub fn identity_files(&self) -> Option<Identity> {
        self.certificate.clone().map(|certificate| Identity { certificate, key: self.key.clone() })
    }

    /// The settings for the TLS of a proxy: the same trust; what concerns the origin alone is left out.
    pub fn for_proxy(&self) -> Settings {
        Settings {
            danger_accept_invalid: self.danger_accept_invalid,
            roots: self.roots.clone(),
            ..Settings::default()
        }
    }

    /// A number for these settings; equal settings have equal numbers, never 0.
    pub fn identity(&self) -> u64 {
        static NUMBERS: crate::process::PerProcess<Mutex<HashMap<Settings, u64>>> =
            crate::process::PerProcess::new();
        let mut numbers = NUMBERS.get(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let next = numbers.len() as u64 + 1;
        *numbers.entry(self.clone()).or_insert(next)
    }
}

/// The contexts of a process. Reading a bundle of 140 certificates takes longer than a handshake, so it is done once
/// for each set of settings, and again when a file that was read has changed.
#[derive(Debug, Default)]
pub struct Contexts(Mutex<HashMap<Settings, Kept>>);

/// A context, and its files as they were when it was made.
type Kept = (Vec<Stamp>, Arc<Context>);

/// A file as it was when it was read.
type Stamp = Option<(std::time::SystemTime, u64)>;

/// Contexts kept; a caller with more settings than this pays for reading again.
const MOST: usize = 64;

impl Contexts {
    /// The context for `settings`.
    ///
    /// # Errors
    /// `Tls` if a file cannot be read or used.
    pub fn get(&self, settings: &Settings) -> Result<Arc<Context>, Error> {
        let stamps = stamps(settings);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, context)) = kept.get(settings).filter(|(then, _)| *then == stamps) {
            return Ok(context.clone());
        }
        let context = Arc::new(Context::new(settings)?);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(settings.clone(), (stamps, context.clone()));
        Ok(context)
    }
}

fn stamps(settings: &Settings) -> Vec<Stamp> {
    let roots = match &settings.roots {
        Roots::Platform => None,
        Roots::File(path) | Roots::Folder(path) => Some(path),
    };
    let files = [roots, settings.certificate.as_ref(), settings.key.as_ref()];
    files
        .into_iter()
        .flatten()
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
    /// The server has chosen HTTP/2 in the handshake.
    pub fn chose_http2(&self) -> bool {
        matches!(self, Stream::Tls(stream) if stream.chosen_protocol().as_deref() == Some(b"h2"))
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
