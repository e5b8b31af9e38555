//! Policy as C sees it: the way of a call, from what was asked for to what answered, and a client's cookies.

use std::sync::Arc;

use super::types::*;
use super::{as_pointer, boundary, client, freed, guard_or, raw, response, tables};
use crate::error::{Error, Kind};
use crate::policy::jar::{Cookie, Place};
use crate::policy::{now, suffix};
use crate::reply::Hop;

/// Cookies that C has a handle to, each with its URL and its line.
#[derive(Debug)]
pub struct Cookies(Vec<(Cookie, String, Vec<u8>)>);

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

/// Keeps a cookie as if `url` had answered with the field "Set-Cookie: line": to begin with those of an earlier run, or to
/// remove one, by "name=; Max-Age=0" with its domain and path. They are sent where RQX_OPT_COOKIES is 1.
/// RQX_OK, RQX_E_INVALID_ARGUMENT for one that `url` may not set, RQX_E_INVALID_URL, RQX_E_UNSUPPORTED_SCHEME,
/// RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_client_add_cookie(
    client: *mut rqx_client,
    url: *const u8,
    url_len: usize,
    line: *const u8,
    line_len: usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (shared, place) = (client::get(client)?, place("url", url, url_len)?);
        let line = raw::bytes("line", line, line_len)?;
        shared.client.memory.jar.store(line, &place, now()).map_err(|why| {
            let shown = String::from_utf8_lossy(&line[..line.len().min(200)]);
            Error::caller(Kind::InvalidArgument, format!("cookie {shown:?}: {why}"))
        })?;
        Ok(RQX_OK)
    })
}

/// Gives the client's cookies in `*out`: those that a request to `url` takes along, in their order, or all of them if
/// `url_len` is 0, the oldest first. What happens to them later does not change the list.
/// RQX_OK, RQX_E_INVALID_URL, RQX_E_UNSUPPORTED_SCHEME, RQX_E_NULL, RQX_E_HANDLE, RQX_E_NO_RESOURCES. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_client_cookies(
    client: *const rqx_client,
    url: *const u8,
    url_len: usize,
    out: *mut *mut rqx_cookies,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let (shared, out) = (client::get(client)?, raw::Out::new("out", out)?);
        let jar = &shared.client.memory.jar;
        let found = match url_len {
            0 => jar.all(now()),
            _ => jar.to(&place("url", url, url_len)?, now()),
        };
        let told = found.into_iter().map(|cookie| {
            let (url, line) = (cookie.url(), cookie.line());
            (cookie, url, line)
        });
        let held = Cookies(told.collect());
        out.set(as_pointer(tables().cookies.insert(Arc::new(held))?));
        Ok(RQX_OK)
    })
}

fn place(name: &str, url: *const u8, len: usize) -> Result<Place, Error> {
    let url = raw::bytes(name, url, len)?;
    let text = std::str::from_utf8(url);
    Place::of(text.map_err(|_| Error::caller(Kind::InvalidUrl, "a URL is ASCII"))?)
}

/// Fills `*cookie`, whose struct_size the caller has set, with the `index`-th of the list.
/// RQX_OK, RQX_E_INVALID_ARGUMENT behind the last one, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_cookies_read(
    cookies: *const rqx_cookies,
    index: usize,
    cookie: *mut rqx_cookie,
) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let held = tables().cookies.with(cookies as usize, Arc::clone)?;
        let Some((found, url, line)) = held.0.get(index) else {
            let why = format!("there are {} cookies, and none is number {index}", held.0.len());
            return Err(Error::caller(Kind::InvalidArgument, why));
        };
        let flag = |is, flag| if is { flag } else { 0 };
        let seen = rqx_cookie {
            struct_size: size_of::<rqx_cookie>(),
            flags: flag(found.secure, RQX_COOKIE_SECURE)
                | flag(found.http_only, RQX_COOKIE_HTTP_ONLY)
                | flag(found.host_only, RQX_COOKIE_HOST_ONLY),
            expires: found.expires.unwrap_or(0),
            name: rqx_slice::of(&found.name),
            value: rqx_slice::of(&found.value),
            domain: rqx_slice::of(found.domain.as_bytes()),
            path: rqx_slice::of(found.path.as_bytes()),
            url: rqx_slice::of(url.as_bytes()),
            line: rqx_slice::of(line),
        };
        raw::fill_sized("cookie", cookie, seen).map(|()| RQX_OK)
    })
}

/// Frees the list. NULL is allowed. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_cookies_free(cookies: *mut rqx_cookies) {
    guard_or((), || {
        freed(tables().cookies.remove(cookies as usize));
        Ok(())
    });
}

/// Forgets all cookies. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_client_clear_cookies(client: *mut rqx_client) -> i32 {
    boundary(std::ptr::null_mut(), || {
        client::get(client)?.client.memory.jar.clear();
        Ok(RQX_OK)
    })
}

/// Whether everybody may have a name below `host`, as below "co.uk", so that it is no cookie's domain: 1 or 0, by the
/// list of public suffixes as of the library's release. RQX_E_NULL, RQX_E_INVALID_ARGUMENT for what is no UTF-8.
/// Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_suffix_is_public(host: *const u8, host_len: usize) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let host = std::str::from_utf8(raw::bytes("host", host, host_len)?)
            .map_err(|_| Error::caller(Kind::InvalidArgument, "the host is not in UTF-8"))?;
        Ok(suffix::is_public(&host.trim_matches('.').to_ascii_lowercase()).into())
    })
}
