//! Responses as C holds them: views of the head, and the body as it is pulled.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use tokio::sync::{Mutex as AsyncMutex, Notify};

use super::client::Shared;
use super::exchange::fly;
use super::piece::{Asked, Reading, Shown};
use super::queue::Queue;
use super::types::*;
use super::{boundary, freed, guard_or, raw, tables, wait_for};
use crate::body::recv::Body;
use crate::deadline::{Phase, PHASES};
use crate::error::{Error, Kind};
use crate::head::{Head, Trailers, SWITCHING_PROTOCOLS};
use crate::reply::{Course, Reply, Timing};
use crate::runtime::Lane;
use crate::upgraded::Upgraded;
use crate::wire::Counts;

/// A response that C has a handle to.
#[derive(Debug)]
pub struct Held {
    /// Its block with an rqx_timing behind it.
    head: Head,
    whole: Option<Bytes>,
    body: AsyncMutex<Option<Box<Body>>>,
    /// As of the last read: the body may be in somebody's hands, or gone.
    tally: Mutex<Tally>,
    shown: Arc<Shown>,
    /// The connection, until it is taken.
    upgraded: Mutex<Option<Arc<Upgraded>>>,
    closed: AtomicBool,
    /// Ends the read that is under way when it is closed.
    closing: Notify,
    timing: Timing,
    /// Known once the body has been read to its end.
    trailers: OnceLock<Trailers>,
    pub course: Option<Box<Course>>,
    pub origin: Origin,
}

/// Where a response came from, and so who may read its body how.
#[derive(Debug, Clone)]
pub struct Origin {
    pub shared: Arc<Shared>,
    pub lane: Lane,
    pub queue: Option<Arc<Queue>>,
}

/// What a body's counters say.
#[derive(Debug, Clone, Copy)]
struct Tally {
    raw_bytes: u64,
    spent: [u64; PHASES],
    wire: Counts,
}

impl Tally {
    fn of(body: &Body) -> Tally {
        let (spent, wire) = body.so_far();
        Tally { raw_bytes: body.raw_bytes, spent, wire }
    }
}

impl Held {
    pub fn register(reply: Reply, origin: Origin) -> Result<(usize, Arc<Held>), Error> {
        let Reply { mut head, whole, raw_bytes, trailers, body, upgraded, timing, course } = reply;
        let known = whole.as_ref().map(|_| OnceLock::from(trailers.unwrap_or_default()));
        head.block.extend_from_slice(raw::bytes_of(&timed(&timing)));
        let held = Arc::new(Held {
            head,
            whole,
            body: AsyncMutex::new(body),
            tally: Mutex::new(Tally { raw_bytes, spent: timing.spent, wire: timing.counts }),
            shown: Arc::default(),
            upgraded: Mutex::new(upgraded),
            closed: AtomicBool::new(false),
            closing: Notify::new(),
            timing,
            trailers: known.unwrap_or_default(),
            course,
            origin,
        });
        Ok((tables().responses.insert(held.clone())?, held))
    }

    /// Fills in what an event says of a response.
    pub fn describe(&self, event: &mut rqx_event) {
        describe(event, &self.head, &self.timing);
        event.head = rqx_slice::of(&self.head.block[..self.head.block.len() - TIMED]);
        event.reason = rqx_slice::of(&self.head.reason);
        if let Some(whole) = &self.whole {
            event.flags |= RQX_EVF_BODY_COMPLETE;
            event.body = rqx_slice::of(whole);
        }
        if self.trailers.get().is_some_and(|trailers| trailers.fields > 0) {
            event.flags |= RQX_EVF_TRAILERS;
        }
        if self.course.is_some() {
            event.flags |= RQX_EVF_HOPS;
        }
        if self.upgraded().is_some() {
            event.flags |= RQX_EVF_UPGRADED;
        }
    }

    /// The connection, which is the caller's from now on.
    ///
    /// # Errors
    /// `State` if there is none, or it was taken.
    pub fn take_upgraded(&self) -> Result<Arc<Upgraded>, Error> {
        self.upgraded().take().ok_or_else(|| {
            let why = match self.head.status {
                SWITCHING_PROTOCOLS => {
                    "the connection was taken already, or the response is closed".to_string()
                }
                status => format!("the server answered {status} and did not switch protocols"),
            };
            Error::new(Kind::State, Phase::None, why)
        })
    }

    fn upgraded(&self) -> MutexGuard<'_, Option<Arc<Upgraded>>> {
        self.upgraded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece of the body, at most `max` bytes.
    async fn read(&self, max: usize, how: How) -> Result<Option<Bytes>, Error> {
        let mut held = self.body.lock().await;
        let Some(body) = &mut *held else {
            return if self.is_closed() { Err(given_up()) } else { Ok(None) };
        };
        if how.whole {
            body.bound();
        }
        let Some(read) =
            unless(self.closing.notified(), body.next(how.raw)).await.filter(|_| !self.is_closed())
        else {
            self.count(body);
            *held = None;
            return Err(given_up());
        };
        self.count(body);
        let Some(mut piece) = read? else {
            let _ = self.trailers.set(body.take_trailers().unwrap_or_default()); // those that are known stay
            return Ok(None);
        };
        if piece.len() > max {
            body.put_back(piece.split_off(max));
        }
        Ok(Some(piece))
    }

    fn count(&self, body: &Body) {
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) = Tally::of(body);
    }

    fn tally(&self) -> Tally {
        let now = self.body.try_lock().ok().and_then(|body| body.as_deref().map(Tally::of));
        now.unwrap_or_else(|| *self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Gives the body up; one that is being read goes with that read, which ends now.
    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.closing.notify_one();
        let body = self.body.try_lock().ok().and_then(|mut body| body.take());
        body.iter().for_each(|body| self.count(body));
        let upgraded = self.upgraded().take();
        drop((body, upgraded)); // without the locks
    }
}

/// What `wanted` gives, or None once `end` is ready.
async fn unless<T>(end: impl Future<Output = ()>, wanted: impl Future<Output = T>) -> Option<T> {
    let (mut end, mut wanted) = (std::pin::pin!(end), std::pin::pin!(wanted));
    std::future::poll_fn(|cx| match end.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(None),
        Poll::Pending => wanted.as_mut().poll(cx).map(Some),
    })
    .await
}

fn given_up() -> Error {
    Error::new(Kind::Closed, Phase::Read, "the response was closed before the end of its body")
}

fn describe(event: &mut rqx_event, head: &Head, timing: &Timing) {
    event.kind = RQX_EV_HEAD;
    event.flags = RQX_EVF_TERMINAL;
    event.status = head.status;
    event.http_version = head.version;
    event.n_headers = head.fields;
    event.peer = timing.peer;
    if head.sets_cookies {
        event.flags |= RQX_EVF_SET_COOKIE;
    }
    if !head.before.is_empty() {
        event.flags |= RQX_EVF_INFORMATIONAL;
    }
    if timing.reused {
        event.flags |= RQX_EVF_REUSED;
    }
}

const TIMED: usize = size_of::<rqx_timing>();

pub(super) fn timed(timing: &Timing) -> rqx_timing {
    let spent = |phase: Phase| timing.spent[phase as usize];
    rqx_timing {
        struct_size: TIMED,
        queue_ns: spent(Phase::Queue),
        resolve_ns: spent(Phase::Resolve),
        connect_ns: spent(Phase::Connect),
        tunnel_ns: spent(Phase::Tunnel),
        secure_ns: spent(Phase::Secure),
        send_ns: spent(Phase::Send),
        await_ns: spent(Phase::Await),
        read_ns: spent(Phase::Read),
        bytes_sent: timing.counts.written,
        bytes_received: timing.counts.received,
        connection_id: timing.connection,
        reused: timing.reused.into(),
    }
}

/// Whether a response is complete, fits `room` inline, and has nothing that a handle is needed for.
pub fn is_inline(reply: &Reply, room: usize) -> bool {
    let length = |body: &Bytes| reply.head.block.len() + TIMED + reply.head.reason.len() + body.len();
    let more = reply.trailers.is_some() || !reply.head.before.is_empty();
    let more = more || reply.upgraded.is_some() || reply.course.is_some();
    !more && reply.whole.as_ref().is_some_and(|body| length(body) <= room)
}

/// Hands the parts of a complete response to `put`, in the order in which they lie inline.
pub fn put_inline(reply: &Reply, mut put: impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
    let timing = timed(&reply.timing);
    let whole = reply.whole.as_ref().map_or(&[][..], |body| body);
    let parts = [&reply.head.block[..], raw::bytes_of(&timing), &reply.head.reason, whole];
    parts.iter().try_for_each(|part| put(part))
}

/// The event of a response that is inline at `base`.
pub fn describe_inline(event: &mut rqx_event, reply: &Reply, base: *const u8) {
    describe(event, &reply.head, &reply.timing);
    event.flags |= RQX_EVF_BODY_COMPLETE | RQX_EVF_INLINE;
    let (block, reason) = (reply.head.block.len(), reply.head.reason.len());
    event.head = rqx_slice { ptr: base, len: block };
    event.reason = rqx_slice { ptr: base.wrapping_add(block + TIMED), len: reason };
    let body = reply.whole.as_ref().map_or(0, Bytes::len);
    event.body = rqx_slice { ptr: base.wrapping_add(block + TIMED + reason), len: body };
}

pub(super) fn get(response: *const rqx_response) -> Result<Arc<Held>, Error> {
    tables().responses.with(response as usize, Arc::clone)
}

/// How a body is read: RQX_READ_*.
#[derive(Debug, Clone, Copy)]
struct How {
    raw: bool,
    whole: bool,
}

impl How {
    fn of(flags: u32) -> Result<How, Error> {
        super::exchange::check_flags(flags, RQX_READ_RAW | RQX_READ_WHOLE)?;
        Ok(How { raw: flags & RQX_READ_RAW != 0, whole: flags & RQX_READ_WHOLE != 0 })
    }
}

/// Reads the next of the body into `dst`, at most `cap` bytes, waiting for the first; `*n` says how many, 0 is the end.
/// `flags`: RQX_READ_*. A body that came whole with its event is not read again.
/// RQX_OK; RQX_PENDING after 50 ms: call again; RQX_E_* and an error in `*err`, the same each time.
/// RQX_E_STATE for a raw read after a decoded one. Any thread, one at a time. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_body_read_into(
    response: *mut rqx_response,
    dst: *mut u8,
    cap: usize,
    flags: u32,
    n: *mut usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (held, n, how) = (get(response)?, raw::Out::new("n", n)?, How::of(flags)?);
        if dst.is_null() || cap == 0 {
            return Err(Error::caller(Kind::Null, "there is no room to read into"));
        }
        let Some(piece) = wait_for(held.read(cap, how))? else { return Ok(RQX_PENDING) };
        n.set(raw::fill("dst", dst, cap, &piece.unwrap_or_default())?);
        Ok(RQX_OK)
    })
}

/// Shows the next of the body in `*piece`, waiting for it, without a copy: as it came from the socket, or from its
/// decoder; an empty one is the end. It is the response's, and valid until the next read or until the response is freed.
/// `flags`, RQX_PENDING and errors as in rqx_body_read_into. Any thread, one at a time. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_body_next(
    response: *mut rqx_response,
    flags: u32,
    piece: *mut rqx_slice,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (held, piece, how) = (get(response)?, raw::Out::new("piece", piece)?, How::of(flags)?);
        let Some(read) = wait_for(held.read(usize::MAX, how))? else { return Ok(RQX_PENDING) };
        piece.set(held.shown.keep(read.unwrap_or_default()));
        Ok(RQX_OK)
    })
}

/// Asks for the next of the body, at most `max` bytes (0: as it comes). RQX_EV_BODY follows in the queue of the
/// exchange, with `token`: a piece, or the end with RQX_EVF_BODY_COMPLETE; or RQX_EV_ERROR.
/// The piece is valid until the next read, or until the response is freed.
/// Only for responses of rqx_submit: nobody drives the others in the background, RQX_E_STATE.
/// RQX_OK, RQX_E_STATE, RQX_E_HANDLE, RQX_E_NO_RESOURCES. Any thread, one at a time. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_body_read(
    response: *mut rqx_response,
    token: u64,
    max: usize,
    flags: u32,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (held, how) = (get(response)?, How::of(flags)?);
        let (Lane::Spawn, Some(queue)) = (held.origin.lane, held.origin.queue.clone()) else {
            return Err(Error::new(
                Kind::State,
                Phase::Read,
                "a response of rqx_send is read by rqx_body_read_into",
            ));
        };
        let reading = Reading::begin(&held.shown, "response")?;
        let max = if max == 0 { usize::MAX } else { max };
        let (shared, body) = (held.origin.shared.clone(), held);
        fly(&shared, queue, token, move |terminal| {
            let asked = Asked::new(reading, terminal);
            async move {
                let read = body.read(max, how).await;
                drop(body); // or a piece that is delivered now would look as if there were somebody to look at it
                asked.end(read);
            }
        })
    })
}

/// Body bytes read so far as they came, before decoding, in `*n`. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_response_raw_bytes(response: *const rqx_response, n: *mut u64) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let (held, n) = (get(response)?, raw::Out::new("n", n)?);
        n.set(held.tally().raw_bytes);
        Ok(RQX_OK)
    })
}

/// Fills `*timing`, whose struct_size the caller has set. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_response_timing(response: *const rqx_response, timing: *mut rqx_timing) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let held = get(response)?;
        let Tally { spent, wire, .. } = held.tally();
        let now = Timing { spent, counts: wire, ..held.timing };
        raw::fill_sized("timing", timing, timed(&now)).map(|()| RQX_OK)
    })
}

/// The `index`-th of the informational heads that came before the response's own, as RQX_EVF_INFORMATIONAL says: its
/// status, and its fields as in rqx_event. They live as long as the response.
/// RQX_OK, RQX_E_INVALID_ARGUMENT behind the last one, RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_response_informational(
    response: *const rqx_response,
    index: usize,
    status: *mut u16,
    head: *mut rqx_slice,
    n_headers: *mut u32,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (held, status, head) =
            (get(response)?, raw::Out::new("status", status)?, raw::Out::new("head", head)?);
        let n_headers = raw::Out::new("n_headers", n_headers)?;
        let Some(told) = held.head.before.get(index) else {
            let why = format!("{} informational heads came, and not number {index}", held.head.before.len());
            return Err(Error::caller(Kind::InvalidArgument, why));
        };
        status.set(told.status);
        head.set(rqx_slice::of(&told.block));
        n_headers.set(told.fields);
        Ok(RQX_OK)
    })
}

/// The fields that came behind the body, as in rqx_event, names in lower case; none is `*n_headers` 0. They live as long
/// as the response. RQX_OK; RQX_E_STATE before the body was read to its end; RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_response_trailers(
    response: *const rqx_response,
    trailers: *mut rqx_slice,
    n_headers: *mut u32,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (held, trailers) = (get(response)?, raw::Out::new("trailers", trailers)?);
        let n_headers = raw::Out::new("n_headers", n_headers)?;
        let Some(known) = held.trailers.get() else {
            return Err(Error::new(
                Kind::State,
                Phase::Read,
                "trailers come behind the body, which has not ended",
            ));
        };
        trailers.set(rqx_slice::of(&known.block));
        n_headers.set(known.fields);
        Ok(RQX_OK)
    })
}

/// Gives the connection up, unless the body was read to its end; what was shown of the response stays until it is freed.
/// Reading on is RQX_E_CLOSED. NULL is allowed. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_response_close(response: *mut rqx_response) {
    guard_or((), || {
        if !response.is_null() {
            get(response)?.close();
        }
        Ok(())
    });
}

/// Frees the response. One whose body was not read to its end gives its connection up. NULL is allowed. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_response_free(response: *mut rqx_response) {
    guard_or((), || {
        freed(tables().responses.remove(response as usize));
        Ok(())
    });
}

/// Frees `n` responses in one call; NULLs among them are allowed. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_responses_free(responses: *const *mut rqx_response, n: usize) {
    guard_or((), || {
        raw::array("responses", responses, n)?.iter().for_each(|response| rqx_response_free(*response));
        Ok(())
    });
}
