//! What the system holds between two ends of a connection of loopback.

use std::fs;

/// Bytes that the end at port `from` has written and the one at port `to` has not read: what waits to be sent, and what waits
/// to be taken (`/proc/net/tcp`, proc(5): `tx_queue` of the one, `rx_queue` of the other).
///
/// The system takes more than either end asked for, by a megabyte and more. An end that has stopped taking is one for which
/// this stands still while there is more for it.
pub fn queued(from: u16, to: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").expect("the system tells of its connections");
    let number = |text: &str| usize::from_str_radix(text, 16).expect("a hexadecimal number");
    let line = |here: u16, there: u16| {
        let mut lines = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
        let ports = |line: &[&str]| [line[1], line[2]].map(|end| end.rsplit_once(':').map(|(_, port)| number(port)));
        let wanted = [Some(usize::from(here)), Some(usize::from(there))];
        lines.find(|line| ports(line) == wanted).map(|line| line[4].to_owned())
    };
    let (sent, taken) = (line(from, to), line(to, from));
    let [sent, taken] =
        [sent, taken].map(|queues| queues.unwrap_or_else(|| panic!("{from} and {to} are not connected")));
    let (waits, _) = sent.split_once(':').expect("two queues");
    let (_, lies) = taken.split_once(':').expect("two queues");
    number(waits) + number(lies)
}

#[cfg(test)]
mod tests {
    use super::queued;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn what_is_not_read_is_queued() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let here = listener.local_addr().expect("an address");
        let mut to = TcpStream::connect(here).await.expect("a connection");
        let (mut from, there) = listener.accept().await.expect("a connection");
        from.write_all(&[0; 1_000]).await.expect("it is written");
        assert_eq!(queued(here.port(), there.port()), 1_000);
        to.read_exact(&mut [0; 400]).await.expect("it is read");
        assert_eq!(queued(here.port(), there.port()), 600);
    }
}
