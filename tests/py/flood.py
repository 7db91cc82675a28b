"""Handshakes without end: `flood.py PINS.json COUNT CONNECTIONS PID WORKERD`, where PID is the server's process.

Sends COUNT HANDSHAKE_INITs, half of them full ones and half resumes, as fast as so many connections take them, without
waiting for answers in between; then as many sockets as connections that open a session and say nothing more. The same bodies go to
a bare Worker that WORKERD serves, which keeps nothing either. Prints what was answered, and how much memory the server and its
children, and the bare one, held before, at most, and after.
"""

import json
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from queue import Empty, Queue

from raystream import FullHandshake, Pins
from rpc import Client, Post
from socket_client import Socket


# How often the server's memory is looked at, evenly over what is sent.
SAMPLES = 50


def resident_kib(pid: int) -> int:
    """Of the process and all below it."""
    parents, sizes = {}, {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue
        process = int(status.parent.name)
        parents[process], sizes[process] = int(fields["PPid"]), int(fields.get("VmRSS", "0 kB").split()[0])
    def is_below(process: int) -> bool:
        return process == pid or (process in parents and is_below(parents[process]))
    # PostgreSQL's processes are not what is flooded.
    names = {process: Path(f"/proc/{process}/comm") for process in sizes if is_below(process)}
    return sum(sizes[process] for process, name in names.items() if name.exists() and "workerd" in name.read_text())


# How much memory lies between two collections of V8, and in workerd's allocator, is a matter of how many requests came, whoever
# answers them.
BARE = """
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "bare", worker = (compatibilityDate = "2026-11-01", modules = [(name = "bare.js", esModule =
    "export default { async fetch(request) { return new Response(await request.arrayBuffer()); } };")]))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "bare")],
);
"""


def worker(url: str, bodies: list[bytes], work: Queue, outcomes: Counter, lock: threading.Lock) -> None:
    post, own = Post(url), Counter()
    while True:
        try:
            place = work.get_nowait()
        except Empty:
            break
        status, answer = post.answer(bodies[place % len(bodies)])
        own[f"{status}, {len(answer)} bytes"] += 1
    with lock:
        outcomes.update(own)


def flood(url: str, bodies: list[bytes], count: int, connections: int, pid: int) -> dict:
    work, outcomes, lock = Queue(), Counter(), threading.Lock()
    for place in range(count):
        work.put(place)
    before = resident_kib(pid)
    threads = [threading.Thread(target=worker, args=(url, bodies, work, outcomes, lock)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    sizes = []
    for thread in threads:
        while thread.is_alive():
            thread.join(0.25)
            if len(sizes) * count <= SAMPLES * (count - work.qsize()):
                sizes.append(resident_kib(pid))
    first_half = max(sizes[:(len(sizes) + 1) // 2])
    return {"outcomes": dict(outcomes), "beforeKiB": before, "sizesKiB": sizes, "mostOfFirstHalfKiB": first_half, "mostKiB": max(sizes)}


def flood_bare(workerd: str, bodies: list[bytes], count: int, connections: int) -> dict:
    with tempfile.NamedTemporaryFile("w", suffix=".capnp") as config:
        config.write(BARE)
        config.flush()
        server = subprocess.Popen([workerd, "serve", config.name, "--control-fd=1"], stdout=subprocess.PIPE, text=True)
        try:
            port = json.loads(server.stdout.readline())["port"]
            return flood(f"http://127.0.0.1:{port}", bodies, count, connections, server.pid)
        finally:
            server.kill()
            server.wait()


def main(path: str, count: int, connections: int, pid: int, workerd: str) -> None:
    config = json.loads(Path(path).read_text(encoding="utf-8"))
    keys = [bytes.fromhex(config[name]) for name in ("buildId", "routeHash", "x25519", "mlKem")]
    pins = Pins(config["suite"], *keys)
    client = Client(config["url"], pins)
    bodies = [FullHandshake(pins).init, client.resume().init]
    bare = flood_bare(workerd, bodies, count, connections)
    flooded = flood(config["url"], bodies, count, connections, pid)
    # A new one for each body: those above may have outlived their tickets.
    sockets = [Socket(config["url"], Client(config["url"], pins)) for _ in range(connections)]
    idle = resident_kib(pid)
    # Some may have hibernated by now, and would refuse a frame.
    for socket in sockets:
        socket.close()
    print(json.dumps({
        "bare": bare, "gateway": flooded, "withSocketsKiB": idle,
        "afterwards": Client(config["url"], pins).sign("Grace", "still there"),
    }))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
