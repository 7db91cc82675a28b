import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';

import { Collector } from './collector.js';

const FULL = '[{"rows":[["1000","true"]]}]';
const LAST = '[{"rows":[["7","false"]]}]';
const REFUSED = '[{"sqlstate":"42501","message":"no","detail":null}]';

/** A collector whose steps come to `results`, one after the other. */
function world(t: TestContext, ...results: string[]): { collector: Collector; steps: () => number } {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  let steps = 0;
  const collector = new Collector(async () => {
    steps += 1;
    const result = results.shift();
    if (result === undefined) throw new Error('the connection was lost');
    return result;
  });
  return { collector, steps: () => steps };
}

test('a clock that is set back does not put the next collection off', async (t) => {
  const { collector, steps } = world(t, LAST, LAST);
  await collector.collect();
  t.mock.timers.setTime(500_000);
  await collector.collect();
  assert.equal(steps(), 2);
});

test('steps follow one another while there is more, and then not for ten seconds', async (t) => {
  const { collector, steps } = world(t, FULL, FULL, LAST, LAST);
  await collector.collect();
  assert.equal(steps(), 3);
  t.mock.timers.tick(9_999);
  await collector.collect();
  assert.equal(steps(), 3);
  t.mock.timers.tick(1);
  await collector.collect();
  assert.equal(steps(), 4);
});

test('one collection runs at a time', async (t) => {
  const { collector, steps } = world(t, FULL, LAST, LAST);
  await Promise.all([collector.collect(), collector.collect()]);
  assert.equal(steps(), 2);
});

test('a lost connection or a refusal ends a collection and is nobody else\'s business', async (t) => {
  const { collector, steps } = world(t, REFUSED);
  await collector.collect();
  assert.equal(steps(), 1);
  t.mock.timers.tick(10_000);
  await collector.collect();
  assert.equal(steps(), 2);
});
