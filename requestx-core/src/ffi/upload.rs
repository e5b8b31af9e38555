//! Request bodies that are pushed while the exchange runs.

use std::sync::Arc;

use super::types::*;
use super::{as_pointer, boundary, freed, guard_or, raw, tables};
use crate::body::send::Upload;
use crate::deadline::Phase;
use crate::error::{Error, Kind};

/// Gives an upload in `*out`. `window`: bytes that are accepted beyond what the socket took.
/// `content_length`: the length of what will be pushed, or -1: sent chunked. It serves one exchange.
/// RQX_OK, RQX_E_NULL, RQX_E_INVALID_ARGUMENT, RQX_E_NO_RESOURCES. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upload_new(
    window: usize,
    content_length: i64,
    out: *mut *mut rqx_upload,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let out = raw::Out::new("out", out)?;
        let length = match content_length {
            -1 => None,
            length => Some(u64::try_from(length).map_err(|_| {
                Error::caller(
                    Kind::InvalidArgument,
                    format!("a content length of {length}; -1 is for unknown"),
                )
            })?),
        };
        out.set(as_pointer(tables().uploads.insert(Arc::new(Upload::new(window, length)))?));
        Ok(RQX_OK)
    })
}

/// Takes the first of `bytes`, as many as there is room for: `*n`. They are copied.
/// RQX_OK; RQX_E_AGAIN with `*n` 0 and no error object if there is no room: resume the exchange, or await RQX_EV_UPLOAD_READY;
/// RQX_E_CLOSED once the exchange is over; RQX_E_INVALID_ARGUMENT beyond the promised length; RQX_E_STATE after the end.
/// Any thread, one at a time. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upload_push(
    upload: *mut rqx_upload,
    bytes: *const u8,
    len: usize,
    n: *mut usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let upload = tables().uploads.with(upload as usize, Arc::clone)?;
        let (bytes, n) = (raw::bytes("bytes", bytes, len)?, raw::Out::new("n", n)?);
        let taken = upload.push(bytes)?;
        n.set(taken);
        Ok(if taken == 0 && len > 0 { RQX_E_AGAIN } else { RQX_OK })
    })
}

/// Ends the body; with another `code` than RQX_OK it ends the exchange instead, with RQX_E_CANCELLED and the code in its
/// message. Once the exchange is over, as RQX_E_CLOSED of a push has told, it does nothing.
/// RQX_OK, RQX_E_STATE if it has ended before, RQX_E_INVALID_ARGUMENT if less was pushed than promised. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upload_finish(upload: *mut rqx_upload, code: i32, err: *mut *mut rqx_error) -> i32 {
    boundary(err, || {
        let upload = tables().uploads.with(upload as usize, Arc::clone)?;
        let end = match code {
            RQX_OK => Ok(()),
            _ => Err(Error::new(
                Kind::Cancelled,
                Phase::Send,
                format!("the caller ended the body with code {code}"),
            )),
        };
        upload.finish(end).map(|()| RQX_OK)
    })
}

/// Frees the caller's hold of it; a body that has not ended then ends its exchange, unless that is over and its answer
/// being read. NULL is allowed. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_upload_free(upload: *mut rqx_upload) {
    guard_or((), || {
        let removed = tables().uploads.remove(upload as usize);
        if let Ok(upload) = &removed {
            let gone = Error::new(Kind::Cancelled, Phase::Send, "the upload was freed before its end");
            let _ = upload.finish(Err(gone)); // it may have ended
        }
        freed(removed);
        Ok(())
    });
}
