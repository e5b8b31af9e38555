//! The library itself: versions, features, the end.

use std::ffi::{c_char, CStr, CString};
use std::sync::OnceLock;
use std::time::Duration;

use super::types::*;
use super::{boundary, guard_or};
use crate::error::{Error, Kind};
use crate::{process, tls};

/// (RQX_ABI_MAJOR << 16) | RQX_ABI_MINOR of the library that is loaded. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_abi_version() -> u32 {
    RQX_ABI_MAJOR << 16 | RQX_ABI_MINOR
}

/// "requestx/2.34.0", static and NUL-terminated. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!("requestx/", env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(text) => text,
            Err(_) => panic!("a version without NUL"),
        };
    VERSION.as_ptr()
}

/// RQX_F_* of this build. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_features() -> u64 {
    let tls = if tls::NAME == "openssl" { RQX_F_TLS_OPENSSL } else { RQX_F_TLS_NATIVE };
    let queue = if cfg!(unix) { RQX_F_QUEUE_FD } else { 0 };
    tls | queue | RQX_F_GZIP | RQX_F_BROTLI | RQX_F_ZSTD | RQX_F_PROXY | RQX_F_HTTP2
}

/// What the library was built from, "hyper 1; OpenSSL 3.0.19 27 Jan 2026; x86_64-linux", static. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_build_info() -> *const c_char {
    static INFO: OnceLock<CString> = OnceLock::new();
    guard_or(c"".as_ptr(), || {
        let text =
            || format!("hyper 1; {}; {}-{}", tls::build_info(), std::env::consts::ARCH, std::env::consts::OS);
        Ok(INFO.get_or_init(|| CString::new(text()).unwrap_or_default()).as_ptr())
    })
}

/// The name of a code, "RQX_E_TIMEOUT", static; "RQX_E_?" for one that is not known. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_code_name(code: i32) -> *const c_char {
    NAMES.iter().find(|(known, _)| *known == code).map_or(c"RQX_E_?", |(_, name)| name).as_ptr()
}

/// Ends the background thread and all that it was doing: every pending token gets its terminal event.
/// For exit handlers; an exchange that is submitted later starts the thread again.
/// Waits up to `timeout_ns`. RQX_OK, or RQX_E_TIMEOUT. Any thread. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_shutdown(timeout_ns: u64) -> i32 {
    boundary(std::ptr::null_mut(), || {
        match process::current().lanes.shutdown(Duration::from_nanos(timeout_ns)) {
            true => Ok(RQX_OK),
            false => Err(Error::caller(Kind::Timeout, "the background thread is still at work")),
        }
    })
}

/// Makes `(code, name)` pairs of constants.
macro_rules! names {
    ($($name:ident)*) => {
        &[$(($name, match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
            Ok(text) => text,
            Err(_) => c"",
        })),*]
    };
}

const NAMES: &[(i32, &CStr)] = names!(
    RQX_OK RQX_PENDING RQX_WANT_BODY RQX_E_INVALID_ARGUMENT RQX_E_NULL RQX_E_INVALID_URL RQX_E_INVALID_HEADER
    RQX_E_UNSUPPORTED_SCHEME RQX_E_UNKNOWN_OPTION RQX_E_STATE RQX_E_HANDLE RQX_E_INVALID_METHOD RQX_E_CONNECT RQX_E_DNS
    RQX_E_REFUSED RQX_E_PROXY RQX_E_FORBIDDEN RQX_E_TLS RQX_E_TLS_VERIFY RQX_E_TIMEOUT RQX_E_IO RQX_E_RESET RQX_E_PROTOCOL RQX_E_INCOMPLETE
    RQX_E_DECODE RQX_E_TOO_LARGE RQX_E_STREAM RQX_E_TOO_MANY_REDIRECTS RQX_E_CANCELLED RQX_E_CLOSED RQX_E_FORKED RQX_E_INTERRUPTED RQX_E_AGAIN
    RQX_E_NO_RESOURCES RQX_E_INTERNAL
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of error, by its number.
    const KINDS: &[Kind] = &[
        Kind::InvalidArgument,
        Kind::Null,
        Kind::InvalidUrl,
        Kind::InvalidHeader,
        Kind::UnsupportedScheme,
        Kind::UnknownOption,
        Kind::State,
        Kind::Handle,
        Kind::InvalidMethod,
        Kind::Connect,
        Kind::Dns,
        Kind::Refused,
        Kind::Proxy,
        Kind::Forbidden,
        Kind::Tls,
        Kind::TlsVerify,
        Kind::Timeout,
        Kind::Io,
        Kind::Reset,
        Kind::Protocol,
        Kind::Incomplete,
        Kind::Decode,
        Kind::TooLarge,
        Kind::Stream,
        Kind::TooManyRedirects,
        Kind::Cancelled,
        Kind::Closed,
        Kind::Forked,
        Kind::Interrupted,
        Kind::Again,
        Kind::NoResources,
        Kind::Internal,
    ];

    #[test]
    fn every_kind_has_its_code_and_every_code_its_kind() {
        let kinds: Vec<i32> = KINDS.iter().map(|kind| *kind as i32).collect();
        let codes: Vec<i32> = NAMES.iter().map(|(code, _)| *code).filter(|code| *code >= 10).collect();

        assert_eq!(codes, kinds);
    }

    #[test]
    fn a_panic_becomes_an_error_with_its_text() {
        super::super::tables();
        let code = boundary(std::ptr::null_mut(), || panic!("the sky is falling"));

        assert_eq!(RQX_E_INTERNAL, code);
        let error = super::super::guard::<()>(|| panic!("again")).unwrap_err();
        assert!(error.message.contains("again"), "{error}");
    }
}
