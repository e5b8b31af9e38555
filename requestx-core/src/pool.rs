//! Which connection an exchange gets: a pure decision, without I/O and without a clock.
//!
//! `check_out` answers with a grant: an idle connection, the right to open one, or a ticket to wait with.
//! Whatever has to be closed for it is handed back to the caller, who does the closing.
//! A connection belongs to the lane that drives it, so only its own lane gets it again;
//! limits count both lanes, and an idle connection of the other lane is closed to make room.
//!
//! An open connection is counted from its grant until `release`, idle or not.
//!
//! A connection that can be shared (HTTP/2) is handed to the pool as soon as it is there, and the pool hands out seats.
//! Where one may turn out to be such, the others wait for the first to be opened instead of opening theirs.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::authority;
use crate::dial::Dial;
use crate::options::{Http, PoolLimits};
use crate::proxy::Proxy;
use crate::runtime::Lane;

/// What two exchanges must share to share a connection: all that the peer, or the trust in it, depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub secure: bool,
    /// Lower-case, without brackets.
    pub host: Arc<str>,
    pub port: u16,
    /// The TLS settings' identity; 0 on plain connections.
    pub tls: u64,
    /// How it was opened, where the caller had a say.
    pub dial: Option<Arc<Dial>>,
    /// `Negotiated` on secure connections alone: on a plain one there is nothing to negotiate.
    pub http: Http,
    /// The longest head that a server of HTTP/2 may send, as it is told once for all; 0 where it is not to be told.
    pub max_head: usize,
    /// What is in between, user, password and all: who says other credentials gets another connection.
    /// Where it forwards requests, it is the host itself, and one connection serves all origins.
    pub proxy: Option<Arc<Proxy>>,
}

impl Hash for Key {
    /// Of what tells most keys apart, since it is done twice for each request.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.host.hash(state);
        state.write_u64(self.tls ^ u64::from(self.port) << 48);
    }
}

impl Key {
    /// Whether requests are sent to the proxy itself, which forwards them.
    pub fn is_forwarded(&self) -> bool {
        self.proxy.as_ref().is_some_and(|proxy| proxy.forwards(self.secure, self.http))
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.proxy {
            None => f.write_str(&authority::join(&self.host, self.port)),
            Some(proxy) if self.is_forwarded() => write!(f, "proxy {proxy}"),
            Some(proxy) => write!(f, "{} through proxy {proxy}", authority::join(&self.host, self.port)),
        }
    }
}

/// A connection that may serve several exchanges at a time.
pub trait Shareable: Sized {
    /// How many a new one will serve, if it turns out to be such.
    const SEATS: usize;
    /// A seat on it for one more exchange, if there is one.
    fn share(&self) -> Option<Self>;
    fn has_room(&self) -> bool;
    /// No exchange has a seat.
    fn is_unused(&self) -> bool;
    /// It takes no more exchanges.
    fn is_over(&self) -> bool;
}

/// A place in the line.
pub type Ticket = u64;

/// The answer to `check_out`.
#[derive(Debug, PartialEq)]
pub enum Grant<C> {
    Reuse(C),
    Open,
    /// For a place in the count.
    Wait(Ticket),
    /// For a connection that is being opened and may be shared; who has waited long enough asks again.
    Hope(Ticket),
}

/// The idle connections of all hosts, and the count of the open ones.
#[derive(Debug)]
pub struct Pool<C> {
    hosts: HashMap<Key, Host<C>>,
    open: usize,
    idle: usize,
    limits: PoolLimits,
    last_ticket: Ticket,
    /// Everyone who waits, in order of arrival.
    line: VecDeque<Waiting>,
    swept: Option<Instant>,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    key: Key,
    lane: Lane,
    /// It waits for a connection that is being opened, not for a place in the count.
    hopes: bool,
    /// It was told to try again, and has not.
    woken: bool,
}

#[derive(Debug)]
struct Host<C> {
    idle: Vec<Idle<C>>,
    shared: Vec<Idle<C>>,
    open: usize,
    /// Lanes in which a connection is being opened that may be shared.
    opening: Vec<Lane>,
    /// It was found to speak HTTP/1.1.
    alone: bool,
}

#[derive(Debug)]
struct Idle<C> {
    connection: C,
    lane: Lane,
    /// When it was last used.
    since: Instant,
}

/// Old idle connections of hosts that nobody asks for are looked for this often.
const SWEEP: Duration = Duration::from_secs(1);

impl<C: Shareable> Pool<C> {
    pub fn new(limits: PoolLimits) -> Pool<C> {
        Pool {
            hosts: HashMap::new(),
            open: 0,
            idle: 0,
            limits,
            last_ticket: 0,
            line: VecDeque::new(),
            swept: None,
        }
    }

    /// The newest idle connection to `key` in `lane`, or the right to open one, or a ticket.
    ///
    /// A waiter that was woken brings its `ticket` back and keeps its place in the line.
    /// What was found too old, or is in the way, is put into `close`.
    pub fn check_out(
        &mut self,
        key: &Key,
        lane: Lane,
        ticket: Option<Ticket>,
        now: Instant,
        close: &mut Vec<C>,
    ) -> Grant<C> {
        self.sweep(now, close);
        let found = self.take_idle(key, lane, now, close).or_else(|| self.take_seat(key, lane, now, close));
        if let Some(connection) = found {
            self.forget(ticket);
            return Grant::Reuse(connection);
        }
        let hopes = self.may_hope(key, lane, ticket);
        if !hopes && self.make_room(key, close) {
            self.forget(ticket);
            self.open += 1;
            let host = self.hosts.entry(key.clone()).or_insert_with(Host::new);
            host.open += 1;
            if key.http != Http::One {
                host.opening.push(lane);
            }
            return Grant::Open;
        }
        let ticket = ticket.unwrap_or_else(|| {
            self.last_ticket += 1;
            let ticket = self.last_ticket;
            self.line.push_back(Waiting { ticket, key: key.clone(), lane, hopes, woken: false });
            ticket
        });
        let mine = self.line.iter_mut().filter(|waiting| waiting.ticket == ticket);
        mine.for_each(|waiting| (waiting.woken, waiting.hopes) = (false, hopes));
        if hopes {
            Grant::Hope(ticket)
        } else {
            Grant::Wait(ticket)
        }
    }

    /// A connection that was granted is open: `keeper` is a handle on it for the pool, if it can be shared.
    /// Returns who may try again.
    pub fn opened(
        &mut self,
        key: &Key,
        keeper: Option<C>,
        lane: Lane,
        now: Instant,
        close: &mut Vec<C>,
    ) -> Vec<Ticket> {
        let shared = keeper.is_some();
        if let Some(host) = self.hosts.get_mut(key) {
            host.alone = !shared;
            host.shared.extend(keeper.map(|connection| Idle { connection, lane, since: now }));
        }
        let mut woken = self.settled(key, lane, |waiting| waiting.hopes || shared);
        let before = close.len();
        self.tidy(key, close); // whoever was the first on it may have left already
        if close.len() > before {
            woken.extend(self.next_in_line());
        }
        woken
    }

    /// A granted connection could not be opened. Returns who may try again: who hoped for it, and hopes no more.
    pub fn failed(&mut self, key: &Key, lane: Lane) -> Vec<Ticket> {
        let mut woken = self.settled(key, lane, |waiting| std::mem::take(&mut waiting.hopes));
        woken.extend(self.release(key));
        woken
    }

    /// It is no longer being opened: wakes those in its lane whom that concerns.
    fn settled(&mut self, key: &Key, lane: Lane, concerns: impl Fn(&mut Waiting) -> bool) -> Vec<Ticket> {
        if let Some(host) = self.hosts.get_mut(key) {
            host.opening.iter().position(|opening| *opening == lane).map(|at| host.opening.remove(at));
        }
        let theirs = |waiting: &&mut Waiting| waiting.lane == lane && waiting.key == *key && !waiting.woken;
        let concerned = self.line.iter_mut().filter(theirs).filter_map(|waiting| {
            waiting.woken = concerns(waiting);
            waiting.woken.then_some(waiting.ticket)
        });
        concerned.collect()
    }

    /// A seat is free again. Returns who may try again.
    pub fn vacated(&mut self, key: &Key, lane: Lane, now: Instant, close: &mut Vec<C>) -> Option<Ticket> {
        if let Some(host) = self.hosts.get_mut(key) {
            host.shared.iter_mut().filter(|entry| entry.lane == lane).for_each(|entry| entry.since = now);
        }
        self.tidy(key, close);
        self.next_in_line()
    }

    /// Closes what is of no more use, or more than is kept.
    fn tidy(&mut self, key: &Key, close: &mut Vec<C>) {
        self.close_shared(key, |entry| entry.connection.is_over(), close);
        self.close_one_too_many(key, close);
        self.forget_a_host(close);
    }

    /// Where more connections to `key` are idle than are kept, closes a shared one that nobody uses.
    fn close_one_too_many(&mut self, key: &Key, close: &mut Vec<C>) {
        let Some(host) = self.hosts.get(key) else { return };
        let unused = host.shared.iter().filter(|entry| entry.connection.is_unused()).count();
        let limit = self.limits.idle_per_host;
        if limit != 0 && host.idle.len() + unused > limit {
            let first = Cell::new(true);
            self.close_shared(key, |entry| entry.connection.is_unused() && first.replace(false), close);
        }
    }

    /// Whether a connection is being opened on which there may be a seat; who has lost patience does not ask.
    fn may_hope(&self, key: &Key, lane: Lane, ticket: Option<Ticket>) -> bool {
        let Some(host) = self.hosts.get(key).filter(|host| !host.alone) else { return false };
        let opening = host.opening.iter().filter(|opening| **opening == lane).count();
        if opening == 0 {
            return false;
        }
        let patient = |waiting: &Waiting| waiting.woken && waiting.hopes;
        let mine = |waiting: &&Waiting| Some(waiting.ticket) == ticket;
        if ticket.is_some() && !self.line.iter().find(mine).is_some_and(patient) {
            return false;
        }
        let hoping = self
            .line
            .iter()
            .filter(|each| each.hopes && !each.woken && each.lane == lane && each.key == *key);
        hoping.count() < opening * (C::SEATS - 1)
    }

    fn take_seat(&mut self, key: &Key, lane: Lane, now: Instant, close: &mut Vec<C>) -> Option<C> {
        self.close_shared(key, |entry| entry.connection.is_over(), close);
        let host = self.hosts.get_mut(key)?;
        host.shared.iter_mut().filter(|entry| entry.lane == lane).find_map(|entry| {
            entry.since = now;
            entry.connection.share()
        })
    }

    /// Lets go of shared connections to `key`.
    fn close_shared(&mut self, key: &Key, which: impl Fn(&Idle<C>) -> bool, close: &mut Vec<C>) -> bool {
        let Some(host) = self.hosts.get_mut(key).filter(|host| !host.shared.is_empty()) else { return false };
        let (gone, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut host.shared).into_iter().partition(which);
        host.shared = kept;
        let some = !gone.is_empty();
        for entry in gone {
            close.push(entry.connection);
            self.uncount(key);
        }
        some
    }

    /// Takes a connection back. Returns who may try again.
    pub fn check_in(
        &mut self,
        key: &Key,
        connection: C,
        lane: Lane,
        now: Instant,
        close: &mut Vec<C>,
    ) -> Option<Ticket> {
        let limit = self.limits.idle_per_host;
        let host = self.hosts.entry(key.clone()).or_insert_with(Host::new);
        host.idle.push(Idle { connection, lane, since: now });
        self.idle += 1;
        if limit != 0 && host.idle.len() > limit {
            close.push(host.idle.remove(0).connection);
            self.uncount_idle(key);
        }
        self.forget_a_host(close);
        self.next_in_line()
    }

    /// Where connections to too many hosts are idle, closes those of the host that was used least lately.
    fn forget_a_host(&mut self, close: &mut Vec<C>) {
        let limit = self.limits.idle_hosts;
        let resting = || self.hosts.iter().filter_map(|(key, host)| Some((host.rests_since()?, key)));
        if limit == 0 || resting().count() <= limit {
            return;
        }
        let Some(key) = resting().min_by_key(|(since, _)| *since).map(|(_, key)| key.clone()) else { return };
        self.drain_host(&key, |connection| connection.is_unused(), close);
    }

    /// Lets go of what is idle at one host, and of the shared connections that `which` picks.
    fn drain_host(&mut self, key: &Key, which: impl Fn(&C) -> bool, close: &mut Vec<C>) {
        let idle = self.hosts.get_mut(key).map(|host| std::mem::take(&mut host.idle)).unwrap_or_default();
        for entry in idle {
            close.push(entry.connection);
            self.uncount_idle(key);
        }
        self.close_shared(key, |entry| which(&entry.connection), close);
    }

    /// A granted connection is closed, or could not be opened. Returns who may try again.
    pub fn release(&mut self, key: &Key) -> Option<Ticket> {
        self.open -= 1;
        if let Some(host) = self.hosts.get_mut(key) {
            host.open -= 1;
            if host.open == 0 {
                self.hosts.remove(key);
            }
        }
        self.next_in_line()
    }

    /// Gives a place in the line up. Returns who may try again in its stead.
    pub fn leave(&mut self, ticket: Ticket) -> Option<Ticket> {
        let woken = self.line.iter().any(|waiting| waiting.ticket == ticket && waiting.woken);
        self.forget(Some(ticket));
        if woken {
            self.next_in_line()
        } else {
            None
        }
    }

    fn forget(&mut self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket {
            self.line.retain(|waiting| waiting.ticket != ticket);
        }
    }

    /// Everything idle, to be closed; what is shared is closed when the last exchange leaves it.
    pub fn drain(&mut self) -> Vec<C> {
        let keys: Vec<Key> = self.hosts.keys().cloned().collect();
        let mut all = Vec::with_capacity(self.idle);
        keys.iter().for_each(|key| self.drain_host(key, |_| true, &mut all));
        all
    }

    pub fn open(&self) -> usize {
        self.open
    }

    pub fn idle(&self) -> usize {
        let shared = self.hosts.values().flat_map(|host| &host.shared);
        self.idle + shared.filter(|entry| entry.connection.is_unused()).count()
    }

    pub fn waiting(&self) -> usize {
        self.line.len()
    }

    fn take_idle(&mut self, key: &Key, lane: Lane, now: Instant, close: &mut Vec<C>) -> Option<C> {
        let host = self.hosts.get_mut(key)?;
        let position = host.idle.iter().rposition(|idle| idle.lane == lane)?;
        let entry = host.idle.remove(position);
        self.idle -= 1;
        if !self.too_old(entry.since, now) {
            return Some(entry.connection);
        }
        // The newest is too old, so are the others.
        close.push(entry.connection);
        self.uncount(key);
        self.expire(key, now, close);
        None
    }

    /// Whether one more may be opened to `key`; closes an idle one of another lane or host where that helps.
    fn make_room(&mut self, key: &Key, close: &mut Vec<C>) -> bool {
        let PoolLimits { per_host, total, .. } = self.limits;
        let open_here = self.hosts.get(key).map_or(0, |host| host.open);
        if per_host != 0 && open_here >= per_host && !self.close_oldest(|k| k == key, close) {
            return false;
        }
        total == 0 || self.open < total || self.close_oldest(|_| true, close)
    }

    fn close_oldest(&mut self, at: impl Fn(&Key) -> bool, close: &mut Vec<C>) -> bool {
        let oldest = self
            .hosts
            .iter()
            .filter(|(key, host)| at(key) && !host.idle.is_empty())
            .min_by_key(|(_, host)| host.idle[0].since)
            .map(|(key, _)| key.clone());
        let Some(key) = oldest else { return self.close_unused(at, close) };
        if let Some(host) = self.hosts.get_mut(&key) {
            close.push(host.idle.remove(0).connection);
        }
        self.uncount_idle(&key);
        true
    }

    /// Closes the shared connections that nobody has a seat on, of one host.
    fn close_unused(&mut self, at: impl Fn(&Key) -> bool, close: &mut Vec<C>) -> bool {
        let unused = |host: &Host<C>| host.shared.iter().any(|entry| entry.connection.is_unused());
        let key = self.hosts.iter().find(|(key, host)| at(key) && unused(host)).map(|(key, _)| key.clone());
        key.is_some_and(|key| self.close_shared(&key, |entry| entry.connection.is_unused(), close))
    }

    fn sweep(&mut self, now: Instant, close: &mut Vec<C>) {
        if self.open == 0 || self.swept.is_some_and(|last| now.duration_since(last) < SWEEP) {
            return;
        }
        self.swept = Some(now);
        let keys: Vec<Key> = self.hosts.keys().cloned().collect();
        for key in keys {
            self.expire(&key, now, close);
            let limit = self.limits.idle_timeout;
            let old = |entry: &Idle<C>| limit.is_some_and(|limit| now.duration_since(entry.since) >= limit);
            self.close_shared(&key, |entry| entry.connection.is_unused() && old(entry), close);
        }
    }

    fn expire(&mut self, key: &Key, now: Instant, close: &mut Vec<C>) {
        while self
            .hosts
            .get(key)
            .and_then(|h| h.idle.first())
            .is_some_and(|first| self.too_old(first.since, now))
        {
            if let Some(host) = self.hosts.get_mut(key) {
                close.push(host.idle.remove(0).connection);
            }
            self.uncount_idle(key);
        }
    }

    fn too_old(&self, since: Instant, now: Instant) -> bool {
        self.limits.idle_timeout.is_some_and(|limit| now.duration_since(since) >= limit)
    }

    fn uncount_idle(&mut self, key: &Key) {
        self.idle -= 1;
        self.uncount(key);
    }

    fn uncount(&mut self, key: &Key) {
        self.open -= 1;
        if let Some(host) = self.hosts.get_mut(key) {
            host.open -= 1;
            if host.open == 0 {
                self.hosts.remove(key);
            }
        }
    }

    /// Who may try again: the first in line that could go now and has not been told so yet.
    pub fn next_in_line(&mut self) -> Option<Ticket> {
        let may_go =
            |waiting: &Waiting| !waiting.woken && !waiting.hopes && self.could_go(&waiting.key, waiting.lane);
        let next = self.line.iter().position(may_go)?;
        self.line[next].woken = true;
        Some(self.line[next].ticket)
    }

    /// Which limit keeps others from `key` waiting.
    pub fn why_full(&self, key: &Key) -> String {
        let PoolLimits { per_host, total, .. } = self.limits;
        match self.hosts.get(key).map_or(0, |host| host.open) {
            open if per_host != 0 && (open >= per_host || total == 0) => {
                format!("with {open} of {per_host} connections to this host in use")
            }
            _ => format!("with {} of {total} connections in all in use", self.open),
        }
    }

    fn could_go(&self, key: &Key, lane: Lane) -> bool {
        let PoolLimits { per_host, total, .. } = self.limits;
        let host = self.hosts.get(key);
        let has_room = |entry: &Idle<C>| entry.lane == lane && entry.connection.has_room();
        if host.is_some_and(|host| host.shared.iter().any(has_room)) {
            return true;
        }
        let here =
            per_host == 0 || host.is_none_or(|host| host.open < per_host || host.rests_since().is_some());
        here && (total == 0
            || self.open < total
            || self.hosts.values().any(|host| host.rests_since().is_some()))
    }
}

impl<C: Shareable> Host<C> {
    fn new() -> Host<C> {
        Host { idle: Vec::new(), shared: Vec::new(), open: 0, opening: Vec::new(), alone: false }
    }

    /// When the newest of its connections that nobody uses was last used, if there is one.
    fn rests_since(&self) -> Option<Instant> {
        let unused = self.shared.iter().filter(|entry| entry.connection.is_unused());
        self.idle.last().into_iter().chain(unused).map(|entry| entry.since).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Shareable for &'static str {
        const SEATS: usize = 3;

        fn share(&self) -> Option<&'static str> {
            self.has_room().then_some(*self)
        }

        fn has_room(&self) -> bool {
            self.ends_with("with room")
        }

        fn is_unused(&self) -> bool {
            self.starts_with("unused")
        }

        fn is_over(&self) -> bool {
            self.ends_with("over")
        }
    }

    fn key(host: &str) -> Key {
        Key {
            http: Http::One,
            secure: false,
            host: host.into(),
            port: 80,
            tls: 0,
            dial: None,
            max_head: 0,
            proxy: None,
        }
    }

    fn pool(per_host: usize, total: usize) -> Pool<&'static str> {
        Pool::new(PoolLimits {
            per_host,
            total,
            idle_per_host: 2,
            idle_hosts: 3,
            idle_timeout: Some(Duration::from_secs(10)),
        })
    }

    /// Checks out and expects the right to open.
    fn open(pool: &mut Pool<&'static str>, host: &str, now: Instant) {
        assert_eq!(Grant::Open, pool.check_out(&key(host), Lane::Wait, None, now, &mut Vec::new()));
    }

    #[test]
    fn an_idle_connection_is_used_again_in_its_own_lane_only() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        open(&mut pool, "a", now);
        pool.check_in(&key("a"), "first", Lane::Wait, now, &mut close);

        assert_eq!(Grant::Open, pool.check_out(&key("a"), Lane::Spawn, None, now, &mut close));
        assert_eq!(Grant::Reuse("first"), pool.check_out(&key("a"), Lane::Wait, None, now, &mut close));
        assert_eq!(2, pool.open());
    }

    #[test]
    fn the_newest_idle_connection_goes_first() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        open(&mut pool, "a", now);
        open(&mut pool, "a", now);
        pool.check_in(&key("a"), "old", Lane::Wait, now, &mut close);
        pool.check_in(&key("a"), "new", Lane::Wait, now + Duration::from_secs(1), &mut close);

        assert_eq!(Grant::Reuse("new"), pool.check_out(&key("a"), Lane::Wait, None, now, &mut close));
    }

    #[test]
    fn what_was_idle_too_long_is_closed() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        open(&mut pool, "a", now);
        pool.check_in(&key("a"), "stale", Lane::Wait, now, &mut close);

        let grant = pool.check_out(&key("a"), Lane::Wait, None, now + Duration::from_secs(10), &mut close);

        assert_eq!((Grant::Open, vec!["stale"], 1), (grant, close, pool.open()));
    }

    #[test]
    fn old_connections_of_forgotten_hosts_are_swept() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        open(&mut pool, "forgotten", now);
        pool.check_in(&key("forgotten"), "stale", Lane::Wait, now, &mut close);

        pool.check_out(&key("b"), Lane::Wait, None, now + Duration::from_secs(11), &mut close);

        assert_eq!((vec!["stale"], 1), (close, pool.open()));
    }

    #[test]
    fn more_idle_than_allowed_closes_the_oldest() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        for name in ["1", "2", "3"] {
            open(&mut pool, "a", now);
            pool.check_in(&key("a"), name, Lane::Spawn, now, &mut close);
        }

        assert_eq!((vec!["1"], 2, 2), (close, pool.open(), pool.idle()));
    }

    #[test]
    fn idle_connections_to_too_many_hosts_close_those_of_the_one_used_least_lately() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        for (second, host) in ["a", "b", "c", "d"].into_iter().enumerate() {
            open(&mut pool, host, now);
            pool.check_in(&key(host), host, Lane::Wait, now + Duration::from_secs(second as u64), &mut close);
        }

        assert_eq!((vec!["a"], 3), (close, pool.idle()));
    }

    #[test]
    fn at_the_host_limit_one_waits_until_a_place_is_free() {
        let (mut pool, now, mut close) = (pool(1, 0), Instant::now(), Vec::new());
        open(&mut pool, "a", now);
        let Grant::Wait(ticket) = pool.check_out(&key("a"), Lane::Wait, None, now, &mut close) else {
            panic!("the limit was passed over");
        };

        assert_eq!(Some(ticket), pool.release(&key("a")));
        assert_eq!(Grant::Open, pool.check_out(&key("a"), Lane::Wait, Some(ticket), now, &mut close));
        assert_eq!(0, pool.waiting());
    }

    #[test]
    fn a_full_pool_says_which_limit_it_is() {
        let (mut pool, now) = (pool(1, 2), Instant::now());
        open(&mut pool, "a", now);
        open(&mut pool, "b", now);

        assert_eq!("with 1 of 1 connections to this host in use", pool.why_full(&key("a")));
        assert_eq!("with 2 of 2 connections in all in use", pool.why_full(&key("c")));
    }

    #[test]
    fn an_idle_connection_of_the_other_lane_makes_room() {
        let (mut pool, now, mut close) = (pool(1, 0), Instant::now(), Vec::new());
        open(&mut pool, "a", now);
        pool.check_in(&key("a"), "other lane", Lane::Wait, now, &mut close);

        let grant = pool.check_out(&key("a"), Lane::Spawn, None, now, &mut close);

        assert_eq!((Grant::Open, vec!["other lane"], 1), (grant, close, pool.open()));
    }

    #[test]
    fn the_total_limit_closes_an_idle_connection_of_another_host() {
        let (mut pool, now, mut close) = (pool(0, 1), Instant::now(), Vec::new());
        open(&mut pool, "a", now);
        pool.check_in(&key("a"), "elsewhere", Lane::Wait, now, &mut close);

        assert_eq!(Grant::Open, pool.check_out(&key("b"), Lane::Wait, None, now, &mut close));
        assert_eq!((vec!["elsewhere"], 1), (close, pool.open()));
    }

    #[test]
    fn a_release_under_the_total_limit_wakes_the_first_of_all() {
        let (mut pool, now, mut close) = (pool(0, 1), Instant::now(), Vec::new());
        open(&mut pool, "a", now);
        let waiting = pool.check_out(&key("b"), Lane::Wait, None, now, &mut close);

        assert_eq!(waiting, Grant::Wait(pool.release(&key("a")).unwrap()));
    }

    #[test]
    fn each_free_place_wakes_another() {
        let (mut pool, now, mut close) = (pool(2, 0), Instant::now(), Vec::new());
        open(&mut pool, "a", now);
        open(&mut pool, "a", now);
        let first = pool.check_out(&key("a"), Lane::Wait, None, now, &mut close);
        let second = pool.check_out(&key("a"), Lane::Wait, None, now, &mut close);

        assert_eq!(first, Grant::Wait(pool.release(&key("a")).unwrap()));
        assert_eq!(second, Grant::Wait(pool.release(&key("a")).unwrap()));
    }

    #[test]
    fn who_was_woken_and_leaves_passes_the_turn_on() {
        let (mut pool, now, mut close) = (pool(1, 0), Instant::now(), Vec::new());
        open(&mut pool, "a", now);
        pool.check_out(&key("a"), Lane::Wait, None, now, &mut close);
        let second = pool.check_out(&key("a"), Lane::Wait, None, now, &mut close);
        let woken = pool.release(&key("a")).unwrap();

        assert_eq!(second, Grant::Wait(pool.leave(woken).unwrap()));
    }

    #[test]
    fn who_cannot_go_does_not_stand_in_the_way() {
        let (mut pool, now, mut close) = (pool(1, 2), Instant::now(), Vec::new());
        open(&mut pool, "a", now);
        open(&mut pool, "b", now);
        pool.check_out(&key("a"), Lane::Wait, None, now, &mut close);
        let other = pool.check_out(&key("c"), Lane::Wait, None, now, &mut close);

        assert_eq!(other, Grant::Wait(pool.release(&key("b")).unwrap()));
    }

    #[test]
    fn draining_leaves_only_what_is_in_use() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        open(&mut pool, "a", now);
        open(&mut pool, "a", now);
        pool.check_in(&key("a"), "idle", Lane::Wait, now, &mut close);

        assert_eq!((vec!["idle"], 1, 0), (pool.drain(), pool.open(), pool.idle()));
    }

    fn shareable() -> Key {
        Key { secure: true, http: Http::Negotiated, ..key("a") }
    }

    #[test]
    fn a_shared_connection_has_a_seat_for_each_until_it_is_full() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        let key = shareable();
        pool.check_out(&key, Lane::Wait, None, now, &mut close);
        pool.opened(&key, Some("with room"), Lane::Wait, now, &mut close);

        assert_eq!(Grant::Reuse("with room"), pool.check_out(&key, Lane::Wait, None, now, &mut close));
        assert_eq!(Grant::Reuse("with room"), pool.check_out(&key, Lane::Wait, None, now, &mut close));
        assert_eq!(Grant::Open, pool.check_out(&key, Lane::Spawn, None, now, &mut close));
        assert_eq!(2, pool.open());
    }

    #[test]
    fn while_one_opens_the_others_hope_to_share_and_open_their_own_if_they_cannot() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        let key = shareable();
        assert_eq!(Grant::Open, pool.check_out(&key, Lane::Wait, None, now, &mut close));
        let Grant::Hope(ticket) = pool.check_out(&key, Lane::Wait, None, now, &mut close) else {
            panic!("it did not hope");
        };

        assert_eq!(vec![ticket], pool.opened(&key, None, Lane::Wait, now, &mut close));
        assert_eq!(Grant::Open, pool.check_out(&key, Lane::Wait, Some(ticket), now, &mut close));
        assert_eq!(Grant::Open, pool.check_out(&key, Lane::Wait, None, now, &mut close));
        // it is known by now
    }

    #[test]
    fn a_failure_to_open_lets_all_who_hoped_try_for_themselves() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        let key = shareable();
        pool.check_out(&key, Lane::Wait, None, now, &mut close);
        let first = pool.check_out(&key, Lane::Wait, None, now, &mut close);
        let second = pool.check_out(&key, Lane::Wait, None, now, &mut close);

        let woken: Vec<_> = pool.failed(&key, Lane::Wait).into_iter().map(Grant::Hope).collect();
        assert_eq!(vec![first, second], woken);
        assert_eq!(0, pool.open());
    }

    #[test]
    fn a_shared_connection_that_is_over_is_let_go() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        let key = shareable();
        pool.check_out(&key, Lane::Wait, None, now, &mut close);
        pool.opened(&key, Some("over"), Lane::Wait, now, &mut close);

        assert_eq!(Grant::Open, pool.check_out(&key, Lane::Wait, None, now, &mut close));
        assert_eq!((vec!["over"], 1), (close, pool.open()));
    }

    #[test]
    fn a_shared_connection_without_passengers_makes_room() {
        let (mut pool, now, mut close) = (pool(1, 0), Instant::now(), Vec::new());
        let key = shareable();
        pool.check_out(&key, Lane::Wait, None, now, &mut close);
        pool.opened(&key, Some("unused"), Lane::Wait, now, &mut close);

        assert_eq!(Grant::Open, pool.check_out(&key, Lane::Spawn, None, now, &mut close));
        assert_eq!((vec!["unused"], 1), (close, pool.open()));
    }

    #[test]
    fn a_shared_connection_is_swept_when_nobody_has_used_it_for_too_long() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        let key = shareable();
        pool.check_out(&key, Lane::Wait, None, now, &mut close);
        pool.opened(&key, Some("unused"), Lane::Wait, now, &mut close);
        pool.vacated(&key, Lane::Wait, now + Duration::from_secs(5), &mut close);

        pool.check_out(&super::tests::key("b"), Lane::Wait, None, now + Duration::from_secs(11), &mut close);
        assert!(close.is_empty());
        pool.check_out(&super::tests::key("b"), Lane::Wait, None, now + Duration::from_secs(16), &mut close);
        assert_eq!(vec!["unused"], close);
    }

    /// Checks out, expecting to be told to hope.
    fn hope(pool: &mut Pool<&'static str>, key: &Key, ticket: Option<Ticket>) -> Ticket {
        match pool.check_out(key, Lane::Wait, ticket, Instant::now(), &mut Vec::new()) {
            Grant::Hope(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn no_more_hope_than_there_will_be_seats() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        let key = shareable();
        pool.check_out(&key, Lane::Wait, None, now, &mut close);
        hope(&mut pool, &key, None);
        hope(&mut pool, &key, None);

        assert_eq!(Grant::Open, pool.check_out(&key, Lane::Wait, None, now, &mut close));
        hope(&mut pool, &key, None);
    }

    #[test]
    fn who_found_no_seat_on_one_may_hope_for_the_next() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        let key = shareable();
        pool.check_out(&key, Lane::Wait, None, now, &mut close);
        let (first, second) = (hope(&mut pool, &key, None), hope(&mut pool, &key, None));
        assert_eq!(vec![first, second], pool.opened(&key, Some("full"), Lane::Wait, now, &mut close));

        assert_eq!(Grant::Open, pool.check_out(&key, Lane::Wait, Some(first), now, &mut close));
        assert_eq!(second, hope(&mut pool, &key, Some(second)));
    }

    #[test]
    fn who_lost_patience_opens_an_own_or_waits_and_is_told_of_the_seats_all_the_same() {
        let (mut pool, now, mut close) = (pool(1, 0), Instant::now(), Vec::new());
        let key = shareable();
        pool.check_out(&key, Lane::Wait, None, now, &mut close);
        let ticket = hope(&mut pool, &key, None);

        let grant = pool.check_out(&key, Lane::Wait, Some(ticket), now, &mut close);
        assert_eq!(Grant::Wait(ticket), grant);
        assert_eq!(vec![ticket], pool.opened(&key, Some("with room"), Lane::Wait, now, &mut close));
    }

    #[test]
    fn who_waits_for_another_host_is_told_of_a_shared_connection_that_nobody_uses() {
        let (mut pool, now, mut close) = (pool(0, 1), Instant::now(), Vec::new());
        pool.check_out(&shareable(), Lane::Wait, None, now, &mut close);
        let other = pool.check_out(&key("b"), Lane::Wait, None, now, &mut close);
        pool.opened(&shareable(), Some("unused"), Lane::Wait, now, &mut close);

        let told = pool.vacated(&shareable(), Lane::Wait, now, &mut close);
        assert_eq!(Some(other), told.map(Grant::Wait));
    }

    #[test]
    fn a_seat_in_one_lane_is_no_news_for_who_waits_in_the_other() {
        let (mut pool, now, mut close) = (pool(1, 0), Instant::now(), Vec::new());
        let key = shareable();
        pool.check_out(&key, Lane::Wait, None, now, &mut close);
        pool.opened(&key, Some("full"), Lane::Wait, now, &mut close);
        let there = pool.check_out(&key, Lane::Spawn, None, now, &mut close);
        let here = pool.check_out(&key, Lane::Wait, None, now, &mut close);
        assert!(matches!((there, &here), (Grant::Wait(_), Grant::Wait(_))));
        pool.hosts.get_mut(&key).unwrap().shared[0].connection = "with room";

        assert_eq!(Some(here), pool.vacated(&key, Lane::Wait, now, &mut close).map(Grant::Wait));
    }

    #[test]
    fn a_shared_connection_that_nobody_uses_is_idle() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        pool.check_out(&shareable(), Lane::Wait, None, now, &mut close);
        pool.opened(&shareable(), Some("unused"), Lane::Wait, now, &mut close);

        assert_eq!((1, 1), (pool.idle(), pool.open()));
    }

    #[test]
    fn a_connection_that_is_over_is_let_go_with_the_next_seat_that_is_given_up() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        pool.check_out(&shareable(), Lane::Wait, None, now, &mut close);
        pool.opened(&shareable(), Some("over"), Lane::Wait, now, &mut close);
        pool.vacated(&shareable(), Lane::Wait, now, &mut close);

        assert_eq!((vec!["over"], 0), (close, pool.open()));
    }

    #[test]
    fn shared_connections_that_nobody_uses_are_kept_up_to_the_limit() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        pool.limits.idle_per_host = 2;
        for connection in ["in use", "unused 1", "unused 2", "unused 3"] {
            pool.hosts.entry(shareable()).or_insert_with(Host::new).open += 1;
            pool.open += 1;
            pool.opened(&shareable(), Some(connection), Lane::Wait, now, &mut close);
            pool.vacated(&shareable(), Lane::Wait, now, &mut close);
        }

        assert_eq!((vec!["unused 1"], 3), (close, pool.open()));
    }

    #[test]
    fn shared_connections_count_among_the_hosts_that_idle_ones_are_kept_for() {
        let (mut pool, now, mut close) = (pool(0, 0), Instant::now(), Vec::new());
        pool.limits.idle_hosts = 1;
        for (host, at) in [("a", now), ("b", now + Duration::from_secs(1))] {
            let key = Key { host: host.into(), ..shareable() };
            pool.check_out(&key, Lane::Wait, None, at, &mut close);
            pool.opened(
                &key,
                Some(if host == "a" { "unused a" } else { "unused b" }),
                Lane::Wait,
                at,
                &mut close,
            );
            pool.vacated(&key, Lane::Wait, at, &mut close);
        }

        assert_eq!((vec!["unused a"], 1), (close, pool.open()));
    }
}
