//! A wire between a program and a server, which a test can cut.

use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Forwards connections while whole; a cut ends the open connections and refuses new ones.
pub struct Wire {
    /// Host and port for the program.
    pub address: String,
    whole: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Wire {
    /// A whole wire to a server's address.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound").to_string();
        let whole = watch::Sender::new(true);
        let (server, state) = (Arc::<str>::from(server), whole.subscribe());
        let accepting = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(forward(connection, server.clone(), state.clone()));
            }
        });
        Self {
            address,
            whole,
            accepting,
        }
    }

    /// Cuts the wire, or makes it whole again.
    pub fn set_whole(&self, whole: bool) {
        self.whole.send_replace(whole);
    }
}

async fn forward(mut near: TcpStream, server: Arc<str>, mut whole: watch::Receiver<bool>) {
    if !*whole.borrow() {
        return;
    }
    let Ok(mut far) = TcpStream::connect(&*server).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = whole.wait_for(|whole| !whole) => {}
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.accepting.abort();
        self.whole.send_replace(false);
    }
}
