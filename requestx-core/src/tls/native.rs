//! The backend where the platform's own TLS serves: hyper-tls, and native-tls beneath it.
//!
//! What native-tls cannot show or do is refused here rather than done halfway.

use std::future::{ready, Ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Task, Poll};

use hyper_tls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use native_tls::{Certificate, Identity as NativeIdentity, Protocol, TlsConnector};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

use super::{Roots, Settings, Stream};
use crate::deadline::Phase;
use crate::error::{chain_of, Error, Kind};
use crate::options::Http;

/// For `rqx_features`.
pub const NAME: &str = "native-tls";

/// native-tls does not tell which library it stands on.
pub fn build_info() -> String {
    "native-tls".to_string()
}

/// A connector for one set of settings.
#[derive(Debug)]
pub struct Context {
    /// One for each choice of HTTP: what is offered is a connector's.
    connectors: Vec<(Http, TlsConnector)>,
    verify: bool,
}

impl Context {
    /// Reads what `settings` name.
    ///
    /// # Errors
    /// `Tls`, saying which file, or what native-tls lacks.
    pub fn new(settings: &Settings) -> Result<Context, Error> {
        let verify = !settings.danger_accept_invalid;
        let mut builder = TlsConnector::builder();
        builder.min_protocol_version(Some(Protocol::Tlsv12));
        builder.danger_accept_invalid_certs(!verify).danger_accept_invalid_hostnames(!verify);
        match &settings.roots {
            Roots::Platform => {}
            Roots::File(path) => {
                // The caller's certificates replace the platform's; native-tls would add them.
                builder.disable_built_in_roots(true);
                let pem = std::fs::read(path).map_err(|e| unreadable("CA file", path, &e))?;
                for certificate in
                    Certificate::stack_from_pem(&pem).map_err(|e| unreadable("CA file", path, &e))?
                {
                    builder.add_root_certificate(certificate);
                }
            }
            Roots::Folder(_) => return Err(lacking("a folder of CA certificates")),
        }
        if let Some(identity) = settings.identity_files() {
            let certificate = std::fs::read(&identity.certificate)
                .map_err(|e| unreadable("client certificate", &identity.certificate, &e))?;
            let key_path = identity.key.as_ref().unwrap_or(&identity.certificate);
            let key =
                std::fs::read(key_path).map_err(|e| unreadable("client certificate's key", key_path, &e))?;
            let identity = NativeIdentity::from_pkcs8(&certificate, &key)
                .map_err(|e| unreadable("client certificate (a PKCS#8 key is needed)", key_path, &e))?;
            builder.identity(identity);
        }
        let mut connector = |http| {
            let built = builder.request_alpns(super::protocols(http)).build();
            built
                .map(|connector| (http, connector))
                .map_err(|e| Error::new(Kind::Tls, Phase::Secure, format!("make a TLS context: {e}")))
        };
        let connectors = [Http::One, Http::Negotiated, Http::Two].into_iter().map(&mut connector);
        Ok(Context { connectors: connectors.collect::<Result<_, _>>()?, verify })
    }
}

/// A secured connection.
#[derive(Debug)]
pub struct TlsStream(TokioIo<MaybeHttpsStream<TokioIo<Stream>>>);

/// A connector whose connection is there already: hyper-tls makes its own handshake over what it is given, once.
#[derive(Clone)]
struct Connected1(Arc<Mutex<Option<Stream>>>);

impl Service<http::Uri> for Connected1 {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<Stream>>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        ready(stream.map(TokioIo::new).ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// The handshake, with the server's name checked against its certificate.
///
/// # Errors
/// `TlsVerify` where the message shows that the certificate was refused, else `Tls`.
pub async fn handshake(
    context: &Context,
    http: Http,
    host: &str,
    stream: Stream,
) -> Result<TlsStream, Error> {
    let authority = if host.contains(':') { format!("[{host}]") } else { host.to_string() };
    let uri = format!("https://{authority}/")
        .parse::<http::Uri>()
        .map_err(|e| Error::caller(Kind::InvalidUrl, e.to_string()))?;
    let connector = context.connectors.iter().find(|(offers, _)| *offers == http);
    let connector = connector.map(|(_, connector)| connector.clone());
    let connector =
        connector.ok_or_else(|| Error::new(Kind::Internal, Phase::Secure, "no such connector"))?;
    let mut connector =
        HttpsConnector::from((Connected1(Arc::new(Mutex::new(Some(stream)))), connector.into()));
    let stream = connector.call(uri).await.map_err(|error| {
        let chain = chain_of(&*error);
        let text =
            std::iter::once(error.to_string()).chain(chain.iter().cloned()).collect::<Vec<_>>().join(": ");
        let refused = context.verify && text.contains("certificate verify failed");
        let kind = if refused { Kind::TlsVerify } else { Kind::Tls };
        Error::new(kind, Phase::Secure, text).with_chain(chain)
    })?;
    if context.verify {
        require_alternative_name(&stream)?;
    }
    Ok(TlsStream(TokioIo::new(stream)))
}

/// RFC 9525 section 2: the common name says nothing, but native-tls falls back to it where there is no
/// subjectAltName. The extension's object identifier, 2.5.29.17, is looked for in the certificate's own bytes.
fn require_alternative_name(stream: &MaybeHttpsStream<TokioIo<Stream>>) -> Result<(), Error> {
    const SUBJECT_ALT_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x1d, 0x11];
    let MaybeHttpsStream::Https(tls) = stream else {
        return Ok(());
    };
    let certificate = tls.inner().get_ref().peer_certificate().ok().flatten().and_then(|c| c.to_der().ok());
    if certificate.is_some_and(|der| memchr::memmem::find(&der, &SUBJECT_ALT_NAME).is_some()) {
        return Ok(());
    }
    let why = "certificate verify failed: the certificate names no host in subjectAltName";
    Err(Error::new(Kind::TlsVerify, Phase::Secure, why))
}

impl TlsStream {
    /// What the server chose of the protocols that were offered.
    pub fn chosen_protocol(&self) -> Option<Vec<u8>> {
        match self.0.inner() {
            MaybeHttpsStream::Https(stream) => stream.inner().get_ref().negotiated_alpn().ok().flatten(),
            MaybeHttpsStream::Http(_) => None,
        }
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Task<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Task<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

fn unreadable(what: &str, path: &std::path::Path, why: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::Tls, Phase::Secure, format!("no usable {what} in {}: {why}", path.display()))
}

fn lacking(what: &str) -> Error {
    Error::new(
        Kind::Tls,
        Phase::Secure,
        format!("{what} cannot be had with native-tls; the OpenSSL build of the library has it"),
    )
}
