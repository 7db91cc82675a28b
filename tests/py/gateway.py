"""Calls a real gateway, and sends it what it has to refuse: `gateway.py PINS.json`, where the file holds `url`, `suite`, `ticketKeys`, the folder
of the Durable Object that keeps them, and, in hexadecimal, `buildId`, `routeHash`, `x25519`, `mlKem`.

Prints what came out as one JSON object; the test that started it knows what has to be in there.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable

import faults
from raystream import FullHandshake, Pins
from rpc import Client, early_reads, request, result, root, text, vector
from socket_client import Socket
from tickets import ticket_key


def calls(url: str, pins: Pins) -> dict:
    """A mutation and reads over POST, then over WebSocket in one frame and in parts, with new keys in between."""
    client = Client(url, pins)
    author = client.sign("Grace", "from a third implementation")
    socket = Socket(url, client)
    counts = []
    for parts in (1, 2, 5):
        counts.append(len(socket.messages(parts)))
        socket.rekey()
    socket.close()
    extensions = [extension.name for extension in socket.socket.protocol.extensions]
    return {"author": author, "listed": client.messages(), "counts": counts, "heartbeats": socket.heartbeats, "extensions": extensions}


def early(url: str, pins: Pins) -> dict:
    """A read inside of the handshake, over POST and over WebSocket, and how long it all is."""
    client = Client(url, pins)
    introduction, listed = client.early(("listEntries", request()))
    tokens = json.loads(result(introduction))
    socket = Socket(url, client, opens=False)
    handshake = FullHandshake(pins, early_reads(("listEntries", request())))
    socket.socket.send(handshake.init)
    session = handshake.finish(socket.socket.recv(timeout=30))
    answers = [session.open(socket.socket.recv(timeout=30)) for _ in range(3)]
    socket.close()
    return {
        "owner": tokens["owner"][:5],
        "listed": [text(entry, 2) for entry in vector(root(result(listed)), 0)],
        "overSocket": [text(entry, 2) for entry in vector(root(result(answers[2])), 0)],
    }


def events(url: str, pins: Pins) -> dict:
    """A read whose request is a header and whose answer is server-sent events."""
    client = Client(url, pins)
    resume, body = client.body("listEntries", request())
    status, answers = client.post.events(body)
    listed = client.finish(resume, [frame for _, frame in answers])
    return {"status": status, "ids": [event for event, _ in answers], "listed": [text(e, 2) for e in vector(root(listed), 0)]}


def refusals(cases: dict[str, Callable[[], str]]) -> dict:
    return {name: case() for name, case in cases.items()}


def main(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    url, suite = config["url"], config["suite"]
    keys = [bytes.fromhex(config[name]) for name in ("buildId", "routeHash", "x25519", "mlKem")]
    pins = Pins(suite, *keys)
    called = calls(url, pins)
    # There is one since the first call.
    key = ticket_key(config["ticketKeys"])
    post = faults.PostFaults(url, pins, key)
    print(json.dumps({
        "calls": called,
        "early": early(url, pins),
        "events": events(url, pins),
        "replay": post.replays(),
        "earlyReplay": post.early_replays(),
        "goodPoints": post.good_points(),
        "givenUp": post.given_up(),
        "origins": post.origins(),
        "crossOrigin": post.cross_origin(),
        "everyBit": dict(Counter(post.every_bit())),
        "bits": post.bits,
        "everyLength": dict(Counter(post.every_length())),
        "post": refusals(post.cases()),
        "socket": refusals(faults.SocketFaults(url, pins, key).cases()),
        "keyUpdates": faults.key_updates(url, pins, 10_000),
        "afterwards": Client(url, pins).sign("Grace", "still there"),
    }))


if __name__ == "__main__":
    main(sys.argv[1])
