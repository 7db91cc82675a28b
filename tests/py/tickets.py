"""Tickets made with the gateway's own key, written from docs/raystream.md: such as no gateway gives out.

The key is where the gateway keeps it, in the storage of a Durable Object: an SQLite database of values in V8's serialization.
"""

import os
import re
import sqlite3
import struct
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from raystream import Pins

# The name, the tag of an ArrayBuffer and its length.
CURRENT = re.compile(rb'"\x07currentB\x20(.{32})', re.DOTALL)
CONSTANTS = b"expand 32-byte k"


def ticket_key(objects: str) -> bytes:
    """The current key in the folder of the class `KontractKeys`."""
    for path in Path(objects).glob("*.sqlite"):
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        tables = connection.execute("SELECT name FROM sqlite_master WHERE name = '_cf_KV'").fetchall()
        rows = connection.execute("SELECT value FROM _cf_KV WHERE key = 'tickets'").fetchall() if tables else []
        connection.close()
        for (value,) in rows:
            return CURRENT.search(value)[1]
    raise LookupError(f"no ticket key below {objects}")


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """draft-irtf-cfrg-xchacha-03, section 2.2: a block of ChaCha20 without the addition of what it began with."""
    block = struct.unpack("<16I", Cipher(ChaCha20(key, nonce), mode=None).encryptor().update(bytes(64)))
    begun = struct.unpack("<16I", CONSTANTS + key + nonce)
    words = [(after - before) % (1 << 32) for after, before in zip(block, begun)]
    return struct.pack("<8I", *words[:4], *words[12:])


def ticket(key: bytes, pins: Pins, resumption: bytes, session_id: bytes, expires_at: int) -> bytes:
    nonce = os.urandom(24)
    plaintext = resumption + session_id + struct.pack("<Q", expires_at) + pins.build_id
    associated = b"rs1 ticket" + struct.pack("<H", pins.suite) + pins.route_hash
    aead = ChaCha20Poly1305(hchacha20(key, nonce[:16]))
    return nonce + aead.encrypt(bytes(4) + nonce[16:], plaintext, associated)
