//! Policy as C sees it: the way of a call, from what was asked for to what answered.

use super::types::*;
use super::{boundary, raw, response};
use crate::error::{Error, Kind};
use crate::reply::Hop;

/// How many exchanges came before the one that answered, as RQX_EVF_HOPS says: those whose answer led on, and those that
/// were repeated. Both 0 where the first one answered. rqx_response_hop has them all, in their order.
/// RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_response_hops(
    response: *const rqx_response,
    redirects: *mut u32,
    retries: *mut u32,
) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let held = response::get(response)?;
        let (redirects, retries) =
            (raw::Out::new("redirects", redirects)?, raw::Out::new("retries", retries)?);
        let hops = held.course.as_ref().map_or(&[][..], |course| &course.hops);
        let repeated = hops.iter().filter(|hop| hop.repeated).count();
        redirects.set((hops.len() - repeated) as u32);
        retries.set(repeated as u32);
        Ok(RQX_OK)
    })
}

/// Fills `*hop`, whose struct_size the caller has set, with the `index`-th exchange before the one that answered.
/// RQX_OK, RQX_E_INVALID_ARGUMENT behind the last one, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_response_hop(response: *const rqx_response, index: usize, hop: *mut rqx_hop) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let held = response::get(response)?;
        let hops = held.course.as_ref().map_or(&[][..], |course| &course.hops);
        let Some(before) = hops.get(index) else {
            let why = format!("{} exchanges came before, and not number {index}", hops.len());
            return Err(Error::caller(Kind::InvalidArgument, why));
        };
        raw::fill_sized("hop", hop, seen(before)).map(|()| RQX_OK)
    })
}

fn seen(hop: &Hop) -> rqx_hop {
    rqx_hop {
        struct_size: size_of::<rqx_hop>(),
        code: hop.failure.map_or(RQX_OK, |kind| kind as i32),
        status: hop.status.into(),
        url: rqx_slice::of(hop.url.as_bytes()),
        repeated: hop.repeated.into(),
        pause_ns: u64::try_from(hop.pause.as_nanos()).unwrap_or(u64::MAX),
        timing: response::timed(&hop.timing),
    }
}

/// The URL that answered, in `*url`, as long as the response lives; empty without RQX_EVF_HOPS, where it is the
/// request's own. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_response_url(response: *const rqx_response, url: *mut rqx_slice) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let (held, url) = (response::get(response)?, raw::Out::new("url", url)?);
        url.set(rqx_slice::of(held.course.as_ref().map_or(&[][..], |course| course.url.as_bytes())));
        Ok(RQX_OK)
    })
}
