//! From a name to addresses, by the system's resolver, on threads of our own.
//!
//! `getaddrinfo` blocks for as long as it likes and tokio's blocking pool panics when a thread cannot be had,
//! so threads wait here for names, as many as are asked for at a time, and go home when nobody asks.
//!
//! What they found is kept, for as long as whoever asks next lets it count; a name whose addresses all failed is
//! looked up again. `getaddrinfo` does not tell how long an answer holds.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::deadline::Phase;
use crate::error::{Error, Kind};

/// Names looked up at the same time; more wait in line. A resolver that gets no answer takes ten seconds and more to
/// say so, and as many bad names as there are threads hold up all others.
const THREADS: usize = 64;
/// How long a thread waits for the next name.
const LINGER: Duration = Duration::from_secs(10);
/// What the system's own modules for names (LDAP, mDNS, winbind) need is not ours to know; it is memory when it is used.
const STACK: usize = 1024 * 1024;
/// Names whose addresses are kept: whoever names hosts for us has no say in our memory.
const KEPT: usize = 1024;

type Answer = io::Result<Vec<SocketAddr>>;

/// The resolver: a line of names and the threads that serve it.
#[derive(Debug, Default, Clone)]
pub struct Resolver {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    line: Mutex<Line>,
    more: Condvar,
    kept: Mutex<Kept>,
}

/// The addresses of names, and when they were found.
#[derive(Debug, Default)]
struct Kept(HashMap<Arc<str>, (Instant, Vec<SocketAddr>)>);

#[derive(Debug, Default)]
struct Line {
    names: VecDeque<(Arc<str>, u16, oneshot::Sender<Answer>)>,
    threads: usize,
    waiting: usize,
}

impl Resolver {
    /// The addresses of `host`, in the system's order, found now or no longer ago than `life`. An IP literal needs no
    /// look-up.
    ///
    /// # Errors
    /// `Dns` if the name has no address, `NoResources` if no thread can be started.
    pub async fn resolve(
        &self,
        host: &Arc<str>,
        port: u16,
        life: Duration,
    ) -> Result<Vec<SocketAddr>, Error> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        if let Some(kept) = self.kept().get(host, port, life, Instant::now()) {
            return Ok(kept);
        }
        let (answer, answered) = oneshot::channel();
        self.ask(host.clone(), port, answer)?;
        match answered.await {
            Ok(Ok(addresses)) if !addresses.is_empty() => {
                if !life.is_zero() {
                    self.kept().put(host, &addresses, Instant::now());
                }
                Ok(addresses)
            }
            Ok(Ok(_)) => {
                Err(Error::new(Kind::Dns, Phase::Resolve, format!("resolve {host}: the name has no address")))
            }
            Ok(Err(source)) => Err(failed(host, &source)),
            Err(_) => Err(Error::new(
                Kind::Internal,
                Phase::Resolve,
                format!("resolve {host}: the resolver went away"),
            )),
        }
    }

    /// None of the addresses of `host` let us connect: they are looked up again.
    pub fn forget(&self, host: &str) {
        self.kept().0.remove(host);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, host: Arc<str>, port: u16, answer: oneshot::Sender<Answer>) -> Result<(), Error> {
        let mut line = lock(&self.shared.line);
        if line.waiting <= line.names.len() && line.threads < THREADS {
            let shared = self.shared.clone();
            let started = std::thread::Builder::new()
                .name("requestx-dns".into())
                .stack_size(STACK)
                .spawn(move || shared.serve());
            match started {
                Ok(_) => line.threads += 1,
                Err(source) if line.threads == 0 => return Err(no_thread(&host, &source)),
                Err(_) => {} // those that run will come to it
            }
        }
        line.names.push_back((host, port, answer));
        self.shared.more.notify_one();
        Ok(())
    }
}

impl Kept {
    fn get(&self, host: &str, port: u16, life: Duration, now: Instant) -> Option<Vec<SocketAddr>> {
        let (found, addresses) = self.0.get(host)?;
        let at_port = |mut address: SocketAddr| {
            address.set_port(port);
            address
        };
        let counts = now.duration_since(*found) < life;
        counts.then(|| addresses.iter().copied().map(at_port).collect())
    }

    fn put(&mut self, host: &Arc<str>, addresses: &[SocketAddr], now: Instant) {
        if self.0.len() >= KEPT && !self.0.contains_key(host) {
            let oldest = self.0.iter().min_by_key(|(_, (found, _))| *found).map(|(name, _)| name.clone());
            oldest.map(|name| self.0.remove(&name));
        }
        self.0.insert(host.clone(), (now, addresses.to_vec()));
    }
}

impl Shared {
    fn serve(&self) {
        crate::runtime::block_signals();
        let mut line = lock(&self.line);
        loop {
            while let Some((host, port, answer)) = line.names.pop_front() {
                drop(line);
                if !answer.is_closed() {
                    let found = (&*host, port).to_socket_addrs().map(Iterator::collect);
                    let _ = answer.send(found); // the asker may have given up
                }
                line = lock(&self.line);
            }
            line.waiting += 1;
            let (woken, waited) =
                self.more.wait_timeout(line, LINGER).unwrap_or_else(PoisonError::into_inner);
            line = woken;
            line.waiting -= 1;
            if waited.timed_out() && line.names.is_empty() {
                line.threads -= 1;
                return;
            }
        }
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(host: &str, source: &io::Error) -> Error {
    let mut error = Error::io(Phase::Resolve, &format!("resolve {host}"), source);
    if error.kind != Kind::NoResources {
        error.kind = Kind::Dns;
    }
    error
}

fn no_thread(host: &str, source: &io::Error) -> Error {
    let mut error = Error::io(Phase::Resolve, &format!("resolve {host}: start a resolver thread"), source);
    error.kind = Kind::NoResources;
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(host: &str) -> Result<Vec<SocketAddr>, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Resolver::default().resolve(&host.into(), 80, Duration::ZERO))
    }

    #[test]
    fn a_literal_is_its_own_address() {
        assert_eq!(vec!["[::1]:80".parse::<SocketAddr>().unwrap()], resolve("::1").unwrap());
    }

    #[test]
    fn an_answer_counts_for_as_long_as_who_asks_lets_it() {
        let (mut kept, found) = (Kept::default(), Instant::now());
        let second = Duration::from_secs(1);
        kept.put(&"a".into(), &["1.2.3.4:80".parse().unwrap()], found);

        assert_eq!(Some(vec!["1.2.3.4:81".parse().unwrap()]), kept.get("a", 81, 2 * second, found + second));
        assert_eq!(None, kept.get("a", 81, second, found + second));
        assert_eq!(None, kept.get("b", 81, second, found));
    }

    #[test]
    fn so_many_names_are_kept_and_the_oldest_goes_first() {
        let (mut kept, start) = (Kept::default(), Instant::now());
        let name = |n: u32| -> Arc<str> { format!("host{n}").into() };
        for n in 0..5000 {
            kept.put(&name(n), &[], start + Duration::from_nanos(n.into()));
        }

        assert_eq!(KEPT, kept.0.len());
        assert!(kept.0.contains_key(&name(4999)) && !kept.0.contains_key(&name(3000)));
    }

    #[test]
    fn what_was_found_is_not_looked_up_again_until_it_is_forgotten() {
        let resolver = Resolver::default();
        let host: Arc<str> = "no.such.name.invalid".into();
        resolver.kept().put(&host, &["127.0.0.1:1".parse().unwrap()], Instant::now());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ask = || runtime.block_on(resolver.resolve(&host, 80, Duration::from_secs(60)));

        assert_eq!(vec!["127.0.0.1:80".parse::<SocketAddr>().unwrap()], ask().unwrap());
        resolver.forget(&host);
        assert_eq!(Kind::Dns, ask().unwrap_err().kind);
    }

    #[test]
    fn localhost_is_a_loopback_address() {
        assert!(resolve("localhost").unwrap().iter().all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn a_name_that_cannot_be_is_a_dns_error() {
        let error = resolve("no.such.name.invalid").unwrap_err();

        assert_eq!((Kind::Dns, Phase::Resolve), (error.kind, error.phase));
        assert!(error.message.starts_with("resolve no.such.name.invalid: "), "{error}");
    }
}
