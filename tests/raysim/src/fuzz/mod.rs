//! What the fuzzer runs: bytes of its choice through the real code, beside a model that says what has to come out.
//!
//! The bytes are read as a list of choices, so that most of what is sent authenticates and gets past the first check. Each
//! target panics where code and model differ. `tests/rayfuzz` drives them guided by coverage; the tests run its corpora.

mod body;
mod handshake;
mod header;
mod sealed;
mod ticket;
mod world;

/// A target: its name, as the command line and the corpora have it, and what it does with bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 5] = [
    ("header", header::run),
    ("sealed", sealed::run),
    ("handshake", handshake::run),
    ("ticket", ticket::run),
    ("body", body::run),
];

/// The fuzzer's bytes, read as choices. After the end every choice is zero.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// At most `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let taken = self.take(N);
        bytes[..taken.len()].copy_from_slice(taken);
        bytes
    }

    pub(crate) fn u8(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Up to a dozen changed bytes: where, and what is added to them.
    pub(crate) fn edit(&mut self, bytes: &mut [u8]) {
        for _ in 0..12 {
            let (at, change) = (usize::from(self.u16()), self.u8());
            if let Some(byte) = bytes.get_mut(at) {
                *byte = byte.wrapping_add(change);
            }
        }
    }
}
