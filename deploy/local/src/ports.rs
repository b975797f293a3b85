//! Free ports of the loopback interface, outside the range from which the kernel takes ports for outgoing connections.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Result, bail};

/// First port to choose from: the well-known ports lie below.
const PORT_MIN: u16 = 10_000;
/// Number of ports to choose from: up to 31,999, since the kernel uses 32,768 and above.
const PORT_COUNT: u16 = 22_000;
const _: () = assert!(PORT_MIN + PORT_COUNT < 32_768);
/// Guesses before giving up: with even 90 % of the range taken, all guesses fail once in 10^9 times.
const GUESSES_MAX: usize = 200;

/// Ports that this process has handed out, whose servers may not listen yet.
static HANDED_OUT: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// Whether a server could listen on this port of the loopback interface now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A free port that this process has not handed out before, drawn at random so that two launchers rarely collide.
pub fn pick() -> Result<u16> {
    let mut handed_out = HANDED_OUT.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..GUESSES_MAX {
        let (drawn, _) = uuid::Uuid::new_v4().as_u64_pair();
        let port = PORT_MIN + (drawn % u64::from(PORT_COUNT)) as u16;
        if !handed_out.contains(&port) && is_free(port) {
            handed_out.insert(port);
            return Ok(port);
        }
    }
    bail!(
        "no free port found between {PORT_MIN} and {}",
        PORT_MIN + PORT_COUNT - 1
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_distinct_and_not_the_kernels() {
        let picked: HashSet<u16> = (0..50).map(|_| pick().unwrap()).collect();
        assert_eq!(picked.len(), 50);
        assert!(
            picked
                .iter()
                .all(|port| (PORT_MIN..PORT_MIN + PORT_COUNT).contains(port))
        );
    }

    #[test]
    fn a_taken_port_is_seen() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert!(!is_free(listener.local_addr().unwrap().port()));
    }
}
