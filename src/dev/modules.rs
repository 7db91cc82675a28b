//! Gives a workerd its modules when they are imported.
//!
//! workerd asks in its way (`fallback-service.h` of its sources): `GET /?specifier=<path>&…` at a socket, and gets the module as JSON.
//! What is served is what was built last without errors, whatever lies on disk since. The socket is in a folder of this user alone.
//!
//! One module, [`DOOR`], is kept back until somebody opens. No module runs before all are there that the entry takes, so that workerd can
//! start while the one before it is still serving.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// Modules and their maps, by their paths below the project. Those that an edit leaves as they are, its Worker shares with the last.
pub type Modules = BTreeMap<String, Arc<Vec<u8>>>;

/// A thread that answers one workerd, as long as this lives.
pub struct ModuleServer {
    folder: TempDir,
    modules: Arc<Modules>,
    door: Arc<Door>,
}

impl ModuleServer {
    /// Starts answering.
    ///
    /// # Errors
    /// When there can be no socket.
    pub fn start(modules: Modules) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("kontract-").tempdir()?;
        let listener = UnixListener::bind(folder.path().join(SOCKET))?;
        let (modules, door) = (Arc::new(modules), Arc::new(Door::default()));
        let (shared, opened) = (Arc::clone(&modules), Arc::clone(&door));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if opened.state() == State::Ended {
                    break;
                }
                // Who goes away before the answer has ended, as workerd.
                let _gone: io::Result<()> = answer(&stream, &shared, &opened);
            }
        });
        Ok(Self { folder, modules, door })
    }

    /// Where workerd asks.
    pub fn address(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// What is served.
    pub fn modules(&self) -> &Arc<Modules> {
        &self.modules
    }

    /// Lets workerd run its modules.
    pub fn open(&self) {
        self.door.set(State::Open);
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join(SOCKET)
    }
}

impl Drop for ModuleServer {
    fn drop(&mut self) {
        self.door.set(State::Ended);
        // Wakes the thread, unless it has ended.
        let _woken: io::Result<UnixStream> = UnixStream::connect(self.socket());
    }
}

#[derive(Default)]
struct Door {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Closed,
    Open,
    Ended,
}

impl Door {
    fn state(&self) -> State {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.changed.notify_all();
    }

    /// Waits until it is not closed any more.
    fn pass(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(state, |state| *state == State::Closed));
    }
}

fn answer(stream: &UnixStream, modules: &Modules, door: &Door) -> io::Result<()> {
    stream.set_read_timeout(Some(REQUEST_MAX))?;
    stream.set_write_timeout(Some(REQUEST_MAX))?;
    let mut request = BufReader::new(stream.take(REQUEST_LEN_MAX));
    let mut first = String::new();
    request.read_line(&mut first)?;
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        line.clear();
    }
    let name = specifier(&first);
    let module = match name.as_deref() {
        Some(DOOR) => {
            door.pass();
            Some(module(DOOR, b"export {};"))
        }
        Some(name) => modules.get(name).map(|bytes| module(name, bytes)),
        None => None,
    };
    let (status, body) = match module {
        Some(module) => ("200 OK", module.to_string()),
        None => ("404 Not Found", String::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let mut stream = stream;
    stream.write_all((head + &body).as_bytes())
}

/// The JSON of a `Worker.Module` (`workerd.capnp`).
fn module(name: &str, bytes: &[u8]) -> Value {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("wasm") => json!({ "name": name, "wasm": bytes }),
        Some("json") => json!({ "name": name, "json": String::from_utf8_lossy(bytes) }),
        _ => json!({ "name": name, "esModule": String::from_utf8_lossy(bytes) }),
    }
}

/// The path in `GET /?specifier=%2Fa%2Fb.js&… HTTP/1.1`, below the project.
fn specifier(line: &str) -> Option<String> {
    let query = line.strip_prefix("GET /?")?.split(' ').next()?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix("specifier="))?;
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    Some(String::from_utf8(bytes).ok()?.trim_start_matches('/').to_owned())
}

/// The module that is kept back.
pub const DOOR: &str = ".kontract/server/door.js";
const SOCKET: &str = "modules";
/// A specifier and who imports it, each of which may be as long as a path.
const REQUEST_LEN_MAX: u64 = 64 * 1024;
/// workerd is on this machine.
const REQUEST_MAX: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::{DOOR, ModuleServer, specifier};
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn specifiers_are_read_as_they_are_sent() {
        for (line, path) in [
            (
                "GET /?specifier=%2F.kontract%2Fserver%2Fa.js&referrer=%2Fb HTTP/1.1",
                Some(".kontract/server/a.js"),
            ),
            ("GET /?referrer=%2Fb&specifier=%2Fc+%C3%A9%2B.js HTTP/1.1", Some("c é+.js")),
            ("GET /?specifier=%2 HTTP/1.1", None),
            ("GET /?specifier=%zz HTTP/1.1", None),
            ("GET /?specifier=%FF HTTP/1.1", None),
            ("POST / HTTP/1.1", None),
        ] {
            assert_eq!(specifier(line).as_deref(), path, "{line}");
        }
    }

    fn ask(address: &str, name: &str) -> UnixStream {
        let path = address.strip_prefix("unix:").expect("a socket's path");
        let mut stream = UnixStream::connect(path).expect("somebody listens");
        write!(stream, "GET /?specifier=%2F{name} HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
        stream
    }

    fn answer(mut stream: UnixStream) -> String {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer
    }

    fn server() -> ModuleServer {
        let module = Arc::new(b"export {\"x\"}".to_vec());
        ModuleServer::start([("a.js".to_owned(), module)].into()).expect("a socket")
    }

    #[test]
    fn modules_are_given_and_others_are_not() {
        let server = server();
        for (name, words) in
            [("a.js", "{\"name\":\"a.js\",\"esModule\":\"export {\\\"x\\\"}\"}"), ("b.js", "404 Not Found")]
        {
            let answer = answer(ask(&server.address(), name));
            assert!(answer.contains(words), "{answer}");
        }
    }

    #[test]
    fn the_door_stays_closed_until_it_is_opened_or_gone() {
        for opens in [true, false] {
            let server = server();
            let address = server.address();
            let asked = ask(&address, DOOR);
            asked.set_read_timeout(Some(Duration::from_millis(50))).expect("ours");
            let early = (&asked).read(&mut [0; 1]).map_err(|error| error.kind());
            assert_eq!(early, Err(ErrorKind::WouldBlock));
            asked.set_read_timeout(None).expect("ours");
            if opens {
                server.open();
            } else {
                drop(server);
            }
            assert!(answer(asked).contains("export {};"));
        }
    }
}
