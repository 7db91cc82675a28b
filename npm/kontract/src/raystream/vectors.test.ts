// The client's side of the vectors that the Rust tests write and check.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hex, unhex } from '../testing/hex.js';
import { type ResumeVector, type SuiteVector, fixedEntropy, identityOf, noises, paddings, refusals, serverKeyOf, suites, tickets } from '../testing/vectors.js';
import { u64 } from './bytes.js';
import { cipher, keyPair } from './crypto.js';
import { encodeEarly } from './early.js';
import { FrameType, frames } from './frame.js';
import { type Established, type Resumption, startFull, startResume, ticketOf } from './handshake.js';
import { EARLY_LEN_MAX } from './limits.js';
import { initiate } from './noise.js';
import { pad, unpad } from './padding.js';
import { RefusedError } from './refused.js';

async function connect(vector: SuiteVector): Promise<{ established: Established; resumption: Resumption }> {
  const handshake = await startFull(identityOf(vector), serverKeyOf(vector), fixedEntropy(vector.clientEntropy));
  assert.equal(hex(handshake.init), vector.init);
  const [clear, ticket] = frames(unhex(vector.response));
  assert.ok(clear && ticket);
  const established = await handshake.finish(clear);
  return { established, resumption: ticketOf(await established.session.open(ticket), established) };
}

async function resume(resumption: Resumption, vector: ResumeVector): Promise<void> {
  const resume = await startResume(resumption, fixedEntropy(vector.clientEntropy));
  assert.equal(hex(resume.init), vector.init);
  assert.equal(hex(await resume.seal(FrameType.RpcCall, 1, unhex(vector.callPayload))), vector.call);
  const [clear, ticket] = frames(unhex(vector.response));
  assert.ok(clear);
  const established = await resume.finish(clear);
  const renewed = ticket && ticketOf(await established.session.open(ticket), established);
  assert.equal(renewed?.expiresAt ?? null, vector.renewedExpiresAt);
  assert.equal(hex((await established.session.open(unhex(vector.answer))).payload), vector.answerPayload);
}

for (const vector of suites) {
  test(`suite ${vector.suite}: handshake, ticket and frames`, async () => {
    const { established, resumption } = await connect(vector);
    assert.equal(hex(established.sessionId), vector.sessionId);
    assert.equal(resumption.expiresAt, vector.expiresAt);
    for (const { sequence, rekey, payload, call, answer } of vector.frames) {
      if (rekey) established.session.rekey();
      assert.equal(hex(await established.session.seal(FrameType.RpcCall, sequence, unhex(payload))), call);
      const opened = await established.session.open(unhex(answer));
      assert.deepEqual([opened.type, opened.sequence, hex(opened.payload)], [FrameType.RpcResponse, sequence, payload]);
    }
  });

  test(`suite ${vector.suite}: early data and its answers`, async () => {
    const { calls, earlyData, init, response, answers } = vector.early;
    const early = encodeEarly(calls.map(({ sequence, payload }) => ({ sequence, payload: unhex(payload) })));
    assert.equal(hex(early ?? new Uint8Array()), earlyData);
    const handshake = await startFull(identityOf(vector), serverKeyOf(vector), fixedEntropy(vector.clientEntropy), early);
    assert.equal(hex(handshake.init), init);
    const [clear, ticket] = frames(unhex(response));
    assert.ok(clear && ticket);
    const { session } = await handshake.finish(clear);
    await session.open(ticket);
    for (const [place, answer] of answers.entries()) {
      const opened = await session.open(unhex(answer));
      assert.deepEqual([opened.sequence, hex(opened.payload)], [calls[place]?.sequence, calls[place]?.payload]);
    }
    assert.equal(encodeEarly([{ sequence: 1, payload: new Uint8Array(EARLY_LEN_MAX) }]), undefined);
  });

  test(`suite ${vector.suite}: resumes, with and without a new ticket`, async () => {
    const { resumption } = await connect(vector);
    await resume(resumption, vector.resume);
    await resume(resumption, vector.renewal);
  });

  test(`suite ${vector.suite}: a flipped bit anywhere in the response or in a frame is refused`, async () => {
    const response = unhex(vector.response);
    // An encapsulation for each takes its time: in suite 2 every seventh bit, which is one of each byte.
    for (let bit = 0; bit < response.length * 8; bit += vector.suite === 1 ? 1 : 7) {
      const altered = response.slice();
      altered[bit >> 3]! ^= 1 << bit % 8;
      await assert.rejects(connect({ ...vector, response: hex(altered) }), RefusedError, `bit ${bit}`);
    }
    const answer = unhex(vector.frames[0]!.answer);
    for (let bit = 0; bit < answer.length * 8; bit++) {
      const { session } = (await connect(vector)).established;
      const altered = answer.slice();
      altered[bit >> 3]! ^= 1 << bit % 8;
      await assert.rejects(session.open(altered), RefusedError, `bit ${bit}`);
      await assert.rejects(session.open(answer), /closed/, 'the session is closed');
    }
  });
}

test('frames: truncated, extended, replayed, reflected', async () => {
  const vector = suites[0]!;
  const answer = unhex(vector.frames[0]!.answer);
  for (let length = 0; length < answer.length; length++) {
    const { session } = (await connect(vector)).established;
    await assert.rejects(session.open(answer.slice(0, length)), RefusedError);
  }
  const { session } = (await connect(vector)).established;
  await session.open(answer);
  await assert.rejects(session.open(answer), /out of order/);
  const other = (await connect(vector)).established.session;
  await other.seal(FrameType.RpcCall, 1, new Uint8Array(0));
  await assert.rejects(other.open(await other.seal(FrameType.RpcCall, 2, new Uint8Array(0))), /does not authenticate/);
});

test('frames: what has to be refused', async () => {
  for (const { name, frame } of refusals) {
    const { session } = (await connect(suites[0]!)).established;
    await assert.rejects(session.open(unhex(frame)), RefusedError, name);
    await assert.rejects(session.open(unhex(suites[0]!.frames[0]!.answer)), /closed/, name);
  }
});

test('tickets: what the server sealed for itself, and the secret that both know', async () => {
  for (const vector of tickets) {
    const { resumption } = await connect(suites[vector.suite - 1]!);
    assert.deepEqual([hex(resumption.ticket), hex(resumption.secret)], [vector.ticket, vector.resumption]);
    const sealed = resumption.ticket;
    const content = xchacha20poly1305(unhex(vector.stek), sealed.slice(0, 24), unhex(vector.associatedData)).decrypt(sealed.slice(24));
    assert.equal(hex(content), vector.resumption + vector.sessionId + hex(u64(vector.expiresAt)) + vector.buildId);
    assert.deepEqual([hex(resumption.sessionId), resumption.expiresAt], [vector.sessionId, vector.expiresAt]);
  }
});

test('a closed session seals nothing, also not through a resume that is still at hand', async () => {
  const vector = suites[0]!;
  const resume = await startResume((await connect(vector)).resumption, fixedEntropy(vector.resume.clientEntropy));
  const { session } = await resume.finish(frames(unhex(vector.resume.response))[0]!);
  session.close();
  await assert.rejects(session.seal(FrameType.RpcCall, 1, new Uint8Array(0)), /closed/);
  await assert.rejects(resume.seal(FrameType.RpcCall, 1, new Uint8Array(0)), /closed/);
});

test('noise: the published vectors', async () => {
  for (const vector of noises) {
    const [first, second, third] = vector.messages;
    assert.ok(first && second && third);
    const noise = await initiate(
      {
        prologue: unhex(vector.prologue),
        remoteStatic: unhex(vector.responderStaticPublic),
        ephemeral: await keyPair(unhex(vector.initiatorEphemeral)),
        ...(vector.psk !== null && { psk: unhex(vector.psk) }),
      },
      unhex(first.payload),
    );
    assert.equal(hex(noise.message), first.ciphertext);
    const { payload, split } = await noise.finish(unhex(second.ciphertext));
    assert.equal(hex(payload), second.payload);
    if (vector.handshakeHash !== null) assert.equal(hex(split.hash), vector.handshakeHash);
    const transport = await (await cipher(split.k1)).seal(new Uint8Array(12), new Uint8Array(0), unhex(third.payload));
    assert.equal(hex(transport), third.ciphertext);
  }
});

test('padding: lengths, round trips, missing marker', () => {
  for (const { payloadLen, plaintextLen } of paddings) {
    const payload = new Uint8Array(payloadLen).fill(0x80);
    const padded = pad(payload);
    assert.equal(padded.length, plaintextLen);
    assert.deepEqual(unpad(padded), payload);
  }
  for (const plaintext of [[], [0, 0], [0x61], [0x80, 0x61, 0]]) {
    assert.throws(() => unpad(Uint8Array.from(plaintext)), /padding/);
  }
});

test('x25519: points of low order are refused in every spelling, natively and portably', async () => {
  const pair = await keyPair(new Uint8Array(32).fill(7));
  const { subtle } = globalThis.crypto;
  Object.defineProperty(globalThis.crypto, 'subtle', { value: undefined, configurable: true });
  const portable = await keyPair(new Uint8Array(32).fill(7));
  Object.defineProperty(globalThis.crypto, 'subtle', { value: subtle, configurable: true });
  assert.deepEqual(portable.publicKey, pair.publicKey);
  const point = (lowest: number, between: number, highest: number): Uint8Array =>
    Uint8Array.of(lowest, ...new Uint8Array(30).fill(between), highest);
  for (const good of [point(9, 0, 0), point(0xff, 0xff, 0x7e)]) assert.deepEqual(await portable.agree(good), await pair.agree(good));
  const eight = ['e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'];
  const low = [point(0, 0, 0), point(1, 0, 0), ...eight.map(unhex), point(0xec, 0xff, 0x7f)];
  const respelt = [...low.map((spelt) => Uint8Array.from(spelt, (byte, place) => (place === 31 ? byte | 0x80 : byte))), point(0xed, 0xff, 0x7f), point(0xee, 0xff, 0x7f)];
  for (const refused of [...low, ...respelt]) {
    await assert.rejects(pair.agree(refused), /point not allowed/, hex(refused));
    await assert.rejects(portable.agree(refused), /point not allowed/, hex(refused));
  }
});
