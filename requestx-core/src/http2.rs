//! A connection that speaks HTTP/2 and serves many exchanges at a time.
//!
//! Its driver is a task of its lane: in the background it always runs, in the wait lane whenever somebody waits.
//! So in the wait lane it hears nothing between two calls, and is given a turn before it is used again.
//!
//! h2, which hyper stands on, does frames, flow control and floods of either. hyper's own layer above it shows no
//! informational heads, so it is left out: what it adds is a body's way out (`Upload`), and its way in (`Incoming`).
//! What is decided here is who may still come on board.

use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{ready, Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use h2::client::{self, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body::{Body as _, Frame};
use tokio::sync::Notify;

use crate::body::send::SendBody;
use crate::deadline::Phase;
use crate::error::{code_of, Error, Fault, Kind};
use crate::head::{size_over_http2, too_long, too_many_before, Head, INFORMATIONAL};
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
/// What h2 keeps of bodies that the socket has not taken: what is in there counts as sent.
const SEND_BUFFER: usize = 128 * 1024;
/// A connection that ended while nobody drove it says so within that many turns of its task.
const TURNS: usize = 5;

/// A handle on a connection: the pool's own, or one exchange's seat.
pub struct Connection {
    sender: SendRequest<Bytes>,
    /// Of the exchange whose seat this is.
    pub tap: Tap,
    /// What the socket had heard when the exchange was begun.
    heard: u64,
    /// Let go of after the sender.
    hold: Hold,
}

/// A handle's part in what is shared.
#[derive(Debug)]
struct Hold {
    shared: Arc<Shared>,
    /// Of one exchange in the count.
    seat: Option<Tap>,
}

impl Drop for Hold {
    /// What is left of the request is not wanted any more; and the connection may not be, either.
    fn drop(&mut self) {
        if let Some(tap) = &self.seat {
            tap.let_go();
            self.shared.leave();
        }
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
    fn leave(&self) {
        let others = self.seats.fetch_sub(1, Ordering::AcqRel) - 1;
        if others == 0 && self.allowed.load(Ordering::Acquire) == 0 {
            self.over.store(true, Ordering::Release); // who allows none is not waited for
        }
        self.greeted.notify_one();
    }

    /// Has the driver look whether it is of any more use: h2 does not always wake it when the last sender has gone.
    fn look(&self) {
        if let Some(driver) = &*self.driver.lock().unwrap_or_else(PoisonError::into_inner) {
            driver.wake_by_ref();
        }
    }

    fn poll(&self, driver: &mut Driver, cx: &mut Context<'_>) -> Poll<()> {
        // Before it looks itself, so that nobody leaves unseen.
        *self.driver.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        // How it ends is of no interest here: its exchanges are told by their own ends.
        let polled = Pin::new(&mut *driver).poll(cx).map(drop);
        let allowed = driver.max_concurrent_send_streams();
        self.allowed.store(allowed, Ordering::Release);
        if allowed != UNTOLD || polled.is_ready() {
            self.greeted.notify_one();
        }
        polled
    }
}

/// h2's side, which reads and writes, and ends by itself once all senders are gone.
type Driver = client::Connection<tls::Stream, Bytes>;

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
        let (sender, mut driver) = client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(u32::try_from(max_head).unwrap_or(u32::MAX))
            .max_send_buffer_size(SEND_BUFFER)
            .initial_max_send_streams(UNTOLD)
            .enable_push(false)
            .handshake::<_, Bytes>(stream)
            .await
            .map_err(|error| Error::of_fault(Phase::Secure, "begin HTTP/2", &error))?;
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
            *watched.driver.lock().unwrap_or_else(PoisonError::into_inner) = None;
        });
        Ok(Connection::of(sender, shared).seated())
    }

    pub fn id(&self) -> u64 {
        self.hold.shared.id
    }

    fn of(sender: SendRequest<Bytes>, shared: Arc<Shared>) -> Connection {
        Connection { sender, tap: Tap::default(), heard: 0, hold: Hold { shared, seat: None } }
    }

    /// The pool's handle: it keeps the connection, and takes no seat.
    pub fn keeper(&self) -> Connection {
        Connection::of(self.sender.clone(), self.hold.shared.clone())
    }

    fn seated(mut self) -> Connection {
        self.hold.shared.seats.fetch_add(1, Ordering::AcqRel);
        self.hold.seat = Some(self.tap.clone());
        self
    }

    /// Waits until the server has said how many exchanges it allows: its SETTINGS come first.
    pub async fn greeted(&self) {
        self.hold.shared.greeted.notified().await;
    }

    /// A seat for one exchange, if there is one left.
    pub fn share(&self) -> Option<Connection> {
        self.has_room().then(|| self.keeper().seated())
    }

    pub fn has_room(&self) -> bool {
        let seats = self.hold.shared.allowed.load(Ordering::Acquire).min(SEATS);
        !self.is_over() && self.hold.shared.seats.load(Ordering::Acquire) < seats
    }

    pub fn is_unused(&self) -> bool {
        self.hold.shared.seats.load(Ordering::Acquire) == 0
    }

    /// It takes no more exchanges: ended, or told to go away.
    pub fn is_over(&self) -> bool {
        // Who is told to go away hears of it from then on.
        let told = || self.sender.clone().poll_ready(&mut Context::from_waker(Waker::noop()));
        self.hold.shared.over.load(Ordering::Acquire) || matches!(told(), Poll::Ready(Err(_)))
    }

    /// Why the server said that it goes away, where that was an error.
    pub fn farewell(&self) -> Option<String> {
        match self.sender.clone().poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(error)) if error.is_go_away() && error.is_remote() => {
                error.reason().filter(|reason| *reason != Reason::NO_ERROR).map(code_of)
            }
            _ => None,
        }
    }

    /// Nobody comes on board any more.
    pub fn retire(&self) {
        self.hold.shared.over.store(true, Ordering::Release);
    }

    /// Nobody comes on board any more if nothing has come since the exchange was begun.
    pub fn retire_if_silent(&self) {
        if self.hold.shared.socket.heard() == self.heard {
            self.retire();
        }
    }

    /// Whether it can still be used, after giving its driver a turn where there is something to hear.
    pub async fn is_alive(&self, vital: bool) -> bool {
        match self.hold.shared.socket.pulse(vital) {
            Pulse::Quiet => {}
            Pulse::Gone => self.retire(),
            Pulse::Bytes => {
                // The first turn tells the runtime of the bytes, the second lets the driver read them.
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

    /// Sends `plan`'s request on a stream of its own, and waits for the head of the answer.
    ///
    /// # Errors
    /// `InvalidUrl`, `InvalidHeader`: HTTP/2 cannot say it.
    pub fn dispatch<'a>(
        &'a mut self,
        plan: &'a Plan,
        now: Instant,
    ) -> Result<impl Future<Output = Result<(Head, Incoming), Refusal>> + 'a, Error> {
        let head = head_of(plan)?;
        self.tap.arm_stream(plan.options.limits.pace, now);
        self.heard = self.hold.shared.socket.heard();
        let body = SendBody::over_stream(&plan.body, &self.tap, plan.expects);
        let Connection { sender, tap, .. } = self;
        Ok(async move {
            poll_fn(|cx| sender.poll_ready(cx)).await.map_err(Refusal::unsent)?;
            let ends = body.is_end_stream();
            let sent = sender.send_request(Request::from_parts(head, ()), ends);
            let (response, stream) = sent.map_err(Refusal::unsent)?;
            if !ends {
                Upload { stream, body, tap: tap.clone(), piece: None }.begin().await;
            }
            let answer = Answer { response, max_head: plan.options.max_head, tap };
            answer.head().await.map_err(|fault| Refusal { fault, unsent: false })
        })
    }
}

/// Why a request got no answer.
pub struct Refusal {
    pub fault: Fault,
    /// Nothing of it has left.
    pub unsent: bool,
}

impl Refusal {
    /// One that h2 did not take: because the connection is over, or because it cannot be said.
    fn unsent(error: h2::Error) -> Refusal {
        Refusal { unsent: error.is_go_away() || error.is_io(), fault: error.into() }
    }
}

/// An answer that is waited for.
struct Answer<'a> {
    response: ResponseFuture,
    max_head: usize,
    tap: &'a Tap,
}

impl Answer<'_> {
    /// Its final head, and the body; dropped before that it cancels its stream.
    async fn head(mut self) -> Result<(Head, Incoming), Fault> {
        let (mut before, mut passed) = (Vec::new(), 0);
        let mut take = |status: StatusCode, fields: &HeaderMap| {
            passed += size_over_http2(fields);
            if passed > self.max_head {
                return Err(too_long(self.max_head));
            }
            Head::of_http2(status, fields)
        };
        while let Some(interim) = poll_fn(|cx| self.response.poll_informational(cx)).await {
            let interim = interim?;
            match interim.status() {
                StatusCode::SWITCHING_PROTOCOLS => return Err(no_switch().into()),
                StatusCode::CONTINUE => self.tap.may_continue(),
                _ => {}
            }
            before.push(take(interim.status(), interim.headers())?);
            if before.len() > INFORMATIONAL {
                return Err(too_many_before().into());
            }
        }
        let answer = self.response.await?;
        self.tap.is_answered();
        let mut head = take(answer.status(), answer.headers())?;
        head.before = before;
        let length = answer.headers().get(CONTENT_LENGTH);
        let left = length.and_then(|length| length.to_str().ok()?.parse().ok());
        Ok((head, Incoming { stream: answer.into_body(), left }))
    }
}

/// RFC 9113 section 8.6: there is nothing else that a stream could speak.
fn no_switch() -> Error {
    let why = "the server switched protocols (101), for which HTTP/2 has no word";
    Error::new(Kind::Protocol, Phase::Await, why)
}

/// A body on its way out, in pieces for which there is room.
struct Upload {
    stream: SendStream<Bytes>,
    body: SendBody,
    tap: Tap,
    /// Taken from the body, and not sent.
    piece: Option<Bytes>,
}

impl Upload {
    /// Sends what there is room for, and leaves the rest to a task of its own: the answer may begin before its end.
    async fn begin(mut self) {
        if poll_fn(|cx| Poll::Ready(Pin::new(&mut self).poll(cx))).await.is_pending() {
            tokio::spawn(self);
        }
    }

    /// Ends when all is sent, or none of it is wanted any more.
    fn poll_on(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        loop {
            if self.tap.is_let_go(cx) {
                return Poll::Ready(Err("it is of no use any more".into()));
            }
            if self.stream.poll_reset(cx)?.is_ready() {
                return Poll::Ready(Ok(())); // by the server, and the answer tells
            }
            if self.piece.is_none() {
                let frame = ready!(Pin::new(&mut self.body).poll_frame(cx)).transpose()?;
                self.piece = frame.and_then(|frame| frame.into_data().ok());
            }
            // Only what is there asks for room: others could use it meanwhile.
            let wanted = self.piece.as_ref().map_or(0, Bytes::len);
            self.stream.reserve_capacity(wanted);
            while wanted > 0 && self.stream.capacity() == 0 {
                if ready!(self.stream.poll_capacity(cx)).transpose()?.is_none() {
                    return Poll::Ready(Ok(()));
                }
            }
            // No more than that: what h2 keeps for want of room would count as sent, and perhaps nobody drives it then.
            let room = self.stream.capacity().min(wanted);
            let part = self.piece.as_mut().map(|piece| piece.split_to(room)).unwrap_or_default();
            self.piece.take_if(|piece| piece.is_empty());
            let ends = self.piece.is_none() && (wanted == 0 || self.body.is_end_stream());
            self.stream.send_data(part, ends)?;
            if ends {
                self.tap.body_given();
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl Future for Upload {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if ready!(self.poll_on(cx)).is_err() {
            self.stream.send_reset(Reason::CANCEL); // to one that has ended this says nothing
        }
        Poll::Ready(())
    }
}

/// A body on its way in.
#[derive(Debug)]
pub struct Incoming {
    stream: RecvStream,
    /// What is still to come, where the server has said so; h2 sees to it that it does.
    left: Option<u64>,
}

impl Incoming {
    /// The next frame of it.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if let Some(data) = ready!(self.stream.poll_data(cx)?) {
            let _ = self.stream.flow_control().release_capacity(data.len()); // of a stream that may have ended
            self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        self.stream
            .poll_trailers(cx)
            .map(|trailers| trailers.map(|some| some.map(Frame::trailers)).transpose())
    }

    pub fn has_ended(&self) -> bool {
        self.stream.is_end_stream()
    }

    pub fn left(&self) -> Option<u64> {
        if self.has_ended() {
            Some(0)
        } else {
            self.left
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = if self.is_over() { "over" } else { "open" };
        let seats = self.hold.shared.seats.load(Ordering::Acquire);
        write!(f, "Connection({}, HTTP/2, {state}, {seats} exchanges)", self.hold.shared.id)
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
