//! Exchanges: one call sends a request; blocking, on the caller's thread, or in the background.

use std::future::{poll_fn, Future};
use std::pin::{pin, Pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;

use super::client::{Flight, Shared};
use super::queue::{fail, Queue, What, EMPTY};
use super::response::{Held, Origin};
use super::types::*;
use super::{as_pointer, boundary, client, freed, guard, guard_or, options, panicked, raw, response, tables};
use crate::body::send::Upload;
use crate::deadline::Phase;
use crate::error::{Error, Kind};
use crate::plan::{Outgoing, Plan};
use crate::process;
use crate::reply::Reply;
use crate::runtime::{Lane, SLICE};

type Work = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

/// A blocking exchange between two calls.
pub(super) type Waiting = Arc<Mutex<Option<Blocking>>>;

/// A blocking exchange.
pub struct Blocking {
    work: Work,
    shared: Arc<Shared>,
    upload: Option<Arc<Upload>>,
    /// When the lane last had a turn that was long enough for its clock to go on.
    turned: Instant,
}

impl std::fmt::Debug for Blocking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blocking(upload: {})", self.upload.is_some())
    }
}

/// What a slice of waiting has brought.
#[allow(clippy::large_enum_variant)] // one at a time, on the stack
enum Step {
    Done(Result<Reply, Error>),
    WantBody,
    Pending,
}

impl Blocking {
    fn new(shared: Arc<Shared>, plan: Arc<Plan>) -> Blocking {
        let upload = upload_of(&plan);
        let work = Box::pin(shared.client.clone().perform(plan, Lane::Wait));
        Blocking { work, shared, upload, turned: Instant::now() }
    }

    /// Drives the wait lane for at most one slice.
    fn step(&mut self) -> Result<Step, Error> {
        if self.shared.is_closed() {
            return Err(Error::caller(Kind::Closed, "the client was closed"));
        }
        if self.upload.is_some() && self.turned.elapsed() >= SLICE {
            // A caller that is always asked for more never waits here, and without a turn no time limit would be met.
            process::current().lanes.turn();
            self.turned = Instant::now();
        }
        let (work, upload) = (&mut self.work, &self.upload);
        let mut either = poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(Step::Done(outcome)),
            Poll::Pending => match upload.as_ref().map(|upload| upload.poll_hungry(cx)) {
                Some(Poll::Ready(())) => Poll::Ready(Step::WantBody),
                _ => Poll::Pending,
            },
        });
        Ok(process::current().lanes.wait(&mut either)?.unwrap_or(Step::Pending))
    }
}

fn upload_of(plan: &Plan) -> Option<Arc<Upload>> {
    match &plan.body {
        Outgoing::Pushed(upload) => Some(upload.clone()),
        _ => None,
    }
}

/// The plan behind the arguments of rqx_send and rqx_submit.
#[allow(clippy::too_many_arguments)] // the ABI's: a struct would cost cffi more than the call
pub(super) fn plan(
    shared: &Shared,
    options: *const rqx_options,
    head: *const u8,
    head_len: usize,
    n_headers: u32,
    body: *const u8,
    body_len: usize,
    upload: *mut rqx_upload,
    flags: u32,
) -> Result<Plan, Error> {
    let head = raw::bytes("head", head, head_len)?;
    let body = raw::bytes("body", body, body_len)?;
    let outgoing = match (body, upload.is_null()) {
        ([], true) => Outgoing::Empty,
        (bytes, true) => Outgoing::Whole(copied(bytes)?),
        ([], false) => Outgoing::Pushed(tables().uploads.with(upload as usize, Arc::clone)?),
        _ => {
            return Err(Error::caller(
                Kind::InvalidArgument,
                "a body and an upload: only one of them can be sent",
            ))
        }
    };
    let options = shared.options(options::snapshot(options)?)?;
    let plan = Plan::parse(head, n_headers as usize, outgoing, options, flags & RQX_SEND_STREAM != 0)?;
    if let Outgoing::Pushed(upload) = &plan.body {
        upload.take()?;
    }
    Ok(plan)
}

/// # Errors
/// `InvalidArgument` for a flag that the call does not have.
pub(super) fn check_flags(flags: u32, allowed: u32) -> Result<(), Error> {
    match flags & !allowed {
        0 => Ok(()),
        unknown => Err(Error::caller(Kind::InvalidArgument, format!("unknown flags {unknown:#x}"))),
    }
}

/// A copy of the caller's bytes; an allocation that cannot be had is an error.
pub(super) fn copied(bytes: &[u8]) -> Result<Bytes, Error> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len()).map_err(|_| {
        Error::caller(Kind::NoResources, format!("no memory for a body of {} bytes", bytes.len()))
    })?;
    copy.extend_from_slice(bytes);
    Ok(copy.into())
}

/// Starts `plan` on the background thread.
pub(super) fn submit(
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    token: u64,
    plan: Arc<Plan>,
    inline: bool,
) -> Result<i32, Error> {
    let (client, upload) = (shared.client.clone(), upload_of(&plan));
    let taken = upload.clone();
    let origin = Origin { shared: shared.clone(), lane: Lane::Spawn, queue: Some(queue.clone()) };
    let flying = fly(&shared, queue.clone(), token, move |terminal| async move {
        let mut work: Work = Box::pin(client.perform(plan, Lane::Spawn));
        let outcome = poll_fn(|cx| {
            if let Poll::Ready(outcome) = work.as_mut().poll(cx) {
                return Poll::Ready(outcome);
            }
            while upload.as_ref().is_some_and(|upload| upload.poll_hungry(cx).is_ready()) {
                queue.push(token, What::UploadReady, false);
            }
            Poll::Pending
        });
        let outcome = outcome.await;
        drop(work);
        terminal.end(match outcome {
            Ok(reply) if inline && response::is_inline(&reply, RQX_INLINE_BYTES as usize) => {
                What::Inline(Box::new(reply), origin)
            }
            Ok(reply) => What::Reply(Box::new(reply), origin),
            Err(error) => What::Failed(error),
        });
    });
    flying.inspect_err(|_| taken.iter().for_each(|upload| upload.put_back()))
}

/// Starts work that ends in exactly one terminal event with `token`.
pub(super) fn fly<F>(
    shared: &Arc<Shared>,
    queue: Arc<Queue>,
    token: u64,
    work: impl FnOnce(Terminal) -> F,
) -> Result<i32, Error>
where
    F: Future<Output = ()> + Send + 'static,
{
    let background = process::current().lanes.background()?;
    let flight = shared.take_off(token, &queue)?;
    let terminal = Terminal { token, queue, shared: shared.clone(), flight: flight.clone(), ended: false };
    let work = guarded(work(terminal));
    background.push(move || flight.started(tokio::spawn(work).abort_handle()));
    Ok(RQX_OK)
}

/// The same work, which a panic ends.
async fn guarded(work: impl Future<Output = ()>) {
    let mut work = pin!(work);
    poll_fn(|cx| guard(|| Ok(work.as_mut().poll(cx))).unwrap_or(Poll::Ready(()))).await;
}

/// The promise of one terminal event: kept by `end`, or when the work is dropped without one.
#[derive(Debug)]
pub(super) struct Terminal {
    token: u64,
    queue: Arc<Queue>,
    shared: Arc<Shared>,
    flight: Arc<Flight>,
    ended: bool,
}

impl Terminal {
    pub(super) fn end(mut self, what: What) {
        self.ended = true;
        let crowded = self.shared.land(self.token);
        self.queue.push(self.token, what, crowded);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let why = match self.flight.reason() {
            Some(code) if code == Kind::Cancelled as i32 => {
                Error::new(Kind::Cancelled, Phase::None, "cancelled")
            }
            Some(_) => Error::new(Kind::Closed, Phase::None, "the client was closed"),
            None if std::thread::panicking() => panicked(),
            None => Error::new(Kind::Closed, Phase::None, "the background thread was stopped"),
        };
        self.shared.land(self.token);
        self.queue.push(self.token, What::Failed(why), false);
    }
}

/// Where a small response may be put, instead of behind a handle.
#[derive(Clone, Copy)]
pub(super) struct Space {
    pub at: *mut u8,
    pub cap: usize,
}

pub(super) const NO_SPACE: Space = Space { at: std::ptr::null_mut(), cap: 0 };

impl Space {
    pub(super) fn holds(&self, reply: &Reply) -> bool {
        !self.at.is_null() && response::is_inline(reply, self.cap)
    }

    /// Puts a reply there, which it holds, and describes it in `seen`; what is left is behind it.
    pub(super) fn put(&mut self, reply: &Reply, seen: &mut rqx_event) -> Result<(), Error> {
        let base = self.at;
        response::put_inline(reply, |part| {
            let used = raw::fill("space", self.at, self.cap, part)?;
            *self = Space { at: self.at.wrapping_add(used), cap: self.cap - used };
            Ok(())
        })?;
        response::describe_inline(seen, reply, base);
        Ok(())
    }
}

/// Drives `blocking` for a slice and writes what came of it.
fn advance(
    mut blocking: Blocking,
    pending: impl FnOnce(Blocking) -> Result<(), Error>,
    space: Space,
    event: raw::Out<rqx_event>,
) -> Result<i32, Error> {
    let mut seen = EMPTY;
    match guard(|| blocking.step()) {
        Ok(Step::Pending) => return pending(blocking).map(|()| RQX_PENDING),
        Ok(Step::WantBody) => return pending(blocking).map(|()| RQX_WANT_BODY),
        Ok(Step::Done(Ok(reply))) => deliver(reply, &blocking.shared, space, &mut seen)?,
        Ok(Step::Done(Err(error))) | Err(error) => fail(&mut seen, error),
    };
    event.set(seen);
    Ok(seen.code)
}

/// Puts the reply into the caller's space, or behind a handle.
fn deliver(reply: Reply, shared: &Arc<Shared>, mut space: Space, seen: &mut rqx_event) -> Result<(), Error> {
    if space.holds(&reply) {
        return space.put(&reply, seen);
    }
    let origin = Origin { shared: shared.clone(), lane: Lane::Wait, queue: None };
    let (handle, held) = Held::register(reply, origin)?;
    held.describe(seen);
    seen.response = as_pointer(handle);
    Ok(())
}

/// Sends and waits, on this thread.
///
/// `head` is "METHOD\nURL\nname\nvalue\nname\nvalue" with exactly `n_headers` pairs: a newline inside a name or value
/// changes the count and is refused. Names and values are sent as they are given, in this order; Host is added where it
/// is missing, and so is what the body needs. The body is `body`, or what is pushed into `upload`, or none; it is copied.
/// `options` may be NULL: the client's. `flags`: RQX_SEND_*.
///
/// RQX_OK: `*event` holds the response. RQX_PENDING: 50 ms have passed and `*pending` is an exchange to resume or free.
/// RQX_WANT_BODY: the same, and the upload is to be fed first. RQX_E_*: `*event` holds the error, which is the caller's.
/// Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_send(
    client: *mut rqx_client,
    options: *const rqx_options,
    head: *const u8,
    head_len: usize,
    n_headers: u32,
    body: *const u8,
    body_len: usize,
    upload: *mut rqx_upload,
    flags: u32,
    pending: *mut *mut rqx_exchange,
    event: *mut rqx_event,
) -> i32 {
    into_event(event, |event| {
        let pending = raw::Out::new("pending", pending)?;
        check_flags(flags, RQX_SEND_STREAM)?;
        let shared = client::get(client)?;
        let plan = plan(&shared, options, head, head_len, n_headers, body, body_len, upload, flags)?;
        begin(shared, Arc::new(plan), pending, NO_SPACE, event)
    })
}

/// Begins a blocking exchange: what rqx_send and rqx_request_send do once they have a plan.
pub(super) fn begin(
    shared: Arc<Shared>,
    plan: Arc<Plan>,
    pending: raw::Out<*mut rqx_exchange>,
    space: Space,
    event: raw::Out<rqx_event>,
) -> Result<i32, Error> {
    let keep = |blocking| {
        pending.set(as_pointer(tables().exchanges.insert(Arc::new(Mutex::new(Some(blocking))))?));
        Ok(())
    };
    advance(Blocking::new(shared, plan), keep, space, event)
}

/// Runs `body`; what it could not do becomes an event as well.
pub(super) fn into_event(
    event: *mut rqx_event,
    body: impl FnOnce(raw::Out<rqx_event>) -> Result<i32, Error>,
) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let event = raw::Out::new("event", event)?;
        guard(|| body(event)).or_else(|error| {
            let mut seen = EMPTY;
            fail(&mut seen, error);
            event.set(seen);
            Ok(seen.code)
        })
    })
}

/// Waits on, as rqx_send does. RQX_PENDING and RQX_WANT_BODY as there; after anything else the exchange is over
/// and is still to be freed. Any thread, one at a time. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_exchange_resume(exchange: *mut rqx_exchange, event: *mut rqx_event) -> i32 {
    into_event(event, |event| {
        let waiting = tables().exchanges.with(exchange as usize, Arc::clone)?;
        let blocking = waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(blocking) = blocking else {
            return Err(Error::caller(Kind::State, "the exchange is over, or another thread has it"));
        };
        let keep = |blocking| {
            *waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(blocking);
            Ok(())
        };
        advance(blocking, keep, NO_SPACE, event)
    })
}

/// Frees the exchange; one that is not over is broken off and its connection closed. NULL is allowed. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_exchange_free(exchange: *mut rqx_exchange) {
    guard_or((), || {
        freed(tables().exchanges.remove(exchange as usize));
        Ok(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;

    #[test]
    fn a_panic_in_the_background_is_an_event_that_says_so() {
        tables();
        let shared = Shared::of(Client::new(Arc::default()));
        let queue = Arc::new(Queue::new().unwrap());
        fly(&shared, queue.clone(), 1, |terminal| async move {
            let _terminal = terminal;
            panic!("the sky is falling")
        })
        .unwrap();

        let events = queue.wait(1, None).unwrap();
        let What::Failed(error) = &events[0].what else { panic!("{events:?}") };
        assert_eq!(Kind::Internal, error.kind);
        assert!(error.message.contains("the sky is falling"), "{error}");
    }
}
