//! The protocol through its public interface: round trips, refusals and the vectors both ends read.

mod arbitrary;
mod refusals;
mod sessions;
mod vectors;
mod world;
