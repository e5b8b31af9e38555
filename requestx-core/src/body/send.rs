//! The request's body on its way out: empty, whole, or pushed in pieces.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::future::Future;
use std::pin::{pin, Pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{ready, Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::deadline::{Deadline, Phase};
use crate::error::{Error, Kind};
use crate::plan::Outgoing;
use crate::wire::Tap;

/// A body that the caller pushes while the exchange runs.
///
/// The caller may run ahead of the socket by `window` bytes; beyond that a push takes nothing until there is room.
#[derive(Debug)]
pub struct Upload {
    window: usize,
    length: Option<u64>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    chunks: VecDeque<Bytes>,
    queued: usize,
    pushed: u64,
    end: Option<Result<(), Error>>,
    /// hyper has found nothing to send: the caller is to push.
    asked: bool,
    /// The caller has been told so, and has not answered.
    told: bool,
    taken: bool,
    abandoned: bool,
    sender: Option<Waker>,
    feeder: Option<Waker>,
}

impl Upload {
    /// `length` is what the caller promises to push; without it the body is chunked.
    pub fn new(window: usize, length: Option<u64>) -> Upload {
        Upload { window: window.max(1), length, state: Mutex::default() }
    }

    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Takes as much of `bytes` as there is room for; 0 means full.
    ///
    /// # Errors
    /// `State` after the end, `InvalidArgument` beyond the promised length, `Closed` once the exchange wants no more.
    pub fn push(&self, bytes: &[u8]) -> Result<usize, Error> {
        let mut state = self.lock();
        if state.abandoned {
            return Err(Error::new(
                Kind::Closed,
                Phase::Send,
                "the exchange is over and takes no more of the body",
            ));
        }
        if state.end.is_some() {
            return Err(Error::new(Kind::State, Phase::Send, "push after the end of the body"));
        }
        let taken = bytes.len().min(self.window.saturating_sub(state.queued));
        if let Some(length) = self.length.filter(|length| state.pushed + taken as u64 > *length) {
            let why = format!("the body is longer than the {length} bytes promised");
            return Err(Error::new(Kind::InvalidArgument, Phase::Send, why));
        }
        if bytes.is_empty() {
            state.told = false; // an answer, but not one that helps: the caller is asked again
        }
        if taken > 0 {
            state.chunks.push_back(Bytes::copy_from_slice(&bytes[..taken]));
            state.queued += taken;
            state.pushed += taken as u64;
            (state.asked, state.told) = (false, false);
            wake(&mut state.sender);
        }
        Ok(taken)
    }

    /// Ends the body, or with an error the exchange; one that is over is not told.
    pub fn finish(&self, end: Result<(), Error>) -> Result<(), Error> {
        let mut state = self.lock();
        if state.end.is_some() {
            return Err(Error::new(Kind::State, Phase::Send, "the body has ended already"));
        }
        if state.abandoned {
            return Ok(()); // pieces may be missing, and the server would take it for whole
        }
        let short = self.length.filter(|length| end.is_ok() && state.pushed < *length);
        let verdict = match short {
            None => end,
            Some(length) => Err(Error::new(
                Kind::InvalidArgument,
                Phase::Send,
                format!("the body ended after {} of the {length} bytes promised", state.pushed),
            )),
        };
        let answer = if short.is_some() { verdict.clone() } else { Ok(()) };
        state.end = Some(verdict);
        (state.asked, state.told) = (false, false);
        wake(&mut state.sender);
        answer
    }

    /// Ready when the socket waits for the caller; once for each time that it does.
    pub fn poll_hungry(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.is_waiting() && !state.told {
            state.told = true;
            return Poll::Ready(());
        }
        state.feeder = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Whether the socket has taken all there is, and it is the caller's turn.
    pub fn is_waiting(&self) -> bool {
        self.lock().is_waiting()
    }

    /// What the caller ended it with, if that was an error.
    pub fn failure(&self) -> Option<Error> {
        self.lock().end.clone().and_then(Result::err)
    }

    /// One exchange may have it.
    pub fn take(&self) -> Result<(), Error> {
        if std::mem::replace(&mut self.lock().taken, true) {
            return Err(Error::caller(Kind::State, "an upload serves one exchange"));
        }
        Ok(())
    }

    /// The exchange that took it has not begun, and another one may have it.
    pub fn put_back(&self) {
        self.lock().taken = false;
    }

    /// The exchange is over: whatever is pushed now is refused. A body that has ended goes on its way for as long as the
    /// connection is driven, and another one stays without an end.
    pub fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        if state.end.is_none() {
            state.chunks.clear();
        }
        wake(&mut state.feeder);
    }

    fn poll_chunk(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let mut state = self.lock();
        if let Some(Err(error)) = &state.end {
            return Poll::Ready(Some(Err(error.clone())));
        }
        if let Some(chunk) = state.chunks.pop_front() {
            state.queued -= chunk.len();
            return Poll::Ready(Some(Ok(chunk)));
        }
        if state.end.is_some() {
            return Poll::Ready(None);
        }
        state.asked = true;
        state.sender = Some(cx.waker().clone());
        if !state.told {
            wake(&mut state.feeder);
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_waiting(&self) -> bool {
        self.asked && self.queued == 0 && self.end.is_none() && !self.abandoned
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// How long a server may take to say `100 Continue` before the body goes all the same, as curl has it:
/// many servers never say it (RFC 9110 section 10.1.1).
const PATIENCE: Duration = Duration::from_secs(1);

/// What a stream of HTTP/2 is given at once: the next piece is taken when there is room for it, so what was taken
/// is what was sent, but for one piece and h2's own small buffer.
const PIECE: usize = 16 * 1024;

/// When a request that is on its way would be late, or is to be looked at again; `what` names it for the error.
///
/// # Errors
/// `Timeout` in Send: it is late already.
pub fn check_sending(
    tap: &Tap,
    body: &Outgoing,
    deadline: &Deadline,
    what: impl Fn() -> String,
    now: Instant,
) -> Result<Option<Instant>, Error> {
    // The caller's time is not the network's, nor is the time that the server may take to want the body.
    let idle = tap.holds() || body.waits_for_caller();
    let since = tap.progress().filter(|_| !idle).unwrap_or(now);
    let until = deadline.until(Phase::Send, since);
    if until.is_some_and(|until| until <= now) {
        return Err(deadline.expired(Phase::Send, what()));
    }
    let look = if deadline.is_paced() { tap.check_pace(&what(), now)? } else { None };
    Ok(until.into_iter().chain(look).min())
}

/// Waits for `work`, which waits for the rest of a request on its way, for as long as the server takes it.
///
/// # Errors
/// `Timeout` in Send.
pub async fn while_sending<F: Future>(
    tap: &Tap,
    body: &Outgoing,
    deadline: &Deadline,
    what: impl Fn() -> String,
    work: F,
) -> Result<F::Output, Error> {
    let mut work = pin!(work);
    loop {
        let Some(look) = check_sending(tap, body, deadline, &what, Instant::now())? else {
            return Ok(work.await);
        };
        if let Ok(done) = tokio::time::timeout_at(look.into(), work.as_mut()).await {
            return Ok(done);
        }
    }
}

/// The body as hyper takes it, or a stream of HTTP/2; tells the wire when it has all been taken.
#[derive(Debug)]
pub struct SendBody {
    body: Outgoing,
    /// Of the last chunk that was pushed.
    rest: Bytes,
    /// Bytes in one piece, at most; over HTTP/1 as they come.
    piece: usize,
    tap: Tap,
    hold: Hold,
    /// Bytes that hyper has taken; it asks no more once it has what was promised.
    given: u64,
}

/// What a body waits for.
#[derive(Debug)]
enum Hold {
    Nothing,
    /// The server's word, once the head is out.
    Word,
    /// The same, for so long.
    WordUntil(Pin<Box<Sleep>>),
}

impl SendBody {
    /// To be made after `tap` was armed; `expects` a `100 Continue` before it goes.
    pub fn new(body: &Outgoing, tap: &Tap, expects: bool) -> SendBody {
        SendBody::begin(body, tap, expects, usize::MAX)
    }

    /// The same for a stream of HTTP/2.
    pub fn over_stream(body: &Outgoing, tap: &Tap, expects: bool) -> SendBody {
        SendBody::begin(body, tap, expects, PIECE)
    }

    fn begin(body: &Outgoing, tap: &Tap, expects: bool, piece: usize) -> SendBody {
        let hold = if expects { Hold::Word } else { Hold::Nothing };
        let body =
            SendBody { body: body.clone(), rest: Bytes::new(), piece, tap: tap.clone(), hold, given: 0 };
        if body.is_end_stream() {
            tap.body_given();
        }
        body
    }

    fn is_over_stream(&self) -> bool {
        self.piece != usize::MAX
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if self.rest.is_empty() {
            self.rest = match &self.body {
                Outgoing::Empty => return Poll::Ready(None),
                Outgoing::Whole(_) if self.is_end_stream() => return Poll::Ready(None),
                Outgoing::Whole(bytes) => bytes.clone(),
                Outgoing::Pushed(upload) => match ready!(upload.poll_chunk(cx)) {
                    Some(Ok(chunk)) => chunk,
                    other => return Poll::Ready(other),
                },
            };
        }
        let size = self.piece.min(self.rest.len());
        Poll::Ready(Some(Ok(self.rest.split_to(size))))
    }

    /// Ready when the body may go; after a final answer, never.
    fn poll_hold(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if matches!(self.hold, Hold::Nothing) {
            return Poll::Ready(());
        }
        match self.tap.verdict(cx) {
            Some(true) => {}
            Some(false) => return Poll::Pending,
            None => {
                if matches!(self.hold, Hold::Word) {
                    self.hold = Hold::WordUntil(Box::pin(tokio::time::sleep(PATIENCE)));
                }
                if let Hold::WordUntil(sleep) = &mut self.hold {
                    ready!(sleep.as_mut().poll(cx));
                }
                self.tap.release();
            }
        }
        self.hold = Hold::Nothing;
        Poll::Ready(())
    }

    /// A wire sees when it has sent what was taken; a piece for a stream waits for room, and who sends it tells.
    fn tell_end(&self) {
        if !self.is_over_stream() {
            self.tap.body_given();
        }
    }
}

impl Body for SendBody {
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.poll_hold(cx).is_pending() {
            self.tap.starves();
            return Poll::Pending;
        }
        let piece = self.poll_piece(cx);
        match &piece {
            Poll::Ready(Some(Ok(bytes))) => {
                self.given += bytes.len() as u64;
                self.tap.given(bytes.len());
                if self.is_end_stream() {
                    self.tell_end();
                }
            }
            Poll::Ready(None) => self.tell_end(),
            Poll::Pending => self.tap.starves(),
            Poll::Ready(Some(Err(_))) => {}
        }
        piece.map(|some| some.map(|result| result.map(Frame::data).map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    /// What is left.
    fn size_hint(&self) -> SizeHint {
        let all = self.body.length();
        all.map(|all| SizeHint::with_exact(all.saturating_sub(self.given))).unwrap_or_default()
    }
}

impl Drop for SendBody {
    /// All of it has been sent, or will not be.
    fn drop(&mut self) {
        if self.is_over_stream() {
            self.tap.let_go();
        }
    }
}

/// Abandons the upload when the exchange ends, however it ends.
#[derive(Debug)]
pub struct Abandon(pub Option<Arc<Upload>>);

impl Drop for Abandon {
    fn drop(&mut self) {
        if let Some(upload) = &self.0 {
            upload.abandon();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(upload: &Upload) -> Poll<Option<Result<Bytes, Error>>> {
        upload.poll_chunk(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_push_takes_what_fits_the_window() {
        let upload = Upload::new(4, None);

        assert_eq!(4, upload.push(b"abcdef").unwrap());
        assert_eq!(0, upload.push(b"ef").unwrap());
        assert!(matches!(chunk(&upload), Poll::Ready(Some(Ok(bytes))) if bytes == "abcd"));
        assert_eq!(2, upload.push(b"ef").unwrap());
    }

    #[test]
    fn the_caller_is_asked_only_when_the_socket_waits() {
        let upload = Upload::new(4, None);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(upload.poll_hungry(&mut cx).is_pending());

        assert!(chunk(&upload).is_pending());
        assert!(upload.poll_hungry(&mut cx).is_ready());
    }

    #[test]
    fn the_caller_is_asked_once_until_it_answers() {
        let upload = Upload::new(4, None);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(chunk(&upload).is_pending());
        assert!(upload.poll_hungry(&mut cx).is_ready());

        assert!(chunk(&upload).is_pending());
        assert!(upload.poll_hungry(&mut cx).is_pending());
        upload.push(b"a").unwrap();
        assert!(chunk(&upload).is_ready());
        assert!(chunk(&upload).is_pending());
        assert!(upload.poll_hungry(&mut cx).is_ready());
    }

    #[test]
    fn a_body_shorter_or_longer_than_promised_ends_the_exchange() {
        let upload = Upload::new(100, Some(3));

        assert_eq!(Kind::InvalidArgument, upload.push(b"four").unwrap_err().kind);
        assert_eq!(2, upload.push(b"ab").unwrap());
        assert_eq!(Kind::InvalidArgument, upload.finish(Ok(())).unwrap_err().kind);
        assert!(matches!(chunk(&upload), Poll::Ready(Some(Err(_)))));
    }

    #[test]
    fn a_body_that_ended_before_its_exchange_is_sent_to_its_end() {
        let upload = Upload::new(4, None);
        upload.push(b"ab").unwrap();
        upload.finish(Ok(())).unwrap();
        upload.abandon();

        assert!(matches!(chunk(&upload), Poll::Ready(Some(Ok(bytes))) if bytes == "ab"));
        assert!(matches!(chunk(&upload), Poll::Ready(None)));
    }

    #[test]
    fn a_body_that_its_exchange_did_not_wait_for_has_no_end() {
        for end in [Ok(()), Err(Error::new(Kind::Cancelled, Phase::Send, "freed"))] {
            let upload = Upload::new(4, None);
            upload.push(b"ab").unwrap();
            upload.abandon();

            upload.finish(end).unwrap();
            assert!(chunk(&upload).is_pending());
        }
    }

    #[test]
    fn after_the_exchange_a_push_is_refused() {
        let upload = Upload::new(4, None);
        upload.abandon();

        assert_eq!(Kind::Closed, upload.push(b"a").unwrap_err().kind);
    }
}
