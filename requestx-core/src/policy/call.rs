//! A call between two of its hops: what is known of it, and what comes next.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::auth::{self, Asked, Challenge, Origin};
use super::jar::Place;
use super::request::Request;
use super::{follow, now, reference, retry, Choice, Memory};
use crate::body::recv::Body;
use crate::deadline::{Deadline, Phase};
use crate::error::{Error, Kind};
use crate::head::Head;
use crate::plan::{origin_of, Plan};
use crate::reply::{Course, Hop, Reply, Timing};
use crate::runtime::Lane;

const UNAUTHORIZED: u16 = 401;
/// A nonce may be too old by the time that it comes back, but not each time.
const MOST_ANSWERS: u32 = 3;

/// What comes after an answer that is not the caller's, or after none.
pub enum Step {
    Follow(String),
    Again(Duration),
    Answer(Challenge),
}

/// A call and its current hop.
pub struct Call<'a> {
    memory: &'a Memory,
    choice: Choice,
    request: Request,
    pub plan: Arc<Plan>,
    pub deadline: Deadline,
    /// Where the caller's credentials go, until the call has left it.
    home: Option<Origin>,
    /// How often this request has answered a challenge.
    answers: u32,
    redirects: u32,
    retries: u32,
    hops: Vec<Hop>,
}

impl Call<'_> {
    /// Who asks, and the cookies, are in the first plan already.
    ///
    /// # Errors
    /// As `Plan::parse`.
    pub fn begin(memory: &Memory, plan: Arc<Plan>) -> Result<Call<'_>, Error> {
        let (choice, mut request) = (plan.options.policy.clone(), Request::of(&plan));
        let logs_in = !choice.login.user.is_empty() && !request.says_who();
        if logs_in && !choice.digest {
            request.log_in(choice.login.basic());
        }
        let mut call = Call {
            memory,
            home: origin_of(&request.url).ok().filter(|_| logs_in && choice.digest),
            answers: 0,
            deadline: Deadline::start(&plan.options, Instant::now()),
            choice,
            request,
            plan,
            redirects: 0,
            retries: 0,
            hops: Vec::new(),
        };
        if logs_in || call.choice.cookies {
            call.make_plan()?;
        }
        Ok(call)
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
    pub fn after(&self, head: &Head) -> Option<Result<Step, Error>> {
        if self.choice.cookies && head.sets_cookies {
            self.keep_cookies(head);
        }
        if let (Some(home), Some(nonce)) = (&self.home, auth::next_nonce(head)) {
            self.memory.challenges.renew(home, nonce);
        }
        if self.choice.redirects > 0 && head.is_redirect() {
            return Some(self.redirect(head));
        }
        if let Some(challenge) = self.challenge(head) {
            return Some(Ok(Step::Answer(challenge)));
        }
        if !retry::may_pass(head.status) {
            self.memory.budget.refill();
            return None;
        }
        let delay = self.again(false, retry::asked(head, now()))?;
        Some(Ok(Step::Again(delay)))
    }

    /// What `head` asks, if that is to be answered.
    fn challenge(&self, head: &Head) -> Option<Challenge> {
        let asks = head.status == UNAUTHORIZED && self.home.is_some() && self.request.upload().is_none();
        let again = |stale| self.answers == 0 || (stale && self.answers < MOST_ANSWERS);
        asks.then(|| auth::challenge(head)).flatten().filter(|challenge| again(challenge.is_stale))
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
    pub fn after_failure(&self, error: &Error) -> Option<Duration> {
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
    pub async fn hop(&self, reply: Reply, lane: Lane) -> Hop {
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
    pub fn failed(&self, error: &Error) -> Hop {
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
    ///
    /// # Errors
    /// What is wrong with where `hop` led to.
    pub async fn go_on(&mut self, mut hop: Hop, step: Step) -> Result<(), Error> {
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

    pub fn end(self, mut reply: Reply) -> Reply {
        if !self.hops.is_empty() {
            reply.course = Some(Box::new(Course { url: self.request.url, hops: self.hops }));
        }
        reply
    }

    /// The error of the last try, saying that it was not the first.
    pub fn tell(&self, mut error: Error) -> Error {
        if self.retries > 0 {
            error.message = format!("{} (tried {} times)", error.message, self.retries + 1);
        }
        error
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
