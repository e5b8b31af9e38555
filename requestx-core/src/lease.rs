//! Connections lent to exchanges: the pool's decisions carried out, and the line of those who wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::connect;
use crate::connection::Connection;
use crate::deadline::{Deadline, Phase};
use crate::error::{Error, Kind};
use crate::options::{Http, PoolLimits};
use crate::plan::Plan;
use crate::pool::{Grant, Key, Pool, Ticket};
use crate::process;
use crate::runtime::Lane;

/// The connections of one client, shared by any number of threads.
#[derive(Debug)]
pub struct Connections {
    state: Mutex<State>,
    closed: AtomicBool,
}

#[derive(Debug)]
struct State {
    pool: Pool<Connection>,
    waiting: HashMap<Ticket, oneshot::Sender<()>>,
    /// When one of those who wait last looked who could go.
    looked: Option<Instant>,
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
        let state = State { pool: Pool::new(limits), waiting: HashMap::new(), looked: None };
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
        let again = deadline.phase() != Phase::None;
        deadline.enter(Phase::Queue, if again { Instant::now() } else { deadline.started });
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
            let (connection, count) = match idle {
                // Whatever is in the pool may be as stale as the one that just died.
                Some(Connection::One(_)) if fresh => continue,
                Some(connection) if !connection.sends_any_length() && plan.body.length().is_none() => {
                    continue
                }
                Some(mut connection) => match connection.is_alive(!plan.repeatable()).await {
                    true => (connection, count),
                    false => continue,
                },
                None => {
                    let opening = Opening { count, lane, done: false };
                    // large, and rare
                    let connection =
                        Box::pin(connect::open(&plan.key, lane, &plan.options, deadline)).await?;
                    let count = opening.done(&connection);
                    (connection, count)
                }
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
    ) -> Result<(Counted, Option<Connection>), Error> {
        let counted = |connection: Option<&Connection>| Counted {
            owner: Some(self.clone()),
            key: plan.key.clone(),
            seat: connection.filter(|connection| matches!(connection, Connection::Two(_))).map(|_| lane),
        };
        let mut place = Place { connections: self, ticket: None };
        let since = deadline.entered();
        let mut now = since;
        loop {
            let (grant, turn) = self.ask_pool(&plan.key, lane, &mut place, now);
            let hopes = matches!(grant, Grant::Hope(_));
            match grant {
                Grant::Reuse(connection) => return Ok((counted(Some(&connection)), Some(connection))),
                Grant::Open => return Ok((counted(None), None)),
                Grant::Wait(_) | Grant::Hope(_) => {}
            }
            let Some(turn) = turn else { continue };
            if hopes {
                let _ = tokio::time::timeout(patience(deadline), turn).await; // then it opens its own
            } else {
                let what = || {
                    let full = self.lock().pool.why_full(&plan.key);
                    format!("{} {} ({}): the pool is full, {full}", plan.method, plan.url, plan.key)
                };
                let turn = self.wait_for(turn);
                let _ = deadline.within_since(Phase::Queue, since, None, what, turn).await?;
                // a lost sender means: look again
            }
            if self.closed.load(Ordering::Acquire) {
                return Err(Error::new(
                    Kind::Closed,
                    Phase::Queue,
                    format!("{} {}: the client is closed", plan.method, plan.url),
                ));
            }
            now = Instant::now();
        }
    }

    /// Waits for its turn. Who was told before may not come, since nobody goes on waiting for that exchange, or not yet:
    /// then it is the next one's, and those who wait look after that.
    async fn wait_for(&self, mut turn: oneshot::Receiver<()>) -> Result<(), oneshot::error::RecvError> {
        loop {
            match tokio::time::timeout(OVERLOOKED, &mut turn).await {
                Ok(told) => return told,
                Err(_) => {
                    self.lock().look(Instant::now());
                }
            }
        }
    }

    fn ask_pool(
        &self,
        key: &Key,
        lane: Lane,
        place: &mut Place<'_>,
        now: Instant,
    ) -> (Grant<Connection>, Option<oneshot::Receiver<()>>) {
        let mut close = Vec::new();
        let mut turn = None;
        let mut state = self.lock();
        let grant = state.pool.check_out(key, lane, place.ticket, now, &mut close);
        let before = place.ticket.take();
        if let Grant::Wait(ticket) | Grant::Hope(ticket) = grant {
            let (wake, woken) = oneshot::channel();
            place.ticket = Some(ticket);
            state.waiting.insert(ticket, wake);
            turn = Some(woken);
        } else if let Some(ticket) = before {
            state.waiting.remove(&ticket); // it may have lost patience before it was told
        }
        drop(state);
        drop(close); // without the lock
        (grant, turn)
    }

    fn check_in(&self, key: &Key, connection: Connection, lane: Lane, now: Instant) {
        let mut close = Vec::new();
        let mut state = self.lock();
        if self.closed.load(Ordering::Acquire) {
            let next = state.pool.release(key);
            state.wake(next);
            close.push(connection);
        } else {
            let next = state.pool.check_in(key, connection, lane, now, &mut close);
            state.wake(next);
        }
        drop(state);
        drop(close); // without the lock
    }

    fn opened(&self, key: &Key, keeper: Option<Connection>, lane: Lane) {
        let mut state = self.lock();
        let closed = self.closed.load(Ordering::Acquire);
        let mut close = Vec::new();
        let woken = state.pool.opened(key, keeper, lane, Instant::now(), &mut close);
        woken.into_iter().for_each(|ticket| state.wake(Some(ticket)));
        if closed {
            close.extend(state.pool.drain());
        }
        drop(state);
        close.iter().for_each(Connection::retire);
        drop(close); // without the lock
    }

    fn failed(&self, key: &Key, lane: Lane) {
        let mut state = self.lock();
        let woken = state.pool.failed(key, lane);
        woken.into_iter().for_each(|ticket| state.wake(Some(ticket)));
    }

    fn vacated(&self, key: &Key, lane: Lane) {
        let mut close = Vec::new();
        let mut state = self.lock();
        let next = state.pool.vacated(key, lane, Instant::now(), &mut close);
        state.wake(next);
        drop(state);
        drop(close); // without the lock
        if lane == Lane::Wait {
            process::current().lanes.turn(); // nobody may come to drive it: the server is to hear of it now
        }
    }

    fn release(&self, key: &Key) {
        let mut state = self.lock();
        let next = state.pool.release(key);
        state.wake(next);
    }

    /// Closes what is idle.
    pub fn close_idle(&self) {
        let idle = self.lock().pool.drain();
        let shared = idle.iter().any(Connection::is_shared);
        idle.iter().for_each(Connection::retire); // who is still on it closes it
        drop(idle); // without the lock
        if shared {
            process::current().lanes.turn(); // one of HTTP/1 is closed by being dropped, these are not
        }
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
    /// Tells the next in line that could go. All who wait ask for it, and one does it for all: it looks at each of them.
    fn look(&mut self, now: Instant) {
        if self.looked.is_some_and(|last| now.duration_since(last) < BETWEEN_LOOKS) {
            return;
        }
        self.looked = Some(now);
        let next = self.pool.next_in_line();
        self.wake(next);
    }

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
    pub connection: Connection,
    pub reused: bool,
    /// Both sides have said that the connection may be kept.
    pub keep: bool,
    lane: Lane,
    count: Counted,
}

impl Lease {
    /// The exchange is over, `now`: back into the pool, or closed if one side wanted that.
    pub async fn give_back(self, now: Instant) {
        let Lease { connection, keep, lane, count, .. } = self;
        match connection {
            Connection::One(mut one) => {
                if keep && one.is_idle().await {
                    count.into_pool(Connection::One(one), lane, now);
                } else {
                    one.finish().await;
                }
            }
            Connection::Two(two) => {
                let says_more = two.is_over() || two.tap.sent().is_none();
                drop((two, count)); // its seat; the pool has the connection
                if says_more {
                    lane.turn().await;
                }
            }
        }
    }

    /// The connection, and its place in the pool's count, for one that serves no further exchange but lives on.
    pub fn hand_over(self) -> (Connection, Counted) {
        (self.connection, self.count)
    }

    /// Gives it up before its exchange was over; where it can be shared, the server is told.
    pub async fn give_up(self) {
        let (lane, shared) = (self.lane, self.connection.is_shared());
        drop(self);
        if shared {
            lane.turn().await;
        }
    }
}

/// How long to wait for somebody else's connection before opening an own: half of what opening may take, at most.
fn patience(deadline: &Deadline) -> Duration {
    let now = Instant::now();
    let limit = deadline.limit_on_opening(now).map(|until| until.saturating_duration_since(now) / 2);
    limit.unwrap_or(PATIENCE).min(PATIENCE)
}

const PATIENCE: Duration = Duration::from_secs(2);
/// How long a place may be there without the next in line coming for it.
const OVERLOOKED: Duration = Duration::from_millis(250);
/// However many they are who wait: thousands kept a processor busy with looking.
const BETWEEN_LOOKS: Duration = Duration::from_millis(25);

/// A connection being opened, which others may wait for.
struct Opening {
    count: Counted,
    lane: Lane,
    done: bool,
}

impl Opening {
    /// It is there. The pool gets a handle on one that can be shared, and has it in its count from now on: as soon as
    /// the server has said how many exchanges it allows, so that a burst does not exceed that. The first need not wait.
    fn done(mut self, connection: &Connection) -> Counted {
        let Connection::Two(two) = connection else {
            self.tell(None);
            return Counted { owner: self.count.owner.take(), key: self.count.key.clone(), seat: None };
        };
        let (owner, key) = (self.count.owner.clone(), self.count.key.clone());
        let (lane, keeper) = (self.lane, two.keeper());
        tokio::spawn(async move {
            keeper.greeted().await;
            self.tell(Some(Connection::Two(keeper)));
        });
        Counted { owner, key, seat: Some(lane) }
    }

    fn tell(&mut self, keeper: Option<Connection>) {
        self.done = true;
        if let Some(owner) = self.count.owner.as_ref().filter(|_| self.count.key.http != Http::One) {
            owner.opened(&self.count.key, keeper, self.lane);
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if let Some(owner) = self.count.owner.take().filter(|_| !self.done) {
            owner.failed(&self.count.key, self.lane);
        }
    }
}

/// What an exchange has of the pool's count: an open connection, until it is closed or the pool has it back; or a seat.
#[derive(Debug)]
pub struct Counted {
    owner: Option<Arc<Connections>>,
    key: Key,
    /// A seat on a shared connection of this lane, which the pool itself counts.
    seat: Option<Lane>,
}

impl Counted {
    fn into_pool(mut self, connection: Connection, lane: Lane, now: Instant) {
        if let Some(owner) = self.owner.take() {
            owner.check_in(&self.key, connection, lane, now);
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        match (&self.owner, self.seat) {
            (Some(owner), None) => owner.release(&self.key),
            (Some(owner), Some(lane)) => owner.vacated(&self.key, lane),
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Outgoing;

    /// The turn of one more, who finds the pool full.
    fn wait_in(state: &mut State, plan: &Plan) -> Option<oneshot::Receiver<()>> {
        let grant = state.pool.check_out(&plan.key, Lane::Wait, None, Instant::now(), &mut Vec::new());
        let Grant::Wait(ticket) = grant else { return None };
        let (wake, woken) = oneshot::channel();
        state.waiting.insert(ticket, wake);
        Some(woken)
    }

    #[test]
    fn one_looks_for_all_who_wait() {
        let plan = Plan::parse(b"GET\nhttp://a/", 0, Outgoing::Empty, Arc::default(), false).unwrap();
        let limits = PoolLimits { per_host: 1, ..PoolLimits::default() };
        let mut state = State { pool: Pool::new(limits), waiting: HashMap::new(), looked: None };
        assert!(wait_in(&mut state, &plan).is_none());
        let mut line: Vec<_> = (0..3).map(|_| wait_in(&mut state, &plan).unwrap()).collect();
        let mut told = || line.iter_mut().map(|turn| turn.try_recv().is_ok()).collect::<Vec<_>>();
        let now = Instant::now();
        state.pool.release(&plan.key); // the first is to come, and nobody tells it

        state.look(now);
        assert_eq!(vec![false, true, false], told());
        state.look(now + BETWEEN_LOOKS / 2);
        assert_eq!(vec![false, false, false], told());
        state.look(now + BETWEEN_LOOKS);
        assert_eq!(vec![false, false, true], told());
    }
}
