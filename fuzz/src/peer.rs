//! A whole exchange, from the client down to a socket, with a server whose every byte is fuzzed.
//!
//! It is a Unix socket, so that nothing leaves this process, and a runtime of one thread, so that a seed does the same
//! each time. The server gives the client two turns after each piece, which is what it takes to read it alone.

use std::cell::Cell;
use std::os::unix::net::UnixListener as StdListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;

use requestx::client::Client;
use requestx::dial::Dial;
use requestx::error::Kind;
use requestx::options::{Http, Options};
use requestx::plan::{Outgoing, Plan};
use requestx::reply::Reply;
use requestx::runtime::Lane;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixListener};

/// No exchange takes that long: all that the server says is there, or has ended.
const FOR_EVER: Duration = Duration::from_secs(20);
/// What a client says by itself, and does not: the server stops listening to one that goes on.
const LONGEST: usize = 1 << 20;

const URL: &str = "http://origin.example/";

/// What the caller gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub version: u16,
    pub reason: Vec<u8>,
    pub block: Vec<u8>,
    pub body: Vec<u8>,
    pub trailers: Vec<u8>,
    pub informational: Vec<u16>,
}

/// Asks a server that answers with `pieces`, whatever it hears, and ends once nobody has use for more. On all further
/// connections it is honest. So when it is asked again, its `fresh` answer is what comes back, whichever way.
pub fn ask(http: Http, method: &str, pieces: &[&[u8]], fresh: &'static [u8]) -> Result<Answer, Kind> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (listener, path) = listener();
        let client = Client::new(Arc::new(options(http, path)));
        listener.set_nonblocking(true).unwrap();
        let listener = UnixListener::from_std(listener).unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
        let (over, plain) = (done.clone(), http == Http::One);
        let server = tokio::spawn(async move {
            let first = next(&listener).await;
            tokio::spawn(async move {
                loop {
                    let other = next(&listener).await;
                    tokio::spawn(answer(other, fresh, plain));
                }
            });
            say_all(first, &pieces, plain, &over).await
        });
        let outcome = in_time(perform(&client, method, URL)).await;
        done.store(true, Ordering::Release);
        let first = in_time(server).await.unwrap();
        if plain {
            tokio::spawn(answer(first, fresh, plain));
        } else {
            drop(first); // what its streams and its compression have come to is known to nobody
        }
        let second = in_time(perform(&client, "GET", URL)).await;
        assert_eq!(Ok(&b"fresh"[..]), second.as_ref().map(|answer| &answer.body[..]), "after {outcome:?}");
        outcome
    })
}

/// To the socket at `path`, whatever the URL says.
pub fn options(http: Http, path: PathBuf) -> Options {
    let mut dial = Dial::default();
    dial.set_unix(path.to_str().unwrap()).unwrap();
    Options { http, dial: Arc::new(dial), decode: false, max_head: 16 * 1024, ..Options::default() }
}

/// The exchange, and its body to the end.
pub async fn perform(client: &Arc<Client>, method: &str, url: &str) -> Result<Answer, Kind> {
    let head = format!("{method}\n{url}");
    let plan = Plan::parse(head.as_bytes(), 0, Outgoing::Empty, client.options.clone(), false).unwrap();
    let reply = client.clone().perform(Arc::new(plan), Lane::Wait).await;
    let Reply { head, whole, body, mut trailers, .. } = reply.map_err(|error| error.kind)?;
    let mut bytes = whole.unwrap_or_default().to_vec();
    if let Some(mut body) = body {
        while let Some(piece) = body.next(false).await.map_err(|error| error.kind)? {
            assert!(!piece.is_empty());
            bytes.extend_from_slice(&piece);
        }
        trailers = body.take_trailers();
    }
    Ok(Answer {
        status: head.status,
        version: head.version,
        reason: head.reason,
        block: head.block,
        body: bytes,
        trailers: trailers.unwrap_or_default().block,
        informational: head.before.iter().map(|head| head.status).collect(),
    })
}

/// # Panics
/// If it does not end.
pub async fn in_time<F: std::future::Future>(work: F) -> F::Output {
    tokio::time::timeout(FOR_EVER, work).await.expect("it does not end")
}

/// The same place for all that a thread does, listened at anew each time.
pub fn listener() -> (StdListener, PathBuf) {
    static THREADS: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static THREAD: Cell<u32> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed));
    }
    let name = format!("requestx-fuzz-{}-{}", std::process::id(), THREAD.get());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    (StdListener::bind(&path).unwrap(), path)
}

/// The next connection, as one that raises no signal when the client has gone.
async fn next(listener: &UnixListener) -> TcpStream {
    let stream = listener.accept().await.unwrap().0.into_std().unwrap();
    TcpStream::from_std(std::net::TcpStream::from(std::os::fd::OwnedFd::from(stream))).unwrap()
}

/// Waits for a request: a head of HTTP/1, or in HTTP/2 one in a frame. `false` if none comes.
async fn hear(stream: &mut TcpStream, of_http_1: bool) -> bool {
    let mut heard = Vec::new();
    while stream.read_buf(&mut heard).await.is_ok_and(|n| n > 0) && heard.len() < LONGEST {
        let whole = if of_http_1 { heard.ends_with(b"\r\n\r\n") } else { crate::http2::asks(&heard) };
        if whole {
            return true;
        }
    }
    false
}

async fn say_all(mut stream: TcpStream, pieces: &[Vec<u8>], of_http_1: bool, done: &AtomicBool) -> TcpStream {
    hear(&mut stream, of_http_1).await;
    for piece in pieces {
        if stream.write_all(piece).await.is_err() {
            break;
        }
        for _ in 0..2 {
            tokio::task::yield_now().await;
        }
    }
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    if !done.load(Ordering::Acquire) {
        let _ = stream.shutdown().await;
    }
    stream
}

async fn answer(mut stream: TcpStream, bytes: &[u8], of_http_1: bool) {
    if hear(&mut stream, of_http_1).await {
        let _ = stream.write_all(bytes).await;
    }
    let _ = stream.read(&mut [0]).await; // it is the client who closes
}
