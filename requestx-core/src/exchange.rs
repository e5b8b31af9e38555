//! One exchange, top to bottom: check out → send → await the head → hand over the body.
//!
//! This file is written in the order of the wire and knows nothing of C, lanes or callers.
//! It does one hop: redirects, cookies and retries are policy and live above (`policy/`).

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::Request;

use crate::body::decode::Decoder;
use crate::body::recv::Body;
use crate::body::send::{check_sending, while_sending, Abandon, SendBody};
use crate::connection::{Connection, Incoming};
use crate::deadline::{Deadline, Phase};
use crate::error::{is_of_one_stream, is_unprocessed, wants_http1, Error, Kind};
use crate::head::{Head, SWITCHING_PROTOCOLS};
use crate::http2::Refusal;
use crate::lease::{Connections, Lease};
use crate::plan::{has_token, Outgoing, Plan};
use crate::reply::{Reply, Timing};
use crate::runtime::Lane;
use crate::upgraded::Upgraded;
use crate::wire::{Ours, Tap};

/// Bodies up to this size are read to their end within the exchange; the rest of a larger one is pulled.
pub const WHOLE: usize = 1024 * 1024;

/// Runs `plan` in the current lane.
///
/// A reused connection that died before anything was answered is replaced once, silently, where that is safe:
/// when nothing of the request had left, or when the method may be repeated (RFC 9110 section 9.2.2).
/// A server of HTTP/2 that goes away tells which requests it has not begun with; in a burst that may happen several
/// times to one of them, so these go on to the next connection, and to the next. And one that wants HTTP/1.1 for a
/// request, as some do where a connection is authenticated, is asked in that.
/// It may be a `leg` of a longer way; most are not, and carry no more than the place for one.
///
/// # Errors
/// Whatever ended it, with the phase it ended in.
pub async fn run(
    connections: &Arc<Connections>,
    plan: &Plan,
    lane: Lane,
    mut leg: Option<Leg<'_>>,
) -> Result<Reply, Error> {
    let now = Instant::now();
    let mut deadline =
        leg.as_ref().map_or_else(|| Deadline::start(&plan.options, now), |leg| leg.clock.again(now));
    let _abandon = Abandon(match &plan.body {
        Outgoing::Pushed(upload) => Some(upload.clone()),
        _ => None,
    });
    let (mut fresh, mut repeated) = (false, 0);
    let mut older = None;
    loop {
        let plan = older.as_deref().unwrap_or(plan);
        let mut lease = connections.check_out(plan, lane, &mut deadline, fresh).await?;
        match send(&mut lease, plan, &mut deadline).await {
            Ok(answer) => return receive(lease, answer, plan, deadline, leg.as_mut()).await,
            Err(lost) if lost.wants_http1 && plan.may_speak_http1() => {
                older = Some(Box::new(plan.over_http1()))
            }
            Err(lost) if repeated < lost.most && lost.may_be_repeated(plan, lease.reused) => {
                (fresh, repeated) = (!lost.refused, repeated + 1);
            }
            Err(lost) => {
                lease.give_up().await;
                return Err(lost.error);
            }
        }
    }
}

/// One of several exchanges that make a call.
pub struct Leg<'a> {
    /// That of the call: its total goes on.
    pub clock: &'a Deadline,
    /// Whether a head is that of the caller's answer. The body of another one is not begun, and not decoded: it is for
    /// dropping.
    pub judge: &'a mut (dyn FnMut(&Head) -> bool + Send),
}

/// A request that got no answer.
struct Lost {
    error: Error,
    unsent: bool,
    answered: bool,
    /// The server says that it has not begun with it.
    refused: bool,
    wants_http1: bool,
    /// How often it may be repeated.
    most: u32,
}

/// Connections on which one request may be turned away.
const TURNED_AWAY: u32 = 10;

impl Lost {
    fn may_be_repeated(&self, plan: &Plan, reused: bool) -> bool {
        if self.refused {
            return !matches!(plan.body, Outgoing::Pushed(_)); // part of that is gone
        }
        let died = matches!(self.error.kind, Kind::Reset | Kind::Incomplete | Kind::Closed | Kind::Io);
        reused && (self.unsent || (died && !self.answered && plan.repeatable()))
    }
}

/// What answers: its body, and its head, unless the wire has that.
type Answer = (Option<Head>, Incoming);

/// Sends the request and waits for the head of the response.
async fn send(lease: &mut Lease, plan: &Plan, deadline: &mut Deadline) -> Result<Answer, Lost> {
    let tap = lease.connection.tap().clone();
    let now = Instant::now();
    deadline.enter(Phase::Send, now);
    let outcome = match &mut lease.connection {
        Connection::One(one) => {
            tap.arm(head_of(plan), plan.options.max_head, plan.options.limits.pace, now);
            let mut request = Request::new(SendBody::new(&plan.body, &tap, plan.expects));
            *request.method_mut() = plan.method.clone();
            *request.headers_mut() = plan.framing.clone();
            let answer = one.sender.try_send_request(request);
            let outcome = one.drive(answer_in_time(answer, &tap, plan, deadline)).await;
            outcome.map(|answer| match answer {
                Ok(response) => Ok((None, Incoming::One(response.into_body()))),
                Err(mut refused) => {
                    let unsent = refused.take_message().is_some();
                    Err(Refusal { fault: refused.into_error().into(), unsent })
                }
            })
        }
        Connection::Two(two) => match two.dispatch(plan, now) {
            Ok(answer) => {
                let outcome = Box::pin(answer_in_time(answer, &tap, plan, deadline)).await;
                outcome.map(|answer| answer.map(|(head, body)| (Some(head), Incoming::Two(body))))
            }
            Err(error) => Err(error),
        },
    };
    if let Some(sent) = tap.sent() {
        deadline.enter(Phase::Await, sent.max(deadline.started));
    }
    let answered = tap.counts().received > 0;
    match outcome {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(Refusal { fault, unsent })) => {
            let phase = deadline.phase();
            let version = if lease.connection.is_shared() { " over HTTP/2" } else { "" };
            let what = format!("{} {} ({}){version}", plan.method, plan.url, plan.key);
            let mut error = lease.connection.explain(Error::of_fault(phase, &what, &*fault));
            let all = !is_of_one_stream(&*fault);
            if all {
                lease.connection.retire(); // what ended this stream ended all of them
            }
            if lease.connection.is_shared() && error.kind == Kind::Closed {
                error.kind = Kind::Reset; // it is not we who closed
            }
            if let Outgoing::Pushed(upload) = &plan.body {
                error = upload.failure().map_or(error, |failure| failure.about(&what));
            }
            let refused = is_unprocessed(&*fault);
            let turned_away = lease.connection.is_shared() && all && (refused || unsent);
            let most = if turned_away { TURNED_AWAY } else { 1 };
            Err(Lost { error, unsent, answered, refused, wants_http1: wants_http1(&*fault), most })
        }
        Err(error) => {
            if matches!(error.kind, Kind::Timeout) {
                lease.connection.retire_if_silent();
            }
            Err(Lost { error, unsent: false, answered, refused: false, wants_http1: false, most: 0 })
        }
    }
}

fn head_of(plan: &Plan) -> Ours {
    let given = |name| plan.framing.get(name).cloned();
    Ours {
        head: plan.head.clone(),
        length: given(CONTENT_LENGTH),
        coding: given(TRANSFER_ENCODING),
        has_body: plan.body.length() != Some(0),
        asks_for_head: plan.method == http::Method::HEAD,
    }
}

/// Waits for `answer`: as long as Send allows without progress, then as long as Await allows in all.
async fn answer_in_time<F: std::future::Future>(
    answer: F,
    tap: &Tap,
    plan: &Plan,
    deadline: &Deadline,
) -> Result<F::Output, Error> {
    let mut answer = pin!(answer);
    let what = || format!("{} {} ({})", plan.method, plan.url, plan.key);
    loop {
        let now = Instant::now();
        let next = match tap.sent() {
            Some(sent) => {
                let until = deadline.until(Phase::Await, sent);
                if until.is_some_and(|until| until <= now) {
                    return Err(deadline.expired(Phase::Await, what()));
                }
                until
            }
            // While the request goes out, the limit on Await says when to look whether it is out.
            None => {
                let until = check_sending(tap, &plan.body, deadline, what, now)?;
                until.into_iter().chain(deadline.until(Phase::Await, now)).min()
            }
        };
        let Some(next) = next else { return Ok(answer.await) };
        if let Ok(done) = tokio::time::timeout_at(next.into(), answer.as_mut()).await {
            return Ok(done);
        }
    }
}

/// Takes the head apart and reads the body as far as the plan wants it.
async fn receive(
    mut lease: Lease,
    (head, incoming): Answer,
    plan: &Plan,
    mut deadline: Deadline,
    leg: Option<&mut Leg<'_>>,
) -> Result<Reply, Error> {
    let what = || format!("{} {} ({})", plan.method, plan.url, plan.key);
    let mut head = take_head(&mut lease.connection, head).map_err(|error| error.about(&what()))?;
    let served = Served::by(&lease, plan);
    let wanted = leg.is_none_or(|leg| (leg.judge)(&head));
    if head.status == SWITCHING_PROTOCOLS {
        let upgraded = switch(lease, &head, plan, &deadline).await.map_err(|error| error.about(&what()))?;
        deadline.enter(Phase::None, Instant::now());
        let (whole, upgraded) = (Some(Bytes::new()), Some(Arc::new(upgraded)));
        return Ok(Reply { whole, upgraded, ..Reply::new(head, served.timing(&deadline)) });
    }
    if !plan.keep_alive {
        lease.connection.retire(); // HTTP/2 has no word for it, but the caller wants it closed
    }
    let tap = &served.tap;
    let unwanted = tap.holds(); // it was answered without its body, and what follows would be read as that body
    lease.keep = plan.keep_alive && head.keeps && !unwanted;
    let decoder = match wanted && plan.options.decode && plan.method != http::Method::HEAD {
        true => Decoder::new(&head.codings, plan.options.growth).map_err(|error| error.about(&what()))?,
        false => None,
    };
    let now = Instant::now();
    deadline.enter(Phase::Read, now);
    // An answer may come before all of the request is out: a server that is content with it wants the rest as well.
    let goes_on = wanted && !unwanted && head.status < 300 && tap.sent().is_none();
    let begun = head.body.take();
    if let Some(whole) = begun.as_ref().filter(|_| decoder.is_none() && !plan.stream && wanted && !goes_on) {
        deadline.enter(Phase::None, now);
        let timing = served.timing(&deadline);
        lease.give_back(now).await;
        let raw_bytes = whole.len() as u64;
        return Ok(Reply { whole: begun, raw_bytes, ..Reply::new(head, timing) });
    }
    let mut body = Box::new(Body::new(begun, incoming, decoder, lease, deadline, plan.whence()));
    if goes_on {
        body.send_rest(&plan.body, if plan.stream { WHOLE } else { plan.options.growth.most() }).await?;
    }
    let whole = match plan.stream || !wanted {
        true => None,
        false => {
            body.bound();
            match read_whole(&mut body).await {
                // What is wrong with a body that hardly anybody reads is told to who reads it.
                Err(error) if error.kind != Kind::Timeout && head.is_redirect() => None,
                read => read?,
            }
        }
    };
    let timing = served.timing(&body.deadline);
    let body = match whole {
        Some(Whole::Complete(bytes)) => {
            let (raw_bytes, trailers) = (body.raw_bytes, body.take_trailers());
            return Ok(Reply { whole: Some(bytes), raw_bytes, trailers, ..Reply::new(head, timing) });
        }
        Some(Whole::Begun(bytes)) => {
            body.put_back(bytes);
            body
        }
        None => body,
    };
    Ok(Reply { body: Some(body), ..Reply::new(head, timing) })
}

/// The head of the answer that is there: the `given` one, or the wire's.
fn take_head(connection: &mut Connection, given: Option<Head>) -> Result<Head, Error> {
    let nothing = || Error::new(Kind::Protocol, Phase::Await, "an answer to nothing");
    let head = given.or_else(|| connection.tap().take_head()).ok_or_else(nothing)?;
    if let Connection::One(one) = connection {
        one.speaks_1_0 |= head.version == 10;
    }
    Ok(head)
}

/// What a reply says of the connection that it came over, which may be gone by then.
struct Served {
    tap: Tap,
    id: u64,
    peer: u32,
    reused: bool,
}

impl Served {
    fn by(lease: &Lease, plan: &Plan) -> Served {
        let (tap, id) = (lease.connection.tap().clone(), lease.connection.id());
        Served { tap, id, peer: if plan.key.secure { id as u32 } else { 0 }, reused: lease.reused }
    }

    fn timing(&self, deadline: &Deadline) -> Timing {
        let (spent, counts) = (deadline.spent, self.tap.counts());
        Timing { spent, counts, connection: self.id, peer: self.peer, reused: self.reused }
    }
}

/// The server speaks another protocol from here on: the connection is the caller's, and is no pool's any more.
async fn switch(lease: Lease, head: &Head, plan: &Plan, deadline: &Deadline) -> Result<Upgraded, Error> {
    let wrong = |why: &str| {
        let why = format!("the server switched protocols (101), {why}");
        Err(Error::new(Kind::Protocol, Phase::Await, why))
    };
    let holds = lease.connection.tap().holds();
    let (Connection::One(one), count) = lease.hand_over() else {
        return wrong("for which HTTP/2 has no word");
    };
    if plan.offered().next().is_none() {
        return wrong("which was not asked for");
    }
    let chosen: Vec<_> = head.all("upgrade").collect();
    if !chosen.is_empty() && !plan.offered().any(|offer| chosen.iter().any(|value| has_token(value, offer))) {
        let chosen = chosen.join(&b", "[..]);
        return wrong(&format!("to {:?}, which was not offered", String::from_utf8_lossy(&chosen)));
    }
    if holds {
        return wrong("and did not want the body that comes before that");
    }
    let (tap, what) = (one.tap.clone(), || format!("send the body to {}", plan.url));
    let (stream, first) = while_sending(&tap, &plan.body, deadline, what, one.into_stream()).await?;
    if tap.sent().is_none() {
        return wrong("and did not take the whole body that comes before that");
    }
    let place = format!("the connection to {}", plan.url);
    Ok(Upgraded::new(Box::new(stream), &first, &plan.options.limits, place, Some(count)))
}

enum Whole {
    Complete(Bytes),
    Begun(Bytes),
}

/// Reads the body up to `WHOLE` bytes; one that announces more is not begun.
async fn read_whole(body: &mut Body) -> Result<Option<Whole>, Error> {
    if body.length().is_some_and(|length| length > WHOLE as u64) {
        return Ok(None);
    }
    let Some(first) = body.next(false).await? else {
        return Ok(Some(Whole::Complete(Bytes::new())));
    };
    let Some(second) = body.next(false).await? else {
        return Ok(Some(Whole::Complete(first)));
    };
    let mut all = Vec::with_capacity(body.length().unwrap_or(0) as usize + first.len() + second.len());
    all.extend_from_slice(&first);
    all.extend_from_slice(&second);
    while all.len() <= WHOLE {
        match body.next(false).await? {
            Some(piece) => all.extend_from_slice(&piece),
            None => return Ok(Some(Whole::Complete(all.into()))),
        }
    }
    Ok(Some(Whole::Begun(all.into())))
}
