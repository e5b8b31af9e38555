//! From a key to a ready connection: resolve → TCP → proxy → TLS → HTTP.

use std::convert::Infallible;
use std::future::{ready, Ready};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::HttpConnector;
use tower_service::Service;

use crate::authority;
use crate::connection::Connection;
use crate::deadline::{Deadline, Phase};
use crate::dial::Dial;
use crate::error::{chain_of, io_beneath, Error, Kind};
use crate::http1;
use crate::http2;
use crate::options::{Http, Options};
use crate::pool::Key;
use crate::process;
use crate::proxy::{Protocol, Proxy};
use crate::runtime::Lane;
use crate::socket::Socket;
use crate::tls;
use crate::tunnel::{self, Place};

static LAST_ID: AtomicU64 = AtomicU64::new(0);

/// Opens a connection to `key`. The current lane drives it from now on.
///
/// # Errors
/// `Dns`, `Refused`, `Connect`, `Proxy`, `Tls`, `TlsVerify`, or `Timeout`, each in its phase.
pub async fn open(
    key: &Key,
    lane: Lane,
    options: &Options,
    deadline: &mut Deadline,
) -> Result<Connection, Error> {
    let (socket, mut stream) = match &key.proxy {
        None => reach(&key.to_string(), &key.host, key.port, lane, &options.dial, deadline).await?,
        Some(proxy) => through(proxy, key, lane, options, deadline).await?,
    };
    if key.secure {
        let (settings, number) = (&*options.tls, options.tls.identity());
        let peer = (&*key.host, key.port);
        stream = secure(settings, number, key.http, &key.to_string(), peer, stream, deadline).await?;
    }
    let id = LAST_ID.fetch_add(1, Ordering::Relaxed) + 1;
    if let Some(peer) = stream.peer().filter(|_| key.secure) {
        process::current().peers.add(id, peer);
    }
    match key.http {
        Http::One => {}
        Http::Negotiated if !stream.chose_http2() => {}
        Http::Two if key.secure && !stream.chose_http2() => {
            let why = format!(
                "TLS handshake with {key}: the server does not offer HTTP/2, and nothing else is allowed"
            );
            return Err(Error::new(Kind::Protocol, Phase::Secure, why));
        }
        _ => {
            let what = || format!("begin HTTP/2 with {key}");
            let begun = http2::Connection::begin(id, socket, stream, options.max_head);
            let begun = deadline.within(Phase::Secure, what, begun).await?;
            return Ok(Connection::Two(begun.map_err(|error| error.about(&what()))?));
        }
    }
    Ok(Connection::One(Box::new(http1::Connection::begin(id, socket, stream).await?)))
}

/// Resolve and TCP. `place` names `host` and `port` in messages.
async fn reach(
    place: &str,
    host: &Arc<str>,
    port: u16,
    lane: Lane,
    choice: &Dial,
    deadline: &mut Deadline,
) -> Result<(Socket, tls::Stream), Error> {
    let addresses = resolve(host, port, deadline).await?;
    let dial = dial(place, host, port, lane, choice, addresses);
    let socket = deadline.within(Phase::Connect, || format!("connect to {place}"), dial).await??;
    Ok((socket.clone(), tls::Stream::Plain(socket)))
}

async fn resolve(host: &Arc<str>, port: u16, deadline: &mut Deadline) -> Result<Vec<SocketAddr>, Error> {
    let process = process::current();
    let resolve = process.resolver.resolve(host, port);
    deadline.within(Phase::Resolve, || format!("resolve {host}"), resolve).await?
}

/// TLS over `stream`, with the one who calls itself `host`; `number` is the settings' identity.
async fn secure(
    settings: &tls::Settings,
    number: u64,
    http: Http,
    place: &str,
    (host, port): (&str, u16),
    stream: tls::Stream,
    deadline: &mut Deadline,
) -> Result<tls::Stream, Error> {
    let context = process::current().tls.get(settings, number)?;
    let what = || format!("TLS handshake with {place}");
    let handshake = tls::handshake(&context, http, host, port, stream);
    let secured = deadline.within(Phase::Secure, what, handshake).await?;
    Ok(tls::Stream::Tls(Box::new(secured.map_err(|error| error.about(&what()))?)))
}

/// To the proxy, and through it where it does not forward requests. What the proxy cannot or will not do is `Proxy`.
async fn through(
    proxy: &Proxy,
    key: &Key,
    lane: Lane,
    options: &Options,
    deadline: &mut Deadline,
) -> Result<(Socket, tls::Stream), Error> {
    let place = format!("proxy {proxy}");
    let reached = reach(&place, &proxy.host, proxy.port, lane, &options.dial, deadline).await;
    let (socket, mut stream) = reached.map_err(|error| error.of_proxy(&format!("connect to {place}")))?;
    if proxy.protocol == Protocol::Https {
        let settings = options.tls.for_proxy();
        let (number, peer) = (settings.identity(), (&*proxy.host, proxy.port));
        let secured = secure(&settings, number, Http::One, &place, peer, stream, deadline).await;
        stream = secured.map_err(|error| error.of_proxy(&format!("TLS handshake with {place}")))?;
    }
    if key.is_forwarded() {
        return Ok((socket, stream));
    }
    let what = || format!("tunnel to {key}");
    let greeted = deadline.within(Phase::Tunnel, what, tunnel::greet(&mut stream, proxy)).await?;
    greeted.map_err(|error| error.of_proxy(&what()))?;
    let destination = match proxy.protocol {
        Protocol::Socks4 | Protocol::Socks5 => resolved_here(proxy, key, deadline).await?,
        _ => Place::of(&key.host),
    };
    let tunnel = tunnel::open(&mut stream, proxy, &destination, key.port, options.max_head);
    let opened = deadline.within(Phase::Tunnel, what, tunnel).await?;
    opened.map_err(|error| error.of_proxy(&what()))?;
    Ok((socket, stream))
}

/// The origin's address, for a proxy that is not to be told its name: of version 4 if there is one, as there is no
/// knowing what the proxy can reach, and no second try.
async fn resolved_here(proxy: &Proxy, key: &Key, deadline: &mut Deadline) -> Result<Place, Error> {
    let found = resolve(&key.host, key.port, deadline).await?;
    let other = found.first().filter(|_| proxy.protocol != Protocol::Socks4);
    match found.iter().find(|address| address.is_ipv4()).or(other) {
        Some(address) => Ok(Place::Address(address.ip())),
        None => {
            let why = format!("resolve {}: no IPv4 address, and {proxy} takes no other", key.host);
            Err(Error::new(Kind::Dns, Phase::Resolve, why))
        }
    }
}

/// TCP, with happy eyeballs (RFC 8305) where there are addresses of both families.
async fn dial(
    place: &str,
    host: &str,
    port: u16,
    lane: Lane,
    choice: &Dial,
    addresses: Vec<SocketAddr>,
) -> Result<Socket, Error> {
    let what = match &addresses[..] {
        [one] if one.ip().to_string() == *host => format!("connect to {place}"),
        [one] => format!("connect to {place} ({one})"),
        more => format!("connect to {place} ({} addresses)", more.len()),
    };
    if !choice.is_plain() {
        let connected = choice.connect(&addresses).await;
        return match connected {
            Ok(stream) => Ok(Socket::new(stream, lane == Lane::Wait)),
            Err(error) => Err(Error::io(Phase::Connect, &what, &error)),
        };
    }
    let uri = format!("http://{}/", authority::join(host, port))
        .parse::<http::Uri>()
        .map_err(|e| Error::caller(Kind::InvalidUrl, e.to_string()))?;
    let mut connector = HttpConnector::new_with_resolver(Found(addresses));
    connector.set_nodelay(true);
    let connected = connector.call(uri).await.map_err(|error| match io_beneath(&error) {
        Some(source) => Error::io(Phase::Connect, &what, source),
        None => {
            Error::new(Kind::Connect, Phase::Connect, format!("{what}: {error}")).with_chain(chain_of(&error))
        }
    })?;
    Ok(Socket::new(connected.into_inner(), lane == Lane::Wait))
}

/// The resolver's answer, in the form HttpConnector asks for.
#[derive(Clone)]
struct Found(Vec<SocketAddr>);

impl Service<Name> for Found {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        ready(Ok(self.0.clone().into_iter()))
    }
}
