//! A connection after HTTP: the server has switched protocols, and what passes is the caller's (RFC 9110 section 7.8).
//!
//! What was read behind the head comes first, then what the socket has. Reading and writing are two lines, each served
//! in the order of arrival, so one can wait while the other goes on, on whatever threads.
//!
//! The rule for what is broken off: of a read that is dropped nothing is lost, and it can be asked for again. Nobody
//! knows how much of a dropped write the peer has, so whoever gives one up has to close the connection.

use std::fmt;
use std::future::Future;
use std::io;
use std::mem::replace;
use std::pin::{pin, Pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{ready, Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::Mutex as AsyncMutex;

use crate::deadline::{Limits, Phase};
use crate::error::{Error, Kind};
use crate::lease::Counted;

/// Read at once, at most.
const PIECE: usize = 64 * 1024;

/// What it stands on: bytes both ways.
pub trait Duplex: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send + Unpin> Duplex for T {}

/// A connection that is the caller's, for as long as it is held.
#[derive(Debug)]
pub struct Upgraded {
    /// What messages call it.
    place: String,
    state: Mutex<State>,
    reading: AsyncMutex<Wait>,
    writing: AsyncMutex<Wait>,
    sleepers: Arc<Sleepers>,
    /// How long a read waits for the first byte, and a write for room.
    idle: Option<Duration>,
    stall: Option<Duration>,
}

#[derive(Debug)]
struct State {
    /// Or why it was closed.
    io: Result<Box<dyn Duplex>, Error>,
    /// Its place among the client's connections.
    count: Option<Counted>,
    /// Read and not asked for yet.
    space: BytesMut,
    /// Nothing more is sent.
    shut: bool,
}

impl Upgraded {
    /// Takes over `io`, of which `first` was read already; `count` is given back when it is closed.
    pub fn new(
        io: Box<dyn Duplex>,
        first: &[u8],
        limits: &Limits,
        place: String,
        count: Option<Counted>,
    ) -> Upgraded {
        Upgraded {
            place,
            state: Mutex::new(State { io: Ok(io), count, space: BytesMut::from(first), shut: false }),
            reading: AsyncMutex::default(),
            writing: AsyncMutex::default(),
            sleepers: Arc::default(),
            idle: limits.phase[Phase::Read as usize],
            stall: limits.phase[Phase::Send as usize],
        }
    }

    /// What comes next, at most `max` bytes, waiting for the first; empty is the end.
    ///
    /// # Errors
    /// `Timeout` in Read, after which it can go on; `Closed`; what the network or TLS says.
    pub async fn read(&self, max: usize) -> Result<Bytes, Error> {
        let mut wait = self.reading.lock().await;
        let read = self.turn(Way::Read, |state, cx| state.poll_read(cx, max));
        let outcome = wait.within(self.idle, read).await;
        outcome.unwrap_or_else(|seconds| {
            Err(self.late(Phase::Read, &format!("nothing came for {seconds:.3} s")))
        })
    }

    /// Sends the first of `bytes`, as many as there is room for, waiting for some; how many.
    ///
    /// # Errors
    /// `Timeout` in Send, which closes it; `State` after `shutdown`; `Closed`; what the network or TLS says.
    pub async fn write(&self, bytes: &[u8]) -> Result<usize, Error> {
        self.put(&mut *self.writing.lock().await, bytes).await
    }

    /// Sends what can be sent of `bytes` without waiting; how many, 0 if there is no room or another write under way.
    ///
    /// # Errors
    /// As `write`.
    pub fn write_now(&self, bytes: &[u8]) -> Result<usize, Error> {
        let Ok(_turn) = self.writing.try_lock() else { return Ok(0) };
        let waker = Waker::from(self.sleepers.clone());
        match self.lock().poll_write(&mut Context::from_waker(&waker), bytes) {
            Poll::Ready(done) => done.map_err(|error| self.failed(Way::Write, &error)),
            Poll::Pending => Ok(0),
        }
    }

    /// Sends all of `bytes`, and nobody else's in between; dropped before its end, it closes the connection.
    ///
    /// # Errors
    /// As `write`.
    pub async fn write_all(&self, mut bytes: Bytes) -> Result<(), Error> {
        let mut wait = self.writing.lock().await;
        let unfinished = Unfinished(self);
        let outcome = loop {
            match self.put(&mut wait, &bytes).await {
                Ok(n) if n == bytes.len() => break Ok(()),
                Ok(n) => bytes = bytes.split_off(n),
                Err(error) => break Err(error), // what has come before that can still be read
            }
        };
        std::mem::forget(unfinished);
        outcome
    }

    async fn put(&self, wait: &mut Wait, bytes: &[u8]) -> Result<usize, Error> {
        let write = self.turn(Way::Write, |state, cx| state.poll_write(cx, bytes));
        self.or_close(wait.within(self.stall, write).await)
    }

    /// Sends nothing more, which the peer is told; reading goes on. Again, it does nothing.
    ///
    /// # Errors
    /// As `write`.
    pub async fn shutdown(&self) -> Result<(), Error> {
        let mut wait = self.writing.lock().await;
        let shut = self.turn(Way::Write, State::poll_shutdown);
        self.or_close(wait.within(self.stall, shut).await)
    }

    /// Closes it; who waits for it is told.
    pub fn close(&self) {
        self.end("it was closed");
    }

    fn end(&self, why: &str) {
        let why = Error::new(Kind::Closed, Phase::None, format!("{}: {why}", self.place));
        let (io, count) = {
            let mut state = self.lock();
            if state.io.is_err() {
                return;
            }
            if !state.shut {
                // TLS wants a goodbye; what cannot be said at once is not said.
                let _ = state.poll_shutdown(&mut Context::from_waker(Waker::noop()));
            }
            (replace(&mut state.io, Err(why)), state.count.take())
        };
        drop(io); // without the lock, and before its place is given to another
        drop(count);
        self.sleepers.clone().wake();
    }

    fn or_close<T>(&self, outcome: Result<Result<T, Error>, f64>) -> Result<T, Error> {
        outcome.unwrap_or_else(|seconds| {
            self.end("a write took too long and was broken off");
            Err(self.late(Phase::Send, &format!("the peer took nothing for {seconds:.3} s")))
        })
    }

    fn late(&self, phase: Phase, why: &str) -> Error {
        Error::new(Kind::Timeout, phase, format!("{}: {why}, the time limit", self.place))
    }

    /// Waits in one of the two lines until `act` has an outcome.
    async fn turn<T>(
        &self,
        way: Way,
        mut act: impl FnMut(&mut State, &mut Context<'_>) -> Poll<Result<T, io::Error>>,
    ) -> Result<T, Error> {
        let waker = Waker::from(self.sleepers.clone());
        std::future::poll_fn(|cx| {
            self.sleepers.add(way, cx.waker());
            let done = ready!(act(&mut self.lock(), &mut Context::from_waker(&waker)));
            Poll::Ready(done.map_err(|error| self.failed(way, &error)))
        })
        .await
    }

    fn failed(&self, way: Way, error: &io::Error) -> Error {
        Error::io(Phase::None, &format!("{way} {}", self.place), error)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Upgraded {
    fn drop(&mut self) {
        self.close();
    }
}

/// A write under way, whose end nobody has seen.
struct Unfinished<'a>(&'a Upgraded);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.end("a write was broken off, and nobody knows how much of it was sent");
    }
}

impl State {
    fn io(&mut self) -> io::Result<Pin<&mut Box<dyn Duplex>>> {
        self.io.as_mut().map(Pin::new).map_err(told)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, max: usize) -> Poll<io::Result<Bytes>> {
        if self.space.is_empty() || self.io.is_err() {
            self.space.reserve(PIECE);
            let io = self.io.as_mut().map_err(told)?;
            ready!(pin!(io.read_buf(&mut self.space)).poll(cx))?;
        }
        let size = max.min(self.space.len());
        Poll::Ready(Ok(self.space.split_to(size).freeze()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.io()?;
        if self.shut {
            let why = Error::caller(Kind::State, "nothing can be sent after the end was announced");
            return Poll::Ready(Err(io::Error::other(why)));
        }
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let n = ready!(self.io()?.poll_write(cx, bytes))?;
        let _ = self.io()?.poll_flush(cx); // it goes on with the next one, if it has to
        match n {
            0 => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            n => Poll::Ready(Ok(n)),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = self.shut;
        let io = self.io()?;
        if !shut {
            ready!(io.poll_shutdown(cx))?;
            self.shut = true;
        }
        Poll::Ready(Ok(()))
    }
}

fn told(why: &mut Error) -> io::Error {
    io::Error::other(why.clone())
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Read,
    Write,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Way::Read => "read from",
            Way::Write => "write to",
        })
    }
}

/// Who waits, one in each line. TLS may have to write in order to read, so whatever happens wakes both.
#[derive(Debug, Default)]
struct Sleepers(Mutex<[Option<Waker>; 2]>);

impl Sleepers {
    fn add(&self, way: Way, waker: &Waker) {
        let mut sleepers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers[way as usize] = Some(waker.clone());
    }
}

impl Wake for Sleepers {
    fn wake(self: Arc<Self>) {
        let sleepers = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        sleepers.into_iter().flatten().for_each(Waker::wake);
    }
}

/// A wait that may come in slices, as blocking calls do: its limit counts from the first of them.
/// One that nobody has come back to is over.
#[derive(Debug, Default)]
struct Wait(Option<(Instant, Instant)>);

/// A slice this late begins another wait.
const FORGOTTEN: Duration = Duration::from_secs(1);

impl Wait {
    /// What `work` gives, or the seconds it was waited for in vain.
    async fn within<T>(&mut self, limit: Option<Duration>, work: impl Future<Output = T>) -> Result<T, f64> {
        let now = Instant::now();
        let since = self.since(now);
        let outcome = match limit.and_then(|limit| since.checked_add(limit)) {
            None => Ok(work.await),
            Some(until) => tokio::time::timeout_at(until.into(), work).await,
        };
        self.0 = None;
        outcome.map_err(|_| since.elapsed().as_secs_f64())
    }

    fn since(&mut self, now: Instant) -> Instant {
        let since = match self.0 {
            Some((since, seen)) if now.saturating_duration_since(seen) < FORGOTTEN => since,
            _ => now,
        };
        self.0 = Some((since, now));
        since
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, DuplexStream};

    use super::*;

    fn pair(first: &[u8], idle: Option<Duration>) -> (Upgraded, DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(16);
        let mut limits = Limits::default();
        limits.phase[Phase::Read as usize] = idle;
        limits.phase[Phase::Send as usize] = idle;
        (Upgraded::new(Box::new(ours), first, &limits, "a".into(), None), theirs)
    }

    fn run<F: Future>(work: F) -> F::Output {
        let builder = tokio::runtime::Builder::new_current_thread().enable_time().build();
        builder.unwrap().block_on(work)
    }

    #[test]
    fn what_came_with_the_head_is_read_first() {
        let (upgraded, mut peer) = pair(b"first", None);
        run(async {
            peer.write_all(b"second").await.unwrap();
            drop(peer);

            assert_eq!(&b"fir"[..], upgraded.read(3).await.unwrap());
            assert_eq!(&b"st"[..], upgraded.read(100).await.unwrap());
            assert_eq!(&b"second"[..], upgraded.read(100).await.unwrap());
            assert_eq!(&b""[..], upgraded.read(100).await.unwrap());
        });
    }

    #[test]
    fn one_line_waits_while_the_other_goes_on() {
        let (upgraded, mut peer) = pair(b"", None);
        let upgraded = Arc::new(upgraded);
        let reader = upgraded.clone();
        run(async {
            let read = tokio::spawn(async move { reader.read(100).await });
            let written =
                tokio::spawn(async move { upgraded.write_all(Bytes::from_static(&[7; 100])).await });
            peer.read_exact(&mut [0; 100]).await.unwrap();
            peer.write_all(b"heard").await.unwrap();

            written.await.unwrap().unwrap();
            assert_eq!(&b"heard"[..], read.await.unwrap().unwrap());
        });
    }

    #[test]
    fn what_there_is_room_for_is_sent_without_waiting() {
        let (upgraded, mut peer) = pair(b"", None);
        assert_eq!(16, upgraded.write_now(&[7; 100]).unwrap());
        assert_eq!(0, upgraded.write_now(&[7; 84]).unwrap());

        run(async {
            peer.read_exact(&mut [0; 16]).await.unwrap();
            upgraded.close();
        });
        assert_eq!(Kind::Closed, upgraded.write_now(&[7]).unwrap_err().kind);
    }

    #[test]
    fn a_read_that_takes_too_long_can_go_on() {
        let (upgraded, mut peer) = pair(b"", Some(Duration::from_millis(1)));
        run(async {
            let late = upgraded.read(100).await.unwrap_err();
            assert_eq!((Kind::Timeout, Phase::Read), (late.kind, late.phase));
            peer.write_all(b"at last").await.unwrap();

            assert_eq!(&b"at last"[..], upgraded.read(100).await.unwrap());
        });
    }

    #[test]
    fn a_write_that_is_given_up_closes() {
        for limit in [None, Some(Duration::from_millis(1))] {
            let (upgraded, _peer) = pair(b"", limit);
            run(async {
                let write = upgraded.write_all(Bytes::from_static(&[7; 100]));
                match limit {
                    None => drop(tokio::time::timeout(Duration::from_millis(1), write).await),
                    Some(_) => assert_eq!(Phase::Send, write.await.unwrap_err().phase),
                }

                assert_eq!(Kind::Closed, upgraded.read(100).await.unwrap_err().kind);
            });
        }
    }

    #[test]
    fn closing_wakes_who_waits() {
        let (upgraded, _peer) = pair(b"", None);
        let upgraded = Arc::new(upgraded);
        let reader = upgraded.clone();
        run(async {
            let read = tokio::spawn(async move { reader.read(1).await });
            tokio::task::yield_now().await;
            upgraded.close();

            assert_eq!(Kind::Closed, read.await.unwrap().unwrap_err().kind);
        });
    }

    #[test]
    fn after_its_end_nothing_is_sent_and_reading_goes_on() {
        let (upgraded, mut peer) = pair(b"", None);
        run(async {
            upgraded.shutdown().await.unwrap();
            upgraded.shutdown().await.unwrap();
            assert_eq!(0, peer.read(&mut [0]).await.unwrap());
            peer.write_all(b"more").await.unwrap();

            assert_eq!(Kind::State, upgraded.write(b"x").await.unwrap_err().kind);
            assert_eq!(Kind::State, upgraded.write_all(Bytes::from_static(b"x")).await.unwrap_err().kind);
            assert_eq!(&b"more"[..], upgraded.read(100).await.unwrap());
        });
    }

    #[test]
    fn a_wait_that_nobody_came_back_to_is_over() {
        let (mut wait, start) = (Wait::default(), Instant::now());
        assert_eq!(start, wait.since(start));
        assert_eq!(start, wait.since(start + FORGOTTEN / 2));

        assert_eq!(start + FORGOTTEN * 2, wait.since(start + FORGOTTEN * 2));
    }
}
