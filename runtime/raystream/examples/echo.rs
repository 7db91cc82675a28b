//! A peer for interoperability tests: a server that answers bodies with bodies, one line of hexadecimal each, over stdio.
//!
//! ```text
//! echo SUITE                           on start: x25519, ML-KEM key, build id, route hash, on one line
//! post HEX                             a POST body → `ok HEX` or `refused`
//! open HEX                             a first WebSocket message → `ok HEX…` (one per message) or `refused`
//! frame HEX                            a later WebSocket message → `ok HEX` or `refused`
//! time SECONDS                         sets the clock → `ok`
//! respond HEX, fail HEX                what the next call is answered with, RPC_RESPONSE or RPC_ERROR; may be queued → `ok`
//! calls                                the payloads of the calls since the last time → `ok HEX…`
//! ```
//!
//! Without a queued answer, a call's payload comes back as RPC_RESPONSE. Keys and clock are fixed; a counter takes the place of randomness, so this
//! is of use for tests only.

use kontract_raystream::{
    Accepted, BuildId, FrameType, Opened, Refused, RouteHash, Server, ServerConfig, Session, StaticKey, Stek,
    Suite, TicketKeys, UnixSeconds, frames, limits,
};
use std::collections::VecDeque;
use std::io::{BufRead, Write};

struct Peer {
    server: Server,
    tickets: TicketKeys,
    now: UnixSeconds,
    counter: u8,
    socket: Option<Session>,
    script: Script,
}

/// What calls are answered with, and what they were.
#[derive(Default)]
struct Script {
    answers: VecDeque<(FrameType, Vec<u8>)>,
    calls: Vec<Vec<u8>>,
}

fn main() -> std::io::Result<()> {
    let suite = std::env::args().nth(1).and_then(|id| id.parse().ok()).and_then(Suite::from_u16);
    let Some(suite) = suite else {
        return Err(std::io::Error::other("usage: echo SUITE (1 or 2)"));
    };
    let key = StaticKey::from_seed([0x11; 32]);
    let (build_id, route_hash) = (BuildId([0xb1; 16]), RouteHash([0x42; 32]));
    let pins = [&key.public().x25519()[..], &key.public().ml_kem(), &build_id.0, &route_hash.0];
    println!("{}", pins.map(hex).join(" "));
    let config = ServerConfig {
        suite,
        build_id,
        route_hash,
        current: key,
        backup: None,
        idle_timeout_secs: limits::IDLE_TIMEOUT_SECS,
    };
    let mut peer = Peer {
        server: Server::new(config),
        tickets: TicketKeys { current: Stek::new([0x77; 32]), previous: None },
        now: UnixSeconds(1_800_000_000),
        counter: 0,
        socket: None,
        script: Script::default(),
    };
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (command, argument) = line.split_once(' ').unwrap_or((&line, ""));
        let answer = peer.answer(command, argument).unwrap_or_else(|Refused { .. }| "refused".to_owned());
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

impl Peer {
    fn answer(&mut self, command: &str, argument: &str) -> Result<String, Refused> {
        let bytes = unhex(argument);
        let messages = match command {
            "post" => vec![self.post(&bytes)?],
            "open" => self.open(&bytes)?,
            "frame" => Some(self.frame(&bytes)?).filter(|answer| !answer.is_empty()).into_iter().collect(),
            "respond" => self.script.queue(FrameType::RpcResponse, bytes),
            "fail" => self.script.queue(FrameType::RpcError, bytes),
            "calls" => std::mem::take(&mut self.script.calls),
            "time" => {
                self.now = UnixSeconds(argument.parse().unwrap_or(self.now.0));
                Vec::new()
            }
            _ => return Ok(format!("unknown command {command}")),
        };
        Ok(std::iter::once("ok".to_owned())
            .chain(messages.iter().map(|message| hex(message)))
            .collect::<Vec<_>>()
            .join(" "))
    }

    fn accept(&mut self, init: &[u8]) -> Result<Accepted, Refused> {
        let counter = &mut self.counter;
        let mut entropy = |bytes: &mut [u8]| {
            *counter = counter.wrapping_add(1);
            bytes.fill(*counter);
        };
        self.server.accept(init, &self.tickets, self.now, &mut entropy)
    }

    fn post(&mut self, body: &[u8]) -> Result<Vec<u8>, Refused> {
        let mut received = frames(body);
        let init = received.next().transpose()?.unwrap_or_default();
        let Accepted { mut session, mut response, early, .. } = self.accept(init)?;
        for call in early {
            response.extend(self.script.reply(&mut session, call));
        }
        for frame in received {
            response.extend(self.script.answer(&mut session, frame?)?);
        }
        Ok(response)
    }

    fn open(&mut self, message: &[u8]) -> Result<Vec<Vec<u8>>, Refused> {
        let Accepted { mut session, mut response, early, .. } = self.accept(message)?;
        for call in early {
            response.extend(self.script.reply(&mut session, call));
        }
        self.socket = Some(session);
        frames(&response).map(|frame| Ok(frame?.to_vec())).collect()
    }

    fn frame(&mut self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        match &mut self.socket {
            Some(session) => self.script.answer(session, message),
            None => Ok(Vec::new()),
        }
    }
}

impl Script {
    fn queue(&mut self, ty: FrameType, payload: Vec<u8>) -> Vec<Vec<u8>> {
        self.answers.push_back((ty, payload));
        Vec::new()
    }

    fn answer(&mut self, session: &mut Session, frame: &[u8]) -> Result<Vec<u8>, Refused> {
        let opened = session.open(frame)?;
        if matches!(opened.ty, FrameType::RpcCancel | FrameType::Close) {
            return Ok(Vec::new());
        }
        Ok(self.reply(session, opened))
    }

    fn reply(&mut self, session: &mut Session, opened: Opened) -> Vec<u8> {
        let (ty, payload) = self.answers.pop_front().unwrap_or_else(|| {
            // Now and then under a new key.
            if opened.payload.first().is_some_and(|byte| byte % 8 == 3) {
                let _exhausted = session.rekey();
            }
            (FrameType::RpcResponse, opened.payload.clone())
        });
        self.calls.push(opened.payload);
        session.seal(ty, opened.sequence, &payload).unwrap_or_default()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let byte =
        |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    text.as_bytes().chunks(2).filter_map(byte).collect()
}
