// A first visitor's first call: a handshake that brings session, identity and answer in one round trip.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ForbiddenError } from '../errors.js';
import { utf8 } from '../raystream/bytes.js';
import { Gateway } from '../testing/gateway.js';
import { hex } from '../testing/hex.js';
import { ANONYMOUS, REFRESH } from './auth.js';
import { createClient } from './client.js';
import type { Kontract, Rpc } from './index.js';

const SIGN = 0x01020304;
const LIST = 0x05060708;

interface World {
  readonly gateway: Gateway;
  readonly kontract: Kontract;
  readonly sign: Rpc<[text: string], string>;
  readonly list: Rpc<[text: string], string>;
}

async function world(t: TestContext, suite: 1 | 2 = 1): Promise<World> {
  const gateway = await Gateway.start(suite);
  const kontract = createClient(gateway.pins, gateway.platform);
  kontract.configure(gateway.configuration('post'));
  t.after(() => {
    kontract.close();
    gateway.peer.stop();
  });
  const endpoint = (route: number, readOnly: boolean): Rpc<[text: string], string> =>
    kontract.endpoint({
      name: 'an endpoint',
      route,
      readOnly,
      encode: ([text]) => utf8(text),
      decode: (bytes) => new TextDecoder().decode(bytes),
    });
  return { gateway, kontract, sign: endpoint(SIGN, false), list: endpoint(LIST, true) };
}

async function routes(gateway: Gateway): Promise<readonly (readonly [number, string])[]> {
  return (await gateway.received()).map(({ route, token }) => [route, token] as const);
}

for (const suite of [1, 2] as const) {
  test(`suite ${suite}: a first read takes one request, and what it brought is used afterwards`, async (t) => {
    const { gateway, list, sign } = await world(t, suite);
    await gateway.grant();
    await gateway.peer.respond(utf8('listed'));
    assert.equal(await list('all'), 'listed');
    assert.equal(gateway.requests, 1);
    const [introduction, read] = await gateway.received();
    assert.deepEqual([introduction?.route, read?.route, read?.token], [ANONYMOUS, LIST, '']);
    assert.deepEqual([hex(read?.key ?? utf8('')), read?.args], ['00'.repeat(16), utf8('all')]);
    assert.equal(gateway.storage.get('kontract.refresh:http://gateway.test'), 'refresh-1');

    await gateway.peer.respond(utf8('signed'));
    assert.equal(await sign('hello'), 'signed');
    assert.equal(gateway.requests, 2);
    assert.deepEqual(await routes(gateway), [[SIGN, 'access-1']]);
  });
}

test('a mutation is never early', async (t) => {
  const { gateway, sign } = await world(t);
  await gateway.grant();
  await gateway.peer.respond(utf8('signed'));
  assert.equal(await sign('hello'), 'signed');
  assert.equal(gateway.requests, 3, 'handshake, identity, call');
});

test('whoever has an identity sends nothing early: a token is worth more than a round trip', async (t) => {
  const { gateway, list } = await world(t);
  gateway.storage.set('kontract.refresh:http://gateway.test', 'refresh-0');
  await gateway.grant();
  await gateway.peer.respond(utf8('listed'));
  assert.equal(await list('all'), 'listed');
  assert.deepEqual(await routes(gateway), [[REFRESH, ''], [LIST, 'access-1']]);
});

test('an error of the early call is its answer, and the identity stays', async (t) => {
  const { gateway, list } = await world(t);
  await gateway.grant();
  await gateway.fail(403, 'PERMISSION_DENIED', 'members only');
  await assert.rejects(list('all'), ForbiddenError);
  assert.equal(gateway.requests, 1);
  await gateway.peer.respond(utf8('listed'));
  assert.equal(await list('again'), 'listed');
  assert.deepEqual((await routes(gateway)).slice(2), [[LIST, 'access-1']]);
});

/** Locks as a browser has them, which are never granted at once. */
function withLocks(t: TestContext): void {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  const request = async <T>(_name: string, work: () => Promise<T>): Promise<T> => {
    await new Promise((resolve) => setImmediate(resolve));
    return work();
  };
  Object.defineProperty(globalThis, 'navigator', { value: { locks: { request } }, configurable: true });
  t.after(() => {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'navigator');
    else Object.defineProperty(globalThis, 'navigator', before);
  });
}

for (const locked of [false, true]) test(`first calls at the same time, ${locked ? 'with' : 'without'} locks: one brings session and identity, the others use them`, async (t) => {
  if (locked) withLocks(t);
  const { gateway, list } = await world(t);
  await gateway.grant();
  for (let count = 0; count < 5; count++) await gateway.peer.respond(utf8('listed'));
  const texts = ['one', 'two', 'three', 'four', 'five'];
  assert.deepEqual(await Promise.all(texts.map((text) => list(text))), texts.map(() => 'listed'));
  const called = await routes(gateway);
  assert.equal(called.filter(([route]) => route === ANONYMOUS).length, 1);
  assert.deepEqual(called.slice(2), texts.slice(1).map(() => [LIST, 'access-1']));
  assert.equal(gateway.requests, 5);
});

test('a handshake that is refused with its calls, and one that is lost, are made again without', async (t) => {
  for (const trouble of [() => Promise.resolve(new Response(null, { status: 400 })), () => Promise.reject(new TypeError('lost'))]) {
    const { gateway, list } = await world(t);
    gateway.troubles.push(trouble);
    await gateway.grant();
    await gateway.peer.respond(utf8('listed'));
    assert.equal(await list('all'), 'listed');
    assert.deepEqual(await routes(gateway), [[ANONYMOUS, ''], [LIST, 'access-1']]);
    assert.equal(gateway.requests, 4, 'the one in trouble, then handshake, identity, call');
  }
});

test('arguments that are too long for a handshake are sent behind it', async (t) => {
  const { gateway, list } = await world(t);
  await gateway.grant();
  await gateway.peer.respond(utf8('listed'));
  assert.equal(await list('x'.repeat(20_000)), 'listed');
  assert.deepEqual(await routes(gateway), [[ANONYMOUS, ''], [LIST, 'access-1']]);
  assert.equal(gateway.requests, 3, 'none of them refused');
});
