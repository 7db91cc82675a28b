//! Frames that authenticate, whatever else is wrong with them.

use super::Input;
use super::world::{connect, header};
use crate::forge::{Direction, FRAMES_PER_KEY, Header};

const SEALED_TYPES: [u8; 10] = [0x10, 0x11, 0x12, 0x13, 0x14, 0x20, 0x21, 0x22, 0x30, 0xff];
const KEY_PHASE: u16 = 1;
const PADDED: u16 = 2;
const EARLY: u16 = 16;

/// One frame of the fuzzer's choice.
struct Choice {
    header: Header,
    txid: u64,
    chunk: u32,
    plaintext: Vec<u8>,
    is_altered: bool,
    frame: Vec<u8>,
}

impl Choice {
    fn read(input: &mut Input<'_>, next_txid: u64, c2s: &Direction) -> Self {
        let oddity = input.u8();
        let txid = match input.u8() {
            255 => input.u64(),
            254 => (next_txid / FRAMES_PER_KEY + 1) * FRAMES_PER_KEY,
            253 => (next_txid / FRAMES_PER_KEY + 2) * FRAMES_PER_KEY - 1,
            252 => next_txid.saturating_sub(1),
            gap => next_txid.saturating_add(u64::from(gap & 3)),
        };
        let types = [&SEALED_TYPES[..], &[0x01, 0x02, 0x00, 0x15]].concat();
        let ty = types[usize::from(input.u8()) % types.len()];
        let len = usize::from(input.u8());
        let mut plaintext = input.take(len).to_vec();
        let mut flags = u16::try_from((txid / FRAMES_PER_KEY) & 1).expect("invariant: one bit");
        if oddity & 1 == 0 {
            flags |= PADDED;
            plaintext.push(0x80);
            plaintext.resize(plaintext.len() + len % 5, 0);
        }
        let mut header = header(ty, flags, input.u32(), plaintext.len());
        if oddity & 2 != 0 {
            header.flags ^= input.u16();
        }
        if oddity & 4 != 0 {
            header.length ^= input.u32();
        }
        if oddity & 8 != 0 {
            header.version = input.u8();
        }
        if oddity & 16 != 0 {
            header.reserved = input.u32();
        }
        let chunk = if oddity & 32 != 0 { input.u32() } else { 0 };
        let good = c2s.seal(header, txid, chunk, &plaintext);
        let mut frame = good.clone();
        if oddity & 64 != 0 {
            input.edit(&mut frame);
        }
        let is_altered = frame != good;
        Self { header, txid, chunk, plaintext, is_altered, frame }
    }

    /// The payload, if the page has the frame accepted.
    fn expected(&self, next_txid: u64) -> Option<Vec<u8>> {
        let Header { version, ty, flags, length, reserved, .. } = self.header;
        let epoch = self.txid / FRAMES_PER_KEY;
        let is_good = !self.is_altered
            && (version, reserved, self.chunk) == (1, 0, 0)
            && SEALED_TYPES.contains(&ty)
            && flags & !31 == 0
            && flags & EARLY == 0
            && usize::try_from(length) == Ok(self.plaintext.len() + 16)
            && self.txid >= next_txid
            && self.txid != u64::MAX
            && epoch <= next_txid / FRAMES_PER_KEY + 1
            && u64::from(flags & KEY_PHASE) == epoch & 1;
        if !is_good || flags & PADDED == 0 {
            return is_good.then(|| self.plaintext.clone());
        }
        let marker = self.plaintext.iter().rposition(|byte| *byte != 0)?;
        (self.plaintext[marker] == 0x80).then(|| self.plaintext[..marker].to_vec())
    }
}

/// Up to eight frames of a session, each accepted exactly when the page says so. Nothing is accepted after a refusal.
pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (resume, mut accepted) = connect();
    let mut next_txid = 0;
    for place in 0..8 {
        if input.is_empty() {
            return;
        }
        let choice = Choice::read(&mut input, next_txid, &resume.c2s);
        let expected = choice.expected(next_txid);
        let opened = accepted.session.open(&choice.frame);
        assert_eq!(opened.ok().map(|opened| opened.payload), expected, "frame {place}");
        if expected.is_none() {
            let good = resume.c2s.seal(header(0x30, 0, 0, 0), 0, 0, b"");
            assert!(accepted.session.open(&good).is_err(), "a refusal closes the session");
            return;
        }
        next_txid = choice.txid + 1;
    }
}
