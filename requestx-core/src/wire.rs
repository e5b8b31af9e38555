//! The bytes of one HTTP/1 connection, seen between hyper and the socket (above TLS).
//!
//! hyper lower-cases header names, keeps its own order, and hides how the server spelt its own.
//! So the request head that hyper writes is replaced by the caller's as it passes, and the response head is recorded
//! as it comes. `Tap` is the exchange's end of it: `arm` before each dispatch, `take_head` after the answer.
//!
//! The rule that keeps this honest: framing is hyper's. If its Content-Length or Transfer-Encoding is not what the
//! caller's head says, nothing is sent.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{ready, Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::deadline::Phase;
use crate::error::{Error, Kind};

/// Body bytes that travel in one write with the head, at most.
const TOGETHER: usize = 16 * 1024;
/// Informational responses that are followed to the final one: servers send one or two, an attacker 167,000.
const INFORMATIONAL: usize = 32;

/// The exchange's view of the wire.
#[derive(Debug, Clone, Default)]
pub struct Tap(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    head_to_send: Option<Bytes>,
    record: Record,
    max_head: usize,
    body_given: bool,
    sent: Option<Instant>,
    progress: Option<Instant>,
    first_byte: Option<Instant>,
    received: u64,
    written: u64,
}

/// The response head, on its way.
#[derive(Debug, Default)]
enum Record {
    #[default]
    Off,
    Coming {
        bytes: Vec<u8>,
        informational: usize,
        passed: usize,
    },
    Complete(Vec<u8>),
}

/// Byte counts of the exchange so far, framing included.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub written: u64,
    pub received: u64,
}

impl Tap {
    /// Prepares for one exchange: `head` will replace hyper's, and the answer's head be recorded.
    pub fn arm(&self, head: Bytes, max_head: usize, now: Instant) {
        *self.lock() = State {
            head_to_send: Some(head),
            record: Record::Coming {
                bytes: Vec::new(),
                informational: 0,
                passed: 0,
            },
            max_head,
            progress: Some(now),
            ..State::default()
        };
    }

    /// The recorded response head, up to and with its blank line.
    pub fn take_head(&self) -> Option<Vec<u8>> {
        match std::mem::take(&mut self.lock().record) {
            Record::Complete(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// hyper has taken the last of the body.
    pub fn body_given(&self) {
        self.lock().body_given = true;
    }

    /// When the request was sent whole, if it was.
    pub fn sent(&self) -> Option<Instant> {
        self.lock().sent
    }

    /// When the socket last took bytes.
    pub fn progress(&self) -> Option<Instant> {
        self.lock().progress
    }

    pub fn first_byte(&self) -> Option<Instant> {
        self.lock().first_byte
    }

    pub fn counts(&self) -> Counts {
        let state = self.lock();
        Counts {
            written: state.written,
            received: state.received,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
        self.progress = Some(Instant::now());
    }

    fn flushed(&mut self) {
        if self.body_given && self.sent.is_none() && self.head_to_send.is_none() {
            self.sent = self.progress;
        }
    }

    fn read(&mut self, new: &[u8]) -> io::Result<()> {
        self.received += new.len() as u64;
        let Record::Coming {
            bytes,
            informational,
            passed,
        } = &mut self.record
        else {
            return Ok(());
        };
        if self.first_byte.is_none() && !new.is_empty() {
            self.first_byte = Some(Instant::now());
        }
        let mut searched = bytes.len().saturating_sub(3);
        bytes.extend_from_slice(new);
        while let Some(end) = head_end(bytes, searched) {
            if !is_informational(bytes) {
                bytes.truncate(end);
                self.record = Record::Complete(std::mem::take(bytes));
                return Ok(());
            }
            *informational += 1;
            *passed += end;
            bytes.drain(..end);
            searched = 0;
            if *informational > INFORMATIONAL {
                return Err(refuse(
                    Kind::Protocol,
                    format!("more than {INFORMATIONAL} informational responses and no final one"),
                ));
            }
        }
        if *passed + bytes.len() > self.max_head {
            return Err(refuse(
                Kind::TooLarge,
                format!("the response's head is longer than {} bytes", self.max_head),
            ));
        }
        Ok(())
    }
}

fn refuse(kind: Kind, why: String) -> io::Error {
    io::Error::other(Error::new(kind, Phase::Await, why))
}

/// The index behind the blank line that ends a head; httparse (so hyper) takes LF for CRLF, so do we.
fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let begin = bytes
        .iter()
        .position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let from = from.max(begin);
    memchr::memchr_iter(b'\n', &bytes[from..])
        .map(|at| from + at)
        .find_map(|at| match &bytes[at + 1..] {
            [b'\n', ..] => Some(at + 2),
            [b'\r', b'\n', ..] => Some(at + 3),
            _ => None,
        })
}

/// Whether a head is a 1xx other than 101, which is final (RFC 9110 section 15.2).
fn is_informational(head: &[u8]) -> bool {
    let status = head
        .trim_ascii_start()
        .splitn(2, |byte| *byte == b' ')
        .nth(1)
        .unwrap_or_default()
        .trim_ascii_start();
    status.first() == Some(&b'1') && !status.starts_with(b"101")
}

/// `io` with the heads replaced and recorded.
#[derive(Debug)]
pub struct Wire<S> {
    io: S,
    tap: Tap,
    /// Our head and what went with it, until the socket has taken all of it.
    head: Option<Replaced>,
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
        Wire {
            io,
            tap,
            head: None,
        }
    }
}

impl<S: AsyncWrite + Unpin> Wire<S> {
    /// Writes the replaced head. Returns how many of hyper's bytes are done once it is out.
    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<Option<usize>>> {
        if self.head.is_none() {
            let Some(ours) = self.tap.lock().head_to_send.take() else {
                return Poll::Ready(Ok(None));
            };
            self.head = Some(Replaced::new(&ours, bufs)?);
        }
        let Some(head) = &mut self.head else {
            return Poll::Ready(Ok(None));
        };
        while head.written < head.bytes.len() {
            let n = ready!(Pin::new(&mut self.io).poll_write(cx, &head.bytes[head.written..]))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            head.written += n;
            self.tap.lock().wrote(n);
        }
        let covers = head.covers;
        self.head = None;
        Poll::Ready(Ok(Some(covers)))
    }
}

impl Replaced {
    fn new(ours: &[u8], bufs: &[IoSlice<'_>]) -> io::Result<Replaced> {
        let first = bufs.first().map_or(&[][..], |buf| buf);
        let theirs = Framing::of_hyper(first)?;
        let mut bytes = Vec::with_capacity(ours.len() + 64);
        bytes.extend_from_slice(ours);
        theirs.agree(ours, &mut bytes)?;
        bytes.extend_from_slice(b"\r\n");
        let mut covers = theirs.head;
        let rest =
            std::iter::once(&first[theirs.head..]).chain(bufs.iter().skip(1).map(|buf| &**buf));
        for body in rest {
            let take = body
                .len()
                .min(TOGETHER.saturating_sub(covers - theirs.head));
            bytes.extend_from_slice(&body[..take]);
            covers += take;
            if take < body.len() {
                break;
            }
        }
        Ok(Replaced {
            bytes,
            written: 0,
            covers,
        })
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
            return Err(refuse(
                Kind::Internal,
                "hyper's request head is not in one piece".into(),
            ));
        };
        let find = |name: &str| {
            request
                .headers
                .iter()
                .find(|f| f.name.eq_ignore_ascii_case(name))
                .map(|f| f.value)
        };
        Ok(Framing {
            head,
            length: find("content-length"),
            coding: find("transfer-encoding"),
        })
    }

    /// Adds to `out` what hyper chose and the caller left open.
    fn agree(&self, ours: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        let (mut length, mut coding) = (None, None);
        for line in ours.split(|byte| *byte == b'\n').skip(1) {
            let Some(colon) = memchr::memchr(b':', line) else {
                continue;
            };
            match (colon, &line[..colon]) {
                (14, name) if name.eq_ignore_ascii_case(b"content-length") => {
                    length = Some(line[colon + 1..].trim_ascii())
                }
                (17, name) if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                    coding = Some(line[colon + 1..].trim_ascii())
                }
                _ => {}
            }
        }
        for (name, theirs, ours) in [
            ("Content-Length", self.length, length),
            ("Transfer-Encoding", self.coding, coding),
        ] {
            match (theirs, ours) {
                (None, None) => {}
                (Some(theirs), None) => {
                    out.extend_from_slice(name.as_bytes());
                    out.extend_from_slice(b": ");
                    out.extend_from_slice(theirs);
                    out.extend_from_slice(b"\r\n");
                }
                (Some(theirs), Some(ours)) if theirs.eq_ignore_ascii_case(ours) => {}
                _ => {
                    return Err(refuse(Kind::Protocol, format!("{name} as given does not fit the body that would be sent; nothing was sent")))
                }
            }
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let verdict = self.tap.lock().read(&buf.filled()[before..]);
        Poll::Ready(verdict)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(covered) = ready!(self.poll_head(cx, &[IoSlice::new(buf)]))? {
            return Poll::Ready(Ok(covered));
        }
        let n = ready!(Pin::new(&mut self.io).poll_write(cx, buf))?;
        self.tap.lock().wrote(n);
        Poll::Ready(Ok(n))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(covered) = ready!(self.poll_head(cx, bufs))? {
            return Poll::Ready(Ok(covered));
        }
        let n = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs))?;
        self.tap.lock().wrote(n);
        Poll::Ready(Ok(n))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        self.tap.lock().flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armed() -> Tap {
        let tap = Tap::default();
        tap.arm(
            Bytes::from_static(b"GET / HTTP/1.1\r\nHost: a\r\n"),
            1000,
            Instant::now(),
        );
        tap
    }

    fn read(tap: &Tap, pieces: &[&[u8]]) -> io::Result<()> {
        pieces.iter().try_for_each(|piece| tap.lock().read(piece))
    }

    fn replace(ours: &[u8], hyper: &[u8]) -> io::Result<(String, usize)> {
        let replaced = Replaced::new(ours, &[IoSlice::new(hyper)])?;
        Ok((
            String::from_utf8_lossy(&replaced.bytes).into_owned(),
            replaced.covers,
        ))
    }

    #[test]
    fn the_head_is_recorded_as_sent_whatever_the_pieces() {
        let tap = armed();
        read(&tap, &[b"HTTP/1.1 200 OK\r", b"\nETag: x\r\n\r", b"\nbody"]).unwrap();

        assert_eq!(
            Some(b"HTTP/1.1 200 OK\r\nETag: x\r\n\r\n".to_vec()),
            tap.take_head()
        );
    }

    #[test]
    fn informational_heads_are_passed_over_but_101_is_final() {
        let tap = armed();
        read(
            &tap,
            &[b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 101 Up\r\n\r\n"],
        )
        .unwrap();

        assert_eq!(Some(b"HTTP/1.1 101 Up\r\n\r\n".to_vec()), tap.take_head());
    }

    #[test]
    fn a_flood_of_informational_heads_is_refused() {
        let tap = armed();
        let flood = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(INFORMATIONAL + 1);

        assert!(read(&tap, &[&flood])
            .unwrap_err()
            .to_string()
            .contains("informational"));
    }

    #[test]
    fn an_endless_head_is_refused() {
        let tap = armed();

        assert!(read(&tap, &[b"HTTP/1.1 200 OK\r\nA: ", &[b'a'; 1000]]).is_err());
    }

    #[test]
    fn hypers_head_gives_way_to_ours_and_its_framing_is_kept() {
        let ours = b"POST / HTTP/1.1\r\nHOST: a\r\nX-y: 1\r\n";
        let hyper = b"POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nbody";

        let expected =
            "POST / HTTP/1.1\r\nHOST: a\r\nX-y: 1\r\nContent-Length: 4\r\n\r\nbody".to_string();
        assert_eq!((expected, hyper.len()), replace(ours, hyper).unwrap());
    }

    #[test]
    fn framing_that_hyper_would_not_send_is_refused() {
        let ours = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n";
        let hyper = b"POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nbody";

        assert!(replace(ours, hyper).is_err());
        assert!(replace(ours, b"POST / HTTP/1.1\r\n\r\n").is_err());
    }
}
