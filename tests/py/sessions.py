"""Random sessions against a peer on standard input and output: `sessions.py COUNT SEED PEER…`.

The peer is `cargo run -p kontract-raystream --example echo SUITE`. Prints how many sessions, frames, resumes and new keys
there were; ends with an error at the first disagreement, which names the seed.
"""

import json
import random
import subprocess
import sys

from raystream import RPC_CALL, RPC_RESPONSE, FullHandshake, Pins, Resume, Session, frames


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
    """One session: opened, used, given new keys and resumed at random, over both transports."""

    def __init__(self, peer: Peer, rng: random.Random, counts: dict[str, int]):
        self.peer, self.rng, self.counts = peer, rng, counts
        self.sequence = 0

    def run(self) -> None:
        session = self.full()
        for _ in range(self.rng.randrange(4)):
            session = self.resume(session)
        if self.rng.random() < 0.5:
            self.socket(session)

    def full(self) -> Session:
        handshake = FullHandshake(self.peer.pins)
        response, ticket = frames(self.peer.ask("post", handshake.init)[0])
        session = handshake.finish(response)
        session.open(ticket)
        self.counts["sessions"] += 1
        return session

    def resume(self, old: Session) -> Session:
        resume = Resume(old.ticket, old.resumption, self.rng.randbytes(32))
        calls = [self.payload() for _ in range(self.rng.randrange(4))]
        sealed = [self.seal(resume.session, call) for call in calls]
        answers = frames(self.peer.ask("post", resume.init + b"".join(sealed))[0])
        session = resume.finish(answers[0])
        rest = [session.open(frame) for frame in answers[1:]]
        assert [opened.payload for opened in rest if opened.ty == RPC_RESPONSE] == calls
        self.counts["resumes"] += 1
        return session

    def socket(self, old: Session) -> None:
        resume = Resume(old.ticket, old.resumption, self.rng.randbytes(32))
        session = resume.finish(self.peer.ask("open", resume.init)[0])
        for _ in range(self.rng.randrange(6)):
            call = self.payload()
            answer = session.open(self.peer.ask("frame", self.seal(session, call))[0])
            assert (answer.payload, answer.sequence) == (call, self.sequence)

    def payload(self) -> bytes:
        return self.rng.randbytes(int(2 ** self.rng.uniform(0, 12)) - 1)

    def seal(self, session: Session, payload: bytes) -> bytes:
        if self.rng.random() < 0.2:
            session.c2s.rekey()
            self.counts["new keys"] += 1
        self.sequence += 1
        self.counts["frames"] += 1
        return session.c2s.seal(RPC_CALL, self.sequence, payload)


def main(count: int, seed: int, command: list[str]) -> None:
    counts = {"sessions": 0, "resumes": 0, "frames": 0, "new keys": 0}
    peers = {suite: Peer(command, suite) for suite in (1, 2)}
    for place in range(count):
        rng = random.Random(f"{seed} {place}")
        # An encapsulation in pure Python takes most of the time.
        suite = 2 if rng.random() < 0.2 else 1
        try:
            Conversation(peers[suite], rng, counts).run()
        except Exception as error:
            raise SystemExit(f"session {place} of seed {seed}, suite {suite}: {error!r}") from error
    for peer in peers.values():
        peer.end()
    print(json.dumps(counts))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
