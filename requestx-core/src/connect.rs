//! From a key to a ready connection: resolve → TCP → proxy → TLS → HTTP.

use std::convert::Infallible;
use std::future::{poll_fn, ready, Future, Ready};
use std::net::SocketAddr;
use std::pin::{pin, Pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use crate::authority;
use crate::body::send::SendBody;
use crate::deadline::{Deadline, Phase};
use crate::error::{chain_of, io_beneath, Error, Kind};
use crate::options::Options;
use crate::pool::Key;
use crate::process;
use crate::proxy::{Protocol, Proxy};
use crate::runtime::Lane;
use crate::socket::{Pulse, Socket};
use crate::tls;
use crate::tunnel::{self, Place};
use crate::wire::{Tap, Wire};

/// A connection that speaks HTTP/1.1, and is driven by whoever has it: nothing happens on it between two polls.
///
/// So an exchange needs no second task to be woken and to wake it, and dropping the connection closes its socket
/// there and then, on whatever thread.
pub struct Connection {
    pub id: u64,
    pub sender: SendRequest<SendBody>,
    pub tap: Tap,
    /// It answered in HTTP/1.0: hyper speaks that to it from then on, and cannot send a chunked body.
    pub speaks_1_0: bool,
    secure: bool,
    socket: Socket,
    driver: Pin<Box<Driver>>,
    ended: bool,
}

/// hyper's side: reads, writes, and ends by itself once the sender is gone.
type Driver = http1::Connection<TokioIo<Wire<tls::Stream>>, SendBody>;

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
) -> Result<Box<Connection>, Error> {
    let (socket, mut stream) = match &key.proxy {
        None => reach(&key.to_string(), &key.host, key.port, lane, deadline).await?,
        Some(proxy) => through(proxy, key, lane, options, deadline).await?,
    };
    if key.secure {
        stream = secure(&options.tls, &key.to_string(), &key.host, stream, deadline).await?;
    }
    let secure = matches!(stream, tls::Stream::Tls(_));
    let tap = Tap::default();
    let (sender, connection) = http1::Builder::new()
        .handshake(TokioIo::new(Wire::new(stream, tap.clone())))
        .await
        .map_err(|error| {
            Error::new(Kind::Internal, Phase::Connect, error.to_string()).with_chain(chain_of(&error))
        })?;
    let id = LAST_ID.fetch_add(1, Ordering::Relaxed) + 1;
    Ok(Box::new(Connection {
        id,
        sender,
        tap,
        speaks_1_0: false,
        secure,
        socket,
        driver: Box::pin(connection),
        ended: false,
    }))
}

/// Resolve and TCP. `place` names `host` and `port` in messages.
async fn reach(
    place: &str,
    host: &Arc<str>,
    port: u16,
    lane: Lane,
    deadline: &mut Deadline,
) -> Result<(Socket, tls::Stream), Error> {
    let addresses = resolve(host, port, deadline).await?;
    let dial = dial(place, host, port, lane, addresses);
    let socket = deadline.within(Phase::Connect, || format!("connect to {place}"), dial).await??;
    Ok((socket.clone(), tls::Stream::Plain(socket)))
}

async fn resolve(host: &Arc<str>, port: u16, deadline: &mut Deadline) -> Result<Vec<SocketAddr>, Error> {
    let process = process::current();
    let resolve = process.resolver.resolve(host, port);
    deadline.within(Phase::Resolve, || format!("resolve {host}"), resolve).await?
}

/// TLS over `stream`, with the one who calls itself `host`.
async fn secure(
    settings: &tls::Settings,
    place: &str,
    host: &str,
    stream: tls::Stream,
    deadline: &mut Deadline,
) -> Result<tls::Stream, Error> {
    let context = process::current().tls.get(settings)?;
    let what = || format!("TLS handshake with {place}");
    let handshake = tls::handshake(&context, host, stream);
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
    let reached = reach(&place, &proxy.host, proxy.port, lane, deadline).await;
    let (socket, mut stream) = reached.map_err(|error| error.of_proxy(&format!("connect to {place}")))?;
    if proxy.protocol == Protocol::Https {
        let secured = secure(&options.tls.for_proxy(), &place, &proxy.host, stream, deadline).await;
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
    addresses: Vec<SocketAddr>,
) -> Result<Socket, Error> {
    let what = match &addresses[..] {
        [one] if one.ip().to_string() == *host => format!("connect to {place}"),
        [one] => format!("connect to {place} ({one})"),
        more => format!("connect to {place} ({} addresses)", more.len()),
    };
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

impl Connection {
    /// Whether an idle connection can be used again. What the server closed or filled while we were away is not:
    /// a POST sent into it could not be repeated, so then it is `vital` to know.
    pub async fn is_alive(&mut self, vital: bool) -> bool {
        match self.socket.pulse(vital) {
            Pulse::Gone => return false,
            Pulse::Bytes if !self.secure => return false,
            // Tickets of TLS 1.3, or a goodbye: hyper has to read them to know, once the driver has told of them.
            Pulse::Bytes => {
                tokio::task::yield_now().await;
                self.socket.look_again();
                self.turn().await;
            }
            Pulse::Quiet => {}
        }
        self.is_idle().await
    }

    /// Whether it is done with the last exchange, both ways, and could take another.
    pub async fn is_idle(&mut self) -> bool {
        if !self.sender.is_ready() {
            self.turn().await;
        }
        !self.ended && self.sender.is_ready()
    }

    /// Drives the connection until the request has been sent whole, or cannot be.
    pub async fn send_rest(&mut self) {
        poll_fn(|cx| {
            self.poll(cx);
            if self.ended || self.tap.sent().is_some() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Drives the connection for as long as `work`, which waits for it, takes.
    pub async fn drive<F: Future>(&mut self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.poll(cx);
            let mut output = work.as_mut().poll(cx);
            if output.is_pending() && self.socket.reads_at_once() {
                self.poll(cx);
                output = work.as_mut().poll(cx);
            }
            output
        })
        .await
    }

    /// Closes as HTTP and TLS want it, after an exchange that was the last; what cannot be said at once is not said.
    pub async fn finish(self) {
        let Connection { sender, mut driver, ended, .. } = self;
        drop(sender);
        if !ended {
            poll_fn(|cx| {
                let _ = driver.as_mut().poll(cx);
                Poll::Ready(())
            })
            .await;
        }
    }

    async fn turn(&mut self) {
        poll_fn(|cx| {
            self.poll(cx);
            Poll::Ready(())
        })
        .await;
    }

    fn poll(&mut self, cx: &mut Context<'_>) {
        // An error is not lost: it reaches the exchange through its own end of the connection.
        self.ended = self.ended || self.driver.as_mut().poll(cx).is_ready();
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = if self.ended { "ended" } else { "open" };
        write!(f, "Connection({}, HTTP/1.1{}, {state})", self.id, if self.secure { " over TLS" } else { "" })
    }
}
