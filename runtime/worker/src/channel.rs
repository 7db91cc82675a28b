//! raystream channels and the calls that arrive on them.

use crate::platform::{WebCrypto, now};
use crate::transaction::Transaction;
use kontract_auth::IdentityKey;
use kontract_gateway::{
    AdmittedCall, Chunk, ChunkContent, GatewayConfig, Received, RoutePolicy, Routes, Welcome,
};
use kontract_mvcc::table::{Ptr, Table, Tables};
use kontract_raystream::limits::IDLE_TIMEOUT_SECS;
use kontract_raystream::{BuildId, RouteHash, ServerConfig, StaticKey, Stek, Suite, TicketKeys};
use kontract_wire::call::IdempotencyKey;
use kontract_wire::error::WireError;
use kontract_wire::perm::Perms;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// The gateway of a build with its secrets.
#[wasm_bindgen]
pub struct Gateway {
    pub(crate) gateway: kontract_gateway::Gateway,
    pub(crate) tables: Arc<Tables>,
}

/// What the build knows: written by the compiler, read once when the Worker starts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Build {
    suite: u16,
    build_id: [u8; 16],
    route_hash: [u8; 32],
    routes: Vec<BuildRoute>,
    tables: BTreeMap<String, BuildTable>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BuildRoute {
    name: String,
    perm: u8,
    ugroup: Option<String>,
    max_bytes: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BuildTable {
    ptr: String,
    key: String,
    readonly: BTreeSet<String>,
}

#[wasm_bindgen]
impl Gateway {
    /// `build` is JSON; the keys are 32 bytes each, the current static key first.
    ///
    /// # Errors
    /// When the build or a key does not have its shape.
    #[wasm_bindgen(constructor)]
    pub fn new(
        build: &str,
        static_key: &[u8],
        backup_key: &[u8],
        identity_key: &[u8],
    ) -> Result<Gateway, JsError> {
        let build: Build = serde_json::from_str(build)?;
        let suite = Suite::from_u16(build.suite).ok_or_else(|| JsError::new("unknown raystream suite"))?;
        let config = GatewayConfig {
            raystream: ServerConfig {
                suite,
                build_id: BuildId(build.build_id),
                route_hash: RouteHash(build.route_hash),
                current: StaticKey::from_seed(secret(static_key, "KONTRACT_KEY")?),
                backup: Some(StaticKey::from_seed(secret(backup_key, "KONTRACT_BACKUP_KEY")?)),
                idle_timeout_secs: IDLE_TIMEOUT_SECS,
            },
            identity_key: IdentityKey::new(secret(identity_key, "KONTRACT_IDENTITY_KEY")?),
            routes: routes(build.routes)?,
        };
        Ok(Self { gateway: kontract_gateway::Gateway::new(config), tables: Arc::new(tables(build.tables)?) })
    }

    /// Opens a channel with a HANDSHAKE_INIT frame. `tickets` holds the current and, after a rotation, the previous
    /// ticket key, 32 bytes each.
    ///
    /// # Errors
    /// The one refusal that is shown outside.
    pub fn accept(&self, init: &[u8], tickets: &[u8]) -> Result<Channel, JsError> {
        let tickets = ticket_keys(tickets).ok_or_else(|| JsError::new("ticket keys are 32 bytes each"))?;
        let welcome = self.gateway.accept(init, &tickets, now(), &mut WebCrypto).map_err(|_| refused())?;
        let Welcome { channel, response, early } = welcome;
        Ok(Channel { channel, response, early: early.into() })
    }
}

/// One raystream session.
#[wasm_bindgen]
pub struct Channel {
    channel: kontract_gateway::Channel,
    response: Vec<u8>,
    early: VecDeque<Received>,
}

#[wasm_bindgen]
impl Channel {
    /// The frames that answer the handshake; empty when called again.
    #[wasm_bindgen(js_name = takeResponse)]
    pub fn take_response(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.response)
    }

    /// What the next call of the handshake's early data led to; `undefined` after the last.
    #[wasm_bindgen(js_name = takeEarly)]
    pub fn take_early(&mut self, gateway: &Gateway) -> Option<Incoming> {
        let received = self.early.pop_front()?;
        Some(Incoming { received: Some(received), tables: Arc::clone(&gateway.tables) })
    }

    /// Takes a frame.
    ///
    /// # Errors
    /// The one refusal that is shown outside; the channel is dead then.
    pub fn receive(&mut self, gateway: &Gateway, frame: &[u8]) -> Result<Incoming, JsError> {
        let received =
            self.channel.receive(&gateway.gateway, frame, now(), &mut WebCrypto).map_err(|_| refused())?;
        Ok(Incoming { received: Some(received), tables: Arc::clone(&gateway.tables) })
    }

    /// Whether parts of a call are missing.
    #[wasm_bindgen(getter)]
    pub fn waiting(&self) -> bool {
        self.channel.is_waiting()
    }

    /// The frame or frames with a piece of a stream of a call: 0 is the result.
    ///
    /// # Errors
    /// When the session has run out of numbers.
    pub fn data(&mut self, sequence: u32, stream: u16, piece: Vec<u8>) -> Result<Vec<u8>, JsError> {
        Ok(self.channel.chunk(sequence, stream, ChunkContent::Data(piece), now())?)
    }

    /// The frame that lets the peer send so many bytes more of a stream.
    ///
    /// # Errors
    /// When the session has run out of numbers.
    pub fn credit(&mut self, sequence: u32, stream: u16, bytes: u32) -> Result<Vec<u8>, JsError> {
        Ok(self.channel.chunk(sequence, stream, ChunkContent::Credit(bytes), now())?)
    }

    /// The frame or frames with an endpoint's result.
    ///
    /// # Errors
    /// When the session has run out of numbers.
    pub fn respond(&mut self, sequence: u32, result: &[u8]) -> Result<Vec<u8>, JsError> {
        Ok(self.channel.respond(sequence, result, now())?)
    }

    /// The frame with an endpoint's error.
    ///
    /// # Errors
    /// When the session has run out of numbers.
    pub fn fail(
        &mut self,
        sequence: u32,
        status: u16,
        code: String,
        message: String,
    ) -> Result<Vec<u8>, JsError> {
        Ok(self.channel.fail(sequence, &WireError { status, code, message }, now())?)
    }

    /// A frame that says nothing but that the connection lives.
    ///
    /// # Errors
    /// When the session has run out of numbers.
    pub fn heartbeat(&mut self) -> Result<Vec<u8>, JsError> {
        Ok(self.channel.heartbeat(now())?)
    }
}

/// What a frame led to: a call, a frame to send, a cancelled call, a chunk, the end, or nothing.
#[wasm_bindgen]
pub struct Incoming {
    received: Option<Received>,
    tables: Arc<Tables>,
}

#[wasm_bindgen]
impl Incoming {
    /// The call, if it is one; `undefined` when called again.
    #[wasm_bindgen(js_name = takeCall)]
    pub fn take_call(&mut self) -> Option<Call> {
        match self.received.take() {
            Some(Received::Call(call)) => Some(Call { call: *call, tables: Arc::clone(&self.tables) }),
            other => {
                self.received = other;
                None
            }
        }
    }

    /// A sealed frame to send, if the gateway answered by itself.
    #[wasm_bindgen(getter)]
    pub fn reply(&self) -> Option<Vec<u8>> {
        match &self.received {
            Some(Received::Reply(frame)) => Some(frame.clone()),
            Some(
                Received::Call(_)
                | Received::Cancel(_)
                | Received::Chunk(..)
                | Received::Nothing
                | Received::Close,
            )
            | None => None,
        }
    }

    /// The sequence number of a call that is not wanted any more.
    #[wasm_bindgen(getter)]
    pub fn cancelled(&self) -> Option<u32> {
        match &self.received {
            Some(Received::Cancel(sequence)) => Some(*sequence),
            Some(
                Received::Call(_)
                | Received::Reply(_)
                | Received::Chunk(..)
                | Received::Nothing
                | Received::Close,
            )
            | None => None,
        }
    }

    /// The chunk, if it is one; `undefined` when called again.
    #[wasm_bindgen(js_name = takeChunk)]
    pub fn take_chunk(&mut self) -> Option<StreamChunk> {
        match self.received.take() {
            Some(Received::Chunk(sequence, chunk)) => Some(StreamChunk { sequence, chunk }),
            other => {
                self.received = other;
                None
            }
        }
    }

    /// Whether the peer ended the session.
    #[wasm_bindgen(getter)]
    pub fn closed(&self) -> bool {
        matches!(self.received, Some(Received::Close))
    }
}

/// A piece of a stream of a call, its end, or leave to send more of it.
#[wasm_bindgen]
pub struct StreamChunk {
    sequence: u32,
    chunk: Chunk,
}

#[wasm_bindgen]
impl StreamChunk {
    /// Which call.
    #[wasm_bindgen(getter)]
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Which stream of it: 0 is its result, those from 1 its arguments.
    #[wasm_bindgen(getter)]
    pub fn stream(&self) -> u16 {
        self.chunk.stream
    }

    /// The piece, if it is one.
    #[wasm_bindgen(getter)]
    pub fn data(&self) -> Option<Vec<u8>> {
        match &self.chunk.content {
            ChunkContent::Data(piece) => Some(piece.clone()),
            ChunkContent::End | ChunkContent::Credit(_) => None,
        }
    }

    /// How many bytes more may be sent, if it says so.
    #[wasm_bindgen(getter)]
    pub fn credit(&self) -> Option<u32> {
        match self.chunk.content {
            ChunkContent::Credit(bytes) => Some(bytes),
            ChunkContent::Data(_) | ChunkContent::End => None,
        }
    }
}

/// An admitted call.
#[wasm_bindgen]
pub struct Call {
    pub(crate) call: AdmittedCall,
    pub(crate) tables: Arc<Tables>,
}

#[wasm_bindgen]
impl Call {
    /// The sequence number that the answer repeats.
    #[wasm_bindgen(getter)]
    pub fn sequence(&self) -> u32 {
        self.call.sequence()
    }

    /// The endpoint's route id.
    #[wasm_bindgen(getter)]
    pub fn route(&self) -> u32 {
        self.call.route().as_u32()
    }

    /// The endpoint's name.
    #[wasm_bindgen(getter)]
    pub fn name(&self) -> String {
        self.call.policy().name.clone()
    }

    /// The caller.
    #[wasm_bindgen(getter)]
    pub fn owner(&self) -> String {
        self.call.identity().owner.clone()
    }

    /// The caller's groups.
    #[wasm_bindgen(getter)]
    pub fn groups(&self) -> Vec<String> {
        self.call.identity().groups.clone()
    }

    /// The endpoint's permission bits.
    #[wasm_bindgen(getter)]
    pub fn perm(&self) -> u8 {
        self.call.policy().perm.bits()
    }

    /// The arguments as a FlatBuffer.
    #[wasm_bindgen(getter)]
    pub fn arguments(&self) -> Vec<u8> {
        self.call.arguments().to_vec()
    }

    /// A transaction for one attempt to run the call.
    pub fn begin(&self) -> Transaction {
        Transaction::begin(&self.call, Arc::clone(&self.tables), self.call.idempotency_key())
    }

    /// The transaction of one attempt at the call's inner transaction `number`. It has an idempotency key of its own, so that
    /// an outer attempt that runs again finds it done: made from the call's, or from `seed`, which all attempts share.
    #[wasm_bindgen(js_name = beginInner)]
    pub fn begin_inner(&self, seed: &[u8], number: u32) -> Result<Transaction, JsError> {
        let seed: [u8; 16] = seed.try_into().map_err(|_| JsError::new("a seed has 16 bytes"))?;
        let IdempotencyKey(key) = self.call.idempotency_key().unwrap_or(IdempotencyKey(seed));
        // Keys are random: a neighbour is nobody's.
        let key = u128::from_be_bytes(key).wrapping_add(u128::from(number) + 1).to_be_bytes();
        Ok(Transaction::begin(&self.call, Arc::clone(&self.tables), Some(IdempotencyKey(key))))
    }

    /// A transaction that reads the state of an earlier snapshot.
    #[wasm_bindgen(js_name = beginAt)]
    pub fn begin_at(&self, snapshot: String) -> Transaction {
        Transaction::at(&self.call, Arc::clone(&self.tables), snapshot)
    }
}

fn ticket_keys(bytes: &[u8]) -> Option<TicketKeys> {
    let (current, rest) = bytes.split_first_chunk::<32>()?;
    let previous = match rest {
        [] => None,
        rest => Some(Stek::new(rest.try_into().ok()?)),
    };
    Some(TicketKeys { current: Stek::new(*current), previous })
}

fn routes(routes: Vec<BuildRoute>) -> Result<Routes, JsError> {
    routes
        .into_iter()
        .map(|route| {
            let perm =
                Perms::from_bits(route.perm).ok_or_else(|| JsError::new("permission bits outside RWX"))?;
            Ok(RoutePolicy { name: route.name, perm, ugroup: route.ugroup, max_bytes: route.max_bytes })
        })
        .collect()
}

fn tables(tables: BTreeMap<String, BuildTable>) -> Result<Tables, JsError> {
    tables
        .into_iter()
        .map(|(name, BuildTable { ptr, key, readonly })| {
            let ptr = Ptr::parse(&ptr).ok_or_else(|| JsError::new("a table's ptr is misspelt"))?;
            Ok((name, Table { ptr, key, readonly }))
        })
        .collect()
}

fn secret(bytes: &[u8], name: &str) -> Result<[u8; 32], JsError> {
    bytes.try_into().map_err(|_| JsError::new(&format!("{name} must be 32 bytes, base64url")))
}

/// Nothing outside tells one failure from another.
fn refused() -> JsError {
    JsError::new("refused")
}
