import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Flag, FrameType } from './frame.js';
import { MESSAGE_LEN_MAX, PART_LEN, PAYLOAD_LEN_MAX } from './limits.js';
import { Messages, sealMessage } from './message.js';
import type { Opened } from './session.js';

/** A session that keeps what it is given. */
async function sealed(length: number): Promise<Opened[]> {
  const frames: Opened[] = [];
  const seal = async (type: FrameType, sequence: number, payload: Uint8Array, flags = 0): Promise<Uint8Array<ArrayBuffer>> => {
    frames.push({ type, flags, sequence, payload: Uint8Array.from(payload) });
    return new Uint8Array();
  };
  const payload = new Uint8Array(length).map((_, index) => index % 251);
  await sealMessage({ seal }, FrameType.RpcResponse, 7, payload);
  return frames;
}

const frame = (flags: number, sequence = 7, type: FrameType = FrameType.RpcResponse, length = 3): Opened => ({
  type,
  flags,
  sequence,
  payload: new Uint8Array(length),
});

test('a message is one frame as long as it fits', async () => {
  assert.deepEqual((await sealed(PAYLOAD_LEN_MAX)).map(({ flags }) => flags), [0]);
  const flags = (await sealed(PAYLOAD_LEN_MAX + 1)).map((part) => part.flags);
  assert.deepEqual(flags, [Flag.More, Flag.More, Flag.More, Flag.Fin]);
  assert.deepEqual((await sealed(8 * PART_LEN)).at(-1)?.payload.length, PART_LEN);
});

test('parts come together, also when other messages come between', async () => {
  const messages = new Messages();
  const parts = await sealed(2_000_000);
  const whole = parts.map((part) => {
    assert.equal(messages.take(frame(0, 8))?.sequence, 8);
    return messages.take(part);
  });
  assert.deepEqual(whole.slice(0, -1), whole.slice(1).map(() => undefined));
  const payload = whole.at(-1)?.payload;
  assert.equal(payload?.length, 2_000_000);
  assert.ok(payload?.every((byte, index) => byte === index % 251));
  assert.equal(messages.take(frame(0))?.flags, 0, 'the number is free again');
});

test('parts without their place are refused', () => {
  const refused: Opened[][] = [
    [frame(Flag.Fin)],
    [frame(Flag.More | Flag.Fin)],
    [frame(Flag.More), frame(0)],
    [frame(Flag.More), frame(Flag.Fin, 7, FrameType.RpcChunk)],
    ...[FrameType.RpcError, FrameType.RpcCancel, FrameType.Heartbeat, FrameType.Event, FrameType.Close].map((type) => [frame(Flag.More, 7, type)]),
    Array.from({ length: MESSAGE_LEN_MAX / PART_LEN + 1 }, () => frame(Flag.More, 7, FrameType.RpcResponse, PART_LEN)),
  ];
  for (const frames of refused) {
    const messages = new Messages();
    const last = frames.pop() ?? assert.fail('no frame');
    for (const before of frames) assert.equal(messages.take(before), undefined);
    assert.throws(() => messages.take(last), /malformed message/);
  }
});
