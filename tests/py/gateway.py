"""Calls a real gateway, and sends it what it has to refuse: `gateway.py PINS.json`, where the file holds `url`, `suite` and,
in hexadecimal, `buildId`, `routeHash`, `x25519`, `mlKem`.

Prints what came out as one JSON object; the test that started it knows what has to be in there.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable

import faults
from raystream import Pins
from rpc import Client, Post
from socket_client import Socket


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
    return {"author": author, "listed": client.messages(), "counts": counts, "heartbeats": socket.heartbeats}


def refusals(cases: dict[str, Callable[[], str]]) -> dict:
    return {name: case() for name, case in cases.items()}


def main(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    url, suite = config["url"], config["suite"]
    keys = [bytes.fromhex(config[name]) for name in ("buildId", "routeHash", "x25519", "mlKem")]
    pins = Pins(suite, *keys)
    post = faults.PostFaults(url, pins)
    print(json.dumps({
        "calls": calls(url, pins),
        "replay": post.replays(),
        "everyBit": dict(Counter(post.every_bit())),
        "bits": post.bits,
        "everyLength": dict(Counter(post.every_length())),
        "post": refusals(post.cases()),
        "socket": refusals(faults.SocketFaults(url, pins).cases()),
        "keyUpdates": faults.key_updates(url, pins, 10_000),
        "afterwards": Client(url, pins).sign("Grace", "still there"),
    }))


if __name__ == "__main__":
    main(sys.argv[1])
