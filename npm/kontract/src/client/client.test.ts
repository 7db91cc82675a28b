// The client's behaviour, against the Rust peer behind a fake network, in virtual time.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { ConflictError, HttpError, NotFoundError, UnauthorizedError } from '../errors.js';
import { utf8 } from '../raystream/bytes.js';
import { Gateway } from '../testing/gateway.js';
import { hex } from '../testing/hex.js';
import { ANONYMOUS, REFRESH } from './auth.js';
import { createClient } from './client.js';
import { NetworkError, RefusedError, type Kontract, type Rpc, uploading } from './index.js';

const SIGN = 0x01020304;
const LIST = 0x05060708;
const ZERO_KEY = '00'.repeat(16);

interface World {
  readonly gateway: Gateway;
  readonly kontract: Kontract;
  /** A mutation and an endpoint that only reads; both decode their answer as text. */
  readonly sign: Rpc<[text: string], string>;
  readonly list: Rpc<[], string>;
}

async function world(t: TestContext, transport: 'auto' | 'post' | 'websocket', suite: 1 | 2 = 1): Promise<World> {
  const gateway = await Gateway.start(suite);
  const kontract = createClient(gateway.pins, gateway.platform);
  kontract.configure(gateway.configuration(transport));
  t.after(() => {
    kontract.close();
    gateway.peer.stop();
  });
  return { gateway, kontract, ...endpoints(kontract) };
}

function endpoints(kontract: Kontract): Pick<World, 'sign' | 'list'> {
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const sign = kontract.endpoint<[text: string], string>({
    name: 'sign',
    route: SIGN,
    readOnly: false,
    encode: ([text]) => utf8(text),
    decode,
  });
  const list = kontract.endpoint<[], string>({ name: 'list', route: LIST, readOnly: true, encode: () => utf8(''), decode });
  return { sign, list };
}

async function respond({ peer }: Gateway, ...answers: string[]): Promise<void> {
  for (const answer of answers) await peer.respond(utf8(answer));
}

for (const transport of ['post', 'websocket'] as const) {
  for (const suite of [1, 2] as const) {
    test(`${transport}, suite ${suite}: the first call makes a session and an anonymous identity, later ones use them`, async (t) => {
      const { gateway, sign, list } = await world(t, transport, suite);
      await gateway.grant();
      await respond(gateway, 'signed', 'listed');
      assert.equal(await sign('hello'), 'signed');
      assert.equal(await list(), 'listed');

      const [anonymous, signed, listed, ...rest] = await gateway.received();
      assert.ok(anonymous && signed && listed && rest.length === 0);
      assert.deepEqual([anonymous.route, anonymous.token], [ANONYMOUS, '']);
      assert.deepEqual([signed.route, signed.token, signed.args], [SIGN, 'access-1', utf8('hello')]);
      assert.notEqual(hex(signed.key), ZERO_KEY);
      assert.deepEqual([listed.route, listed.token, hex(listed.key)], [LIST, 'access-1', ZERO_KEY]);
      assert.equal(gateway.requests, transport === 'post' ? 4 : 0);
      assert.equal(gateway.sockets.length, transport === 'post' ? 0 : 1);
    });
  }

  test(`${transport}: concurrent calls share one session and identity, and get their own answers`, async (t) => {
    const { gateway, kontract } = await world(t, transport);
    await gateway.grant();
    // The peer echoes envelopes from here on; the arguments are their end.
    const echo = kontract.endpoint<[text: string], string>({
      name: 'echo',
      route: SIGN,
      readOnly: true,
      encode: ([text]) => utf8(text),
      decode: (bytes) => new TextDecoder().decode(bytes.subarray(-6)),
    });
    const texts = Array.from({ length: 20 }, (_, index) => `text${10 + index}`);
    assert.deepEqual(await Promise.all(texts.map((text) => echo(text))), texts);
    assert.equal((await gateway.received()).filter(({ route }) => route === ANONYMOUS).length, 1);
  });

  test(`${transport}: errors arrive as their class and are not retried below 500`, async (t) => {
    const { gateway, sign } = await world(t, transport);
    await gateway.grant();
    await gateway.fail(404, 'NOT_FOUND', 'no entry é');
    await gateway.fail(409, 'ALREADY_SIGNED', 'once only');
    await assert.rejects(sign('a'), (error) => {
      assert.ok(error instanceof NotFoundError && error instanceof HttpError);
      assert.deepEqual([error.name, error.status, error.code, error.message], ['NotFoundError', 404, 'NOT_FOUND', 'no entry é']);
      return true;
    });
    await assert.rejects(sign('b'), (error) => error instanceof ConflictError && error.code === 'ALREADY_SIGNED');
    assert.deepEqual(gateway.waits, []);
  });

  test(`${transport}: a server error is tried three times with one key, backing off`, async (t) => {
    const { gateway, sign } = await world(t, transport);
    await gateway.grant();
    for (let tries = 0; tries < 3; tries++) await gateway.fail(503, 'UNAVAILABLE', 'no database');
    await assert.rejects(sign('a'), (error) => error instanceof HttpError && error.status === 503);
    const calls = (await gateway.received()).filter(({ route }) => route === SIGN);
    assert.equal(calls.length, 3);
    assert.equal(new Set(calls.map(({ key }) => hex(key))).size, 1);
    assert.deepEqual(gateway.waits, [50, 100], 'half of 100 and of 200 ms');
  });

  test(`${transport}: a refused token is refreshed once and the call repeated`, async (t) => {
    const { gateway, sign } = await world(t, transport);
    await gateway.grant();
    await gateway.fail(401, 'TOKEN_REFUSED', 'session ended');
    await gateway.grant();
    await respond(gateway, 'signed');
    assert.equal(await sign('a'), 'signed');
    const calls = await gateway.received();
    assert.deepEqual(calls.map(({ route }) => route), [ANONYMOUS, SIGN, REFRESH, SIGN]);
    assert.equal(new TextDecoder().decode(calls[2]?.args), '{"refreshToken":"refresh-1"}');
    assert.equal(calls[3]?.token, 'access-2');
    assert.equal(hex(calls[3]?.key ?? utf8('')), hex(calls[1]?.key ?? utf8('')), 'the same mutation');

    await gateway.fail(401, 'TOKEN_REFUSED', 'again');
    await gateway.grant();
    await gateway.fail(401, 'TOKEN_REFUSED', 'and again');
    await assert.rejects(sign('b'), UnauthorizedError);
  });

  test(`${transport}: a 401 of the endpoint itself is an answer, and nothing runs twice`, async (t) => {
    const { gateway, sign } = await world(t, transport);
    await gateway.grant();
    await gateway.fail(401, 'UNAUTHORIZED', 'wrong password');
    await assert.rejects(sign('a'), (error) => error instanceof UnauthorizedError && error.message === 'wrong password');
    assert.deepEqual((await gateway.received()).map(({ route }) => route), [ANONYMOUS, SIGN]);
  });

  test(`${transport}: an expired session is made anew and the identity kept`, async (t) => {
    const { gateway, sign } = await world(t, transport);
    await gateway.grant();
    await respond(gateway, 'first');
    await sign('a');
    // Only the server's clock moves: the client believes in its ticket until it is refused.
    await gateway.peer.setTime(1_800_000_301);
    gateway.sockets[0]?.drop(1006);
    await gateway.received();
    await gateway.grant('anon_1');
    await respond(gateway, 'second');
    assert.equal(await sign('b'), 'second');
    assert.deepEqual((await gateway.received()).map(({ route }) => route), [REFRESH, SIGN]);
  });

  test(`${transport}: another build is refused after one renewal, in words that help`, async (t) => {
    const { gateway } = await world(t, transport);
    const stale = createClient({ ...gateway.pins, buildId: 'A'.repeat(22) }, gateway.platform);
    stale.configure(gateway.configuration(transport));
    await assert.rejects(endpoints(stale).sign('a'), (error) => error instanceof RefusedError && /reload/.test(error.message));
    assert.ok(gateway.requests <= 2, `${gateway.requests} requests`);
    assert.deepEqual(gateway.waits, []);
    stale.close();
  });

  test(`${transport}: the backup key is tried when the first is unknown to the server`, async (t) => {
    const { gateway } = await world(t, transport, 2);
    const [key] = gateway.pins.keys;
    assert.ok(key);
    const x25519 = Buffer.from(Uint8Array.of(9, ...new Uint8Array(31))).toString('base64url');
    const rotated = createClient({ ...gateway.pins, keys: [{ ...key, x25519 }, key] }, gateway.platform);
    rotated.configure(gateway.configuration(transport));
    await gateway.grant();
    await respond(gateway, 'signed');
    assert.equal(await endpoints(rotated).sign('a'), 'signed');
    rotated.close();
  });

  test(`${transport}: an identity outlives the client in its storage`, async (t) => {
    const { gateway, kontract } = await world(t, transport);
    await gateway.grant();
    assert.equal((await kontract.auth.anonymous()).owner, 'anon_1');
    assert.deepEqual([...gateway.storage], [['kontract.refresh:http://gateway.test', 'refresh-1']]);
    const second = createClient(gateway.pins, gateway.platform);
    second.configure(gateway.configuration(transport));
    await gateway.grant();
    await respond(gateway, 'signed');
    await gateway.received();
    assert.equal(await endpoints(second).sign('a'), 'signed');
    assert.deepEqual((await gateway.received()).map(({ route }) => route), [REFRESH, SIGN]);
    second.close();
  });

  test(`${transport}: a call may have all the time there is`, async (t) => {
    const { gateway, list } = await world(t, transport);
    await gateway.grant();
    await respond(gateway, 'listed');
    assert.equal(await list.with({ timeoutMs: Infinity })(), 'listed');
  });

  test(`${transport}: a storage that is full keeps nobody from calling`, async (t) => {
    const { gateway, kontract, list } = await world(t, transport);
    const full = (): never => {
      throw new DOMException('the quota has been exceeded', 'QuotaExceededError');
    };
    kontract.configure({ storage: { getItem: () => null, setItem: full, removeItem: () => undefined } });
    await gateway.grant();
    await respond(gateway, 'first', 'second');
    assert.deepEqual([await list(), await list()], ['first', 'second']);
    await gateway.grant();
    await kontract.auth.refresh();
    assert.deepEqual((await gateway.received()).map(({ route }) => route), [ANONYMOUS, LIST, LIST, REFRESH]);
  });

  test(`${transport}: a refresh token that is no longer good gives way to a new identity`, async (t) => {
    const { gateway, sign } = await world(t, transport);
    gateway.storage.set('kontract.refresh:http://gateway.test', 'stale');
    await gateway.fail(401, 'TOKEN_REFUSED', 'revoked');
    await gateway.grant();
    await respond(gateway, 'signed');
    assert.equal(await sign('a'), 'signed');
    assert.deepEqual((await gateway.received()).map(({ route }) => route), [REFRESH, ANONYMOUS, SIGN]);
  });

  test(`${transport}: an access token near its end is refreshed before the call`, async (t) => {
    const { gateway, sign } = await world(t, transport);
    await gateway.grant();
    await respond(gateway, 'first');
    await sign('a');
    gateway.nowMs += 3_580_000;
    await gateway.grant();
    await respond(gateway, 'second');
    assert.equal(await sign('b'), 'second');
    assert.equal((await gateway.received()).at(-1)?.token, 'access-2');
  });

  test(`${transport}: abort, timeout and close end a call`, async (t) => {
    const { gateway, kontract, sign } = await world(t, transport);
    await gateway.grant();
    await respond(gateway, 'signed');
    await sign('a');
    const stop = new AbortController();
    const stopped = assert.rejects(sign.with({ signal: stop.signal })('b'), { message: 'enough' });
    stop.abort(new Error('enough'));
    await stopped;
    await assert.rejects(sign.with({ signal: AbortSignal.abort(new Error('before')) })('c'), { message: 'before' });
    gateway.troubles.push(() => new Promise(() => undefined));
    const [socket] = gateway.sockets;
    if (socket !== undefined) socket.tamper = () => undefined;
    await assert.rejects(sign.with({ timeoutMs: 1 })('d'), { name: 'TimeoutError' });
    const closed = assert.rejects(sign('e'), { name: 'AbortError' });
    kontract.close();
    await closed;
  });
}

test('post: what lies between says nothing of an identity', async (t) => {
  const { gateway, sign } = await world(t, 'post');
  gateway.storage.set('kontract.refresh:http://gateway.test', 'mine');
  const unauthorized = async (): Promise<Response> => new Response(null, { status: 401 });
  // The handshake, and later the refresh itself.
  for (const before of [0, 1]) {
    for (let place = 0; place < before; place++) await sign('a').catch(() => undefined);
    gateway.troubles.push(unauthorized);
    await assert.rejects(sign('a'), { code: 'UNEXPECTED_STATUS' });
    assert.equal(gateway.storage.get('kontract.refresh:http://gateway.test'), 'mine');
    gateway.troubles.length = 0;
    await gateway.fail(503, 'DATABASE_UNAVAILABLE', 'later');
  }
});

test('post: a change is not repeated as somebody else', async (t) => {
  const { gateway, sign, list } = await world(t, 'post');
  await gateway.grant();
  await respond(gateway, 'signed');
  await sign('a');
  await gateway.received();
  // The call arrives, its answer does not; then the ticket is refused, and so is the refresh token.
  const lose = async (): Promise<Response> => {
    gateway.nowMs += 3_700_000;
    await gateway.fail(401, 'TOKEN_REFUSED', 'revoked');
    await gateway.grant();
    throw new TypeError('fetch failed');
  };
  gateway.troubles.push(lose);
  await assert.rejects(sign('b'), (error) => error instanceof UnauthorizedError && /identity was lost/u.test(error.message));
  assert.deepEqual((await gateway.received()).map(({ route }) => route), [REFRESH, ANONYMOUS]);
  // What comes next is the new identity's own, and a read is anybody's.
  await respond(gateway, 'signed', 'listed');
  assert.equal(await sign('c'), 'signed');
  assert.equal(await list(), 'listed');
});

test('post: the tries of a call are its own, also while it has no identity', async (t) => {
  const { gateway, sign } = await world(t, 'post');
  for (let place = 0; place < 9; place++) await gateway.fail(503, 'DATABASE_UNAVAILABLE', 'later');
  await assert.rejects(sign('a'), { status: 503 });
  assert.deepEqual((await gateway.received()).map(({ route }) => route), [ANONYMOUS, ANONYMOUS, ANONYMOUS]);
});

test('post: when every call fails, a client stops repeating them, until calls succeed again', async (t) => {
  const { gateway, list } = await world(t, 'post');
  await gateway.grant();
  await respond(gateway, 'listed');
  await list();
  const failing = async (): Promise<number> => {
    const before = gateway.requests;
    const fail = async (): Promise<Response> => new Response(null, { status: 503 });
    gateway.troubles.push(fail, fail, fail);
    await assert.rejects(list(), NetworkError);
    gateway.troubles.length = 0;
    return gateway.requests - before;
  };
  const tries: number[] = [];
  for (let calls = 0; calls < 7; calls++) tries.push(await failing());
  assert.deepEqual(tries, [3, 3, 3, 3, 3, 1, 1]);
  for (let calls = 0; calls < 10; calls++) {
    await respond(gateway, 'listed');
    await list();
  }
  assert.equal(await failing(), 2, 'ten calls that succeed pay for one more try');
});

test('post: a lost answer is tried again with the same key', async (t) => {
  const { gateway, sign } = await world(t, 'post');
  await gateway.grant();
  await respond(gateway, 'first');
  await sign('a');
  await gateway.received();
  gateway.troubles.push(() => Promise.reject(new TypeError('fetch failed')), async () => new Response(null, { status: 502 }));
  await respond(gateway, 'second');
  assert.equal(await sign.with({ idempotencyKey: 'order 7' })('b'), 'second');
  assert.equal((await gateway.received()).length, 1);
  assert.deepEqual(gateway.waits, [50, 100]);
  gateway.troubles.push(...Array.from({ length: 3 }, () => () => Promise.reject(new TypeError('fetch failed'))));
  await assert.rejects(sign('c'), NetworkError);
});

test('post: a status that is neither the protocol nor the server failing is an error of its own', async (t) => {
  const { gateway, sign } = await world(t, 'post');
  gateway.troubles.push(async () => new Response(null, { status: 403 }));
  await assert.rejects(sign('a'), (error) => error instanceof HttpError && error.status === 403);
  assert.deepEqual(gateway.waits, []);
});

test('post: a wrong clock does not cost a handshake for each call', async (t) => {
  const { gateway, sign } = await world(t, 'post');
  gateway.nowMs += 86_400_000;
  await gateway.grant();
  await respond(gateway, 'first', 'second', 'third');
  for (const text of ['a', 'b', 'c']) await sign(text);
  assert.equal(gateway.requests, 5, 'handshake, identity and three calls');
});

test('idempotency keys: one text is one key, and a key of zeros is refused', async (t) => {
  const { gateway, sign } = await world(t, 'post');
  await gateway.grant();
  await respond(gateway, '', '', '');
  const raw = new Uint8Array(16).fill(7);
  for (const idempotencyKey of ['order 7', 'order 7', raw]) await sign.with({ idempotencyKey })('a');
  const [, first, second, third] = await gateway.received();
  assert.deepEqual(first?.key, second?.key);
  assert.deepEqual(third?.key, raw);
  await assert.rejects(sign.with({ idempotencyKey: new Uint8Array(16) })('a'), RangeError);
});

/** An endpoint that takes a stream, and one to send it. */
function sending(kontract: Kontract) {
  const send = kontract.endpoint<[bytes: ReadableStream<Uint8Array>], string>({
    name: 'send',
    route: SIGN,
    readOnly: false,
    encode: () => utf8('a stream'),
    decode: (bytes) => new TextDecoder().decode(bytes),
    upload: uploading([0]),
  });
  const seen = { pulls: 0, isCancelled: false };
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    seen.pulls += 1;
    controller.enqueue(utf8('bytes'));
    controller.close();
  };
  const stream = new ReadableStream({ pull, cancel: () => void (seen.isCancelled = true) }, { highWaterMark: 0 });
  return { send, stream, seen };
}

test('websocket: a refused call has read nothing of its stream, and is repeated with it', async (t) => {
  const { gateway, kontract } = await world(t, 'websocket');
  const { send, stream, seen } = sending(kontract);
  await gateway.grant();
  await gateway.fail(401, 'TOKEN_REFUSED', 'session ended');
  await gateway.grant();
  await gateway.fail(503, 'UNAVAILABLE', 'no database');
  await respond(gateway, 'sent');
  assert.equal(await send(stream), 'sent');
  assert.deepEqual(seen, { pulls: 0, isCancelled: false });
});

test('post: a stream that was read is not sent again as if it were empty', async (t) => {
  const { gateway, kontract } = await world(t, 'post');
  const { send, stream, seen } = sending(kontract);
  await gateway.grant();
  await gateway.fail(401, 'TOKEN_REFUSED', 'session ended');
  await assert.rejects(send(stream), (error) => error instanceof UnauthorizedError && error.code === 'TOKEN_REFUSED');
  assert.equal(seen.pulls, 1);
});

test('websocket: POST takes over when sockets cannot be opened', async (t) => {
  const { gateway, sign } = await world(t, 'websocket');
  gateway.socketsFail = true;
  await gateway.grant();
  await respond(gateway, 'signed');
  assert.equal(await sign('a'), 'signed');
  assert.equal(gateway.sockets.length, 1);
  assert.ok(gateway.requests > 0);
});

test('websocket: a dropped socket is opened again, in the same session', async (t) => {
  const { gateway, sign } = await world(t, 'websocket');
  await gateway.grant();
  await respond(gateway, 'first', 'second');
  await sign('a');
  gateway.sockets[0]?.drop(1006);
  assert.equal(await sign('b'), 'second');
  assert.equal(gateway.sockets.length, 2);
  assert.deepEqual((await gateway.received()).map(({ token }) => token), ['', 'access-1', 'access-1']);
});

test('websocket: an altered frame ends the socket, another one resumes its session, and the call succeeds once', async (t) => {
  const { gateway, sign } = await world(t, 'websocket');
  await gateway.grant();
  await respond(gateway, 'first');
  await sign('a');
  await gateway.received();
  const [socket] = gateway.sockets;
  assert.ok(socket);
  socket.tamper = (message) => message.map((byte, index) => (index === 40 ? byte ^ 1 : byte));
  await respond(gateway, 'second');
  assert.equal(await sign('b'), 'second');
  assert.deepEqual((await gateway.received()).map(({ route, token }) => [route, token]), [[SIGN, 'access-1']]);
  assert.deepEqual([gateway.sockets.length, gateway.requests], [2, 0]);
});

test('websocket: calls that one refusal ends resume their session together', async (t) => {
  const { gateway, list } = await world(t, 'websocket');
  await gateway.grant();
  await respond(gateway, 'first');
  await list();
  const [socket] = gateway.sockets;
  assert.ok(socket);
  let held = 0;
  const allAreHeld = new Promise<void>((resolve) => (socket.tamper = () => void ((held += 1) === 3 && resolve())));
  const calls = [list(), list(), list()];
  await allAreHeld;
  await respond(gateway, 'a', 'b', 'c');
  socket.drop(1008);
  assert.deepEqual((await Promise.all(calls)).sort(), ['a', 'b', 'c']);
  assert.deepEqual((await gateway.received()).map(({ route }) => route), [ANONYMOUS, LIST, LIST, LIST, LIST]);
  assert.equal(gateway.sockets.length, 2);
});

test('websocket: a minute without calls changes the key', async (t) => {
  const { gateway, list } = await world(t, 'websocket');
  await gateway.grant();
  await respond(gateway, 'first', 'second');
  await list();
  const phases: number[] = [];
  const [socket] = gateway.sockets;
  assert.ok(socket);
  socket.tamper = (message) => (phases.push((message[2] ?? 0) & 1), message);
  gateway.nowMs += 61_000;
  assert.equal(await list(), 'second');
  assert.deepEqual(phases, [1]);
});

test('websocket: a clock that is set forward does not cost a refresh for each call', async (t) => {
  const { gateway, list } = await world(t, 'websocket');
  await gateway.grant();
  await respond(gateway, 'first');
  await list();
  await gateway.grant();
  await respond(gateway, 'second', 'third');
  gateway.nowMs += 86_400_000;
  assert.deepEqual([await list(), await list()], ['second', 'third']);
  assert.deepEqual((await gateway.received()).map(({ route }) => route), [ANONYMOUS, LIST, REFRESH, LIST, LIST]);
});

test('websocket: a silent socket is asked whether it lives, and kept while it answers', async (t) => {
  const { gateway, list } = await world(t, 'websocket');
  await gateway.grant();
  await respond(gateway, 'first');
  await list();
  const types: (number | undefined)[] = [];
  const [socket] = gateway.sockets;
  assert.ok(socket);
  socket.tamper = (message) => (types.push(message[1]), message);
  for (let minute = 0; minute < 4; minute++) await gateway.elapse(60_000);
  assert.deepEqual(types, [0x30, 0x30, 0x30, 0x30]);
  await respond(gateway, 'second');
  assert.equal(await list(), 'second');
  await gateway.elapse(59_999);
  assert.equal(types.length, 5, 'what arrived shows that it lives');
  assert.equal(gateway.sockets.length, 1);
});

test('websocket: two heartbeats without an answer end the socket, and the next call has another one', async (t) => {
  const { gateway, kontract, list } = await world(t, 'websocket');
  await gateway.grant();
  await respond(gateway, 'first', 'second');
  await list();
  const [socket] = gateway.sockets;
  assert.ok(socket);
  socket.tamper = () => undefined;
  await gateway.elapse(60_000);
  await gateway.elapse(60_000);
  assert.equal(socket.readyState, 1);
  await gateway.elapse(60_000);
  assert.equal(socket.readyState, 3);
  assert.equal(gateway.hasTimers, false);
  assert.equal(await list(), 'second');
  assert.equal(gateway.sockets.length, 2);
  kontract.close();
  assert.equal(gateway.hasTimers, false);
});

test('websocket: a call that times out in silence leaves the socket behind, without failing the others', async (t) => {
  const { gateway, list } = await world(t, 'websocket');
  await gateway.grant();
  await respond(gateway, 'first', 'second');
  await list();
  const [socket] = gateway.sockets;
  assert.ok(socket);
  socket.tamper = () => undefined;
  const stop = new AbortController();
  const other = assert.rejects(list.with({ signal: stop.signal })(), { message: 'enough' });
  await assert.rejects(list.with({ timeoutMs: 1 })(), { name: 'TimeoutError' });
  assert.equal(socket.readyState, 1, 'another call waits on it');
  assert.equal(await list(), 'second');
  assert.equal(gateway.sockets.length, 2);
  stop.abort(new Error('enough'));
  await other;
  assert.equal(socket.readyState, 3);
});

test('websocket: a client that is closed says so, as the last thing', async (t) => {
  const { gateway, kontract, list } = await world(t, 'websocket');
  await gateway.grant();
  await respond(gateway, 'first');
  await list();
  const [socket] = gateway.sockets;
  assert.ok(socket);
  const types: (number | undefined)[] = [];
  const closed = new Promise<void>((resolve) => socket.addEventListener('close', resolve));
  socket.tamper = (message) => (types.push(message[1]), undefined);
  kontract.close();
  await closed;
  assert.deepEqual(types, [0xff]);
  assert.equal(socket.readyState, 3);
});

test('auto, in a page: POST until the socket is open, then the socket, all in one session', async (t) => {
  Object.defineProperty(globalThis, 'location', { value: { origin: 'http://gateway.test' }, configurable: true });
  t.after(() => Reflect.deleteProperty(globalThis, 'location'));
  const { gateway, list } = await world(t, 'auto');
  await gateway.grant();
  const isOnSocket = async (): Promise<boolean> => {
    const before = gateway.requests;
    await respond(gateway, 'listed');
    await list();
    return gateway.requests === before;
  };
  assert.equal(await isOnSocket(), false);
  let tries = 1;
  while (!(await isOnSocket())) assert.ok(++tries < 100, 'the socket never took over');
  const tokens = (await gateway.received()).map(({ token }) => token);
  assert.deepEqual(new Set(tokens), new Set(['', 'access-1']), 'the token stayed good');
  assert.equal(gateway.sockets.length, 1);
});

test('auto, in Node: POST', async (t) => {
  const { gateway, list } = await world(t, 'auto');
  await gateway.grant();
  await respond(gateway, 'listed');
  await list();
  assert.equal(gateway.sockets.length, 0);
});

test('without an address, the error says what to do', async (t) => {
  const { KONTRACT_URL } = process.env;
  delete process.env['KONTRACT_URL'];
  t.after(() => KONTRACT_URL !== undefined && (process.env['KONTRACT_URL'] = KONTRACT_URL));
  const pins = { suite: 1, buildId: '', routeHash: '', keys: [] } as const;
  await assert.rejects(endpoints(createClient(pins)).list(), /kontract\.configure.*KONTRACT_URL/);
});

test("the gateway's own routes have the ids of their names", () => {
  const idOf = (name: string): number => createHash('sha256').update(`kontract route\0${name}`).digest().readUInt32LE(0);
  assert.deepEqual([ANONYMOUS, REFRESH], [idOf('kontract.auth.anonymous'), idOf('kontract.auth.refresh')]);
});
