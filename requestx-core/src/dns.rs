//! From a name to addresses, by the system's resolver, on threads of our own.
//!
//! `getaddrinfo` blocks for as long as it likes and tokio's blocking pool panics when a thread cannot be had,
//! so a few threads wait here for names and go home when nobody asks.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::deadline::Phase;
use crate::error::{Error, Kind};

/// Names looked up at the same time; more wait in line.
const THREADS: usize = 8;
/// How long a thread waits for the next name.
const LINGER: Duration = Duration::from_secs(10);
const STACK: usize = 256 * 1024;

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
}

#[derive(Debug, Default)]
struct Line {
    names: VecDeque<(Arc<str>, u16, oneshot::Sender<Answer>)>,
    threads: usize,
    waiting: usize,
}

impl Resolver {
    /// The addresses of `host`, in the system's order. An IP literal needs no look-up.
    ///
    /// # Errors
    /// `Dns` if the name has no address, `NoResources` if no thread can be started.
    pub async fn resolve(&self, host: &Arc<str>, port: u16) -> Result<Vec<SocketAddr>, Error> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let (answer, answered) = oneshot::channel();
        self.ask(host.clone(), port, answer)?;
        match answered.await {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
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
        runtime.block_on(Resolver::default().resolve(&host.into(), 80))
    }

    #[test]
    fn a_literal_is_its_own_address() {
        assert_eq!(vec!["[::1]:80".parse::<SocketAddr>().unwrap()], resolve("::1").unwrap());
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
