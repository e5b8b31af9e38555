/* requestx: an HTTP client. Generated from requestx-core/src/ffi by `make header`: edit there.
 *
 * RULES, true of every function unless its own comment says otherwise
 *
 *  Versions   rqx_abi_version() must equal RQX_ABI_MAJOR in its high half and be at least the caller's RQX_ABI_MINOR
 *             in its low half. Within a major version nothing is removed, renumbered or re-typed.
 *  Handles    every rqx_xxx is opaque: a number in the clothing of a pointer, looked up and never followed. What gives
 *             one gives ownership: free it once with rqx_xxx_free (NULL allowed). One that is stale, of another kind
 *             or freed already gives RQX_E_HANDLE.
 *  Structs    each public struct begins with struct_size, set by the caller to its own sizeof; the library touches no
 *             more than that. Exceptions: rqx_slice and rqx_event, frozen for the major version.
 *  Types      only fixed-width integers, size_t, intptr_t, pointers and pointers to structs cross the line.
 *  Views      an rqx_slice points into the handle it was read from and dies with it. It is not NUL-terminated.
 *             Bytes passed in are copied before the call returns, unless a comment says "borrowed".
 *  Results    int32_t: an RQX_E_* code if 10 or more, else RQX_OK or what the function says (RQX_PENDING, ...).
 *             Outputs are written on RQX_OK only.
 *             `rqx_error **err` may be NULL; on failure it receives an error that the caller frees.
 *  Threads    rqx_client and rqx_queue: any thread, at any time. All others: any thread, one at a time.
 *  Callbacks  run on the caller's thread, inside the call that was handed them. They must not unwind or longjmp;
 *             they may call any function of the library.
 *  Waiting    blocking calls return RQX_PENDING after at most 50 ms, so that the caller can look at its signals.
 *             Nothing is lost: call again to go on waiting, or cancel.
 *  Panics     never cross the line: they become RQX_E_INTERNAL with the panic's text.
 *  fork       a handle used in a forked child gives RQX_E_FORKED; freeing it there does nothing.
 */

#ifndef REQUESTX_H
#define REQUESTX_H

#include <stddef.h>
#include <stdint.h>

#ifndef RQX_API
# if defined(_WIN32) && !defined(RQX_STATIC)
#  define RQX_API __declspec(dllimport)
# elif defined(__GNUC__)
#  define RQX_API __attribute__((visibility("default")))
# else
#  define RQX_API
# endif
#endif

/* ==== numbers =========================================================================================== */

/** The ABI's major version: changes when something is removed or means something else. */
#define RQX_ABI_MAJOR 1
/** The ABI's minor version: changes when something is added. */
#define RQX_ABI_MINOR 0

/** Done. */
#define RQX_OK 0

/** Not done yet: call again to go on waiting. */
#define RQX_PENDING 1

/** The exchange waits for its upload: push, or finish it, then resume. */
#define RQX_WANT_BODY 2

/** A value that no call of this library accepts. */
#define RQX_E_INVALID_ARGUMENT 10
/** NULL where something is needed. */
#define RQX_E_NULL 11
/** Not a URL that can be requested. */
#define RQX_E_INVALID_URL 12
/** A header name or value that HTTP does not allow, or framing that contradicts the body. */
#define RQX_E_INVALID_HEADER 13
/** A URL of another scheme than http and https. */
#define RQX_E_UNSUPPORTED_SCHEME 14
/** An option this library does not have: the way to ask whether it does. */
#define RQX_E_UNKNOWN_OPTION 15
/** The right call at the wrong time. */
#define RQX_E_STATE 16
/** A handle that is stale, of another kind, or was never given. */
#define RQX_E_HANDLE 17
/** A method that is no token. */
#define RQX_E_INVALID_METHOD 18
/** No connection, for a reason that has no number of its own. */
#define RQX_E_CONNECT 20
/** The host's name has no address. */
#define RQX_E_DNS 21
/** The host refused the connection. */
#define RQX_E_REFUSED 22
/** The proxy could not be reached, or would not serve; the phase says how far it came. */
#define RQX_E_PROXY 23
/** RQX_OPT_ALLOW_ADDRESSES and RQX_OPT_DENY_ADDRESSES leave no address to connect to. */
#define RQX_E_FORBIDDEN 24
/** The TLS handshake or the TLS settings failed. */
#define RQX_E_TLS 30
/** The server's certificate was refused. */
#define RQX_E_TLS_VERIFY 31
/** A time limit was reached; the error's phase says which. */
#define RQX_E_TIMEOUT 40
/** Reading or writing failed. */
#define RQX_E_IO 50
/** The peer closed or reset the connection before it answered. */
#define RQX_E_RESET 51
/** The peer broke HTTP's rules. */
#define RQX_E_PROTOCOL 52
/** The body ended early. */
#define RQX_E_INCOMPLETE 53
/** The body is not what its Content-Encoding says. */
#define RQX_E_DECODE 54
/** More than a limit allows. */
#define RQX_E_TOO_LARGE 55
/** One side reset the HTTP/2 stream, or the server went away (RFC 9113 sections 5.4 and 6.8). */
#define RQX_E_STREAM 56
/** The answer leads on, after as many redirects as RQX_OPT_MAX_REDIRECTS allows. */
#define RQX_E_TOO_MANY_REDIRECTS 57
/** Cancelled by the caller. */
#define RQX_E_CANCELLED 70
/** The client, or the exchange, is closed. */
#define RQX_E_CLOSED 71
/** The handle belongs to the parent process. */
#define RQX_E_FORKED 72
/** Woken by rqx_queue_wake. */
#define RQX_E_INTERRUPTED 73
/** Nothing could be taken now. */
#define RQX_E_AGAIN 74
/** A thread, memory or a descriptor cannot be had. */
#define RQX_E_NO_RESOURCES 80
/** A fault of this library: please report the message. */
#define RQX_E_INTERNAL 81

/** Phases, in the order of an exchange; errors, limits and timings speak of them. */
#define RQX_PHASE_NONE 0
/** Waiting for a place in the pool. */
#define RQX_PHASE_QUEUE 1
/** From a name to addresses. */
#define RQX_PHASE_RESOLVE 2
/** From an address to a TCP connection. */
#define RQX_PHASE_CONNECT 3
/** CONNECT, or SOCKS: from a connection to the proxy to one through it. */
#define RQX_PHASE_TUNNEL 4
/** The TLS handshake. */
#define RQX_PHASE_SECURE 5
/** Request head and body. */
#define RQX_PHASE_SEND 6
/** From the last byte sent to the response's head. */
#define RQX_PHASE_AWAIT 7
/** The response's body. */
#define RQX_PHASE_READ 8

/** Features, as bits of rqx_features(): TLS is OpenSSL. */
#define RQX_F_TLS_OPENSSL 1
/** TLS is the platform's own. */
#define RQX_F_TLS_NATIVE 2
/** rqx_queue_fd gives a descriptor. */
#define RQX_F_QUEUE_FD 4
/** gzip and deflate are decoded. */
#define RQX_F_GZIP 8
/** br is decoded. */
#define RQX_F_BROTLI 16
/** zstd is decoded. */
#define RQX_F_ZSTD 32
/** Proxies: http, https, SOCKS. */
#define RQX_F_PROXY 64
/** HTTP/2. */
#define RQX_F_HTTP2 128

/** Return with the head; pull the body with rqx_body_read or rqx_body_read_into. */
#define RQX_SEND_STREAM 1
/**
 * A response that is complete and no longer than RQX_INLINE_BYTES comes without a handle: `response` is NULL, and head,
 * its rqx_timing, reason and body lie one behind the other in memory that is valid until the receiver returns. For
 * rqx_queue_dispatch, and for rqx_queue_take, which has a space for them; rqx_queue_wait gives handles.
 */
#define RQX_SEND_INLINE 2

/** See RQX_SEND_INLINE. */
#define RQX_INLINE_BYTES 16384

/** Leave the content codings alone. */
#define RQX_READ_RAW 1
/** All of the body is kept: RQX_OPT_MAX_DECODED_BYTES and RQX_OPT_MAX_DECODED_RATIO hold, from its first byte. */
#define RQX_READ_WHOLE 2

/** A response's head, and its body as far as the flags say. */
#define RQX_EV_HEAD 1
/** A piece of a body, answering rqx_body_read; or of an upgraded connection, answering rqx_upgrade_submit_read. */
#define RQX_EV_BODY 2
/** The upload has room; no terminal event. */
#define RQX_EV_UPLOAD_READY 3
/** The exchange or the read failed. */
#define RQX_EV_ERROR 4
/** An upgraded connection has sent all of it, answering rqx_upgrade_submit_write or rqx_upgrade_submit_shutdown. */
#define RQX_EV_WRITTEN 5

/** The last event of its token. */
#define RQX_EVF_TERMINAL 1
/** `body` is the whole body (RQX_EV_HEAD), or the body, or the connection, has ended (RQX_EV_BODY). */
#define RQX_EVF_BODY_COMPLETE 2
/** The connection had served before. */
#define RQX_EVF_REUSED 4
/** There is a Set-Cookie field in `head`. */
#define RQX_EVF_SET_COOKIE 8
/**
 * There is no response to free: head, rqx_timing, reason and body lie one behind the other where the call that gave this says.
 */
#define RQX_EVF_INLINE 16
/** Informational heads came before this one: see rqx_response_informational. There is a handle then. */
#define RQX_EVF_INFORMATIONAL 32
/** Fields came behind the body, which is complete: see rqx_response_trailers. There is a handle then. */
#define RQX_EVF_TRAILERS 64
/** What answered is not what was asked first: see rqx_response_hops. There is a handle then. */
#define RQX_EVF_HOPS 128
/**
 * The server has switched protocols (101), as it was asked to: rqx_upgrade_new takes the connection. There is a handle then.
 */
#define RQX_EVF_UPGRADED 256

/** rqx_cookie's flags: it goes over TLS alone. */
#define RQX_COOKIE_SECURE 1
/** It is not for scripts; that is for hosts to know that have any. */
#define RQX_COOKIE_HTTP_ONLY 2
/** It is for its host alone, and not for those below it. */
#define RQX_COOKIE_HOST_ONLY 4

/** Time limits: int64 nanoseconds, 0 for none. For a place in the pool. */
#define RQX_OPT_QUEUE_TIMEOUT_NS 1001
/** For the host's addresses. */
#define RQX_OPT_RESOLVE_TIMEOUT_NS 1002
/** For the TCP connection. */
#define RQX_OPT_CONNECT_TIMEOUT_NS 1003
/** For CONNECT, or SOCKS, once the proxy is connected. */
#define RQX_OPT_TUNNEL_TIMEOUT_NS 1004
/** For the TLS handshake. */
#define RQX_OPT_SECURE_TIMEOUT_NS 1005
/** Between two steps of progress while sending. */
#define RQX_OPT_SEND_TIMEOUT_NS 1006
/** From the last byte sent to the response's head. */
#define RQX_OPT_AWAIT_TIMEOUT_NS 1007
/** Between two pieces of the body. */
#define RQX_OPT_READ_TIMEOUT_NS 1008
/** For resolving, connecting, tunnelling and securing together. */
#define RQX_OPT_ESTABLISH_TIMEOUT_NS 1010
/** From the start to the last byte of the body. */
#define RQX_OPT_TOTAL_TIMEOUT_NS 1011
/**
 * The least that may pass of a body, either way: bytes within RQX_OPT_LOW_SPEED_NS of waiting for the peer, or it is
 * RQX_E_TIMEOUT in RQX_PHASE_SEND or RQX_PHASE_READ. Time that the caller takes is not counted. 0 for no such limit.
 */
#define RQX_OPT_LOW_SPEED_BYTES 1012
/** The time for that, nanoseconds; 0 for no such limit. */
#define RQX_OPT_LOW_SPEED_NS 1013
/** Connections in all, idle ones included; 0 for no limit. Of a client. */
#define RQX_OPT_MAX_CONNECTIONS 1020
/** The same for one host. Of a client. */
#define RQX_OPT_MAX_CONNECTIONS_PER_HOST 1021
/** Idle connections kept for one host; 0 for no limit. Of a client. */
#define RQX_OPT_MAX_IDLE_PER_HOST 1022
/** How long an idle connection is kept, nanoseconds; 0 for ever. Of a client. */
#define RQX_OPT_IDLE_TIMEOUT_NS 1023
/** Hosts that idle connections are kept for; 0 for no limit. Of a client. */
#define RQX_OPT_MAX_IDLE_HOSTS 1024
/** 1: accept every certificate, for any host. Whoever is on the way can then read and change everything. */
#define RQX_OPT_DANGER_ACCEPT_INVALID_CERTS 1030
/** 12 or 13: the oldest version of TLS that is spoken. Default 12. */
#define RQX_OPT_TLS_MIN_VERSION 1031
/** 10 to 13: the newest; 0 for the newest there is. */
#define RQX_OPT_TLS_MAX_VERSION 1032
/** 10 or 11: the oldest version of TLS that is spoken, although neither is safe (RFC 8996). */
#define RQX_OPT_DANGER_TLS_MIN_VERSION 1033
/** 1: the certificate may be any host's, if somebody trusted signed it, or RQX_OPT_TLS_PINS has it. */
#define RQX_OPT_DANGER_ACCEPT_ANY_HOST 1034
/**
 * Sum of 1, as strictly as RFC 5280 wants it, and 2, a certificate of RQX_OPT_CA_* may be an intermediate one, or the
 * server's own. Default 2.
 */
#define RQX_OPT_TLS_VERIFY_FLAGS 1035
/** 1: speak to servers that know no secure renegotiation (RFC 5746). */
#define RQX_OPT_DANGER_LEGACY_RENEGOTIATION 1036
/** 0: every handshake is a whole one. Default 1: sessions are resumed, with the same host under the same TLS options. */
#define RQX_OPT_TLS_RESUME 1037
/** 1: trust the platform's store beside what RQX_OPT_CA_* name; default 0, in their place. */
#define RQX_OPT_CA_PLATFORM 1038
/** 0: hand bodies over as they came, whatever their Content-Encoding. Default 1. */
#define RQX_OPT_DECODE 1040
/** Longest response head in bytes, informational ones counted. Default 262144. */
#define RQX_OPT_MAX_HEAD_BYTES 1041
/**
 * 0: HTTP/2 where a server offers it in the TLS handshake (ALPN), else HTTP/1.1; the default. 1: HTTP/1.1 alone.
 * 2: HTTP/2 alone, on plain connections by prior knowledge (RFC 9113 section 3.3).
 */
#define RQX_OPT_HTTP_VERSION 1042
/**
 * Bytes that a body may have once it is decoded, where it is kept whole: without RQX_SEND_STREAM, or read with
 * RQX_READ_WHOLE. Default 4294967296; 0 for no limit. Beyond it is RQX_E_TOO_LARGE in RQX_PHASE_READ.
 */
#define RQX_OPT_MAX_DECODED_BYTES 1043
/** The same, as decoded bytes for each byte that came, once there are more than 64 MiB. Default 256; 0 for no limit. */
#define RQX_OPT_MAX_DECODED_RATIO 1044
/**
 * 1: proxies as http_proxy, https_proxy, all_proxy and no_proxy name them now, in lower case or in upper case, which
 * are read at once. 0: none. Takes the place of RQX_OPT_PROXY_URL and RQX_OPT_NO_PROXY.
 */
#define RQX_OPT_PROXY_ENVIRONMENT 1050
/**
 * TLS with an https proxy: each of these is to the proxy what the option without PROXY is to the origin. Once one is
 * set, none of the origin's counts for the proxy; until then RQX_OPT_CA_* and RQX_OPT_DANGER_ACCEPT_INVALID_CERTS do.
 */
#define RQX_OPT_PROXY_DANGER_ACCEPT_INVALID_CERTS 1130
/** See RQX_OPT_TLS_MIN_VERSION. */
#define RQX_OPT_PROXY_TLS_MIN_VERSION 1131
/** See RQX_OPT_TLS_MAX_VERSION. */
#define RQX_OPT_PROXY_TLS_MAX_VERSION 1132
/** See RQX_OPT_DANGER_TLS_MIN_VERSION. */
#define RQX_OPT_PROXY_DANGER_TLS_MIN_VERSION 1133
/** See RQX_OPT_DANGER_ACCEPT_ANY_HOST. */
#define RQX_OPT_PROXY_DANGER_ACCEPT_ANY_HOST 1134
/** See RQX_OPT_TLS_VERIFY_FLAGS. */
#define RQX_OPT_PROXY_TLS_VERIFY_FLAGS 1135
/** See RQX_OPT_DANGER_LEGACY_RENEGOTIATION. */
#define RQX_OPT_PROXY_DANGER_LEGACY_RENEGOTIATION 1136
/** See RQX_OPT_TLS_RESUME. */
#define RQX_OPT_PROXY_TLS_RESUME 1137
/** See RQX_OPT_CA_PLATFORM. */
#define RQX_OPT_PROXY_CA_PLATFORM 1138
/**
 * 1: under RQX_OPT_ALLOW_ADDRESSES or RQX_OPT_DENY_ADDRESSES a proxy may be told names, and where they lead to is the
 * proxy's affair. Default 0: that is RQX_E_FORBIDDEN.
 */
#define RQX_OPT_TRUST_PROXY 1060
/**
 * How old a name's addresses may be that are used again, in nanoseconds; default 60 s, as libcurl has it; 0 looks names
 * up for each connection. One whose addresses all failed is looked up again.
 */
#define RQX_OPT_DNS_CACHE_NS 1061
/**
 * Redirects that are followed in a call; one more is RQX_E_TOO_MANY_REDIRECTS. Default 0: they are answers like others.
 */
#define RQX_OPT_MAX_REDIRECTS 1070
/** 0: a redirect from https to http is RQX_E_UNSUPPORTED_SCHEME. Default 1. */
#define RQX_OPT_REDIRECT_TO_HTTP 1071
/**
 * How often a call is tried again, after a failure before any answer, or an answer that may pass: 408, 429, 500, 502,
 * 503, 504. The last try's outcome is the caller's. Default 0.
 */
#define RQX_OPT_RETRIES 1072
/**
 * The bound of the first delay, nanoseconds, which doubles with each try; a delay is a random share of it. Default 500 ms.
 */
#define RQX_OPT_RETRY_BACKOFF_NS 1073
/** No delay is longer, nanoseconds; where Retry-After asks for more, its answer is the caller's. Default 30 s. */
#define RQX_OPT_RETRY_MAX_WAIT_NS 1074
/** 1: methods that are not idempotent are tried again as well. Default 0: only where nothing had been sent. */
#define RQX_OPT_RETRY_ANY_METHOD 1075
/** Retries that a client has in stock; five answers refill one. Default 100; 0 for no limit. */
#define RQX_OPT_RETRY_BUDGET 1076
/** How RQX_OPT_USER is said. 0: by Basic, at once; the default. 1: by Digest (RFC 7616), when the server asks. */
#define RQX_OPT_AUTH 1078
/** 1: the client's cookies are sent, and those that come are kept, by RFC 6265bis. Default 0. */
#define RQX_OPT_COOKIES 1077
/**
 * Text in UTF-8 without NUL, but for user, password and header field. Paths: a file of CA certificates in PEM.
 * RQX_OPT_CA_FILE, _FOLDER and _DATA together replace the platform's certificates; empty for none.
 */
#define RQX_OPT_CA_FILE 2001
/** A folder of CA certificates in PEM, named by `openssl rehash`. */
#define RQX_OPT_CA_FOLDER 2002
/** The client's certificate in PEM, with its chain, or in PKCS#12. */
#define RQX_OPT_CLIENT_CERT_FILE 2003
/** The client's private key in PEM; default: the certificate's file. */
#define RQX_OPT_CLIENT_KEY_FILE 2004
/**
 * A proxy for all requests, "http://user:password@host:port"; empty for none. Schemes: http, the default; https, which
 * is TLS to the proxy, its certificate verified as the TLS options say; socks4, socks5, where names are resolved here;
 * socks4a, socks5h, where the proxy resolves them. Ports default to 80, 443 and 1080. User and password are
 * percent-encoded. Plain requests are sent to an http or https proxy; everything else goes through a tunnel.
 */
#define RQX_OPT_PROXY_URL 2005
/**
 * Hosts that are spoken to directly, separated by commas: names with all below them, addresses, networks in CIDR, or *.
 */
#define RQX_OPT_NO_PROXY 2006
/** The proxy's user as it is, in the place of the URL's; empty for the URL's. */
#define RQX_OPT_PROXY_USER 2007
/** The proxy's password, likewise. */
#define RQX_OPT_PROXY_PASSWORD 2008
/**
 * One more field "Name: value" for an http or https proxy, in CONNECT or in the request that it forwards, in the place
 * of one of that name in the request; empty for none at all.
 */
#define RQX_OPT_PROXY_HEADER 2009
/** CA certificates in PEM, or in DER one behind the other. */
#define RQX_OPT_CA_DATA 2010
/** What the client's key, or PKCS#12, is encrypted with. */
#define RQX_OPT_CLIENT_KEY_PASSWORD 2011
/** In the place of the URL's host: sent as SNI, and looked for in the certificate; empty for the URL's. */
#define RQX_OPT_SERVER_NAME 2012
/** In the place of both: looked for in the certificate, and not sent. */
#define RQX_OPT_VERIFY_NAME 2013
/**
 * The server's certificate has to be one of these, besides being trusted: "sha256/" or "sha1/" and the digest of its
 * DER in hexadecimal digits, separated by commas.
 */
#define RQX_OPT_TLS_PINS 2014
/** Ciphers up to TLS 1.2, in OpenSSL's notation. */
#define RQX_OPT_CIPHERS 2015
/** Cipher suites of TLS 1.3, separated by colons. */
#define RQX_OPT_CIPHERSUITES 2016
/** A file that the secrets of each session are added to, for debugging (NSS key log format). Who has it reads it all. */
#define RQX_OPT_TLS_KEYLOG_FILE 2017
/** A file of CA certificates in PEM for where the platform's are trusted, and it has none. */
#define RQX_OPT_CA_FALLBACK_FILE 2018
/** This machine's side of each connection: "address:port", "[address]:port" for IPv6, ":port"; 0 is any port. */
#define RQX_OPT_LOCAL_ADDRESS 2020
/**
 * Socket options set before connecting, "level,name,value;..." in the system's numbers, "x" and hexadecimal digits for
 * a value in bytes. One that is not known is RQX_E_INVALID_ARGUMENT.
 */
#define RQX_OPT_SOCKET_OPTIONS 2021
/**
 * Addresses that may be connected to, proxies' included: addresses and networks in CIDR, separated by commas, and
 * "public" for the Internet's; looked at after a name was resolved. Others are RQX_E_FORBIDDEN. Empty allows all.
 */
#define RQX_OPT_ALLOW_ADDRESSES 2030
/** Addresses and networks that may not be connected to, whatever is allowed. */
#define RQX_OPT_DENY_ADDRESSES 2031
/**
 * One more host whose addresses are these, "host:port:address,address"; "*" for all hosts, or all ports. The last one
 * that fits counts; empty for none at all.
 */
#define RQX_OPT_RESOLVE 2032
/** A path: every host is reached by this socket of the machine, without a proxy; empty for none. */
#define RQX_OPT_UNIX_SOCKET 2033
/** TLS with an https proxy, as the numbers from 1130 on: see RQX_OPT_CA_FILE. */
#define RQX_OPT_PROXY_CA_FILE 2101
/** See RQX_OPT_CA_FOLDER. */
#define RQX_OPT_PROXY_CA_FOLDER 2102
/** See RQX_OPT_CLIENT_CERT_FILE. */
#define RQX_OPT_PROXY_CLIENT_CERT_FILE 2103
/** See RQX_OPT_CLIENT_KEY_FILE. */
#define RQX_OPT_PROXY_CLIENT_KEY_FILE 2104
/** See RQX_OPT_CA_DATA. */
#define RQX_OPT_PROXY_CA_DATA 2110
/** See RQX_OPT_CLIENT_KEY_PASSWORD. */
#define RQX_OPT_PROXY_CLIENT_KEY_PASSWORD 2111
/** See RQX_OPT_SERVER_NAME. */
#define RQX_OPT_PROXY_SERVER_NAME 2112
/** See RQX_OPT_VERIFY_NAME. */
#define RQX_OPT_PROXY_VERIFY_NAME 2113
/** See RQX_OPT_TLS_PINS. */
#define RQX_OPT_PROXY_TLS_PINS 2114
/** See RQX_OPT_CIPHERS. */
#define RQX_OPT_PROXY_CIPHERS 2115
/** See RQX_OPT_CIPHERSUITES. */
#define RQX_OPT_PROXY_CIPHERSUITES 2116
/** See RQX_OPT_TLS_KEYLOG_FILE. */
#define RQX_OPT_PROXY_TLS_KEYLOG_FILE 2117
/** See RQX_OPT_CA_FALLBACK_FILE. */
#define RQX_OPT_PROXY_CA_FALLBACK_FILE 2118
/**
 * The user, as it is: requests say who asks, as RQX_OPT_AUTH has it, unless they have an Authorization field of their own.
 * Told to the origin that is asked first and to no other. No colon; empty for nobody.
 */
#define RQX_OPT_USER 2040
/** The user's password, as it is. */
#define RQX_OPT_PASSWORD 2041

/* ==== handles, structs and callbacks ==================================================================== */

/** A pool of connections, shared by any number of threads. */
typedef struct rqx_client rqx_client;

/** A client's cookies at one moment. */
typedef struct rqx_cookies rqx_cookies;

/** What went wrong. */
typedef struct rqx_error rqx_error;

/** A blocking exchange that is not done. */
typedef struct rqx_exchange rqx_exchange;

/** Choices for a client or an exchange. */
typedef struct rqx_options rqx_options;

/** Who is at the other end of a TLS connection. */
typedef struct rqx_peer rqx_peer;

/** Where finished exchanges wait for their caller. */
typedef struct rqx_queue rqx_queue;

/** A request being put together. */
typedef struct rqx_request rqx_request;

/** A response. */
typedef struct rqx_response rqx_response;

/** A connection whose server has switched protocols. */
typedef struct rqx_upgrade rqx_upgrade;

/** A request body that is pushed in pieces. */
typedef struct rqx_upload rqx_upload;

/** A client's counts at one moment. */
typedef struct {
  /** sizeof(rqx_stats), set by the caller. */
  size_t struct_size;
  /** Exchanges under way. */
  uint64_t in_flight;
  /** Connections waiting for use. */
  uint64_t idle_connections;
  /** Connections in all. */
  uint64_t open_connections;
  /** Exchanges begun since the client was made. */
  uint64_t requests;
  /** Exchanges waiting for a connection. */
  uint64_t queued;
} rqx_stats;

/** Bytes in memory of the library's. Valid as long as what they were read from; not NUL-terminated. */
typedef struct {
  const uint8_t *ptr;
  size_t len;
} rqx_slice;

/**
 * One thing that happened to one exchange. Its size is frozen for the major version, so that arrays of it stay packed.
 */
typedef struct {
  /** The caller's, from rqx_submit or rqx_body_read; 0 after rqx_send. */
  uint64_t token;
  /** RQX_EV_*. */
  int32_t kind;
  /** RQX_OK or RQX_E_*. */
  int32_t code;
  /** RQX_EVF_*. */
  uint32_t flags;
  /** HTTP's status code. */
  uint16_t status;
  /** 10, 11 or 20. */
  uint16_t http_version;
  /** Pairs in `head`. */
  uint32_t n_headers;
  /** For rqx_peer_new, of a response that came over TLS; else 0. */
  uint32_t peer;
  /** The receiver's from RQX_EV_HEAD on; NULL in all other events, and with RQX_EVF_INLINE. */
  rqx_response *response;
  /** The receiver's; NULL if code is RQX_OK. */
  rqx_error *error;
  /** "name\nvalue\nname\nvalue" in wire order and case, duplicates kept; an rqx_timing lies behind it. */
  rqx_slice head;
  /** The whole body (RQX_EVF_BODY_COMPLETE), a piece of it (RQX_EV_BODY), or nothing. */
  rqx_slice body;
  /** The reason phrase as the server sent it. */
  rqx_slice reason;
} rqx_event;

/**
 * Where the time of an exchange went. Nanoseconds; 0 for what did not happen.
 * One lies behind `head` of every RQX_EV_HEAD, at head.ptr + head.len: copy it from there, it is not aligned. It stands
 * still; for a body that is pulled, rqx_response_timing says more.
 */
typedef struct {
  /** sizeof(rqx_timing), set by the caller; behind a head, by the library. */
  size_t struct_size;
  uint64_t queue_ns;
  uint64_t resolve_ns;
  uint64_t connect_ns;
  /** CONNECT, or SOCKS. */
  uint64_t tunnel_ns;
  uint64_t secure_ns;
  uint64_t send_ns;
  uint64_t await_ns;
  /** The body so far. */
  uint64_t read_ns;
  /**
   * Bytes on the wire above TLS, heads and framing included; over HTTP/2, where many exchanges share those, of the
   * exchange's two bodies.
   */
  uint64_t bytes_sent;
  uint64_t bytes_received;
  /** Counts the process's connections; two exchanges with the same number shared one. */
  uint64_t connection_id;
  /** 1 if the connection had served before. */
  uint64_t reused;
} rqx_timing;

/** What a TLS handshake agreed upon. */
typedef struct {
  /** sizeof(rqx_peer_view), set by the caller. */
  size_t struct_size;
  /** "TLSv1.3"; empty where the TLS library does not tell, as the cipher then is. */
  rqx_slice version;
  rqx_slice cipher;
  /** What ALPN chose; empty for nothing. */
  rqx_slice protocol;
  /** The server's chain; see rqx_peer_certificate. */
  uint64_t n_certificates;
  /** The cipher's strength. */
  uint64_t cipher_bits;
  /** 1 if an earlier session was resumed. */
  uint64_t resumed;
} rqx_peer_view;

/** Receives finished things, on the thread that called rqx_queue_dispatch. May call any function of the library. */
typedef void (*rqx_event_fn)(void *user, const rqx_event *events, size_t n);

/** One exchange of a call whose answer was not the caller's. The slice lives as long as the response. */
typedef struct {
  /** sizeof(rqx_hop), set by the caller. */
  size_t struct_size;
  /** RQX_OK, or RQX_E_* where no answer came. */
  int32_t code;
  /** HTTP's status code; 0 where no answer came. */
  uint32_t status;
  /** Where it was sent to. */
  rqx_slice url;
  /** 1 if the same was asked again after it, in a retry or with the answer to a challenge; 0 if its answer led on. */
  uint64_t repeated;
  /** How long the next one was put off. */
  uint64_t pause_ns;
  /** Its own times; all 0 where no answer came. */
  rqx_timing timing;
} rqx_hop;

/** A cookie. The slices live as long as the rqx_cookies they were read from. */
typedef struct {
  /** sizeof(rqx_cookie), set by the caller. */
  size_t struct_size;
  /** RQX_COOKIE_*. */
  uint64_t flags;
  /** Seconds since 1970; 0 for one that lives as long as its client. */
  int64_t expires;
  rqx_slice name;
  rqx_slice value;
  /** Without a dot in front. */
  rqx_slice domain;
  rqx_slice path;
  /** `url` and `line` make the same cookie again: see rqx_client_add_cookie. */
  rqx_slice url;
  rqx_slice line;
} rqx_cookie;

/** An error, read at once. The slices live as long as the error. */
typedef struct {
  /** sizeof(rqx_error_view), set by the caller. */
  size_t struct_size;
  /** RQX_E_*. */
  int32_t code;
  /** errno, or 0. */
  int32_t os_code;
  /** The TLS library's own verification code, or 0. */
  int32_t tls_code;
  /** RQX_PHASE_*. */
  uint32_t phase;
  /** One line, UTF-8: what was tried, on what, and what came back. */
  rqx_slice message;
  /** What lies beneath, outermost first, '\n' between. */
  rqx_slice chain;
  /** HTTP's status in the proxy's answer to CONNECT, or 0. */
  uint64_t proxy_status;
} rqx_error_view;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/* ==== the library: versions and features ================================================================ */

/** (RQX_ABI_MAJOR << 16) | RQX_ABI_MINOR of the library that is loaded. Any thread. Since 1.0. */
RQX_API uint32_t rqx_abi_version(void);

/** "requestx/2.34.0", static and NUL-terminated. Any thread. Since 1.0. */
RQX_API const char *rqx_version(void);

/** RQX_F_* of this build. Any thread. Since 1.0. */
RQX_API uint64_t rqx_features(void);

/**
 * What the library was built from, "hyper 1; OpenSSL 3.0.19 27 Jan 2026; x86_64-linux", static. Any thread. Since 1.0.
 */
RQX_API const char *rqx_build_info(void);

/** The name of a code, "RQX_E_TIMEOUT", static; "RQX_E_?" for one that is not known. Any thread. Since 1.0. */
RQX_API const char *rqx_code_name(int32_t code);

/**
 * Ends the background thread and all that it was doing: every pending token gets its terminal event.
 * For exit handlers; an exchange that is submitted later starts the thread again.
 * Waits up to `timeout_ns`. RQX_OK, or RQX_E_TIMEOUT. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_shutdown(uint64_t timeout_ns);

/* ==== options, set by number ============================================================================ */

/** Gives new options in `*out`, with every choice at its default. RQX_OK, RQX_E_NULL, RQX_E_NO_RESOURCES. Since 1.0. */
RQX_API int32_t rqx_options_new(rqx_options **out);

/**
 * Sets an option whose value is a number. What was made with the options before is not changed.
 * RQX_OK, RQX_E_UNKNOWN_OPTION, RQX_E_INVALID_ARGUMENT, RQX_E_HANDLE. Since 1.0.
 */
RQX_API int32_t rqx_options_set_int(rqx_options *options, int32_t option, int64_t value, rqx_error **err);

/**
 * Sets an option whose value is bytes; they are copied. What was made with the options before is not changed.
 * RQX_OK, RQX_E_UNKNOWN_OPTION, RQX_E_INVALID_ARGUMENT, RQX_E_HANDLE. Since 1.0.
 */
RQX_API int32_t rqx_options_set_bytes(rqx_options *options, int32_t option, const uint8_t *value, size_t len,
    rqx_error **err);

/** Frees them. NULL is allowed; clients and exchanges made with them go on. Since 1.0. */
RQX_API void rqx_options_free(rqx_options *options);

/* ==== the client: connections, limits, TLS ============================================================== */

/**
 * Gives a client in `*out`. `options` may be NULL; they are copied. No thread is started and nothing connected.
 * RQX_OK, RQX_E_NULL, RQX_E_HANDLE, RQX_E_NO_RESOURCES. Since 1.0.
 */
RQX_API int32_t rqx_client_new(const rqx_options *options, rqx_client **out, rqx_error **err);

/** Fills `*stats`, whose struct_size the caller has set. Any thread. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Since 1.0. */
RQX_API int32_t rqx_client_stats(const rqx_client *client, rqx_stats *stats);

/** Closes the connections that wait for use. Any thread. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Since 1.0. */
RQX_API int32_t rqx_client_close_idle(rqx_client *client);

/**
 * Takes no more exchanges and breaks off those under way: each gets its terminal event, with RQX_E_CLOSED.
 * Bodies can still be pulled by rqx_body_read_into and rqx_body_next; rqx_body_read needs the client and is refused with
 * RQX_E_CLOSED. Any thread. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
 */
RQX_API int32_t rqx_client_close(rqx_client *client);

/**
 * Breaks off the exchange or the read that `token` stands for; its terminal event follows, with RQX_E_CANCELLED
 * unless it was already there. An unknown token is none of ours any more: nothing happens.
 * Any thread. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
 */
RQX_API int32_t rqx_cancel(rqx_client *client, uint64_t token);

/**
 * Closes the client if it is open, and frees it. NULL is allowed. Does not wait for other threads;
 * events that are waiting stay in their queues, responses stay readable. Since 1.0.
 */
RQX_API void rqx_client_free(rqx_client *client);

/* ==== the short way: one call sends a request =========================================================== */

/**
 * Sends and waits, on this thread.
 *
 * `head` is "METHOD\nURL\nname\nvalue\nname\nvalue" with exactly `n_headers` pairs: a newline inside a name or value
 * changes the count and is refused. Names and values are sent as they are given, in this order; Host is added where it
 * is missing, and so is what the body needs. The body is `body`, or what is pushed into `upload`, or none; it is copied.
 * `options` may be NULL: the client's. `flags`: RQX_SEND_*.
 *
 * RQX_OK: `*event` holds the response. RQX_PENDING: 50 ms have passed and `*pending` is an exchange to resume or free.
 * RQX_WANT_BODY: the same, and the upload is to be fed first. RQX_E_*: `*event` holds the error, which is the caller's.
 * Any thread. Since 1.0.
 */
RQX_API int32_t rqx_send(rqx_client *client, const rqx_options *options, const uint8_t *head, size_t head_len,
    uint32_t n_headers, const uint8_t *body, size_t body_len, rqx_upload *upload, uint32_t flags,
    rqx_exchange **pending, rqx_event *event);

/**
 * Waits on, as rqx_send does. RQX_PENDING and RQX_WANT_BODY as there; after anything else the exchange is over
 * and is still to be freed. Any thread, one at a time. Since 1.0.
 */
RQX_API int32_t rqx_exchange_resume(rqx_exchange *exchange, rqx_event *event);

/** Frees the exchange; one that is not over is broken off and its connection closed. NULL is allowed. Since 1.0. */
RQX_API void rqx_exchange_free(rqx_exchange *exchange);

/* ==== the comfortable way: a request built in steps ===================================================== */

/**
 * Gives a request in `*out`; method and URL are checked and copied.
 * RQX_OK, RQX_E_INVALID_METHOD, RQX_E_INVALID_URL, RQX_E_UNSUPPORTED_SCHEME, RQX_E_NULL. Since 1.0.
 */
RQX_API int32_t rqx_request_new(const uint8_t *method, size_t method_len, const uint8_t *url, size_t url_len,
    rqx_request **out, rqx_error **err);

/** Adds a header field, sent as given, in the order of the calls. RQX_OK, RQX_E_INVALID_HEADER. Since 1.0. */
RQX_API int32_t rqx_request_add_header(rqx_request *request, const uint8_t *name, size_t name_len,
    const uint8_t *value, size_t value_len, rqx_error **err);

/** Sets the body; it is copied. RQX_OK, RQX_E_NO_RESOURCES. Since 1.0. */
RQX_API int32_t rqx_request_set_body(rqx_request *request, const uint8_t *body, size_t len, rqx_error **err);

/** Sets options of this request's own; they are copied. NULL: the client's. RQX_OK, RQX_E_HANDLE. Since 1.0. */
RQX_API int32_t rqx_request_set_options(rqx_request *request, const rqx_options *options, rqx_error **err);

/** Sends and waits, on this thread; everything as in rqx_send. The request can be sent again. Since 1.0. */
RQX_API int32_t rqx_request_send(rqx_client *client, const rqx_request *request, uint32_t flags,
    rqx_exchange **pending, rqx_event *event);

/**
 * The same for callers who would rather have a small response in their own memory than behind a handle: one that is
 * complete and fits is put into `space`, head, rqx_timing, reason and body one behind the other, with RQX_EVF_INLINE.
 * After RQX_PENDING the response comes as rqx_exchange_resume gives it, behind a handle. Since 1.0.
 */
RQX_API int32_t rqx_request_send_into(rqx_client *client, const rqx_request *request, uint32_t flags,
    uint8_t *space, size_t cap, rqx_exchange **pending, rqx_event *event);

/** Sends in the background; everything as in rqx_submit. The request can be sent again. Since 1.0. */
RQX_API int32_t rqx_request_submit(rqx_client *client, const rqx_request *request, rqx_queue *queue,
    uint64_t token, uint32_t flags, rqx_error **err);

/** Frees it. NULL is allowed; exchanges under way go on. Since 1.0. */
RQX_API void rqx_request_free(rqx_request *request);

/* ==== the response and its body ========================================================================= */

/**
 * Reads the next of the body into `dst`, at most `cap` bytes, waiting for the first; `*n` says how many, 0 is the end.
 * `flags`: RQX_READ_*. A body that came whole with its event is not read again.
 * RQX_OK; RQX_PENDING after 50 ms: call again; RQX_E_* and an error in `*err`, the same each time.
 * RQX_E_STATE for a raw read after a decoded one. Any thread, one at a time. Since 1.0.
 */
RQX_API int32_t rqx_body_read_into(rqx_response *response, uint8_t *dst, size_t cap, uint32_t flags,
    size_t *n, rqx_error **err);

/**
 * Shows the next of the body in `*piece`, waiting for it, without a copy: as it came from the socket, or from its
 * decoder; an empty one is the end. It is the response's, and valid until the next read or until the response is freed.
 * `flags`, RQX_PENDING and errors as in rqx_body_read_into. Any thread, one at a time. Since 1.0.
 */
RQX_API int32_t rqx_body_next(rqx_response *response, uint32_t flags, rqx_slice *piece, rqx_error **err);

/**
 * Asks for the next of the body, at most `max` bytes (0: as it comes). RQX_EV_BODY follows in the queue of the
 * exchange, with `token`: a piece, or the end with RQX_EVF_BODY_COMPLETE; or RQX_EV_ERROR.
 * The piece is valid until the next read, or until the response is freed.
 * Only for responses of rqx_submit: nobody drives the others in the background, RQX_E_STATE.
 * RQX_OK, RQX_E_STATE, RQX_E_HANDLE, RQX_E_NO_RESOURCES. Any thread, one at a time. Since 1.0.
 */
RQX_API int32_t rqx_body_read(rqx_response *response, uint64_t token, size_t max, uint32_t flags,
    rqx_error **err);

/** Body bytes read so far as they came, before decoding, in `*n`. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Since 1.0. */
RQX_API int32_t rqx_response_raw_bytes(const rqx_response *response, uint64_t *n);

/** Fills `*timing`, whose struct_size the caller has set. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Since 1.0. */
RQX_API int32_t rqx_response_timing(const rqx_response *response, rqx_timing *timing);

/**
 * The `index`-th of the informational heads that came before the response's own, as RQX_EVF_INFORMATIONAL says: its
 * status, and its fields as in rqx_event. They live as long as the response.
 * RQX_OK, RQX_E_INVALID_ARGUMENT behind the last one, RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
 */
RQX_API int32_t rqx_response_informational(const rqx_response *response, size_t index, uint16_t *status,
    rqx_slice *head, uint32_t *n_headers, rqx_error **err);

/**
 * The fields that came behind the body, as in rqx_event, names in lower case; none is `*n_headers` 0. They live as long
 * as the response. RQX_OK; RQX_E_STATE before the body was read to its end; RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
 */
RQX_API int32_t rqx_response_trailers(const rqx_response *response, rqx_slice *trailers, uint32_t *n_headers,
    rqx_error **err);

/**
 * Gives the connection up, unless the body was read to its end; what was shown of the response stays until it is freed.
 * Reading on is RQX_E_CLOSED. NULL is allowed. Any thread. Since 1.0.
 */
RQX_API void rqx_response_close(rqx_response *response);

/** Frees the response. One whose body was not read to its end gives its connection up. NULL is allowed. Since 1.0. */
RQX_API void rqx_response_free(rqx_response *response);

/** Frees `n` responses in one call; NULLs among them are allowed. Since 1.0. */
RQX_API void rqx_responses_free(rqx_response *const *responses, size_t n);

/* ==== who answered: TLS ================================================================================= */

/**
 * Gives in `*out` what the TLS handshake of a connection agreed upon; `number` is `peer` of a response's event.
 * It is known for as long as the connection is open, and then until 256 others have been opened.
 * RQX_OK, RQX_E_STATE (no longer known, or none: 0), RQX_E_NULL, RQX_E_NO_RESOURCES. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_peer_new(uint32_t number, rqx_peer **out, rqx_error **err);

/**
 * Fills `*view`, whose struct_size the caller has set; its slices live as long as the peer.
 * RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_peer_read(const rqx_peer *peer, rqx_peer_view *view);

/**
 * One certificate of the chain as the server sent it, in DER; 0 is the server's own. It lives as long as the peer.
 * RQX_OK, RQX_E_INVALID_ARGUMENT (there are not so many), RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_peer_certificate(const rqx_peer *peer, size_t index, rqx_slice *der);

/** Frees it. NULL is allowed. Since 1.0. */
RQX_API void rqx_peer_free(rqx_peer *peer);

/* ==== the connection, once the server has switched protocols ============================================ */

/**
 * Takes the connection of a response that has RQX_EVF_UPGRADED, once, and gives it in `*out`: what follows on it is the
 * caller's, both ways, beginning with what came behind the head. It serves no other exchange, and is closed with this
 * handle; the response may be freed before. It counts as one of the client's connections for as long as it is open.
 * RQX_OK; RQX_E_STATE if the server did not switch protocols, or the connection was taken already; RQX_E_NULL,
 * RQX_E_HANDLE, RQX_E_NO_RESOURCES. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_upgrade_new(rqx_response *response, rqx_upgrade **out, rqx_error **err);

/**
 * Reads what comes next into `dst`, at most `cap` bytes, waiting for the first; `*n` says how many, 0 is the end.
 * The limit on RQX_PHASE_READ is how long it waits; afterwards it can be read on. One may read while another writes.
 * RQX_OK; RQX_PENDING after 50 ms: call again, nothing is lost; RQX_E_TIMEOUT, RQX_E_CLOSED after rqx_upgrade_close,
 * RQX_E_RESET, RQX_E_INCOMPLETE for TLS that ended without its goodbye, RQX_E_IO, RQX_E_NULL, RQX_E_HANDLE.
 * Any thread. Since 1.0.
 */
RQX_API int32_t rqx_upgrade_read(rqx_upgrade *upgrade, uint8_t *dst, size_t cap, size_t *n, rqx_error **err);

/**
 * Sends the first of `bytes`, as many as there is room for, waiting for some; `*n` says how many.
 * The limit on RQX_PHASE_SEND is how long it waits; a write that reaches it closes the connection.
 * RQX_OK; RQX_PENDING after 50 ms with nothing sent: call again with the same bytes, or close the connection, for over
 * TLS a part of them may be under way; RQX_E_STATE after rqx_upgrade_shutdown; RQX_E_TIMEOUT, RQX_E_CLOSED, RQX_E_RESET,
 * RQX_E_IO, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_upgrade_write(rqx_upgrade *upgrade, const uint8_t *bytes, size_t len, size_t *n,
    rqx_error **err);

/**
 * Sends the first of `bytes`, as many as there is room for now, without waiting; `*n` says how many.
 * RQX_OK; RQX_E_AGAIN with `*n` 0 and no error object if there is no room, or another write under way: go on with the same
 * bytes in one of the other ways, for over TLS a part of them may be under way; errors as of rqx_upgrade_write.
 * Any thread, also one that must not wait. Since 1.0.
 */
RQX_API int32_t rqx_upgrade_write_now(rqx_upgrade *upgrade, const uint8_t *bytes, size_t len, size_t *n,
    rqx_error **err);

/**
 * Tells the peer that no more will be sent (over TLS by close_notify, then by FIN); reading goes on. Again, it does
 * nothing. RQX_OK; RQX_PENDING after 50 ms: call again; errors as of rqx_upgrade_write. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_upgrade_shutdown(rqx_upgrade *upgrade, rqx_error **err);

/**
 * Asks for what comes next, at most `max` bytes (0: as it comes). RQX_EV_BODY follows in the queue of the exchange, with
 * `token`: bytes, or the end with RQX_EVF_BODY_COMPLETE; or RQX_EV_ERROR, as of rqx_upgrade_read.
 * The bytes are valid until the next read, or until the connection is freed. Of a read that rqx_cancel breaks off nothing
 * is lost. Only for responses of rqx_submit: nobody drives the others in the background, RQX_E_STATE.
 * RQX_OK, RQX_E_STATE while another such read is under way, RQX_E_CLOSED after the client, RQX_E_HANDLE,
 * RQX_E_NO_RESOURCES. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_upgrade_submit_read(rqx_upgrade *upgrade, uint64_t token, size_t max, rqx_error **err);

/**
 * Sends all of `bytes`, which are copied. RQX_EV_WRITTEN follows in the queue of the exchange, with `token`; or
 * RQX_EV_ERROR. One that rqx_cancel breaks off closes the connection, since nobody knows how much of it was sent; so
 * does one that reaches the limit on RQX_PHASE_SEND. Of several each is sent whole, one after the other.
 * RQX_OK, RQX_E_STATE for responses of rqx_send, RQX_E_CLOSED after the client, RQX_E_HANDLE, RQX_E_NO_RESOURCES.
 * Any thread. Since 1.0.
 */
RQX_API int32_t rqx_upgrade_submit_write(rqx_upgrade *upgrade, uint64_t token, const uint8_t *bytes,
    size_t len, rqx_error **err);

/**
 * As rqx_upgrade_shutdown, in the background: RQX_EV_WRITTEN follows, or RQX_EV_ERROR.
 * Errors as of rqx_upgrade_submit_write. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_upgrade_submit_shutdown(rqx_upgrade *upgrade, uint64_t token, rqx_error **err);

/**
 * Closes the connection; who waits for it is told, RQX_E_CLOSED. What was shown of it stays until it is freed.
 * NULL is allowed. Any thread. Since 1.0.
 */
RQX_API void rqx_upgrade_close(rqx_upgrade *upgrade);

/** Closes the connection if it is open, and frees it. NULL is allowed. Since 1.0. */
RQX_API void rqx_upgrade_free(rqx_upgrade *upgrade);

/* ==== the request's body, pushed in pieces ============================================================== */

/**
 * Gives an upload in `*out`. `window`: bytes that are accepted beyond what the socket took.
 * `content_length`: the length of what will be pushed, or -1: sent chunked. It serves one exchange.
 * RQX_OK, RQX_E_NULL, RQX_E_INVALID_ARGUMENT, RQX_E_NO_RESOURCES. Since 1.0.
 */
RQX_API int32_t rqx_upload_new(size_t window, int64_t content_length, rqx_upload **out, rqx_error **err);

/**
 * Takes the first of `bytes`, as many as there is room for: `*n`. They are copied.
 * RQX_OK; RQX_E_AGAIN with `*n` 0 and no error object if there is no room: resume the exchange, or await RQX_EV_UPLOAD_READY;
 * RQX_E_CLOSED once the exchange is over; RQX_E_INVALID_ARGUMENT beyond the promised length; RQX_E_STATE after the end.
 * Any thread, one at a time. Since 1.0.
 */
RQX_API int32_t rqx_upload_push(rqx_upload *upload, const uint8_t *bytes, size_t len, size_t *n,
    rqx_error **err);

/**
 * Ends the body; with another `code` than RQX_OK it ends the exchange instead, with RQX_E_CANCELLED and the code in its
 * message. Once the exchange is over, as RQX_E_CLOSED of a push has told, it does nothing.
 * RQX_OK, RQX_E_STATE if it has ended before, RQX_E_INVALID_ARGUMENT if less was pushed than promised. Since 1.0.
 */
RQX_API int32_t rqx_upload_finish(rqx_upload *upload, int32_t code, rqx_error **err);

/**
 * Frees the caller's hold of it; a body that has not ended then ends its exchange, unless that is over and its answer
 * being read. NULL is allowed. Since 1.0.
 */
RQX_API void rqx_upload_free(rqx_upload *upload);

/* ==== in the background: completions, when the caller asks ============================================== */

/** Gives a queue in `*out`. One for each event loop. RQX_OK, RQX_E_NULL, RQX_E_NO_RESOURCES. Since 1.0. */
RQX_API int32_t rqx_queue_new(rqx_queue **out, rqx_error **err);

/**
 * A descriptor that is readable exactly while events wait, for poll and its like; never read from it or close it.
 * It is the queue's, and may be closed some time after rqx_queue_free: take it out of the loop before that.
 * -1 where there is none (see RQX_F_QUEUE_FD) or if it is no queue. Since 1.0.
 */
RQX_API int32_t rqx_queue_fd(const rqx_queue *queue);

/**
 * Sends in the background. Each accepted exchange gives exactly one event with RQX_EVF_TERMINAL in `queue`:
 * RQX_EV_HEAD, or RQX_EV_ERROR. `token` is the caller's; one that is in use is refused with RQX_E_STATE.
 * Arguments as in rqx_send. Any thread.
 * RQX_OK, or what is wrong with the request: then nothing is sent and no event follows. Since 1.0.
 */
RQX_API int32_t rqx_submit(rqx_client *client, rqx_queue *queue, uint64_t token, const rqx_options *options,
    const uint8_t *head, size_t head_len, uint32_t n_headers, const uint8_t *body, size_t body_len,
    rqx_upload *upload, uint32_t flags, rqx_error **err);

/**
 * Takes what waits, at most `max` events (0: all), and hands it to `receive` in one call, on this thread.
 * Returns how many. What the events point to lives as long as their responses and errors, which are the receiver's.
 * Any thread, one at a time. Since 1.0.
 */
RQX_API size_t rqx_queue_dispatch(rqx_queue *queue, rqx_event_fn receive, void *user, size_t max);

/**
 * Takes at most `max` events into `events`, waiting for the first until `timeout_ns` is over (negative: for ever).
 * `*n` says how many. RQX_OK with at least one, RQX_E_TIMEOUT, RQX_E_INTERRUPTED, RQX_E_NULL, RQX_E_HANDLE. Since 1.0.
 */
RQX_API int32_t rqx_queue_wait(rqx_queue *queue, rqx_event *events, size_t max, int64_t timeout_ns, size_t *n,
    rqx_error **err);

/**
 * Takes what waits, at most `max` events, into `events`, without waiting; `*n` says how many, 0 if there are none.
 *
 * Small responses of RQX_SEND_INLINE are put into `space`, one behind the other, as rqx_request_send_into puts one, for
 * as long as they fit `cap` bytes; RQX_INLINE_BYTES for each event always do. The others have a handle.
 * For hosts whose threads may end inside a callback: nothing of the host's is called here.
 * RQX_OK, RQX_E_NULL, RQX_E_HANDLE, RQX_E_INVALID_ARGUMENT. Any thread, one at a time. Since 1.0.
 */
RQX_API int32_t rqx_queue_take(rqx_queue *queue, rqx_event *events, size_t max, uint8_t *space, size_t cap,
    size_t *n, rqx_error **err);

/** Makes the rqx_queue_wait that is waiting, or the next one, return RQX_E_INTERRUPTED. Any thread. Since 1.0. */
RQX_API int32_t rqx_queue_wake(rqx_queue *queue);

/**
 * Frees the queue and all that waits in it: responses and errors that were not taken as well. What is under way for it
 * is broken off as rqx_cancel does it, and nobody is told. Who waits in rqx_queue_wait gets RQX_E_HANDLE; so does a
 * later rqx_body_read of a response that came through it, which is read by rqx_body_read_into then. NULL is allowed.
 * Any thread. Since 1.0.
 */
RQX_API void rqx_queue_free(rqx_queue *queue);

/* ==== policy: redirects, cookies and retries, if wanted ================================================= */

/**
 * How many exchanges came before the one that answered, as RQX_EVF_HOPS says: those whose answer led on, and those that
 * were repeated. Both 0 where the first one answered. rqx_response_hop has them all, in their order.
 * RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_response_hops(const rqx_response *response, uint32_t *redirects, uint32_t *retries);

/**
 * Fills `*hop`, whose struct_size the caller has set, with the `index`-th exchange before the one that answered.
 * RQX_OK, RQX_E_INVALID_ARGUMENT behind the last one, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_response_hop(const rqx_response *response, size_t index, rqx_hop *hop);

/**
 * The URL that answered, in `*url`, as long as the response lives; empty without RQX_EVF_HOPS, where it is the
 * request's own. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_response_url(const rqx_response *response, rqx_slice *url);

/**
 * Keeps a cookie as if `url` had answered with the field "Set-Cookie: line": to begin with those of an earlier run, or to
 * remove one, by "name=; Max-Age=0" with its domain and path. They are sent where RQX_OPT_COOKIES is 1.
 * RQX_OK, RQX_E_INVALID_ARGUMENT for one that `url` may not set, RQX_E_INVALID_URL, RQX_E_UNSUPPORTED_SCHEME,
 * RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_client_add_cookie(rqx_client *client, const uint8_t *url, size_t url_len,
    const uint8_t *line, size_t line_len, rqx_error **err);

/**
 * Gives the client's cookies in `*out`: those that a request to `url` takes along, in their order, or all of them if
 * `url_len` is 0, the oldest first. What happens to them later does not change the list.
 * RQX_OK, RQX_E_INVALID_URL, RQX_E_UNSUPPORTED_SCHEME, RQX_E_NULL, RQX_E_HANDLE, RQX_E_NO_RESOURCES. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_client_cookies(const rqx_client *client, const uint8_t *url, size_t url_len,
    rqx_cookies **out, rqx_error **err);

/**
 * Fills `*cookie`, whose struct_size the caller has set, with the `index`-th of the list.
 * RQX_OK, RQX_E_INVALID_ARGUMENT behind the last one, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0.
 */
RQX_API int32_t rqx_cookies_read(const rqx_cookies *cookies, size_t index, rqx_cookie *cookie);

/** Frees the list. NULL is allowed. Since 1.0. */
RQX_API void rqx_cookies_free(rqx_cookies *cookies);

/** Forgets all cookies. RQX_OK, RQX_E_NULL, RQX_E_HANDLE. Any thread. Since 1.0. */
RQX_API int32_t rqx_client_clear_cookies(rqx_client *client);

/**
 * Whether everybody may have a name below `host`, as below "co.uk", so that it is no cookie's domain: 1 or 0, by the
 * list of public suffixes as of the library's release. RQX_E_NULL, RQX_E_INVALID_ARGUMENT for what is no UTF-8.
 * Any thread. Since 1.0.
 */
RQX_API int32_t rqx_suffix_is_public(const uint8_t *host, size_t host_len);

/* ==== errors ============================================================================================ */

/**
 * Fills `*view`, whose struct_size the caller has set. The slices live as long as the error.
 * RQX_OK, RQX_E_NULL, RQX_E_HANDLE, RQX_E_FORKED. Since 1.0.
 */
RQX_API int32_t rqx_error_read(const rqx_error *error, rqx_error_view *view);

/** The error's code, RQX_E_*; RQX_E_NULL, RQX_E_HANDLE or RQX_E_FORKED if it is no error. Since 1.0. */
RQX_API int32_t rqx_error_code(const rqx_error *error);

/** Frees it. NULL is allowed. Since 1.0. */
RQX_API void rqx_error_free(rqx_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* REQUESTX_H */
