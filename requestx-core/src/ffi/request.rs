//! Requests put together piece by piece, for callers who would rather not join bytes.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::types::*;
use super::{as_pointer, boundary, client, exchange, freed, guard_or, options, queue, raw, tables};
use crate::error::{Error, Kind};
use crate::options::Options;
use crate::plan::{Outgoing, Plan};

/// A request so far, in the form that `Plan::parse` takes.
#[derive(Debug)]
pub struct Draft {
    head: Vec<u8>,
    fields: usize,
    body: Bytes,
    options: Option<Arc<Options>>,
    /// What the last sending made of it, for the next one with the same options.
    plan: Option<Arc<Plan>>,
}

impl Draft {
    /// The draft as it is now is a plan, or it says what is wrong with it.
    fn plan(&self, options: Arc<Options>, stream: bool) -> Result<Plan, Error> {
        let body = if self.body.is_empty() { Outgoing::Empty } else { Outgoing::Whole(self.body.clone()) };
        Plan::parse(&self.head, self.fields, body, options, stream)
    }

    fn add(&mut self, part: &[u8]) -> Result<(), Error> {
        if part.contains(&b'\n') {
            return Err(Error::caller(Kind::InvalidHeader, "a newline in a header"));
        }
        self.head.push(b'\n');
        self.head.extend_from_slice(part);
        Ok(())
    }
}

/// Gives a request in `*out`; method and URL are checked and copied.
/// RQX_OK, RQX_E_INVALID_METHOD, RQX_E_INVALID_URL, RQX_E_UNSUPPORTED_SCHEME, RQX_E_NULL. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_request_new(
    method: *const u8,
    method_len: usize,
    url: *const u8,
    url_len: usize,
    out: *mut *mut rqx_request,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let out = raw::Out::new("out", out)?;
        let (method, url) = (raw::bytes("method", method, method_len)?, raw::bytes("url", url, url_len)?);
        if method.contains(&b'\n') {
            return Err(Error::caller(Kind::InvalidMethod, "a newline in the method"));
        }
        if url.contains(&b'\n') {
            return Err(Error::caller(Kind::InvalidUrl, "a newline in the URL"));
        }
        let draft = Draft {
            head: [method, b"\n", url].concat(),
            fields: 0,
            body: Bytes::new(),
            options: None,
            plan: None,
        };
        draft.plan(Arc::default(), false)?;
        out.set(as_pointer(tables().requests.insert(Arc::new(Mutex::new(draft)))?));
        Ok(RQX_OK)
    })
}

/// Adds a header field, sent as given, in the order of the calls. RQX_OK, RQX_E_INVALID_HEADER. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_request_add_header(
    request: *mut rqx_request,
    name: *const u8,
    name_len: usize,
    value: *const u8,
    value_len: usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (name, value) = (raw::bytes("name", name, name_len)?, raw::bytes("value", value, value_len)?);
        change(request, |draft| {
            let before = draft.head.len();
            let added = draft
                .add(name)
                .and_then(|()| draft.add(value))
                .and_then(|()| crate::plan::check_field(name, value));
            match added {
                Ok(()) => draft.fields += 1,
                Err(_) => draft.head.truncate(before),
            }
            added
        })
    })
}

/// Sets the body; it is copied. RQX_OK, RQX_E_NO_RESOURCES. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_request_set_body(
    request: *mut rqx_request,
    body: *const u8,
    len: usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let body = exchange::copied(raw::bytes("body", body, len)?)?;
        change(request, |draft| {
            draft.body = body;
            Ok(())
        })
    })
}

/// Sets options of this request's own; they are copied. NULL: the client's. RQX_OK, RQX_E_HANDLE. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_request_set_options(
    request: *mut rqx_request,
    options: *const rqx_options,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let own = options::snapshot(options)?;
        change(request, |draft| {
            draft.options = own;
            Ok(())
        })
    })
}

/// Sends and waits, on this thread; everything as in rqx_send. The request can be sent again. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_request_send(
    client: *mut rqx_client,
    request: *const rqx_request,
    flags: u32,
    pending: *mut *mut rqx_exchange,
    event: *mut rqx_event,
) -> i32 {
    exchange::into_event(event, |event| {
        let pending = raw::Out::new("pending", pending)?;
        let (shared, plan) = planned(client, request, flags, RQX_SEND_STREAM)?;
        exchange::begin(shared, plan, pending, exchange::NO_SPACE, event)
    })
}

/// The same for callers who would rather have a small response in their own memory than behind a handle: one that is
/// complete and fits is put into `space`, head, rqx_timing, reason and body one behind the other, with RQX_EVF_INLINE.
/// After RQX_PENDING the response comes as rqx_exchange_resume gives it, behind a handle. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_request_send_into(
    client: *mut rqx_client,
    request: *const rqx_request,
    flags: u32,
    space: *mut u8,
    cap: usize,
    pending: *mut *mut rqx_exchange,
    event: *mut rqx_event,
) -> i32 {
    exchange::into_event(event, |event| {
        let pending = raw::Out::new("pending", pending)?;
        raw::Out::new("space", space)?;
        let (shared, plan) = planned(client, request, flags, RQX_SEND_STREAM)?;
        exchange::begin(shared, plan, pending, exchange::Space { at: space, cap }, event)
    })
}

/// Sends in the background; everything as in rqx_submit. The request can be sent again. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_request_submit(
    client: *mut rqx_client,
    request: *const rqx_request,
    queue: *mut rqx_queue,
    token: u64,
    flags: u32,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let queue = queue::get(queue)?;
        let (shared, plan) = planned(client, request, flags, RQX_SEND_STREAM | RQX_SEND_INLINE)?;
        exchange::submit(shared, queue, token, plan, flags & RQX_SEND_INLINE != 0)
    })
}

/// Frees it. NULL is allowed; exchanges under way go on. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_request_free(request: *mut rqx_request) {
    guard_or((), || {
        freed(tables().requests.remove(request as usize));
        Ok(())
    });
}

fn change(
    request: *mut rqx_request,
    change: impl FnOnce(&mut Draft) -> Result<(), Error>,
) -> Result<i32, Error> {
    let held = tables().requests.with(request as usize, Arc::clone)?;
    let mut draft = held.lock().unwrap_or_else(PoisonError::into_inner);
    draft.plan = None;
    change(&mut draft).map(|()| RQX_OK)
}

fn planned(
    client: *mut rqx_client,
    request: *const rqx_request,
    flags: u32,
    allowed: u32,
) -> Result<(Arc<client::Shared>, Arc<Plan>), Error> {
    exchange::check_flags(flags, allowed)?;
    let shared = client::get(client)?;
    let held = tables().requests.with(request as usize, Arc::clone)?;
    let mut draft = held.lock().unwrap_or_else(PoisonError::into_inner);
    let stream = flags & RQX_SEND_STREAM != 0;
    let usable = |plan: &&Arc<Plan>| {
        plan.stream == stream
            && (draft.options.is_some() || Arc::ptr_eq(&plan.options, &shared.client.options))
    };
    if let Some(plan) = draft.plan.as_ref().filter(usable) {
        return Ok((shared, plan.clone()));
    }
    let options = shared.options(draft.options.clone())?;
    let plan = Arc::new(draft.plan(options, stream)?);
    draft.plan = Some(plan.clone());
    Ok((shared, plan))
}
