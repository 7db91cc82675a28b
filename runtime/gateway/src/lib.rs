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
mod early;
pub mod limits;
mod message;
mod page;
mod routes;

pub use admit::AdmittedCall;
pub use channel::{Channel, ChannelError, Received};
pub use chunk::{Chunk, ChunkContent};
pub use routes::{RoutePolicy, Routes};

use kontract_auth::{Authority, IdentityKey};
use kontract_raystream::{Entropy, Refused, Server, ServerConfig, TicketKeys, UnixSeconds};

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

/// What a handshake leads to.
pub struct Welcome {
    /// The session.
    pub channel: Channel,
    /// What the peer has to be sent first.
    pub response: Vec<u8>,
    /// What the calls of its early data lead to: replies, which are to be sent behind the response, and calls.
    pub early: Vec<Received>,
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

    /// Opens a channel with a HANDSHAKE_INIT frame.
    ///
    /// # Errors
    /// [`Refused`] for anything but a handshake made for this build, and for early data that could have an effect.
    pub fn accept(
        &self,
        init: &[u8],
        tickets: &TicketKeys,
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<Welcome, Refused> {
        let accepted = self.server.accept(init, tickets, now, entropy)?;
        let mut channel = Channel::new(accepted.session, now);
        let early = channel.begin_early(self, &accepted.early, now, entropy)?;
        Ok(Welcome { channel, response: accepted.response, early })
    }
}
