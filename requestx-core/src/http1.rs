//! A connection that speaks HTTP/1.1 and serves one exchange at a time.

use std::future::{poll_fn, Future};
use std::pin::{pin, Pin};
use std::task::{Context, Poll};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use crate::body::send::SendBody;
use crate::deadline::Phase;
use crate::error::{chain_of, Error, Kind};
use crate::socket::{Pulse, Socket};
use crate::tls;
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

impl Connection {
    /// Begins HTTP over `stream`, which stands on `socket`.
    pub async fn begin(id: u64, socket: Socket, stream: tls::Stream) -> Result<Connection, Error> {
        let secure = matches!(stream, tls::Stream::Tls(_));
        let tap = Tap::default();
        let (sender, connection) = http1::Builder::new()
            .handshake(TokioIo::new(Wire::new(stream, tap.clone())))
            .await
            .map_err(|error| {
                Error::new(Kind::Internal, Phase::Connect, error.to_string()).with_chain(chain_of(&error))
            })?;
        let driver = Box::pin(connection);
        Ok(Connection { id, sender, tap, speaks_1_0: false, secure, socket, driver, ended: false })
    }

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
            if self.ended || self.tap.sent().is_some() || self.tap.is_broken() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Drives the connection for as long as `work`, which waits for it, takes.
    pub async fn drive<F: Future>(&mut self, work: F) -> F::Output {
        // tokio's budget is for the driver, which may use it up each time: the clock of `work` has to go on for all that.
        let mut work = pin!(tokio::task::unconstrained(work));
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

    /// What it stands on, and what was read of it behind the answer's head, once HTTP has ended with an answer of 101
    /// and the request is out, or can never be.
    pub async fn into_stream(mut self) -> (tls::Stream, Vec<u8>) {
        poll_fn(|cx| {
            self.poll(cx);
            if self.ended || self.tap.is_broken() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        let parts = Pin::into_inner(self.driver).into_parts();
        let (stream, rest) = parts.io.into_inner().into_inner();
        (stream, [parts.read_buf, rest].concat())
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
