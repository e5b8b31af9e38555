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

/// Places that are there from the beginning; who is forked deeper finds further ones behind them.
const EPOCHS: usize = 64;

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
pub struct PerProcess<T> {
    here: [OnceLock<T>; EPOCHS],
    deeper: OnceLock<Box<PerProcess<T>>>,
}

impl<T> PerProcess<T> {
    #[allow(clippy::new_without_default)]
    pub const fn new() -> PerProcess<T> {
        PerProcess { here: [const { OnceLock::new() }; EPOCHS], deeper: OnceLock::new() }
    }

    /// This process's value.
    pub fn get(&self, make: impl FnOnce() -> T) -> &T {
        self.of(epoch() as usize).get_or_init(make)
    }

    fn of(&self, epoch: usize) -> &OnceLock<T> {
        let mut places = self;
        for _ in 0..epoch / EPOCHS {
            places = places.deeper.get_or_init(|| Box::new(PerProcess::new()));
        }
        &places.here[epoch % EPOCHS]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_epochs_share_a_place() {
        let places: PerProcess<usize> = PerProcess::new();
        for epoch in 0..200 {
            assert_eq!(epoch, *places.of(epoch).get_or_init(|| epoch));
        }

        assert_eq!(Some(&64), places.of(64).get());
    }
}
