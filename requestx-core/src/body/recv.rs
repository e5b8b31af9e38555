//! The response's body on its way in: pulled piece by piece, decoded or raw.

use std::collections::VecDeque;
use std::future::{poll_fn, Future};
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use hyper::body::Frame;

use crate::body::decode::Decoder;
use crate::body::send::while_sending;
use crate::connection::Incoming;
use crate::deadline::{Deadline, Meter, Phase, PHASES};
use crate::error::{Error, Fault, Kind};
use crate::head::Trailers;
use crate::lease::Lease;
use crate::plan::Outgoing;
use crate::wire::{Counts, Tap};

/// Decoded bytes handed out at once, at most.
const STEP: usize = 64 * 1024;

/// A body being read, and the connection it comes from.
///
/// The end gives the connection back to its pool; an error, or dropping the body before its end, closes it.
#[derive(Debug)]
pub struct Body {
    /// What has come before anybody read: with the head, taken off by the wire before hyper saw it; and while the
    /// request was still being sent.
    first: VecDeque<Bytes>,
    /// What ended the body when that had come.
    broke: Option<Error>,
    /// The request is not out yet: its limit is the one that counts, and the connection stays here.
    sending: bool,
    /// Until its end: a connection of HTTP/2 is not closed while there is a handle on one of its streams.
    incoming: Option<Incoming>,
    decoder: Option<Decoder>,
    lease: Option<Lease>,
    pub deadline: Deadline,
    url: std::sync::Arc<str>,
    state: State,
    decoded_once: bool,
    decoded_all: bool,
    /// When the wait began that a dropped `next` left unfinished.
    waiting: Option<Instant>,
    meter: Option<Box<Meter>>,
    /// Read by the exchange before it knew that the body is too long for it.
    begun: Option<Bytes>,
    /// Bytes of the body as they came, before decoding.
    pub raw_bytes: u64,
    /// What had passed the wire when the connection was given back.
    counts: Option<Counts>,
    trailers: Option<Trailers>,
    /// What followed the last piece, and was none to be added to it.
    ahead: Option<Polled>,
}

/// What there is of a body: a frame, an error, or its end.
type Polled = Option<Result<Frame<Bytes>, Fault>>;

#[derive(Debug, Clone)]
enum State {
    Open,
    /// The wire has delivered all; the decoder may still hold some.
    Drained,
    Ended,
    Failed(Error),
}

impl Body {
    pub fn new(
        first: Option<Bytes>,
        incoming: Incoming,
        decoder: Option<Decoder>,
        lease: Lease,
        deadline: Deadline,
        url: std::sync::Arc<str>,
    ) -> Body {
        let now = deadline.entered();
        let mut meter = deadline.meter(now);
        meter.iter_mut().for_each(|meter| meter.pause(now)); // until it is read
        Body {
            first: first.into_iter().filter(|bytes| !bytes.is_empty()).collect(),
            broke: None,
            sending: false,
            incoming: Some(incoming),
            decoder,
            lease: Some(lease),
            deadline,
            url,
            state: State::Open,
            decoded_once: false,
            decoded_all: false,
            waiting: None,
            meter,
            begun: None,
            raw_bytes: 0,
            counts: None,
            trailers: None,
            ahead: None,
        }
    }

    /// All that is decoded from now on is kept, and so has to stay within bounds.
    pub fn bound(&mut self) {
        self.decoder.iter_mut().for_each(Decoder::bound);
    }

    /// Bytes still to come, where the server said so and nothing is decoded.
    pub fn length(&self) -> Option<u64> {
        let first: usize = self.first.iter().map(Bytes::len).sum();
        self.left().filter(|_| self.decoder.is_none()).map(|rest| first as u64 + rest)
    }

    /// What is still on the wire, where the server said so.
    fn left(&self) -> Option<u64> {
        self.incoming.as_ref().map_or(Some(0), Incoming::left)
    }

    /// The time spent in each phase, and the bytes on the wire, up to now.
    pub fn so_far(&self) -> ([u64; PHASES], Counts) {
        let counts = self.lease.as_ref().map(|lease| lease.connection.counts()).or(self.counts);
        (self.deadline.spent_by(Instant::now()), counts.unwrap_or_default())
    }

    /// Puts what was read back in front.
    pub fn put_back(&mut self, bytes: Bytes) {
        self.begun = Some(bytes).filter(|bytes| !bytes.is_empty());
    }

    /// Sends what is left of `request`, for as long as the server takes it. One that answers while it reads may wait
    /// until that is taken, so up to `most` bytes of the answer are read meanwhile.
    ///
    /// # Errors
    /// `Timeout` in Send.
    pub async fn send_rest(&mut self, request: &Outgoing, most: usize) -> Result<(), Error> {
        let Some(lease) = &self.lease else { return Ok(()) };
        let (tap, deadline, url) = (lease.connection.tap().clone(), self.deadline.clone(), self.url.clone());
        let what = || format!("send the body to {url}");
        let mut room = most;
        self.sending = true;
        while room > 0 {
            let next = self.next_before_sent(&tap);
            match while_sending(&tap, request, &deadline, what, next).await? {
                Ok(Some(piece)) => {
                    room = room.saturating_sub(piece.len());
                    self.first.push_back(piece);
                }
                Ok(None) => break,
                Err(error) => {
                    self.broke = Some(error);
                    break;
                }
            }
        }
        let what = || match room {
            0 => format!("{}: the server answers while it reads, {most} bytes of that are held", what()),
            _ => what(),
        };
        if let Some(lease) = &mut self.lease {
            while_sending(&tap, request, &deadline, what, lease.connection.send_rest()).await?;
        }
        self.sending = false;
        if self.is_drained() {
            self.part(Instant::now()).await;
        }
        Ok(())
    }

    /// What comes of the answer before the request is out; `None` if nothing does.
    async fn next_before_sent(&mut self, tap: &Tap) -> Result<Option<Bytes>, Error> {
        let mut next = pin!(self.pull());
        poll_fn(|cx| match next.as_mut().poll(cx) {
            Poll::Pending if tap.is_through(cx) => Poll::Ready(Ok(None)),
            polled => polled,
        })
        .await
    }

    /// The next piece, never empty; `None` at the end. `raw` leaves the codings alone.
    /// May be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    /// What ended the body early, each time again; `State` for a raw read after a decoded one.
    pub async fn next(&mut self, raw: bool) -> Result<Option<Bytes>, Error> {
        if let State::Failed(error) = &self.state {
            return Err(error.clone());
        }
        if raw && self.decoded_once {
            return Err(Error::new(
                Kind::State,
                Phase::Read,
                "a raw read after a decoded one would miss bytes",
            ));
        }
        if let Some(begun) = self.begun.take() {
            return Ok(Some(begun));
        }
        let read =
            if raw || self.decoder.is_none() { self.next_raw().await } else { self.next_decoded().await };
        if let Err(error) = &read {
            self.incoming = None;
            self.state = State::Failed(error.clone()); // first: who asks may be gone before the server is told
            if let Some(lease) = self.lease.take() {
                if error.kind == Kind::Timeout {
                    lease.connection.retire();
                }
                lease.give_up().await;
            }
        }
        read
    }

    /// What came behind the body, once it was read to its end.
    pub fn take_trailers(&mut self) -> Option<Trailers> {
        self.trailers.take()
    }

    /// Its connection can serve another exchange once it has been read to its end.
    pub fn serves_on(&self) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.keep)
    }

    /// The wire has delivered the whole body.
    pub fn is_drained(&self) -> bool {
        matches!(self.state, State::Drained | State::Ended)
    }

    async fn next_decoded(&mut self) -> Result<Option<Bytes>, Error> {
        self.decoded_once = true;
        loop {
            if matches!(self.state, State::Ended) {
                return Ok(None);
            }
            if self.decoded_all {
                // A decoder may be content before the wire is: chunked framing still has its last line.
                while self.next_raw().await?.is_some() {}
                self.state = State::Ended;
                return Ok(None);
            }
            let mut out = vec![0; STEP];
            let Some(decoder) = &mut self.decoder else {
                return Ok(None);
            };
            match decoder.read(&mut out)? {
                Some(0) => self.decoded_all = true,
                Some(n) => {
                    out.truncate(n);
                    return Ok(Some(out.into()));
                }
                None if decoder.had_enough() => {
                    self.check_time()?;
                    tokio::task::yield_now().await; // to signals, to the clock, to others on this thread
                }
                None => match self.next_raw().await? {
                    Some(piece) => self.decoder.iter_mut().for_each(|d| d.feed(piece.clone())),
                    None => self.decoder.iter_mut().for_each(Decoder::end),
                },
            }
        }
    }

    /// # Errors
    /// `Timeout` once the time for all of it is over: a peer that always has more never makes us wait.
    fn check_time(&self) -> Result<(), Error> {
        match self.deadline.is_overdue() {
            true => Err(self.deadline.expired(Phase::Read, format!("read the body of {}", self.url))),
            false => Ok(()),
        }
    }

    /// `data`, and what has come behind it. A frame of HTTP/2 has 16 KB, and to hand one over costs more than a copy.
    async fn with_more(&mut self, data: Bytes) -> Bytes {
        let shared = self.lease.as_ref().is_some_and(|lease| lease.connection.is_shared());
        let Some(incoming) = self.incoming.as_mut().filter(|_| shared && data.len() < STEP) else {
            return data;
        };
        let (mut all, ahead) = (BytesMut::new(), &mut self.ahead);
        poll_fn(|cx| {
            while data.len().max(all.len()) < STEP {
                match incoming.poll(cx) {
                    Poll::Ready(Some(Ok(frame))) if frame.is_data() => {
                        if all.is_empty() {
                            all.reserve(2 * STEP);
                            all.extend_from_slice(&data);
                        }
                        all.extend_from_slice(&frame.into_data().unwrap_or_default());
                    }
                    Poll::Ready(other) => {
                        *ahead = Some(other);
                        break;
                    }
                    Poll::Pending => break,
                }
            }
            Poll::Ready(())
        })
        .await;
        if all.is_empty() {
            data
        } else {
            all.freeze()
        }
    }

    fn broken(&self, fault: &(dyn std::error::Error + 'static)) -> Error {
        let error = Error::of_fault(Phase::Read, &format!("read the body of {}", self.url), fault);
        match &self.lease {
            Some(lease) => lease.connection.explain(error),
            None => error,
        }
    }

    async fn next_raw(&mut self) -> Result<Option<Bytes>, Error> {
        let piece = match (self.first.pop_front(), self.broke.take()) {
            (Some(first), broke) => {
                self.broke = broke;
                self.check_time()?;
                Some(first)
            }
            (None, Some(error)) => return Err(error),
            (None, None) => self.pull().await?,
        };
        self.raw_bytes += piece.as_ref().map_or(0, Bytes::len) as u64;
        Ok(piece)
    }

    /// The next that comes from the wire.
    async fn pull(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if self.is_drained() {
                return Ok(None);
            }
            self.check_time()?;
            let (url, incoming) = (&self.url, &mut self.incoming);
            let what = || format!("read the body of {url}");
            let incoming = incoming.as_mut().filter(|incoming| !incoming.has_ended());
            let frame = match (self.ahead.take(), incoming, &mut self.lease) {
                (Some(ahead), ..) => ahead,
                (None, Some(incoming), Some(lease)) if self.sending => {
                    lease.connection.drive(poll_fn(|cx| incoming.poll(cx))).await
                }
                (None, Some(incoming), Some(lease)) => {
                    let since = *self.waiting.get_or_insert_with(Instant::now);
                    self.meter.iter_mut().for_each(|meter| meter.resume(since));
                    let meter = self.meter.as_deref();
                    let frame = poll_fn(|cx| incoming.poll(cx));
                    let frame = self.deadline.within_since(Phase::Read, since, meter, what, frame);
                    let frame = lease.connection.drive(frame).await?;
                    self.waiting = None;
                    self.meter.iter_mut().for_each(|meter| meter.pause(Instant::now()));
                    frame
                }
                _ => None,
            };
            match frame.transpose().map_err(|fault| self.broken(&*fault))? {
                Some(frame) => {
                    let data = frame.into_data().unwrap_or_else(|frame| {
                        self.trailers = frame.trailers_ref().map(Trailers::of);
                        Bytes::new()
                    });
                    if !data.is_empty() {
                        let data = self.with_more(data).await;
                        self.meter.iter_mut().for_each(|meter| meter.pass(data.len(), Instant::now()));
                        self.lease.iter().for_each(|lease| lease.connection.tap().taken(data.len()));
                        return Ok(Some(data));
                    }
                }
                None => {
                    self.state = if self.decoder.is_some() { State::Drained } else { State::Ended };
                    let now = Instant::now();
                    self.deadline.enter(Phase::None, now);
                    if !self.sending {
                        self.part(now).await;
                    }
                }
            }
        }
    }

    /// Both ways are done: the connection may serve another exchange.
    async fn part(&mut self, now: Instant) {
        self.incoming = None;
        if let Some(lease) = self.lease.take() {
            self.counts = Some(lease.connection.counts());
            lease.give_back(now).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Waker};

    use tokio::sync::oneshot;

    use super::*;
    use crate::client::Client;
    use crate::options::{Http, Options};
    use crate::plan::Plan;
    use crate::runtime::Lane;

    /// An answer over HTTP/2 that is broken off after "half", when that is asked for.
    async fn answer() -> (Box<Body>, oneshot::Sender<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let head = format!("GET\nhttp://{}/", listener.local_addr().unwrap());
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            let mut connection = h2::server::handshake(listener.accept().await.unwrap().0).await.unwrap();
            let (_, mut responder) = connection.accept().await.unwrap().unwrap();
            let mut stream = responder.send_response(http::Response::new(()), false).unwrap();
            stream.send_data(Bytes::from_static(b"half"), false).unwrap();
            tokio::spawn(async move {
                told.await.unwrap();
                stream.send_reset(h2::Reason::INTERNAL_ERROR);
            });
            poll_fn(|cx| connection.poll_closed(cx)).await.unwrap();
        });
        let options = Arc::new(Options { http: Http::Two, ..Options::default() });
        let plan = Plan::parse(head.as_bytes(), 0, Outgoing::Empty, options.clone(), true).unwrap();
        let reply = Client::new(options).perform(Arc::new(plan), Lane::Wait).await.unwrap();
        (reply.body.unwrap(), tell)
    }

    #[test]
    fn an_error_is_told_to_who_was_not_there_when_it_came() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut body, tell) = answer().await;
            assert_eq!(Some(Bytes::from_static(b"half")), body.next(false).await.unwrap());
            tell.send(()).unwrap();
            let told = loop {
                let next = pin!(body.next(false)).poll(&mut Context::from_waker(Waker::noop()));
                match next {
                    Poll::Ready(told) => break told,
                    Poll::Pending => tokio::task::yield_now().await, // what was begun is dropped
                }
            };
            assert_eq!(Some(Kind::Stream), told.err().map(|error| error.kind));
        });
    }
}
