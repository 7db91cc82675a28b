import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';

import { Database, type TcpSocket } from './connection.js';
import type { Postgres, PostgresSocket } from './platform.js';

/** A server that answers each batch, until it hangs or hangs up. */
class Server {
  readonly sockets: FakeSocket[] = [];
  connects = true;
  answers = true;

  readonly driver = { PostgresSocket: driverOf(this) };
  readonly database = new Database(this.driver, () => {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return { socket, login: { user: 'u', password: 'p', database: 'd' } };
  });
}

class FakeSocket implements TcpSocket {
  hangUp = (): void => undefined;
  isClosed = false;
  readonly readable = new ReadableStream<Uint8Array>({ start: (controller) => void (this.hangUp = () => controller.close()) });
  readonly writable = new WritableStream<Uint8Array>();

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

/** A driver that never notices an end by itself. */
function driverOf(server: Server): new (send: (bytes: Uint8Array) => void) => PostgresSocket {
  const forever = new Promise<never>(() => undefined);
  const postgres: Postgres = { run: (statements) => (server.answers ? Promise.resolve(`ran ${statements}`) : forever) };
  return class {
    push(): void {}
    end(): void {}
    connect(): Promise<Postgres> {
      return server.connects ? Promise.resolve(postgres) : forever;
    }
  };
}

function server(t: TestContext): Server {
  t.mock.method(console, 'error', () => undefined);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return new Server();
}

/** Lets what was settled take its course. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

test('batches share a connection', async (t) => {
  const { database, sockets } = server(t);
  assert.deepEqual(await Promise.all([database.run('a'), database.run('b')]), ['ran a', 'ran b']);
  assert.equal(await database.run('c'), 'ran c');
  assert.equal(sockets.length, 1);
});

test('after an idle connection was closed, the next batch has another one', async (t) => {
  const { database, sockets } = server(t);
  await database.run('a');
  sockets[0]?.hangUp();
  await settled();
  assert.equal(await database.run('b'), 'ran b');
  assert.equal(sockets.length, 2);
});

test('a connection that is closed fails the batches under way', async (t) => {
  const behind = server(t);
  behind.answers = false;
  const batches = [behind.database.run('a'), behind.database.run('b')].map((batch) => assert.rejects(batch, /closed the connection/));
  await settled();
  behind.sockets[0]?.hangUp();
  await Promise.all(batches);
  assert.equal(behind.sockets[0]?.isClosed, true);
});

test('connecting may take ten seconds', async (t) => {
  const behind = server(t);
  behind.connects = false;
  const batch = assert.rejects(behind.database.run('a'), /10000 ms/);
  t.mock.timers.tick(10_000);
  await batch;
  assert.equal(behind.sockets[0]?.isClosed, true);
  behind.connects = true;
  assert.equal(await behind.database.run('b'), 'ran b');
});

test('a batch may take thirty-five seconds', async (t) => {
  const behind = server(t);
  await behind.database.run('a');
  behind.answers = false;
  const batch = assert.rejects(behind.database.run('b'), /35000 ms/);
  t.mock.timers.tick(34_999);
  await settled();
  assert.equal(behind.sockets[0]?.isClosed, false);
  t.mock.timers.tick(1);
  await batch;
  assert.equal(behind.sockets[0]?.isClosed, true);
  behind.answers = true;
  assert.equal(await behind.database.run('c'), 'ran c');
  assert.equal(behind.sockets.length, 2);
});

test('an address that cannot be dialled fails the batch alone', async (t) => {
  const { driver } = server(t);
  const database = new Database(driver, () => {
    throw new Error('neither is bound');
  });
  await assert.rejects(database.run('a'), /neither is bound/);
  await assert.rejects(database.run('b'), /neither is bound/);
});

test('the login waits for encryption, and goes through it', async (t) => {
  const { driver } = server(t);
  const [plain, encrypted] = [new FakeSocket(), new FakeSocket()];
  let upgrade = (): void => undefined;
  const upgraded = new Promise<TcpSocket>((resolve) => (upgrade = () => resolve(encrypted)));
  const login = { user: 'u', password: 'p', database: 'd' };
  const database = new Database(driver, () => ({ socket: plain, login, upgrade: () => upgraded }));
  const batch = database.run('a');
  await settled();
  assert.deepEqual([plain.readable.locked, plain.writable.locked], [false, false], 'nothing is sent in the clear');
  upgrade();
  assert.equal(await batch, 'ran a');
  assert.deepEqual([encrypted.readable.locked, encrypted.writable.locked], [true, true]);
});

test('a server without encryption fails the batch, and the connection is closed', async (t) => {
  const { driver } = server(t);
  const socket = new FakeSocket();
  const login = { user: 'u', password: 'p', database: 'd' };
  const database = new Database(driver, () => ({ socket, login, upgrade: () => Promise.reject(new Error('no TLS')) }));
  await assert.rejects(database.run('a'), /no TLS/);
  assert.equal(socket.isClosed, true);
});
