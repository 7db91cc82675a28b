import assert from 'node:assert/strict';
import { test } from 'node:test';

import { concat } from '../raystream/bytes.js';
import { FrameType, clearFrame, headerBytes } from '../raystream/frame.js';
import { FrameReader, framesOf } from './body.js';

const init = clearFrame(FrameType.HandshakeInit, new Uint8Array(1_000).fill(7));
const call = concat(headerBytes({ type: FrameType.RpcCall, flags: 0, sequence: 1, length: 300_000 }), new Uint8Array(300_012).fill(9));

/** A body in pieces of this length. */
function pieces(body: Uint8Array, length: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull: (controller) => {
      if (at >= body.length) return controller.close();
      controller.enqueue(body.slice(at, at + length));
      at += length;
    },
  });
}

test('frames come out whole, however the body is cut', async () => {
  const body = concat(init, call, init);
  for (const length of [1, 15, 16, 17, 1_016, 70_000, body.length]) {
    const reader = new FrameReader(pieces(body, length));
    const found = [await reader.next(), await reader.next(), await reader.next(), await reader.next()];
    assert.deepEqual(found, [init, call, init, undefined], `${length}`);
  }
});

test('a body that ends within a frame is refused', async () => {
  for (const length of [1, 15, 16, init.length - 1]) {
    await assert.rejects(new FrameReader(pieces(init.subarray(0, length), 7)).next(), /refused/);
  }
});

test('a body that breaks off is refused, and no fault of ours', async () => {
  const broken = (): ReadableStream<Uint8Array> => new ReadableStream({ pull: (controller) => controller.error(new Error('connection lost')) });
  await assert.rejects(new FrameReader(broken()).next(), { message: 'refused' });
  const request = { headers: new Headers({ 'content-length': '10' }), arrayBuffer: () => new Response(broken()).arrayBuffer() };
  await assert.rejects(framesOf(request as unknown as Request), { message: 'refused' });
});

test('before a handshake nobody announces more than one is long', async () => {
  let isRead = false;
  const header = headerBytes({ type: FrameType.HandshakeInit, flags: 0, sequence: 0, length: 18 * 1024 });
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(header),
    pull: () => void (isRead = true),
  }, { highWaterMark: 0 });
  await assert.rejects(new FrameReader(body).next(), /refused/);
  assert.ok(!isRead, 'by its header');
});

test('a frame that drips in is late, however small its pieces', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const reader = new FrameReader(new ReadableStream({ start: (given) => void (controller = given) }));
  const frame = assert.rejects(reader.next(), /refused/);
  for (let seconds = 0; seconds < 31; seconds += 1) {
    try {
      controller?.enqueue(init.slice(seconds, seconds + 1));
    } catch {
      break;
    }
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(1_000);
  }
  await frame;
});

test('a short body that does not come is not waited for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const never = new ReadableStream<Uint8Array>({});
  const request = new Request('http://gateway.test', { method: 'POST', body: never, duplex: 'half', headers: { 'content-length': '9' } } as RequestInit);
  // Node leaves this header out of requests; a Worker is told it.
  Object.defineProperty(request, 'headers', { value: new Headers({ 'content-length': '9' }) });
  const frames = assert.rejects(framesOf(request), /refused/);
  await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(30_000);
  await frames;
});
