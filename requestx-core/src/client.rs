//! A client: options, connections, and the exchanges that use them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;

use crate::error::Error;
use crate::exchange;
use crate::lease::Connections;
use crate::options::Options;
use crate::plan::Plan;
use crate::policy;
use crate::reply::Reply;
use crate::runtime::Lane;

/// Connections to many hosts, shared by any number of threads.
#[derive(Debug)]
pub struct Client {
    pub options: Arc<Options>,
    connections: Arc<Connections>,
    /// What policies keep from call to call.
    pub memory: policy::Memory,
    requests: AtomicU64,
    in_flight: AtomicUsize,
}

/// Counts of a client at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stats {
    pub in_flight: u64,
    pub idle: u64,
    pub open: u64,
    pub requests: u64,
    pub queued: u64,
}

impl Client {
    pub fn new(options: Arc<Options>) -> Arc<Client> {
        Arc::new(Client {
            connections: Connections::new(options.pool),
            options,
            memory: policy::Memory::default(),
            requests: AtomicU64::new(0),
            in_flight: AtomicUsize::new(0),
        })
    }

    /// Runs `plan` in `lane`, which must be the one that polls.
    ///
    /// # Errors
    /// See `exchange::run` and `policy::run`.
    pub async fn perform(self: Arc<Client>, plan: Arc<Plan>, lane: Lane) -> Result<Reply, Error> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let _flying = Flying::new(&self.in_flight);
        if plan.options.policy.is_off() {
            return exchange::run(&self.connections, &plan, lane, None).await;
        }
        Box::pin(policy::run(&self.memory, &self.connections, plan, lane)).await
        // large, and not everybody's
    }

    /// Closes what is idle.
    pub fn close_idle(&self) {
        self.connections.close_idle();
    }

    /// Refuses new exchanges from now on; what waits in the queue is told.
    pub fn close(&self) {
        self.connections.close();
    }

    pub fn stats(&self) -> Stats {
        let counts = self.connections.counts();
        Stats {
            in_flight: self.in_flight.load(Ordering::Relaxed) as u64,
            idle: counts.idle as u64,
            open: counts.open as u64,
            requests: self.requests.load(Ordering::Relaxed),
            queued: counts.queued as u64,
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}

/// One exchange in the count.
struct Flying<'a>(&'a AtomicUsize);

impl<'a> Flying<'a> {
    fn new(count: &'a AtomicUsize) -> Flying<'a> {
        count.fetch_add(1, Ordering::Relaxed);
        Flying(count)
    }
}

impl Drop for Flying<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
