//! Errors as C reads them.

use std::sync::Arc;

use super::types::*;
use super::{as_pointer, boundary, freed, guard_or, raw, tables};
use crate::error::Error;

/// An error, and its causes as one text.
#[derive(Debug)]
pub struct Held {
    error: Error,
    chain: String,
}

/// A handle to `error`, NULL if there is no room for one.
pub(super) fn give(error: Error) -> *mut rqx_error {
    let chain = error.chain.join("\n");
    tables().errors.insert(Arc::new(Held { error, chain })).map_or(std::ptr::null_mut(), as_pointer)
}

/// Fills `*view`, whose struct_size the caller has set. The slices live as long as the error.
/// RQX_OK, RQX_E_NULL, RQX_E_HANDLE, RQX_E_FORKED. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_error_read(error: *const rqx_error, view: *mut rqx_error_view) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let held = tables().errors.with(error as usize, Arc::clone)?;
        let read = rqx_error_view {
            struct_size: size_of::<rqx_error_view>(),
            code: held.error.kind as i32,
            os_code: held.error.os_code,
            tls_code: held.error.tls_code,
            phase: held.error.phase as u32,
            message: rqx_slice::of(held.error.message.as_bytes()),
            chain: rqx_slice::of(held.chain.as_bytes()),
            proxy_status: held.error.proxy_status.into(),
        };
        raw::fill_sized("view", view, read).map(|()| RQX_OK)
    })
}

/// The error's code, RQX_E_*; RQX_E_NULL, RQX_E_HANDLE or RQX_E_FORKED if it is no error. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_error_code(error: *const rqx_error) -> i32 {
    boundary(std::ptr::null_mut(), || tables().errors.with(error as usize, |held| held.error.kind as i32))
}

/// Frees it. NULL is allowed. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_error_free(error: *mut rqx_error) {
    guard_or((), || {
        freed(tables().errors.remove(error as usize));
        Ok(())
    });
}
