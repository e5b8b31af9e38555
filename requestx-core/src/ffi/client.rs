//! Clients as C holds them.

use std::collections::hash_map::Entry;
use std::collections::HashMap;
use std::sync::atomic::{fence, AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::task::AbortHandle;

use super::queue::Queue;
use super::types::*;
use super::{as_pointer, boundary, freed, guard_or, options, queue, raw, tables};
use crate::client::Client;
use crate::error::{Error, Kind};
use crate::options::Options;

/// A client, and what was submitted to it and is not done.
#[derive(Debug)]
pub struct Shared {
    pub client: Arc<Client>,
    flights: Mutex<HashMap<u64, Arc<Flight>>>,
    closed: AtomicBool,
}

/// Something under way in the background, and why it is broken off, if it is.
#[derive(Debug)]
pub struct Flight {
    /// Where its end is told.
    queue: Arc<Queue>,
    task: OnceLock<AbortHandle>,
    reason: AtomicI32,
}

impl Shared {
    pub fn of(client: Arc<Client>) -> Arc<Shared> {
        Arc::new(Shared { client, flights: Mutex::default(), closed: AtomicBool::new(false) })
    }

    /// The options of one exchange: `own`, or the client's.
    pub fn options(&self, own: Option<Arc<Options>>) -> Result<Arc<Options>, Error> {
        match own {
            None => Ok(self.client.options.clone()),
            Some(own) if own.pool == self.client.options.pool || own.pool == Default::default() => Ok(own),
            Some(_) => Err(Error::caller(
                Kind::InvalidArgument,
                "limits on connections are a client's, not an exchange's",
            )),
        }
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Begins a flight with `token`, whose end is told to `queue`; it has no task yet.
    pub fn take_off(&self, token: u64, queue: &Arc<Queue>) -> Result<Arc<Flight>, Error> {
        let mut flights = self.lock();
        if self.is_closed() {
            return Err(Error::caller(Kind::Closed, "the client is closed"));
        }
        if queue.is_freed() {
            return Err(queue::gone()); // who frees it looks here afterwards
        }
        match flights.entry(token) {
            Entry::Occupied(_) => Err(Error::caller(Kind::State, format!("token {token} is in use"))),
            Entry::Vacant(free) => Ok(free.insert(Arc::new(Flight::to(queue))).clone()),
        }
    }

    /// Ends a flight. Whether there are others.
    pub fn land(&self, token: u64) -> bool {
        let mut flights = self.lock();
        flights.remove(&token);
        !flights.is_empty()
    }

    fn break_off(&self, token: u64, reason: Kind) {
        let flight = self.lock().get(&token).cloned();
        if let Some(flight) = flight {
            flight.break_off(reason);
        }
    }

    /// Breaks off whatever would be told to `queue`.
    pub fn break_off_all_to(&self, queue: &Arc<Queue>) {
        self.break_off_all(Kind::Cancelled, |flight| Arc::ptr_eq(&flight.queue, queue));
    }

    fn break_off_all(&self, reason: Kind, which: impl Fn(&Flight) -> bool) {
        let flights: Vec<_> = self.lock().values().filter(|flight| which(flight)).cloned().collect();
        flights.iter().for_each(|flight| flight.break_off(reason));
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.break_off_all(Kind::Closed, |_| true);
        self.client.close();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Flight>>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    fn to(queue: &Arc<Queue>) -> Flight {
        Flight { queue: queue.clone(), task: OnceLock::new(), reason: AtomicI32::new(0) }
    }

    /// Its task has started; it may have been broken off in the meantime.
    pub fn started(&self, task: AbortHandle) {
        let task = self.task.get_or_init(|| task);
        fence(Ordering::SeqCst); // either this side sees the reason, or `break_off` the task
        if self.reason().is_some() {
            task.abort();
        }
    }

    /// Why it was broken off.
    pub fn reason(&self) -> Option<i32> {
        Some(self.reason.load(Ordering::Acquire)).filter(|reason| *reason != 0)
    }

    fn break_off(&self, reason: Kind) {
        self.reason.store(reason as i32, Ordering::Release);
        fence(Ordering::SeqCst);
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

pub(super) fn get(client: *const rqx_client) -> Result<Arc<Shared>, Error> {
    tables().clients.with(client as usize, Arc::clone)
}

/// Gives a client in `*out`. `options` may be NULL; they are copied. No thread is started and nothing connected.
/// RQX_OK, RQX_E_NULL, RQX_E_HANDLE, RQX_E_NO_RESOURCES. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_client_new(
    options: *const rqx_options,
    out: *mut *mut rqx_client,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let out = raw::Out::new("out", out)?;
        let options = options::snapshot(options)?.unwrap_or_default();
        out.set(as_pointer(tables().clients.insert(Shared::of(Client::new(options)))?));
        Ok(RQX_OK)
    })
}

/// Fills `*stats`, whose struct_size the caller has set. Any thread. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_client_stats(client: *const rqx_client, stats: *mut rqx_stats) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let now = get(client)?.client.stats();
        let counts = rqx_stats {
            struct_size: size_of::<rqx_stats>(),
            in_flight: now.in_flight,
            idle_connections: now.idle,
            open_connections: now.open,
            requests: now.requests,
            queued: now.queued,
        };
        raw::fill_sized("stats", stats, counts).map(|()| RQX_OK)
    })
}

/// Closes the connections that wait for use. Any thread. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_client_close_idle(client: *mut rqx_client) -> i32 {
    boundary(std::ptr::null_mut(), || {
        get(client)?.client.close_idle();
        Ok(RQX_OK)
    })
}

/// Takes no more exchanges and breaks off those under way: each gets its terminal event, with RQX_E_CLOSED.
/// Bodies can still be pulled by rqx_body_read_into and rqx_body_next; rqx_body_read needs the client and is refused with
/// RQX_E_CLOSED. Any thread. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_client_close(client: *mut rqx_client) -> i32 {
    boundary(std::ptr::null_mut(), || {
        get(client)?.close();
        Ok(RQX_OK)
    })
}

/// Breaks off the exchange or the read that `token` stands for; its terminal event follows, with RQX_E_CANCELLED
/// unless it was already there. An unknown token is none of ours any more: nothing happens.
/// Any thread. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_cancel(client: *mut rqx_client, token: u64) -> i32 {
    boundary(std::ptr::null_mut(), || {
        get(client)?.break_off(token, Kind::Cancelled);
        Ok(RQX_OK)
    })
}

/// Closes the client if it is open, and frees it. NULL is allowed. Does not wait for other threads;
/// events that are waiting stay in their queues, responses stay readable. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_client_free(client: *mut rqx_client) {
    guard_or((), || {
        let removed = tables().clients.remove(client as usize);
        if let Ok(shared) = &removed {
            shared.close();
        }
        freed(removed);
        Ok(())
    });
}
