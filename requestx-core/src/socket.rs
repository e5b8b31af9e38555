//! A TCP connection that two sides can reach: hyper, which reads and writes, and the exchange, which looks whether it
//! is alive before it is used again, and hangs up when nobody will drive it any more.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The connection; clones share it.
#[derive(Debug, Clone)]
pub struct Socket(Arc<Mutex<TcpStream>>);

/// What an idle connection has to say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pulse {
    /// Nothing: it is as we left it.
    Quiet,
    /// Bytes that nobody asked for, or TLS's own messages.
    Bytes,
    /// The peer has closed it.
    Gone,
}

impl Socket {
    pub fn new(stream: TcpStream) -> Socket {
        Socket(Arc::new(Mutex::new(stream)))
    }

    /// Asks the kernel, without waiting: what the driver has not been told yet is seen as well.
    pub fn pulse(&self) -> Pulse {
        let mut byte = [MaybeUninit::uninit()];
        match SockRef::from(&*self.lock()).peek(&mut byte) {
            Ok(0) => Pulse::Gone,
            Ok(_) => Pulse::Bytes,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Pulse::Quiet,
            Err(_) => Pulse::Gone,
        }
    }

    /// Ends both directions at once, whoever drives the connection; the descriptor is closed by its owner.
    pub fn hang_up(&self) {
        let _ = SockRef::from(&*self.lock()).shutdown(Shutdown::Both); // it may be closed already
    }

    fn lock(&self) -> MutexGuard<'_, TcpStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(cx)
    }
}
