import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ROTATION_MS, type TicketKeys, aged, nextLook, rotated } from './rotation.js';

const START = 1_800_000_000_000;
let made = 0;
const random = (): Uint8Array => new Uint8Array(32).fill((made += 1));

test('a key is current for an hour and previous for another one', () => {
  const first = rotated(undefined, START, random);
  assert.equal(first.previous, undefined);
  assert.equal(rotated(first, START + ROTATION_MS - 1, random), first);
  const second = rotated(first, START + ROTATION_MS, random);
  assert.equal(second.previous, first.current);
  assert.notDeepEqual(second.current, first.current);
  const third = rotated(second, second.since + ROTATION_MS, random);
  assert.deepEqual([third.previous, third.since], [second.current, second.since + ROTATION_MS]);
  assert.equal(rotated(third, third.since + 2 * ROTATION_MS, random).previous, undefined, 'it has lain unused');
});

test('where nobody calls, keys go at the same times', () => {
  let kept: TicketKeys | undefined = { current: random(), previous: random(), since: START };
  const looks: [minutes: number, keys: number][] = [];
  while (kept !== undefined) {
    const now = nextLook(kept);
    kept = aged(kept, now);
    looks.push([(now - START) / 60_000, kept === undefined ? 0 : kept.previous === undefined ? 1 : 2]);
  }
  assert.deepEqual(looks, [[60, 1], [120, 0]]);
  const early = { current: random(), previous: random(), since: START };
  assert.equal(aged(early, START + ROTATION_MS - 1), early, 'an alarm that comes early');
});
