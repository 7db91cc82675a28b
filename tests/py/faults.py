"""Every kind of input that the gateway has to refuse, each with the one outward behaviour: HTTP 400 without a body, or
close code 1008."""

import http.client
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from raystream import (CLOSE, EARLY, FIN, FRAMES_PER_KEY, HANDSHAKE_INIT, HANDSHAKE_RESPONSE, HEADER_LEN, HEARTBEAT, MORE, NAMES,
                       RPC_CALL, RPC_CANCEL, RPC_RESPONSE, FullHandshake, Pins, Resume, clear, early_data, expand, extract, pad,
                       sha256, unpad)
from rpc import INTRODUCTION, Client, Post, early_reads, envelope, request
from socket_client import Socket
from tickets import ticket

# X25519 public keys of small order (RFC 7748, section 6.1). Nobody has to know a secret: with each of them the result is zero.
LOW_POINTS = [
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
]
FULL_KEM_AT = HEADER_LEN + 1 + 2 + 16 + 8 + 2


def changed(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value):]


def flipped(data: bytes, bit: int) -> bytes:
    return changed(data, bit // 8, bytes([data[bit // 8] ^ 1 << bit % 8]))


def high_bit(point: bytes) -> bytes:
    return point[:31] + bytes([point[31] | 0x80])


class OddPoint(FullHandshake):
    """A handshake with this ephemeral key, whose message 1 is right for a server that takes the key: `shared` is what it computes."""

    def __init__(self, pins: Pins, point: bytes, shared: bytes):
        self.point, self.shared = point, shared
        super().__init__(pins)

    def message(self, pins: Pins, prologue: bytes, psk: bytes | None, early: bytes, ephemeral: bytes) -> bytes:
        """Noise NK and NKpsk0 by hand, as no package sends such a key."""
        name = NAMES[pins.suite]
        transcript = name if len(name) == 32 else sha256(name)
        chain = transcript
        transcript = sha256(sha256(transcript + prologue) + pins.x25519)
        if psk is not None:
            mixed = expand(extract(chain, psk), b"", 96)
            chain, transcript = mixed[:32], sha256(transcript + mixed[32:64])
        transcript = sha256(transcript + self.point)
        for secret in ([self.point] if psk is not None else []) + [self.shared]:
            mixed = expand(extract(chain, secret), b"", 64)
            chain = mixed[:32]
        return self.point + ChaCha20Poly1305(mixed[32:]).encrypt(bytes(12), early, transcript)


class PostFaults:
    """Faults in the body of a POST."""

    def __init__(self, url: str, pins: Pins, ticket_key: bytes):
        self.url, self.pins, self.ticket_key = url, pins, ticket_key
        self.client = Client(url, pins)
        self.other = Client(url, pins)
        self.post = Post(url)
        self.bits = 0

    def outcome(self, body: bytes) -> str:
        status, answer = self.post.answer(body)
        return f"{status}, {len(answer)} bytes"

    def call(self) -> bytes:
        return self.client.body("listEntries", request())[1]

    def sealed(self, ty: int = RPC_CALL, **faults) -> bytes:
        """A resumed call whose frame is sealed, but otherwise than the protocol wants it."""
        resume = self.client.resume()
        payload = envelope("listEntries", self.client.token, request())
        return resume.init + resume.session.c2s.seal(ty, 1, payload, **faults)

    def every_bit(self) -> Iterator[str]:
        for body in (FullHandshake(self.pins).init, self.call()):
            self.bits += 8 * len(body)
            yield from (self.outcome(flipped(body, bit)) for bit in range(8 * len(body)))

    def every_length(self) -> Iterator[str]:
        """All lengths but one: a resume without a frame behind it is complete."""
        full, call = FullHandshake(self.pins).init, self.call()
        resume_length = len(self.client.resume().init)
        yield from (self.outcome(full[:length]) for length in range(len(full)))
        yield from (self.outcome(call[:length]) for length in range(len(call)) if length != resume_length)

    def replays(self) -> dict:
        """A recorded read and a recorded mutation, sent again: other keys each time, and one effect."""
        resume, read = self.client.body("listEntries", request())
        first, second = (self.post.exchange(read) for _ in range(2))
        self.client.finish(resume, first)
        resume, mutation = self.client.body("createEntry", request("Mallory", "replayed"), os.urandom(16))
        statuses = [self.post.answer(mutation)[0] for _ in range(3)]
        return {
            "sameServerRandom": first[0] == second[0],
            "sameSealedAnswer": first[-1] == second[-1],
            "statuses": statuses,
            "effects": self.client.messages().count("replayed"),
        }

    def cases(self) -> dict[str, Callable[[], str]]:
        return {**self.body_cases(), **self.header_cases(), **self.frame_cases(), **self.handshake_cases(), **self.ticket_cases(),
                **self.early_cases(), **self.event_cases()}

    def early_replays(self) -> dict:
        """A recorded handshake with reads inside, sent again: other keys, another caller, and nothing stored."""
        before = len(self.client.messages())
        init = FullHandshake(self.pins, early_reads(("listEntries", request()))).init
        first, second = (self.post.exchange(init) for _ in range(2))
        return {
            "frames": [len(first), len(second)],
            "sameEphemeral": first[0][HEADER_LEN:HEADER_LEN + 32] == second[0][HEADER_LEN:HEADER_LEN + 32],
            "sameSealedAnswers": any(a == b for a, b in zip(first[1:], second[1:])),
            "stored": len(self.client.messages()) - before,
        }

    def early_cases(self) -> dict[str, Callable[[], str]]:
        """What may not be in early data; a good read is `early_replays`."""
        introduction = (1, envelope(INTRODUCTION, "", b"{}"))
        read = envelope("listEntries", "", request())
        mutation = request("Mallory", "early")

        def early(*calls: tuple[int, bytes], **faults) -> Callable[[], str]:
            return lambda: self.outcome(FullHandshake(self.pins, early_data(*calls, **faults)).init)

        return {
            "a mutation": early(introduction, (2, envelope("createEntry", "", mutation))),
            "a mutation with its key": early(introduction, (2, envelope("createEntry", "", mutation, os.urandom(16)))),
            "a read with a token": early(introduction, (2, envelope("listEntries", self.client.token, request()))),
            "a read with a key": early(introduction, (2, envelope("listEntries", "", request(), os.urandom(16)))),
            "a read of nobody": early((1, read)),
            "two introductions": early(introduction, introduction),
            "a refresh": early((1, envelope("kontract.auth.refresh", "", b'{"refreshToken":""}'))),
            "an unknown endpoint": early(introduction, (2, envelope("nothing", "", request()))),
            "what is no call": early(introduction, (2, b"short")),
            "nine calls": early(introduction, *((place, read) for place in range(2, 10))),
            "without the flag": early(introduction, (2, read), flags=0),
            "with another flag": early(introduction, (2, read), flags=EARLY | MORE),
            "a heartbeat": early(introduction, (2, read), ty=HEARTBEAT),
            "a part": lambda: self.outcome(FullHandshake(self.pins, pad(unpad(early_data(introduction))[:-1])).init),
            "without padding": lambda: self.outcome(FullHandshake(self.pins, unpad(early_data(introduction))).init),
            "too much": early(introduction, (2, read + bytes(16_384))),
        }

    def event_cases(self) -> dict[str, Callable[[], str]]:
        """`GET /stream` is safe in the sense of HTTP, so that it carries calls that only read."""
        def events(body: bytes) -> str:
            status, answers = self.post.events(body)
            return f"{status}, {sum(len(frame) for _, frame in answers)} bytes"

        def mutation() -> str:
            return events(self.client.body("createEntry", request("Mallory", "by GET"), os.urandom(16))[1])

        return {
            "a mutation by GET": mutation,
            "nothing by GET": lambda: events(b""),
            "half a body by GET": lambda: events(self.call()[:-1]),
            "a flipped bit by GET": lambda: events(flipped(self.call(), 8 * len(self.call()) - 1)),
            "too much by GET": lambda: events(self.call() + bytes(6_144)),
        }

    def cut_off(self, head: str, tail: bytes) -> str:
        """The connection's sending half ends before the body does."""
        with socket.create_connection(urlsplit(self.url).netloc.split(":"), timeout=60) as connection:
            connection.sendall(f"POST /raystream HTTP/1.1\r\nHost: {urlsplit(self.url).netloc}\r\n{head}\r\n\r\n".encode() + tail)
            connection.shutdown(socket.SHUT_WR)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return f"{response.status}, {len(response.read())} bytes"

    def body_cases(self) -> dict[str, Callable[[], str]]:
        body = self.call()
        return {
            "a short body cut off": lambda: self.cut_off(f"Content-Length: {len(body) + 1}", body),
            "a long body cut off": lambda: self.cut_off("Content-Length: 100000", body),
            "a body in chunks cut off": lambda: self.cut_off("Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (len(body), body)),
        }

    def header_cases(self) -> dict[str, Callable[[], str]]:
        call = self.call()
        at = len(self.client.resume().init)
        length = struct.unpack_from("<I", call, at + 8)[0]

        def with_length(value: int) -> Callable[[], str]:
            return lambda: self.outcome(changed(call, at + 8, struct.pack("<I", value)))

        lengths = {str(value): with_length(value) for value in (0, 15, 2**32 - 1, length - 1, length + 1)}
        return {
            "nothing": lambda: self.outcome(b""),
            **{f"version {v}": (lambda v=v: self.outcome(self.sealed(version=v))) for v in (0, 2, 255)},
            **{f"type {t:#x}": (lambda t=t: self.outcome(self.sealed(t))) for t in (0, 3, 0x0F, 0x15, 0x23, 0x31, 0xFE)},
            **{f"flag {1 << f}": (lambda f=f: self.outcome(self.sealed(flags=1 << f))) for f in range(4, 16)},
            "reserved": lambda: self.outcome(self.sealed(reserved=1)),
            **{f"length {name}": case for name, case in lengths.items()},
        }

    def frame_cases(self) -> dict[str, Callable[[], str]]:
        def reflected() -> str:
            resume = self.client.resume()
            answers = self.post.exchange(resume.init)
            session = resume.finish(answers[0])
            # Sealed as the server would seal it.
            return self.outcome(resume.init + session.s2c.seal(RPC_RESPONSE, 1, b"reflected"))

        def of_other_session() -> str:
            resume = self.client.resume()
            return self.outcome(resume.init + self.other.seal(self.other.resume().session, "listEntries", request()))

        def twice(first: int, second: int) -> str:
            resume = self.client.resume()
            seal = resume.session.c2s.seal
            payload = envelope("listEntries", self.client.token, request())
            return self.outcome(resume.init + seal(RPC_CALL, 1, payload, txid=first)
                                + seal(RPC_CALL, 2, payload, txid=second))

        def after_close() -> str:
            resume = self.client.resume()
            return self.outcome(resume.init + resume.session.c2s.seal(CLOSE, 0, b"")
                                + self.client.seal(resume.session, "listEntries", request()))

        def same_number() -> str:
            resume, payload = self.client.resume(), envelope("listEntries", self.client.token, request())
            return self.outcome(resume.init + b"".join(resume.session.c2s.seal(RPC_CALL, 1, payload) for _ in range(2)))

        return {
            "type swapped": lambda: self.outcome(self.swapped_type()),
            "own frame reflected": reflected,
            "frame of another session": of_other_session,
            "transaction id equal": lambda: twice(5, 5),
            "transaction id lower": lambda: twice(5, 4),
            "transaction id at its end": lambda: self.outcome(self.sealed(txid=2**64 - 1)),
            "two epochs ahead": lambda: self.outcome(self.sealed(txid=2 * FRAMES_PER_KEY)),
            "chunk counter": lambda: self.outcome(self.sealed(stream=1)),
            "wrong key phase": lambda: self.outcome(self.sealed(phase=1)),
            "not padded as it says": lambda: self.outcome(self.sealed(flags=2, padded=False)),
            "a handshake among the frames": lambda: self.outcome(self.call() + FullHandshake(self.pins).init),
            "a response among the frames": lambda: self.outcome(self.call() + clear(HANDSHAKE_RESPONSE, bytes(32))),
            "more to come, then nothing": lambda: self.outcome(self.sealed(flags=MORE)),
            "a call after the end": after_close,
            "the number of a call that runs": same_number,
        }

    def swapped_type(self) -> bytes:
        resume = self.client.resume()
        frame = resume.session.c2s.seal(HEARTBEAT, 1, envelope("listEntries", self.client.token, request()))
        return resume.init + changed(frame, 1, bytes([RPC_CALL]))

    def handshake_cases(self) -> dict[str, Callable[[], str]]:
        pins = self.pins
        init = FullHandshake(pins).init
        other_suite = 3 - pins.suite
        kem_length = struct.unpack_from("<H", init, FULL_KEM_AT - 2)[0]
        noise_at = FULL_KEM_AT + kem_length

        def pinned(**wrong) -> Callable[[], str]:
            return lambda: self.outcome(FullHandshake(replace(pins, **wrong)).init)

        def kem(length: int) -> Callable[[], str]:
            ciphertext = init[FULL_KEM_AT:noise_at].ljust(length, b"\0")[:length]
            body = init[HEADER_LEN:FULL_KEM_AT - 2] + struct.pack("<H", length) + ciphertext + init[noise_at:]
            return lambda: self.outcome(clear(HANDSHAKE_INIT, body))

        def point(value: bytes, shared: bytes) -> Callable[[], str]:
            return lambda: self.outcome(OddPoint(pins, value, shared).init)

        secret = X25519PrivateKey.generate()
        own, shared = secret.public_key().public_bytes_raw(), secret.exchange(X25519PublicKey.from_public_bytes(pins.x25519))
        # The base point, of which the server's own public key is the multiple, is 9, and above 2^255 - 19 once more.
        base = b"\x09" + bytes(31)
        base_again = b"\xf6" + b"\xff" * 30 + b"\x7f"

        return {
            "a call before the handshake": lambda: self.outcome(self.call()[len(self.client.resume().init):]),
            "wrong build id": pinned(build_id=bytes(16)),
            "wrong route hash": pinned(route_hash=bytes(32)),
            "wrong key": pinned(x25519=b"\x09" + bytes(31)),
            f"suite {other_suite}": pinned(suite=other_suite),
            "suite 3": lambda: self.outcome(changed(init, HEADER_LEN + 1, b"\3\0")),
            "mode 2": lambda: self.outcome(changed(init, HEADER_LEN, b"\2")),
            "key exchange of one byte more": kem(kem_length + 1),
            "key exchange of one byte less": kem(max(kem_length - 1, 1)),
            "bytes behind the handshake": lambda: self.outcome(clear(HANDSHAKE_INIT, init[HEADER_LEN:] + b"\0")),
            **{f"low point {place}": point(value, bytes(32)) for place, value in enumerate(LOW_POINTS)},
            **{f"low point {place} with its highest bit": point(high_bit(value), bytes(32)) for place, value in enumerate(LOW_POINTS)},
            "the base point above the prime": point(base_again, pins.x25519),
            "the base point with its highest bit": point(high_bit(base), pins.x25519),
            "a good point with its highest bit": point(high_bit(own), shared),
        }

    def good_points(self) -> list[int]:
        """The same by hand with points that are good: what says that the odd ones are refused for what they are."""
        secret = X25519PrivateKey.generate()
        shared = secret.exchange(X25519PublicKey.from_public_bytes(self.pins.x25519))
        good = [(secret.public_key().public_bytes_raw(), shared), (b"\x09" + bytes(31), self.pins.x25519)]
        return [self.post.answer(OddPoint(self.pins, point, shared).init)[0] for point, shared in good]

    def given_up(self) -> dict:
        """A mutation that is cancelled in its own body, and what follows the end of a session in one."""
        resume, body = self.client.body("createEntry", request("Mallory", "given up"), os.urandom(16))
        body += resume.session.c2s.seal(RPC_CANCEL, self.client.sequence, b"")
        answers = self.post.exchange(body)
        return {"answers": len(answers) - 1, "stored": self.client.messages().count("given up")}

    def origins(self) -> dict[str, str]:
        """Who is a page of another site: by POST, by GET and by WebSocket. The last is no page at all."""
        address = urlsplit(self.url).netloc
        found = {}
        for origin in ("https://evil.example", "null", f"http://{address}.evil.example", f"http://{address}", None):
            headers = {} if origin is None else {"origin": origin}
            connection = http.client.HTTPConnection(address, timeout=60)
            connection.request("POST", "/raystream", self.call(), headers)
            response = connection.getresponse()
            outcome = [f"{response.status}"]
            response.read()
            connection.request("GET", "/stream", headers={"raystream": "AA", **headers})
            response = connection.getresponse()
            response.read()
            try:
                connect(self.url.replace("http", "ws", 1) + "/raystream", origin=origin).close()
                outcome.append("101")
            except InvalidStatus as refusal:
                outcome.append(f"{refusal.response.status_code}")
            found[str(origin).replace(address, "own")] = " ".join(outcome)
        return found

    def cross_origin(self) -> dict[str, list]:
        """What a browser is told before a page of another origin may call, and of who may read the answer."""
        address = urlsplit(self.url).netloc
        found = {}
        for origin in ("https://evil.example", "https://friend.example"):
            connection = http.client.HTTPConnection(address, timeout=60)
            asked = []
            for method, path, body in (("OPTIONS", "/raystream", None), ("OPTIONS", "/stream", None), ("POST", "/raystream", self.call())):
                connection.request(method, path, body, {"origin": origin})
                response = connection.getresponse()
                response.read()
                asked.append([response.status, response.getheader("access-control-allow-origin")])
            found[origin] = asked
        return found

    def ticket_cases(self) -> dict[str, Callable[[], str]]:
        session, pins = self.client.session, self.pins
        now, resumption, session_id = int(time.time()), os.urandom(32), self.client.full().session_id

        def with_ticket(ticket: bytes, resumption: bytes) -> Callable[[], str]:
            def send() -> str:
                resume = Resume(ticket, resumption)
                return self.outcome(resume.init + self.client.seal(resume.session, "listEntries", request()))
            return send

        def made(key: bytes = self.ticket_key, pins: Pins = pins, expires_at: int = now + 300) -> Callable[[], str]:
            return with_ticket(ticket(key, pins, resumption, session_id, expires_at), resumption)

        assert made()().startswith("200"), "the tickets made here are right but for what is wrong with them"
        return {
            "expired ticket": made(expires_at=now - 1),
            "ticket that expires at this moment": made(expires_at=now),
            "ticket under another key": made(key=os.urandom(32)),
            "ticket of another build": made(pins=replace(pins, build_id=os.urandom(16))),
            "ticket of other routes": made(pins=replace(pins, route_hash=os.urandom(32))),
            "ticket of another suite": made(pins=replace(pins, suite=3 - pins.suite)),
            "altered ticket": with_ticket(flipped(session.ticket, 300), session.resumption),
            "made-up ticket": with_ticket(os.urandom(112), session.resumption),
            "ticket of another session": with_ticket(self.other.session.ticket, session.resumption),
            "short ticket": with_ticket(session.ticket[:-1], session.resumption),
            "long ticket": with_ticket(session.ticket + b"\0", session.resumption),
        }


class SocketFaults:
    """Faults in the messages of a WebSocket."""

    def __init__(self, url: str, pins: Pins, ticket_key: bytes):
        self.url, self.pins, self.ticket_key = url, pins, ticket_key
        self.client = Client(url, pins)

    def opened(self) -> Socket:
        return Socket(self.url, self.client)

    def cases(self) -> dict[str, Callable[[], str]]:
        payload = envelope("listEntries", self.client.token, request())

        def fault(**faults) -> Callable[[], str]:
            def send() -> str:
                socket = self.opened()
                return socket.ending(socket.seal(faults.pop("ty", RPC_CALL), 1, payload, **faults))
            return send

        def repeated() -> str:
            socket = self.opened()
            frame = socket.seal(HEARTBEAT, 0, b"")
            return socket.ending(frame, frame)

        def expired_ticket() -> str:
            session_id = self.client.full().session_id
            expired = ticket(self.ticket_key, self.pins, bytes(32), session_id, int(time.time()) - 1)
            return Socket(self.url, self.client, opens=False).ending(Resume(expired, bytes(32)).init)

        def from_other() -> str:
            socket, other = self.opened(), self.opened()
            return socket.ending(other.seal(HEARTBEAT, 0, b""))

        def early(name: str) -> Callable[[], str]:
            init = FullHandshake(self.pins, early_reads((name, request()))).init
            return lambda: Socket(self.url, self.client, opens=False).ending(init)

        def two_in_one() -> str:
            socket = self.opened()
            return socket.ending(socket.seal(HEARTBEAT, 0, b"") + socket.seal(HEARTBEAT, 0, b""))

        def interrupted() -> str:
            socket = self.opened()
            return socket.ending(socket.seal(RPC_CALL, 1, payload, flags=MORE), socket.seal(RPC_CALL, 1, payload))

        def reflected() -> str:
            """An answer that has the number of the client's next frame, as the ticket came before it: only its key keeps it out."""
            socket = Socket(self.url, self.client, opens=False)
            handshake = FullHandshake(self.pins)
            socket.socket.send(handshake.init)
            socket.session = handshake.finish(socket.socket.recv(timeout=30))
            socket.session.open(socket.socket.recv(timeout=30))
            socket.socket.send(socket.seal(HEARTBEAT, 0, b""))
            return socket.ending(socket.socket.recv(timeout=30))

        def of_earlier_epoch() -> str:
            socket = self.opened()
            earlier = socket.seal(HEARTBEAT, 0, b"")
            socket.rekey()
            return socket.ending(earlier)

        def under_next_key() -> str:
            """The transaction id of this epoch, the key of the next."""
            socket = self.opened()
            c2s = socket.session.c2s
            c2s.rekey()
            c2s.next_txid = FRAMES_PER_KEY
            return socket.ending(c2s.seal(HEARTBEAT, 0, b"", txid=0, phase=0))

        def before_handshake() -> str:
            socket = Socket(self.url, self.client, opens=False)
            return socket.ending(Client.resume(self.client).session.c2s.seal(RPC_CALL, 1, payload))

        def two_handshakes() -> str:
            socket = Socket(self.url, self.client, opens=False)
            init = self.client.resume().init
            return socket.ending(init, init)

        return {
            "own frame reflected": reflected,
            "frame of an earlier epoch": of_earlier_epoch,
            "this epoch's number under the next epoch's key": under_next_key,
            "expired ticket": expired_ticket,
            "call before the handshake": before_handshake,
            "the same handshake twice": two_handshakes,
            "transaction id at its end": fault(txid=2**64 - 1),
            "chunk counter": fault(stream=1),
            "reserved": fault(reserved=1),
            "early": fault(flags=EARLY),
            "a mutation in early data": early("createEntry"),
            "text": lambda: self.opened().ending("text"),
            "nothing": lambda: self.opened().ending(b""),
            "handshake in a session": lambda: self.opened().ending(FullHandshake(self.pins).init),
            "resume in a session": lambda: self.opened().ending(self.client.resume().init),
            "replayed frame": repeated,
            "frame of another session": from_other,
            "two frames in a message": two_in_one,
            "wrong key phase": fault(phase=1),
            "two epochs ahead": fault(txid=2 * FRAMES_PER_KEY),
            "handshake type sealed": fault(ty=HANDSHAKE_RESPONSE, flags=FIN),
            "more to come, then nothing": fault(flags=MORE),
            "a socket, then nothing": lambda: Socket(self.url, self.client, opens=False).ending(),
            "the end of nothing": fault(flags=FIN),
            "more and the end at once": fault(flags=MORE | FIN),
            "a whole call in one that is in parts": interrupted,
            "a heartbeat in parts": fault(ty=HEARTBEAT, flags=MORE),
            "stream type": fault(ty=0x14),
        }


def key_updates(url: str, pins: Pins, count: int) -> int:
    """Heartbeats under a new key each; how many were answered. The last travels in fragments of one byte."""
    socket = Socket(url, Client(url, pins))
    for _ in range(count - 1):
        socket.rekey()
    socket.session.c2s.rekey()
    frame = socket.seal(HEARTBEAT, 0, b"")
    socket.socket.send([frame[at:at + 1] for at in range(len(frame))])
    assert socket.receive().ty == HEARTBEAT
    socket.close()
    return socket.heartbeats + 1
