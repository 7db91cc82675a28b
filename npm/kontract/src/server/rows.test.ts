import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Row, rowForm, type RowShape } from './rows.js';

const entry: RowShape = {
  entity: 'Entry',
  types: {
    Entry: {
      at: 'date',
      edits: ['array', ['object', 'Edit']],
      grid: ['array', ['array', 'date']],
      size: 'bigint',
      photo: ['object', 'Photo'],
    },
    Edit: { at: 'date', before: ['object', 'Edit'] },
    Photo: { data: 'bytes' },
  },
};

const kinds: RowShape = {
  entity: 'Kinds',
  types: {
    Kinds: {
      either: 'any',
      tags: ['set', null],
      days: ['set', 'date'],
      index: ['map', 'bigint', ['set', 'bytes']],
      byDay: ['record', 'date'],
      pair: ['tuple', [null, 'date'], null],
      run: ['tuple', [null, 'date', 'bytes'], 1],
      gaps: ['array', ['maybe', 'date', false]],
      holes: ['array', ['maybe', null, true]],
      maybeSet: ['set', null],
    },
  },
};

function stored(shape: RowShape, row: Row): unknown {
  return JSON.parse(rowForm('entries', shape).json(row));
}

function back(shape: RowShape, row: Row): Row {
  return rowForm('entries', shape).revive(stored(shape, row) as Row);
}

test('what JSON has no form for comes back as it was', () => {
  const row = {
    at: new Date(1_800_000_000_123),
    edits: [{ at: new Date(0), by: 'Ada', before: { at: new Date(7), by: 'Bob' } }],
    grid: [[new Date(1)], [new Date(2), new Date(3)]],
    size: -(2n ** 63n),
    photo: { data: new Uint8Array([0, 127, 128, 255]) },
    name: '2027-01-15T08:00:00.123Z',
  };
  assert.deepEqual(back(entry, row), row);
});

test('what nobody reads is written, and not brought back', () => {
  const { json, revive } = rowForm('entries', entry, ['name', 'size']);
  const text = json({ name: 'Ada', size: 5n, at: new Date(0) });
  assert.deepEqual(JSON.parse(text), { name: 'Ada', size: '5', at: '1970-01-01T00:00:00.000Z' });
  assert.deepEqual(revive(JSON.parse(text) as Row), { at: new Date(0) });
});

test('rows that other types of the same names wrote are read', () => {
  const json = { at: '2027-01-15T08:00:00.123Z', edits: [{ at: '1970-01-01T00:00:00.000Z', by: 'Ada' }], size: '5', photo: { data: 'AA==' } };
  assert.deepEqual(stored(entry, { at: new Date('2027-01-15T08:00:00.123Z'), edits: [{ at: new Date(0), by: 'Ada' }], size: 5n, photo: { data: new Uint8Array(1) } }), json);
});

test('every kind of value comes back as it was', () => {
  const when = new Date(1_800_000_000_123);
  const bytes = new Uint8Array([1, 2]);
  const row = {
    tags: new Set(['b', 'a']),
    days: new Set([when]),
    index: new Map([[2n ** 64n - 1n, new Set([bytes])]]),
    byDay: { a: when },
    pair: ['a', when],
    run: [1, when, when, bytes],
    gaps: [when, undefined],
    holes: [null, undefined, 'a'],
    maybeSet: null,
  };
  assert.deepStrictEqual(back(kinds, row), row);
  assert.deepStrictEqual(stored(kinds, row), {
    tags: ['b', 'a'],
    days: ['2027-01-15T08:00:00.123Z'],
    index: [['18446744073709551615', ['AQI=']]],
    byDay: { a: '2027-01-15T08:00:00.123Z' },
    pair: ['a', '2027-01-15T08:00:00.123Z'],
    run: [1, '2027-01-15T08:00:00.123Z', '2027-01-15T08:00:00.123Z', 'AQI='],
    gaps: ['2027-01-15T08:00:00.123Z', null],
    holes: [null, { $undefined: true }, 'a'],
    maybeSet: null,
  });
});

test('values of unions and without a type come back as they were', () => {
  const when = new Date(5);
  const values = [
    when, 5n, new Uint8Array([1]), 'text', '5', 0, -0, NaN, -Infinity, null, true, [], {}, new Map(), new Set(),
    { kind: 'a', at: when, deep: [{ size: 5n }, undefined] }, { $date: 'not a date' }, { $a: 1, b: when }, { $object: {} },
    new Map<unknown, unknown>([[{ id: 1n }, new Set([when])], [undefined, new Uint8Array()]]), JSON.parse('{ "__proto__": { "a": 1 } }'),
  ];
  for (const either of values) {
    assert.deepStrictEqual(back(kinds, { either }), { either });
  }
  assert.deepEqual(stored(kinds, { either: { kind: 'a', n: 1 } }), { either: { kind: 'a', n: 1 } });
});

test('absent and null values stay absent and null', () => {
  const row = { at: null, edits: [], photo: null };
  assert.deepEqual(back(entry, row), row);
  assert.deepEqual(Object.keys(back(kinds, {})), []);
});

test('what cannot be stored is refused by name', () => {
  const { json } = rowForm('entries', kinds);
  assert.throws(() => json({ likes: NaN }), /entries\.likes: NaN cannot be stored/u);
  assert.throws(() => json({ tags: ['a'] }), /entries\.tags: expected a Set/u);
  assert.throws(() => json({ index: {} }), /entries\.index: expected a Map/u);
  assert.throws(() => json({ either: () => 1 }), /entries\.either: a function cannot be stored/u);
  assert.throws(() => json({ either: new (class Money {})() }), /entries\.either: an instance of a class cannot be stored/u);
  const loop: unknown[] = [];
  loop.push(loop);
  assert.throws(() => json({ either: loop }), /entries\.either: nested deeper than 64/u);
});
