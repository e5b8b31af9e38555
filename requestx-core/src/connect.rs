//! From a key to a ready connection: resolve → TCP → TLS → HTTP.

use std::convert::Infallible;
use std::future::{ready, Ready};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;
use tower_service::Service;

use crate::body::send::SendBody;
use crate::deadline::{Deadline, Phase};
use crate::error::{chain_of, io_beneath, Error, Kind};
use crate::options::Options;
use crate::pool::Key;
use crate::process;
use crate::reply::MAX_FIELDS;
use crate::socket::{Pulse, Socket};
use crate::tls;
use crate::wire::{Tap, Wire};

/// A connection that speaks HTTP/1.1.
#[derive(Debug)]
pub struct Connection {
    pub id: u64,
    pub sender: SendRequest<SendBody>,
    pub tap: Tap,
    secure: bool,
    end: End,
}

/// How a connection ends when it is dropped: broken off while an exchange has it (`busy`),
/// closed as the protocol wants it while it is idle.
#[derive(Debug)]
struct End {
    busy: bool,
    socket: Socket,
    /// hyper's side: reads, writes, and ends by itself once the sender is gone.
    task: JoinHandle<()>,
}

/// How long a close may take: TLS says goodbye, nobody waits for the answer.
const GOODBYE: Duration = Duration::from_millis(100);

static LAST_ID: AtomicU64 = AtomicU64::new(0);

/// Opens a connection to `key`. The current lane drives it from now on.
///
/// # Errors
/// `Dns`, `Refused`, `Connect`, `Tls`, `TlsVerify`, or `Timeout`, each in its phase.
pub async fn open(
    key: &Key,
    options: &Options,
    deadline: &mut Deadline,
) -> Result<Connection, Error> {
    let process = process::current();
    let resolve = process.resolver.resolve(&key.host, key.port);
    let addresses = deadline
        .within(Phase::Resolve, || format!("resolve {}", key.host), resolve)
        .await??;
    let socket = deadline
        .within(
            Phase::Connect,
            || format!("connect to {key}"),
            dial(key, addresses),
        )
        .await??;
    let stream = if key.secure {
        let context = process.tls.get(&options.tls)?;
        let handshake = tls::handshake(&context, &key.host, socket.clone());
        let what = || format!("TLS handshake with {key}");
        let secured = deadline.within(Phase::Secure, what, handshake).await?;
        tls::Stream::Tls(Box::new(secured.map_err(|error| error.about(&what()))?))
    } else {
        tls::Stream::Plain(socket.clone())
    };
    let tap = Tap::default();
    let (sender, connection) = http1::Builder::new()
        .max_headers(MAX_FIELDS)
        .handshake(TokioIo::new(Wire::new(stream, tap.clone())))
        .await
        .map_err(|error| {
            Error::new(Kind::Internal, Phase::Connect, error.to_string())
                .with_chain(chain_of(&error))
        })?;
    let task = tokio::spawn(async move {
        let _ = connection.await; // the exchange gets its errors by its own way
    });
    let id = LAST_ID.fetch_add(1, Ordering::Relaxed) + 1;
    Ok(Connection {
        id,
        sender,
        tap,
        secure: key.secure,
        end: End {
            busy: true,
            socket,
            task,
        },
    })
}

/// TCP, with happy eyeballs (RFC 8305) where there are addresses of both families.
async fn dial(key: &Key, addresses: Vec<SocketAddr>) -> Result<Socket, Error> {
    let what = match &addresses[..] {
        [one] if one.ip().to_string() == *key.host => format!("connect to {key}"),
        [one] => format!("connect to {key} ({one})"),
        more => format!("connect to {key} ({} addresses)", more.len()),
    };
    let uri = format!("http://{key}/")
        .parse::<http::Uri>()
        .map_err(|e| Error::caller(Kind::InvalidUrl, e.to_string()))?;
    let mut connector = HttpConnector::new_with_resolver(Found(addresses));
    connector.set_nodelay(true);
    let connected = connector
        .call(uri)
        .await
        .map_err(|error| match io_beneath(&error) {
            Some(source) => Error::io(Phase::Connect, &what, source),
            None => Error::new(Kind::Connect, Phase::Connect, format!("{what}: {error}"))
                .with_chain(chain_of(&error)),
        })?;
    Ok(Socket::new(connected.into_inner()))
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
    /// a POST sent into it could not be repeated.
    pub async fn is_alive(&mut self) -> bool {
        self.end.busy = true;
        match self.end.socket.pulse() {
            Pulse::Gone => return false,
            Pulse::Bytes if !self.secure => return false,
            // Tickets of TLS 1.3, or a goodbye: hyper has to read them to know. Its task runs between the two turns.
            Pulse::Bytes => {
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
            }
            Pulse::Quiet => {}
        }
        !self.sender.is_closed() && self.sender.ready().await.is_ok()
    }

    /// From now on it waits in a pool.
    pub fn rest(&mut self) {
        self.end.busy = false;
    }

    /// Closes as HTTP and TLS want it, after an exchange that was the last.
    pub async fn finish(self) {
        let Connection {
            sender, mut end, ..
        } = self;
        drop(sender);
        if tokio::time::timeout(GOODBYE, &mut end.task).await.is_ok() {
            end.busy = false;
        }
    }

    /// Ends an idle connection that nobody may be driving.
    pub fn hang_up(self) {
        self.end.socket.hang_up();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if self.busy {
            self.task.abort();
            self.socket.hang_up();
        }
    }
}
