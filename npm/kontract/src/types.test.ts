// What the types accept and refuse: `tsc` checks this file, the runner only the values.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Rpc } from './client/index.js';
import {
  ConflictError,
  ForbiddenError,
  HttpError,
  type Perm,
  PermissionError,
  backend,
  defineMiddleware,
  type float32,
  type float64,
  type int16,
  type int32,
  type int64,
  type int8,
  mwfilter,
  perms,
  takenField,
  type uint16,
  type uint32,
  type uint64,
  type uint8,
} from './index.js';
import { httpError } from './errors.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_proof: Same<A, B>): void {}

test('backend keeps parameters and gives a promise of the result', async () => {
  const sign = backend({ perm: perms.RW_, egroup: 'book' }, async (name: string, age?: int32) => ({ name, age }));
  same<typeof sign, (name: string, age?: number) => Promise<{ name: string; age: number | undefined }>>(true);
  const plain = backend({}, (n: number) => n + 1);
  same<Awaited<ReturnType<typeof plain>>, number>(true);
  // The compiler takes the wrapper away; uncompiled it is the function itself.
  assert.equal(await sign('a').then(({ name }) => name), 'a');
  const open = backend(async (n: number) => n);
  same<typeof open, (n: number) => Promise<number>>(true);
  assert.equal(await open(2), 2);
  class Book {
    @backend async bare(n: number) {
      return n;
    }
    @backend({ perm: perms.R__ }) static async called(n: number) {
      return n;
    }
  }
  assert.deepEqual([await new Book().bare(1), await Book.called(2)], [1, 2]);
  // @ts-expect-error: an option that does not exist
  backend({ group: 'admin' }, async () => 1);
  // @ts-expect-error: not a text
  const wrong = sign(1);
  await wrong;
});

test('backend marks methods, and nothing else', async () => {
  class Clock {
    @backend({ perm: perms.R__, name: 'time' })
    static async now(zone: string): Promise<string> {
      return zone;
    }

    // @ts-expect-error: an option that does not exist
    @backend({ perms: perms.R__ })
    async wrong(): Promise<void> {}

    // @ts-expect-error: a field is no method
    @backend({})
    field = 1;
  }
  same<typeof Clock.now, (zone: string) => Promise<string>>(true);
  assert.equal(await Clock.now('UTC'), 'UTC');
  // As `experimentalDecorators` calls it.
  assert.equal(backend({})(Clock, 'now', {}), undefined);
});

test('widths are numbers and bigints, and no others', () => {
  same<[int8, int16, int32, uint8, uint16, uint32, float32, float64], [number, number, number, number, number, number, number, number]>(true);
  same<[int64, uint64], [bigint, bigint]>(true);
  // @ts-expect-error: 64 bits need a bigint
  const wrong: int64 = 1;
  assert.equal(wrong, 1);
});

test('middleware is a function of context and next', async () => {
  const log = mwfilter({ egroup: 'book' }, async (ctx, next) => {
    same<typeof ctx.owner, string>(true);
    return next();
  });
  const [first] = defineMiddleware([log, (_ctx, next) => next()]);
  assert.equal(await first?.({ endpoint: 'sign', owner: 'anon_1', groups: [], perm: 7, requestId: 'r', signal: new AbortController().signal }, async () => 7), 7);
});

test('perms: every spelling is the sum of its letters', () => {
  const bits: Record<string, number> = { R: 4, W: 2, X: 1, _: 0 };
  const spellings = Object.entries(perms);
  assert.equal(spellings.length, 1 + 9 + 18 + 6);
  for (const [spelling, value] of spellings) {
    assert.equal([...spelling].reduce((sum, letter) => sum + (bits[letter] ?? NaN), 0), value, spelling);
  }
  const perm: Perm = perms.W_R;
  assert.equal(perm, perms.RW_);
  // @ts-expect-error: a letter twice is no spelling
  assert.equal(perms.RR_, undefined);
});

test('errors are one family', () => {
  const error = new PermissionError();
  assert.ok(error instanceof ForbiddenError && error instanceof HttpError && error instanceof Error);
  assert.deepEqual([error.status, error.code, error.name], [403, 'PERMISSION_DENIED', 'PermissionError']);
  const taken = httpError(409, 'NOT_UNIQUE', 'another row has this e-mail');
  assert.ok(taken instanceof ConflictError);
  assert.deepEqual([taken.status, taken.code, takenField(taken)], [409, 'NOT_UNIQUE', 'e-mail']);
  assert.equal(takenField(httpError(409, 'CONFLICT', 'another row has this e-mail')), undefined);
});

test('Rpc keeps names, optional and rest parameters', () => {
  type Sign = Rpc<[name: string, message?: string], { id: string }>;
  same<Parameters<Sign>, [name: string, message?: string]>(true);
  same<ReturnType<ReturnType<Sign['with']>>, Promise<{ id: string }>>(true);
  same<Parameters<Rpc<[...ids: string[]], void>>, string[]>(true);
});
