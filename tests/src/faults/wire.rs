//! A listener whose connections can be reset from inside a handler.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// What a handler knows of the connection that its request came on.
#[derive(Clone, Default)]
pub struct Wire {
    is_cut: Arc<AtomicBool>,
}

impl Wire {
    /// The next write fails and the peer gets a RST instead of an answer.
    pub fn reset(&self) {
        self.is_cut.store(true, Ordering::Release);
    }
}

/// Accepts [`WireStream`]s.
pub struct WireListener {
    inner: TcpListener,
    host: String,
}

impl WireListener {
    pub async fn bind() -> io::Result<Self> {
        let inner = TcpListener::bind(("127.0.0.1", 0)).await?;
        let host = inner.local_addr()?.to_string();
        Ok(Self { inner, host })
    }

    pub fn host(&self) -> String {
        self.host.clone()
    }
}

impl Listener for WireListener {
    type Io = WireStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // axum's own listener waits and tries again when accepting fails.
        let (stream, address) = Listener::accept(&mut self.inner).await;
        (WireStream { stream, wire: Wire::default() }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.inner.local_addr()
    }
}

impl Connected<IncomingStream<'_, WireListener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, WireListener>) -> Self {
        stream.io().wire.clone()
    }
}

pub struct WireStream {
    stream: TcpStream,
    wire: Wire,
}

impl WireStream {
    fn check(&self) -> io::Result<()> {
        if self.wire.is_cut.load(Ordering::Acquire) {
            // Closing now sends RST, not FIN.
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for WireStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for WireStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
