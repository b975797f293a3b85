//! The modes of a proxy.

use std::time::{Duration, Instant};

use docket_local::proxy::{Mode, Proxy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Longest wait for bytes that must come.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Long enough to see that nothing comes.
const SILENCE: Duration = Duration::from_millis(300);

/// A server that sends back all it receives.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    port
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap()
}

/// Sends bytes and returns the answer; empty when the connection ends.
async fn said(stream: &mut TcpStream, what: &[u8]) -> Vec<u8> {
    let _ = stream.write_all(what).await;
    let mut heard = vec![0; what.len()];
    let read = tokio::time::timeout(WAIT_MAX, stream.read(&mut heard)).await;
    heard.truncate(read.expect("it answers or ends").unwrap_or(0));
    heard
}

#[tokio::test]
async fn a_cut_way_is_silent_and_loses_nothing() {
    let proxy = Proxy::open(&[echo().await]).await.unwrap();
    let mut stream = connect(&proxy).await;
    assert_eq!(said(&mut stream, b"before").await, b"before");
    proxy.set(Mode::Cut);
    stream.write_all(b"during").await.unwrap();
    let mut heard = [0; 6];
    assert!(tokio::time::timeout(SILENCE, stream.read(&mut heard)).await.is_err());
    proxy.set(Mode::Open);
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"during");
}

#[tokio::test]
async fn a_reset_way_ends_old_and_new_connections() {
    let proxy = Proxy::open(&[echo().await]).await.unwrap();
    let mut stream = connect(&proxy).await;
    assert_eq!(said(&mut stream, b"before").await, b"before");
    proxy.set(Mode::Reset);
    assert_eq!(said(&mut stream, b"during").await, b"");
    assert_eq!(said(&mut connect(&proxy).await, b"during").await, b"");
    proxy.set(Mode::Open);
    assert_eq!(said(&mut connect(&proxy).await, b"after").await, b"after");
}

#[tokio::test]
async fn answers_are_late_cut_off_or_errors() {
    let proxy = Proxy::open(&[echo().await]).await.unwrap();
    let late = Duration::from_millis(100);
    proxy.set(Mode::Slow(late));
    let began = Instant::now();
    assert_eq!(said(&mut connect(&proxy).await, b"slow").await, b"slow");
    assert!(began.elapsed() >= 2 * late, "both ways");
    proxy.set(Mode::Truncated(3));
    let mut stream = connect(&proxy).await;
    assert_eq!(said(&mut stream, b"whole").await, b"who");
    assert_eq!(said(&mut stream, b"more").await, b"");
    proxy.set(Mode::Errors);
    let answer = said(&mut connect(&proxy).await, &[b'x'; 100]).await;
    assert!(answer.starts_with(b"HTTP/1.1 503 "));
}

/// A server that sends its letter and closes.
async fn letter(letter: u8) -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(&[letter]).await.unwrap();
        }
    });
    (port, serving)
}

#[tokio::test]
async fn connections_take_turns_among_the_servers_that_accept() {
    let (servers, absent) = ([letter(b'a').await, letter(b'b').await], letter(b'c').await);
    absent.1.abort();
    let _ = absent.1.await;
    let proxy = Proxy::open(&[servers[0].0, absent.0, servers[1].0]).await.unwrap();
    let mut heard = Vec::new();
    for _ in 0..6 {
        heard.push(connect(&proxy).await.read_u8().await.unwrap());
    }
    assert_eq!(heard, b"abbabb", "the one that refuses is passed over");
}
