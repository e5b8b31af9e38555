//! Phases, the limits on them, and the times they took.
//!
//! `Phase` is the project's one vocabulary: limits, errors, timings, the ABI and Python's exceptions all speak of it.
//! A limit is a value; the clock is read by `Deadline` alone.
//!
//! A peer that sends a byte now and then meets every limit on a single wait. `Meter` is for that one: it counts what
//! passes, and only the time in which the peer is waited for, so that a caller who reads or writes slowly is not blamed.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, Kind};
use crate::options::Options;

/// Where an exchange stands. The discriminants cross the ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Phase {
    /// Before or outside an exchange.
    None = 0,
    /// Waiting for a place in the pool.
    Queue = 1,
    /// From a name to addresses.
    Resolve = 2,
    /// From an address to a TCP connection.
    Connect = 3,
    /// CONNECT, or SOCKS: from a connection to the proxy to one through it.
    Tunnel = 4,
    /// The TLS handshake.
    Secure = 5,
    /// Request head and body.
    Send = 6,
    /// From the last byte sent to the response's head.
    Await = 7,
    /// The response's body.
    Read = 8,
}

pub const PHASES: usize = 9;

impl Phase {
    pub fn name(self) -> &'static str {
        ["", "queue", "resolve", "connect", "tunnel", "secure", "send", "await", "read"][self as usize]
    }
}

/// How long each phase may take. `None` is for ever.
///
/// Send and Read are limits between two steps of progress, as in requests and curl; the others are for the whole phase.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    pub phase: [Option<Duration>; PHASES],
    /// Resolve to Secure together: what requests calls the connect time-out.
    pub establish: Option<Duration>,
    /// From submit to the last byte of the body.
    pub total: Option<Duration>,
    /// What has to pass of a body, either way.
    pub pace: Pace,
}

/// That many bytes of a body have to pass within that much waiting; none of it where either is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    pub bytes: u64,
    pub within: Duration,
}

impl Pace {
    /// What measures a body from `now` on, if there is anything to be measured.
    pub fn meter(self, now: Instant) -> Option<Box<Meter>> {
        let measures = self.bytes > 0 && !self.within.is_zero();
        measures.then(|| Box::new(Meter { pace: self, passed: 0, waited: Duration::ZERO, since: Some(now) }))
    }
}

/// Whether a body keeps its pace.
///
/// A window ends as soon as enough has passed, and the next begins: so a stall is found when it has lasted as long as a
/// window may, whatever came before.
#[derive(Debug, Clone)]
pub struct Meter {
    pace: Pace,
    /// In this window.
    passed: u64,
    waited: Duration,
    /// The peer is waited for since then.
    since: Option<Instant>,
}

impl Meter {
    /// `bytes` have passed.
    pub fn pass(&mut self, bytes: usize, now: Instant) {
        self.passed = self.passed.saturating_add(bytes as u64);
        if self.passed >= self.pace.bytes {
            (self.passed, self.waited) = (0, Duration::ZERO);
            self.since = self.since.map(|_| now);
        }
    }

    /// From `now` on nobody waits for the peer.
    pub fn pause(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.waited += now.saturating_duration_since(since);
        }
    }

    /// From `now` on the peer is waited for, unless it has been before.
    pub fn resume(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// When to look at it again.
    ///
    /// # Errors
    /// `Timeout` in `phase`: it is behind.
    pub fn check(&self, phase: Phase, what: &str, now: Instant) -> Result<Option<Instant>, Error> {
        if self.is_behind(now) {
            return Err(self.behind(phase, what, now));
        }
        Ok(self.look(now))
    }

    /// When it would be behind, if nothing passed until then.
    fn look(&self, now: Instant) -> Option<Instant> {
        self.since.unwrap_or(now).checked_add(self.pace.within.saturating_sub(self.waited))
    }

    /// Whether too little has passed in this window.
    fn is_behind(&self, now: Instant) -> bool {
        self.since.is_some() && self.look(now).is_some_and(|until| until <= now)
    }

    /// The error for that: what has passed, and what was asked for.
    fn behind(&self, phase: Phase, what: &str, now: Instant) -> Error {
        let waited = self.waited + self.since.map_or(Duration::ZERO, |since| now.duration_since(since));
        let (pace, seconds) = (self.pace, waited.as_secs_f64());
        let rate = self.passed as f64 / seconds.max(1e-9);
        let seen = format!("{} bytes in {seconds:.3} s of waiting, {rate:.0} bytes/s", self.passed);
        let asked = format!("at least {} bytes in {} s", pace.bytes, pace.within.as_secs_f64());
        let why = format!("{what}: too slow in phase {}: {seen}, where {asked} were asked for", phase.name());
        Error::new(Kind::Timeout, phase, why)
    }
}

/// The running clock of one exchange.
#[derive(Debug, Clone)]
pub struct Deadline {
    options: Arc<Options>,
    pub started: Instant,
    /// When the first exchange of the call began.
    called: Instant,
    establish_until: Option<Instant>,
    total_until: Option<Instant>,
    /// Nanoseconds spent in each phase so far.
    pub spent: [u64; PHASES],
    phase: Phase,
    entered: Instant,
}

impl Deadline {
    pub fn start(options: &Arc<Options>, now: Instant) -> Deadline {
        Deadline {
            total_until: options.limits.total.and_then(|d| now.checked_add(d)),
            establish_until: None,
            options: options.clone(),
            started: now,
            called: now,
            spent: [0; PHASES],
            phase: Phase::None,
            entered: now,
        }
    }

    /// The clock of the call's next exchange: the total goes on.
    pub fn again(&self, now: Instant) -> Deadline {
        let (total_until, called) = (self.total_until, self.called);
        Deadline { total_until, called, ..Deadline::start(&self.options, now) }
    }

    /// Whether there is time left after a delay.
    pub fn outlasts(&self, now: Instant, delay: Duration) -> bool {
        self.total_until.is_none_or(|until| now.checked_add(delay).is_some_and(|then| then < until))
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What measures a body that is waited for from `now` on, where the caller has asked for a pace.
    pub fn meter(&self, now: Instant) -> Option<Box<Meter>> {
        self.options.limits.pace.meter(now)
    }

    pub fn is_paced(&self) -> bool {
        self.options.limits.pace != Pace::default()
    }

    /// When the current phase began.
    pub fn entered(&self) -> Instant {
        self.entered
    }

    /// Ends the current phase and begins `phase`.
    pub fn enter(&mut self, phase: Phase, now: Instant) {
        self.spent[self.phase as usize] += now.duration_since(self.entered).as_nanos() as u64;
        if self.establish_until.is_none() && (Phase::Resolve..=Phase::Secure).contains(&phase) {
            self.establish_until = self.options.limits.establish.and_then(|d| now.checked_add(d));
        }
        (self.phase, self.entered) = (phase, now);
    }

    /// Nanoseconds in each phase, the current one counted up to `now`.
    pub fn spent_by(&self, now: Instant) -> [u64; PHASES] {
        let mut spent = self.spent;
        if self.phase != Phase::None {
            spent[self.phase as usize] += now.duration_since(self.entered).as_nanos() as u64;
        }
        spent
    }

    /// When `phase`, of which the last progress was at `since`, has to end.
    pub fn until(&self, phase: Phase, since: Instant) -> Option<Instant> {
        let own = self.options.limits.phase[phase as usize].and_then(|d| since.checked_add(d));
        let establish = self.establish_until.filter(|_| (Phase::Resolve..=Phase::Secure).contains(&phase));
        [own, establish, self.total_until].into_iter().flatten().min()
    }

    /// When a connection that is begun now would have to be there.
    pub fn limit_on_opening(&self, now: Instant) -> Option<Instant> {
        let limits = &self.options.limits;
        let establish = limits.establish.and_then(|d| now.checked_add(d));
        [establish, self.until(Phase::Connect, now), self.total_until].into_iter().flatten().min()
    }

    /// Runs `work` in `phase` and ends it at the phase's limit; `what` names it for the error.
    ///
    /// # Errors
    /// `Timeout` in `phase`.
    pub async fn within<F: Future>(
        &mut self,
        phase: Phase,
        what: impl Fn() -> String,
        work: F,
    ) -> Result<F::Output, Error> {
        let now = Instant::now();
        self.enter(phase, now);
        self.within_since(phase, now, None, what, work).await
    }

    /// The same for a phase whose last progress was at `since`; it has been entered already. `meter` is that of a body
    /// that is waited for.
    ///
    /// # Errors
    /// `Timeout` in `phase`.
    pub async fn within_since<F: Future>(
        &self,
        phase: Phase,
        since: Instant,
        meter: Option<&Meter>,
        what: impl Fn() -> String,
        work: F,
    ) -> Result<F::Output, Error> {
        let look = meter.and_then(|meter| meter.look(since));
        let Some(until) = self.until(phase, since).into_iter().chain(look).min() else {
            return Ok(work.await);
        };
        tokio::time::timeout_at(until.into(), work).await.map_err(|_| {
            let behind = meter.and_then(|meter| meter.check(phase, &what(), Instant::now()).err());
            behind.unwrap_or_else(|| self.expired(phase, what()))
        })
    }

    /// Whether the time for all of it is over, whatever the phase: a peer that always has more never makes us wait.
    pub fn is_overdue(&self) -> bool {
        self.total_until.is_some_and(|until| until <= Instant::now())
    }

    /// The error of a phase whose time is over.
    pub fn expired(&self, phase: Phase, what: String) -> Error {
        let total = self.total_until.is_some_and(|until| until <= Instant::now());
        let (limit, since) =
            if total { ("total time limit", self.called) } else { ("time limit", self.started) };
        let seconds = since.elapsed().as_secs_f64();
        Error::new(
            Kind::Timeout,
            phase,
            format!("{what}: {limit} reached in phase {} after {seconds:.3} s", phase.name()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(limits: Limits, start: Instant) -> Deadline {
        Deadline::start(&Arc::new(Options { limits, ..Options::default() }), start)
    }

    fn limits() -> Limits {
        let mut limits = Limits { establish: Some(Duration::from_secs(3)), ..Limits::default() };
        limits.phase[Phase::Read as usize] = Some(Duration::from_secs(5));
        limits
    }

    #[test]
    fn resolve_to_secure_share_one_limit() {
        let start = Instant::now();
        let mut deadline = clock(limits(), start);
        deadline.enter(Phase::Resolve, start);
        deadline.enter(Phase::Secure, start + Duration::from_secs(2));

        let until = deadline.until(Phase::Secure, start + Duration::from_secs(2));

        assert_eq!(Some(start + Duration::from_secs(3)), until);
    }

    #[test]
    fn the_total_cuts_a_phase_short() {
        let start = Instant::now();
        let total = Limits { total: Some(Duration::from_secs(4)), ..limits() };

        let until = clock(total, start).until(Phase::Read, start);

        assert_eq!(Some(start + Duration::from_secs(4)), until);
    }

    #[test]
    fn the_total_goes_on_in_the_next_exchange_and_other_limits_begin() {
        let (start, later) = (Instant::now(), Instant::now() + Duration::from_secs(3));
        let total = Limits { total: Some(Duration::from_secs(9)), ..limits() };
        let mut next = clock(total, start).again(later);
        next.enter(Phase::Resolve, later);

        assert_eq!(Some(later + Duration::from_secs(3)), next.until(Phase::Secure, later));
        assert_eq!(Some(start + Duration::from_secs(9)), next.until(Phase::Await, later));
    }

    #[test]
    fn a_delay_has_to_end_before_the_total() {
        let start = Instant::now();
        let total = Limits { total: Some(Duration::from_secs(4)), ..Limits::default() };
        let deadline = clock(total, start);

        assert!(deadline.outlasts(start, Duration::from_secs(3)));
        assert!(!deadline.outlasts(start + Duration::from_secs(2), Duration::from_secs(2)));
        assert!(clock(Limits::default(), start).outlasts(start, Duration::from_secs(1_000_000)));
    }

    #[test]
    fn a_limit_too_long_for_the_clock_is_for_ever() {
        let start = Instant::now();
        let endless = Limits { total: Some(Duration::MAX), ..Limits::default() };

        assert_eq!(None, clock(endless, start).until(Phase::Read, start));
    }

    fn meter(start: Instant) -> Box<Meter> {
        Pace { bytes: 10, within: Duration::from_secs(4) }.meter(start).unwrap()
    }

    #[test]
    fn a_window_begins_anew_when_enough_has_passed() {
        let start = Instant::now();
        let mut meter = meter(start);
        meter.pass(9, start + Duration::from_secs(1));
        assert_eq!(Some(start + Duration::from_secs(4)), meter.look(start));
        meter.pass(1, start + Duration::from_secs(3));

        assert_eq!(Some(start + Duration::from_secs(7)), meter.look(start));
        assert!(!meter.is_behind(start + Duration::from_secs(6)));
        assert!(meter.is_behind(start + Duration::from_secs(7)));
    }

    #[test]
    fn time_in_which_the_peer_is_not_waited_for_is_not_counted() {
        let start = Instant::now();
        let mut meter = meter(start);
        meter.pause(start + Duration::from_secs(3));
        assert!(!meter.is_behind(start + Duration::from_secs(100)));
        meter.resume(start + Duration::from_secs(100));

        assert!(!meter.is_behind(start + Duration::from_millis(100_999)));
        assert!(meter.is_behind(start + Duration::from_secs(101)));
    }

    #[test]
    fn who_is_behind_is_told_what_passed_and_what_was_asked_for() {
        let start = Instant::now();
        let mut meter = meter(start);
        meter.pass(8, start);
        let error = meter.behind(Phase::Read, "read the body of x", start + Duration::from_secs(4));

        let seen = "too slow in phase read: 8 bytes in 4.000 s of waiting, 2 bytes/s";
        let asked = "at least 10 bytes in 4 s were asked for";
        assert_eq!(format!("read the body of x: {seen}, where {asked}"), error.message);
        assert_eq!((Kind::Timeout, Phase::Read), (error.kind, error.phase));
    }

    #[test]
    fn no_pace_measures_nothing() {
        let now = Instant::now();

        assert!(Pace::default().meter(now).is_none());
        assert!(Pace { bytes: 1, ..Pace::default() }.meter(now).is_none());
    }

    #[test]
    fn time_is_booked_to_the_phase_that_took_it() {
        let start = Instant::now();
        let mut deadline = clock(Limits::default(), start);
        deadline.enter(Phase::Connect, start);
        deadline.enter(Phase::Send, start + Duration::from_nanos(70));

        assert_eq!(70, deadline.spent[Phase::Connect as usize]);
    }
}
