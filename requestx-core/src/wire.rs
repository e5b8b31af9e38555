//! The bytes of one HTTP/1 connection, seen between hyper and the socket (above TLS).
//!
//! hyper lower-cases header names, keeps its own order, and hides how the server spelt its own.
//! So heads are exchanged as they pass: the request head that hyper writes for the caller's, and the server's for one
//! that tells hyper how the body is framed (`head.rs`). Informational heads go no further than here.
//! `Tap` is the exchange's end of it: `arm` before each dispatch, `take_head` after the answer.
//!
//! The rule that keeps this honest: framing is hyper's. If its Content-Length or Transfer-Encoding is not what the
//! caller's head says, nothing is sent.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{ready, Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::deadline::{Meter, Pace, Phase};
use crate::error::{Error, Kind};
use crate::head::{too_long, too_many_before, Head, INFORMATIONAL};

/// Body bytes that travel in one write with the head, at most.
const TOGETHER: usize = 16 * 1024;
/// Read at once while a head is expected: most responses are shorter, head and body together.
const SPACE: usize = 8 * 1024;

/// The exchange's view of the wire.
#[derive(Debug, Clone, Default)]
pub struct Tap(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    to_send: Option<Ours>,
    /// An exchange has begun and nothing of its answer has been read.
    expecting: bool,
    answers_head: bool,
    head: Option<Head>,
    /// The final head has come, whoever has it now.
    answered: bool,
    /// The peer takes nothing more.
    broken: bool,
    /// A 100 has come.
    continued: bool,
    /// The body is held back until one of the two, or until it has waited long enough.
    held: bool,
    holder: Option<Waker>,
    max_head: usize,
    body_given: bool,
    /// No wire is between: hyper's word is all there is.
    stream: bool,
    /// The exchange is over, or hyper wants no more: nobody waits for the rest of the body.
    let_go: bool,
    /// hyper's task that sends the body.
    sender: Option<Waker>,
    /// Who waits until the request is out.
    waiter: Option<Waker>,
    sent: Option<Instant>,
    progress: Option<Instant>,
    meter: Option<Box<Meter>>,
    received: u64,
    written: u64,
}

/// The caller's head, and what it says of the body.
#[derive(Debug)]
pub struct Ours {
    /// Request line and fields, without the blank line.
    pub head: Bytes,
    /// Content-Length and Transfer-Encoding, where they are in it.
    pub length: Option<HeaderValue>,
    pub coding: Option<HeaderValue>,
    /// A body follows, so one of the two has to be there in the end.
    pub has_body: bool,
    /// The method is HEAD: the answer has no body.
    pub asks_for_head: bool,
}

/// Byte counts of the exchange so far, framing included.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub written: u64,
    pub received: u64,
}

impl Tap {
    /// Prepares for one exchange: `ours` will replace hyper's head, and the answer's head be kept.
    pub fn arm(&self, ours: Ours, max_head: usize, pace: Pace, now: Instant) {
        *self.lock() = State {
            answers_head: ours.asks_for_head,
            to_send: Some(ours),
            expecting: true,
            max_head,
            progress: Some(now),
            meter: pace.meter(now),
            ..State::default()
        };
    }

    /// Prepares for an exchange over HTTP/2, which has no head to be replaced.
    pub fn arm_stream(&self, pace: Pace, now: Instant) {
        *self.lock() =
            State { stream: true, progress: Some(now), meter: pace.meter(now), ..State::default() };
    }

    /// Bytes of the body that hyper has taken; a wire counts itself.
    pub fn given(&self, bytes: usize) {
        let mut state = self.lock();
        state.resume();
        if state.stream {
            state.wrote(bytes);
        }
    }

    /// hyper waits for the next of the body, and so it is not the server that is waited for.
    pub fn starves(&self) {
        if let Some(meter) = &mut self.lock().meter {
            meter.pause(Instant::now());
        }
    }

    /// Whether the request keeps its pace, and when to look again.
    ///
    /// # Errors
    /// `Timeout` in Send: it does not.
    pub fn check_pace(&self, what: &str, now: Instant) -> Result<Option<Instant>, Error> {
        self.lock().meter.as_ref().map_or(Ok(None), |meter| meter.check(Phase::Send, what, now))
    }

    /// Bytes of the body that hyper has handed over; a wire counts itself.
    pub fn taken(&self, bytes: usize) {
        let mut state = self.lock();
        if state.stream {
            state.received += bytes as u64;
        }
    }

    /// The head of the answer.
    pub fn take_head(&self) -> Option<Head> {
        self.lock().head.take()
    }

    /// Whether a body that waits for `100 Continue` may go; `None` for as long as the server has said nothing.
    pub fn verdict(&self, cx: &Context<'_>) -> Option<bool> {
        let mut state = self.lock();
        state.held = !state.continued;
        if state.continued || state.answered {
            return Some(state.continued);
        }
        state.holder = Some(cx.waker().clone());
        None
    }

    /// A 100 has come over HTTP/2; a wire sees for itself.
    pub fn may_continue(&self) {
        self.lock().may_continue();
    }

    /// The final head has come, likewise.
    pub fn is_answered(&self) {
        self.lock().answered = true;
    }

    /// The body goes without a word of the server's.
    pub fn release(&self) {
        self.lock().held = false;
    }

    /// Whether the body is held back.
    pub fn holds(&self) -> bool {
        self.lock().held
    }

    /// hyper has taken the last of the body, or a stream has had room for it.
    pub fn body_given(&self) {
        let mut state = self.lock();
        state.resume();
        state.body_given = true;
        if state.stream {
            state.sent = Some(Instant::now());
            state.progress = state.sent;
            state.wake_waiter();
        }
    }

    /// The body of a stream is of no use any more, to the exchange or to hyper.
    pub fn let_go(&self) {
        let mut state = self.lock();
        state.let_go = true;
        state.wake_waiter();
        if let Some(sender) = state.sender.take() {
            sender.wake();
        }
    }

    /// Whether that has happened; whoever asks in vain is woken when it does.
    pub fn is_let_go(&self, cx: &Context<'_>) -> bool {
        let mut state = self.lock();
        if !state.let_go {
            state.sender = Some(cx.waker().clone());
        }
        state.let_go
    }

    /// Waits until the body of a stream is out, or of no use.
    pub async fn sent_or_let_go(&self) {
        poll_fn(|cx| if self.is_through(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Whether the request is out, or can never be. Whoever asks in vain is woken where it is a stream's; a wire is
    /// driven by who asks.
    pub fn is_through(&self, cx: &Context<'_>) -> bool {
        let mut state = self.lock();
        let through = state.sent.is_some() || state.let_go || state.broken;
        if !through {
            state.waiter = Some(cx.waker().clone());
        }
        through
    }

    /// Whether the rest of the request cannot be sent; what the server has said before can still be read.
    pub fn is_broken(&self) -> bool {
        self.lock().broken
    }

    /// When the request was sent whole, if it was.
    pub fn sent(&self) -> Option<Instant> {
        self.lock().sent
    }

    /// When the socket last took bytes.
    pub fn progress(&self) -> Option<Instant> {
        self.lock().progress
    }

    pub fn counts(&self) -> Counts {
        let state = self.lock();
        Counts { written: state.written, received: state.received }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_continue(&mut self) {
        self.continued = true;
        if let Some(holder) = self.holder.take() {
            holder.wake();
        }
    }

    fn wake_waiter(&mut self) {
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }

    /// From now on it is the server that is waited for.
    fn resume(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.resume(Instant::now());
        }
    }

    fn wrote(&mut self, bytes: usize) {
        let now = Instant::now();
        self.written += bytes as u64;
        self.progress = Some(now);
        if let Some(meter) = &mut self.meter {
            meter.pass(bytes, now);
        }
    }

    fn flushed(&mut self) {
        if self.body_given && self.sent.is_none() && self.to_send.is_none() {
            self.sent = self.progress;
        }
    }
}

/// What the server sends, on its way to hyper.
#[derive(Debug)]
enum Incoming {
    /// As it comes.
    Pass,
    /// Held back until the head is whole.
    Head(Coming),
    /// hyper's own head and what came behind the server's; how much of it hyper has.
    Give(Bytes, usize),
}

/// A head that is not whole yet.
#[derive(Debug, Default)]
struct Coming {
    bytes: Vec<u8>,
    informational: Vec<Head>,
    /// One of them was a 100.
    continued: bool,
    passed: usize,
}

impl Coming {
    /// Takes the next of it: once the final head is whole, that head, and what hyper gets instead.
    fn add(
        &mut self,
        piece: &[u8],
        max_head: usize,
        answers_head: bool,
    ) -> Result<Option<(Head, Bytes)>, Error> {
        let mut from = self.bytes.len().saturating_sub(3);
        let first = self.bytes.is_empty();
        if !first {
            self.bytes.extend_from_slice(piece);
        }
        let all = if first { piece } else { &self.bytes[..] };
        let mut begin = 0;
        while let Some(end) = head_end(&all[begin..], from) {
            if self.passed + begin + end > max_head {
                return Err(too_long(max_head));
            }
            let (head, rest) = all[begin..].split_at(end);
            if !is_informational(head) {
                let (mut head, give) = Head::read(head, rest, answers_head)?;
                head.before = std::mem::take(&mut self.informational);
                return Ok(Some((head, give)));
            }
            self.informational.push(Head::read(head, b"", true)?.0);
            (begin, from) = (begin + end, 0);
            self.continued |= status_of(head).starts_with(b"100");
            if self.informational.len() > INFORMATIONAL {
                return Err(too_many_before());
            }
        }
        self.passed += begin;
        if first {
            self.bytes = piece[begin..].to_vec();
        } else {
            self.bytes.drain(..begin);
        }
        if self.passed + self.bytes.len() > max_head {
            return Err(too_long(max_head));
        }
        Ok(None)
    }

    /// Whether some of the final head is here.
    fn has_begun(&self) -> bool {
        self.bytes.iter().any(|byte| !byte.is_ascii_whitespace())
    }
}

fn refuse(kind: Kind, why: String) -> io::Error {
    io::Error::other(Error::new(kind, Phase::Await, why))
}

/// The index behind the blank line that ends a head; httparse (so hyper) takes LF for CRLF, so do we.
pub fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let begin = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let from = from.max(begin);
    memchr::memchr_iter(b'\n', &bytes[from..]).map(|at| from + at).find_map(|at| match &bytes[at + 1..] {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

/// Whether a head is a 1xx other than 101, which is final (RFC 9110 section 15.2).
pub fn is_informational(head: &[u8]) -> bool {
    let status = status_of(head);
    status.first() == Some(&b'1') && !status.starts_with(b"101")
}

/// A head from its status code on.
fn status_of(head: &[u8]) -> &[u8] {
    head.trim_ascii_start().splitn(2, |byte| *byte == b' ').nth(1).unwrap_or_default().trim_ascii_start()
}

/// `io` with the heads exchanged.
#[derive(Debug)]
pub struct Wire<S> {
    io: S,
    tap: Tap,
    incoming: Incoming,
    /// Where heads are read to.
    space: Box<[u8]>,
    /// Our head and what went with it, until the socket has taken all of it.
    head: Option<Replaced>,
    /// Something has been sent on it.
    begun: bool,
    /// Who wanted to read before that.
    early: Option<Waker>,
    /// Why nothing more can be sent. A server that does not want the rest of a request answers and closes, and its
    /// answer is what counts: it is looked for before anybody hears of this.
    broken: Option<io::Error>,
}

#[derive(Debug)]
struct Replaced {
    bytes: Vec<u8>,
    written: usize,
    /// How many of hyper's bytes this stands for.
    covers: usize,
}

impl<S> Wire<S> {
    pub fn new(io: S, tap: Tap) -> Wire<S> {
        let (incoming, space) = (Incoming::Pass, Box::new([0; SPACE]));
        Wire { io, tap, incoming, space, head: None, begun: false, early: None, broken: None }
    }

    /// What it stands on, and what was read of that and nobody has had yet: for another protocol, whose bytes are not
    /// to be judged by HTTP's rules.
    pub fn into_inner(self) -> (S, Bytes) {
        let rest = match self.incoming {
            Incoming::Give(mut bytes, given) => bytes.split_off(given),
            Incoming::Pass | Incoming::Head(_) => Bytes::new(),
        };
        (self.io, rest)
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// What becomes of an error in writing: where the peer is gone, reading has the next word.
    fn broke<T>(&mut self, cx: &Context<'_>, error: io::Error) -> Poll<io::Result<T>> {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        if !matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset) {
            return Poll::Ready(Err(error));
        }
        self.broken = Some(error);
        self.tap.lock().broken = true;
        if let Some(early) = self.early.take() {
            early.wake();
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes the replaced head. Returns how many of hyper's bytes are done once it is out.
    fn poll_head(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<Option<usize>>> {
        if self.head.is_none() {
            let Some(ours) = self.tap.lock().to_send.take() else {
                return Poll::Ready(Ok(None));
            };
            self.head = Some(Replaced::new(&ours, bufs)?);
        }
        let Some(head) = &mut self.head else {
            return Poll::Ready(Ok(None));
        };
        while head.written < head.bytes.len() {
            let n = match ready!(Pin::new(&mut self.io).poll_write(cx, &head.bytes[head.written..])) {
                Ok(n) => n,
                Err(error) => return self.broke(cx, error),
            };
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            head.written += n;
            self.tap.lock().wrote(n);
            self.begun = true;
            if let Some(early) = self.early.take() {
                early.wake();
            }
        }
        let covers = head.covers;
        self.head = None;
        Poll::Ready(Ok(Some(covers)))
    }
}

impl Replaced {
    fn new(ours: &Ours, bufs: &[IoSlice<'_>]) -> io::Result<Replaced> {
        let first = bufs.first().map_or(&[][..], |buf| buf);
        let theirs = Framing::of_hyper(first)?;
        let mut bytes = Vec::with_capacity(ours.head.len() + 64);
        bytes.extend_from_slice(&ours.head);
        theirs.agree(ours, &mut bytes)?;
        bytes.extend_from_slice(b"\r\n");
        let mut covers = theirs.head;
        let rest = std::iter::once(&first[theirs.head..]).chain(bufs.iter().skip(1).map(|buf| &**buf));
        for body in rest {
            let take = body.len().min(TOGETHER.saturating_sub(covers - theirs.head));
            bytes.extend_from_slice(&body[..take]);
            covers += take;
            if take < body.len() {
                break;
            }
        }
        Ok(Replaced { bytes, written: 0, covers })
    }
}

/// What hyper's own head says of the body.
struct Framing<'a> {
    head: usize,
    length: Option<&'a [u8]>,
    coding: Option<&'a [u8]>,
}

impl<'a> Framing<'a> {
    fn of_hyper(bytes: &'a [u8]) -> io::Result<Framing<'a>> {
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut fields);
        let Ok(httparse::Status::Complete(head)) = request.parse(bytes) else {
            return Err(refuse(Kind::Internal, "hyper's request head is not in one piece".into()));
        };
        let find =
            |name: &str| request.headers.iter().find(|f| f.name.eq_ignore_ascii_case(name)).map(|f| f.value);
        Ok(Framing { head, length: find("content-length"), coding: find("transfer-encoding") })
    }

    /// Adds to `out` what hyper chose and the caller left open.
    fn agree(&self, ours: &Ours, out: &mut Vec<u8>) -> io::Result<()> {
        if ours.has_body && self.length.is_none() && self.coding.is_none() {
            return Err(refuse(
                Kind::Protocol,
                "the body cannot be framed on this connection; nothing was sent".into(),
            ));
        }
        let both = [
            ("Content-Length", self.length, ours.length.as_ref()),
            ("Transfer-Encoding", self.coding, ours.coding.as_ref()),
        ];
        for (name, theirs, ours) in both {
            match (theirs, ours) {
                (None, None) => {}
                (Some(theirs), None) => {
                    out.extend_from_slice(name.as_bytes());
                    out.extend_from_slice(b": ");
                    out.extend_from_slice(theirs);
                    out.extend_from_slice(b"\r\n");
                }
                (Some(theirs), Some(ours)) if theirs.eq_ignore_ascii_case(ours.as_bytes()) => {}
                _ => {
                    return Err(refuse(
                        Kind::Protocol,
                        format!("{name} as given does not fit the body that would be sent; nothing was sent"),
                    ))
                }
            }
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let wire = self.get_mut();
        if !wire.begun && wire.broken.is_none() {
            // A server that is too busy says so before it is asked. hyper would take that for an answer to nothing, which
            // it is on a connection that was used before.
            wire.early = Some(cx.waker().clone());
            return Poll::Pending;
        }
        loop {
            match &mut wire.incoming {
                Incoming::Give(bytes, given) => {
                    let n = buf.remaining().min(bytes.len() - *given);
                    buf.put_slice(&bytes[*given..*given + n]);
                    *given += n;
                    if *given == bytes.len() {
                        wire.incoming = Incoming::Pass;
                    }
                    return Poll::Ready(Ok(()));
                }
                Incoming::Head(coming) => {
                    let mut piece = ReadBuf::new(&mut wire.space);
                    let read = ready!(Pin::new(&mut wire.io).poll_read(cx, &mut piece));
                    if let Some(error) = wire.broken.take_if(|_| read.is_err() || piece.filled().is_empty()) {
                        return Poll::Ready(Err(error));
                    }
                    read?;
                    if piece.filled().is_empty() && coming.has_begun() {
                        let why = "the server closed the connection in the middle of the response's head";
                        return Poll::Ready(Err(refuse(Kind::Incomplete, why.into())));
                    }
                    if piece.filled().is_empty() {
                        return Poll::Ready(Ok(())); // the end: hyper says what that means
                    }
                    let mut tap = wire.tap.lock();
                    tap.received += piece.filled().len() as u64;
                    let whole = coming.add(piece.filled(), tap.max_head, tap.answers_head);
                    if coming.continued {
                        tap.may_continue();
                    }
                    if let Some((head, give)) = whole.map_err(io::Error::other)? {
                        tap.head = Some(head);
                        tap.answered = true;
                        wire.incoming = Incoming::Give(give, 0);
                    }
                }
                Incoming::Pass if std::mem::take(&mut wire.tap.lock().expecting) => {
                    wire.incoming = Incoming::Head(Coming::default());
                }
                Incoming::Pass => {
                    let before = buf.filled().len();
                    let read = ready!(Pin::new(&mut wire.io).poll_read(cx, buf));
                    let ended = read.is_err() || buf.filled().len() == before;
                    if let Some(error) = wire.broken.take_if(|_| ended) {
                        return Poll::Ready(Err(error)); // an end after a reset is no end of a body
                    }
                    read?;
                    wire.tap.lock().received += (buf.filled().len() - before) as u64;
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.broken.is_some() {
            return Poll::Pending;
        }
        if let Some(covered) = ready!(self.poll_head(cx, &[IoSlice::new(buf)]))? {
            return Poll::Ready(Ok(covered));
        }
        match ready!(Pin::new(&mut self.io).poll_write(cx, buf)) {
            Ok(n) => {
                self.tap.lock().wrote(n);
                Poll::Ready(Ok(n))
            }
            Err(error) => self.broke(cx, error),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.broken.is_some() {
            return Poll::Pending;
        }
        if let Some(covered) = ready!(self.poll_head(cx, bufs))? {
            return Poll::Ready(Ok(covered));
        }
        match ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs)) {
            Ok(n) => {
                self.tap.lock().wrote(n);
                Poll::Ready(Ok(n))
            }
            Err(error) => self.broke(cx, error),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken.is_some() {
            return Poll::Pending;
        }
        if let Err(error) = ready!(Pin::new(&mut self.io).poll_flush(cx)) {
            return self.broke(cx, error);
        }
        self.tap.lock().flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Option<(Head, Bytes)>, Error> {
        let mut coming = Coming::default();
        for (index, piece) in pieces.iter().enumerate() {
            let read = coming.add(piece, 1000, false)?;
            if index + 1 == pieces.len() || read.is_some() {
                return Ok(read);
            }
        }
        Ok(None)
    }

    fn replace(ours: &[u8], length: Option<&'static str>, hyper: &[u8]) -> io::Result<(String, usize)> {
        let length = length.map(HeaderValue::from_static);
        let ours = Ours {
            head: Bytes::copy_from_slice(ours),
            length,
            coding: None,
            has_body: true,
            asks_for_head: false,
        };
        let replaced = Replaced::new(&ours, &[IoSlice::new(hyper)])?;
        Ok((String::from_utf8_lossy(&replaced.bytes).into_owned(), replaced.covers))
    }

    #[test]
    fn the_server_is_waited_for_when_there_is_something_to_send_and_at_the_end() {
        let pace = Pace { bytes: 10, within: Duration::from_secs(5) };
        let (tap, now) = (Tap::default(), Instant::now());
        let late = now + Duration::from_secs(100);
        tap.arm_stream(pace, now);
        assert!(tap.check_pace("send", late).is_err());
        tap.starves();
        assert!(tap.check_pace("send", late).is_ok());
        tap.given(1);
        assert!(tap.check_pace("send", late).is_err());
        tap.starves();
        tap.body_given();

        assert!(tap.check_pace("send", late).is_err());
    }

    #[test]
    fn the_head_is_read_whatever_the_pieces() {
        let (head, give) = read(&[b"HTTP/1.1 200 OK\r", b"\nETag: x\r\n\r", b"\nbody"]).unwrap().unwrap();

        assert_eq!((&b"ETag\nx"[..], &b"HTTP/1.1 200 OK\r\n\r\nbody"[..]), (&head.block[..], &give[..]));
    }

    #[test]
    fn informational_heads_come_before_and_101_is_final() {
        let (head, _) =
            read(&[b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 101 ", b"Up\r\n\r\n"])
                .unwrap()
                .unwrap();

        assert_eq!((101, 0), (head.status, head.fields));
        let told: Vec<_> = head.before.iter().map(|head| (head.status, &head.block[..])).collect();
        assert_eq!(vec![(103, &b"Link\n</a>"[..])], told);
    }

    #[test]
    fn a_flood_of_informational_heads_is_refused() {
        let flood = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(INFORMATIONAL + 1);

        assert!(read(&[&flood]).unwrap_err().message.contains("informational"));
    }

    #[test]
    fn an_endless_head_is_refused() {
        let error = read(&[b"HTTP/1.1 200 OK\r\nA: ", &[b'a'; 1000]]).unwrap_err();

        assert_eq!(Kind::TooLarge, error.kind);
        let at_once = [b"HTTP/1.1 200 OK\r\nA: ", &[b'a'; 1000][..], b"\r\n\r\n"].concat();
        assert_eq!(Kind::TooLarge, read(&[&at_once]).unwrap_err().kind);
    }

    #[test]
    fn hypers_head_gives_way_to_ours_and_its_framing_is_kept() {
        let ours = b"POST / HTTP/1.1\r\nHOST: a\r\nX-y: 1\r\n";
        let hyper = b"POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nbody";

        let expected = "POST / HTTP/1.1\r\nHOST: a\r\nX-y: 1\r\nContent-Length: 4\r\n\r\nbody".to_string();
        assert_eq!((expected, hyper.len()), replace(ours, None, hyper).unwrap());
    }

    #[test]
    fn framing_that_hyper_would_not_send_is_refused() {
        let ours = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n";
        let hyper = b"POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nbody";

        assert!(replace(ours, Some("5"), hyper).is_err());
        assert!(replace(ours, Some("5"), b"POST / HTTP/1.1\r\n\r\n").is_err());
    }
}
