//! Policy, for callers who want it: what is done beyond one exchange.
//!
//! ```text
//!   exchange ─→ redirect? ──→ the next request ─┐
//!      ↑  └──→ the caller's                     │
//!      └────────────────────────────────────────┘
//! ```
//!
//! An exchange is one hop; `run` makes a call of hops. Nothing of it is done unless an option asks for it, and Python
//! never does: its flow keeps the rules of requests, with hooks at each hop and methods that users override.
//! Each rule is a value or a function without I/O and clock, in the file of its name; the order is here.

pub mod follow;
mod reference;
mod request;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::body::recv::Body;
use crate::deadline::{Deadline, Phase};
use crate::error::{Error, Kind};
use crate::exchange;
use crate::head::Head;
use crate::lease::Connections;
use crate::plan::Plan;
use crate::reply::{Course, Hop, Reply};
use crate::runtime::Lane;
use request::Request;

/// What a caller may choose of it. `Default` is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// Redirects that are followed; with 0 they are answers like others.
    pub redirects: u32,
    /// They may lead from https to http.
    pub to_plain: bool,
}

impl Default for Choice {
    fn default() -> Choice {
        Choice { redirects: 0, to_plain: true }
    }
}

impl Choice {
    /// An exchange is all that is wanted.
    pub fn is_off(&self) -> bool {
        self.redirects == 0
    }
}

/// Runs `plan`, and what follows from its answer, in the current lane. The total time limit is for all of it.
///
/// # Errors
/// Those of the last exchange; `TooManyRedirects`; what is wrong with an address that an answer leads to.
pub async fn run(connections: &Arc<Connections>, plan: Arc<Plan>, lane: Lane) -> Result<Reply, Error> {
    let mut call = Call::new(&plan);
    let mut plan = plan;
    let mut deadline = Deadline::start(&plan.options, Instant::now());
    loop {
        let mut next = None;
        let mut judge = |head: &Head| {
            next = call.step(head);
            next.is_none()
        };
        let reply = exchange::run_until(connections, &plan, lane, deadline.clone(), &mut judge).await?;
        let Some(next) = next else { return Ok(call.end(reply)) };
        let hop = call.hop(reply, lane).await;
        match next? {
            Step::Follow(url) => {
                follow::follow(&mut call.request, hop.status, url)?;
                call.redirects += 1;
            }
        }
        call.hops.push(hop);
        plan = Arc::new(call.request.plan(&plan)?);
        deadline = deadline.again(Instant::now());
    }
}

/// What comes after an answer that is not the caller's.
enum Step {
    Follow(String),
}

/// A call between two of its hops.
struct Call {
    choice: Choice,
    request: Request,
    redirects: u32,
    hops: Vec<Hop>,
}

impl Call {
    fn new(plan: &Plan) -> Call {
        Call { choice: plan.options.policy, request: Request::of(plan), redirects: 0, hops: Vec::new() }
    }

    /// What `head` leads to; `None` if it is the caller's.
    fn step(&self, head: &Head) -> Option<Result<Step, Error>> {
        if self.choice.redirects > 0 && follow::is_redirect(head) {
            return Some(self.redirect(head));
        }
        None
    }

    fn redirect(&self, head: &Head) -> Result<Step, Error> {
        let url = follow::target(head, &self.request, self.choice.to_plain)?;
        if self.redirects < self.choice.redirects {
            return Ok(Step::Follow(url));
        }
        let (method, from) = (&self.request.method, &self.request.url);
        let why =
            format!("{method} {from}: {} redirects were followed, and it leads on to {url}", self.redirects);
        Err(Error::new(Kind::TooManyRedirects, Phase::Await, why))
    }

    /// An exchange whose answer was not the caller's, and whose body is dropped.
    async fn hop(&self, reply: Reply, lane: Lane) -> Hop {
        let mut timing = reply.timing;
        if let Some(mut body) = reply.body {
            if drain(&mut body).await {
                (timing.spent, timing.counts) = body.so_far();
            }
            drop(body);
            lane.turn().await; // where it was not read to its end, a stream of HTTP/2 is to be broken off
        }
        Hop {
            url: self.request.url.clone(),
            status: reply.head.status,
            failure: None,
            repeated: false,
            pause: Duration::ZERO,
            timing,
        }
    }

    fn end(self, mut reply: Reply) -> Reply {
        if !self.hops.is_empty() {
            reply.course = Some(Box::new(Course { url: self.request.url, hops: self.hops }));
        }
        reply
    }
}

/// Bytes of a body that are read to keep its connection; a new one costs less than more of them.
const WORTH_READING: u64 = 64 * 1024;
/// The same for time.
const WORTH_WAITING: Duration = Duration::from_secs(1);

/// Reads a body to its end, if that is near, so that its connection serves the next hop; whether it did.
async fn drain(body: &mut Body) -> bool {
    let end = async {
        while body.length().is_none_or(|length| length <= WORTH_READING) && body.raw_bytes <= WORTH_READING {
            match body.next(true).await {
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
        false
    };
    tokio::time::timeout(WORTH_WAITING, end).await.unwrap_or(false)
}
