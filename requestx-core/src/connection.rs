//! A connection as an exchange has it: one of HTTP/1, which is its own, or a seat on one of HTTP/2.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as _, Frame};

use crate::error::{Error, Fault, Kind};
use crate::pool::Shareable;
use crate::wire::{Counts, Tap};
use crate::{http1, http2};

#[derive(Debug)]
pub enum Connection {
    One(Box<http1::Connection>),
    Two(http2::Connection),
}

impl Connection {
    pub fn id(&self) -> u64 {
        match self {
            Connection::One(one) => one.id,
            Connection::Two(two) => two.id(),
        }
    }

    /// What the exchange sees of the wire.
    pub fn tap(&self) -> &Tap {
        match self {
            Connection::One(one) => &one.tap,
            Connection::Two(two) => &two.tap,
        }
    }

    pub fn counts(&self) -> Counts {
        self.tap().counts()
    }

    /// Whether it can be used again; see `http1::Connection::is_alive` on `vital`.
    pub async fn is_alive(&mut self, vital: bool) -> bool {
        match self {
            Connection::One(one) => one.is_alive(vital).await,
            Connection::Two(two) => two.is_alive(vital).await,
        }
    }

    /// Whether a body whose length only its end will tell can be sent on it.
    pub fn sends_any_length(&self) -> bool {
        !matches!(self, Connection::One(one) if one.speaks_1_0)
    }

    /// Waits for `work`, which waits for the connection; one of HTTP/1 is driven by this.
    pub async fn drive<F: Future>(&mut self, work: F) -> F::Output {
        match self {
            Connection::One(one) => one.drive(work).await,
            Connection::Two(_) => work.await,
        }
    }

    /// Waits until the request has been sent whole, or cannot be.
    pub async fn send_rest(&mut self) {
        match self {
            Connection::One(one) => one.send_rest().await,
            Connection::Two(two) => two.tap.sent_or_let_go().await,
        }
    }

    /// Whether other exchanges share it, or could: it is not this one's to close.
    pub fn is_shared(&self) -> bool {
        matches!(self, Connection::Two(_))
    }

    /// An error on it, with what the server of HTTP/2 had said before it closed.
    pub fn explain(&self, mut error: Error) -> Error {
        let said = match self {
            Connection::Two(two) if matches!(error.kind, Kind::Reset | Kind::Io | Kind::Incomplete) => {
                two.farewell()
            }
            _ => None,
        };
        if let Some(code) = said {
            error.message = format!("{}, after the server had said {code}", error.message);
        }
        error
    }

    /// No more exchanges on it: one of HTTP/1 is closed after this one anyway.
    pub fn retire(&self) {
        if let Connection::Two(two) = self {
            two.retire();
        }
    }

    /// No more exchanges on it if nothing at all has come since this one was begun: it may have died without a word.
    pub fn retire_if_silent(&self) {
        if let Connection::Two(two) = self {
            two.retire_if_silent();
        }
    }
}

/// A response's body as it comes from either.
#[derive(Debug)]
pub enum Incoming {
    One(hyper::body::Incoming),
    Two(http2::Incoming),
}

impl Incoming {
    /// The next frame of it.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        match self {
            Incoming::One(one) => Pin::new(one).poll_frame(cx).map_err(Into::into),
            Incoming::Two(two) => two.poll(cx).map_err(Into::into),
        }
    }

    /// There is no more of it.
    pub fn has_ended(&self) -> bool {
        match self {
            Incoming::One(one) => one.is_end_stream(),
            Incoming::Two(two) => two.has_ended(),
        }
    }

    /// Bytes still to come, where the server said so.
    pub fn left(&self) -> Option<u64> {
        match self {
            Incoming::One(one) => one.size_hint().exact(),
            Incoming::Two(two) => two.left(),
        }
    }
}

impl Shareable for Connection {
    const SEATS: usize = http2::SEATS;

    fn share(&self) -> Option<Connection> {
        match self {
            Connection::One(_) => None,
            Connection::Two(two) => two.share().map(Connection::Two),
        }
    }

    fn has_room(&self) -> bool {
        matches!(self, Connection::Two(two) if two.has_room())
    }

    fn is_unused(&self) -> bool {
        matches!(self, Connection::Two(two) if two.is_unused())
    }

    fn is_over(&self) -> bool {
        matches!(self, Connection::Two(two) if two.is_over())
    }
}
