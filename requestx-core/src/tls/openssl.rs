//! The backend on Linux: OpenSSL, and hyper-openssl above it, which keeps the sessions.
//!
//! Sessions are kept with their context, by host and port, and a context is of one set of settings:
//! none is resumed under other roots, another client certificate, or a laxer look at the server's.

use std::fs::OpenOptions;
use std::future::{ready, Ready};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{ready, Context as Task, Poll, Waker};

use hyper_openssl::client::legacy::{HttpsLayer, MaybeHttpsStream};
use hyper_openssl::SslStream;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkcs12::{ParsedPkcs12_2, Pkcs12};
use openssl::pkey::{PKey, Private};
#[cfg(openssl_3)]
use openssl::provider::Provider;
use openssl::ssl::{
    ConnectConfiguration, Error as SslError, SslConnector, SslConnectorBuilder, SslFiletype, SslMethod,
    SslOptions, SslRef, SslSessionCacheMode, SslVerifyMode, SslVersion,
};
use openssl::x509::store::{X509Lookup, X509StoreBuilder};
use openssl::x509::verify::{X509CheckFlags, X509VerifyFlags};
use openssl::x509::{X509VerifyResult, X509};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower_layer::Layer;
use tower_service::Service;

use super::settings::{split_der, Pin as Fingerprint};
use super::{Peer, Roots, Settings, Stream, Version};
use crate::authority;
use crate::deadline::Phase;
use crate::error::{chain_of, Error, Kind};
use crate::hex;
use crate::options::Http;

/// What is offered up to TLS 1.2 where nobody chose: that of Python's ssl, so forward secrecy always and SHA-1 never.
const CIPHERS: &str = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:DHE+AES:!aNULL:!aDSS:!SHA1:!AESCCM";
/// OpenSSL 3 speaks TLS 1.0 and 1.1 at its lowest level of security only, and they know nothing but SHA-1.
const CIPHERS_OF_OLD: &str = "DEFAULT:@SECLEVEL=0";

/// For `rqx_features`.
pub const NAME: &str = "openssl";

/// The library's own version.
pub fn build_info() -> String {
    openssl::version::version().to_string()
}

/// The digest of `bytes` by a hash of OpenSSL's; `None` if it has no such.
pub fn hash(name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let digest = openssl::hash::hash(MessageDigest::from_name(name)?, bytes);
    digest.ok().map(|digest| digest.to_vec())
}

/// Sessions of one context, each with its chain of certificates: OpenSSL's 20480 are for servers, and a server sends as
/// many tickets as it likes.
const MOST_SESSIONS: i32 = 512;

/// An `SSL_CTX` for one set of settings.
pub struct Context {
    sessions: Sessions,
    settings: Settings,
}

/// What becomes of the sessions of a context.
enum Sessions {
    /// They are kept, and resumed.
    Kept(HttpsLayer),
    /// Each handshake is a whole one.
    Forgotten(SslConnector),
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Context(verify: {})", !self.settings.danger_accept_invalid)
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
        builder.set_read_ahead(true); // one read of the socket a record, not two
        set_versions(&mut builder, settings)?;
        if settings.danger_accept_invalid {
            builder.set_verify(SslVerifyMode::NONE);
        } else {
            trust(&mut builder, &settings.roots)?;
            set_strictness(&mut builder, settings)?;
        }
        if let Some(certificate) = &settings.certificate {
            show(&mut builder, certificate, settings)?;
        }
        if let Some(path) = &settings.keylog {
            log_keys(&mut builder, path)?;
        }
        let sessions = if settings.no_resumption {
            builder.set_session_cache_mode(SslSessionCacheMode::OFF);
            Sessions::Forgotten(builder.build())
        } else {
            builder.set_session_cache_size(MOST_SESSIONS); // what goes there leaves hyper-openssl's cache as well
            Sessions::Kept(HttpsLayer::with_connector(builder).map_err(|e| failed("make a TLS context", &e))?)
        };
        Ok(Context { sessions, settings: settings.clone() })
    }
}

fn set_versions(builder: &mut SslConnectorBuilder, settings: &Settings) -> Result<(), Error> {
    let native = |version| match version {
        Version::Tls10 => SslVersion::TLS1,
        Version::Tls11 => SslVersion::TLS1_1,
        Version::Tls12 => SslVersion::TLS1_2,
        Version::Tls13 => SslVersion::TLS1_3,
    };
    let lowest = settings.lowest.unwrap_or(Version::Tls12);
    builder
        .set_min_proto_version(Some(native(lowest)))
        .and_then(|()| builder.set_max_proto_version(settings.highest.map(native)))
        .map_err(|e| failed("set the TLS version", &e))?;
    let usual = if lowest < Version::Tls12 { CIPHERS_OF_OLD } else { CIPHERS };
    let ciphers = settings.ciphers.as_deref().unwrap_or(usual);
    builder.set_cipher_list(ciphers).map_err(|e| failed(&format!("use the ciphers {ciphers}"), &e))?;
    if let Some(suites) = &settings.suites {
        builder
            .set_ciphersuites(suites)
            .map_err(|e| failed(&format!("use the cipher suites {suites}"), &e))?;
    }
    if settings.danger_legacy {
        const LEGACY_SERVER_CONNECT: SslOptions = SslOptions::from_bits_retain(4);
        builder.set_options(LEGACY_SERVER_CONNECT);
    }
    Ok(())
}

fn set_strictness(builder: &mut SslConnectorBuilder, settings: &Settings) -> Result<(), Error> {
    let mut flags = X509VerifyFlags::empty();
    flags.set(X509VerifyFlags::X509_STRICT, settings.strict);
    flags.set(X509VerifyFlags::PARTIAL_CHAIN, !settings.whole_chain);
    builder.verify_param_mut().set_flags(flags).map_err(|e| failed("set how certificates are verified", &e))
}

fn trust(builder: &mut SslConnectorBuilder, roots: &Roots) -> Result<(), Error> {
    let mut store = X509StoreBuilder::new().map_err(|e| failed("make a certificate store", &e))?;
    if let Some(data) = &roots.data {
        for certificate in certificates(data).map_err(|e| failed("read the CA certificates given", &e))? {
            store.add_cert(certificate).map_err(|e| failed("trust a CA certificate given", &e))?;
        }
    }
    let own = roots.platform_store();
    for path in roots.folder.iter().chain(&own.folders) {
        let folder = path
            .to_str()
            .ok_or_else(|| Error::new(Kind::Tls, Phase::Secure, "the CA folder's name is not UTF-8"))?;
        store
            .add_lookup(X509Lookup::hash_dir())
            .and_then(|lookup| lookup.add_dir(folder, SslFiletype::PEM))
            .map_err(|e| unreadable("CA folder", path, &e))?;
    }
    builder.set_cert_store(store.build()); // in the place of one with the platform's
    for path in roots.file.iter().chain(&own.file) {
        builder.set_ca_file(path).map_err(|e| unreadable("CA file", path, &e))?;
    }
    Ok(())
}

fn certificates(data: &[u8]) -> Result<Vec<X509>, ErrorStack> {
    match split_der(data) {
        Some(each) => each.into_iter().map(X509::from_der).collect(),
        None => X509::stack_from_pem(data),
    }
}

/// The client's own certificate: PEM, its key beside it or apart, or PKCS#12.
fn show(builder: &mut SslConnectorBuilder, path: &Path, settings: &Settings) -> Result<(), Error> {
    let data = read("client certificate", path)?;
    let key_path = settings.key.as_deref().unwrap_or(path);
    let (chain, key) = if data.first() == Some(&0x30) {
        from_pkcs12(&data, settings, path)?
    } else {
        let chain = X509::stack_from_pem(&data).map_err(|e| unreadable("client certificate", path, &e))?;
        (chain, None)
    };
    let mut chain = chain.into_iter();
    let Some(own) = chain.next() else {
        return Err(Error::new(
            Kind::Tls,
            Phase::Secure,
            format!("no usable client certificate in {}: there is none", path.display()),
        ));
    };
    let key = match key {
        Some(key) => key,
        None => {
            let data = read("client certificate's key", key_path)?;
            private_key(&data, settings.password.as_deref(), key_path)?
        }
    };
    builder.set_certificate(&own).map_err(|e| unreadable("client certificate", path, &e))?;
    for above in chain {
        builder
            .add_extra_chain_cert(above)
            .map_err(|e| unreadable("client certificate's chain", path, &e))?;
    }
    builder
        .set_private_key(&key)
        .and_then(|()| builder.check_private_key())
        .map_err(|e| unreadable("key that fits the client certificate", key_path, &e))
}

type Identity = (Vec<X509>, Option<PKey<Private>>);

fn from_pkcs12(data: &[u8], settings: &Settings, path: &Path) -> Result<Identity, Error> {
    let wrong = |why: &str| {
        Error::new(Kind::Tls, Phase::Secure, format!("no usable PKCS#12 in {}: {why}", path.display()))
    };
    if settings.key.is_some() {
        return Err(wrong("it has its own key, and another was given"));
    }
    let password = String::from_utf8_lossy(settings.password.as_deref().unwrap_or_default());
    let parsed = Pkcs12::from_der(data)
        .and_then(|read| read.parse2(&password).or_else(|failure| parse_old(&read, &password, failure)))
        .map_err(|e| {
            let locked = e.errors().iter().any(|error| error.reason() == Some("mac verify failure"));
            let what = match (locked, &settings.password) {
                (true, None) => "PKCS#12 without the password",
                (true, Some(_)) => "PKCS#12 for this password",
                (false, _) => "PKCS#12",
            };
            unreadable(what, path, &e)
        })?;
    let key = parsed.pkey.ok_or_else(|| wrong("there is no key in it"))?;
    let above = parsed.ca.into_iter().flatten();
    Ok((parsed.cert.into_iter().chain(above).collect(), Some(key)))
}

/// RC2, with which PKCS#12 was encrypted for twenty years, is apart since OpenSSL 3.
#[cfg(openssl_3)]
fn parse_old(read: &Pkcs12, password: &str, failure: ErrorStack) -> Result<ParsedPkcs12_2, ErrorStack> {
    if !failure.errors().iter().any(|error| error.reason() == Some("unsupported")) {
        return Err(failure);
    }
    match Provider::try_load(None, "legacy", true) {
        Ok(_legacy) => read.parse2(password),
        Err(_) => Err(failure),
    }
}

#[cfg(not(openssl_3))]
fn parse_old(_: &Pkcs12, _: &str, failure: ErrorStack) -> Result<ParsedPkcs12_2, ErrorStack> {
    Err(failure)
}

fn private_key(data: &[u8], password: Option<&[u8]>, path: &Path) -> Result<PKey<Private>, Error> {
    let mut asked = false;
    let key = PKey::private_key_from_pem_callback(data, |space| {
        asked = true;
        let given = password.unwrap_or_default();
        let n = given.len().min(space.len());
        space[..n].copy_from_slice(&given[..n]);
        Ok(n)
    });
    key.map_err(|stack| match (asked, password) {
        (true, None) => unreadable("client certificate's key without the password", path, &stack),
        (true, Some(_)) => unreadable("client certificate's key for this password", path, &stack),
        (false, _) => unreadable("client certificate's key", path, &stack),
    })
}

fn log_keys(builder: &mut SslConnectorBuilder, path: &Path) -> Result<(), Error> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file =
        Mutex::new(file.map_err(|e| Error::io(Phase::Secure, &format!("open {}", path.display()), &e))?);
    builder.set_keylog_callback(move |_, line| {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(file, "{line}"); // nobody could be told
    });
    Ok(())
}

/// A secured connection. Its end is an end only if the peer said so.
#[derive(Debug)]
pub struct TlsStream {
    io: TokioIo<Secured>,
    /// We have said that nothing more comes from us.
    parted: bool,
    pub peer: Arc<Peer>,
}

type Secured = SslStream<TokioIo<Watched>>;

/// What lies below, and whether it has ended. OpenSSL reads no further once it has seen close_notify,
/// so a stream that ended below an ended session means that there was none.
#[derive(Debug)]
struct Watched {
    stream: Stream,
    ended: bool,
}

/// A connector whose connection is there already.
struct Given(Option<Watched>);

impl Service<http::Uri> for Given {
    type Response = TokioIo<Watched>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<Watched>>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        ready(self.0.take().map(TokioIo::new).ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

impl Connection for Watched {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// The handshake, with the server's name checked against its certificate.
///
/// # Errors
/// `TlsVerify` with OpenSSL's verification code, or `Tls`.
pub async fn handshake(
    context: &Context,
    http: Http,
    host: &str,
    port: u16,
    stream: Stream,
) -> Result<TlsStream, Error> {
    let settings = &context.settings;
    let name = settings.server_name.as_deref().unwrap_or(host);
    let names = Names {
        sent: without_dot(name).to_string(),
        checked: (!settings.danger_any_host)
            .then(|| without_dot(settings.verify_name.as_deref().unwrap_or(name)).to_string()),
        verify: !settings.danger_accept_invalid,
        offered: offer(http),
    };
    if names.verify && names.checked.as_ref().is_some_and(String::is_empty) {
        let why = "certificate verify failed: there is no name that it could have";
        return Err(Error::new(Kind::TlsVerify, Phase::Secure, why));
    }
    let checked = names.checked.clone();
    let verdict = Arc::new(Mutex::new(X509VerifyResult::OK));
    let watched = Watched { stream, ended: false };
    let secured = match &context.sessions {
        Sessions::Kept(layer) => resume_or_begin(layer, names, host, port, watched, verdict.clone()).await,
        Sessions::Forgotten(connector) => begin(connector, &names, watched, verdict.clone()).await,
    };
    let secured = secured.map_err(|error| {
        let verdict = *verdict.lock().unwrap_or_else(PoisonError::into_inner);
        told(&*error, verdict, checked.as_deref())
    })?;
    require_pin(secured.ssl(), &settings.pins)?;
    let peer = Arc::new(describe(secured.ssl()));
    Ok(TlsStream { io: TokioIo::new(secured), parted: false, peer })
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn resume_or_begin(
    layer: &HttpsLayer,
    names: Names,
    host: &str,
    port: u16,
    watched: Watched,
    verdict: Arc<Mutex<X509VerifyResult>>,
) -> Result<Secured, Failure> {
    let mut connector = layer.layer(Given(Some(watched)));
    connector.set_callback(move |config, _| configure(config, &names, verdict.clone()));
    // Sessions are kept by what this URL says.
    let uri = format!("https://{}/", authority::join(host, port)).parse()?;
    match connector.call(uri).await? {
        MaybeHttpsStream::Https(secured) => Ok(secured),
        MaybeHttpsStream::Http(_) => Err("there was no handshake".into()),
    }
}

async fn begin(
    connector: &SslConnector,
    names: &Names,
    watched: Watched,
    verdict: Arc<Mutex<X509VerifyResult>>,
) -> Result<Secured, Failure> {
    let mut config = connector.configure()?;
    configure(&mut config, names, verdict)?;
    let mut secured = SslStream::new(config.into_ssl(&names.sent)?, TokioIo::new(watched))?;
    Pin::new(&mut secured).connect().await?;
    Ok(secured)
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Who is asked for, and whose certificate it has to be.
struct Names {
    sent: String,
    checked: Option<String>,
    verify: bool,
    /// ALPN, as it is on the wire.
    offered: Vec<u8>,
}

fn offer(http: Http) -> Vec<u8> {
    let each = super::protocols(http).iter();
    each.flat_map(|name| std::iter::once(name.len() as u8).chain(name.bytes())).collect()
}

fn configure(
    config: &mut ConnectConfiguration,
    names: &Names,
    verdict: Arc<Mutex<X509VerifyResult>>,
) -> Result<(), ErrorStack> {
    // Both are done here: hyper-openssl knows one name only, and takes an IPv6 address for one.
    config.set_use_server_name_indication(false);
    config.set_verify_hostname(false);
    config.set_alpn_protos(&names.offered)?;
    if names.sent.parse::<IpAddr>().is_err() {
        config.set_hostname(&names.sent)?;
    }
    if !names.verify {
        return Ok(());
    }
    if let Some(name) = &names.checked {
        let param = config.param_mut();
        // RFC 9525 section 2: the common name says nothing.
        param.set_hostflags(X509CheckFlags::NO_PARTIAL_WILDCARDS | X509CheckFlags::NEVER_CHECK_SUBJECT);
        match name.parse::<IpAddr>() {
            Ok(address) => param.set_ip(address)?,
            Err(_) => param.set_host(name)?,
        }
    }
    config.set_verify_callback(SslVerifyMode::PEER, move |good, chain| {
        if !good {
            *verdict.lock().unwrap_or_else(PoisonError::into_inner) = chain.error();
        }
        good
    });
    Ok(())
}

/// OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH.
const HOSTNAME_MISMATCH: i32 = 62;
const IP_ADDRESS_MISMATCH: i32 = 64;

fn told(
    error: &(dyn std::error::Error + 'static),
    verdict: X509VerifyResult,
    checked: Option<&str>,
) -> Error {
    if verdict != X509VerifyResult::OK {
        let mut why = format!("certificate verify failed: {}", verdict.error_string());
        if let (HOSTNAME_MISMATCH | IP_ADDRESS_MISMATCH, Some(name)) = (verdict.as_raw(), checked) {
            why = format!("{why}, certificate is not valid for '{name}'");
        }
        return Error::new(Kind::TlsVerify, Phase::Secure, why).with_tls_code(verdict.as_raw());
    }
    let ssl = error.downcast_ref().or_else(|| error.source()?.downcast_ref::<SslError>());
    if let Some(source) = ssl.and_then(SslError::io_error) {
        let mut error = Error::io(Phase::Secure, "the connection broke", source);
        error.kind = Kind::Tls;
        return error;
    }
    match ssl.map(SslError::ssl_error) {
        Some(Some(stack)) => failed("the handshake failed", stack),
        Some(None) => {
            Error::new(Kind::Tls, Phase::Secure, "the server closed the connection during the handshake")
        }
        None => match error.downcast_ref::<ErrorStack>() {
            Some(stack) => failed("prepare the handshake", stack),
            None => Error::new(Kind::Tls, Phase::Secure, error.to_string()).with_chain(chain_of(error)),
        },
    }
}

fn require_pin(ssl: &SslRef, pins: &[Fingerprint]) -> Result<(), Error> {
    let fits = |certificate: &X509, pin: &Fingerprint| match pin {
        Fingerprint::Sha256(digest) => {
            certificate.digest(MessageDigest::sha256()).is_ok_and(|found| found[..] == digest[..])
        }
        Fingerprint::Sha1(digest) => {
            certificate.digest(MessageDigest::sha1()).is_ok_and(|found| found[..] == digest[..])
        }
    };
    let certificate = ssl.peer_certificate();
    if pins.is_empty() || certificate.as_ref().is_some_and(|own| pins.iter().any(|pin| fits(own, pin))) {
        return Ok(());
    }
    let digest = certificate.and_then(|own| own.digest(MessageDigest::sha256()).ok());
    let digits = digest.map_or(String::new(), |found| hex::encode(&found));
    let why = format!("certificate verify failed: fingerprints did not match: it is sha256/{digits}");
    Err(Error::new(Kind::TlsVerify, Phase::Secure, why))
}

fn describe(ssl: &SslRef) -> Peer {
    let der = |certificate: &openssl::x509::X509Ref| certificate.to_der().unwrap_or_default();
    let cipher = ssl.current_cipher();
    Peer {
        chain: match ssl.peer_cert_chain() {
            Some(chain) => chain.iter().map(der).collect(),
            None => ssl.peer_certificate().iter().map(|own| der(own)).collect(),
        },
        version: ssl.version_str().to_string(),
        cipher: cipher.map_or(String::new(), |cipher| cipher.name().to_string()),
        bits: cipher.map_or(0, |cipher| cipher.bits().secret as u32),
        protocol: String::from_utf8_lossy(ssl.selected_alpn_protocol().unwrap_or_default()).into_owned(),
        resumed: ssl.session_reused(),
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Task<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let ended = buf.filled().len() == before && buf.remaining() > 0;
        if ended && self.io.inner().get_ref().inner().ended {
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
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<io::Result<()>> {
        self.parted = true;
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl Drop for TlsStream {
    /// Says goodbye, if the socket takes that at once. OpenSSL resumes no session of a connection that went without.
    fn drop(&mut self) {
        if !self.parted {
            let _ = Pin::new(&mut self.io).poll_shutdown(&mut Task::from_waker(Waker::noop()));
        }
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

fn read(what: &str, path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|e| {
        Error::new(Kind::Tls, Phase::Secure, format!("no usable {what} in {}: {e}", path.display()))
    })
}

fn failed(what: &str, stack: &ErrorStack) -> Error {
    let causes: Vec<String> = stack.errors().iter().map(|e| e.to_string()).collect();
    let why = stack.errors().first().and_then(|e| e.reason()).unwrap_or("unknown reason");
    Error::new(Kind::Tls, Phase::Secure, format!("{what}: {why}")).with_chain(causes)
}

fn unreadable(what: &str, path: &Path, stack: &ErrorStack) -> Error {
    failed(&format!("no usable {what} in {}", path.display()), stack)
}
