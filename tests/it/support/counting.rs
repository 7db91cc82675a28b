//! Round trips to PostgreSQL, counted where they happen: a relay in front of the server.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A relay that counts how often a client speaks after the server has.
pub(crate) struct Counting {
    port: u16,
    turns: Arc<AtomicU64>,
}

impl Counting {
    /// Starts one in front of the server on a port of this machine. Its threads end with their connections.
    pub(crate) fn start(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let turns = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&turns);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.expect("a connection");
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).expect("the server runs");
                relay(client, server, &counted);
            }
        });
        Self { port, turns }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Round trips so far, over all connections.
    pub(crate) fn turns(&self) -> u64 {
        self.turns.load(Ordering::SeqCst)
    }
}

fn relay(client: TcpStream, server: TcpStream, turns: &Arc<AtomicU64>) {
    let has_answered = Arc::new(AtomicBool::new(true));
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("a socket");
    }
    let (to_client, to_server) =
        (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    let (turns, answered) = (Arc::clone(turns), Arc::clone(&has_answered));
    std::thread::spawn(move || {
        copy(client, to_server, || {
            if answered.swap(false, Ordering::SeqCst) {
                turns.fetch_add(1, Ordering::SeqCst);
            }
        });
    });
    std::thread::spawn(move || copy(server, to_client, || has_answered.store(true, Ordering::SeqCst)));
}

/// Copies until one side ends, which ends the other.
fn copy(mut from: TcpStream, mut to: TcpStream, mut on_bytes: impl FnMut()) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(len @ 1..) = from.read(&mut bytes) {
        on_bytes();
        if to.write_all(&bytes[..len]).is_err() {
            break;
        }
    }
    // The other side may have gone already.
    let _gone = to.shutdown(Shutdown::Both);
}
