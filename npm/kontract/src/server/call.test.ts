// Calls whose connection to the database is lost, with a core and a database that a test scripts.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';

import { type Batch, Handles, fakeCall, fakePeer, fakeRuntime, fakeTransaction } from '../testing/runtime.js';
import { run } from './call.js';
import { env } from './context.js';
import type { Outcome } from './outcome.js';
import type { Step, Transaction } from './platform.js';
import type { Runtime } from './runtime.js';

/** What the database answers, inside a result, when it is shut down while a statement runs. */
const SHUT_DOWN = 'shut down';

interface World {
  /** Statements in the order in which they reached the database, each with the number of its transaction. */
  readonly batches: string[];
  readonly runs: number;
  call(): Promise<string>;
}

interface Options {
  happened?: boolean;
  swallows?: boolean;
  /** Lost batches have an answer that says so. */
  inBand?: boolean;
  /** The pause before each further attempt; without it there is none. */
  pauses?: number;
}

function checked(results: string): string {
  if (results === SHUT_DOWN) throw new Error('UNAVAILABLE: the database is not available; try again');
  return results;
}

/** An endpoint that reads a row and commits, on a database that loses the batches for which `isLost` is true. */
function world(t: TestContext, isLost: (batch: string) => boolean, options: Options = {}): World {
  t.mock.method(console, 'error', () => undefined);
  const handles = new Handles();
  const batches: string[] = [];
  let runs = 0;
  let transactions = 0;
  const batch: Batch = async (statements) => {
    batches.push(statements);
    if (isLost(statements) && options.inBand === true) return SHUT_DOWN;
    if (isLost(statements)) throw new Error('the database closed the connection');
    return 'null';
  };
  const begin = (): Transaction => {
    transactions += 1;
    const number = transactions;
    const step = (ready: string | undefined): Step => ({ ready, request: 1, statements: `read ${number}`, free: () => undefined });
    return fakeTransaction(handles, {
      get: () => step(undefined),
      answer: (_request, results) => step(checked(results)),
      committed: (results) => void checked(results),
      commit: () => `commit ${number}`,
      resolve: () => `resolve ${number}`,
      resolved: (results) => checked(results) === 'null' && (options.happened ?? false),
    });
  };
  const endpoint = async (): Promise<string> => {
    runs += 1;
    const read = env.storage['rows']?.get('key');
    await (options.swallows === true ? read?.catch(() => undefined) : read);
    return `run ${runs}`;
  };
  const runtime = fakeRuntime({ endpoint }, batch);
  runtime.build.gateway.backoffMs = () => options.pauses;
  runtime.build.tables['rows'] = { ptr: 'tbl_rows', key: 'id', readonly: [], row: { entity: 'Row', types: {} } };
  return {
    batches,
    get runs() {
      return runs;
    },
    async call() {
      const outcome = await run(runtime, fakeCall(handles, 'endpoint', begin), fakePeer());
      assert.equal(handles.open.size, 0);
      return described(outcome);
    },
  };
}

function described(outcome: Outcome): string {
  if ('result' in outcome) return new TextDecoder().decode(outcome.result);
  return `${outcome.status} ${outcome.code}`;
}

test('a connection that is lost before the commit costs one more run, in a new transaction', async (t) => {
  const { batches, call } = world(t, (batch) => batch === 'read 1');
  assert.equal(await call(), 'run 2');
  assert.deepEqual(batches, ['read 1', 'read 2', 'commit 2']);
});

test('a handler that makes nothing of the loss runs again all the same', async (t) => {
  const { batches, call } = world(t, (batch) => batch === 'read 1' || batch === 'commit 1', { swallows: true });
  assert.equal(await call(), 'run 2');
  assert.equal(batches.at(-1), 'commit 2');
});

test('a shutdown that the database tells of is a loss like any other', async (t) => {
  const read = world(t, (batch) => batch === 'read 1', { inBand: true });
  assert.equal(await read.call(), 'run 2');
  const commit = world(t, (batch) => batch === 'commit 1', { inBand: true });
  assert.equal(await commit.call(), 'run 2');
  assert.deepEqual(commit.batches, ['read 1', 'commit 1', 'resolve 1', 'read 2', 'commit 2']);
  const all = world(t, (batch) => !batch.startsWith('read'), { inBand: true });
  assert.equal(await all.call(), '503 UNAVAILABLE');
  assert.equal(all.runs, 1);
});

test('the second loss is the answer', async (t) => {
  const { batches, call } = world(t, (batch) => batch.startsWith('read'));
  assert.equal(await call(), '503 UNAVAILABLE');
  assert.deepEqual(batches, ['read 1', 'read 2']);
});

test('a lost commit that happened is not done again', async (t) => {
  const { batches, call } = world(t, (batch) => batch === 'commit 1', { happened: true });
  assert.equal(await call(), 'run 1');
  assert.deepEqual(batches, ['read 1', 'commit 1', 'resolve 1']);
});

test('a lost commit that did not happen is run again, once', async (t) => {
  const once = world(t, (batch) => batch === 'commit 1');
  assert.equal(await once.call(), 'run 2');
  assert.deepEqual(once.batches, ['read 1', 'commit 1', 'resolve 1', 'read 2', 'commit 2']);
  const twice = world(t, (batch) => batch.startsWith('commit'));
  assert.equal(await twice.call(), '503 UNAVAILABLE');
  assert.equal(twice.runs, 2);
});

test('a lost commit of which nothing can be learnt is left to the ledger', async (t) => {
  const { batches, call } = world(t, (batch) => !batch.startsWith('read'));
  assert.equal(await call(), '503 UNAVAILABLE');
  assert.deepEqual(batches, ['read 1', 'commit 1', 'resolve 1', 'resolve 1']);
});

test('a database that comes back in time fails no call', async (t) => {
  const read: World = world(t, () => read.batches.length <= 9, { pauses: 0 });
  assert.equal(await read.call(), 'run 10');
  const commit: World = world(t, (batch) => !batch.startsWith('read') && commit.batches.length <= 9, { pauses: 0, happened: true });
  assert.equal(await commit.call(), 'run 1');
  assert.deepEqual(commit.batches, ['read 1', 'commit 1', ...Array<string>(8).fill('resolve 1')]);
  const gone: World = world(t, () => true, { pauses: 0 });
  assert.equal(await gone.call(), '503 UNAVAILABLE');
  assert.equal(gone.batches.length, 15);
});

test('reads that are started together travel together, each with its own results', async (t) => {
  t.mock.method(console, 'error', () => undefined);
  const handles = new Handles();
  const batches: string[] = [];
  const begin = (): Transaction => {
    let requests = 0;
    return fakeTransaction(handles, {
      get: (_table, key) => {
        requests += 1;
        // The first brings a statement more, as `begin`.
        const statements = JSON.stringify(requests === 1 ? ['begin', key] : [key]);
        return { ready: undefined, request: requests, statements, free: () => undefined };
      },
      answer: (_request, results) => ({ ready: JSON.stringify({ got: JSON.parse(results) as unknown }), request: 0, statements: '', free: () => undefined }),
    });
  };
  const endpoint = async (): Promise<string> => {
    const rows = env.storage['rows'];
    const together = await Promise.all(['a', 'b', 'c'].map((key) => rows?.get(key)));
    const alone = await rows?.get('d');
    return JSON.stringify([...together, alone].map((row) => row?.['got']));
  };
  const runtime = fakeRuntime({ endpoint }, async (statements) => {
    batches.push(statements);
    return JSON.stringify((JSON.parse(statements) as string[]).map((statement) => `row ${statement}`));
  });
  runtime.build.tables['rows'] = { ptr: 'tbl_rows', key: 'id', readonly: [], row: { entity: 'Row', types: {} } };
  const outcome = await run(runtime, fakeCall(handles, 'endpoint', begin), fakePeer());
  assert.equal(described(outcome), '[["row begin","row a"],["row b"],["row c"],["row d"]]');
  assert.deepEqual(batches, ['["begin","a","b","c"]', '["d"]']);
});

test('a read that was too much beside the others is sent again by itself', async () => {
  const handles = new Handles();
  const batches: string[] = [];
  const begin = (): Transaction =>
    fakeTransaction(handles, {
      get: (_table, key) => ({ ready: undefined, request: 1, statements: JSON.stringify([key]), free: () => undefined }),
      answer: (_request, results) => ({ ready: JSON.stringify({ got: JSON.parse(results) as unknown }), request: 0, statements: '', free: () => undefined }),
    });
  const endpoint = async (): Promise<string> => {
    const together = await Promise.all(['a', 'b', 'c'].map((key) => env.storage['rows']?.get(key)));
    return JSON.stringify(together.map((row) => row?.['got']));
  };
  const runtime = fakeRuntime({ endpoint }, async (statements) => {
    batches.push(statements);
    const keys = JSON.parse(statements) as string[];
    return JSON.stringify(keys.map((key) => (key === 'b' && keys.length > 1 ? { sqlstate: 'KT413' } : `row ${key}`)));
  });
  runtime.build.tables['rows'] = { ptr: 'tbl_rows', key: 'id', readonly: [], row: { entity: 'Row', types: {} } };
  assert.equal(described(await run(runtime, fakeCall(handles, 'endpoint', begin), fakePeer())), '[["row a"],["row b"],["row c"]]');
  assert.deepEqual(batches, ['["a","b","c"]', '["b"]']);
});

test('an iteration whose page is too large takes smaller ones, and a read is not run again', async () => {
  const handles = new Handles();
  const pages: number[] = [];
  const begin = (): Transaction => {
    let limit = 0;
    const asked = (statements: string): Step => ({ ready: undefined, request: 1, statements, free: () => undefined });
    return fakeTransaction(handles, {
      page: (_table, _cursor, wanted) => {
        pages.push((limit = wanted));
        return asked('page');
      },
      list: () => asked('list'),
      answer: (_request, results) => {
        if (results === 'list' || limit > 20) throw new Error('RESULT_TOO_LARGE: a read has at most 15 MiB at once');
        return { ready: JSON.stringify({ rows: [{ id: 'a' }], next: null }), request: 0, statements: '', free: () => undefined };
      },
    });
  };
  let runs = 0;
  const endpoints = {
    walk: async () => {
      const seen: unknown[] = [];
      for await (const row of env.storage['rows'] ?? []) seen.push(row);
      return JSON.stringify(seen);
    },
    list: async () => {
      runs += 1;
      return JSON.stringify(await env.storage['rows']?.list());
    },
  };
  const runtime = fakeRuntime(endpoints, async (statements) => statements);
  runtime.build.tables['rows'] = { ptr: 'tbl_rows', key: 'id', readonly: [], row: { entity: 'Row', types: {} } };
  assert.equal(described(await run(runtime, fakeCall(handles, 'walk', begin), fakePeer())), '[{"id":"a"}]');
  assert.deepEqual(pages, [200, 50, 13]);
  assert.equal(described(await run(runtime, fakeCall(handles, 'list', begin), fakePeer())), '400 INVALID_REQUEST');
  assert.equal(runs, 1);
});

test('a transaction inside of an inner one is part of it', async () => {
  const handles = new Handles();
  const batches: string[] = [];
  let begun = 0;
  const begin = (): Transaction => {
    const number = begun++;
    const done: Step = { ready: 'null', request: 0, statements: '', free: () => undefined };
    return fakeTransaction(handles, { set: () => done, commit: () => (number === 0 ? undefined : `commit ${number}`), committed: () => undefined });
  };
  // As the generated types have it.
  type Storage = { transaction(body: () => Promise<string>): Promise<string> };
  const transaction = (body: () => Promise<string>): Promise<string> => (env.storage as unknown as Storage).transaction(body);
  const endpoint = (): Promise<string> =>
    transaction(() =>
      transaction(async () => {
        await env.storage['rows']?.set({ id: 'a' });
        return 'inside';
      }),
    );
  const runtime = fakeRuntime({ endpoint }, async (statements) => {
    batches.push(statements);
    return 'done';
  });
  runtime.build.tables['rows'] = { ptr: 'tbl_rows', key: 'id', readonly: [], row: { entity: 'Row', types: {} } };
  assert.equal(described(await run(runtime, fakeCall(handles, 'endpoint', begin), fakePeer())), 'inside');
  assert.deepEqual([begun, batches], [2, ['commit 1']]);
  assert.equal(handles.open.size, 0);
});

test('a first read goes alone, and what is started meanwhile waits for what it says', async () => {
  const handles = new Handles();
  const batches: string[] = [];
  let isLooking = false;
  const begin = (): Transaction => {
    let requests = 0;
    const ready = (value: unknown): Step => ({ ready: JSON.stringify(value), request: 0, statements: '', free: () => undefined });
    return fakeTransaction(handles, {
      get: (_table, key) => {
        assert.equal(isLooking, false);
        requests += 1;
        return { ready: undefined, request: requests, statements: JSON.stringify(['begin', key]), free: () => undefined };
      },
      set: () => {
        assert.equal(isLooking, false);
        return ready(null);
      },
      alone: (request) => {
        if (request !== 1) return undefined;
        isLooking = true;
        return '["look"]';
      },
      answer: (_request, results) => {
        isLooking = false;
        return ready({ got: JSON.parse(results) as unknown });
      },
      commit: () => '["commit"]',
    });
  };
  const endpoint = async (): Promise<string> => {
    const rows = env.storage['rows'];
    const first = rows?.get('a');
    await Promise.resolve().then(() => undefined);
    await Promise.resolve().then(() => undefined);
    const [, second] = await Promise.all([rows?.set({ id: 'x' }), rows?.get('b'), first]);
    return JSON.stringify(second);
  };
  const runtime = fakeRuntime({ endpoint }, async (statements) => {
    batches.push(statements);
    return statements;
  });
  runtime.build.tables['rows'] = { ptr: 'tbl_rows', key: 'id', readonly: [], row: { entity: 'Row', types: {} } };
  assert.equal(described(await run(runtime, fakeCall(handles, 'endpoint', begin), fakePeer())), '{"got":["begin","b"]}');
  assert.deepEqual(batches, ['["look"]', '["begin","b"]', '["commit"]']);
});

test('calls that met over a row read it one after the other, each behind the commit of the one before', async () => {
  const handles = new Handles();
  const batches: string[] = [];
  const connections: string[] = [];
  let stored = 0;
  const begin = (): Transaction => {
    let seen = 0;
    return fakeTransaction(handles, {
      get: () => ({ ready: undefined, request: 1, statements: 'read', free: () => undefined }),
      answer: (_request, results) => {
        seen = Number(results);
        return { ready: '{}', request: 0, statements: '', free: () => undefined };
      },
      commit: () => `commit ${seen}`,
      committed: (results) => {
        if (results === 'conflict') throw new Error('CONFLICT: conflict with another call');
        return undefined;
      },
      contested: 'tbl_rows/k',
    });
  };
  const endpoint = async (): Promise<string> => {
    await env.storage['rows']?.get('k');
    await new Promise((resolve) => setTimeout(resolve, 1));
    return 'done';
  };
  const runtime = fakeRuntime({ endpoint }, async (statements) => {
    batches.push(statements);
    if (statements === 'read') return String(stored);
    if (statements !== `commit ${stored}`) return 'conflict';
    stored += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    return 'committed';
  });
  const { database } = runtime;
  const noticing: Runtime = {
    ...runtime,
    database: () => (contested) => {
      connections.push(contested ?? 'any');
      return database()(contested);
    },
  };
  noticing.build.gateway.backoffMs = () => 0;
  noticing.build.tables['rows'] = { ptr: 'tbl_rows', key: 'id', readonly: [], row: { entity: 'Row', types: {} } };
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => run(noticing, fakeCall(handles, 'endpoint', begin), fakePeer())));
  assert.deepEqual(outcomes.map(described), Array<string>(8).fill('done'));
  const [anyOne, theOne] = [Array<string>(8).fill('any'), Array<string>(7).fill('tbl_rows/k')];
  assert.deepEqual(connections, [...anyOne, ...theOne], 'those that met use one connection');
  const commits = batches.filter((batch) => batch !== 'read');
  assert.equal(commits.length, 8 + 7, 'seven met the first, and nobody met anybody again');
});

test('a transaction begins when its call reaches for storage, not before it and not behind it', async () => {
  const handles = new Handles();
  let begun = 0;
  const begin = (): Transaction => {
    begun += 1;
    return fakeTransaction(handles);
  };
  let late: unknown;
  let later = Promise.resolve();
  const runtime = fakeRuntime({
    idle: () => 'nothing stored',
    leaves: async () => {
      later = new Promise((resolve) => setImmediate(resolve)).then(() => {
        try {
          void env.storage['rows'];
        } catch (error) {
          late = error;
        }
      });
      return 'left';
    },
    reaches: () => String(env.storage['rows']) + String(env.storage['rows']),
  });
  const call = async (name: string): Promise<string> => described(await run(runtime, fakeCall(handles, name, begin), fakePeer()));
  assert.deepEqual([await call('idle'), await call('leaves')], ['nothing stored', 'left']);
  await later;
  assert.match(String(late), /env\.storage is there until the endpoint has ended/);
  assert.equal(begun, 0);
  assert.equal(await call('reaches'), 'undefinedundefined');
  assert.deepEqual([begun, handles.open.size], [1, 0]);
});

test('a call that had to run again says so in the log', async (t) => {
  const lines: string[] = [];
  t.mock.method(console, 'warn', (line: string) => void lines.push(line));
  const quiet = world(t, () => false);
  assert.equal(await quiet.call(), 'run 1');
  assert.deepEqual(lines, []);
  const lost = world(t, (batch) => batch === 'read 1');
  assert.equal(await lost.call(), 'run 2');
  assert.equal(lines.length, 1);
  const [, facts = ''] = /^kontract: endpoint ran 2 times: (.*)$/u.exec(lines[0] ?? '') ?? [];
  const { ms, ...counted } = JSON.parse(facts) as Record<string, unknown>;
  assert.equal(typeof ms, 'number');
  assert.deepEqual(counted, { name: 'endpoint', status: 200, attempts: 2, conflicts: 0, lost: 1, pausedMs: 0, roundTrips: 3 });
});

test('a streamed mutation that was done before is a conflict: its items are not kept', async () => {
  const handles = new Handles();
  const runtime = fakeRuntime({
    async *items() {
      yield String(env.storage['rows']);
    },
  });
  for (const entry of Object.values(runtime.build.routes)) entry.stream = true;
  const begin = (done: boolean) => () =>
    fakeTransaction(handles, { commit: () => 'commit', committed: () => (done ? new Uint8Array() : undefined) });
  const peer = Object.assign(fakePeer(), { send: async () => undefined });
  const first = await run(runtime, fakeCall(handles, 'items', begin(false)), peer);
  assert.deepEqual(first, { result: new Uint8Array() });
  assert.equal(described(await run(runtime, fakeCall(handles, 'items', begin(true)), peer)), '409 ALREADY_APPLIED');
  assert.equal(handles.open.size, 0);
});
