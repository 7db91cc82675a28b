"""raystream's client end, a third implementation: written from docs/raystream.md on independent packages.

Knows nothing of kontract's calls; `rpc.py` does. Nothing here checks what a good client would check of its own input, so
that tests can send what no good client sends.
"""

import hashlib
import hmac
import os
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from kyber_py.ml_kem import ML_KEM_768
from noise.connection import Keypair, NoiseConnection

HANDSHAKE_INIT, HANDSHAKE_RESPONSE = 0x01, 0x02
RPC_CALL, RPC_RESPONSE, RPC_ERROR, RPC_CANCEL = 0x10, 0x11, 0x12, 0x13
HEARTBEAT, CLOSE = 0x30, 0xFF
KEY_PHASE, PADDED, MORE, FIN, EARLY = 1, 2, 4, 8, 16

HEADER = struct.Struct("<BBHIII")
NONCE = struct.Struct("<QI")
HEADER_LEN, NONCE_LEN, TAG_LEN = 16, 12, 16
FRAMES_PER_KEY = 1 << 20
NAMES = {1: b"Noise_NK_25519_ChaChaPoly_SHA256", 2: b"Noise_NKpsk0_25519_ChaChaPoly_SHA256"}


class Refused(Exception):
    """The other end sent something that this one does not accept."""


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def extract(salt: bytes, secret: bytes) -> bytes:
    return hmac.new(salt, secret, hashlib.sha256).digest()


def expand(prk: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(hashes.SHA256(), length, info).derive(prk)


def padme(length: int) -> int:
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    mantissa = exponent.bit_length() if exponent else 1
    mask = (1 << max(exponent - mantissa, 0)) - 1
    return (length + mask) & ~mask


def pad(payload: bytes) -> bytes:
    return (payload + b"\x80").ljust(min(padme(len(payload) + 1), 1_048_560), b"\0")


def unpad(plaintext: bytes) -> bytes:
    stripped = plaintext.rstrip(b"\0")
    if not stripped.endswith(b"\x80"):
        raise Refused("padding")
    return stripped[:-1]


def clear(ty: int, body: bytes) -> bytes:
    return HEADER.pack(1, ty, 0, 0, len(body), 0) + body


def frames(data: bytes) -> list[bytes]:
    """Cuts the body of a POST into frames."""
    found, at = [], 0
    while at < len(data):
        version, ty, flags, _, length, reserved = HEADER.unpack_from(data, at)
        if version != 1 or reserved != 0:
            raise Refused("header")
        is_clear = ty == HANDSHAKE_INIT or (ty == HANDSHAKE_RESPONSE and not flags & FIN)
        end = at + HEADER_LEN + length + (0 if is_clear else NONCE_LEN)
        if end > len(data):
            raise Refused("truncated")
        found.append(data[at:end])
        at = end
    return found


@dataclass
class Pins:
    """What a build knows of its server: suite, build id, route hash and a static key's two public halves."""

    suite: int
    build_id: bytes
    route_hash: bytes
    x25519: bytes
    ml_kem: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(self.x25519 + self.ml_kem)[:8]


@dataclass
class Opened:
    ty: int
    flags: int
    sequence: int
    payload: bytes


class Direction:
    """One direction's key and next transaction id."""

    def __init__(self, prk: bytes, name: bytes, transcript: bytes):
        self.key = expand(prk, b"rs1 " + name + b" key" + transcript, 32)
        self.iv = expand(prk, b"rs1 " + name + b" iv" + transcript, 12)
        self.next_txid = 0

    def nonce(self, wire: bytes) -> bytes:
        return bytes(a ^ b for a, b in zip(wire, self.iv))

    def advance(self, txid: int) -> None:
        epoch = txid // FRAMES_PER_KEY
        if epoch > self.next_txid // FRAMES_PER_KEY:
            self.key = expand(self.key, b"rs1 rekey" + struct.pack("<Q", epoch), 32)
        self.next_txid = txid

    def rekey(self) -> None:
        self.advance((self.next_txid // FRAMES_PER_KEY + 1) * FRAMES_PER_KEY)

    def seal(self, ty: int, sequence: int, payload: bytes, *, flags: int = 0, padded: bool = True,
             txid: int | None = None, stream: int = 0, phase: int | None = None, reserved: int = 0,
             version: int = 1) -> bytes:
        """Seals a frame; the keyword arguments say what to do otherwise than the protocol wants it."""
        txid = self.next_txid if txid is None else txid
        phase = txid // FRAMES_PER_KEY & 1 if phase is None else phase
        plaintext = pad(payload) if padded else payload
        flags |= (PADDED if padded else 0) | (KEY_PHASE if phase else 0)
        header = HEADER.pack(version, ty, flags, sequence, len(plaintext) + TAG_LEN, reserved)
        wire = NONCE.pack(txid, stream)
        sealed = header + wire + ChaCha20Poly1305(self.key).encrypt(self.nonce(wire), plaintext, header)
        if txid < (1 << 64) - 1:
            self.advance(txid + 1)
        return sealed

    def open(self, frame: bytes) -> Opened:
        version, ty, flags, sequence, length, reserved = HEADER.unpack_from(frame)
        if version != 1 or reserved != 0 or length != len(frame) - HEADER_LEN - NONCE_LEN:
            raise Refused("header")
        wire = frame[HEADER_LEN:HEADER_LEN + NONCE_LEN]
        txid, stream = NONCE.unpack(wire)
        if txid < self.next_txid or stream != 0 or flags & KEY_PHASE != txid // FRAMES_PER_KEY & 1:
            raise Refused("transaction id")
        self.advance(txid)
        try:
            sealed = frame[HEADER_LEN + NONCE_LEN:]
            plaintext = ChaCha20Poly1305(self.key).decrypt(self.nonce(wire), sealed, frame[:HEADER_LEN])
        except InvalidTag as error:
            raise Refused("authentication") from error
        self.advance(txid + 1)
        return Opened(ty, flags, sequence, unpad(plaintext) if flags & PADDED else plaintext)


class Session:
    """Both directions, and what is needed to resume."""

    def __init__(self, prk: bytes, c2s_transcript: bytes):
        self.prk = prk
        self.c2s = Direction(prk, b"c2s", c2s_transcript)
        self.s2c: Direction | None = None
        self.session_id = b""
        self.resumption = b""
        self.ticket = b""
        self.expires_at = 0

    def hear(self, transcript: bytes) -> None:
        """Learns the other direction and the secret of the next ticket."""
        self.s2c = Direction(self.prk, b"s2c", transcript)
        self.next_resumption = expand(self.prk, b"rs1 resumption" + transcript, 32)

    def open(self, frame: bytes) -> Opened:
        opened = self.s2c.open(frame)
        if opened.ty == HANDSHAKE_RESPONSE and opened.flags & FIN:
            self.expires_at, self.ticket = struct.unpack("<Q", opened.payload[:8])[0], opened.payload[8:]
            self.resumption = self.next_resumption
        return opened


def early_data(*calls: tuple[int, bytes], flags: int = EARLY, ty: int = RPC_CALL) -> bytes:
    """Calls, each with its sequence number, for a handshake of mode 1."""
    return pad(b"".join(HEADER.pack(1, ty, flags, sequence, len(payload), 0) + payload for sequence, payload in calls))


class FullHandshake:
    """A handshake of mode 1 that waits for its answer."""

    def __init__(self, pins: Pins, early: bytes = b"", entropy: bytes | None = None):
        """`entropy` is what a test fixes: 32 bytes for the encapsulation, if there is one, and 32 for the ephemeral key."""
        kem_ct, psk = b"", None
        entropy = os.urandom(64) if entropy is None else entropy
        if pins.suite == 2:
            secret, kem_ct = ML_KEM_768._encaps_internal(pins.ml_kem, entropy[:32])
            psk = expand(extract(sha256(kem_ct), secret), b"rs1 pq-psk", 32)
        suite = struct.pack("<H", pins.suite)
        prologue = b"raystream/1\0" + suite + pins.build_id + pins.route_hash + pins.key_id + sha256(kem_ct)
        message = self.message(pins, prologue, psk, early, entropy[-32:])
        kem = struct.pack("<H", len(kem_ct)) + kem_ct
        self.init = clear(HANDSHAKE_INIT, b"\x01" + suite + pins.build_id + pins.key_id + kem + message)

    def message(self, pins: Pins, prologue: bytes, psk: bytes | None, early: bytes, ephemeral: bytes) -> bytes:
        """Noise message 1."""
        self.noise = NoiseConnection.from_name(NAMES[pins.suite])
        self.noise.set_as_initiator()
        if psk is not None:
            self.noise.set_psks(psks=[psk])
        self.noise.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, pins.x25519)
        self.noise.set_keypair_from_private_bytes(Keypair.EPHEMERAL, ephemeral)
        self.noise.set_prologue(prologue)
        self.noise.start_handshake()
        return bytes(self.noise.write_message(early))

    def finish(self, response: bytes) -> Session:
        """Takes the HANDSHAKE_RESPONSE; the frame with the ticket is opened with the session."""
        payload = bytes(self.noise.read_message(response[HEADER_LEN:]))
        transcript = bytes(self.noise.get_handshake_hash())
        ciphers = self.noise.noise_protocol
        keys = bytes(ciphers.cipher_state_encrypt.k) + bytes(ciphers.cipher_state_decrypt.k)
        session = Session(extract(transcript, keys), transcript)
        session.hear(transcript)
        session.session_id, session.expires_at = payload[:16], struct.unpack("<Q", payload[16:])[0]
        return session


class Resume:
    """A handshake of mode 3; its session may seal at once."""

    def __init__(self, ticket: bytes, resumption: bytes, client_random: bytes | None = None):
        random = os.urandom(32) if client_random is None else client_random
        self.init = clear(HANDSHAKE_INIT, b"\x03" + struct.pack("<H", len(ticket)) + ticket + random)
        self.transcript = sha256(self.init)
        self.session = Session(extract(random, resumption), self.transcript)
        self.session.ticket, self.session.resumption = ticket, resumption

    def finish(self, response: bytes) -> Session:
        self.session.hear(sha256(self.transcript + response[HEADER_LEN:]))
        return self.session
