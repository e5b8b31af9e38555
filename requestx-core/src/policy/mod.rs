//! Policy, for callers who want it: what is done beyond one exchange.
//!
//! ```text
//!   cookies ─→ exchange ─→ cookies ─→ redirect? ──→ the next request ──┐
//!      ↑                     │    └──→ may it pass? ─→ a delay ──────────┤
//!      │                     └───────→ the caller's                     │
//!      └────────────────────────────────────────────────────────────────┘
//! ```
//!
//! An exchange is one hop; `run` makes a call of hops. Nothing of it is done unless an option asks for it, and Python
//! never does: its flow keeps the rules of requests, with hooks at each hop and methods that users override.
//! Each rule is a value or a function without I/O and clock, in the file of its name; the order is here.

pub mod auth;
mod date;
pub mod follow;
pub mod jar;
mod reference;
mod request;
pub mod retry;
mod suffix;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::body::recv::Body;
use crate::deadline::{Deadline, Phase};
use crate::error::{Error, Kind};
use crate::exchange::{self, Leg};
use crate::head::Head;
use crate::lease::Connections;
use crate::plan::{origin_of, Plan};
use crate::proxy::Login;
use crate::reply::{Course, Hop, Reply, Timing};
use crate::runtime::Lane;
use auth::{Asked, Challenge, Challenges, Origin};
use jar::{Jar, Place};
use request::Request;

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
    let mut call = Call::new(memory, plan);
    if call.choice.cookies || !call.choice.login.user.is_empty() {
        call.make_plan()?;
    }
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

/// What comes after an answer that is not the caller's, or after none.
enum Step {
    Follow(String),
    Again(Duration),
    Answer(Challenge),
}

/// A call and its current hop.
struct Call<'a> {
    memory: &'a Memory,
    choice: Choice,
    request: Request,
    plan: Arc<Plan>,
    deadline: Deadline,
    /// Where the caller's credentials go, until the call has left it.
    home: Option<Origin>,
    /// How often this request has answered a challenge.
    answers: u32,
    redirects: u32,
    retries: u32,
    hops: Vec<Hop>,
}

impl Call<'_> {
    fn new(memory: &Memory, plan: Arc<Plan>) -> Call<'_> {
        let (choice, mut request) = (plan.options.policy.clone(), Request::of(&plan));
        let logs_in = !choice.login.user.is_empty() && !request.says_who();
        if logs_in && !choice.digest {
            request.log_in(choice.login.basic());
        }
        Call {
            memory,
            home: origin_of(&request.url).ok().filter(|_| logs_in && choice.digest),
            answers: 0,
            choice,
            request,
            deadline: Deadline::start(&plan.options, Instant::now()),
            plan,
            redirects: 0,
            retries: 0,
            hops: Vec::new(),
        }
    }

    /// Plans the request as it is now, with the cookies that go there, and the answer to a challenge.
    fn make_plan(&mut self) -> Result<(), Error> {
        if let Some(answer) = self.home.as_ref().and_then(|home| self.answer(home)) {
            self.request.log_in(answer.into());
        }
        let cookies = match self.choice.cookies {
            true => self.memory.jar.to(&Place::of(&self.request.url)?, now()),
            false => Vec::new(),
        };
        self.plan = Arc::new(self.request.plan(&self.plan, &cookies)?);
        Ok(())
    }

    fn answer(&self, home: &Origin) -> Option<Vec<u8>> {
        let (challenge, count) = self.memory.challenges.next(home)?;
        let uri = reference::target(&self.request.url);
        let asked = Asked { method: &self.request.method, uri: &uri, body: self.request.body() };
        challenge.answer(&self.choice.login, asked, count)
    }

    fn keep_cookies(&self, head: &Head) {
        let Ok(place) = Place::of(&self.request.url) else { return };
        for line in head.all("set-cookie") {
            let _ = self.memory.jar.store(line, &place, now()); // those that may not be set are passed over
        }
    }

    /// What `head` leads to; `None` if it is the caller's.
    fn after(&self, head: &Head) -> Option<Result<Step, Error>> {
        if self.choice.cookies && head.sets_cookies {
            self.keep_cookies(head);
        }
        if self.choice.redirects > 0 && follow::is_redirect(head) {
            return Some(self.redirect(head));
        }
        if head.status == UNAUTHORIZED && self.home.is_some() && self.request.upload().is_none() {
            let may_be = |challenge: &Challenge| {
                self.answers == 0 || (challenge.is_stale && self.answers < MOST_ANSWERS)
            };
            let challenge = auth::challenge(head).filter(may_be);
            if let Some(challenge) = challenge {
                return Some(Ok(Step::Answer(challenge)));
            }
        }
        if !retry::may_pass(head.status) {
            self.memory.budget.refill();
            return None;
        }
        let delay = self.again(false, retry::asked(head, now()))?;
        Some(Ok(Step::Again(delay)))
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

    /// The delay before the same is tried again, if it may be.
    fn after_failure(&self, error: &Error) -> Option<Duration> {
        if !retry::may_pass_over(error) {
            return None;
        }
        self.again(retry::was_unsent(error), None)
    }

    fn again(&self, unsent: bool, asked: Option<Duration>) -> Option<Duration> {
        let choice = &self.choice.retry;
        let repeatable = choice.any_method || unsent || self.plan.method.is_idempotent();
        if self.retries >= choice.times || !repeatable || self.request.upload().is_some() {
            return None;
        }
        let delay = choice.delay(self.retries, retry::share(), asked)?;
        let allowed = self.deadline.outlasts(Instant::now(), delay) && self.memory.budget.take(choice.budget);
        allowed.then_some(delay)
    }

    /// An exchange whose answer was not the caller's, and whose body is dropped.
    async fn hop(&self, reply: Reply, lane: Lane) -> Hop {
        let mut timing = reply.timing;
        if let Some(mut body) = reply.body {
            if body.serves_on() && drain(&mut body).await {
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

    /// An exchange that got no answer.
    fn failed(&self, error: &Error) -> Hop {
        Hop {
            url: self.request.url.clone(),
            status: 0,
            failure: Some(error.kind),
            repeated: true,
            pause: Duration::ZERO,
            timing: Timing::default(),
        }
    }

    /// Makes the next hop the current one, when it is time for it.
    async fn go_on(&mut self, mut hop: Hop, step: Step) -> Result<(), Error> {
        match step {
            Step::Follow(url) => {
                follow::follow(&mut self.request, hop.status, url)?;
                self.redirects += 1;
                self.answers = 0;
                self.home =
                    self.home.take().filter(|home| origin_of(&self.request.url).is_ok_and(|to| to == *home));
            }
            Step::Answer(challenge) => {
                hop.repeated = true;
                self.answers += 1;
                self.home.iter().for_each(|home| self.memory.challenges.keep(home, challenge.clone()));
            }
            Step::Again(delay) => {
                (hop.repeated, hop.pause) = (true, delay);
                self.retries += 1;
                tokio::time::sleep(delay).await;
            }
        }
        if !hop.repeated || self.choice.cookies || self.home.is_some() {
            self.make_plan()?;
        }
        self.hops.push(hop);
        Ok(())
    }

    fn end(self, mut reply: Reply) -> Reply {
        if !self.hops.is_empty() {
            reply.course = Some(Box::new(Course { url: self.request.url, hops: self.hops }));
        }
        reply
    }

    /// The error of the last try, saying that it was not the first.
    fn tell(&self, mut error: Error) -> Error {
        if self.retries > 0 {
            error.message = format!("{} (tried {} times)", error.message, self.retries + 1);
        }
        error
    }
}

const UNAUTHORIZED: u16 = 401;
/// A nonce may be too old by the time that it comes back, but not each time.
const MOST_ANSWERS: u32 = 3;

/// Seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs() as i64)
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
