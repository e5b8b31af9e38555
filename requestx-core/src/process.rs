//! What each process has for itself: lanes, resolver, TLS contexts.
//!
//! A forked child has none of its parent's threads, and locks that those threads held stay locked in it for ever.
//! So nothing of the parent's is touched there: the child counts one epoch further and finds an empty place.
//! What the parent had is abandoned as it stands, never closed and never written to.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::OnceLock;

use crate::dns::Resolver;
use crate::runtime::Lanes;
use crate::tls;

/// How many forks deep a process may be.
pub const EPOCHS: usize = 64;

static EPOCH: AtomicU32 = AtomicU32::new(0);

/// The number of forks between the first process that used the library and this one.
pub fn epoch() -> u32 {
    EPOCH.load(Ordering::Acquire)
}

/// To be called in a forked child before anything else of the library; async-signal-safe.
pub fn forked() {
    EPOCH.fetch_add(1, Ordering::AcqRel);
}

/// A value that every process makes anew.
#[derive(Debug)]
pub struct PerProcess<T>([OnceLock<T>; EPOCHS]);

impl<T> PerProcess<T> {
    #[allow(clippy::new_without_default)]
    pub const fn new() -> PerProcess<T> {
        PerProcess([const { OnceLock::new() }; EPOCHS])
    }

    /// This process's value; the deepest epochs share one.
    pub fn get(&self, make: impl FnOnce() -> T) -> &T {
        self.0[(epoch() as usize).min(EPOCHS - 1)].get_or_init(make)
    }
}

/// All that clients of one process share.
#[derive(Debug, Default)]
pub struct Process {
    pub lanes: Lanes,
    pub resolver: Resolver,
    pub tls: tls::Contexts,
    pub peers: tls::Peers,
}

static PROCESS: PerProcess<Process> = PerProcess::new();

/// This process's own.
pub fn current() -> &'static Process {
    PROCESS.get(Process::default)
}
