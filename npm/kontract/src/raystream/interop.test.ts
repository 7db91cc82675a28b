// The TypeScript client against the Rust server, both suites and both modes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EchoPeer } from '../testing/echo-peer.js';
import { concat, utf8 } from './bytes.js';
import { platformEntropy } from './crypto.js';
import { Flag, FrameType, frames } from './frame.js';
import { type Resumption, startFull, startResume, ticketOf } from './handshake.js';

async function fullOverPost(peer: EchoPeer): Promise<Resumption> {
  const full = await startFull(peer.identity, peer.serverKey, platformEntropy);
  const [response, ticket] = frames((await peer.post(full.init)) ?? assert.fail('refused'));
  assert.ok(response && ticket);
  const established = await full.finish(response);
  return ticketOf(await established.session.open(ticket), established);
}

for (const suite of [1, 2] as const) {
  test(`suite ${suite}`, async (t) => {
    const peer = await EchoPeer.start(suite);
    t.after(() => peer.stop());

    await t.test('resumed calls over POST, payloads of all sizes', async () => {
      const resumption = await fullOverPost(peer);
      for (const length of [0, 1, 100, 70_000, (1 << 20) - 17]) {
        const payload = new Uint8Array(length).fill(0x80);
        const resume = await startResume(resumption, platformEntropy);
        const body = concat(resume.init, await resume.seal(FrameType.RpcCall, 5, payload), await resume.seal(FrameType.RpcCall, 6, utf8('two')));
        const [response, first, second] = frames((await peer.post(body)) ?? assert.fail('refused'));
        assert.ok(response && first && second);
        const { session } = await resume.finish(response);
        assert.deepEqual(await session.open(first), { type: FrameType.RpcResponse, flags: Flag.Padded, sequence: 5, payload });
        assert.deepEqual(await session.open(second), { type: FrameType.RpcResponse, flags: Flag.Padded, sequence: 6, payload: utf8('two') });
      }
    });

    await t.test('a socket: full, then resumed, with new keys on the way', async () => {
      const full = await startFull(peer.identity, peer.serverKey, platformEntropy);
      const [response, ticket] = (await peer.open(full.init)) ?? assert.fail('refused');
      assert.ok(response && ticket);
      const established = await full.finish(response);
      const resumption = ticketOf(await established.session.open(ticket), established);
      for (const sequence of [1, 2, 3]) {
        if (sequence > 1) established.session.rekey();
        const answer = await peer.frame(await established.session.seal(FrameType.RpcCall, sequence, utf8('call')));
        assert.ok(answer);
        assert.equal((await established.session.open(answer)).sequence, sequence);
      }
      const resume = await startResume(resumption, platformEntropy);
      const [resumed] = (await peer.open(resume.init)) ?? assert.fail('refused');
      assert.ok(resumed);
      const { session } = await resume.finish(resumed);
      const answer = (await peer.frame(await session.seal(FrameType.RpcCall, 1, utf8('again')))) ?? assert.fail('refused');
      assert.deepEqual((await session.open(answer)).payload, utf8('again'));
    });

    await t.test('wrong build, routes, suite and key are refused', async () => {
      const { identity, serverKey } = peer;
      const wrong = [
        [{ ...identity, buildId: new Uint8Array(16) }, serverKey],
        [{ ...identity, routeHash: new Uint8Array(32) }, serverKey],
        [{ ...identity, suite: suite === 1 ? 2 : 1 }, serverKey],
        [identity, { ...serverKey, x25519: Uint8Array.of(9, ...new Uint8Array(31)) }],
      ] as const;
      for (const [otherIdentity, otherKey] of wrong) {
        const full = await startFull(otherIdentity, otherKey, platformEntropy);
        assert.equal(await peer.post(full.init), undefined);
      }
    });

    await t.test('altered calls are refused, and an altered frame ends the socket', async () => {
      const resumption = await fullOverPost(peer);
      const resume = await startResume(resumption, platformEntropy);
      const body = concat(resume.init, await resume.seal(FrameType.RpcCall, 1, utf8('call')));
      for (let at = 0; at < body.length; at++) {
        const altered = body.slice();
        altered[at]! ^= 0x20;
        assert.equal(await peer.post(altered), undefined, `byte ${at}`);
      }
      const onSocket = await startResume(resumption, platformEntropy);
      await peer.open(onSocket.init);
      const good = await onSocket.seal(FrameType.RpcCall, 1, utf8('call'));
      const altered = good.slice();
      altered[20]! ^= 1;
      assert.equal(await peer.frame(altered), undefined);
      assert.equal(await peer.frame(good), undefined, 'the session is closed');
    });

    await t.test('an expired ticket is refused, a renewed one goes on', async () => {
      const resumption = await fullOverPost(peer);
      await peer.setTime(resumption.expiresAt - 10);
      const resume = await startResume(resumption, platformEntropy);
      const [response, ticket] = frames((await peer.post(resume.init)) ?? assert.fail('refused'));
      assert.ok(response && ticket);
      const established = await resume.finish(response);
      const renewed = ticketOf(await established.session.open(ticket), established);
      await peer.setTime(resumption.expiresAt);
      assert.equal(await peer.post((await startResume(resumption, platformEntropy)).init), undefined);
      assert.ok(await peer.post((await startResume(renewed, platformEntropy)).init));
    });
  });
}
