//! The two lanes: who drives the I/O of an exchange.
//!
//! *wait*: the calling thread itself drives a shared `current_thread` runtime for as long as it waits.
//! Several threads may; one drives, the others are woken. Between calls nobody drives it.
//! *spawn*: one background thread drives a second runtime, from the first awaited exchange until `shutdown`.
//!
//! The same exchange took 36 µs with the caller driving and 153 µs handed to a multi-thread runtime.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;

use crate::deadline::Phase;
use crate::error::{Error, Kind};

/// A blocking call returns to its caller at least this often, so that signals are seen.
pub const SLICE: Duration = Duration::from_millis(50);
/// The wait lane always has a timer due within a slice. A timer that is due later than all others is cheap to add;
/// one that is due first makes tokio write to its eventfd and poll once more: 6 µs on a 36 µs exchange.
const TICK: Duration = Duration::from_millis(40);

/// A connection of HTTP/2 is closed in that many steps: its sender is gone, goodbye is written, the task ends.
const TURNS: usize = 4;

/// Which runtime drives a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    Wait,
    Spawn,
}

impl Lane {
    /// Lets the lane's other tasks say what they have to say, where nobody may come to drive them after this one.
    pub async fn turn(self) {
        if self == Lane::Wait {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// The runtimes of this process, made when first needed.
#[derive(Debug, Default)]
pub struct Lanes {
    wait: Mutex<Option<Arc<Runtime>>>,
    spawn: Mutex<Option<Background>>,
}

/// Jobs for the background thread, which starts them in its own context.
///
/// tokio writes to a descriptor for every task that another thread spawns. Here the first job of a batch wakes the
/// thread, and the others are found with it: with 32 exchanges in flight that is a system call less for each.
pub struct Jobs {
    /// `None` once the thread takes no more.
    waiting: Mutex<Option<Vec<Job>>>,
    some: Notify,
}

type Job = Box<dyn FnOnce() + Send>;

impl Jobs {
    fn new() -> Jobs {
        Jobs { waiting: Mutex::new(Some(Vec::new())), some: Notify::new() }
    }

    /// Has `job` run on the background thread, inside its runtime. Dropped if the thread ends before.
    pub fn push(&self, job: impl FnOnce() + Send + 'static) {
        let first = {
            let mut waiting = lock(&self.waiting);
            let Some(jobs) = &mut *waiting else {
                drop(waiting);
                return; // without the lock: `job` says that it was dropped
            };
            jobs.push(Box::new(job));
            jobs.len() == 1
        };
        if first {
            self.some.notify_one();
        }
    }

    async fn run(&self) {
        loop {
            self.some.notified().await;
            let jobs = lock(&self.waiting).as_mut().map(std::mem::take).unwrap_or_default();
            jobs.into_iter().for_each(|job| job());
        }
    }

    /// Takes no more of them, and drops those that wait.
    fn end(&self) {
        let late = lock(&self.waiting).take();
        drop(late); // without the lock
    }

    fn have_ended(&self) -> bool {
        lock(&self.waiting).is_none()
    }
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jobs({:?} waiting)", lock(&self.waiting).as_ref().map(Vec::len))
    }
}

#[derive(Debug)]
struct Background {
    jobs: Arc<Jobs>,
    stop: Arc<Notify>,
    thread: std::thread::JoinHandle<()>,
}

impl Lanes {
    /// Drives the wait lane until `work` is done: its output, or `None` after one slice.
    /// Nothing is lost: call again with the same future.
    ///
    /// # Errors
    /// `NoResources` if the runtime cannot be made, `State` on a thread that already drives one.
    pub fn wait<F: Future + Unpin>(&self, work: &mut F) -> Result<Option<F::Output>, Error> {
        match Handle::try_current() {
            Ok(_) => {
                return Err(Error::caller(
                    Kind::State,
                    "a blocking call on a thread of the library would stop it",
                ))
            }
            Err(none) if none.is_thread_local_destroyed() => {
                return Err(Error::caller(Kind::State, "a thread that is about to end cannot wait any more"))
            }
            Err(_) => {}
        }
        Ok(self.wait_lane()?.block_on(async { tokio::time::timeout(SLICE, work).await.ok() }))
    }

    /// Gives what stands in the wait lane a turn, without waiting: what was let go can say goodbye and close.
    pub fn turn(&self) {
        if !Handle::try_current().is_err_and(|none| none.is_missing_context()) {
            return; // whoever drives it will, or nobody can on a thread that is about to end
        }
        let lane = lock(&self.wait).clone();
        if let Some(lane) = lane {
            lane.block_on(Lane::Wait.turn());
        }
    }

    /// The line to the background thread, which is started if it is not running.
    ///
    /// # Errors
    /// `NoResources` if the runtime or its thread cannot be had.
    pub fn background(&self) -> Result<Arc<Jobs>, Error> {
        let mut background = lock(&self.spawn);
        let background = match &mut *background {
            Some(running) if !running.jobs.have_ended() => running,
            none => none.insert(Background::start()?),
        };
        Ok(background.jobs.clone())
    }

    /// Ends the background thread. Returns whether it ended within `patience`.
    pub fn shutdown(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience.min(Duration::from_secs(3600));
        let Some(background) = lock(&self.spawn).take() else { return true };
        background.stop.notify_one();
        while !background.thread.is_finished() {
            if Instant::now() >= until {
                lock(&self.spawn).get_or_insert(background); // for the next who asks
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        background.thread.join().is_ok()
    }

    fn wait_lane(&self) -> Result<Arc<Runtime>, Error> {
        let mut lane = lock(&self.wait);
        if let Some(lane) = &*lane {
            return Ok(lane.clone());
        }
        let made = Arc::new(runtime()?);
        made.spawn(async {
            let mut tick = tokio::time::interval(TICK);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tick.tick().await;
            }
        });
        Ok(lane.insert(made).clone())
    }
}

impl Background {
    fn start() -> Result<Background, Error> {
        let runtime = runtime()?;
        let jobs = Arc::new(Jobs::new());
        let stop = Arc::new(Notify::new());
        let (stopped, work) = (stop.clone(), jobs.clone());
        let thread = std::thread::Builder::new()
            .name("requestx".into())
            .spawn(move || {
                block_signals();
                runtime.spawn({
                    let work = work.clone();
                    async move { work.run().await }
                });
                runtime.block_on(stopped.notified());
                drop(runtime);
                work.end(); // what came too late ends here
            })
            .map_err(|source| unavailable("start the background thread", &source))?;
        Ok(Background { jobs, stop, thread })
    }
}

fn runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|source| unavailable("make a runtime", &source))
}

fn unavailable(what: &str, source: &io::Error) -> Error {
    let mut error = Error::io(Phase::None, what, source);
    error.kind = Kind::NoResources;
    error
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Signals belong to the host's threads; ours would swallow their interruptions.
pub fn block_signals() {
    #[cfg(unix)]
    let _ = nix::sys::signal::SigSet::all().thread_block(); // can only fail for an invalid set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_returns_after_a_slice_and_can_go_on() {
        let lanes = Lanes::default();
        let mut work = Box::pin(async {
            tokio::time::sleep(SLICE + SLICE / 2).await;
            7
        });

        assert_eq!(None, lanes.wait(&mut work).unwrap());
        assert_eq!(Some(7), lanes.wait(&mut work).unwrap());
    }

    #[test]
    fn spawned_work_runs_while_nobody_waits() {
        let lanes = Lanes::default();
        let (done, finished) = std::sync::mpsc::channel();
        lanes.background().unwrap().push(move || done.send(1).unwrap());

        assert_eq!(Ok(1), finished.recv_timeout(Duration::from_secs(5)));
        assert!(lanes.shutdown(Duration::from_secs(5)));
    }

    #[test]
    fn a_thread_that_took_too_long_to_end_is_given_no_work_once_it_has() {
        let lanes = Lanes::default();
        let (begin, begun) = std::sync::mpsc::channel();
        let (go_on, busy) = std::sync::mpsc::channel::<()>();
        lanes.background().unwrap().push(move || {
            begin.send(()).unwrap();
            busy.recv().unwrap();
        });
        begun.recv().unwrap();
        assert!(!lanes.shutdown(Duration::from_millis(20)));
        go_on.send(()).unwrap();
        while lock(&lanes.spawn).as_ref().is_some_and(|background| !background.thread.is_finished()) {
            std::thread::yield_now();
        }

        let (done, finished) = std::sync::mpsc::channel();
        lanes.background().unwrap().push(move || done.send(1).unwrap());
        assert_eq!(Ok(1), finished.recv_timeout(Duration::from_secs(5)));
    }

    #[test]
    fn blocking_on_a_thread_of_the_library_is_refused() {
        let lanes = Lanes::default();
        let outer = Arc::new(Lanes::default());
        let inner = outer.clone();
        let mut work = Box::pin(async move { inner.wait(&mut Box::pin(async {})).unwrap_err().kind });

        assert_eq!(Some(Kind::State), lanes.wait(&mut work).unwrap());
    }
}
