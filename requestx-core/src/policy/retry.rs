//! Retries: which failures may pass, what may be sent again, how long to wait, and how much of it a client may do.
//!
//! The delays are exponential with full jitter: a random share of a bound that doubles. The budget is what keeps a
//! client from adding to the load of a server that is down: it is a stock that retries take from, and answers refill.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::date;
use crate::deadline::Phase;
use crate::error::{Error, Kind};
use crate::head::Head;

/// What a caller may choose of it. `Default` is no retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// How often a call may be tried again.
    pub times: u32,
    /// The bound of the first delay.
    pub backoff: Duration,
    /// No delay is longer, whoever asks for it.
    pub longest: Duration,
    /// Methods that are not idempotent are repeated as well.
    pub any_method: bool,
    /// How many retries a client may have in stock; 0 is for as many as it likes.
    pub budget: u32,
}

impl Default for Choice {
    fn default() -> Choice {
        Choice {
            times: 0,
            backoff: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            any_method: false,
            budget: 100,
        }
    }
}

impl Choice {
    /// How long to wait after `done` retries: `share`, from 0 to 1, of the bound, and as long as the server asks for.
    /// `None` if the server asks for more than is allowed.
    pub fn delay(&self, done: u32, share: f64, asked: Option<Duration>) -> Option<Duration> {
        let bound = self.backoff.saturating_mul(2u32.saturating_pow(done)).min(self.longest);
        let delay = bound.mul_f64(share).max(asked.unwrap_or_default());
        (delay <= self.longest).then_some(delay)
    }
}

/// Whether a status says that it may be otherwise later: those that curl's `--retry` has.
pub fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// Whether no answer came for a reason that may be otherwise later.
pub fn may_pass_over(error: &Error) -> bool {
    let before = error.phase < Phase::Read;
    before
        && match error.kind {
            Kind::Connect | Kind::Dns | Kind::Refused | Kind::Reset | Kind::Io => true,
            Kind::Incomplete | Kind::Stream => true,
            Kind::Timeout => error.phase > Phase::Queue,
            Kind::Proxy => error.proxy_status == 0 || may_pass(error.proxy_status),
            _ => false,
        }
}

/// Whether nothing of the request had been sent: then any method may be repeated.
pub fn was_unsent(error: &Error) -> bool {
    error.phase < Phase::Send
}

/// How long the server asks to wait, `now` being seconds since 1970: RFC 9110 section 10.2.3.
pub fn asked(head: &Head, now: i64) -> Option<Duration> {
    let value = head.all("retry-after").next()?.trim_ascii();
    let seconds = match std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok()) {
        Some(seconds) => seconds,
        None if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => u64::MAX,
        None => u64::try_from(date::parse(value)? - now).unwrap_or(0),
    };
    Some(Duration::from_secs(seconds))
}

/// A random number from 0 to 1.
pub fn share() -> f64 {
    (random() >> 11) as f64 / (1u64 << 53) as f64
}

/// A random number.
pub fn random() -> u64 {
    RandomState::new().hash_one(()) // its keys are the system's
}

/// What the retries of a client have used up of its budget.
#[derive(Debug, Default)]
pub struct Budget {
    used: AtomicU32,
}

/// Answers that pay for a retry: in the long run it is a fifth of all requests.
const ANSWERS: u32 = 5;

impl Budget {
    /// Takes one of `stock`, if one is left.
    pub fn take(&self, stock: u32) -> bool {
        let most = stock.saturating_mul(ANSWERS);
        let paid = |used: u32| used.checked_add(ANSWERS).filter(|sum| *sum <= most);
        stock == 0 || self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, paid).is_ok()
    }

    /// An answer came that need not be asked for again.
    pub fn refill(&self) {
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| used.checked_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice() -> Choice {
        Choice { backoff: Duration::from_secs(1), longest: Duration::from_secs(10), ..Choice::default() }
    }

    #[test]
    fn the_bound_doubles_and_has_an_end() {
        let seconds = |done| choice().delay(done, 1.0, None).unwrap().as_secs();

        assert_eq!(vec![1, 2, 4, 8, 10, 10], [0, 1, 2, 3, 4, 4000].map(seconds).to_vec());
        assert_eq!(Some(Duration::ZERO), choice().delay(3, 0.0, None));
        assert_eq!(Some(Duration::from_secs(2)), choice().delay(2, 0.5, None));
    }

    #[test]
    fn the_server_may_ask_for_longer_and_not_for_too_long() {
        let delay = |asked| choice().delay(0, 0.5, Some(Duration::from_secs(asked)));

        assert_eq!(Some(Duration::from_millis(500)), delay(0));
        assert_eq!(Some(Duration::from_secs(10)), delay(10));
        assert_eq!(None, delay(11));
    }

    #[test]
    fn what_the_server_asks_for_is_seconds_or_a_date() {
        let wait = |value: &str| {
            let sent = format!("HTTP/1.1 503 X\r\nretry-AFTER: {value}\r\n\r\n");
            asked(&Head::read(sent.as_bytes(), b"", false).unwrap().0, 784_111_770).map(|time| time.as_secs())
        };

        assert_eq!(Some(120), wait("120"));
        assert_eq!(Some(7), wait("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(Some(0), wait("Sun, 06 Nov 1993 08:49:37 GMT"));
        assert_eq!(Some(u64::MAX), wait("99999999999999999999999"));
        assert_eq!((None, None, None), (wait("soon"), wait(""), wait("-1")));
    }

    #[test]
    fn statuses_that_may_pass() {
        let those: Vec<u16> = (100..600).filter(|status| may_pass(*status)).collect();

        assert_eq!(vec![408, 429, 500, 502, 503, 504], those);
    }

    #[test]
    fn failures_that_may_pass_have_come_before_any_answer() {
        let of = |kind, phase| may_pass_over(&Error::new(kind, phase, ""));

        assert!(of(Kind::Refused, Phase::Connect) && of(Kind::Dns, Phase::Resolve));
        assert!(of(Kind::Reset, Phase::Await) && of(Kind::Timeout, Phase::Await));
        assert!(!of(Kind::Reset, Phase::Read) && !of(Kind::Timeout, Phase::Read));
        assert!(!of(Kind::Timeout, Phase::Queue) && !of(Kind::TlsVerify, Phase::Secure));
        assert!(!of(Kind::Protocol, Phase::Await) && !of(Kind::Forbidden, Phase::Connect));
        let proxy = Error::new(Kind::Proxy, Phase::Tunnel, "");
        assert!(may_pass_over(&proxy) && may_pass_over(&proxy.clone().with_proxy_status(503)));
        assert!(!may_pass_over(&proxy.with_proxy_status(407)));
    }

    #[test]
    fn five_answers_pay_for_a_retry() {
        let budget = Budget::default();
        assert!(budget.take(2) && budget.take(2) && !budget.take(2));

        (0..4).for_each(|_| budget.refill());
        assert!(!budget.take(2));
        budget.refill();
        assert!(budget.take(2) && !budget.take(2));
        assert!(budget.take(0), "without a budget");
    }

    #[test]
    fn a_stock_is_not_saved_beyond_its_size() {
        let budget = Budget::default();
        (0..100).for_each(|_| budget.refill());

        assert!(budget.take(1) && !budget.take(1));
    }

    #[test]
    fn shares_differ_and_stay_within() {
        let shares: Vec<f64> = (0..100).map(|_| share()).collect();

        assert!(shares.iter().all(|share| (0.0..1.0).contains(share)));
        assert!(shares.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
