//! Gives workerd the modules of an unbundled Worker when they are imported.
//!
//! workerd asks in its way (`fallback-service.h` of its sources): `GET /?specifier=<path>&…` at a socket, and gets the module as JSON.
//! What is served is what was built last without errors, whatever lies on disk since. The socket is in a folder of this user alone.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// Modules and their maps, by their paths below the project.
pub type Modules = BTreeMap<String, Vec<u8>>;

/// The modules that are served, shared with whoever reads their maps.
pub type Shared = Arc<Mutex<Modules>>;

/// A thread that answers workerd, as long as this process runs.
pub struct ModuleServer {
    folder: TempDir,
    modules: Shared,
}

impl ModuleServer {
    /// Starts answering.
    ///
    /// # Errors
    /// When there can be no socket.
    pub fn start() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("kontract-").tempdir()?;
        let listener = UnixListener::bind(folder.path().join(SOCKET))?;
        let modules = Shared::default();
        let shared = Arc::clone(&modules);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who goes away before the answer has ended, as workerd.
                let _gone: io::Result<()> = answer(&stream, &shared);
            }
        });
        Ok(Self { folder, modules })
    }

    /// Where workerd asks.
    pub fn address(&self) -> String {
        format!("unix:{}", self.folder.path().join(SOCKET).display())
    }

    /// What is served.
    pub fn modules(&self) -> &Shared {
        &self.modules
    }
}

fn answer(stream: &UnixStream, modules: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(REQUEST_MAX))?;
    stream.set_write_timeout(Some(REQUEST_MAX))?;
    let mut request = BufReader::new(stream.take(REQUEST_LEN_MAX));
    let mut first = String::new();
    request.read_line(&mut first)?;
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        line.clear();
    }
    let module = specifier(&first).and_then(|name| {
        let modules = modules.lock().unwrap_or_else(PoisonError::into_inner);
        modules.get(&name).map(|bytes| module(&name, bytes).to_string())
    });
    let (status, body) = match module {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", String::new()),
    };
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
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

const SOCKET: &str = "modules";
/// A specifier and who imports it, each of which may be as long as a path.
const REQUEST_LEN_MAX: u64 = 64 * 1024;
/// workerd is on this machine.
const REQUEST_MAX: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::{ModuleServer, specifier};
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

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

    #[test]
    fn modules_are_given_and_others_are_not() {
        let server = ModuleServer::start().expect("a socket");
        server.modules().lock().expect("unpoisoned").insert("a.js".to_owned(), b"export {\"x\"}".to_vec());
        let address = server.address();
        let path = address.strip_prefix("unix:").expect("a socket's path");
        for (name, words) in
            [("a.js", "{\"name\":\"a.js\",\"esModule\":\"export {\\\"x\\\"}\"}"), ("b.js", "404 Not Found")]
        {
            let mut stream = UnixStream::connect(path).expect("somebody listens");
            write!(stream, "GET /?specifier=%2F{name} HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("answered");
            assert!(answer.contains(words), "{answer}");
        }
    }
}
