//! An address of a server that stays while the server behind it changes.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// A port that leads to whichever server is behind it; to nowhere while there is none.
pub(crate) struct Door {
    port: u16,
    behind: Arc<AtomicU16>,
}

impl Door {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let behind = Arc::new(AtomicU16::new(0));
        let target = Arc::clone(&behind);
        // It ends with this process, as the listener does.
        std::thread::spawn(move || {
            for outside in listener.incoming().map_while(Result::ok) {
                if let Ok(inside) = TcpStream::connect((Ipv4Addr::LOCALHOST, target.load(Ordering::Relaxed)))
                {
                    carry(&outside, &inside);
                    carry(&inside, &outside);
                }
            }
        });
        Self { port, behind }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where connections go from now on; those that are open stay where they are.
    pub(crate) fn lead_to(&self, port: u16) {
        self.behind.store(port, Ordering::Relaxed);
    }
}

/// Carries bytes in one direction until either end is closed.
fn carry(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().expect("open"), to.try_clone().expect("open"));
    std::thread::spawn(move || {
        // An end that was cut ends the other one, as the end of a stream does.
        let _cut = io::copy(&mut from, &mut to);
        let _closed = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}
