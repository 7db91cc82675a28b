import assert from 'node:assert/strict';
import { test } from 'node:test';

import { concat, fromBase64Url, toBase64Url, u64 } from '../raystream/bytes.js';
import { FrameType, clearFrame, headerBytes } from '../raystream/frame.js';
import { eventStream, eventsOf, requestOf } from './events.js';

const CLEAR = clearFrame(FrameType.HandshakeResponse, new Uint8Array(32));
const SEALED = concat(headerBytes({ type: FrameType.RpcResponse, flags: 2, sequence: 1, length: 20 }), u64(70_000), new Uint8Array(24));

const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);

test('a frame is an event: its transaction id is the event\'s, and a frame in the clear has none', () => {
  const events = text(eventsOf(concat(CLEAR, SEALED)));
  assert.equal(events, `data: ${toBase64Url(CLEAR)}\n\nid: 70000.0\ndata: ${toBase64Url(SEALED)}\n\n`);
  assert.deepEqual(fromBase64Url(toBase64Url(SEALED)), SEALED);
});

test('a request is base64url and no longer than headers are', () => {
  assert.deepEqual(requestOf(new Headers({ raystream: '__4' })), Uint8Array.of(255, 254));
  for (const raystream of ['', 'a b', 'ab+/', 'x'.repeat(6_145)]) {
    assert.throws(() => requestOf(new Headers({ raystream })), /refused/, raystream);
  }
  assert.throws(() => requestOf(new Headers()), /refused/);
});

test('a silent stream says every 15 s that it lives, until its call is over', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let finish = (): void => undefined;
  const done = new Promise<void>((resolve) => (finish = resolve));
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  const reader = eventStream({ body, done }).getReader();
  t.mock.timers.tick(14_999);
  const first = reader.read();
  t.mock.timers.tick(1);
  assert.equal(text((await first).value), ':\n\n');
  controller?.enqueue(concat(CLEAR, SEALED));
  assert.match(text((await reader.read()).value), /^data: /u);
  controller?.close();
  assert.equal((await reader.read()).done, true);
  finish();
  await done;
  t.mock.timers.tick(60_000);
});
