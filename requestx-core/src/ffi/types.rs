//! Numbers and structs of the ABI. What stands here is frozen for the major version; it only grows.

use std::ffi::c_void;

/// The ABI's major version: changes when something is removed or means something else.
pub const RQX_ABI_MAJOR: u32 = 1;
/// The ABI's minor version: changes when something is added.
pub const RQX_ABI_MINOR: u32 = 0;

/// Done.
pub const RQX_OK: i32 = 0;
/// Not done yet: call again to go on waiting.
pub const RQX_PENDING: i32 = 1;
/// The exchange waits for its upload: push, or finish it, then resume.
pub const RQX_WANT_BODY: i32 = 2;

/// A value that no call of this library accepts.
pub const RQX_E_INVALID_ARGUMENT: i32 = 10;
/// NULL where something is needed.
pub const RQX_E_NULL: i32 = 11;
/// Not a URL that can be requested.
pub const RQX_E_INVALID_URL: i32 = 12;
/// A header name or value that HTTP does not allow, or framing that contradicts the body.
pub const RQX_E_INVALID_HEADER: i32 = 13;
/// A URL of another scheme than http and https.
pub const RQX_E_UNSUPPORTED_SCHEME: i32 = 14;
/// An option this library does not have: the way to ask whether it does.
pub const RQX_E_UNKNOWN_OPTION: i32 = 15;
/// The right call at the wrong time.
pub const RQX_E_STATE: i32 = 16;
/// A handle that is stale, of another kind, or was never given.
pub const RQX_E_HANDLE: i32 = 17;
/// A method that is no token.
pub const RQX_E_INVALID_METHOD: i32 = 18;
/// No connection, for a reason that has no number of its own.
pub const RQX_E_CONNECT: i32 = 20;
/// The host's name has no address.
pub const RQX_E_DNS: i32 = 21;
/// The host refused the connection.
pub const RQX_E_REFUSED: i32 = 22;
/// The proxy could not be reached, or would not serve; the phase says how far it came.
pub const RQX_E_PROXY: i32 = 23;
/// RQX_OPT_ALLOW_ADDRESSES and RQX_OPT_DENY_ADDRESSES leave no address to connect to.
pub const RQX_E_FORBIDDEN: i32 = 24;
/// The TLS handshake or the TLS settings failed.
pub const RQX_E_TLS: i32 = 30;
/// The server's certificate was refused.
pub const RQX_E_TLS_VERIFY: i32 = 31;
/// A time limit was reached; the error's phase says which.
pub const RQX_E_TIMEOUT: i32 = 40;
/// Reading or writing failed.
pub const RQX_E_IO: i32 = 50;
/// The peer closed or reset the connection before it answered.
pub const RQX_E_RESET: i32 = 51;
/// The peer broke HTTP's rules.
pub const RQX_E_PROTOCOL: i32 = 52;
/// The body ended early.
pub const RQX_E_INCOMPLETE: i32 = 53;
/// The body is not what its Content-Encoding says.
pub const RQX_E_DECODE: i32 = 54;
/// More than a limit allows.
pub const RQX_E_TOO_LARGE: i32 = 55;
/// One side reset the HTTP/2 stream, or the server went away (RFC 9113 sections 5.4 and 6.8).
pub const RQX_E_STREAM: i32 = 56;
/// The answer leads on, after as many redirects as RQX_OPT_MAX_REDIRECTS allows.
pub const RQX_E_TOO_MANY_REDIRECTS: i32 = 57;
/// Cancelled by the caller.
pub const RQX_E_CANCELLED: i32 = 70;
/// The client, or the exchange, is closed.
pub const RQX_E_CLOSED: i32 = 71;
/// The handle belongs to the parent process.
pub const RQX_E_FORKED: i32 = 72;
/// Woken by rqx_queue_wake.
pub const RQX_E_INTERRUPTED: i32 = 73;
/// Nothing could be taken now.
pub const RQX_E_AGAIN: i32 = 74;
/// A thread, memory or a descriptor cannot be had.
pub const RQX_E_NO_RESOURCES: i32 = 80;
/// A fault of this library: please report the message.
pub const RQX_E_INTERNAL: i32 = 81;

/// Phases, in the order of an exchange; errors, limits and timings speak of them.
pub const RQX_PHASE_NONE: u32 = 0;
/// Waiting for a place in the pool.
pub const RQX_PHASE_QUEUE: u32 = 1;
/// From a name to addresses.
pub const RQX_PHASE_RESOLVE: u32 = 2;
/// From an address to a TCP connection.
pub const RQX_PHASE_CONNECT: u32 = 3;
/// CONNECT, or SOCKS: from a connection to the proxy to one through it.
pub const RQX_PHASE_TUNNEL: u32 = 4;
/// The TLS handshake.
pub const RQX_PHASE_SECURE: u32 = 5;
/// Request head and body.
pub const RQX_PHASE_SEND: u32 = 6;
/// From the last byte sent to the response's head.
pub const RQX_PHASE_AWAIT: u32 = 7;
/// The response's body.
pub const RQX_PHASE_READ: u32 = 8;

/// Features, as bits of rqx_features(): TLS is OpenSSL.
pub const RQX_F_TLS_OPENSSL: u64 = 1;
/// TLS is the platform's own.
pub const RQX_F_TLS_NATIVE: u64 = 2;
/// rqx_queue_fd gives a descriptor.
pub const RQX_F_QUEUE_FD: u64 = 4;
/// gzip and deflate are decoded.
pub const RQX_F_GZIP: u64 = 8;
/// br is decoded.
pub const RQX_F_BROTLI: u64 = 16;
/// zstd is decoded.
pub const RQX_F_ZSTD: u64 = 32;
/// Proxies: http, https, SOCKS.
pub const RQX_F_PROXY: u64 = 64;
/// HTTP/2.
pub const RQX_F_HTTP2: u64 = 128;

/// Return with the head; pull the body with rqx_body_read or rqx_body_read_into.
pub const RQX_SEND_STREAM: u32 = 1;

/// A response that is complete and no longer than RQX_INLINE_BYTES comes without a handle: `response` is NULL, and head,
/// its rqx_timing, reason and body lie one behind the other in memory that is valid until the receiver returns. For
/// rqx_queue_dispatch, and for rqx_queue_take, which has a space for them; rqx_queue_wait gives handles.
pub const RQX_SEND_INLINE: u32 = 2;
/// See RQX_SEND_INLINE.
pub const RQX_INLINE_BYTES: u32 = 16384;

/// Leave the content codings alone.
pub const RQX_READ_RAW: u32 = 1;
/// All of the body is kept: RQX_OPT_MAX_DECODED_BYTES and RQX_OPT_MAX_DECODED_RATIO hold, from its first byte.
pub const RQX_READ_WHOLE: u32 = 2;

/// A response's head, and its body as far as the flags say.
pub const RQX_EV_HEAD: i32 = 1;
/// A piece of a body, answering rqx_body_read; or of an upgraded connection, answering rqx_upgrade_submit_read.
pub const RQX_EV_BODY: i32 = 2;
/// The upload has room; no terminal event.
pub const RQX_EV_UPLOAD_READY: i32 = 3;
/// The exchange or the read failed.
pub const RQX_EV_ERROR: i32 = 4;

/// An upgraded connection has sent all of it, answering rqx_upgrade_submit_write or rqx_upgrade_submit_shutdown.
pub const RQX_EV_WRITTEN: i32 = 5;

/// The last event of its token.
pub const RQX_EVF_TERMINAL: u32 = 1;
/// `body` is the whole body (RQX_EV_HEAD), or the body, or the connection, has ended (RQX_EV_BODY).
pub const RQX_EVF_BODY_COMPLETE: u32 = 2;
/// The connection had served before.
pub const RQX_EVF_REUSED: u32 = 4;
/// There is a Set-Cookie field in `head`.
pub const RQX_EVF_SET_COOKIE: u32 = 8;
/// There is no response to free: head, rqx_timing, reason and body lie one behind the other where the call that gave this says.
pub const RQX_EVF_INLINE: u32 = 16;

/// Informational heads came before this one: see rqx_response_informational. There is a handle then.
pub const RQX_EVF_INFORMATIONAL: u32 = 32;
/// Fields came behind the body, which is complete: see rqx_response_trailers. There is a handle then.
pub const RQX_EVF_TRAILERS: u32 = 64;
/// What answered is not what was asked first: see rqx_response_hops. There is a handle then.
pub const RQX_EVF_HOPS: u32 = 128;
/// The server has switched protocols (101), as it was asked to: rqx_upgrade_new takes the connection. There is a handle then.
pub const RQX_EVF_UPGRADED: u32 = 256;

/// Bytes in memory of the library's. Valid as long as what they were read from; not NUL-terminated.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct rqx_slice {
    pub ptr: *const u8,
    pub len: usize,
}

/// Where the time of an exchange went. Nanoseconds; 0 for what did not happen.
/// One lies behind `head` of every RQX_EV_HEAD, at head.ptr + head.len: copy it from there, it is not aligned. It stands
/// still; for a body that is pulled, rqx_response_timing says more.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct rqx_timing {
    /// sizeof(rqx_timing), set by the caller; behind a head, by the library.
    pub struct_size: usize,
    pub queue_ns: u64,
    pub resolve_ns: u64,
    pub connect_ns: u64,
    /// CONNECT, or SOCKS.
    pub tunnel_ns: u64,
    pub secure_ns: u64,
    pub send_ns: u64,
    pub await_ns: u64,
    /// The body so far.
    pub read_ns: u64,
    /// Bytes on the wire above TLS, heads and framing included; over HTTP/2, where many exchanges share those, of the
    /// exchange's two bodies.
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// Counts the process's connections; two exchanges with the same number shared one.
    pub connection_id: u64,
    /// 1 if the connection had served before.
    pub reused: u64,
}

/// One exchange of a call whose answer was not the caller's. The slice lives as long as the response.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct rqx_hop {
    /// sizeof(rqx_hop), set by the caller.
    pub struct_size: usize,
    /// RQX_OK, or RQX_E_* where no answer came.
    pub code: i32,
    /// HTTP's status code; 0 where no answer came.
    pub status: u32,
    /// Where it was sent to.
    pub url: rqx_slice,
    /// 1 if the same was asked again after it, in a retry or with the answer to a challenge; 0 if its answer led on.
    pub repeated: u64,
    /// How long the next one was put off.
    pub pause_ns: u64,
    /// Its own times; all 0 where no answer came.
    pub timing: rqx_timing,
}

/// rqx_cookie's flags: it goes over TLS alone.
pub const RQX_COOKIE_SECURE: u64 = 1;
/// It is not for scripts; that is for hosts to know that have any.
pub const RQX_COOKIE_HTTP_ONLY: u64 = 2;
/// It is for its host alone, and not for those below it.
pub const RQX_COOKIE_HOST_ONLY: u64 = 4;

/// A cookie. The slices live as long as the rqx_cookies they were read from.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct rqx_cookie {
    /// sizeof(rqx_cookie), set by the caller.
    pub struct_size: usize,
    /// RQX_COOKIE_*.
    pub flags: u64,
    /// Seconds since 1970; 0 for one that lives as long as its client.
    pub expires: i64,
    pub name: rqx_slice,
    pub value: rqx_slice,
    /// Without a dot in front.
    pub domain: rqx_slice,
    pub path: rqx_slice,
    /// `url` and `line` make the same cookie again: see rqx_client_add_cookie.
    pub url: rqx_slice,
    pub line: rqx_slice,
}

/// A client's counts at one moment.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct rqx_stats {
    /// sizeof(rqx_stats), set by the caller.
    pub struct_size: usize,
    /// Exchanges under way.
    pub in_flight: u64,
    /// Connections waiting for use.
    pub idle_connections: u64,
    /// Connections in all.
    pub open_connections: u64,
    /// Exchanges begun since the client was made.
    pub requests: u64,
    /// Exchanges waiting for a connection.
    pub queued: u64,
}

/// An error, read at once. The slices live as long as the error.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct rqx_error_view {
    /// sizeof(rqx_error_view), set by the caller.
    pub struct_size: usize,
    /// RQX_E_*.
    pub code: i32,
    /// errno, or 0.
    pub os_code: i32,
    /// The TLS library's own verification code, or 0.
    pub tls_code: i32,
    /// RQX_PHASE_*.
    pub phase: u32,
    /// One line, UTF-8: what was tried, on what, and what came back.
    pub message: rqx_slice,
    /// What lies beneath, outermost first, '\n' between.
    pub chain: rqx_slice,
    /// HTTP's status in the proxy's answer to CONNECT, or 0.
    pub proxy_status: u64,
}

/// One thing that happened to one exchange. Its size is frozen for the major version, so that arrays of it stay packed.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct rqx_event {
    /// The caller's, from rqx_submit or rqx_body_read; 0 after rqx_send.
    pub token: u64,
    /// RQX_EV_*.
    pub kind: i32,
    /// RQX_OK or RQX_E_*.
    pub code: i32,
    /// RQX_EVF_*.
    pub flags: u32,
    /// HTTP's status code.
    pub status: u16,
    /// 10, 11 or 20.
    pub http_version: u16,
    /// Pairs in `head`.
    pub n_headers: u32,
    /// For rqx_peer_new, of a response that came over TLS; else 0.
    pub peer: u32,
    /// The receiver's from RQX_EV_HEAD on; NULL in all other events, and with RQX_EVF_INLINE.
    pub response: *mut rqx_response,
    /// The receiver's; NULL if code is RQX_OK.
    pub error: *mut rqx_error,
    /// "name\nvalue\nname\nvalue" in wire order and case, duplicates kept; an rqx_timing lies behind it.
    pub head: rqx_slice,
    /// The whole body (RQX_EVF_BODY_COMPLETE), a piece of it (RQX_EV_BODY), or nothing.
    pub body: rqx_slice,
    /// The reason phrase as the server sent it.
    pub reason: rqx_slice,
}

/// Receives finished things, on the thread that called rqx_queue_dispatch. May call any function of the library.
#[allow(non_camel_case_types)]
pub type rqx_event_fn = Option<extern "C" fn(user: *mut c_void, events: *const rqx_event, n: usize)>;

/// What a TLS handshake agreed upon.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct rqx_peer_view {
    /// sizeof(rqx_peer_view), set by the caller.
    pub struct_size: usize,
    /// "TLSv1.3"; empty where the TLS library does not tell, as the cipher then is.
    pub version: rqx_slice,
    pub cipher: rqx_slice,
    /// What ALPN chose; empty for nothing.
    pub protocol: rqx_slice,
    /// The server's chain; see rqx_peer_certificate.
    pub n_certificates: u64,
    /// The cipher's strength.
    pub cipher_bits: u64,
    /// 1 if an earlier session was resumed.
    pub resumed: u64,
}

/// Declares opaque handle types.
macro_rules! opaque {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[allow(non_camel_case_types)]
        #[derive(Debug)]
        pub struct $name {
            _opaque: [u8; 0],
        }
    )*};
}

opaque! {
    /// Choices for a client or an exchange.
    rqx_options;
    /// A pool of connections, shared by any number of threads.
    rqx_client;
    /// A request being put together.
    rqx_request;
    /// A request body that is pushed in pieces.
    rqx_upload;
    /// A blocking exchange that is not done.
    rqx_exchange;
    /// A response.
    rqx_response;
    /// A connection whose server has switched protocols.
    rqx_upgrade;
    /// Who is at the other end of a TLS connection.
    rqx_peer;
    /// Where finished exchanges wait for their caller.
    rqx_queue;
    /// A client's cookies at one moment.
    rqx_cookies;
    /// What went wrong.
    rqx_error;
}

impl rqx_slice {
    /// A view of `bytes`; whoever hands it out keeps them alive.
    pub fn of(bytes: &[u8]) -> rqx_slice {
        rqx_slice { ptr: bytes.as_ptr(), len: bytes.len() }
    }
}
