//! Calls that come in several frames, until they are whole.
//!
//! ```text
//! RPC_CALL                                 a whole call
//! RPC_CALL+MORE  RPC_CALL+MORE*  RPC_CALL+FIN      the parts of one, all of one sequence number
//! ```
//!
//! What is kept is bounded for the session, and by the limit of the endpoint that the first part names.

use crate::limits::{PARTIAL_CALLS_MAX, PARTIAL_LEN_MAX};
use kontract_raystream::{Flags, PeerFault};
use std::collections::BTreeMap;

/// The calls of a session of which parts have come.
#[derive(Default)]
pub(crate) struct Messages {
    partial: BTreeMap<u32, Partial>,
}

enum Partial {
    Kept {
        payload: Vec<u8>,
        len_max: usize,
    },
    /// Answered with an error; its further parts are dropped.
    Refused,
}

/// What a part leads to.
pub(crate) enum Joined {
    /// The call is whole.
    Whole(Vec<u8>),
    /// The first part of a call, which goes to [`Messages::keep`] or [`Messages::refuse`].
    First(Vec<u8>),
    /// More is to come, or the call was refused before.
    Nothing,
    /// The call is longer than it may be; its further parts are dropped.
    TooLong,
}

impl Messages {
    /// Takes a frame of a call.
    ///
    /// # Errors
    /// [`PeerFault`] for a frame that has no place in its message.
    pub(crate) fn take(
        &mut self,
        sequence: u32,
        flags: Flags,
        payload: Vec<u8>,
    ) -> Result<Joined, PeerFault> {
        let (more, last) = (flags.contains(Flags::MORE), flags.contains(Flags::FIN));
        match (more, last, self.partial.remove(&sequence)) {
            (false, false, None) => Ok(Joined::Whole(payload)),
            (true, false, None) if self.partial.len() < PARTIAL_CALLS_MAX => Ok(Joined::First(payload)),
            (false, false, Some(_)) | (true, true, _) | (_, true, None) | (true, false, None) => {
                Err(PeerFault::Flags)
            }
            (false, true, Some(Partial::Refused)) => Ok(Joined::Nothing),
            (true, false, Some(Partial::Refused)) => {
                self.refuse(sequence);
                Ok(Joined::Nothing)
            }
            (more, _, Some(Partial::Kept { payload: mut joined, len_max })) => {
                if joined.len() + payload.len() > len_max
                    || self.len() + joined.len() + payload.len() > PARTIAL_LEN_MAX
                {
                    if more {
                        self.refuse(sequence);
                    }
                    return Ok(Joined::TooLong);
                }
                joined.extend_from_slice(&payload);
                if !more {
                    return Ok(Joined::Whole(joined));
                }
                self.keep(sequence, joined, len_max);
                Ok(Joined::Nothing)
            }
        }
    }

    /// Keeps the parts of a call that may grow to `len_max` bytes.
    pub(crate) fn keep(&mut self, sequence: u32, payload: Vec<u8>, len_max: usize) {
        self.partial.insert(sequence, Partial::Kept { payload, len_max });
    }

    /// Drops what comes of a call.
    pub(crate) fn refuse(&mut self, sequence: u32) {
        self.partial.insert(sequence, Partial::Refused);
    }

    /// Forgets a call that its caller gave up; its parts stay parts.
    pub(crate) fn cancel(&mut self, sequence: u32) {
        self.partial.remove(&sequence);
    }

    /// Whether parts of a call are missing.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.partial.is_empty()
    }

    fn len(&self) -> usize {
        let kept = |partial: &Partial| match partial {
            Partial::Kept { payload, .. } => payload.len(),
            Partial::Refused => 0,
        };
        self.partial.values().map(kept).sum()
    }
}
