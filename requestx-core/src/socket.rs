//! A TCP connection that two sides can reach: hyper, which reads and writes, and the exchange, which looks whether it
//! is alive before it is used again.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{ready, Context, Poll};

use rustix::io::Errno;
use rustix::net::RecvFlags;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

#[cfg(target_os = "linux")]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;
#[cfg(not(target_os = "linux"))]
const NO_SIGNAL: i32 = 0; // the standard library sets SO_NOSIGPIPE where there is no flag

/// What the read after a write takes at most: most answers are not longer.
const FIRST: usize = 8192;

/// The connection; clones share it.
#[derive(Debug, Clone)]
pub struct Socket(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    stream: TcpStream,
    /// Read at once after a write, before asking the driver: a near server has answered by then.
    eager: bool,
    wrote: bool,
    /// Reads that brought something.
    heard: u64,
}

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
    /// `eager` suits a thread that drives one exchange; one that drives many has better things to do than to ask.
    pub fn new(stream: TcpStream, eager: bool) -> Socket {
        Socket(Arc::new(Mutex::new(State { stream, eager, wrote: false, heard: 0 })))
    }

    /// How often something has come: the same number later means that nothing has since.
    pub fn heard(&self) -> u64 {
        self.lock().heard
    }

    /// Asks, without waiting: the kernel, which knows what the driver has not been told yet; or, where somebody drives
    /// all the time and it is not `vital`, the driver, which costs no system call.
    pub fn pulse(&self, vital: bool) -> Pulse {
        let state = self.lock();
        let mut byte = [MaybeUninit::uninit()];
        let mut peek = || SockRef::from(&state.stream).peek(&mut byte);
        let peeked =
            if state.eager || vital { peek() } else { state.stream.try_io(Interest::READABLE, peek) };
        match peeked {
            Ok(0) => Pulse::Gone,
            Ok(_) => Pulse::Bytes,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Pulse::Quiet,
            Err(_) => Pulse::Gone,
        }
    }

    /// There is something to read that the driver may not know of yet.
    pub fn look_again(&self) {
        self.lock().wrote = true;
    }

    /// Whether the next read asks the kernel without asking the driver.
    pub fn reads_at_once(&self) -> bool {
        let state = self.lock();
        state.eager && state.wrote
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let state = &mut *self.lock();
        if std::mem::take(&mut state.wrote) && state.eager {
            let room = buf.remaining().min(FIRST); // it is filled with zeros first
                                                   // It does not wait: tokio's sockets never do.
            match rustix::net::recv(&state.stream, buf.initialize_unfilled_to(room), RecvFlags::empty()) {
                Ok((n, _)) => {
                    buf.advance(n);
                    state.heard += 1;
                    return Poll::Ready(Ok(()));
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Poll::Ready(Err(errno.into())),
            }
        }
        let read = Pin::new(&mut state.stream).poll_read(cx, buf);
        if read.is_ready() {
            state.heard += 1;
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let state = &mut *self.lock();
        state.wrote = true;
        Pin::new(&mut state.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let state = &mut *self.lock();
        state.wrote = true;
        loop {
            ready!(state.stream.poll_write_ready(cx))?;
            // Not writev, which would raise SIGPIPE in a host that has not turned it off.
            let socket = SockRef::from(&state.stream);
            let send = || socket.send_vectored_with_flags(bufs, NO_SIGNAL);
            match state.stream.try_io(Interest::WRITABLE, send) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_shutdown(cx)
    }
}
