//! Fuzzed bytes, taken apart: choices from the front, what is read from the rest.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The first `N` bytes, each a choice, and what follows them. `None` for less.
pub fn choices<const N: usize>(data: &[u8]) -> Option<([u8; N], &[u8])> {
    let (front, rest) = data.split_first_chunk::<N>()?;
    Some((*front, rest))
}

/// `bytes` in pieces, as `how` says: each on its own, or of sizes that seem to be drawn by lot.
pub fn cut(bytes: &[u8], how: u8) -> Vec<&[u8]> {
    let (mut pieces, mut rest, mut state) = (Vec::new(), bytes, u32::from(how) | 1);
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = match how {
            0 => 1,
            1..=127 => 1 + (state >> 24) as usize % 16,
            _ => 1 + (state >> 16) as usize % 1024,
        };
        let (piece, more) = rest.split_at(size.min(rest.len()));
        pieces.push(piece);
        rest = more;
    }
    pieces
}

/// A peer that has said all it will say before it hears anything: a stream for what is spoken over any.
#[derive(Debug, Default)]
pub struct Script {
    pub pieces: VecDeque<Vec<u8>>,
    pub heard: Vec<u8>,
}

impl Script {
    pub fn of(pieces: &[&[u8]]) -> Script {
        Script { pieces: pieces.iter().map(|piece| piece.to_vec()).collect(), heard: Vec::new() }
    }

    /// What has not been read of it.
    pub fn rest(self) -> Vec<u8> {
        Vec::from(self.pieces).concat()
    }
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.pieces.pop_front() {
            let rest = piece.split_off(piece.len().min(buf.remaining()));
            buf.put_slice(&piece);
            if !rest.is_empty() {
                self.pieces.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.heard.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
