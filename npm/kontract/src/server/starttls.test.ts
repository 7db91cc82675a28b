import assert from 'node:assert/strict';
import { test } from 'node:test';

import { encrypted, type UpgradableSocket } from './starttls.js';

/** A server that answers the request for TLS with given bytes. */
class Plain implements UpgradableSocket {
  readonly sent: number[] = [];
  isUpgraded = false;
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable = new WritableStream<Uint8Array>({ write: (bytes) => void this.sent.push(...bytes) });

  constructor(answer: number[] | undefined) {
    this.readable = new ReadableStream({
      start(controller) {
        if (answer === undefined) controller.close();
        else controller.enqueue(Uint8Array.from(answer));
      },
    });
  }

  async close(): Promise<void> {}

  startTls(): UpgradableSocket {
    assert.equal(this.readable.locked || this.writable.locked, false, 'the platform takes both directions');
    this.isUpgraded = true;
    return this;
  }
}

test('a server that says yes goes on in TLS', async () => {
  const socket = new Plain([0x53]);
  assert.equal(await encrypted(socket), socket);
  assert.equal(socket.isUpgraded, true);
  assert.deepEqual(socket.sent, [0, 0, 0, 8, 4, 210, 22, 47], 'SSLRequest of the protocol');
});

test('whatever else comes is no yes', async () => {
  // No; an error message of a server that does not know the request; nothing; and what somebody would like to be taken for the server's.
  for (const answer of [[0x4e], [0x45, 0, 0, 0, 9], undefined, [0x53, 0x52, 0, 0, 0, 8, 0, 0, 0, 0]]) {
    const socket = new Plain(answer);
    await assert.rejects(encrypted(socket), /does not speak TLS/);
    assert.equal(socket.isUpgraded, false);
  }
});
