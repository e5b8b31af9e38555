//! Connections lent to exchanges: the pool's decisions carried out, and the line of those who wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::connect::{self, Connection};
use crate::deadline::{Deadline, Phase};
use crate::error::{Error, Kind};
use crate::options::PoolLimits;
use crate::plan::Plan;
use crate::pool::{Grant, Key, Pool, Ticket};
use crate::runtime::Lane;

/// The connections of one client, shared by any number of threads.
#[derive(Debug)]
pub struct Connections {
    state: Mutex<State>,
    closed: AtomicBool,
}

#[derive(Debug)]
struct State {
    pool: Pool<Box<Connection>>,
    waiting: HashMap<Ticket, oneshot::Sender<()>>,
}

/// How many connections there are at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counts {
    pub idle: usize,
    pub open: usize,
    pub queued: usize,
}

impl Connections {
    pub fn new(limits: PoolLimits) -> Arc<Connections> {
        let state = State { pool: Pool::new(limits), waiting: HashMap::new() };
        Arc::new(Connections { state: Mutex::new(state), closed: AtomicBool::new(false) })
    }

    /// A connection for `plan`, reused or new; `fresh` wants a new one.
    ///
    /// # Errors
    /// `Closed`, `Timeout` in the queue, and all that `connect::open` may say.
    pub async fn check_out(
        self: &Arc<Connections>,
        plan: &Plan,
        lane: Lane,
        deadline: &mut Deadline,
        fresh: bool,
    ) -> Result<Lease, Error> {
        deadline.enter(Phase::Queue, Instant::now());
        loop {
            if self.closed.load(Ordering::Acquire) {
                return Err(Error::new(
                    Kind::Closed,
                    Phase::Queue,
                    format!("{} {}: the client is closed", plan.method, plan.url),
                ));
            }
            let (count, idle) = self.grant(plan, lane, deadline).await?;
            let reused = idle.is_some();
            let connection = match idle {
                // Whatever is in the pool may be as stale as the one that just died.
                Some(_) if fresh => continue,
                Some(connection) if connection.speaks_1_0 && plan.body.length().is_none() => continue,
                Some(mut connection) => match connection.is_alive(!plan.repeatable()).await {
                    true => connection,
                    false => continue,
                },
                None => Box::pin(connect::open(&plan.key, lane, &plan.options, deadline)).await?, // large, and rare
            };
            return Ok(Lease { connection, reused, keep: false, lane, count });
        }
    }

    /// A place in the count, with an idle connection or with the right to open one.
    async fn grant(
        self: &Arc<Connections>,
        plan: &Plan,
        lane: Lane,
        deadline: &mut Deadline,
    ) -> Result<(Counted, Option<Box<Connection>>), Error> {
        let counted = || Counted { owner: Some(self.clone()), key: plan.key.clone() };
        let mut place = Place { connections: self, ticket: None };
        let since = Instant::now();
        loop {
            let (grant, turn) = self.ask_pool(&plan.key, lane, &mut place);
            match grant {
                Grant::Reuse(connection) => return Ok((counted(), Some(connection))),
                Grant::Open => return Ok((counted(), None)),
                Grant::Wait(_) => {}
            }
            if let Some(turn) = turn {
                let what =
                    || format!("{} {}: wait for a free connection to {}", plan.method, plan.url, plan.key);
                let _ = deadline.within_since(Phase::Queue, since, what, turn).await?;
                // a lost sender means: look again
            }
            if self.closed.load(Ordering::Acquire) {
                return Err(Error::new(
                    Kind::Closed,
                    Phase::Queue,
                    format!("{} {}: the client is closed", plan.method, plan.url),
                ));
            }
        }
    }

    fn ask_pool(
        &self,
        key: &Key,
        lane: Lane,
        place: &mut Place<'_>,
    ) -> (Grant<Box<Connection>>, Option<oneshot::Receiver<()>>) {
        let mut close = Vec::new();
        let mut turn = None;
        let mut state = self.lock();
        let grant = state.pool.check_out(key, lane, place.ticket, Instant::now(), &mut close);
        place.ticket = None;
        if let Grant::Wait(ticket) = grant {
            let (wake, woken) = oneshot::channel();
            place.ticket = Some(ticket);
            state.waiting.insert(ticket, wake);
            turn = Some(woken);
        }
        drop(state);
        drop(close); // without the lock
        (grant, turn)
    }

    fn check_in(&self, key: &Key, connection: Box<Connection>, lane: Lane) {
        let mut close = Vec::new();
        let mut state = self.lock();
        if self.closed.load(Ordering::Acquire) {
            let next = state.pool.release(key);
            state.wake(next);
            close.push(connection);
        } else {
            let next = state.pool.check_in(key, connection, lane, Instant::now(), &mut close);
            state.wake(next);
        }
        drop(state);
        drop(close); // without the lock
    }

    fn release(&self, key: &Key) {
        let mut state = self.lock();
        let next = state.pool.release(key);
        state.wake(next);
    }

    /// Closes what is idle.
    pub fn close_idle(&self) {
        let idle = self.lock().pool.drain();
        drop(idle); // without the lock
    }

    /// Refuses new exchanges from now on; what waits in the queue is told.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.lock().waiting.clear();
        self.close_idle();
    }

    pub fn counts(&self) -> Counts {
        let pool = &self.lock().pool;
        Counts { idle: pool.idle(), open: pool.open(), queued: pool.waiting() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self, ticket: Option<Ticket>) {
        if let Some(waiting) = ticket.and_then(|ticket| self.waiting.remove(&ticket)) {
            let _ = waiting.send(()); // it may have given up
        }
    }
}

/// A place in the queue, given up when the exchange that waits is dropped.
struct Place<'a> {
    connections: &'a Connections,
    ticket: Option<Ticket>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let mut state = self.connections.lock();
            state.waiting.remove(&ticket);
            let next = state.pool.leave(ticket);
            state.wake(next);
        }
    }
}

/// A connection lent to one exchange. Given back, it can be used again; dropped, it is closed.
#[derive(Debug)]
pub struct Lease {
    pub connection: Box<Connection>,
    pub reused: bool,
    /// Both sides have said that the connection may be kept.
    pub keep: bool,
    lane: Lane,
    count: Counted,
}

impl Lease {
    /// The exchange is over: back into the pool, or closed if one side wanted that.
    pub async fn give_back(self) {
        let Lease { mut connection, keep, lane, count, .. } = self;
        if keep && connection.is_idle().await {
            count.into_pool(connection, lane);
        } else {
            connection.finish().await;
        }
    }
}

/// One open connection in the pool's count, until it is closed or the pool has it back.
#[derive(Debug)]
struct Counted {
    owner: Option<Arc<Connections>>,
    key: Key,
}

impl Counted {
    fn into_pool(mut self, connection: Box<Connection>, lane: Lane) {
        if let Some(owner) = self.owner.take() {
            owner.check_in(&self.key, connection, lane);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(owner) = &self.owner {
            owner.release(&self.key);
        }
    }
}
