"""Random sessions against a peer on standard input and output: `sessions.py COUNT SEED RECORD PEER…`.

The peer is `cargo run -p kontract-raystream --example echo SUITE`. Prints how many sessions, frames, resumes and new keys
there were; ends with an error at the first disagreement, which names the seed.

Into the file RECORD goes what each session did, a line of JSON each, with the random bytes it took and a hash of all bytes in
both directions: `tests/js/sessions.mjs` does the same in TypeScript and has to come to the same bytes.
"""

import hashlib
import json
import random
import subprocess
import sys

from raystream import FRAMES_PER_KEY, RPC_CALL, RPC_RESPONSE, FullHandshake, Pins, Resume, Session, early_data, frames


class Peer:
    def __init__(self, command: list[str], suite: int):
        self.process = subprocess.Popen(
            [*command, str(suite)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        x25519, ml_kem, build_id, route_hash = map(bytes.fromhex, self.process.stdout.readline().split())
        self.pins = Pins(suite, build_id, route_hash, x25519, ml_kem)

    def ask(self, command: str, data: bytes) -> list[bytes]:
        self.process.stdin.write(f"{command} {data.hex()}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        assert answer[:1] == ["ok"], f"{command} was answered with {answer}"
        return [bytes.fromhex(part) for part in answer[1:]]

    def end(self) -> None:
        self.process.stdin.close()
        self.process.wait()


class Conversation:
    """One session: opened, used, resumed and given new keys at random, over both transports."""

    def __init__(self, peer: Peer, rng: random.Random, counts: dict[str, int]):
        self.peer, self.rng, self.counts = peer, rng, counts
        self.sequence = 0
        self.bytes = hashlib.sha256()
        self.record = {"suite": peer.pins.suite, "resumes": []}

    def run(self) -> dict:
        session = self.full()
        for _ in range(self.rng.randrange(4)):
            session = self.resume(session)
        if self.rng.random() < 0.5:
            self.socket(session)
        return {**self.record, "bytes": self.bytes.hexdigest()}

    def ask(self, command: str, data: bytes) -> list[bytes]:
        answers = self.peer.ask(command, data)
        for part in (data, *answers):
            self.bytes.update(part)
        return answers

    def full(self) -> Session:
        entropy = self.rng.randbytes(32 * self.peer.pins.suite)
        self.record["entropy"] = entropy.hex()
        calls = [self.call() for _ in range(self.rng.choice((0, 0, 1, 3)))]
        self.record["early"] = calls
        payloads = [payload_of(call) for call in calls]
        early = early_data(*enumerate(payloads, self.sequence + 1))
        self.sequence += len(calls)
        handshake = FullHandshake(self.peer.pins, early, entropy)
        response, ticket, *answers = frames(self.ask("post", handshake.init)[0])
        session = handshake.finish(response)
        session.open(ticket)
        assert [session.open(answer).payload for answer in answers] == payloads
        self.counts["sessions"] += 1
        self.counts["early calls"] += len(calls)
        return session

    def resume(self, old: Session) -> Session:
        resume, calls = self.start(old), [self.call() for _ in range(self.rng.randrange(4))]
        self.record["resumes"].append({"entropy": resume.init[-32:].hex(), "calls": calls})
        payloads = [payload_of(call) for call in calls]
        sealed = [self.seal(resume.session, payload) for payload in payloads]
        answers = frames(self.ask("post", resume.init + b"".join(sealed))[0])
        session = resume.finish(answers[0])
        rest = [session.open(frame) for frame in answers[1:]]
        assert [opened.payload for opened in rest if opened.ty == RPC_RESPONSE] == payloads
        self.counts["resumes"] += 1
        return session

    def socket(self, old: Session) -> None:
        resume = self.start(old)
        session = resume.finish(self.ask("open", resume.init)[0])
        calls = [{**self.call(), "rekey": self.rng.random() < 0.3} for _ in range(self.rng.randrange(6))]
        self.record["socket"] = {"entropy": resume.init[-32:].hex(), "calls": calls}
        for call in calls:
            if call["rekey"]:
                session.c2s.rekey()
                self.counts["new keys"] += 1
            payload = payload_of(call)
            answer = session.open(self.ask("frame", self.seal(session, payload))[0])
            assert (answer.payload, answer.sequence) == (payload, self.sequence)
        self.counts["new keys of the server"] += session.s2c.next_txid // FRAMES_PER_KEY

    def start(self, old: Session) -> Resume:
        return Resume(old.ticket, old.resumption, self.rng.randbytes(32))

    def call(self) -> dict:
        return {"length": int(2 ** self.rng.uniform(0, 12)) - 1, "seed": self.rng.randrange(256)}

    def seal(self, session: Session, payload: bytes) -> bytes:
        self.sequence += 1
        self.counts["frames"] += 1
        return session.c2s.seal(RPC_CALL, self.sequence, payload)


def payload_of(call: dict) -> bytes:
    return bytes((call["seed"] + 7 * place) & 0xFF for place in range(call["length"]))


def main(count: int, seed: int, record: str, command: list[str]) -> None:
    counts = {"sessions": 0, "resumes": 0, "frames": 0, "new keys": 0, "new keys of the server": 0, "early calls": 0}
    peers = {suite: Peer(command, suite) for suite in (1, 2)}
    with open(record, "w", encoding="utf-8") as file:
        for place in range(count):
            rng = random.Random(f"{seed} {place}")
            # An encapsulation in pure Python takes most of the time.
            suite = 2 if rng.random() < 0.1 else 1
            try:
                file.write(json.dumps(Conversation(peers[suite], rng, counts).run()) + "\n")
            except Exception as error:
                raise SystemExit(f"session {place} of seed {seed}, suite {suite}: {error!r}") from error
    for peer in peers.values():
        peer.end()
    print(json.dumps(counts))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
