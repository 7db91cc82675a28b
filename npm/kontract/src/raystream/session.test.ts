// Sealing and opening take time: what is asked for at once still happens in order, and nothing happens behind a fault.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bytes, readU64 } from './bytes.js';
import { FrameType, exactHeader } from './frame.js';
import { PART_LEN, PAYLOAD_LEN_MAX } from './limits.js';
import { sealMessage } from './message.js';
import { Direction, Session } from './session.js';

const prk = new Uint8Array(32).fill(1);
const transcript = new Uint8Array(32).fill(2);

/** The client's end, and the direction that its peer seals with. */
async function ends(): Promise<{ session: Session; c2s: Direction; peer: Direction }> {
  const [c2s, s2c, peer] = await Promise.all([
    Direction.of(prk, 'c2s', transcript),
    Direction.of(prk, 's2c', transcript),
    Direction.of(prk, 's2c', transcript),
  ]);
  return { session: new Session(c2s, s2c), c2s, peer };
}

const answer = (peer: Direction, sequence: number): Promise<Bytes> => peer.seal(FrameType.RpcResponse, sequence, Uint8Array.of(sequence));

test('messages that are sealed at once go in the order of the calls, long ones whole', async () => {
  const { session } = await ends();
  const reader = await Direction.of(prk, 'c2s', transcript);
  const sent: Bytes[] = [];
  const send = async (sequence: number, length: number): Promise<void> => {
    sent.push(...(await sealMessage(session, FrameType.RpcCall, sequence, new Uint8Array(length))));
  };
  await Promise.all([send(1, 10), send(2, PAYLOAD_LEN_MAX + 1), send(3, 10), send(4, 2 * PART_LEN), send(5, 0)]);
  assert.deepEqual(sent.map((frame) => readU64(frame, 16)), sent.map((_, txid) => txid));
  assert.deepEqual(sent.map((frame) => exactHeader(frame).sequence), [1, 2, 2, 2, 2, 3, 4, 5]);
  for (const frame of sent) await reader.open(frame, exactHeader(frame).flags);
});

test('frames that are opened at once are opened in their order', async () => {
  const { session, peer } = await ends();
  const frames = await Promise.all([1, 2, 3].map((sequence) => answer(peer, sequence)));
  const opened = await Promise.all(frames.map((frame) => session.open(frame)));
  assert.deepEqual(opened.map(({ sequence }) => sequence), [1, 2, 3]);
});

test('nothing behind a frame that does not authenticate is opened, also when it is there already', async () => {
  const { session, peer } = await ends();
  const frames = await Promise.all([1, 2, 3].map((sequence) => answer(peer, sequence)));
  frames[1]![40]! ^= 1;
  const opened = await Promise.allSettled(frames.map((frame) => session.open(frame)));
  assert.deepEqual(opened.map(({ status }) => status), ['fulfilled', 'rejected', 'rejected']);
  await assert.rejects(session.seal(FrameType.RpcCall, 1, new Uint8Array(0)), /closed/);
});

test('the first fault ends its direction by itself', async () => {
  const { peer } = await ends();
  const s2c = await Direction.of(prk, 's2c', transcript);
  const frames = await Promise.all([1, 2].map((sequence) => answer(peer, sequence)));
  frames[0]![40]! ^= 1;
  const opened = await Promise.allSettled(frames.map((frame) => s2c.open(frame, exactHeader(frame).flags)));
  assert.deepEqual(opened.map(({ status }) => status), ['rejected', 'rejected']);
});

test('what is being sealed or opened when the session closes comes to nothing', async () => {
  const { session, peer } = await ends();
  const frame = await answer(peer, 1);
  const pending = Promise.allSettled([session.open(frame), session.seal(FrameType.RpcCall, 1, new Uint8Array(0))]);
  // Both are under way by now.
  await Promise.resolve();
  session.close();
  for (const result of await pending) assert.match(String(result.status === 'rejected' && result.reason), /closed/);
  await assert.rejects(session.seal(FrameType.RpcCall, 1, new Uint8Array(0)), /closed/);
});

test('a new key is taken in turn: what was asked for before still has the old one', async () => {
  const { session } = await ends();
  const reader = await Direction.of(prk, 'c2s', transcript);
  const before = session.seal(FrameType.RpcCall, 1, new Uint8Array(0));
  session.rekey();
  const frames = await Promise.all([before, session.seal(FrameType.RpcCall, 2, new Uint8Array(0))]);
  assert.deepEqual(frames.map((frame) => readU64(frame, 16)), [0, 1 << 20]);
  for (const frame of frames) await reader.open(frame, exactHeader(frame).flags);
});
