//! The backend on Linux: OpenSSL, through `openssl` and `tokio-openssl`.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{ready, Context as Task, Poll};

use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslConnectorBuilder, SslFiletype, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::store::{X509Lookup, X509StoreBuilder};
use openssl::x509::verify::X509CheckFlags;
use openssl::x509::X509VerifyResult;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_openssl::SslStream;

use super::{Roots, Settings, Stream};
use crate::deadline::Phase;
use crate::error::{Error, Kind};
use crate::options::Http;

/// For `rqx_features`.
pub const NAME: &str = "openssl";

/// The library's own version.
pub fn build_info() -> String {
    openssl::version::version().to_string()
}

/// An `SSL_CTX` for one set of settings.
pub struct Context {
    connector: SslConnector,
    verify: bool,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Context(verify: {})", self.verify)
    }
}

impl Context {
    /// Reads what `settings` name.
    ///
    /// # Errors
    /// `Tls`, saying which file.
    pub fn new(settings: &Settings) -> Result<Context, Error> {
        let mut builder =
            SslConnector::builder(SslMethod::tls_client()).map_err(|e| failed("make a TLS context", &e))?;
        builder
            .set_min_proto_version(Some(SslVersion::TLS1_2))
            .map_err(|e| failed("set the TLS version", &e))?;
        builder.set_read_ahead(true); // one read of the socket a record, not two
        let verify = !settings.danger_accept_invalid;
        if verify {
            trust(&mut builder, &settings.roots)?;
        } else {
            builder.set_verify(SslVerifyMode::NONE);
        }
        if let Some(identity) = settings.identity_files() {
            let key = identity.key.as_ref().unwrap_or(&identity.certificate);
            builder
                .set_certificate_chain_file(&identity.certificate)
                .map_err(|e| unreadable("client certificate", &identity.certificate, &e))?;
            builder
                .set_private_key_file(key, SslFiletype::PEM)
                .map_err(|e| unreadable("client certificate's key", key, &e))?;
            builder
                .check_private_key()
                .map_err(|e| unreadable("key that fits the client certificate", key, &e))?;
        }
        Ok(Context { connector: builder.build(), verify })
    }
}

fn trust(builder: &mut SslConnectorBuilder, roots: &Roots) -> Result<(), Error> {
    let empty = || X509StoreBuilder::new().map_err(|e| failed("make a certificate store", &e));
    match roots {
        Roots::Platform => {
            // A vendored OpenSSL looks where it was built, not where this system keeps its certificates.
            let found = openssl_probe::probe();
            builder
                .load_verify_locations(found.cert_file.as_deref(), found.cert_dir.as_deref())
                .or_else(
                    |e| {
                        if found.cert_file.is_none() && found.cert_dir.is_none() {
                            Ok(())
                        } else {
                            Err(e)
                        }
                    },
                )
                .map_err(|e| failed("read the platform's certificates", &e))
        }
        Roots::File(path) => {
            builder.set_cert_store(empty()?.build());
            builder.set_ca_file(path).map_err(|e| unreadable("CA file", path, &e))
        }
        Roots::Folder(path) => {
            let mut store = empty()?;
            let folder = path
                .to_str()
                .ok_or_else(|| Error::new(Kind::Tls, Phase::Secure, "the CA folder's name is not UTF-8"))?;
            store
                .add_lookup(X509Lookup::hash_dir())
                .and_then(|lookup| lookup.add_dir(folder, SslFiletype::PEM))
                .map_err(|e| unreadable("CA folder", path, &e))?;
            builder.set_cert_store(store.build());
            Ok(())
        }
    }
}

/// A secured connection. Its end is an end only if the peer said so.
#[derive(Debug)]
pub struct TlsStream(SslStream<Watched>);

/// What lies below, and whether it has ended. OpenSSL reads no further once it has seen close_notify,
/// so a stream that ended below an ended session means that there was none.
#[derive(Debug)]
struct Watched {
    stream: Stream,
    ended: bool,
}

/// The handshake, with the server's name checked against its certificate.
///
/// # Errors
/// `TlsVerify` with OpenSSL's verification code, or `Tls`.
pub async fn handshake(
    context: &Context,
    http: Http,
    host: &str,
    stream: Stream,
) -> Result<TlsStream, Error> {
    let name = host.strip_suffix('.').unwrap_or(host);
    let ssl = context
        .connector
        .configure()
        .and_then(|config| config.verify_hostname(context.verify).into_ssl(name))
        .and_then(|mut ssl| {
            // RFC 9525 section 2: the common name says nothing.
            ssl.param_mut()
                .set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS | X509CheckFlags::NEVER_CHECK_SUBJECT);
            ssl.set_alpn_protos(&offer(http))?;
            SslStream::new(ssl, Watched { stream, ended: false })
        });
    let mut stream = ssl.map_err(|e| failed("prepare the handshake", &e))?;
    match Pin::new(&mut stream).connect().await {
        Ok(()) => Ok(TlsStream(stream)),
        Err(error) => {
            let verdict = stream.ssl().verify_result();
            if context.verify && verdict != X509VerifyResult::OK {
                let why = format!("certificate verify failed: {}", verdict.error_string());
                return Err(Error::new(Kind::TlsVerify, Phase::Secure, why).with_tls_code(verdict.as_raw()));
            }
            Err(match error.io_error() {
                Some(source) => {
                    let mut error = Error::io(Phase::Secure, "the connection broke", source);
                    error.kind = Kind::Tls;
                    error
                }
                None => match error.ssl_error() {
                    Some(stack) => failed("the handshake failed", stack),
                    None => Error::new(
                        Kind::Tls,
                        Phase::Secure,
                        "the server closed the connection during the handshake",
                    ),
                },
            })
        }
    }
}

/// ALPN's list, each with its length in front: RFC 7301 section 3.1.
fn offer(http: Http) -> Vec<u8> {
    let each = super::protocols(http).iter();
    each.flat_map(|name| std::iter::once(name.len() as u8).chain(name.bytes())).collect()
}

impl TlsStream {
    /// What the server chose of the protocols that were offered.
    pub fn chosen_protocol(&self) -> Option<Vec<u8>> {
        self.0.ssl().selected_alpn_protocol().map(<[u8]>::to_vec)
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Task<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.0).poll_read(cx, buf))?;
        let ended = buf.filled().len() == before && buf.remaining() > 0;
        if ended && self.0.get_ref().ended {
            // RFC 9112 section 9.8: an end that anybody on the way could have made is no end of a body.
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the TLS connection ended without close_notify; the body may be cut short",
            )));
        }
        Poll::Ready(Ok(()))
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

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Task<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.ended |= buf.filled().len() == before && buf.remaining() > 0;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Task<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

fn failed(what: &str, stack: &ErrorStack) -> Error {
    let causes: Vec<String> = stack.errors().iter().map(|e| e.to_string()).collect();
    let why = stack.errors().first().and_then(|e| e.reason()).unwrap_or("unknown reason");
    Error::new(Kind::Tls, Phase::Secure, format!("{what}: {why}")).with_chain(causes)
}

fn unreadable(what: &str, path: &Path, stack: &ErrorStack) -> Error {
    failed(&format!("no usable {what} in {}", path.display()), stack)
}
