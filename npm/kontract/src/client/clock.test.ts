// A clock that is set back while a client runs, against the Rust peer behind a fake network.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { utf8 } from '../raystream/bytes.js';
import { Gateway } from '../testing/gateway.js';
import { createClient } from './client.js';
import type { Rpc } from './index.js';

async function world(t: TestContext): Promise<{ gateway: Gateway; list: Rpc<[], string> }> {
  const gateway = await Gateway.start(1);
  const kontract = createClient(gateway.pins, gateway.platform);
  kontract.configure(gateway.configuration('websocket'));
  t.after(() => {
    kontract.close();
    gateway.peer.stop();
  });
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { gateway, list: kontract.endpoint<[], string>({ name: 'list', route: 1, readOnly: true, encode: () => utf8(''), decode }) };
}

test('websocket: a clock that is set back stops neither heartbeats nor new keys', async (t) => {
  const { gateway, list } = await world(t);
  await gateway.grant();
  await gateway.peer.respond(utf8('first'));
  await list();
  const frames: (number | undefined)[][] = [];
  const [socket] = gateway.sockets;
  assert.ok(socket);
  socket.tamper = (message) => (frames.push([message[1], (message[2] ?? 0) & 1]), message);
  gateway.nowMs -= 600_000;
  await gateway.elapse(60_000);
  await gateway.elapse(60_000);
  await gateway.peer.respond(utf8('second'));
  assert.equal(await list(), 'second');
  assert.deepEqual(frames, [[0x30, 0], [0x30, 0], [0x10, 1]]);
});

test('websocket: a clock that is set back does not keep sockets closed', async (t) => {
  const { gateway, list } = await world(t);
  gateway.socketsFail = true;
  await gateway.grant();
  for (const answer of ['posted', 'posted too', 'on a socket']) await gateway.peer.respond(utf8(answer));
  assert.equal(await list(), 'posted');
  gateway.socketsFail = false;
  assert.equal(await list(), 'posted too');
  gateway.nowMs -= 600_000;
  assert.equal(await list(), 'on a socket');
  assert.equal(gateway.sockets.length, 2);
});
