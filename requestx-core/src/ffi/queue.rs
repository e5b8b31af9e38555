//! The completion queue: what is finished waits here until the caller's own thread comes for it.
//!
//! No thread of the library ever calls into the host. The first event on an empty queue makes a descriptor readable;
//! the host's event loop sees it and dispatches, on its own thread. A flood of events is one wake-up.

use std::any::Any;
use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::exchange::Space;
use super::piece::Reading;
use super::response::{self, Held};
use super::types::*;
use super::{as_pointer, boundary, client, error, freed, guard_or, raw, tables};
use crate::error::{Error, Kind};
use crate::reply::Reply;

/// A queue and its signal.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    more: Condvar,
    #[cfg(unix)]
    signal: signal::Signal,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    /// Threads in `wait`: waking nobody is a system call all the same.
    waiting: usize,
    /// The descriptor is readable.
    signalled: bool,
    interrupted: bool,
    freed: bool,
}

/// Wakes the caller when it is dropped, so also when the runtime ends before it comes to that.
struct Later(Arc<Queue>);

impl Drop for Later {
    fn drop(&mut self) {
        self.0.signal();
    }
}

/// Something that happened, on its way to the caller.
#[derive(Debug)]
pub struct Event {
    pub token: u64,
    pub what: What,
}

#[derive(Debug)]
pub enum What {
    Reply(Box<Reply>, response::Origin),
    /// One that its receiver takes without a handle.
    Inline(Box<Reply>, response::Origin),
    Piece(Reading, Option<Bytes>),
    UploadReady,
    Written,
    Failed(Error),
}

impl Queue {
    pub(super) fn new() -> Result<Queue, Error> {
        Ok(Queue {
            state: Mutex::default(),
            more: Condvar::new(),
            #[cfg(unix)]
            signal: signal::Signal::new()?,
        })
    }

    /// Adds an event, and sees to it that the caller is woken if it is the first. After the queue was freed, drops it.
    ///
    /// `crowded`: others are under way. Then the caller is woken when the thread has done what it has to do anyway:
    /// several answers that come together are one wake-up, and a busy caller is not interrupted for each.
    pub fn push(self: &Arc<Self>, token: u64, what: What, crowded: bool) {
        let mut state = self.lock();
        if state.freed {
            drop(state);
            return; // `what` is dropped without the lock: it may close a connection
        }
        state.events.push_back(Event { token, what });
        if state.waiting > 0 {
            self.more.notify_one(); // several may wait, each for one event
        }
        if state.events.len() > 1 {
            return;
        }
        drop(state);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if crowded => {
                let later = Later(self.clone());
                runtime.spawn(async move {
                    tokio::task::yield_now().await;
                    drop(later);
                });
            }
            _ => self.signal(),
        }
    }

    pub fn is_freed(&self) -> bool {
        self.lock().freed
    }

    fn signal(&self) {
        let mut state = self.lock();
        if !state.events.is_empty() && !state.signalled {
            state.signalled = true;
            #[cfg(unix)]
            self.signal.set();
        }
    }

    fn take(&self, max: usize) -> Vec<Event> {
        self.take_from(&mut self.lock(), max)
    }

    fn take_from(&self, state: &mut State, max: usize) -> Vec<Event> {
        let n = state.events.len().min(max);
        let taken = state.events.drain(..n).collect();
        if state.events.is_empty() && std::mem::take(&mut state.signalled) {
            #[cfg(unix)]
            self.signal.clear();
        }
        taken
    }

    /// Takes at least one event, waiting for it.
    pub(super) fn wait(&self, max: usize, until: Option<Instant>) -> Result<Vec<Event>, Error> {
        let mut state = self.lock();
        loop {
            if state.freed {
                return Err(gone());
            }
            if std::mem::take(&mut state.interrupted) {
                return Err(Error::caller(Kind::Interrupted, "woken by rqx_queue_wake"));
            }
            if !state.events.is_empty() {
                return Ok(self.take_from(&mut state, max));
            }
            let rest = until
                .map_or(Duration::from_secs(3600), |until| until.saturating_duration_since(Instant::now()));
            if rest.is_zero() {
                return Err(Error::caller(Kind::Timeout, "nothing has finished in time"));
            }
            state.waiting += 1;
            state = self.more.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0;
            state.waiting -= 1;
        }
    }

    #[cfg(unix)]
    fn descriptor(&self) -> i32 {
        self.signal.number()
    }

    #[cfg(not(unix))]
    fn descriptor(&self) -> i32 {
        -1
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(unix)]
mod signal {
    //! A descriptor that is readable while events wait: eventfd on Linux, a pipe elsewhere.

    use std::os::fd::{AsRawFd, OwnedFd};

    use crate::deadline::Phase;
    use crate::error::{Error, Kind};

    #[derive(Debug)]
    pub struct Signal {
        read: OwnedFd,
        #[cfg(not(target_os = "linux"))]
        write: OwnedFd,
    }

    impl Signal {
        pub fn new() -> Result<Signal, Error> {
            let made = Signal::make();
            made.map_err(|errno| {
                let mut error = Error::io(Phase::None, "make the queue's descriptor", &errno.into());
                error.kind = Kind::NoResources;
                error
            })
        }

        #[cfg(target_os = "linux")]
        fn make() -> rustix::io::Result<Signal> {
            use rustix::event::{eventfd, EventfdFlags};
            Ok(Signal { read: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)? })
        }

        #[cfg(not(target_os = "linux"))]
        fn make() -> rustix::io::Result<Signal> {
            let (read, write) = rustix::pipe::pipe()?;
            for end in [&read, &write] {
                rustix::io::ioctl_fionbio(end, true)?;
                rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
            }
            Ok(Signal { read, write })
        }

        pub fn set(&self) {
            #[cfg(target_os = "linux")]
            let write = &self.read;
            #[cfg(not(target_os = "linux"))]
            let write = &self.write;
            let _ = rustix::io::write(write, &1u64.to_ne_bytes()); // full means readable
        }

        pub fn clear(&self) {
            let _ = rustix::io::read(&self.read, &mut [0; 8]); // empty means cleared
        }

        pub fn number(&self) -> i32 {
            self.read.as_raw_fd()
        }
    }
}

impl Event {
    /// The event for a receiver that looks at it later.
    fn hand_over(self) -> rqx_event {
        let (mut seen, held) = self.deliver();
        if held.is_some_and(|held| seen.kind == RQX_EV_BODY && Arc::strong_count(&held) == 1) {
            seen.body = NOTHING; // what it was read from was freed while it waited
        }
        seen
    }

    /// The event as C sees it, and what has to live for as long as it is looked at.
    pub fn deliver(self) -> (rqx_event, Option<Living>) {
        let mut event = rqx_event { token: self.token, ..EMPTY };
        match self.what {
            What::UploadReady => event.kind = RQX_EV_UPLOAD_READY,
            What::Written => {
                event.kind = RQX_EV_WRITTEN;
                event.flags = RQX_EVF_TERMINAL;
            }
            What::Failed(failure) => fail(&mut event, failure),
            What::Piece(reading, piece) => {
                event.kind = RQX_EV_BODY;
                event.flags = RQX_EVF_TERMINAL | if piece.is_none() { RQX_EVF_BODY_COMPLETE } else { 0 };
                event.body = reading.0.keep(piece.unwrap_or_default());
                return (event, Some(reading.0.clone()));
            }
            What::Reply(reply, origin) | What::Inline(reply, origin) => {
                match Held::register(*reply, origin) {
                    Ok((handle, held)) => {
                        held.describe(&mut event);
                        event.response = as_pointer(handle);
                        return (event, Some(held));
                    }
                    Err(failure) => fail(&mut event, failure),
                }
            }
        }
        (event, None)
    }
}

/// What an event points to: a response, or the piece that was read.
type Living = Arc<dyn Any + Send + Sync>;

/// What keeps delivered events readable: what they point to, and the memory of the inline responses.
type Alive = (Vec<Living>, Vec<u8>);

/// Events for a receiver that looks at them at once: inline responses share one piece of memory.
fn deliver_all(taken: Vec<Event>) -> (Vec<rqx_event>, Alive) {
    let mut memory = Vec::new();
    let mut starts = Vec::with_capacity(taken.len());
    for event in &taken {
        starts.push(memory.len());
        if let What::Inline(reply, _) = &event.what {
            let added = response::put_inline(reply, |part| {
                memory.extend_from_slice(part);
                Ok(())
            });
            debug_assert!(added.is_ok());
        }
    }
    let mut held = Vec::new();
    let events = taken.into_iter().zip(starts).map(|(event, start)| match event {
        Event { token, what: What::Inline(reply, _) } => {
            let mut seen = rqx_event { token, ..EMPTY };
            response::describe_inline(&mut seen, &reply, memory[start..].as_ptr());
            seen
        }
        other => {
            let (seen, keep) = other.deliver();
            held.extend(keep);
            seen
        }
    });
    (events.collect(), (held, memory))
}

/// Makes `event` the report of `failure`.
pub fn fail(event: &mut rqx_event, failure: Error) {
    event.kind = RQX_EV_ERROR;
    event.flags = RQX_EVF_TERMINAL;
    event.code = failure.kind as i32;
    event.error = error::give(failure);
}

const NOTHING: rqx_slice = rqx_slice { ptr: std::ptr::null(), len: 0 };

/// An event in which nothing has happened.
pub const EMPTY: rqx_event = rqx_event {
    token: 0,
    kind: 0,
    code: RQX_OK,
    flags: 0,
    status: 0,
    http_version: 0,
    n_headers: 0,
    peer: 0,
    response: std::ptr::null_mut(),
    error: std::ptr::null_mut(),
    head: NOTHING,
    body: NOTHING,
    reason: NOTHING,
};

/// What whoever still has a queue that was freed is told.
pub fn gone() -> Error {
    Error::caller(Kind::Handle, "the queue was freed")
}

pub(super) fn get(queue: *const rqx_queue) -> Result<Arc<Queue>, Error> {
    tables().queues.with(queue as usize, Arc::clone)
}

/// Gives a queue in `*out`. One for each event loop. RQX_OK, RQX_E_NULL, RQX_E_NO_RESOURCES. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_queue_new(out: *mut *mut rqx_queue, err: *mut *mut rqx_error) -> i32 {
    boundary(err, || {
        let out = raw::Out::new("out", out)?;
        out.set(as_pointer(tables().queues.insert(Arc::new(Queue::new()?))?));
        Ok(RQX_OK)
    })
}

/// A descriptor that is readable exactly while events wait, for poll and its like; never read from it or close it.
/// It is the queue's, and may be closed some time after rqx_queue_free: take it out of the loop before that.
/// -1 where there is none (see RQX_F_QUEUE_FD) or if it is no queue. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_queue_fd(queue: *const rqx_queue) -> i32 {
    guard_or(-1, || Ok(get(queue)?.descriptor()))
}

/// Sends in the background. Each accepted exchange gives exactly one event with RQX_EVF_TERMINAL in `queue`:
/// RQX_EV_HEAD, or RQX_EV_ERROR. `token` is the caller's; one that is in use is refused with RQX_E_STATE.
/// Arguments as in rqx_send. Any thread.
/// RQX_OK, or what is wrong with the request: then nothing is sent and no event follows. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_submit(
    client: *mut rqx_client,
    queue: *mut rqx_queue,
    token: u64,
    options: *const rqx_options,
    head: *const u8,
    head_len: usize,
    n_headers: u32,
    body: *const u8,
    body_len: usize,
    upload: *mut rqx_upload,
    flags: u32,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        super::exchange::check_flags(flags, RQX_SEND_STREAM | RQX_SEND_INLINE)?;
        let (shared, queue) = (client::get(client)?, get(queue)?);
        let plan = super::exchange::plan(
            &shared, options, head, head_len, n_headers, body, body_len, upload, flags,
        )?;
        super::exchange::submit(shared, queue, token, Arc::new(plan), flags & RQX_SEND_INLINE != 0)
    })
}

/// Takes what waits, at most `max` events (0: all), and hands it to `receive` in one call, on this thread.
/// Returns how many. What the events point to lives as long as their responses and errors, which are the receiver's.
/// Any thread, one at a time. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_queue_dispatch(
    queue: *mut rqx_queue,
    receive: rqx_event_fn,
    user: *mut c_void,
    max: usize,
) -> usize {
    guard_or(0, || {
        let (queue, Some(receive)) = (get(queue)?, receive) else {
            return Ok(0);
        };
        let taken = queue.take(if max == 0 { usize::MAX } else { max });
        if taken.is_empty() {
            return Ok(0);
        }
        let (events, _alive) = deliver_all(taken);
        receive(user, events.as_ptr(), events.len());
        Ok(events.len())
    })
}

/// The caller's array, and where to say how many are in it.
struct Room {
    events: *mut rqx_event,
    n: raw::Out<usize>,
}

impl Room {
    fn new(events: *mut rqx_event, max: usize, n: *mut usize) -> Result<Room, Error> {
        let n = raw::Out::new("n", n)?;
        raw::Out::new("events", events)?;
        match max {
            0 => Err(Error::caller(Kind::InvalidArgument, "max is 0: there is no room for an event")),
            _ => Ok(Room { events, n }),
        }
    }

    /// Puts the events there as `seen` shows them; they are no more than there is room for.
    fn fill(
        self,
        taken: Vec<Event>,
        mut seen: impl FnMut(Event) -> Result<rqx_event, Error>,
    ) -> Result<i32, Error> {
        self.n.set(taken.len());
        for (index, event) in taken.into_iter().enumerate() {
            raw::Out::new("events", self.events.wrapping_add(index))?.set(seen(event)?);
        }
        Ok(RQX_OK)
    }
}

/// Takes at most `max` events into `events`, waiting for the first until `timeout_ns` is over (negative: for ever).
/// `*n` says how many. RQX_OK with at least one, RQX_E_TIMEOUT, RQX_E_INTERRUPTED, RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_queue_wait(
    queue: *mut rqx_queue,
    events: *mut rqx_event,
    max: usize,
    timeout_ns: i64,
    n: *mut usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (queue, room) = (get(queue)?, Room::new(events, max, n)?);
        let patience = u64::try_from(timeout_ns).ok().map(Duration::from_nanos);
        let taken = queue.wait(max, patience.and_then(|time| Instant::now().checked_add(time)))?;
        room.fill(taken, |event| Ok(event.hand_over()))
    })
}

/// Takes what waits, at most `max` events, into `events`, without waiting; `*n` says how many, 0 if there are none.
///
/// Small responses of RQX_SEND_INLINE are put into `space`, one behind the other, as rqx_request_send_into puts one, for
/// as long as they fit `cap` bytes; RQX_INLINE_BYTES for each event always do. The others have a handle.
/// For hosts whose threads may end inside a callback: nothing of the host's is called here.
/// RQX_OK, RQX_E_NULL, RQX_E_HANDLE, RQX_E_INVALID_ARGUMENT. Any thread, one at a time. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_queue_take(
    queue: *mut rqx_queue,
    events: *mut rqx_event,
    max: usize,
    space: *mut u8,
    cap: usize,
    n: *mut usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (queue, room) = (get(queue)?, Room::new(events, max, n)?);
        let mut space = Space { at: space, cap };
        room.fill(queue.take(max), |event| match event {
            Event { token, what: What::Inline(reply, _) } if space.holds(&reply) => {
                let mut seen = rqx_event { token, ..EMPTY };
                space.put(&reply, &mut seen)?;
                Ok(seen)
            }
            other => Ok(other.hand_over()),
        })
    })
}

/// Makes the rqx_queue_wait that is waiting, or the next one, return RQX_E_INTERRUPTED. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_queue_wake(queue: *mut rqx_queue) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let queue = get(queue)?;
        queue.lock().interrupted = true;
        queue.more.notify_all();
        Ok(RQX_OK)
    })
}

/// Frees the queue and all that waits in it: responses and errors that were not taken as well. What is under way for it
/// is broken off as rqx_cancel does it, and nobody is told. Who waits in rqx_queue_wait gets RQX_E_HANDLE; so does a
/// later rqx_body_read of a response that came through it, which is read by rqx_body_read_into then. NULL is allowed.
/// Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_queue_free(queue: *mut rqx_queue) {
    guard_or((), || {
        let removed = tables().queues.remove(queue as usize);
        if let Ok(queue) = &removed {
            let waiting = {
                let mut state = queue.lock();
                state.freed = true;
                queue.more.notify_all();
                std::mem::take(&mut state.events)
            };
            drop(waiting);
            tables().clients.all().iter().for_each(|client| client.break_off_all_to(queue));
        }
        freed(removed);
        Ok(())
    });
}
