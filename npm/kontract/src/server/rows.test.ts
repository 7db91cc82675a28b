import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reviver, rowToJson } from './rows.js';

const shape = { dates: ['at', 'edits[].at', 'grid[][]'], bigints: ['size'], bytes: ['photo.data'] };

test('what JSON has no form for comes back as it was', () => {
  const row = {
    at: new Date(1_800_000_000_123),
    edits: [{ at: new Date(0), by: 'Ada' }],
    grid: [[new Date(1)], [new Date(2), new Date(3)]],
    size: -(2n ** 63n),
    photo: { data: new Uint8Array([0, 127, 128, 255]) },
    name: '2027-01-15T08:00:00.123Z',
  };
  assert.deepEqual(reviver(shape)(JSON.parse(rowToJson('entries', row))), row);
});

test('absent and null values stay absent and null', () => {
  const row = { at: null, edits: [], photo: null };
  assert.deepEqual(reviver(shape)(JSON.parse(rowToJson('entries', row))), row);
});

test('a number that JSON cannot hold is refused by name', () => {
  assert.throws(() => rowToJson('entries', { likes: NaN }), /entries\.likes: NaN cannot be stored/u);
});
