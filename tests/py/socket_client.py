"""raystream over a WebSocket: one frame for each binary message."""

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from raystream import FIN, HANDSHAKE_RESPONSE, HEARTBEAT, MORE, RPC_CALL, Refused, Resume
from rpc import Client, envelope, request, result, root, vector


class Socket:
    """A resumed session on a socket of its own."""

    def __init__(self, url: str, client: Client, *, opens: bool = True):
        self.client, self.heartbeats = client, 0
        self.socket = connect(url.replace("http", "ws", 1) + "/raystream", max_size=4 << 20)
        resume = Resume(client.session.ticket, client.session.resumption)
        self.session = resume.session
        if opens:
            self.socket.send(resume.init)
            resume.finish(self.socket.recv())

    def seal(self, ty: int, sequence: int, payload: bytes, **faults) -> bytes:
        return self.session.c2s.seal(ty, sequence, payload, **faults)

    def receive(self):
        while True:
            opened = self.session.open(self.socket.recv(timeout=30))
            if opened.ty != HANDSHAKE_RESPONSE:
                return opened

    def call(self, name: str, arguments: bytes, parts: int = 1) -> bytes:
        """`parts` of one byte each but the first, which carries all else."""
        self.client.sequence += 1
        payload = envelope(name, self.client.token, arguments)
        first = len(payload) - parts + 1
        for part in range(parts):
            piece = payload[:first] if part == 0 else payload[first + part - 1:first + part]
            flags = 0 if parts == 1 else FIN if part == parts - 1 else MORE
            self.socket.send(self.seal(RPC_CALL, self.client.sequence, piece, flags=flags))
        answer = self.receive()
        assert answer.sequence == self.client.sequence
        return result(answer)

    def messages(self, parts: int = 1) -> list:
        return vector(root(self.call("listEntries", request(), parts)), 0)

    def heartbeat(self) -> None:
        self.socket.send(self.seal(HEARTBEAT, 0, b""))
        assert self.receive().ty == HEARTBEAT
        self.heartbeats += 1

    def rekey(self) -> None:
        self.session.c2s.rekey()
        self.heartbeat()

    def close(self) -> None:
        """Ends the connection; the gateway has to answer the Close (RFC 6455, section 5.5.1)."""
        self.socket.close()
        assert self.socket.close_code == 1000, f"closed with {self.socket.close_code}"

    def ending(self, *messages: bytes | str | list[bytes]) -> str:
        """Sends messages and says how the gateway ends the connection."""
        try:
            for message in messages:
                self.socket.send(message)
            while True:
                message = self.socket.recv(timeout=30)
                if self.session.s2c is not None:
                    self.session.open(message)
        except ConnectionClosed as closed:
            return f"closed {closed.rcvd.code if closed.rcvd else 'without a code'}"
        except Refused as refused:
            return f"answered with what does not open: {refused}"
        except TimeoutError:
            return "left open"
