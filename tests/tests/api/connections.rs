//! Connections over loopback: how many there may be, and how long a client may keep one waiting.

use std::sync::Arc;

use tagwarden::http::{HttpSettings, serve};
use tagwarden_model::instant::Millis;
use tagwarden_tests::api_server::Server;
use tagwarden_tests::fake_clock::FakeClock;
use tagwarden_tests::polling::START;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Duration, timeout};

/// A server on a port of loopback whose time stands still until a test moves it.
struct Listening {
    server: Server,
    clock: Arc<FakeClock>,
    port: u16,
    task: JoinHandle<std::io::Result<()>>,
}

struct Client(TcpStream);

impl Listening {
    async fn start(settings: HttpSettings) -> Self {
        let mut server = Server::with(settings).await;
        let clock = Arc::new(FakeClock::new(START));
        server.rewire(|state| (state.clock, state.line) = (clock.clone(), clock.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(serve(listener, server.state.clone()));
        Self { server, clock, port, task }
    }

    async fn client(&self) -> Client {
        Client(TcpStream::connect(("127.0.0.1", self.port)).await.unwrap())
    }

    fn open(&self) -> i64 {
        self.server.state.metrics.connections.get()
    }

    /// Returns when somebody fell asleep for so long, within ten seconds.
    async fn until_a_sleep_of(&self, length: Millis) {
        let asleep = async {
            while self.clock.sleeps().last() != Some(&length) {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), asleep).await.expect("somebody sleeps");
    }

    /// Ends when the server has: within ten seconds.
    async fn ended(self) {
        timeout(Duration::from_secs(10), self.task).await.expect("the server ends").unwrap().unwrap();
    }
}

impl Client {
    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// One answer with the length that it tells.
    async fn answer(&mut self) -> String {
        let reading = async {
            let mut bytes = Vec::new();
            while !bytes.ends_with(b"\r\n\r\n") {
                bytes.push(self.0.read_u8().await.expect("an answer"));
            }
            let head = String::from_utf8(bytes.clone()).unwrap().to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let start = bytes.len();
            bytes.resize(start + length.map_or(0, |length| length.parse().unwrap()), 0);
            self.0.read_exact(&mut bytes[start..]).await.expect("a whole answer");
            String::from_utf8(bytes).unwrap()
        };
        timeout(Duration::from_secs(10), reading).await.expect("an answer within 10 s")
    }

    /// All that comes until the server closes: how much, and its beginning.
    async fn rest(&mut self) -> (usize, String) {
        let mut bytes = Vec::new();
        // What the server never read makes the system say "reset" instead of "end".
        let _ =
            timeout(Duration::from_secs(10), self.0.read_to_end(&mut bytes)).await.expect("it is closed within 10 s");
        (bytes.len(), String::from_utf8_lossy(&bytes[..bytes.len().min(500)]).into_owned())
    }
}

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn a_head_has_ten_seconds_however_its_bytes_are_spread() {
    let listening = Listening::start(HttpSettings::default()).await;
    let mut client = listening.client().await;
    client.send("GET /healthz HTTP/1.1\r\nHo").await;
    listening.clock.until_sleeping(1).await;
    listening.clock.advance(Millis(9_900));
    client.send("st: localhost\r\n\r\n").await;
    assert!(client.answer().await.starts_with("HTTP/1.1 200"));

    // The next request on the connection, byte by byte.
    for byte in ["G", "E", "T", " "] {
        listening.clock.until_sleeping(1).await;
        client.send(byte).await;
        listening.clock.advance(Millis(2_400));
    }
    assert_eq!(listening.open(), 1);
    listening.clock.advance(Millis(400));
    assert_eq!(client.rest().await.0, 0);

    // One that says nothing at all.
    let mut client = listening.client().await;
    listening.clock.until_sleeping(1).await;
    listening.clock.advance(Millis::seconds(10));
    assert_eq!(client.rest().await.0, 0);
    assert_eq!(listening.open(), 0);
}

#[tokio::test]
async fn a_body_has_twenty_seconds_and_then_the_connection_ends() {
    let listening = Listening::start(HttpSettings::default()).await;
    let mut client = listening.client().await;
    let head = "POST /api/v1/repositories HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    client.send(&format!("{head}Content-Length: 20\r\n\r\n{{")).await;
    // The head's time is over with the head; this sleep is the body's.
    listening.until_a_sleep_of(Millis::seconds(20)).await;
    listening.clock.advance(Millis::seconds(20));
    let answer = client.rest().await.1;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("did not arrive in time"), "{answer}");
}

#[tokio::test]
async fn a_body_that_nobody_asked_for_is_not_waited_for() {
    let listening = Listening::start(HttpSettings::default()).await;
    let mut client = listening.client().await;
    client.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n").await;
    assert!(client.rest().await.1.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_head_is_short_and_of_http_1() {
    let listening = Listening::start(HttpSettings::default()).await;
    let mut client = listening.client().await;
    client.send(&format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(30_000))).await;
    assert!(client.answer().await.starts_with("HTTP/1.1 200"));
    let mut client = listening.client().await;
    client.send(&format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(40_000))).await;
    assert!(client.rest().await.1.starts_with("HTTP/1.1 431"));
    let mut client = listening.client().await;
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    let answer = client.rest().await.1;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn more_connections_than_there_may_be_wait_for_their_turn() {
    let listening = Listening::start(HttpSettings { connections: 2, ..HttpSettings::default() }).await;
    let (first, mut second) = (listening.client().await, listening.client().await);
    listening.clock.until_sleeping(2).await;
    let mut third = listening.client().await;
    third.send(HEALTH).await;
    // Whoever is in is served meanwhile.
    for _ in 0..20 {
        second.send(HEALTH).await;
        assert!(second.answer().await.starts_with("HTTP/1.1 200"));
        assert_eq!(listening.open(), 2);
    }
    assert!(third.0.try_read(&mut [0]).is_err(), "it waits");
    drop(first);
    assert!(third.answer().await.starts_with("HTTP/1.1 200"));
    // And those that only sit there make room by themselves.
    let mut fourth = listening.client().await;
    fourth.send(HEALTH).await;
    listening.clock.until_sleeping(2).await;
    listening.clock.advance(Millis::seconds(10));
    assert!(fourth.answer().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn readers_of_the_live_stream_leave_room_for_others() {
    let listening = Listening::start(HttpSettings { connections: 3, ..HttpSettings::default() }).await;
    let live = "GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut readers = [listening.client().await, listening.client().await];
    for reader in &mut readers {
        reader.send(live).await;
        let hello = reader.0.read_u8().await.unwrap();
        assert_eq!(hello, b'H');
    }
    let mut third = listening.client().await;
    third.send(live).await;
    let answer = third.answer().await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("close some pages"), "{answer}");
    third.send(HEALTH).await;
    assert!(third.answer().await.starts_with("HTTP/1.1 200"));
    assert_eq!(listening.server.state.metrics.live_readers.get(), 2);
}

/// So many descriptions of the API fill all buffers between server and client.
const MANY: usize = 400;

#[tokio::test]
async fn a_client_that_takes_nothing_loses_its_connection() {
    let listening = Listening::start(HttpSettings::default()).await;
    let get = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut client = listening.client().await;
    client.send(get).await;
    let length = client.answer().await.len();
    client.send(&get.repeat(MANY)).await;
    // The server sleeps on a client that does not read, and on nothing else: the next head is there already.
    listening.until_a_sleep_of(Millis::seconds(30)).await;
    listening.clock.advance(Millis::seconds(29));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(listening.open(), 1);
    let closed = async {
        while listening.open() > 0 {
            listening.clock.advance(Millis::seconds(1));
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), closed).await.expect("the connection is given up");
    assert!(client.rest().await.0 < MANY * length, "it was cut off");

    // One that reads gets everything, whatever the clock says.
    let mut client = listening.client().await;
    client.send(&get.repeat(MANY)).await;
    for _ in 0..MANY {
        assert_eq!(client.answer().await.len(), length);
    }
}

#[tokio::test]
async fn a_stop_ends_what_is_idle_at_once_and_lets_a_request_finish() {
    let listening = Listening::start(HttpSettings::default()).await;
    let (mut idle, mut busy) = (listening.client().await, listening.client().await);
    idle.send(HEALTH).await;
    idle.answer().await;
    let head = "POST /api/v1/repositories HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    busy.send(&format!("{head}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")).await;
    assert!(busy.answer().await.starts_with("HTTP/1.1 100"), "the body is being read");
    listening.server.state.shutdown.cancel();
    assert_eq!(idle.rest().await.0, 0);
    busy.send("{}").await;
    let answer = busy.rest().await.1;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("name"), "{answer}");
    assert!(TcpStream::connect(("127.0.0.1", listening.port)).await.is_err(), "nobody new is let in");
    listening.ended().await;
}
