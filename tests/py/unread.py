"""Calls an endpoint that answers with what it is sent, and reads none of the answers until all calls are on their way:
`unread.py PINS.json` for fixtures/apps/streams. Prints how many answers there were and how the connection ended."""

import json
import sys

from websockets.exceptions import ConnectionClosed

from raystream import RPC_CALL, Pins
from rpc import Client, envelope, request
from socket_client import Socket

CALLS = 200
TEXT = "x" * 900_000


def main(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    keys = [bytes.fromhex(config[name]) for name in ("buildId", "routeHash", "x25519", "mlKem")]
    client = Client(config["url"], Pins(config["suite"], *keys))
    socket = Socket(config["url"], client)
    for number in range(1, CALLS + 1):
        # The package takes 16 messages from the network, and then no more.
        socket.socket.send(socket.seal(RPC_CALL, number, envelope("echo", client.token, request(TEXT))))
    answers, ending = 0, "everything was kept"
    while answers < CALLS:
        try:
            socket.receive()
            answers += 1
        except ConnectionClosed as closed:
            ending = f"closed {closed.rcvd.code if closed.rcvd else 'without a code'}"
            break
    print(json.dumps({"answers": answers, "ending": ending}))


if __name__ == "__main__":
    main(sys.argv[1])
