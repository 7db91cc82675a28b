import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';

import { HttpError } from '../errors.js';
import { utf8 } from '../raystream/bytes.js';
import { FakeChannel, Handles, fakeCall, fakePeer, fakeRuntime } from '../testing/runtime.js';
import { run } from './call.js';
import { type Streaming, exchange } from './exchange.js';
import { failureOf, seal } from './outcome.js';
import type { Runtime } from './runtime.js';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function answersOf(...[runtime, channel, frames]: [Runtime, FakeChannel, Uint8Array<ArrayBuffer>[]]): Promise<Uint8Array[]> {
  const rest = [...frames];
  const arriving = { next: async () => rest.shift(), cancel: () => undefined, drain: async () => undefined };
  const answers = await exchange(runtime, channel, arriving, () => new AbortController().signal);
  assert.ok(Array.isArray(answers));
  return answers;
}

function silent(t: TestContext): void {
  t.mock.method(console, 'error', () => undefined);
}

test('answers of a body are sealed in the order of its frames, behind what the gateway answered itself', async () => {
  const handles = new Handles();
  let finishSlow = (): void => undefined;
  const slow = new Promise<void>((resolve) => (finishSlow = resolve));
  const runtime = fakeRuntime({ slow1: () => slow.then(() => 'late'), fast2: () => (finishSlow(), 'early') });
  const frames = ['call slow1', 'call fast2', 'reply'].map(utf8);
  const answers = await answersOf(runtime, new FakeChannel(handles), frames);
  assert.deepEqual(answers.map(text), ['0:reply', '1:1:late', '2:2:early']);
  assert.equal(handles.open.size, 0);
});

test('sixteen calls of a body run at a time, and the others begin in their order as these end', async () => {
  const handles = new Handles();
  const begun: number[] = [];
  const running = new Map<number, () => void>();
  let most = 0;
  const names = Array.from({ length: 40 }, (_, number) => `call${number}`);
  const endpoints = names.map((name, number) => [
    name,
    () => {
      begun.push(number);
      return new Promise<string>((resolve) => {
        running.set(number, () => (running.delete(number), resolve(name)));
        most = Math.max(most, running.size);
      });
    },
  ] as const);
  const answering = answersOf(fakeRuntime(Object.fromEntries(endpoints)), new FakeChannel(handles), names.map((name) => utf8(`call ${name}`)));
  while (begun.length < names.length || running.size > 0) {
    await new Promise((resolve) => setImmediate(resolve));
    // The one that began last ends first.
    [...running.values()].at(-1)?.();
  }
  assert.equal(most, 16);
  assert.deepEqual(begun, names.map((_, number) => number));
  assert.deepEqual((await answering).map(text), names.map((name, number) => `${number}:${number}:${name}`));
  assert.equal(handles.open.size, 0);
});

test('a call that waits for nothing outside sets no timer', async (t) => {
  const handles = new Handles();
  const timers = t.mock.method(globalThis, 'setTimeout');
  const endpoint = async (): Promise<string> => {
    for (let awaits = 0; awaits < 10; awaits++) await undefined;
    return 'done';
  };
  const answers = await answersOf(fakeRuntime({ quick1: endpoint }), new FakeChannel(handles), [utf8('call quick1')]);
  assert.deepEqual([answers.map(text), timers.mock.callCount()], [['0:1:done'], 0]);
});

test('a late answer is a stream that shows life, and whose reader can leave', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  const handles = new Handles();
  let signal: AbortSignal | undefined;
  let finish = (): void => undefined;
  const runtime = fakeRuntime({
    waits1: (context) => {
      ({ signal } = context);
      return new Promise<string>((resolve) => (finish = () => resolve('done')));
    },
  });
  const start = async (): Promise<{ channel: FakeChannel; late: Streaming }> => {
    const channel = new FakeChannel(handles);
    const frames = [utf8('call waits1')];
    signal = undefined;
    const arriving = { next: async () => frames.shift(), cancel: () => undefined, drain: async () => undefined };
    const answering = exchange(runtime, channel, arriving, () => new AbortController().signal);
    while (signal === undefined) await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(1_000);
    const late = await answering;
    assert.ok(!Array.isArray(late));
    return { channel, late };
  };

  const answered = await start();
  t.mock.timers.tick(3_000);
  finish();
  await answered.late.done;
  assert.equal(await new Response(answered.late.body).text(), '0:heartbeat1:heartbeat2:1:done');
  assert.ok(answered.channel.isDead);

  const left = await start();
  await left.late.body.cancel();
  assert.equal(signal?.aborted, true);
  finish();
  await left.late.done;
  t.mock.timers.tick(5_000);
  assert.ok(left.channel.isDead, 'and nothing was sealed after that');
  assert.equal(handles.open.size, 0);
});

test('a call that fails leaves the other calls of its body alone', async (t) => {
  silent(t);
  const handles = new Handles();
  const endpoints = {
    bare1: () => {
      throw Object.create(null);
    },
    good2: async () => 'good',
  };
  const answers = await answersOf(fakeRuntime(endpoints), new FakeChannel(handles), ['call bare1', 'call good2'].map(utf8));
  assert.match(text(answers[0] ?? utf8('')), /^0:1!500:INTERNAL:internal error [\da-f-]{36}$/);
  assert.equal(text(answers[1] ?? utf8('')), '1:2:good');
  assert.equal(handles.open.size, 0);
});

test('a body with a bad frame runs nothing and keeps nothing', async () => {
  const handles = new Handles();
  let runs = 0;
  const runtime = fakeRuntime({ count: () => (runs += 1) });
  await assert.rejects(answersOf(runtime, new FakeChannel(handles), ['call count', 'refused'].map(utf8)), /refused/);
  assert.equal(runs, 0);
  assert.equal(handles.open.size, 0);
});

test('whatever an endpoint throws, its caller gets an error that can be sealed', async (t) => {
  silent(t);
  const channel = new FakeChannel(new Handles());
  const unreadable = new HttpError(400, 'BAD', '');
  Object.defineProperty(unreadable, 'message', {
    get() {
      throw new Error('no message');
    },
  });
  const hidden = /^500:INTERNAL:internal error( [\da-f-]{36})?$/;
  const expected: [thrown: unknown, answer: RegExp][] = [
    [undefined, hidden],
    [Symbol('thrown'), hidden],
    [Object.create(null), hidden],
    [unreadable, hidden],
    [new HttpError(404, 'GONE', 'é'), /^404:GONE:é$/],
    [new HttpError(200, 'FINE', 'm'), /^500:FINE:m$/],
    [new HttpError(Number.NaN, 'X', 'm'), /^500:X:m$/],
    [new HttpError('418' as unknown as number, 7 as unknown as string, null as unknown as string), /^500:7:null$/],
    [new HttpError(400, 'C'.repeat(65), 'm'.repeat(2 << 20)), /^400:C{64}:m{4096}$/],
    [new HttpError(400, 'C', `${'m'.repeat(4095)}😀`), /^400:C:m{4095}$/],
  ];
  for (const [thrown, answer] of expected) {
    const outcome = await run(
      fakeRuntime({
        thrower: () => {
          throw thrown;
        },
      }),
      fakeCall(new Handles(), 'thrower'),
      fakePeer(),
    );
    assert.match(text(seal(channel, 3, outcome)).replace(/^\d+:3!/, ''), answer);
  }
});

test('a result that cannot be sealed is an error; only a dead channel throws', (t) => {
  silent(t);
  const channel = new FakeChannel(new Handles());
  channel.resultLenMax = 3;
  assert.match(text(seal(channel, 1, { result: utf8('long') })), /^0:1!500:INTERNAL:/);
  channel.free();
  assert.throws(() => seal(channel, 1, failureOf('sign', new HttpError(400, 'X', ''))), /dead/);
});
