use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};
use tagwarden::clock::{Clock as _, SystemClock};
use tagwarden_tests::http_client;
use tagwarden_tests::queued::queued;
use tagwarden_tests::static_registry::StaticRegistry;
use tagwarden_tests::tagwarden_process::Tagwarden;
use tagwarden_tests::wait::{START, until};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::busy::{Busy, Times};
use super::memory::resident;

const READERS: usize = 1_000;
const ACTS: usize = 300;
/// Repositories, each of which is a change of its own in an act on all of them.
const MANY: usize = 200;
/// Acts on all of them before anybody reads: more than the system takes for a reader that takes nothing (a megabyte and a half
/// where this was written, four at the most that `tcp_wmem` allows as a rule).
const PAST: usize = 200;
/// And while all read, with the stuck one stuck: more changes than the server keeps in memory for readers that are behind.
const FLOODS: usize = 6;
/// It must be stuck by then.
const MOST_FLOODS: usize = 30;
/// Milliseconds.
const P99: f64 = 50.0;
/// Megabytes above what the server has without readers.
const MOST: f64 = 64.0;
/// After which the server gives up a client that takes nothing, and some more.
const GIVEN_UP: Duration = Duration::from_mins(1);

/// A thousand readers of the live stream, one of which takes nothing: how long after the answer to an act each of the others has
/// read of it (no time at all if that was before the answer), and what all of it costs in memory.
///
/// The stuck one asks for all that happened before, so that the server has more for it than the system takes. That the server
/// holds it back is seen by what the system has for it, which stays as it is from before the floods until after the last act.
///
/// It needs a machine that is idle otherwise, and 2,048 open files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: make bench"]
async fn a_thousand_live_readers_and_a_stuck_one() {
    let registry = StaticRegistry::start(1).await;
    let repositories: Vec<String> = (0..MANY).map(|at| format!("team/app-{at}")).collect();
    let busy = Busy::start(registry.host(), &repositories, 8, "1h").await;
    busy.checked(MANY as u64).await;
    let (server, id) = (busy.tagwarden.url(), busy.tagwarden.id());
    let act = async |path: &str, body: serde_json::Value| {
        let answer = http_client().post(format!("{server}/api/v1/{path}")).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    };
    for group in ["one", "many"] {
        act("groups", json!({ "name": format!("{group} 0") })).await;
        for at in 0..if group == "one" { 1 } else { MANY } {
            let repository = format!("{}/team/app-{at}", registry.host());
            act("groups/repositories", json!({ "group": format!("{group} 0"), "repository": repository })).await;
        }
    }
    let rename = async |group: &str, at: usize| {
        act("groups/rename", json!({ "name": format!("{group} {at}"), "to": format!("{group} {}", at + 1) })).await;
    };
    for at in 0..PAST {
        rename("many", at).await;
    }

    let clock = Arc::new(SystemClock::new(1));
    let before = resident(id, "VmRSS");
    let (seen, mut told) = unbounded_channel();
    for _ in 1..READERS {
        tokio::spawn(read(connected(&server, None).await, clock.clone(), seen.clone()));
    }
    let stuck = connected(&server, Some(0)).await;
    let held = || queued(stuck.peer_addr().unwrap().port(), stuck.local_addr().unwrap().port());
    let metrics = async || http_client().get(format!("{server}/metrics")).send().await.unwrap().text().await.unwrap();
    let count = async || {
        let text = metrics().await;
        let number = text.lines().find_map(|line| line.strip_prefix("tagwarden_live_readers "));
        number.unwrap().parse::<usize>().unwrap()
    };
    until("all read", START, || async { (count().await == READERS).then_some(()) }).await;
    let with_readers = resident(id, "VmRSS");

    // The first of them are told of some of the past, too: of what the server had not read again when they came.
    rename("many", PAST).await;
    let newest = newest(&busy.tagwarden).await;
    let mut there = 0;
    while there < READERS - 1 {
        there += usize::from(told.recv().await.unwrap().0 == newest);
    }
    // The system goes on to take a little for some seconds.
    let (mut held_before, mut still, mut floods) = (0, 0, 0);
    while still < FLOODS {
        floods += 1;
        assert!(floods <= MOST_FLOODS, "the system still takes for the stuck one: {held_before} bytes");
        rename("many", PAST + floods).await;
        for _ in 0..MANY * (READERS - 1) {
            told.recv().await.unwrap();
        }
        still = if held() == held_before { still + 1 } else { 0 };
        held_before = held();
    }
    let mut times = Vec::new();
    for at in 0..ACTS {
        rename("one", at).await;
        let answered = clock.now().mono;
        let mut ids = Vec::new();
        for _ in 1..READERS {
            let (id, read): (i64, u64) = told.recv().await.unwrap();
            ids.push(id);
            times.push(read.saturating_sub(answered.0) as f64 / 1e3);
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "nothing else changes");
    }
    let (after, peak) = (resident(id, "VmRSS"), resident(id, "VmHWM"));
    let held_after = held();
    println!("  the system has {:.2} MB for the stuck one before the floods and after all", held_after as f64 / 1e6);
    assert_eq!(count().await, READERS, "the stuck one was there all the time");
    assert!(held_before > 0 && held_before == held_after, "it is stuck: {held_before} and {held_after} bytes");
    until("the stuck one is given up", GIVEN_UP, || async { (count().await == READERS - 1).then_some(()) }).await;
    let (times, more) = (Times::of(times), peak - before);
    println!(
        "  {before:.0} MB resident without readers, {with_readers:.0} with them, {after:.0} after, {peak:.0} at most"
    );
    println!("  a change is read after {:.1} ms at the median, {:.1} at most", times.at(0.5), times.at(1.0));
    println!("a change at each of {READERS} readers, p99: {:.1} ms (at most {P99:.0})", times.at(0.99));
    println!("memory of {READERS} readers, one of them stuck: {more:.0} MB (at most {MOST:.0})");
    assert!(times.at(0.99) <= P99, "p99 {:.1} ms", times.at(0.99));
    assert!(more <= MOST, "{more:.0} MB");
}

/// The id of the newest change on record.
async fn newest(server: &Tagwarden) -> i64 {
    let url = format!("sqlite://{}", server.folder().join("record.db").display());
    let mut record = SqliteConnection::connect(&url).await.unwrap();
    let newest = sqlx::query_scalar("SELECT max(id) FROM changes").fetch_one(&mut record).await.unwrap();
    record.close().await.unwrap();
    newest
}

/// A connection that has asked for the stream, as a rule from now on; from what happened `after` something for one that takes
/// nothing of it, and has as little room for it as the system gives.
async fn connected(server: &str, after: Option<i64>) -> TcpStream {
    let host = server.strip_prefix("http://").unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    let query = after.map_or_else(String::new, |id| format!("?after={id}"));
    if after.is_some() {
        socket.set_recv_buffer_size(1).unwrap();
    }
    let connecting = tokio::time::timeout(Duration::from_secs(10), socket.connect(host.parse().unwrap()));
    let mut stream = connecting.await.unwrap().unwrap();
    stream.write_all(format!("GET /api/v1/live{query} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
    stream
}

/// Tells the id of each change, and when it was read.
async fn read(stream: TcpStream, clock: Arc<SystemClock>, seen: UnboundedSender<(i64, u64)>) {
    let (mut lines, mut is_change) = (BufReader::new(stream).lines(), false);
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(event) = line.strip_prefix("event: ") {
            is_change = event == "change";
        } else if let Some(id) = line.strip_prefix("id: ")
            && is_change
            && seen.send((id.parse().unwrap(), clock.now().mono.0)).is_err()
        {
            return;
        }
    }
}
