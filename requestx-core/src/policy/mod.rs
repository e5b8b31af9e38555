//! Policy, for callers who want it: what is done beyond one exchange.
//!
//! ```text
//!   cookies ─→ exchange ─→ cookies ─→ redirect? ───→ the next request ─┐
//!      ↑                     │    ├──→ who asks? ───→ the answer ───────┤
//!      │                     │    └──→ may it pass? → a delay ──────────┤
//!      │                     └───────→ the caller's                     │
//!      └────────────────────────────────────────────────────────────────┘
//! ```
//!
//! An exchange is one hop; `run` makes a call of hops. Nothing of it is done unless an option asks for it, and Python
//! never does: its flow keeps the rules of requests, with hooks at each hop and methods that users override.
//! Each rule is a value or a function without I/O and clock, in the file of its name; their order is in `call.rs`.

pub mod auth;
mod call;
pub mod date;
pub mod follow;
pub mod jar;
pub mod reference;
pub mod request;
pub mod retry;
pub mod suffix;

use std::sync::Arc;
use std::time::SystemTime;

use crate::error::Error;
use crate::exchange::{self, Leg};
use crate::head::Head;
use crate::lease::Connections;
use crate::plan::Plan;
use crate::proxy::Login;
use crate::reply::Reply;
use crate::runtime::Lane;
use auth::Challenges;
use call::{Call, Step};
use jar::Jar;

/// What a caller may choose of it. `Default` is nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Redirects that are followed; with 0 they are answers like others.
    pub redirects: u32,
    /// They may lead from https to http.
    pub to_plain: bool,
    pub retry: retry::Choice,
    /// The client's cookies are sent, and those that come are kept.
    pub cookies: bool,
    /// Who the caller is to the origin that is asked first; without a user nobody.
    pub login: Login,
    /// By Digest, when the server asks who it is, and not by Basic.
    pub digest: bool,
}

impl Default for Choice {
    fn default() -> Choice {
        Choice {
            redirects: 0,
            to_plain: true,
            retry: retry::Choice::default(),
            cookies: false,
            login: Login::default(),
            digest: false,
        }
    }
}

impl Choice {
    /// An exchange is all that is wanted.
    pub fn is_off(&self) -> bool {
        self.redirects == 0 && self.retry.times == 0 && !self.cookies && self.login.user.is_empty()
    }
}

/// What a client keeps from call to call.
#[derive(Debug, Default)]
pub struct Memory {
    budget: retry::Budget,
    challenges: Challenges,
    pub jar: Jar,
}

/// Runs `plan`, and what follows from its answer, in the current lane. The total time limit is for all of it.
///
/// # Errors
/// Those of the last exchange; `TooManyRedirects`; what is wrong with an address that an answer leads to.
pub async fn run(
    memory: &Memory,
    connections: &Arc<Connections>,
    plan: Arc<Plan>,
    lane: Lane,
) -> Result<Reply, Error> {
    let mut call = Call::begin(memory, plan)?;
    loop {
        let plan = call.plan.clone();
        let mut next = None;
        let mut judge = |head: &Head| {
            next = call.after(head);
            next.is_none()
        };
        let leg = Leg { clock: &call.deadline, judge: &mut judge };
        let outcome = exchange::run(connections, &plan, lane, Some(leg)).await;
        let (hop, step) = match (outcome, next) {
            (Ok(reply), None) => return Ok(call.end(reply)),
            (Ok(reply), Some(step)) => (call.hop(reply, lane).await, step?),
            (Err(error), _) => match call.after_failure(&error) {
                Some(delay) => (call.failed(&error), Step::Again(delay)),
                None => return Err(call.tell(error)),
            },
        };
        call.go_on(hop, step).await?;
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64)
}
