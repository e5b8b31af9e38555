//! The C ABI, called in any order with handles of any kind: an error, never a crash.
//!
//! Handles come from earlier calls, may be of another kind, freed, NULL or made up. Every call returns a code that has a
//! name and is not `RQX_E_INTERNAL`, which is what a panic becomes; what an answer shows can be read.
//!
//! Nothing leaves the process: exchanges have options of their own, by which all of them go to a socket of ours, and
//! those that the input makes are never sent with.

#![allow(unsafe_code)] // as a C program it reads what it is shown

use std::ffi::{c_void, CStr};
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;

use requestx::ffi::{client::*, error::*, exchange::*, library::*, options::*, peer::*, policy::*};
use requestx::ffi::{queue::*, request::*, response::*, types::*, upgrade::*, upload::*};

/// Calls that one input makes at most.
const MOST: usize = 64;
const ANSWER: &[u8] =
    b"HTTP/1.1 103 Hint\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\
    Set-Cookie: a=b\r\n\r\n5\r\nfirst\r\n6\r\nsecond\r\n0\r\nSum: 1\r\n\r\n";

pub fn check(data: &[u8]) {
    let mut calls = Calls { rest: data, handles: vec![(Kind::Options, 0)] };
    for _ in 0..MOST {
        let Some(call) = calls.byte() else { break };
        calls.make(call);
    }
    for (kind, handle) in std::mem::take(&mut calls.handles) {
        free(kind, handle);
        free(kind, handle); // once more is an error, or nothing
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Options,
    Client,
    Request,
    Upload,
    Exchange,
    Response,
    Queue,
    Error,
    Peer,
    Cookies,
    Upgrade,
}

fn free(kind: Kind, handle: usize) {
    match kind {
        Kind::Options => rqx_options_free(handle as _),
        Kind::Client => rqx_client_free(handle as _),
        Kind::Request => rqx_request_free(handle as _),
        Kind::Upload => rqx_upload_free(handle as _),
        Kind::Exchange => rqx_exchange_free(handle as _),
        Kind::Response => rqx_response_free(handle as _),
        Kind::Queue => rqx_queue_free(handle as _),
        Kind::Error => rqx_error_free(handle as _),
        Kind::Peer => rqx_peer_free(handle as _),
        Kind::Cookies => rqx_cookies_free(handle as _),
        Kind::Upgrade => rqx_upgrade_free(handle as _),
    }
}

/// What is left of the input, and what its calls have been given.
struct Calls<'a> {
    rest: &'a [u8],
    handles: Vec<(Kind, usize)>,
}

impl<'a> Calls<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn small(&mut self) -> usize {
        usize::from(self.byte().unwrap_or(0))
    }

    fn number(&mut self) -> u64 {
        let (front, rest) = self.rest.split_at(self.rest.len().min(8));
        self.rest = rest;
        front.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = self.small().min(self.rest.len());
        let (front, rest) = self.rest.split_at(length);
        self.rest = rest;
        front
    }

    /// A handle: the last one, an older one, or one that nobody was given.
    fn handle(&mut self) -> (Kind, usize) {
        let choice = self.small();
        match choice {
            255 => (Kind::Options, self.number() as usize),
            _ => self.handles[self.handles.len() - 1 - choice % self.handles.len()],
        }
    }

    fn any<T>(&mut self) -> *mut T {
        self.handle().1 as *mut T
    }

    /// Options for an exchange: those that lead nowhere else, or what are no options at all.
    fn harmless(&mut self) -> *const rqx_options {
        match self.handle() {
            (Kind::Options, _) => options(),
            (_, other) => other as *const rqx_options,
        }
    }

    fn keep<T>(&mut self, kind: Kind, handle: *mut T) {
        if !handle.is_null() {
            self.handles.push((kind, handle as usize));
        }
    }

    fn judge(&mut self, code: i32, err: *mut rqx_error) {
        self.keep(Kind::Error, err);
        judge(code);
    }

    fn take(&mut self, event: &rqx_event) {
        judge(event.code);
        for part in [event.head, event.body, event.reason] {
            see(part);
        }
        self.keep(Kind::Response, event.response);
        self.keep(Kind::Error, event.error);
    }

    fn make(&mut self, call: u8) {
        let mut err = null_mut();
        let code = match call % 48 {
            0 => self.given(Kind::Options, rqx_options_new),
            1 => rqx_options_set_int(self.any(), self.option(), self.number() as i64, &mut err),
            2 => {
                let (options, option, value) = (self.any(), self.option(), self.bytes());
                rqx_options_set_bytes(options, option, value.as_ptr(), value.len(), &mut err)
            }
            3 => {
                // It may lead anywhere, and so is not kept.
                let mut client = null_mut();
                let code = rqx_client_new(self.any(), &mut client, &mut err);
                rqx_client_free(client);
                code
            }
            4 => {
                let mut client = null_mut();
                let code = rqx_client_new(self.harmless(), &mut client, &mut err);
                self.keep(Kind::Client, client);
                code
            }
            5 => {
                let size = size_of::<rqx_stats>();
                let mut stats = rqx_stats { struct_size: self.small().min(size), ..empty() };
                rqx_client_stats(self.any(), &mut stats)
            }
            6 => rqx_client_close_idle(self.any()),
            7 => rqx_client_close(self.any()),
            8 => rqx_cancel(self.any(), self.small() as u64),
            9 | 10 => self.send(call),
            11 => {
                let mut event = empty::<rqx_event>();
                let code = rqx_exchange_resume(self.any(), &mut event);
                self.take(&event);
                code
            }
            12 => self.draft(),
            13 => {
                let (request, name, value) = (self.any(), self.bytes(), self.bytes());
                rqx_request_add_header(
                    request,
                    name.as_ptr(),
                    name.len(),
                    value.as_ptr(),
                    value.len(),
                    &mut err,
                )
            }
            14 => {
                let (request, body) = (self.any(), self.bytes());
                rqx_request_set_body(request, body.as_ptr(), body.len(), &mut err)
            }
            15 => rqx_request_set_options(self.any(), self.harmless(), &mut err),
            16 => {
                let (mut event, mut pending) = (empty::<rqx_event>(), null_mut());
                let code = rqx_request_send(self.any(), self.any(), self.flags(), &mut pending, &mut event);
                self.keep(Kind::Exchange, pending);
                self.take(&event);
                code
            }
            17 => {
                let (mut event, mut pending, mut space) =
                    (empty::<rqx_event>(), null_mut(), vec![0; self.small() * 64]);
                let (client, request, flags) = (self.any(), self.any(), self.flags());
                let (at, cap) = (space.as_mut_ptr(), space.len());
                let code = rqx_request_send_into(client, request, flags, at, cap, &mut pending, &mut event);
                self.keep(Kind::Exchange, pending);
                self.take(&event);
                code
            }
            18 => {
                let (client, request, queue) = (self.any(), self.any(), self.any());
                rqx_request_submit(client, request, queue, self.small() as u64, self.flags(), &mut err)
            }
            19 => {
                let (mut n, mut space) = (0, vec![0; self.small()]);
                let response = self.any();
                rqx_body_read_into(response, space.as_mut_ptr(), space.len(), self.flags(), &mut n, &mut err)
            }
            20 => {
                let mut piece = NOTHING;
                let code = rqx_body_next(self.any(), self.flags(), &mut piece, &mut err);
                see(piece);
                code
            }
            21 => rqx_body_read(self.any(), self.small() as u64, self.small(), self.flags(), &mut err),
            22 => rqx_response_raw_bytes(self.any(), &mut 0),
            23 => {
                let size = size_of::<rqx_timing>();
                let mut timing = rqx_timing { struct_size: self.small().min(size), ..empty() };
                rqx_response_timing(self.any(), &mut timing)
            }
            24 => {
                let mut head = NOTHING;
                let (response, index) = (self.any(), self.small());
                let code = rqx_response_informational(response, index, &mut 0, &mut head, &mut 0, &mut err);
                see(head);
                code
            }
            25 => {
                let mut trailers = NOTHING;
                let code = rqx_response_trailers(self.any(), &mut trailers, &mut 0, &mut err);
                see(trailers);
                code
            }
            26 => {
                rqx_response_close(self.any());
                RQX_OK
            }
            27 => {
                let mut peer = null_mut();
                let code = rqx_peer_new(self.number() as u32, &mut peer, &mut err);
                self.keep(Kind::Peer, peer);
                code
            }
            28 => rqx_peer_certificate(self.any(), self.small(), &mut { NOTHING }),
            29 => {
                let mut upgrade = null_mut();
                let code = rqx_upgrade_new(self.any(), &mut upgrade, &mut err);
                self.keep(Kind::Upgrade, upgrade);
                code
            }
            30 => rqx_upgrade_read(self.any(), [0; 16].as_mut_ptr(), 16, &mut 0, &mut err),
            31 => rqx_upgrade_write(self.any(), b"x".as_ptr(), 1, &mut 0, &mut err),
            32 => rqx_upgrade_submit_read(self.any(), self.number(), self.small(), &mut err),
            33 => {
                rqx_upgrade_close(self.any());
                rqx_upgrade_shutdown(self.any(), &mut err)
            }
            34 => {
                let mut upload = null_mut();
                let code = rqx_upload_new(self.small(), self.number() as i64, &mut upload, &mut err);
                self.keep(Kind::Upload, upload);
                code
            }
            35 => {
                let (upload, bytes) = (self.any(), self.bytes());
                rqx_upload_push(upload, bytes.as_ptr(), bytes.len(), &mut 0, &mut err)
            }
            36 => rqx_upload_finish(self.any(), self.small() as i32, &mut err),
            37 => {
                let mut queue = null_mut();
                let code = rqx_queue_new(&mut queue, &mut err);
                self.keep(Kind::Queue, queue);
                code
            }
            38 => self.submit(),
            39 => {
                let me: *mut Calls = self;
                rqx_queue_dispatch(self.any(), Some(receive), me.cast::<c_void>(), self.small());
                RQX_OK
            }
            40 => {
                let (mut events, mut n) = ([empty::<rqx_event>(); 4], 0);
                let code = rqx_queue_wait(self.any(), events.as_mut_ptr(), 4, 1_000_000, &mut n, &mut err);
                events[..n].iter().for_each(|event| self.take(event));
                code
            }
            41 => {
                let (mut events, mut n, mut space) =
                    ([empty::<rqx_event>(); 4], 0, vec![0; self.small() * 64]);
                let (queue, at, cap) = (self.any(), space.as_mut_ptr(), space.len());
                let code = rqx_queue_take(queue, events.as_mut_ptr(), 4, at, cap, &mut n, &mut err);
                events[..n].iter().for_each(|event| self.take(event));
                code
            }
            42 => rqx_queue_wake(self.any()),
            43 => {
                let (client, url, line) = (self.any(), self.bytes(), self.bytes());
                rqx_client_add_cookie(client, url.as_ptr(), url.len(), line.as_ptr(), line.len(), &mut err)
            }
            44 => {
                let (client, url, mut cookies) = (self.any(), self.bytes(), null_mut());
                let at = if url.is_empty() { null() } else { url.as_ptr() };
                let code = rqx_client_cookies(client, at, url.len(), &mut cookies, &mut err);
                self.keep(Kind::Cookies, cookies);
                code
            }
            45 => rqx_client_clear_cookies(self.any()),
            46 => {
                rqx_error_code(self.any());
                rqx_response_hops(self.any(), &mut 0, &mut 0)
            }
            _ => {
                let (kind, handle) = self.handle();
                free(kind, handle);
                RQX_OK
            }
        };
        self.judge(code, err);
    }

    fn given<T>(&mut self, kind: Kind, make: extern "C" fn(*mut *mut T) -> i32) -> i32 {
        let mut made = null_mut();
        let code = make(&mut made);
        self.keep(kind, made);
        code
    }

    /// The number of an option, as they are spread.
    fn option(&mut self) -> i32 {
        1000 + (self.small() / 128 * 1000 + self.small()) as i32
    }

    fn flags(&mut self) -> u32 {
        self.small() as u32 % 8
    }

    fn send(&mut self, call: u8) -> i32 {
        let (mut event, mut pending) = (empty::<rqx_event>(), null_mut());
        let (client, options, flags) = (self.any(), self.harmless(), self.flags());
        let upload = if call % 2 == 0 { self.any() } else { null_mut() };
        let (head, fields, body) = self.head();
        let (at, len) = (head.as_ptr(), head.len());
        let (body, size) = (body.as_ptr(), body.len());
        let code =
            rqx_send(client, options, at, len, fields, body, size, upload, flags, &mut pending, &mut event);
        self.keep(Kind::Exchange, pending);
        self.take(&event);
        code
    }

    fn submit(&mut self) -> i32 {
        let mut err = null_mut();
        let (client, queue, token) = (self.any(), self.any(), self.small() as u64);
        let (options, flags) = (self.harmless(), self.flags());
        let (head, fields, body) = self.head();
        let (at, len) = (head.as_ptr(), head.len());
        let (body, size) = (body.as_ptr(), body.len());
        let code = rqx_submit(
            client,
            queue,
            token,
            options,
            at,
            len,
            fields,
            body,
            size,
            null_mut(),
            flags,
            &mut err,
        );
        self.keep(Kind::Error, err);
        code
    }

    /// A head, with what the input has for its end, and a body.
    fn head(&mut self) -> (Vec<u8>, u32, &'a [u8]) {
        let more = self.bytes();
        let fields = more.iter().filter(|byte| **byte == b'\n').count() / 2;
        ([b"POST\nhttp://origin.example/", more].concat(), fields as u32, self.bytes())
    }

    fn draft(&mut self) -> i32 {
        let (mut request, mut err) = (null_mut(), null_mut());
        let (method, url) = (self.bytes(), self.bytes());
        let url = if url.is_empty() { b"http://origin.example/" } else { url };
        let code =
            rqx_request_new(method.as_ptr(), method.len(), url.as_ptr(), url.len(), &mut request, &mut err);
        judge(rqx_request_set_options(request, options(), null_mut()));
        self.keep(Kind::Request, request);
        self.keep(Kind::Error, err);
        code
    }
}

extern "C" fn receive(user: *mut c_void, events: *const rqx_event, n: usize) {
    let calls = user.cast::<Calls<'_>>();
    for index in 0..n {
        // SAFETY: `user` is the `Calls` that called rqx_queue_dispatch and waits for it; `events` has `n` of them.
        unsafe { (*calls).take(&*events.add(index)) }
    }
}

fn judge(code: i32) {
    let name = rqx_code_name(code);
    assert!(!name.is_null() && code != RQX_E_INTERNAL, "{code}");
    // SAFETY: the library's names are texts that live as long as it does.
    let name = unsafe { CStr::from_ptr(name) };
    assert!(!name.is_empty(), "{code} has no name");
}

/// Reads what was shown.
fn see(part: rqx_slice) {
    if part.len > 0 {
        // SAFETY: the library says that so many bytes are there, now; that they are is what is checked.
        let bytes = unsafe { std::slice::from_raw_parts(part.ptr, part.len) };
        std::hint::black_box(bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)));
    }
}

const NOTHING: rqx_slice = rqx_slice { ptr: null(), len: 0 };

/// One of the ABI's structs with nothing in it.
fn empty<T: Copy>() -> T {
    // SAFETY: they are made of numbers and pointers, which may all be 0.
    unsafe { std::mem::zeroed() }
}

/// The options of all exchanges: to a server of ours, whatever the URL says.
fn options() -> *mut rqx_options {
    static OPTIONS: OnceLock<usize> = OnceLock::new();
    let handle = OPTIONS.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("requestx-fuzz-abi-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || listener.incoming().flatten().for_each(answer_all));
        let mut options = null_mut();
        assert_eq!(RQX_OK, rqx_options_new(&mut options));
        let path = path.to_str().unwrap().as_bytes();
        let code = rqx_options_set_bytes(options, RQX_OPT_UNIX_SOCKET, path.as_ptr(), path.len(), null_mut());
        assert_eq!(RQX_OK, code);
        options as usize
    });
    *handle as *mut rqx_options
}

/// One answer for each request of a connection, whose bodies are short and lie behind their heads.
fn answer_all(mut stream: std::os::unix::net::UnixStream) {
    std::thread::spawn(move || {
        let mut space = [0; 4096];
        while matches!(stream.read(&mut space), Ok(1..)) && stream.write_all(ANSWER).is_ok() {}
    });
}
