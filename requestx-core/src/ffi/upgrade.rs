//! Connections whose server has switched protocols: bytes both ways, blocking or in the background.

use std::future::Future;
use std::sync::Arc;

use super::exchange::{copied, fly};
use super::piece::{Asked, Reading, Shown};
use super::queue::{Queue, What};
use super::response::{self, Origin};
use super::types::*;
use super::{as_pointer, boundary, freed, guard_or, raw, tables, wait_for};
use crate::deadline::Phase;
use crate::error::{Error, Kind};
use crate::runtime::Lane;
use crate::upgraded::Upgraded;

/// A connection that C has a handle to.
#[derive(Debug)]
pub struct Held {
    connection: Arc<Upgraded>,
    shown: Arc<Shown>,
    origin: Origin,
}

impl Held {
    fn queue(&self) -> Result<Arc<Queue>, Error> {
        match (self.origin.lane, &self.origin.queue) {
            (Lane::Spawn, Some(queue)) => Ok(queue.clone()),
            _ => Err(Error::new(
                Kind::State,
                Phase::None,
                "a connection that began with rqx_send is used by rqx_upgrade_read and rqx_upgrade_write",
            )),
        }
    }

    /// Has `work` send something in the background.
    fn send<F>(&self, token: u64, work: impl FnOnce(Arc<Upgraded>) -> F) -> Result<i32, Error>
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let (queue, work) = (self.queue()?, work(self.connection.clone()));
        fly(&self.origin.shared, queue, token, move |terminal| async move {
            let done = work.await;
            terminal.end(done.map_or_else(What::Failed, |()| What::Written));
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connection.close(); // reads and writes under way have it as well
    }
}

fn get(upgrade: *const rqx_upgrade) -> Result<Arc<Held>, Error> {
    tables().upgrades.with(upgrade as usize, Arc::clone)
}

/// Takes the connection of a response that has RQX_EVF_UPGRADED, once, and gives it in `*out`: what follows on it is the
/// caller's, both ways, beginning with what came behind the head. It serves no other exchange, and is closed with this
/// handle; the response may be freed before. It counts as one of the client's connections for as long as it is open.
/// RQX_OK; RQX_E_STATE if the server did not switch protocols, or the connection was taken already; RQX_E_NULL,
/// RQX_E_HANDLE, RQX_E_NO_RESOURCES. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upgrade_new(
    response: *mut rqx_response,
    out: *mut *mut rqx_upgrade,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (response, out) = (response::get(response)?, raw::Out::new("out", out)?);
        let connection = response.take_upgraded()?;
        let held = Held { connection, shown: Arc::default(), origin: response.origin.clone() };
        out.set(as_pointer(tables().upgrades.insert(Arc::new(held))?));
        Ok(RQX_OK)
    })
}

/// Reads what comes next into `dst`, at most `cap` bytes, waiting for the first; `*n` says how many, 0 is the end.
/// The limit on RQX_PHASE_READ is how long it waits; afterwards it can be read on. One may read while another writes.
/// RQX_OK; RQX_PENDING after 50 ms: call again, nothing is lost; RQX_E_TIMEOUT, RQX_E_CLOSED after rqx_upgrade_close,
/// RQX_E_RESET, RQX_E_INCOMPLETE for TLS that ended without its goodbye, RQX_E_IO, RQX_E_NULL, RQX_E_HANDLE.
/// Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upgrade_read(
    upgrade: *mut rqx_upgrade,
    dst: *mut u8,
    cap: usize,
    n: *mut usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (held, n) = (get(upgrade)?, raw::Out::new("n", n)?);
        if dst.is_null() || cap == 0 {
            return Err(Error::caller(Kind::Null, "there is no room to read into"));
        }
        let Some(piece) = wait_for(held.connection.read(cap))? else { return Ok(RQX_PENDING) };
        n.set(raw::fill("dst", dst, cap, &piece)?);
        Ok(RQX_OK)
    })
}

/// Sends the first of `bytes`, as many as there is room for, waiting for some; `*n` says how many.
/// The limit on RQX_PHASE_SEND is how long it waits; a write that reaches it closes the connection.
/// RQX_OK; RQX_PENDING after 50 ms with nothing sent: call again with the same bytes, or close the connection, for over
/// TLS a part of them may be under way; RQX_E_STATE after rqx_upgrade_shutdown; RQX_E_TIMEOUT, RQX_E_CLOSED, RQX_E_RESET,
/// RQX_E_IO, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upgrade_write(
    upgrade: *mut rqx_upgrade,
    bytes: *const u8,
    len: usize,
    n: *mut usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (held, n) = (get(upgrade)?, raw::Out::new("n", n)?);
        let write = held.connection.write(raw::bytes("bytes", bytes, len)?);
        let Some(written) = wait_for(write)? else { return Ok(RQX_PENDING) };
        n.set(written);
        Ok(RQX_OK)
    })
}

/// Sends the first of `bytes`, as many as there is room for now, without waiting; `*n` says how many.
/// RQX_OK; RQX_E_AGAIN with `*n` 0 and no error object if there is no room, or another write under way: go on with the same
/// bytes in one of the other ways, for over TLS a part of them may be under way; errors as of rqx_upgrade_write.
/// Any thread, also one that must not wait. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upgrade_write_now(
    upgrade: *mut rqx_upgrade,
    bytes: *const u8,
    len: usize,
    n: *mut usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (held, n) = (get(upgrade)?, raw::Out::new("n", n)?);
        let sent = held.connection.write_now(raw::bytes("bytes", bytes, len)?)?;
        n.set(sent);
        Ok(if sent == 0 && len > 0 { RQX_E_AGAIN } else { RQX_OK })
    })
}

/// Tells the peer that no more will be sent (over TLS by close_notify, then by FIN); reading goes on. Again, it does
/// nothing. RQX_OK; RQX_PENDING after 50 ms: call again; errors as of rqx_upgrade_write. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upgrade_shutdown(upgrade: *mut rqx_upgrade, err: *mut *mut rqx_error) -> i32 {
    boundary(err, || {
        let done = wait_for(get(upgrade)?.connection.shutdown())?;
        Ok(done.map_or(RQX_PENDING, |()| RQX_OK))
    })
}

/// Asks for what comes next, at most `max` bytes (0: as it comes). RQX_EV_BODY follows in the queue of the exchange, with
/// `token`: bytes, or the end with RQX_EVF_BODY_COMPLETE; or RQX_EV_ERROR, as of rqx_upgrade_read.
/// The bytes are valid until the next read, or until the connection is freed. Of a read that rqx_cancel breaks off nothing
/// is lost. Only for responses of rqx_submit: nobody drives the others in the background, RQX_E_STATE.
/// RQX_OK, RQX_E_STATE while another such read is under way, RQX_E_CLOSED after the client, RQX_E_HANDLE,
/// RQX_E_NO_RESOURCES. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upgrade_submit_read(
    upgrade: *mut rqx_upgrade,
    token: u64,
    max: usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let held = get(upgrade)?;
        let (queue, connection) = (held.queue()?, held.connection.clone());
        let reading = Reading::begin(&held.shown, "connection")?;
        let max = if max == 0 { usize::MAX } else { max };
        fly(&held.origin.shared, queue, token, move |terminal| {
            let asked = Asked::new(reading, terminal);
            async move {
                let read = connection.read(max).await;
                asked.end(read.map(|piece| Some(piece).filter(|piece| !piece.is_empty())));
            }
        })
    })
}

/// Sends all of `bytes`, which are copied. RQX_EV_WRITTEN follows in the queue of the exchange, with `token`; or
/// RQX_EV_ERROR. One that rqx_cancel breaks off closes the connection, since nobody knows how much of it was sent; so
/// does one that reaches the limit on RQX_PHASE_SEND. Of several each is sent whole, one after the other.
/// RQX_OK, RQX_E_STATE for responses of rqx_send, RQX_E_CLOSED after the client, RQX_E_HANDLE, RQX_E_NO_RESOURCES.
/// Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upgrade_submit_write(
    upgrade: *mut rqx_upgrade,
    token: u64,
    bytes: *const u8,
    len: usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let bytes = copied(raw::bytes("bytes", bytes, len)?)?;
        get(upgrade)?.send(token, |connection| async move { connection.write_all(bytes).await })
    })
}

/// As rqx_upgrade_shutdown, in the background: RQX_EV_WRITTEN follows, or RQX_EV_ERROR.
/// Errors as of rqx_upgrade_submit_write. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upgrade_submit_shutdown(
    upgrade: *mut rqx_upgrade,
    token: u64,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || get(upgrade)?.send(token, |connection| async move { connection.shutdown().await }))
}

/// Closes the connection; who waits for it is told, RQX_E_CLOSED. What was shown of it stays until it is freed.
/// NULL is allowed. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upgrade_close(upgrade: *mut rqx_upgrade) {
    guard_or((), || {
        if !upgrade.is_null() {
            get(upgrade)?.connection.close();
        }
        Ok(())
    });
}

/// Closes the connection if it is open, and frees it. NULL is allowed. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upgrade_free(upgrade: *mut rqx_upgrade) {
    guard_or((), || {
        freed(tables().upgrades.remove(upgrade as usize));
        Ok(())
    });
}
