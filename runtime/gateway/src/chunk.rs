//! What an RPC_CHUNK carries: a piece of one stream of a call, its end, or leave to send more of it.
//!
//! ```text
//! kind u8 | stream u16 | rest      DATA 0: the piece; END 1: nothing; CREDIT 2: bytes u32      integers little-endian
//! ```
//!
//! Stream 0 is the call's result, those from 1 are its arguments in their order.

/// One chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Which stream of the call.
    pub stream: u16,
    /// What about it.
    pub content: ChunkContent,
}

/// What a chunk says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkContent {
    /// A piece of the stream.
    Data(Vec<u8>),
    /// There are no more pieces.
    End,
    /// The receiver takes so many bytes more.
    Credit(u32),
}

impl Chunk {
    /// Reads a payload; `None` when it is no chunk.
    pub(crate) fn decode(payload: &[u8]) -> Option<Self> {
        let ([kind, low, high], rest) = payload.split_first_chunk()?;
        let content = match (*kind, rest) {
            (DATA, piece) => ChunkContent::Data(piece.to_vec()),
            (END, []) => ChunkContent::End,
            (CREDIT, bytes) => ChunkContent::Credit(u32::from_le_bytes(bytes.try_into().ok()?)),
            _ => return None,
        };
        Some(Self { stream: u16::from_le_bytes([*low, *high]), content })
    }

    /// The payload.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let [low, high] = self.stream.to_le_bytes();
        match &self.content {
            ChunkContent::Data(piece) => [&[DATA, low, high], &piece[..]].concat(),
            ChunkContent::End => vec![END, low, high],
            ChunkContent::Credit(bytes) => [&[CREDIT, low, high], &bytes.to_le_bytes()[..]].concat(),
        }
    }
}

const DATA: u8 = 0;
const END: u8 = 1;
const CREDIT: u8 = 2;

#[cfg(test)]
mod tests {
    use super::{Chunk, ChunkContent};

    #[test]
    fn chunks_come_back() {
        for content in [
            ChunkContent::Data(b"piece".to_vec()),
            ChunkContent::Data(Vec::new()),
            ChunkContent::End,
            ChunkContent::Credit(70_000),
        ] {
            let chunk = Chunk { stream: 0x0102, content };
            assert_eq!(Chunk::decode(&chunk.encode()), Some(chunk));
        }
        assert_eq!(Chunk { stream: 2, content: ChunkContent::Data(vec![9]) }.encode(), [0, 2, 0, 9]);
    }

    #[test]
    fn anything_else_is_no_chunk() {
        for payload in
            [&b""[..], &[0, 0], &[1, 0, 0, 0], &[2, 0, 0, 1, 2, 3], &[2, 0, 0, 1, 2, 3, 4, 5], &[3, 0, 0]]
        {
            assert_eq!(Chunk::decode(payload), None, "{payload:?}");
        }
    }
}
