import assert from 'node:assert/strict';
import { test } from 'node:test';

import { utf8 } from '../raystream/bytes.js';
import { Inbox } from './inbox.js';

test('what arrives before its call has begun waits for it', async () => {
  const inbox = new Inbox(undefined, 100);
  const taken = inbox.take(1, utf8('early')).then(() => inbox.take(1, undefined));
  const [stream] = inbox.open([{ stream: 1 }], [[0, 'stream']]) as [ReadableStream<Uint8Array>];
  assert.equal(await new Response(stream).text(), 'early');
  await taken;
});

test('a call that fails before it has begun keeps nobody waiting', async () => {
  const inbox = new Inbox(undefined, 100);
  const taken = inbox.take(1, utf8('early'));
  inbox.fail(new Error('over'));
  await taken;
});

test('whoever holds back on a socket what it was asked for is given up, whoever is read slowly is not', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let asked = 0;
  const inbox = new Inbox(() => (asked += 1), 100);
  const [stream] = inbox.open([{ stream: 1 }], [[0, 'stream']]) as [ReadableStream<Uint8Array>];
  const reader = stream.getReader();
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const read = reader.read();
  await settled();
  assert.equal(asked, 1);
  t.mock.timers.tick(29_999);
  await inbox.take(1, utf8('a'));
  assert.equal((await read).value?.length, 1);
  t.mock.timers.tick(60_000);
  const held = reader.read();
  await settled();
  t.mock.timers.tick(29_999);
  await settled();
  await inbox.take(1, utf8('b'));
  assert.equal((await held).value?.length, 1);
  const failed = assert.rejects(reader.read(), { status: 400, message: 'the rest of a stream did not come in time' });
  await settled();
  t.mock.timers.tick(30_000);
  await failed;
});

test('a stream may come in any number of pieces', async () => {
  const inbox = new Inbox(undefined, PIECES);
  const [stream] = inbox.open([{ stream: 1 }], [[0, 'stream']]) as [ReadableStream<Uint8Array>];
  const reader = stream.getReader();
  for (let piece = 0; piece < PIECES; piece++) {
    const read = reader.read();
    // The reader waits for each of them.
    await new Promise((resolve) => setImmediate(resolve));
    await inbox.take(1, Uint8Array.of(1));
    assert.equal((await read).value?.length, 1);
  }
  await inbox.take(1, undefined);
  assert.equal((await reader.read()).done, true);
});

/** More than a stack has frames. */
const PIECES = 60_000;
