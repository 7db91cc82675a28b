// Server-sent events as the client reads them, and when it does not ask for them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toBase64Url } from '../raystream/bytes.js';
import { events } from './events.js';
import { NetworkError } from './network-error.js';
import type { PostOptions } from './post.js';

const FRAMES = [Uint8Array.of(1, 2, 3), Uint8Array.from({ length: 300 }, (_, index) => index & 255), new Uint8Array(1)];
const TEXT = FRAMES.map((frame, place) => `${place > 0 ? `id: ${place - 1}.0\n` : ''}data: ${toBase64Url(frame)}\n\n:\n\n`).join('');

class World {
  now = 0;
  asked: { readonly url: string; readonly headers: Record<string, string> }[] = [];
  readonly #timers = new Set<() => void>();
  readonly options: PostOptions;

  constructor(answer: () => Promise<Response>) {
    const fetch = (url: string, { headers }: { headers: Record<string, string> }): Promise<Response> => {
      this.asked.push({ url, headers });
      return answer();
    };
    const every = (_ms: number, run: () => void): (() => void) => {
      this.#timers.add(run);
      return () => void this.#timers.delete(run);
    };
    this.options = { settings: { url: 'http://x', fetch }, platform: { now: () => this.now, every } } as unknown as PostOptions;
  }

  tick(): void {
    for (const run of this.#timers) run();
  }

  get timers(): number {
    return this.#timers.size;
  }
}

function streamOf(...pieces: string[]): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

const never = new AbortController().signal;

test('frames come out of events however they are cut, and the request is in a header, not in the URL', async () => {
  for (const size of [1, 2, 7, 64, TEXT.length]) {
    const pieces = Array.from({ length: Math.ceil(TEXT.length / size) }, (_, index) => TEXT.slice(index * size, (index + 1) * size));
    const world = new World(async () => streamOf(...pieces));
    const frames = [];
    for await (const frame of (await events(Uint8Array.of(255, 254), world.options, never)) ?? []) frames.push(frame);
    assert.deepEqual(frames.map((frame) => [...frame]), FRAMES.map((frame) => [...frame]), `${size}`);
    assert.deepEqual(world.asked, [{ url: 'http://x/stream', headers: { accept: 'text/event-stream', raystream: '__4' } }]);
    assert.equal(world.timers, 0, 'nothing is left to wait');
  }
});

test('where events do not come through nothing is thrown, and they are left alone for five minutes', async () => {
  const answers = [
    () => Promise.reject(new TypeError('blocked')),
    async () => new Response(null, { status: 400 }),
    async () => new Response('a page of a proxy', { headers: { 'content-type': 'text/html' } }),
  ];
  for (const answer of answers) {
    const world = new World(answer);
    assert.equal(await events(new Uint8Array(8), world.options, never), undefined);
    world.now += 299_999;
    assert.equal(await events(new Uint8Array(8), world.options, never), undefined);
    assert.equal(world.asked.length, 1);
    world.now += 1;
    await events(new Uint8Array(8), world.options, never);
    assert.equal(world.asked.length, 2);
    world.now -= 3_600_000;
    await events(new Uint8Array(8), world.options, never);
    assert.equal(world.asked.length, 3, 'a clock that was set back is no reason to wait for it');
  }
});

test('a request that is too long for a header is not made', async () => {
  const world = new World(async () => streamOf());
  assert.equal(await events(new Uint8Array(5_000), world.options, never), undefined);
  assert.equal(world.asked.length, 0);
  assert.notEqual(await events(new Uint8Array(4_608), world.options, never), undefined);
});

test('a stream that shows no sign of life is dead, one that is not read is not', async () => {
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(TEXT)),
  });
  const world = new World(async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
  const frames = (await events(new Uint8Array(8), world.options, never)) ?? assert.fail('no events');
  for (const _ of FRAMES) {
    await frames.next();
    for (let sign = 0; sign < 5; sign++) world.tick();
  }
  const next = frames.next();
  // The read has to be under way.
  await new Promise((resolve) => setImmediate(resolve));
  world.tick();
  world.tick();
  world.tick();
  await assert.rejects(next, NetworkError);
  assert.equal(world.timers, 0);
});
