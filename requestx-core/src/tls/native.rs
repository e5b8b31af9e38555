//! The backend where the platform's own TLS serves: hyper-tls, and native-tls beneath it.
//!
//! What native-tls cannot show or do is refused here rather than done halfway.

use std::future::{ready, Ready};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Task, Poll};

use hyper_tls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use native_tls::{Certificate, Identity as NativeIdentity, Protocol, TlsConnector};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_service::Service;

use super::settings::split_der;
use super::{Peer, Settings, Stream, Version};
use crate::authority;
use crate::deadline::Phase;
use crate::error::{chain_of, Error, Kind};
use crate::options::Http;

/// For `rqx_features`.
pub const NAME: &str = "native-tls";

/// native-tls does not tell which library it stands on.
pub fn build_info() -> String {
    "native-tls".to_string()
}

/// native-tls has no hashes.
pub fn hash(_name: &str, _bytes: &[u8]) -> Option<Vec<u8>> {
    None
}

/// A connector for one set of settings.
#[derive(Debug)]
pub struct Context {
    /// One for each choice of HTTP: what is offered is a connector's.
    connectors: Vec<(Http, TlsConnector)>,
    verify: bool,
    any_host: bool,
    server_name: Option<String>,
}

impl Context {
    /// Reads what `settings` name.
    ///
    /// # Errors
    /// `Tls`, saying which file, or what native-tls lacks.
    pub fn new(settings: &Settings) -> Result<Context, Error> {
        refuse_what_is_lacking(settings)?;
        let verify = !settings.danger_accept_invalid;
        let mut builder = TlsConnector::builder();
        builder.min_protocol_version(protocol(settings.lowest.unwrap_or(Version::Tls12))?);
        if let Some(highest) = settings.highest {
            builder.max_protocol_version(protocol(highest)?);
        }
        let any_host = settings.danger_any_host || !verify;
        builder.danger_accept_invalid_certs(!verify).danger_accept_invalid_hostnames(any_host);
        let roots = &settings.roots;
        // The caller's certificates replace the platform's; native-tls would add them.
        builder.disable_built_in_roots(!roots.trust_platform());
        let own = roots.platform_store();
        let files = roots.file.iter().chain(&own.file);
        let files = files.map(|path| std::fs::read(path).map_err(|e| unreadable("CA file", path, &e)));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        for data in files.iter().map(Vec::as_slice).chain(roots.data.as_deref()) {
            for certificate in certificates(data).map_err(|e| failed("read CA certificates", &e))? {
                builder.add_root_certificate(certificate);
            }
        }
        if let Some(identity) = identity(settings)? {
            builder.identity(identity);
        }
        let mut connector = |http| {
            let built = builder.request_alpns(super::protocols(http)).build();
            built.map(|connector| (http, connector)).map_err(|e| failed("make a TLS context", &e))
        };
        let connectors = [Http::One, Http::Negotiated, Http::Two].into_iter().map(&mut connector);
        let connectors = connectors.collect::<Result<_, _>>()?;
        Ok(Context { connectors, verify, any_host, server_name: settings.server_name.clone() })
    }
}

/// What native-tls has no way to do. How strictly certificates are verified is the platform's own affair.
fn refuse_what_is_lacking(settings: &Settings) -> Result<(), Error> {
    let lacks = [
        (settings.roots.folder.is_some(), "a folder of CA certificates"),
        (settings.ciphers.is_some() || settings.suites.is_some(), "a choice of ciphers"),
        (settings.danger_legacy, "legacy renegotiation"),
        (settings.verify_name.is_some(), "another name to verify than the one that is sent"),
        (!settings.pins.is_empty(), "certificate pinning"),
        (settings.keylog.is_some(), "a log of the keys"),
    ];
    match lacks.iter().find(|(wanted, _)| *wanted) {
        Some((_, what)) => Err(lacking(what)),
        None => Ok(()),
    }
}

fn protocol(version: Version) -> Result<Option<Protocol>, Error> {
    Ok(Some(match version {
        Version::Tls10 => Protocol::Tlsv10,
        Version::Tls11 => Protocol::Tlsv11,
        Version::Tls12 => Protocol::Tlsv12,
        Version::Tls13 => Protocol::Tlsv13,
    }))
}

fn certificates(data: &[u8]) -> Result<Vec<Certificate>, native_tls::Error> {
    match split_der(data) {
        Some(each) => each.into_iter().map(Certificate::from_der).collect(),
        None => Certificate::stack_from_pem(data),
    }
}

fn identity(settings: &Settings) -> Result<Option<NativeIdentity>, Error> {
    let Some(path) = &settings.certificate else { return Ok(None) };
    let data = std::fs::read(path).map_err(|e| unreadable("client certificate", path, &e))?;
    if data.first() == Some(&0x30) {
        let password = String::from_utf8_lossy(settings.password.as_deref().unwrap_or_default());
        let identity =
            NativeIdentity::from_pkcs12(&data, &password).map_err(|e| unreadable("PKCS#12", path, &e))?;
        return Ok(Some(identity));
    }
    if settings.password.is_some() {
        return Err(lacking("an encrypted key in PEM (one in PKCS#12 can be had)"));
    }
    let key_path = settings.key.as_ref().unwrap_or(path);
    let key = std::fs::read(key_path).map_err(|e| unreadable("client certificate's key", key_path, &e))?;
    let identity = NativeIdentity::from_pkcs8(&data, &key)
        .map_err(|e| unreadable("client certificate (a PKCS#8 key is needed)", key_path, &e))?;
    Ok(Some(identity))
}

/// A secured connection.
#[derive(Debug)]
pub struct TlsStream {
    io: TokioIo<MaybeHttpsStream<TokioIo<Stream>>>,
    pub peer: Arc<Peer>,
}

/// A connector whose connection is there already: hyper-tls makes its own handshake over what it is given, once.
#[derive(Clone)]
struct Given(Arc<Mutex<Option<Stream>>>);

impl Service<http::Uri> for Given {
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
    port: u16,
    stream: Stream,
) -> Result<TlsStream, Error> {
    let host = context.server_name.as_deref().unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host); // as in no certificate, and in no SNI: RFC 6066 section 3
    let uri = format!("https://{}/", authority::join(host, port))
        .parse::<http::Uri>()
        .map_err(|e| Error::caller(Kind::InvalidUrl, e.to_string()))?;
    let connector = context.connectors.iter().find(|(offers, _)| *offers == http);
    let connector = connector.map(|(_, connector)| connector.clone());
    let connector =
        connector.ok_or_else(|| Error::new(Kind::Internal, Phase::Secure, "no such connector"))?;
    let mut connector = HttpsConnector::from((Given(Arc::new(Mutex::new(Some(stream)))), connector.into()));
    let stream = connector.call(uri).await.map_err(|error| {
        let chain = chain_of(&*error);
        let text =
            std::iter::once(error.to_string()).chain(chain.iter().cloned()).collect::<Vec<_>>().join(": ");
        let refused = context.verify && text.contains("certificate verify failed");
        let kind = if refused { Kind::TlsVerify } else { Kind::Tls };
        Error::new(kind, Phase::Secure, text).with_chain(chain)
    })?;
    let certificate = certificate_of(&stream);
    if context.verify && !context.any_host {
        require_alternative_name(certificate.as_deref(), host)?;
    }
    let protocol = String::from_utf8_lossy(&chosen_protocol(&stream).unwrap_or_default()).into_owned();
    let peer = Arc::new(Peer { chain: certificate.into_iter().collect(), protocol, ..Peer::default() });
    Ok(TlsStream { io: TokioIo::new(stream), peer })
}

/// RFC 9525 section 2: the common name says nothing, but native-tls falls back to it where subjectAltName has no name of
/// the kind that is asked for. The extension, 2.5.29.17, is looked for in the certificate's own bytes.
fn require_alternative_name(certificate: Option<&[u8]>, host: &str) -> Result<(), Error> {
    const DNS_NAME: u8 = 0x82;
    const IP_ADDRESS: u8 = 0x87;
    let kind = if host.parse::<IpAddr>().is_ok() { IP_ADDRESS } else { DNS_NAME };
    if certificate.and_then(alternative_names).is_some_and(|kinds| kinds.contains(&kind)) {
        return Ok(());
    }
    let why = "certificate verify failed: the certificate names no host in subjectAltName";
    Err(Error::new(Kind::TlsVerify, Phase::Secure, why))
}

/// The kinds of the names in a certificate's subjectAltName, as DER tags them; `None` where it has none.
fn alternative_names(der: &[u8]) -> Option<Vec<u8>> {
    const SUBJECT_ALT_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x1d, 0x11];
    const CRITICAL: [u8; 3] = [0x01, 0x01, 0xff];
    let extension = &der[memchr::memmem::find(der, &SUBJECT_ALT_NAME)? + SUBJECT_ALT_NAME.len()..];
    let (_, octets, _) = value_of(extension.strip_prefix(&CRITICAL).unwrap_or(extension))?;
    let (_, mut names, _) = value_of(octets)?;
    let mut kinds = Vec::new();
    while !names.is_empty() {
        let (kind, _, rest) = value_of(names)?;
        kinds.push(kind);
        names = rest;
    }
    Some(kinds)
}

/// The first value in DER, its tag before it and what follows behind.
fn value_of(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let digits = if first < 0x80 { 0 } else { usize::from(first & 0x7f) };
    let (digits, rest) = rest.split_at_checked(digits).filter(|(digits, _)| digits.len() <= 3)?;
    let length = match first {
        short @ ..0x80 => usize::from(short),
        _ => digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)),
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

/// The server's own certificate in DER; native-tls shows no more of the peer than this.
fn certificate_of(stream: &MaybeHttpsStream<TokioIo<Stream>>) -> Option<Vec<u8>> {
    let MaybeHttpsStream::Https(tls) = stream else { return None };
    tls.inner().get_ref().peer_certificate().ok().flatten()?.to_der().ok()
}

/// What the server chose of the protocols that were offered.
fn chosen_protocol(stream: &MaybeHttpsStream<TokioIo<Stream>>) -> Option<Vec<u8>> {
    let MaybeHttpsStream::Https(tls) = stream else { return None };
    tls.inner().get_ref().negotiated_alpn().ok().flatten()
}

impl AsyncRead for TlsStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Task<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Task<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

fn failed(what: &str, why: &dyn std::fmt::Display) -> Error {
    Error::new(Kind::Tls, Phase::Secure, format!("{what}: {why}"))
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
