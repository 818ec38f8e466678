//! A small HTTP proxy on loopback that remembers what it was asked and leads nowhere but to this machine.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

/// The proxy; it ends when this is dropped.
pub struct Proxy {
    url: String,
    lines: Arc<Mutex<Vec<String>>>,
    _task: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Starts one.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = lines.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A connection that breaks off is the client's matter.
                tokio::spawn(serve(client, log.clone()));
            }
        });
        Self { url, lines, _task: AbortOnDropHandle::new(task) }
    }

    /// `http://127.0.0.1:3128`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The first lines of all requests since the last look, without the HTTP version: `CONNECT host:port`, `GET http://…`.
    pub fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One tunnel, or one request: its answer ends with the connection.
async fn serve(mut client: TcpStream, log: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let (line, headers) = head.split_once("\r\n").unwrap_or_default();
    let (method, target) = line.trim_end_matches(" HTTP/1.1").split_once(' ').unwrap_or_default();
    log.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{method} {target}"));
    let tunnel = method == "CONNECT";
    let url = if tunnel { format!("http://{target}") } else { target.to_owned() };
    let url = Url::parse(&url).map_err(std::io::Error::other)?;
    // Wherever a test sends us by mistake: nothing leaves this machine.
    let mut server = TcpStream::connect(("127.0.0.1", url.port_or_known_default().unwrap_or_default())).await?;
    if tunnel {
        client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    } else {
        let line = format!("{method} {} HTTP/1.1\r\nConnection: close\r\n{headers}", &url[url::Position::BeforePath..]);
        server.write_all(line.as_bytes()).await?;
    }
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
