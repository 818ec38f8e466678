//! Connections: how many there may be, and how long a client may keep each of them waiting.
//!
//! Whoever reaches the server can open connections, and each costs a file and memory. So their number is bounded, and none is
//! held for long by a client that does nothing: the head of a request must arrive in time, its body must (`body`), and what is
//! sent must be taken. Only readers of the live stream stay; they may not take all connections.
//!
//! HTTP/1 only: a connection of HTTP/2 without TLS, which no browser opens, would have many more states to bound.

use std::io;
use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Router;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use hyper::rt::{Sleep, Timer};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tagwarden_model::instant::Millis;
use tagwarden_model::observation::Mono;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::AppState;
use crate::clock::SharedClock;

/// From the start of a connection, or the end of a request, to the end of the next request's head.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// Bytes of a head: four times what browsers and proxies send.
const HEAD_LIMIT: usize = 32 * 1024;

/// A client that takes nothing of its answer for so long has gone, or wants to hold the connection.
const STALL: Millis = Millis::seconds(30);

/// After shutdown was asked for, requests that still run are cut off then.
const GRACE: Millis = Millis::seconds(10);

/// Pauses after the system refused a connection, for want of files as a rule.
const REFUSED: Millis = Millis::seconds(1);

/// Serves until the state's `shutdown`, and then until all requests have ended or [`GRACE`] is over.
pub(super) async fn serve(listener: TcpListener, router: &Router, state: &AppState) {
    let (clock, shutdown) = (&state.line, &state.shutdown);
    let mut http = http1::Builder::new();
    http.timer(ClockTimer::new(clock.clone())).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_LIMIT);
    // Dropped, it ends what still runs.
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(_) = open.join_next() => {}
            stream = accept(&listener, clock), if open.len() < state.settings.connections => {
                open.spawn(talk(http.clone(), stream, router.clone(), state.clone()));
            }
        }
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    tokio::select! {
        () = ended => {}
        () = clock.sleep_until(clock.now().mono.after(GRACE)) => {
            tracing::warn!("requests were still running at the end of the grace period; they are cut off");
        }
    }
}

async fn accept(listener: &TcpListener, clock: &SharedClock) -> TcpStream {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // The client went away before its turn.
            Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                clock.sleep_until(clock.now().mono.after(REFUSED)).await;
            }
        }
    }
}

/// One connection to its end.
async fn talk(http: http1::Builder, stream: TcpStream, router: Router, state: AppState) {
    let _counted = Counted::new(&state);
    let io = TokioIo::new(Taken { stream, clock: state.line.clone(), stalled: None });
    let mut connection = pin!(http.serve_connection(io, TowerToHyperService::new(router)));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = state.shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection was given up");
    }
}

/// Counts a connection while it is open.
struct Counted(crate::metrics::Metrics);

impl Counted {
    fn new(state: &AppState) -> Self {
        state.metrics.connections.inc();
        Self(state.metrics.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}

/// A connection that fails when the client takes nothing for [`STALL`].
struct Taken {
    stream: TcpStream,
    clock: SharedClock,
    /// Ends when the client has taken nothing for too long; there while it takes nothing.
    stalled: Option<BoxFuture<'static, ()>>,
}

impl Taken {
    fn timed<T>(&mut self, cx: &mut Context<'_>, tried: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if tried.is_ready() {
            self.stalled = None;
            return tried;
        }
        let clock = &self.clock;
        let stalled = self.stalled.get_or_insert_with(|| sleep(clock.clone(), clock.now().mono.after(STALL)));
        ready!(stalled.poll_unpin(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Taken {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Taken {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.timed(cx, tried)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.timed(cx, tried)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The server's clock as hyper wants it: the standard library's instants, counted from any one of them.
struct ClockTimer {
    clock: SharedClock,
    zero: Instant,
}

/// A sleep as hyper wants it: shared between threads.
struct ClockSleep(Mutex<BoxFuture<'static, ()>>);

impl ClockTimer {
    #[expect(clippy::disallowed_methods, reason = "only differences to it count")]
    fn new(clock: SharedClock) -> Self {
        Self { clock, zero: Instant::now() }
    }
}

impl Timer for ClockTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let micros = deadline.saturating_duration_since(self.zero).as_micros();
        let at = Mono(u64::try_from(micros).unwrap_or(u64::MAX));
        Box::pin(ClockSleep(Mutex::new(sleep(self.clock.clone(), at))))
    }

    fn now(&self) -> Instant {
        self.zero + Duration::from_micros(self.clock.now().mono.0)
    }
}

impl Future for ClockSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).poll_unpin(cx)
    }
}

impl Sleep for ClockSleep {}

fn sleep(clock: SharedClock, until: Mono) -> BoxFuture<'static, ()> {
    async move { clock.sleep_until(until).await }.boxed()
}
