//! The C ABI: one file a noun, unsafe blocks in `raw.rs` alone.
//!
//! An export is a safe body inside `boundary`, which turns errors into codes and objects, and panics into
//! `RQX_E_INTERNAL`. Handles are numbers, looked up in `Tables`; see `handle.rs`.
//! `include/requestx.h` is generated from these files: their comments are written for C readers.

// no_mangle counts as unsafe code; unsafe blocks are in raw.rs alone, which tests/test_layers.py checks.
#![allow(unsafe_code)]

pub mod client;
pub mod error;
pub mod exchange;
mod handle;
pub mod library;
pub mod options;
pub mod peer;
mod piece;
pub mod policy;
pub mod queue;
mod raw;
pub mod request;
pub mod response;
pub mod types;
pub mod upgrade;
pub mod upload;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::pin;
use std::sync::{Arc, Mutex, Once};

use crate::body::send::Upload;
use crate::error::{Error, Kind};
use crate::options::Options;
use crate::process::{self, PerProcess};
use crate::tls::Peer;
use handle::Table;
use types::{rqx_error, RQX_E_INTERNAL};

/// All that C holds handles to, in this process.
#[derive(Debug)]
struct Tables {
    options: Table<Arc<Mutex<Arc<Options>>>>,
    clients: Table<Arc<client::Shared>>,
    requests: Table<Arc<Mutex<request::Draft>>>,
    uploads: Table<Arc<Upload>>,
    exchanges: Table<exchange::Waiting>,
    responses: Table<Arc<response::Held>>,
    queues: Table<Arc<queue::Queue>>,
    errors: Table<Arc<error::Held>>,
    peers: Table<Arc<Peer>>,
    cookies: Table<Arc<policy::Cookies>>,
    upgrades: Table<Arc<upgrade::Held>>,
}

fn tables() -> &'static Tables {
    static TABLES: PerProcess<Tables> = PerProcess::new();
    TABLES.get(|| {
        watch_forks();
        watch_panics();
        Tables {
            options: Table::new(1, "options"),
            clients: Table::new(2, "client"),
            requests: Table::new(3, "request"),
            uploads: Table::new(4, "upload"),
            exchanges: Table::new(5, "exchange"),
            responses: Table::new(6, "response"),
            queues: Table::new(7, "queue"),
            errors: Table::new(8, "error"),
            peers: Table::new(9, "peer"),
            cookies: Table::new(10, "list of cookies"),
            upgrades: Table::new(11, "upgraded connection"),
        }
    })
}

/// Runs the body of an export: its code, or its error as a code and, where `err` is not NULL, an object.
fn boundary(err: *mut *mut rqx_error, body: impl FnOnce() -> Result<i32, Error>) -> i32 {
    match guard(body) {
        Ok(code) => code,
        Err(error) => {
            let code = error.kind as i32;
            if let Ok(out) = raw::Out::new("err", err) {
                out.set(error::give(error));
            }
            code
        }
    }
}

/// Drives the wait lane for a slice: what came of `work`, or None if the caller is to call again.
fn wait_for<T>(work: impl Future<Output = Result<T, Error>>) -> Result<Option<T>, Error> {
    let done = process::current().lanes.wait(&mut pin!(work))?;
    done.transpose()
}

/// Runs `body`; a panic comes out as an error with the panic's text.
fn guard<T>(body: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    GUARDED.set(GUARDED.get() + 1);
    let outcome = catch_unwind(AssertUnwindSafe(body));
    GUARDED.set(GUARDED.get() - 1);
    outcome.unwrap_or_else(|_| Err(panicked()))
}

/// The error of the panic that `guard` has seen last, or is about to see.
fn panicked() -> Error {
    let text = PANIC.take().unwrap_or_else(|| "a panic without a text".to_string());
    Error::caller(Kind::Internal, format!("requestx panicked: {text}"))
}

/// For exports that answer with something else than a code.
fn guard_or<T>(otherwise: T, body: impl FnOnce() -> Result<T, Error>) -> T {
    guard(body).unwrap_or(otherwise)
}

thread_local! {
    static GUARDED: Cell<usize> = const { Cell::new(0) };
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic inside an export is told to the caller, not to the process's standard error.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let otherwise = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if GUARDED.get() > 0 {
                PANIC.replace(Some(panic.to_string()));
            } else {
                otherwise(panic);
            }
        }));
    });
}

#[cfg(unix)]
fn watch_forks() {
    extern "C" fn child() {
        crate::process::forked();
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        raw::at_fork_in_child(child);
    });
}

#[cfg(not(unix))]
fn watch_forks() {}

/// A handle as C sees it.
fn as_pointer<T>(handle: usize) -> *mut T {
    std::ptr::without_provenance_mut(handle)
}

/// Whether freeing `handle` was in order: yes for what a forked child got from its parent.
fn freed<T>(removed: Result<T, Error>) -> i32 {
    match removed {
        Ok(_) => 0,
        Err(error) if matches!(error.kind, Kind::Null | Kind::Forked) => 0,
        Err(error) => error.kind as i32,
    }
}

const _: () = assert!(RQX_E_INTERNAL == Kind::Internal as i32);
