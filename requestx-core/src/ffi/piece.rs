//! The piece that was shown last, of a body or of an upgraded connection, and the one that was asked for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::exchange::Terminal;
use super::queue::What;
use super::types::rqx_slice;
use crate::deadline::Phase;
use crate::error::{Error, Kind};

/// What an event or a call has pointed to, until the next one does.
#[derive(Debug, Default)]
pub struct Shown {
    piece: Mutex<Bytes>,
    /// A piece was asked for in the background and has not been delivered.
    asked: AtomicBool,
}

impl Shown {
    /// Keeps `piece` until the next one, for the caller to look at.
    pub fn keep(&self, piece: Bytes) -> rqx_slice {
        let view = rqx_slice::of(&piece);
        *self.piece.lock().unwrap_or_else(PoisonError::into_inner) = piece;
        view
    }
}

/// A read under way, and what it owes its caller. It is over before it is told: who hears of it may ask for the next.
#[derive(Debug)]
pub struct Asked {
    reading: Reading,
    terminal: Terminal,
}

impl Asked {
    pub fn new(reading: Reading, terminal: Terminal) -> Asked {
        Asked { reading, terminal }
    }

    /// Tells what has come: a piece, or None for the end.
    pub fn end(self, read: Result<Option<Bytes>, Error>) {
        match read {
            Ok(piece) => self.terminal.end(What::Piece(self.reading, piece)),
            Err(error) => {
                drop(self.reading);
                self.terminal.end(What::Failed(error));
            }
        }
    }
}

/// The one background read of something, until it has been delivered or has failed.
#[derive(Debug)]
pub struct Reading(pub Arc<Shown>);

impl Reading {
    /// # Errors
    /// `State` while there is another; `whose` it is.
    pub fn begin(shown: &Arc<Shown>, whose: &str) -> Result<Reading, Error> {
        if shown.asked.swap(true, Ordering::AcqRel) {
            let why = format!("another read of this {whose} is under way");
            return Err(Error::new(Kind::State, Phase::Read, why));
        }
        Ok(Reading(shown.clone()))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.asked.store(false, Ordering::Release);
    }
}
