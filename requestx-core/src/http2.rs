//! A connection that speaks HTTP/2 and serves many exchanges at a time.
//!
//! Its driver is a task of its lane: in the background it always runs, in the wait lane whenever somebody waits.
//! So in the wait lane it hears nothing between two calls, and is given a turn before it is used again.
//!
//! hyper and h2 do flow control, and withstand floods of frames; what is decided here is who may still come on board.

use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use http::header::{CONNECTION, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Uri};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper::client::conn::TrySendError;
use hyper::Response;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::Notify;

use crate::body::send::SendBody;
use crate::deadline::Phase;
use crate::error::{Error, Kind};
use crate::plan::Plan;
use crate::socket::{Pulse, Socket};
use crate::tls;
use crate::wire::Tap;

/// Exchanges on one connection at a time; beyond that another is opened. Most servers allow 100 to 256.
pub const SEATS: usize = 100;
/// What h2 goes by until the server has said how many it allows: no number that servers say.
const UNTOLD: usize = SEATS - 1;
/// What a server may send of one answer before it is read: enough for one that is far away, or fast.
const STREAM_WINDOW: u32 = 2 * 1024 * 1024;
/// And of all together: as much as all of them may have, or a few that nobody reads would stop the others for good.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * SEATS as u32;
/// What hyper keeps of bodies that the socket has not taken: what is in there counts as sent.
const SEND_BUFFER: usize = 128 * 1024;
/// A connection that ended while nobody drove it says so within that many turns of its tasks.
const TURNS: usize = 5;

/// A handle on a connection: the pool's own, or one exchange's seat.
pub struct Connection {
    shared: Arc<Shared>,
    sender: SendRequest<SendBody>,
    /// Of the exchange whose seat this is.
    pub tap: Tap,
    /// What the socket had heard when the exchange was begun.
    heard: u64,
    _seat: Option<Seat>,
}

/// One exchange in the count.
#[derive(Debug)]
struct Seat {
    shared: Arc<Shared>,
    tap: Tap,
}

impl Seat {
    fn take(shared: &Arc<Shared>, tap: &Tap) -> Option<Seat> {
        shared.seats.fetch_add(1, Ordering::AcqRel);
        Some(Seat { shared: shared.clone(), tap: tap.clone() })
    }
}

impl Drop for Seat {
    /// What is left of the request is not wanted any more.
    fn drop(&mut self) {
        self.tap.let_go();
        let others = self.shared.seats.fetch_sub(1, Ordering::AcqRel) - 1;
        if others == 0 && self.shared.allowed.load(Ordering::Acquire) == 0 {
            self.shared.over.store(true, Ordering::Release); // who allows none is not waited for
        }
        self.shared.greeted.notify_one();
        self.shared.look();
    }
}

#[derive(Debug)]
struct Shared {
    id: u64,
    socket: Socket,
    seats: AtomicUsize,
    /// How many the server allows, as far as it has said.
    allowed: AtomicUsize,
    /// It has said so, or there is no more sense in waiting for that.
    greeted: Notify,
    over: AtomicBool,
    driver: Mutex<Option<Waker>>,
}

impl Shared {
    /// Has the driver look what the server has said meanwhile: hyper wakes it for requests only.
    fn look(&self) {
        if let Some(driver) = self.driver.lock().unwrap_or_else(PoisonError::into_inner).take() {
            driver.wake();
        }
    }

    fn poll(&self, driver: &mut Driver, cx: &mut Context<'_>) -> Poll<()> {
        // How it ends is of no interest here: its exchanges are told by their own ends.
        let polled = Pin::new(&mut *driver).poll(cx).map(drop);
        let allowed = driver.current_max_send_streams();
        self.allowed.store(allowed, Ordering::Release);
        if allowed == UNTOLD && polled.is_pending() {
            self.socket.listen(cx);
        } else {
            self.greeted.notify_one();
        }
        *self.driver.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        polled
    }
}

/// hyper's side, which takes requests and ends by itself once all senders are gone.
type Driver = http2::Connection<TokioIo<tls::Stream>, SendBody, TokioExecutor>;

impl Connection {
    /// Begins HTTP/2 over `stream`, which stands on `socket`; the current lane drives it.
    ///
    /// # Errors
    /// `Io`, `Reset`, `Protocol`: the preface could not be exchanged.
    pub async fn begin(
        id: u64,
        socket: Socket,
        stream: tls::Stream,
        max_head: usize,
    ) -> Result<Connection, Error> {
        let (sender, mut driver) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(u32::try_from(max_head).unwrap_or(u32::MAX))
            .max_send_buf_size(SEND_BUFFER)
            .initial_max_send_streams(UNTOLD)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Error::hyper(Phase::Secure, "begin HTTP/2", &error))?;
        let shared = Arc::new(Shared {
            id,
            socket,
            seats: AtomicUsize::new(0),
            allowed: AtomicUsize::new(UNTOLD),
            greeted: Notify::new(),
            over: AtomicBool::new(false),
            driver: Mutex::new(None),
        });
        let watched = shared.clone();
        tokio::spawn(async move {
            poll_fn(|cx| watched.poll(&mut driver, cx)).await;
            watched.over.store(true, Ordering::Release);
        });
        Ok(Connection { shared, sender, tap: Tap::default(), heard: 0, _seat: None }.seated())
    }

    pub fn id(&self) -> u64 {
        self.shared.id
    }

    /// The pool's handle: it keeps the connection, and takes no seat.
    pub fn keeper(&self) -> Connection {
        Connection {
            shared: self.shared.clone(),
            sender: self.sender.clone(),
            tap: Tap::default(),
            heard: 0,
            _seat: None,
        }
    }

    fn seated(mut self) -> Connection {
        self._seat = Seat::take(&self.shared, &self.tap);
        self
    }

    /// Waits until the server has said how many exchanges it allows: its SETTINGS come first.
    pub async fn greeted(&self) {
        self.shared.greeted.notified().await;
    }

    /// A seat for one exchange, if there is one left.
    pub fn share(&self) -> Option<Connection> {
        self.has_room().then(|| self.keeper().seated())
    }

    pub fn has_room(&self) -> bool {
        let seats = self.shared.allowed.load(Ordering::Acquire).min(SEATS);
        !self.is_over() && self.shared.seats.load(Ordering::Acquire) < seats
    }

    pub fn is_unused(&self) -> bool {
        self.shared.seats.load(Ordering::Acquire) == 0
    }

    /// It takes no more exchanges: ended, or told to go away.
    pub fn is_over(&self) -> bool {
        self.shared.over.load(Ordering::Acquire) || self.sender.is_closed()
    }

    /// Nobody comes on board any more.
    pub fn retire(&self) {
        self.shared.over.store(true, Ordering::Release);
    }

    /// Nobody comes on board any more if nothing has come since the exchange was begun.
    pub fn retire_if_silent(&self) {
        if self.shared.socket.heard() == self.heard {
            self.retire();
        }
    }

    /// Whether it can still be used, after giving its driver a turn where there is something to hear.
    pub async fn is_alive(&self, vital: bool) -> bool {
        match self.shared.socket.pulse(vital) {
            Pulse::Quiet => {}
            Pulse::Gone => self.retire(),
            Pulse::Bytes => {
                // The first turn tells the runtime of the bytes, the second lets hyper read them; after a goodbye
                // each of its tasks needs one more.
                for _ in 0..TURNS {
                    tokio::task::yield_now().await;
                    if self.is_over() {
                        break;
                    }
                }
            }
        }
        !self.is_over()
    }

    /// Sends `plan`'s request on a stream of its own.
    ///
    /// # Errors
    /// `InvalidUrl`, `InvalidHeader`: HTTP/2 cannot say it.
    pub fn dispatch(
        &mut self,
        plan: &Plan,
        now: Instant,
    ) -> Result<impl Future<Output = Result<Response<Incoming>, TrySendError<Request<SendBody>>>>, Error>
    {
        let head = head_of(plan)?;
        self.tap.arm_stream(plan.options.limits.pace, now);
        self.heard = self.shared.socket.heard();
        let body = SendBody::over_stream(&plan.body, &self.tap);
        Ok(self.sender.try_send_request(Request::from_parts(head, body)))
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = if self.is_over() { "over" } else { "open" };
        let seats = self.shared.seats.load(Ordering::Acquire);
        write!(f, "Connection({}, HTTP/2, {state}, {seats} exchanges)", self.shared.id)
    }
}

/// The plan's head, read back into what HTTP/2 has in its place (RFC 9113 section 8.3).
fn head_of(plan: &Plan) -> Result<Parts, Error> {
    let mut lines = plan.head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
    let target = lines.next().unwrap_or_default().split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let fields = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        Some((&line[..colon], line[colon + 1..].trim_ascii_start()))
    });
    let (mut head, ()) = Request::new(()).into_parts();
    let mut authority = &b""[..];
    let mut hop = vec![CONNECTION, HOST, TRANSFER_ENCODING, UPGRADE, KEEP_ALIVE, PROXY_CONNECTION];
    for (name, value) in fields.clone() {
        if name.eq_ignore_ascii_case(b"host") {
            authority = value;
        }
        if name.eq_ignore_ascii_case(b"connection") {
            hop.extend(
                value.split(|b| *b == b',').filter_map(|t| HeaderName::from_bytes(t.trim_ascii()).ok()),
            );
        }
    }
    for (name, value) in fields {
        let refuse = || Error::caller(Kind::InvalidHeader, format!("invalid header {:?}", text(name)));
        let name = HeaderName::from_bytes(name).map_err(|_| refuse())?;
        if !hop.contains(&name) && (name != TE || value == b"trailers") {
            head.headers.append(name, HeaderValue::from_bytes(value).map_err(|_| refuse())?);
        }
    }
    head.method = plan.method.clone();
    head.uri = Uri::builder()
        .scheme(if plan.key.secure { "https" } else { "http" })
        .authority(authority)
        .path_and_query(target)
        .build()
        .map_err(|why| Error::caller(Kind::InvalidUrl, format!("{} over HTTP/2: {why}", plan.url)))?;
    Ok(head)
}

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Outgoing;

    fn head(text: &str, fields: usize) -> Parts {
        let plan = Plan::parse(text.as_bytes(), fields, Outgoing::Empty, Arc::default(), false).unwrap();
        head_of(&plan).unwrap()
    }

    #[test]
    fn the_head_is_what_http_1_would_have_sent_without_what_concerns_the_connection() {
        let lines = [
            "GET",
            "https://a.example:8443/p?q=1",
            "X-One",
            "1",
            "x-one",
            "2",
            "Connection",
            "close, X-Hop",
            "X-Hop",
            "1",
            "TE",
            "gzip",
            "Keep-Alive",
            "5",
        ];
        let head = head(&lines.join("\n"), 6);

        assert_eq!("https://a.example:8443/p?q=1", head.uri.to_string());
        let fields: Vec<_> =
            head.headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
        assert_eq!(vec!["x-one: 1", "x-one: 2"], fields);
    }

    #[test]
    fn a_host_of_the_callers_is_the_authority() {
        assert_eq!("b.example", head("GET\nhttps://a.example/\nHost\nb.example", 1).uri.authority().unwrap());
    }
}
