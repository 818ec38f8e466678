//! The live stream over real connections.

use tagwarden::http::{AppState, serve};
use tagwarden::live::{Batch, Live};
use tagwarden_model::instant::Millis;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Duration, timeout};

use tagwarden_tests::api_server::Server;
use tagwarden_tests::queued::queued;
use tagwarden_tests::record::{API, somebody, usual};

/// The server on a port of loopback.
struct Listening {
    port: u16,
    task: JoinHandle<std::io::Result<()>>,
}

/// One connection that reads messages.
struct Stream {
    lines: BufReader<TcpStream>,
    head: String,
    /// Bytes that were read.
    read: usize,
}

/// One message: event, id, data.
type Message = (String, String, String);

/// The system takes little for those that do not read: more would hide that they are slow.
fn listen(state: &AppState) -> Listening {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_send_buffer_size(4_096).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1_024).unwrap();
    let port = listener.local_addr().unwrap().port();
    Listening { port, task: tokio::spawn(serve(listener, state.clone())) }
}

impl Listening {
    /// HTTP/1.0: the body is not chunked.
    async fn open(&self, query: &str, header: &str) -> Stream {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let head = format!("GET /api/v1/live{query} HTTP/1.0\r\nHost: localhost\r\n{header}\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut stream = Stream { lines: BufReader::new(socket), head: String::new(), read: 0 };
        while let Some(line) = stream.line().await.filter(|line| !line.is_empty()) {
            stream.head += &line.to_lowercase();
            stream.head.push('\n');
        }
        stream
    }
}

impl Stream {
    /// A line without its end; `None` when the server closed.
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = timeout(Duration::from_secs(10), self.lines.read_line(&mut line))
            .await
            .expect("a line within 10 s")
            .unwrap();
        self.read += read;
        (read > 0).then(|| line.trim_end().to_owned())
    }

    async fn next(&mut self) -> Option<Message> {
        let mut message = Message::default();
        loop {
            let line = self.line().await?;
            match line.split_once(": ") {
                Some(("event", value)) => value.clone_into(&mut message.0),
                Some(("id", value)) => value.clone_into(&mut message.1),
                Some(("data", value)) => value.clone_into(&mut message.2),
                _ if line.is_empty() => return Some(message),
                _ => panic!("not a line of a message: {line}"),
            }
        }
    }

    async fn event(&mut self) -> Message {
        self.next().await.expect("the stream goes on")
    }

    /// Ids of the next `count` messages, which must be changes.
    async fn ids(&mut self, count: usize) -> Vec<i64> {
        let mut ids = Vec::new();
        while ids.len() < count {
            let (event, id, data) = self.event().await;
            assert_eq!(event, "change");
            let change: tagwarden_model::api::Change = serde_json::from_str(&data).unwrap();
            assert_eq!(change.id.to_string(), id);
            ids.push(change.id);
        }
        ids
    }
}

/// Writes a change notice: the repository is unwatched and watched again in turn.
async fn change(server: &Server) -> i64 {
    let store = &server.state.store;
    let name = API.parse().unwrap();
    let now = tagwarden_tests::step_clock::START;
    if !store.unwatch(&name, &somebody(), now).await.unwrap() {
        let registry = store.registries().await.unwrap()[0].id;
        store.watch(registry, &name, &somebody(), now).await.unwrap();
    }
    store.newest_change().await.unwrap()
}

/// Ids of `count` further changes.
async fn changes(server: &Server, count: usize) -> Vec<i64> {
    let store = &server.state.store;
    let before = store.newest_change().await.unwrap();
    while (store.newest_change().await.unwrap() - before) < count as i64 {
        change(server).await;
    }
    let mut ids = Vec::new();
    loop {
        let after = ids.last().copied().unwrap_or(before);
        let more = store.changes(tagwarden::store::Scope::All, after, 500).await.unwrap().unwrap();
        if more.is_empty() {
            return ids;
        }
        ids.extend(more.iter().map(|change| change.id));
    }
}

#[tokio::test]
async fn hello_comes_first_then_what_changes_then_a_tick() {
    let server = Server::start().await;
    usual(&server.record).await;
    let listening = listen(&server.state);
    let mut stream = listening.open("", "Accept-Encoding: br, gzip\r\n").await;
    assert!(!stream.head.contains("content-encoding"), "a compressed stream is held back: {}", stream.head);
    for header in ["content-type: text/event-stream", "cache-control: no-store", "x-accel-buffering: no"] {
        assert!(stream.head.contains(header), "{}", stream.head);
    }
    let newest = server.state.store.newest_change().await.unwrap();
    let hello = stream.event().await;
    assert_eq!(hello.0, "hello");
    assert_eq!(hello.2, format!(r#"{{"build":"{}"}}"#, server.state.page.build));
    assert!(hello.1.parse::<i64>().unwrap() <= newest);
    let expected = changes(&server, 2).await;
    let mut seen = Vec::new();
    while seen.last() != expected.last() {
        seen.extend(stream.ids(1).await);
    }
    assert!(seen.ends_with(&expected), "{seen:?} {expected:?}");
    server.clock.step(Millis::seconds(14));
    server.clock.step(Millis::seconds(2));
    assert_eq!(stream.event().await, ("tick".into(), String::new(), "{}".into()));
}

#[tokio::test]
async fn a_reader_that_comes_back_misses_nothing() {
    let server = Server::start().await;
    usual(&server.record).await;
    let listening = listen(&server.state);
    let from = change(&server).await;
    let expected = changes(&server, 5).await;
    let mut by_query = listening.open(&format!("?after={from}"), "").await;
    let mut by_header = listening.open("?after=0", &format!("Last-Event-ID: {from}\r\n")).await;
    for stream in [&mut by_query, &mut by_header] {
        assert_eq!(stream.event().await.0, "hello");
        assert_eq!(stream.ids(expected.len()).await, expected);
    }
}

#[tokio::test]
async fn a_wrong_id_is_bad_input() {
    let server = Server::start().await;
    let listening = listen(&server.state);
    for id in ["x", "-1", "1.5", "99999999999999999999"] {
        let stream = listening.open("", &format!("Last-Event-ID: {id}\r\n")).await;
        assert!(stream.head.starts_with("http/1.0 400"), "{}", stream.head);
    }
}

#[tokio::test]
async fn an_id_that_is_not_kept_any_more_starts_anew() {
    let server = Server::start().await;
    usual(&server.record).await;
    let from = server.state.store.newest_change().await.unwrap();
    changes(&server, 3).await;
    server.clock.step(Millis::hours(30));
    let now = tagwarden_tests::step_clock::START + Millis::hours(30);
    server.state.store.prune_changes(now).await.unwrap();
    let newest = change(&server).await;
    // Started anew: the one that saw the pruned changes has them in memory.
    let mut state = server.state.clone();
    state.live = Live::start(state.store.clone(), state.clock.clone(), state.shutdown.clone()).await.unwrap();
    let listening = listen(&state);
    let mut stream = listening.open(&format!("?after={}", from - 1), "").await;
    assert_eq!(stream.event().await.0, "hello");
    let (event, id, _) = stream.event().await;
    assert_eq!((event.as_str(), id.parse::<i64>().unwrap() <= newest), ("reset", true));
    let ids = changes(&server, 1).await;
    let mut seen = 0;
    while seen < *ids.last().unwrap() {
        seen = stream.ids(1).await[0];
    }
}

#[tokio::test]
async fn an_id_of_another_database_starts_anew() {
    let server = Server::start().await;
    usual(&server.record).await;
    let listening = listen(&server.state);
    let mut stream = listening.open("?after=1000000", "").await;
    assert_eq!(stream.event().await.0, "hello");
    assert_eq!(stream.event().await.0, "reset");
}

#[tokio::test]
async fn a_slow_reader_delays_nobody_and_gets_everything() {
    let server = Server::start().await;
    usual(&server.record).await;
    let listening = listen(&server.state);
    let from = server.state.store.newest_change().await.unwrap();
    let mut slow = listening.open(&format!("?after={from}"), "").await;
    let mut quick = listening.open(&format!("?after={from}"), "").await;
    assert_eq!(quick.event().await.0, "hello");
    // More than the ring and the sockets hold.
    let expected = changes(&server, 3_000).await;
    assert_eq!(quick.ids(expected.len()).await, expected);
    let held = queued(listening.port, slow.lines.get_ref().local_addr().unwrap().port());
    assert!(held < quick.read / 2, "the server holds back what is not read: {held} of {} bytes", quick.read);
    assert_eq!(slow.event().await.0, "hello");
    assert_eq!(slow.ids(expected.len()).await, expected);
}

/// The record is closed under them: whoever keeps up gets everything from the one task that read it.
#[tokio::test]
async fn readers_that_keep_up_cost_no_reads_of_the_record() {
    let server = Server::start().await;
    usual(&server.record).await;
    let live = &server.state.live;
    let from = server.state.store.newest_change().await.unwrap();
    let expected = changes(&server, 3).await;
    let mut first = live.reader(Some(from));
    while first.position() < *expected.last().unwrap() {
        first.next().await.unwrap();
    }
    server.state.store.shut().await;
    for _ in 0..200 {
        let Batch::Changes(changes) = live.reader(Some(from)).next().await.unwrap() else { panic!("a reset") };
        assert_eq!(changes.iter().map(|change| change.id).collect::<Vec<_>>(), expected);
    }
    assert!(live.reader(Some(from - 1)).next().await.is_ok(), "still in memory");
}

#[tokio::test]
async fn streams_end_at_shutdown_and_readers_are_counted() {
    let server = Server::start().await;
    let listening = listen(&server.state);
    let mut streams = Vec::new();
    for _ in 0..3 {
        let mut stream = listening.open("", "").await;
        assert_eq!(stream.event().await.0, "hello");
        streams.push(stream);
    }
    assert_eq!(server.state.metrics.live_readers.get(), 3);
    server.state.shutdown.cancel();
    for stream in &mut streams {
        assert_eq!(stream.next().await, None);
    }
    timeout(Duration::from_secs(10), listening.task).await.expect("the server ends").unwrap().unwrap();
    assert_eq!(server.state.metrics.live_readers.get(), 0);
}

#[tokio::test]
async fn a_request_that_hangs_does_not_keep_the_server() {
    let server = Server::start().await;
    let mut listening = listen(&server.state);
    let mut socket = TcpStream::connect(("127.0.0.1", listening.port)).await.unwrap();
    let head = "POST /api/v1/checks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Expect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut lines = BufReader::new(&mut socket);
    let mut line = String::new();
    lines.read_line(&mut line).await.unwrap();
    assert!(line.starts_with("HTTP/1.1 100"), "the body is being read: {line}");
    server.state.shutdown.cancel();
    let ending = async {
        loop {
            tokio::select! {
                biased;
                ended = &mut listening.task => break ended.unwrap(),
                () = tokio::task::yield_now() => server.clock.step(Millis::seconds(1)),
            }
        }
    };
    timeout(Duration::from_secs(10), ending).await.expect("the server ends").unwrap();
}
