//! From a key to a ready connection: resolve → TCP → proxy → TLS → HTTP.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use crate::authority;
use crate::connection::Connection;
use crate::deadline::{Deadline, Phase};
use crate::dial::connect_unix;
use crate::error::{Error, Kind};
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
        None => reach(&key.to_string(), &key.host, key.port, lane, options, deadline).await?,
        Some(proxy) => through(proxy, key, lane, options, deadline).await?,
    };
    if key.secure {
        let (settings, number) = (&*options.tls, options.tls.identity());
        let peer = (authority::without_zone(&key.host), key.port);
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
            let begun = http2::Connection::begin(id, socket, stream, key.max_head);
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
    options: &Options,
    deadline: &mut Deadline,
) -> Result<(Socket, tls::Stream), Error> {
    let dial = &options.dial;
    let stream = if let Some(path) = &dial.unix {
        let what = || format!("connect to {place} ({})", path.display());
        let connected = deadline.within(Phase::Connect, what, connect_unix(path)).await?;
        connected.map_err(|error| Error::io(Phase::Connect, &what(), &error))?
    } else {
        let addresses = resolve(host, port, options, deadline).await?;
        let addresses = dial.guard.permit(place, addresses)?;
        let what = || match &addresses[..] {
            [one] if one.ip().to_string() == **host => format!("connect to {place}"),
            [one] => format!("connect to {place} ({one})"),
            more => format!("connect to {place} ({} addresses)", more.len()),
        };
        let connected = deadline.within(Phase::Connect, what, dial.connect(&addresses)).await;
        let connected =
            connected.and_then(|done| done.map_err(|error| Error::io(Phase::Connect, &what(), &error)));
        connected.inspect_err(|_| process::current().resolver.forget(host))?
    };
    let socket = Socket::new(stream, lane == Lane::Wait);
    Ok((socket.clone(), tls::Stream::Plain(socket)))
}

/// What the caller says the addresses are, or what the resolver does.
async fn resolve(
    host: &Arc<str>,
    port: u16,
    options: &Options,
    deadline: &mut Deadline,
) -> Result<Vec<SocketAddr>, Error> {
    if let Some(named) = options.dial.addresses_of(host, port) {
        return Ok(named);
    }
    let process = process::current();
    let resolve = process.resolver.resolve(host, port, options.names_live);
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
    let reached = reach(&place, &proxy.host, proxy.port, lane, options, deadline).await;
    let (socket, mut stream) = reached.map_err(|error| error.of_proxy(&format!("connect to {place}")))?;
    if proxy.protocol == Protocol::Https {
        let settings = options.tls_of_proxy();
        let (number, peer) = (proxy.tls, (authority::without_zone(&proxy.host), proxy.port));
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
        Protocol::Socks4 | Protocol::Socks5 => resolved_here(proxy, key, options, deadline).await?,
        _ => Place::of(authority::without_zone(&key.host)),
    };
    let tunnel = tunnel::open(&mut stream, proxy, &destination, key.port, options.max_head, key.secure);
    let opened = deadline.within(Phase::Tunnel, what, tunnel).await?;
    opened.map_err(|error| error.of_proxy(&what()))?;
    Ok((socket, stream))
}

/// The origin's address, for a proxy that is not to be told its name: of version 4 if there is one, as there is no
/// knowing what the proxy can reach, and no second try.
async fn resolved_here(
    proxy: &Proxy,
    key: &Key,
    options: &Options,
    deadline: &mut Deadline,
) -> Result<Place, Error> {
    let found = resolve(&key.host, key.port, options, deadline).await?;
    let found = options.dial.guard.permit(&key.to_string(), found)?;
    let other = found.first().filter(|_| proxy.protocol != Protocol::Socks4);
    match found.iter().find(|address| address.is_ipv4()).or(other) {
        Some(address) => Ok(Place::Address(address.ip())),
        None => {
            let why = format!("resolve {}: no IPv4 address, and {proxy} takes no other", key.host);
            Err(Error::new(Kind::Dns, Phase::Resolve, why))
        }
    }
}
