//! Options, set by number: a new one needs no new symbol, and an unknown one is an error, which is how to ask.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::types::*;
use super::{as_pointer, boundary, freed, guard_or, raw, tables};
use crate::deadline::Phase;
use crate::error::{Error, Kind};
use crate::options::{Http, Options};
use crate::plan::check_field;
use crate::tls::{self, Fingerprint, Secret, Settings, Version};

/// Time limits: int64 nanoseconds, 0 for none. For a place in the pool.
pub const RQX_OPT_QUEUE_TIMEOUT_NS: i32 = 1001;
/// For the host's addresses.
pub const RQX_OPT_RESOLVE_TIMEOUT_NS: i32 = 1002;
/// For the TCP connection.
pub const RQX_OPT_CONNECT_TIMEOUT_NS: i32 = 1003;
/// For CONNECT, or SOCKS, once the proxy is connected.
pub const RQX_OPT_TUNNEL_TIMEOUT_NS: i32 = 1004;
/// For the TLS handshake.
pub const RQX_OPT_SECURE_TIMEOUT_NS: i32 = 1005;
/// Between two steps of progress while sending.
pub const RQX_OPT_SEND_TIMEOUT_NS: i32 = 1006;
/// From the last byte sent to the response's head.
pub const RQX_OPT_AWAIT_TIMEOUT_NS: i32 = 1007;
/// Between two pieces of the body.
pub const RQX_OPT_READ_TIMEOUT_NS: i32 = 1008;
/// For resolving, connecting, tunnelling and securing together.
pub const RQX_OPT_ESTABLISH_TIMEOUT_NS: i32 = 1010;
/// From the start to the last byte of the body.
pub const RQX_OPT_TOTAL_TIMEOUT_NS: i32 = 1011;
/// The least that may pass of a body, either way: bytes within RQX_OPT_LOW_SPEED_NS of waiting for the peer, or it is
/// RQX_E_TIMEOUT in RQX_PHASE_SEND or RQX_PHASE_READ. Time that the caller takes is not counted. 0 for no such limit.
pub const RQX_OPT_LOW_SPEED_BYTES: i32 = 1012;
/// The time for that, nanoseconds; 0 for no such limit.
pub const RQX_OPT_LOW_SPEED_NS: i32 = 1013;
/// Connections in all, idle ones included; 0 for no limit. Of a client.
pub const RQX_OPT_MAX_CONNECTIONS: i32 = 1020;
/// The same for one host. Of a client.
pub const RQX_OPT_MAX_CONNECTIONS_PER_HOST: i32 = 1021;
/// Idle connections kept for one host; 0 for no limit. Of a client.
pub const RQX_OPT_MAX_IDLE_PER_HOST: i32 = 1022;
/// How long an idle connection is kept, nanoseconds; 0 for ever. Of a client.
pub const RQX_OPT_IDLE_TIMEOUT_NS: i32 = 1023;
/// Hosts that idle connections are kept for; 0 for no limit. Of a client.
pub const RQX_OPT_MAX_IDLE_HOSTS: i32 = 1024;
/// 1: accept every certificate, for any host. Whoever is on the way can then read and change everything.
pub const RQX_OPT_DANGER_ACCEPT_INVALID_CERTS: i32 = 1030;
/// 12 or 13: the oldest version of TLS that is spoken. Default 12.
pub const RQX_OPT_TLS_MIN_VERSION: i32 = 1031;
/// 10 to 13: the newest; 0 for the newest there is.
pub const RQX_OPT_TLS_MAX_VERSION: i32 = 1032;
/// 10 or 11: the oldest version of TLS that is spoken, although neither is safe (RFC 8996).
pub const RQX_OPT_DANGER_TLS_MIN_VERSION: i32 = 1033;
/// 1: the certificate may be any host's, if somebody trusted signed it, or RQX_OPT_TLS_PINS has it.
pub const RQX_OPT_DANGER_ACCEPT_ANY_HOST: i32 = 1034;
/// Sum of 1, as strictly as RFC 5280 wants it, and 2, a certificate of RQX_OPT_CA_* may be an intermediate one, or the
/// server's own. Default 2.
pub const RQX_OPT_TLS_VERIFY_FLAGS: i32 = 1035;
/// 1: speak to servers that know no secure renegotiation (RFC 5746).
pub const RQX_OPT_DANGER_LEGACY_RENEGOTIATION: i32 = 1036;
/// 0: every handshake is a whole one. Default 1: sessions are resumed, with the same host under the same TLS options.
pub const RQX_OPT_TLS_RESUME: i32 = 1037;
/// 1: trust the platform's store beside what RQX_OPT_CA_* name; default 0, in their place.
pub const RQX_OPT_CA_PLATFORM: i32 = 1038;
/// 0: hand bodies over as they came, whatever their Content-Encoding. Default 1.
pub const RQX_OPT_DECODE: i32 = 1040;
/// Longest response head in bytes, informational ones counted. Default 262144.
pub const RQX_OPT_MAX_HEAD_BYTES: i32 = 1041;
/// 0: HTTP/2 where a server offers it in the TLS handshake (ALPN), else HTTP/1.1; the default. 1: HTTP/1.1 alone.
/// 2: HTTP/2 alone, on plain connections by prior knowledge (RFC 9113 section 3.3).
pub const RQX_OPT_HTTP_VERSION: i32 = 1042;
/// Bytes that a body may have once it is decoded, where it is kept whole: without RQX_SEND_STREAM, or read with
/// RQX_READ_WHOLE. Default 4294967296; 0 for no limit. Beyond it is RQX_E_TOO_LARGE in RQX_PHASE_READ.
pub const RQX_OPT_MAX_DECODED_BYTES: i32 = 1043;
/// The same, as decoded bytes for each byte that came, once there are more than 64 MiB. Default 256; 0 for no limit.
pub const RQX_OPT_MAX_DECODED_RATIO: i32 = 1044;
/// 1: proxies as http_proxy, https_proxy, all_proxy and no_proxy name them now, in lower case or in upper case, which
/// are read at once. 0: none. Takes the place of RQX_OPT_PROXY_URL and RQX_OPT_NO_PROXY.
pub const RQX_OPT_PROXY_ENVIRONMENT: i32 = 1050;
/// TLS with an https proxy: each of these is to the proxy what the option without PROXY is to the origin. Once one is
/// set, none of the origin's counts for the proxy; until then RQX_OPT_CA_* and RQX_OPT_DANGER_ACCEPT_INVALID_CERTS do.
pub const RQX_OPT_PROXY_DANGER_ACCEPT_INVALID_CERTS: i32 = 1130;
/// See RQX_OPT_TLS_MIN_VERSION.
pub const RQX_OPT_PROXY_TLS_MIN_VERSION: i32 = 1131;
/// See RQX_OPT_TLS_MAX_VERSION.
pub const RQX_OPT_PROXY_TLS_MAX_VERSION: i32 = 1132;
/// See RQX_OPT_DANGER_TLS_MIN_VERSION.
pub const RQX_OPT_PROXY_DANGER_TLS_MIN_VERSION: i32 = 1133;
/// See RQX_OPT_DANGER_ACCEPT_ANY_HOST.
pub const RQX_OPT_PROXY_DANGER_ACCEPT_ANY_HOST: i32 = 1134;
/// See RQX_OPT_TLS_VERIFY_FLAGS.
pub const RQX_OPT_PROXY_TLS_VERIFY_FLAGS: i32 = 1135;
/// See RQX_OPT_DANGER_LEGACY_RENEGOTIATION.
pub const RQX_OPT_PROXY_DANGER_LEGACY_RENEGOTIATION: i32 = 1136;
/// See RQX_OPT_TLS_RESUME.
pub const RQX_OPT_PROXY_TLS_RESUME: i32 = 1137;
/// See RQX_OPT_CA_PLATFORM.
pub const RQX_OPT_PROXY_CA_PLATFORM: i32 = 1138;
/// 1: under RQX_OPT_ALLOW_ADDRESSES or RQX_OPT_DENY_ADDRESSES a proxy may be told names, and where they lead to is the
/// proxy's affair. Default 0: that is RQX_E_FORBIDDEN.
pub const RQX_OPT_TRUST_PROXY: i32 = 1060;
/// How old a name's addresses may be that are used again, in nanoseconds; default 60 s, as libcurl has it; 0 looks names
/// up for each connection. One whose addresses all failed is looked up again.
pub const RQX_OPT_DNS_CACHE_NS: i32 = 1061;
/// Redirects that are followed in a call; one more is RQX_E_TOO_MANY_REDIRECTS. Default 0: they are answers like others.
pub const RQX_OPT_MAX_REDIRECTS: i32 = 1070;
/// 0: a redirect from https to http is RQX_E_UNSUPPORTED_SCHEME. Default 1.
pub const RQX_OPT_REDIRECT_TO_HTTP: i32 = 1071;
/// How often a call is tried again, after a failure before any answer, or an answer that may pass: 408, 429, 500, 502,
/// 503, 504. The last try's outcome is the caller's. Default 0.
pub const RQX_OPT_RETRIES: i32 = 1072;
/// The bound of the first delay, nanoseconds, which doubles with each try; a delay is a random share of it. Default 500 ms.
pub const RQX_OPT_RETRY_BACKOFF_NS: i32 = 1073;
/// No delay is longer, nanoseconds; where Retry-After asks for more, its answer is the caller's. Default 30 s.
pub const RQX_OPT_RETRY_MAX_WAIT_NS: i32 = 1074;
/// 1: methods that are not idempotent are tried again as well. Default 0: only where nothing had been sent.
pub const RQX_OPT_RETRY_ANY_METHOD: i32 = 1075;
/// Retries that a client has in stock; five answers refill one. Default 100; 0 for no limit.
pub const RQX_OPT_RETRY_BUDGET: i32 = 1076;
/// How RQX_OPT_USER is said. 0: by Basic, at once; the default. 1: by Digest (RFC 7616), when the server asks.
pub const RQX_OPT_AUTH: i32 = 1078;
/// 1: the client's cookies are sent, and those that come are kept, by RFC 6265bis. Default 0.
pub const RQX_OPT_COOKIES: i32 = 1077;

/// Text in UTF-8 without NUL, but for user, password and header field. Paths: a file of CA certificates in PEM.
/// RQX_OPT_CA_FILE, _FOLDER and _DATA together replace the platform's certificates; empty for none.
pub const RQX_OPT_CA_FILE: i32 = 2001;
/// A folder of CA certificates in PEM, named by `openssl rehash`.
pub const RQX_OPT_CA_FOLDER: i32 = 2002;
/// The client's certificate in PEM, with its chain, or in PKCS#12.
pub const RQX_OPT_CLIENT_CERT_FILE: i32 = 2003;
/// The client's private key in PEM; default: the certificate's file.
pub const RQX_OPT_CLIENT_KEY_FILE: i32 = 2004;

/// A proxy for all requests, "http://user:password@host:port"; empty for none. Schemes: http, the default; https, which
/// is TLS to the proxy, its certificate verified as the TLS options say; socks4, socks5, where names are resolved here;
/// socks4a, socks5h, where the proxy resolves them. Ports default to 80, 443 and 1080. User and password are
/// percent-encoded. Plain requests are sent to an http or https proxy; everything else goes through a tunnel.
pub const RQX_OPT_PROXY_URL: i32 = 2005;
/// Hosts that are spoken to directly, separated by commas: names with all below them, addresses, networks in CIDR, or *.
pub const RQX_OPT_NO_PROXY: i32 = 2006;
/// The proxy's user as it is, in the place of the URL's; empty for the URL's.
pub const RQX_OPT_PROXY_USER: i32 = 2007;
/// The proxy's password, likewise.
pub const RQX_OPT_PROXY_PASSWORD: i32 = 2008;
/// One more field "Name: value" for an http or https proxy, in CONNECT or in the request that it forwards, in the place
/// of one of that name in the request; empty for none at all.
pub const RQX_OPT_PROXY_HEADER: i32 = 2009;

/// CA certificates in PEM, or in DER one behind the other.
pub const RQX_OPT_CA_DATA: i32 = 2010;
/// What the client's key, or PKCS#12, is encrypted with.
pub const RQX_OPT_CLIENT_KEY_PASSWORD: i32 = 2011;
/// In the place of the URL's host: sent as SNI, and looked for in the certificate; empty for the URL's.
pub const RQX_OPT_SERVER_NAME: i32 = 2012;
/// In the place of both: looked for in the certificate, and not sent.
pub const RQX_OPT_VERIFY_NAME: i32 = 2013;
/// The server's certificate has to be one of these, besides being trusted: "sha256/" or "sha1/" and the digest of its
/// DER in hexadecimal digits, separated by commas.
pub const RQX_OPT_TLS_PINS: i32 = 2014;
/// Ciphers up to TLS 1.2, in OpenSSL's notation.
pub const RQX_OPT_CIPHERS: i32 = 2015;
/// Cipher suites of TLS 1.3, separated by colons.
pub const RQX_OPT_CIPHERSUITES: i32 = 2016;
/// A file that the secrets of each session are added to, for debugging (NSS key log format). Who has it reads it all.
pub const RQX_OPT_TLS_KEYLOG_FILE: i32 = 2017;
/// A file of CA certificates in PEM for where the platform's are trusted, and it has none.
pub const RQX_OPT_CA_FALLBACK_FILE: i32 = 2018;
/// This machine's side of each connection: "address:port", "[address]:port" for IPv6, ":port"; 0 is any port.
pub const RQX_OPT_LOCAL_ADDRESS: i32 = 2020;
/// Socket options set before connecting, "level,name,value;..." in the system's numbers, "x" and hexadecimal digits for
/// a value in bytes. One that is not known is RQX_E_INVALID_ARGUMENT.
pub const RQX_OPT_SOCKET_OPTIONS: i32 = 2021;
/// Addresses that may be connected to, proxies' included: addresses and networks in CIDR, separated by commas, and
/// "public" for the Internet's; looked at after a name was resolved. Others are RQX_E_FORBIDDEN. Empty allows all.
pub const RQX_OPT_ALLOW_ADDRESSES: i32 = 2030;
/// Addresses and networks that may not be connected to, whatever is allowed.
pub const RQX_OPT_DENY_ADDRESSES: i32 = 2031;
/// One more host whose addresses are these, "host:port:address,address"; "*" for all hosts, or all ports. The last one
/// that fits counts; empty for none at all.
pub const RQX_OPT_RESOLVE: i32 = 2032;
/// A path: every host is reached by this socket of the machine, without a proxy; empty for none.
pub const RQX_OPT_UNIX_SOCKET: i32 = 2033;

/// TLS with an https proxy, as the numbers from 1130 on: see RQX_OPT_CA_FILE.
pub const RQX_OPT_PROXY_CA_FILE: i32 = 2101;
/// See RQX_OPT_CA_FOLDER.
pub const RQX_OPT_PROXY_CA_FOLDER: i32 = 2102;
/// See RQX_OPT_CLIENT_CERT_FILE.
pub const RQX_OPT_PROXY_CLIENT_CERT_FILE: i32 = 2103;
/// See RQX_OPT_CLIENT_KEY_FILE.
pub const RQX_OPT_PROXY_CLIENT_KEY_FILE: i32 = 2104;
/// See RQX_OPT_CA_DATA.
pub const RQX_OPT_PROXY_CA_DATA: i32 = 2110;
/// See RQX_OPT_CLIENT_KEY_PASSWORD.
pub const RQX_OPT_PROXY_CLIENT_KEY_PASSWORD: i32 = 2111;
/// See RQX_OPT_SERVER_NAME.
pub const RQX_OPT_PROXY_SERVER_NAME: i32 = 2112;
/// See RQX_OPT_VERIFY_NAME.
pub const RQX_OPT_PROXY_VERIFY_NAME: i32 = 2113;
/// See RQX_OPT_TLS_PINS.
pub const RQX_OPT_PROXY_TLS_PINS: i32 = 2114;
/// See RQX_OPT_CIPHERS.
pub const RQX_OPT_PROXY_CIPHERS: i32 = 2115;
/// See RQX_OPT_CIPHERSUITES.
pub const RQX_OPT_PROXY_CIPHERSUITES: i32 = 2116;
/// See RQX_OPT_TLS_KEYLOG_FILE.
pub const RQX_OPT_PROXY_TLS_KEYLOG_FILE: i32 = 2117;
/// See RQX_OPT_CA_FALLBACK_FILE.
pub const RQX_OPT_PROXY_CA_FALLBACK_FILE: i32 = 2118;
/// The user, as it is: requests say who asks, as RQX_OPT_AUTH has it, unless they have an Authorization field of their own.
/// Told to the origin that is asked first and to no other. No colon; empty for nobody.
pub const RQX_OPT_USER: i32 = 2040;
/// The user's password, as it is.
pub const RQX_OPT_PASSWORD: i32 = 2041;

/// Gives new options in `*out`, with every choice at its default. RQX_OK, RQX_E_NULL, RQX_E_NO_RESOURCES. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_options_new(out: *mut *mut rqx_options) -> i32 {
    boundary(std::ptr::null_mut(), || {
        let out = raw::Out::new("out", out)?;
        out.set(as_pointer(tables().options.insert(Arc::default())?));
        Ok(RQX_OK)
    })
}

/// Sets an option whose value is a number. What was made with the options before is not changed.
/// RQX_OK, RQX_E_UNKNOWN_OPTION, RQX_E_INVALID_ARGUMENT, RQX_E_HANDLE. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_options_set_int(
    options: *mut rqx_options,
    option: i32,
    value: i64,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || change(options, |choices| set_int(choices, option, value)))
}

/// Sets an option whose value is bytes; they are copied. What was made with the options before is not changed.
/// RQX_OK, RQX_E_UNKNOWN_OPTION, RQX_E_INVALID_ARGUMENT, RQX_E_HANDLE. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_options_set_bytes(
    options: *mut rqx_options,
    option: i32,
    value: *const u8,
    len: usize,
    err: *mut *mut rqx_error,
) -> i32 {
    boundary(err, || {
        let value = raw::bytes("value", value, len)?;
        change(options, |choices| set_bytes(choices, option, value))
    })
}

/// Frees them. NULL is allowed; clients and exchanges made with them go on. Since 1.0.
#[no_mangle]
pub extern "C" fn rqx_options_free(options: *mut rqx_options) {
    guard_or((), || {
        freed(tables().options.remove(options as usize));
        Ok(())
    });
}

/// The choices behind a handle as they are now; the defaults for NULL.
pub(super) fn snapshot(options: *const rqx_options) -> Result<Option<Arc<Options>>, Error> {
    if options.is_null() {
        return Ok(None);
    }
    tables()
        .options
        .with(options as usize, |held| Some(held.lock().unwrap_or_else(PoisonError::into_inner).clone()))
}

fn change(
    options: *mut rqx_options,
    change: impl FnOnce(&mut Options) -> Result<(), Error>,
) -> Result<i32, Error> {
    let held: Arc<Mutex<Arc<Options>>> = tables().options.with(options as usize, Arc::clone)?;
    let mut choices = held.lock().unwrap_or_else(PoisonError::into_inner);
    let mut changed = Options::clone(&choices); // what is refused changes nothing
    change(&mut changed)?;
    *choices = Arc::new(changed);
    Ok(RQX_OK)
}

fn set_int(choices: &mut Options, option: i32, value: i64) -> Result<(), Error> {
    let refuse = |why: &str| {
        Err(Error::caller(Kind::InvalidArgument, format!("option {option} cannot be {value}: {why}")))
    };
    let Ok(number) = u64::try_from(value) else {
        return refuse("it is negative");
    };
    let time = (number != 0).then(|| Duration::from_nanos(number));
    let count = usize::try_from(number).unwrap_or(usize::MAX);
    match option {
        RQX_OPT_QUEUE_TIMEOUT_NS => choices.limits.phase[Phase::Queue as usize] = time,
        RQX_OPT_RESOLVE_TIMEOUT_NS => choices.limits.phase[Phase::Resolve as usize] = time,
        RQX_OPT_CONNECT_TIMEOUT_NS => choices.limits.phase[Phase::Connect as usize] = time,
        RQX_OPT_TUNNEL_TIMEOUT_NS => choices.limits.phase[Phase::Tunnel as usize] = time,
        RQX_OPT_SECURE_TIMEOUT_NS => choices.limits.phase[Phase::Secure as usize] = time,
        RQX_OPT_SEND_TIMEOUT_NS => choices.limits.phase[Phase::Send as usize] = time,
        RQX_OPT_AWAIT_TIMEOUT_NS => choices.limits.phase[Phase::Await as usize] = time,
        RQX_OPT_READ_TIMEOUT_NS => choices.limits.phase[Phase::Read as usize] = time,
        RQX_OPT_ESTABLISH_TIMEOUT_NS => choices.limits.establish = time,
        RQX_OPT_TOTAL_TIMEOUT_NS => choices.limits.total = time,
        RQX_OPT_LOW_SPEED_BYTES => choices.limits.pace.bytes = number,
        RQX_OPT_LOW_SPEED_NS => choices.limits.pace.within = Duration::from_nanos(number),
        RQX_OPT_MAX_CONNECTIONS => choices.pool.total = count,
        RQX_OPT_MAX_CONNECTIONS_PER_HOST => choices.pool.per_host = count,
        RQX_OPT_MAX_IDLE_PER_HOST => choices.pool.idle_per_host = count,
        RQX_OPT_MAX_IDLE_HOSTS => choices.pool.idle_hosts = count,
        RQX_OPT_IDLE_TIMEOUT_NS => choices.pool.idle_timeout = time,
        RQX_OPT_DNS_CACHE_NS => choices.names_live = Duration::from_nanos(number),
        RQX_OPT_DECODE if number < 2 => choices.decode = number == 1,
        RQX_OPT_PROXY_ENVIRONMENT if number == 1 => {
            choices.proxy.set_environment(|name| std::env::var(name).ok())?;
        }
        RQX_OPT_PROXY_ENVIRONMENT if number == 0 => choices.proxy.set_environment(|_| None)?,
        RQX_OPT_TRUST_PROXY => return set_guard_int(choices, option, number),
        RQX_OPT_MAX_REDIRECTS..=RQX_OPT_AUTH => return set_policy_int(choices, option, number),
        RQX_OPT_DECODE | RQX_OPT_PROXY_ENVIRONMENT => return refuse("it is 0 or 1"),
        RQX_OPT_MAX_DECODED_BYTES => choices.growth.bytes = number,
        RQX_OPT_MAX_DECODED_RATIO => choices.growth.ratio = number,
        RQX_OPT_MAX_HEAD_BYTES if (1024..=LONGEST_HEAD).contains(&count) => choices.max_head = count,
        RQX_OPT_MAX_HEAD_BYTES => return refuse("it is 1024 to 16777216"),
        RQX_OPT_HTTP_VERSION => match HTTP.get(count) {
            Some(http) => choices.http = *http,
            None => return refuse("it is 0, 1 or 2"),
        },
        _ => return set_tls_int(choices, option, number),
    }
    Ok(())
}

fn set_guard_int(choices: &mut Options, option: i32, number: u64) -> Result<(), Error> {
    if number > 1 {
        let why = format!("option {option} cannot be {number}: it is 0 or 1");
        return Err(Error::caller(Kind::InvalidArgument, why));
    }
    Arc::make_mut(&mut choices.dial).guard.trusts_proxy = number == 1;
    Ok(())
}

fn set_policy_int(choices: &mut Options, option: i32, number: u64) -> Result<(), Error> {
    let refuse = |why: &str| {
        Err(Error::caller(Kind::InvalidArgument, format!("option {option} cannot be {number}: {why}")))
    };
    let count = u32::try_from(number).unwrap_or(u32::MAX);
    let time = Duration::from_nanos(number);
    let policy = &mut choices.policy;
    match option {
        RQX_OPT_MAX_REDIRECTS => policy.redirects = count,
        RQX_OPT_REDIRECT_TO_HTTP if number < 2 => policy.to_plain = number == 1,
        RQX_OPT_RETRIES => policy.retry.times = count,
        RQX_OPT_RETRY_BACKOFF_NS => policy.retry.backoff = time,
        RQX_OPT_RETRY_MAX_WAIT_NS => policy.retry.longest = time,
        RQX_OPT_RETRY_ANY_METHOD if number < 2 => policy.retry.any_method = number == 1,
        RQX_OPT_RETRY_BUDGET => policy.retry.budget = count,
        RQX_OPT_AUTH if number == 1 && tls::hash("MD5", b"").is_none() => {
            return refuse("this build's TLS library has no hashes");
        }
        RQX_OPT_AUTH if number < 2 => policy.digest = number == 1,
        RQX_OPT_COOKIES if number < 2 => policy.cookies = number == 1,
        RQX_OPT_REDIRECT_TO_HTTP | RQX_OPT_RETRY_ANY_METHOD | RQX_OPT_COOKIES | RQX_OPT_AUTH => {
            return refuse("it is 0 or 1")
        }
        _ => return Err(unknown(option, "a number")),
    }
    Ok(())
}

/// The numbers of what the proxy's TLS is set by, so far above those of the origin's.
const PROXYS: i32 = RQX_OPT_PROXY_CA_FILE - RQX_OPT_CA_FILE;

/// The settings that an option of TLS is about, and that option by the origin's number.
fn tls_that(choices: &mut Options, option: i32) -> (&mut Settings, i32) {
    match option {
        RQX_OPT_PROXY_DANGER_ACCEPT_INVALID_CERTS..=RQX_OPT_PROXY_CA_PLATFORM
        | RQX_OPT_PROXY_CA_FILE..=RQX_OPT_PROXY_CA_FALLBACK_FILE => {
            (choices.proxy_tls.get_or_insert_default().change(), option - PROXYS)
        }
        _ => (choices.tls.change(), option),
    }
}

fn set_tls_int(choices: &mut Options, option: i32, number: u64) -> Result<(), Error> {
    let refuse = |why: &str| {
        Error::caller(Kind::InvalidArgument, format!("option {option} cannot be {number}: {why}"))
    };
    let version = |least| Version::of_number(number).filter(|version| *version >= least);
    let flag = || if number < 2 { Ok(number == 1) } else { Err(refuse("it is 0 or 1")) };
    let (tls, known) = tls_that(choices, option);
    match known {
        RQX_OPT_DANGER_ACCEPT_INVALID_CERTS => tls.danger_accept_invalid = flag()?,
        RQX_OPT_DANGER_ACCEPT_ANY_HOST => tls.danger_any_host = flag()?,
        RQX_OPT_DANGER_LEGACY_RENEGOTIATION => tls.danger_legacy = flag()?,
        RQX_OPT_TLS_RESUME => tls.no_resumption = !flag()?,
        RQX_OPT_CA_PLATFORM => tls.roots.platform = flag()?,
        RQX_OPT_TLS_VERIFY_FLAGS if number < 4 => {
            (tls.strict, tls.whole_chain) = (number & 1 != 0, number & 2 == 0);
        }
        RQX_OPT_TLS_VERIFY_FLAGS => return Err(refuse("it is a sum of 1 and 2")),
        RQX_OPT_TLS_MIN_VERSION => {
            tls.lowest = Some(version(Version::Tls12).ok_or_else(|| refuse("it is 12 or 13"))?);
        }
        RQX_OPT_DANGER_TLS_MIN_VERSION if number == 10 || number == 11 => {
            tls.lowest = version(Version::Tls10)
        }
        RQX_OPT_DANGER_TLS_MIN_VERSION => return Err(refuse("it is 10 or 11")),
        RQX_OPT_TLS_MAX_VERSION if number == 0 => tls.highest = None,
        RQX_OPT_TLS_MAX_VERSION => {
            tls.highest = Some(version(Version::Tls10).ok_or_else(|| refuse("it is 10 to 13"))?);
        }
        _ => return Err(unknown(option, "a number")),
    }
    Ok(())
}

/// By RQX_OPT_HTTP_VERSION.
const HTTP: [Http; 3] = [Http::Negotiated, Http::One, Http::Two];

/// A head is held in memory until it is whole.
const LONGEST_HEAD: usize = 16 * 1024 * 1024;

fn set_bytes(choices: &mut Options, option: i32, value: &[u8]) -> Result<(), Error> {
    match option {
        RQX_OPT_PROXY_USER => choices.proxy.set_user(value),
        RQX_OPT_PROXY_PASSWORD => choices.proxy.set_password(value),
        RQX_OPT_USER if value.contains(&b':') => {
            return Err(Error::caller(Kind::InvalidArgument, "a user with a colon, which Basic cannot say"));
        }
        RQX_OPT_USER => choices.policy.login.user = value.to_vec(),
        RQX_OPT_PASSWORD => choices.policy.login.password = value.to_vec(),
        RQX_OPT_PROXY_HEADER => return set_proxy_header(choices, value),
        RQX_OPT_CA_DATA | RQX_OPT_PROXY_CA_DATA => {
            tls_that(choices, option).0.roots.data = (!value.is_empty()).then(|| value.into());
        }
        RQX_OPT_CLIENT_KEY_PASSWORD | RQX_OPT_PROXY_CLIENT_KEY_PASSWORD => {
            tls_that(choices, option).0.password = (!value.is_empty()).then(|| Secret::of(value));
        }
        _ => return set_text(choices, option, value),
    }
    Ok(())
}

fn set_proxy_header(choices: &mut Options, field: &[u8]) -> Result<(), Error> {
    if field.is_empty() {
        choices.proxy.clear_fields();
        return Ok(());
    }
    let colon = field.iter().position(|byte| *byte == b':').unwrap_or(field.len());
    let (name, value) = (&field[..colon], field[colon..].get(1..).unwrap_or_default().trim_ascii());
    check_field(name, value)?;
    choices.proxy.add_field(name, value);
    Ok(())
}

fn set_text(choices: &mut Options, option: i32, value: &[u8]) -> Result<(), Error> {
    let text = std::str::from_utf8(value).ok().filter(|text| !text.contains('\0'));
    let Some(text) = text else {
        return Err(Error::caller(
            Kind::InvalidArgument,
            format!("option {option} is text in UTF-8 without NUL"),
        ));
    };
    let path = (!text.is_empty()).then(|| PathBuf::from(text));
    match option {
        RQX_OPT_LOCAL_ADDRESS => return Arc::make_mut(&mut choices.dial).set_from(text),
        RQX_OPT_SOCKET_OPTIONS => return Arc::make_mut(&mut choices.dial).set_options(text),
        RQX_OPT_ALLOW_ADDRESSES => return Arc::make_mut(&mut choices.dial).guard.set_allowed(text),
        RQX_OPT_DENY_ADDRESSES => return Arc::make_mut(&mut choices.dial).guard.set_denied(text),
        RQX_OPT_RESOLVE => return Arc::make_mut(&mut choices.dial).add_host(text),
        RQX_OPT_UNIX_SOCKET => return Arc::make_mut(&mut choices.dial).set_unix(text),
        RQX_OPT_PROXY_URL => choices.proxy.set_url(text)?,
        RQX_OPT_NO_PROXY => choices.proxy.set_bypass(text),
        _ => return set_tls_text(choices, option, text, path),
    }
    Ok(())
}

/// A name for a certificate; `None` for the URL's. OpenSSL takes an empty one for any.
fn host_name(text: &str) -> Result<Option<String>, Error> {
    let name = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() || (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())) {
        return Ok((!name.is_empty()).then(|| name.to_string()));
    }
    Err(Error::caller(Kind::InvalidArgument, format!("{text:?} is no name of a host in ASCII")))
}

fn set_tls_text(choices: &mut Options, option: i32, text: &str, path: Option<PathBuf>) -> Result<(), Error> {
    let given = (!text.is_empty()).then(|| text.to_string());
    let (tls, known) = tls_that(choices, option);
    match known {
        RQX_OPT_CA_FILE => tls.roots.file = path,
        RQX_OPT_CA_FOLDER => tls.roots.folder = path,
        RQX_OPT_CA_FALLBACK_FILE => tls.roots.fallback = path,
        RQX_OPT_CLIENT_CERT_FILE => tls.certificate = path,
        RQX_OPT_CLIENT_KEY_FILE => tls.key = path,
        RQX_OPT_TLS_KEYLOG_FILE => tls.keylog = path,
        RQX_OPT_SERVER_NAME => tls.server_name = host_name(text)?,
        RQX_OPT_VERIFY_NAME => tls.verify_name = host_name(text)?,
        RQX_OPT_TLS_PINS => tls.pins = Fingerprint::parse_all(text)?,
        RQX_OPT_CIPHERS => tls.ciphers = given,
        RQX_OPT_CIPHERSUITES => tls.suites = given,
        _ => return Err(unknown(option, "bytes")),
    }
    Ok(())
}

fn unknown(option: i32, form: &str) -> Error {
    Error::caller(Kind::UnknownOption, format!("this library has no option {option} whose value is {form}"))
}
