//! The gateway: what happens to a frame between the transport and the endpoint.
//!
//! ```text
//! frame → session → authentication → permission → AdmittedCall   (the shell runs the endpoint)
//!                                                  outcome → frame
//! ```
//!
//! Sans-IO: a shell brings bytes, time and randomness, and carries bytes away. Knows neither JavaScript nor SQL text.
#![forbid(unsafe_code)]

mod admit;
mod builtin;
mod channel;
mod chunk;
pub mod limits;
mod message;
mod page;
mod routes;

pub use admit::AdmittedCall;
pub use channel::{Channel, ChannelError, Received};
pub use chunk::{Chunk, ChunkContent};
pub use routes::{RoutePolicy, Routes};

use kontract_auth::{Authority, IdentityKey};
use kontract_raystream::{Entropy, PeerFault, Refused, Server, ServerConfig, TicketKeys, UnixSeconds};

/// Everything the gateway knows about a build.
pub struct GatewayConfig {
    /// raystream's static keys and what they are bound to.
    pub raystream: ServerConfig,
    /// The project's identity secret.
    pub identity_key: IdentityKey,
    /// Endpoints and their policies.
    pub routes: Routes,
}

/// The gateway of one build. Shared by all its channels.
pub struct Gateway {
    server: Server,
    authority: Authority,
    routes: Routes,
}

impl Gateway {
    /// A gateway with its keys derived.
    pub fn new(config: GatewayConfig) -> Self {
        Self {
            server: Server::new(config.raystream),
            authority: Authority::new(&config.identity_key),
            routes: config.routes,
        }
    }

    /// Opens a channel with a HANDSHAKE_INIT frame; the second value is what the peer has to be sent.
    ///
    /// # Errors
    /// [`Refused`] for anything but a handshake made for this build. Also for one that carries early data: no client
    /// of this version sends any.
    pub fn accept(
        &self,
        init: &[u8],
        tickets: &TicketKeys,
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<(Channel, Vec<u8>), Refused> {
        let accepted = self.server.accept(init, tickets, now, entropy)?;
        if !accepted.early.is_empty() {
            return Err(PeerFault::UnexpectedType.into());
        }
        Ok((Channel::new(accepted.session), accepted.response))
    }
}
