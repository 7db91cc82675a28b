"""kontract's calls on raystream, written from docs/wire.md, for the endpoints of examples/guestbook."""

import base64
import hashlib
import http.client
import json
import os
import struct
from urllib.parse import urlsplit

import flatbuffers
import flatbuffers.number_types as types
from flatbuffers.table import Table

from raystream import (RPC_CALL, RPC_ERROR, RPC_RESPONSE, FullHandshake, Opened, Pins, Refused, Resume, Session, early_data,
                       frames)


INTRODUCTION = "kontract.auth.anonymous"


class CallError(Exception):
    """What an RPC_ERROR says."""

    def __init__(self, payload: bytes):
        self.status, code_length = struct.unpack_from("<HB", payload)
        self.code = payload[3:3 + code_length].decode()
        super().__init__(f"{self.status} {self.code}: {payload[3 + code_length:].decode()}")


def route(name: str) -> int:
    return struct.unpack("<I", hashlib.sha256(b"kontract route\0" + name.encode()).digest()[:4])[0]


def envelope(name: str, token: str, arguments: bytes, key: bytes = bytes(16)) -> bytes:
    text = token.encode()
    return struct.pack("<IH", route(name), len(text)) + text + key + arguments


def request(*texts: str) -> bytes:
    """A table whose slots are texts."""
    builder = flatbuffers.Builder(64)
    offsets = [builder.CreateString(text) for text in texts]
    builder.StartObject(len(texts))
    for slot, offset in enumerate(offsets):
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def root(result: bytes) -> Table:
    return Table(bytearray(result), struct.unpack_from("<I", result)[0])


def slot(table: Table, number: int) -> int:
    offset = table.Offset(4 + 2 * number)
    assert offset != 0, f"slot {number} is absent"
    return table.Pos + offset


def text(table: Table, number: int) -> str:
    return table.String(slot(table, number)).decode()


def vector(table: Table, number: int) -> list[Table]:
    offset = table.Offset(4 + 2 * number)
    start = table.Vector(offset)
    return [Table(table.Bytes, table.Indirect(start + 4 * place)) for place in range(table.VectorLen(offset))]


class Post:
    """`POST /raystream`, one connection for all requests."""

    def __init__(self, url: str):
        self.address = urlsplit(url).netloc
        self.connection = http.client.HTTPConnection(self.address, timeout=60)

    def answer(self, body: bytes) -> tuple[int, bytes]:
        try:
            self.connection.request("POST", "/raystream", body)
            response = self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # A server may close an idle connection between two requests.
            self.connection.close()
            self.connection.request("POST", "/raystream", body)
            response = self.connection.getresponse()
        return response.status, response.read()

    def events(self, body: bytes) -> tuple[int, list[tuple[str, bytes]]]:
        """The same request in a header of `GET /stream`: the status, and each event's id and frame."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        request = base64.urlsafe_b64encode(body).decode().rstrip("=")
        connection.request("GET", "/stream", headers={"accept": "text/event-stream", "raystream": request})
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            return response.status, [("", answer)]
        assert response.getheader("content-type") == "text/event-stream"
        found = []
        for event in answer.decode().split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in event.split("\n") if not line.startswith(":"))
            if "data" in fields:
                found.append((fields.get("id", ""), base64.urlsafe_b64decode(fields["data"] + "==")))
        return response.status, found

    def exchange(self, body: bytes) -> list[bytes]:
        status, answer = self.answer(body)
        if status != 200:
            raise Refused(f"HTTP {status} with {len(answer)} bytes")
        return frames(answer)


class Client:
    """Calls endpoints over POST: a full handshake, then a resume for each call."""

    def __init__(self, url: str, pins: Pins):
        self.post, self.pins, self.token = Post(url), pins, ""
        self.session = self.full()
        self.sequence = 0
        self.token = json.loads(self.call("kontract.auth.anonymous", b"{}"))["accessToken"]

    def full(self) -> Session:
        handshake = FullHandshake(self.pins)
        response, ticket = self.post.exchange(handshake.init)
        session = handshake.finish(response)
        session.open(ticket)
        return session

    def early(self, *reads: tuple[str, bytes]) -> list[Opened]:
        """One round trip of somebody new: a handshake with an introduction and reads inside. Their answers."""
        handshake = FullHandshake(self.pins, early_reads(*reads))
        response, ticket, *answers = self.post.exchange(handshake.init)
        session = handshake.finish(response)
        session.open(ticket)
        return [session.open(answer) for answer in answers]

    def resume(self) -> Resume:
        return Resume(self.session.ticket, self.session.resumption)

    def seal(self, session: Session, name: str, arguments: bytes, key: bytes = bytes(16)) -> bytes:
        self.sequence += 1
        return session.c2s.seal(RPC_CALL, self.sequence, envelope(name, self.token, arguments, key))

    def body(self, name: str, arguments: bytes, key: bytes = bytes(16)) -> tuple[Resume, bytes]:
        resume = self.resume()
        return resume, resume.init + self.seal(resume.session, name, arguments, key)

    def finish(self, resume: Resume, answers: list[bytes]) -> bytes:
        session = resume.finish(answers[0])
        opened = [session.open(frame) for frame in answers[1:]]
        self.session = session
        (answer,) = [frame for frame in opened if frame.ty in (RPC_RESPONSE, RPC_ERROR)]
        assert answer.sequence == self.sequence
        return result(answer)

    def call(self, name: str, arguments: bytes, key: bytes = bytes(16)) -> bytes:
        resume, body = self.body(name, arguments, key)
        return self.finish(resume, self.post.exchange(body))

    def messages(self) -> list[str]:
        """The messages of the newest page of the guestbook."""
        return [text(entry, 2) for entry in vector(root(self.call("listEntries", request())), 0)]

    def sign(self, author: str, message: str) -> str:
        """The author of the entry that was made."""
        made = self.call("createEntry", request(author, message), os.urandom(16))
        return text(root(made), 1)


def early_reads(*reads: tuple[str, bytes]) -> bytes:
    """Early data of somebody who has no identity yet: an introduction, and calls without token and key."""
    calls = [(INTRODUCTION, b"{}"), *reads]
    return early_data(*((place, envelope(name, "", arguments)) for place, (name, arguments) in enumerate(calls, 1)))


def result(answer: Opened) -> bytes:
    if answer.ty == RPC_ERROR:
        raise CallError(answer.payload)
    return answer.payload
