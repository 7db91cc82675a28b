//! raystream and nothing else in a Worker: no token, no route, no codec.
//!
//! ```text
//! HANDSHAKE_INIT ‖ frame*  ──▶  handshake's response ‖ an RPC_RESPONSE with the same payload for each frame
//! ```
//!
//! The load is what `benches/raystream/bench.mjs` seals; keys are fixed, which a benchmark may have.

use kontract_raystream::{
    Accepted, BuildId, Entropy, FrameType, RouteHash, Server, ServerConfig, StaticKey, Stek, Suite,
    TicketKeys, UnixSeconds, frames, limits::IDLE_TIMEOUT_SECS,
};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(buffer: &mut [u8]);
}

struct WebCrypto;

impl Entropy for WebCrypto {
    fn fill(&mut self, buffer: &mut [u8]) {
        get_random_values(buffer);
    }
}

/// A server that echoes.
#[wasm_bindgen]
pub struct Echo {
    server: Server,
    tickets: TicketKeys,
}

#[wasm_bindgen]
impl Echo {
    /// Suite 2 for a build: an id of 16 bytes, a hash of 32. `key` is the static key's seed, 32 bytes.
    ///
    /// # Errors
    /// When one of them has another length.
    #[wasm_bindgen(constructor)]
    pub fn new(build_id: &[u8], route_hash: &[u8], key: &[u8]) -> Result<Echo, JsError> {
        let config = ServerConfig {
            suite: Suite::Hybrid,
            build_id: BuildId(build_id.try_into()?),
            route_hash: RouteHash(route_hash.try_into()?),
            current: StaticKey::from_seed(key.try_into()?),
            backup: None,
            idle_timeout_secs: IDLE_TIMEOUT_SECS,
        };
        let tickets = TicketKeys { current: Stek::new([7; 32]), previous: None };
        Ok(Self { server: Server::new(config), tickets })
    }

    /// Answers a body.
    ///
    /// # Errors
    /// For anything that does not authenticate.
    pub fn answer(&self, body: &[u8]) -> Result<Vec<u8>, JsError> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the clock is after 1970"
        )]
        let now = UnixSeconds((js_sys::Date::now() / 1000.0) as u64);
        let mut parts = frames(body);
        let init = parts.next().ok_or_else(|| JsError::new("an empty body"))??;
        let Accepted { mut session, mut response, .. } =
            self.server.accept(init, &self.tickets, now, &mut WebCrypto)?;
        for frame in parts {
            let opened = session.open(frame?)?;
            response.extend(session.seal(FrameType::RpcResponse, opened.sequence, &opened.payload)?);
        }
        Ok(response)
    }
}

/// The public halves of a static key: X25519 (32 bytes), then ML-KEM-768. `key` is its seed.
///
/// # Errors
/// When that does not have 32 bytes.
#[wasm_bindgen(js_name = publicKey)]
pub fn public_key(key: &[u8]) -> Result<Vec<u8>, JsError> {
    let key = StaticKey::from_seed(key.try_into()?);
    Ok([&key.public().x25519()[..], &key.public().ml_kem()].concat())
}
