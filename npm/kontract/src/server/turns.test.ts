import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Turn } from './turns.js';

test('calls of one endpoint go on in the order in which they met a conflict', async () => {
  const order: number[] = [];
  const turns = [1, 2, 3].map(() => new Turn(7));
  await Promise.all(
    turns.map(async (turn, number) => {
      assert.equal(await turn.come(), true);
      order.push(number);
      assert.equal(await turn.come(), false, 'it has waited');
      await new Promise((resolve) => setTimeout(resolve, 5 * (3 - number)));
      order.push(number);
      turn.leave();
    }),
  );
  assert.deepEqual(order, [0, 0, 1, 1, 2, 2]);
});

test('other endpoints do not wait, and nobody waits for ever', async (t) => {
  const [first, other, second] = [new Turn(1), new Turn(2), new Turn(1)];
  await first.come();
  await other.come();
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let came = false;
  void second.come().then(() => (came = true));
  for (let look = 0; look < 250; look++) {
    assert.equal(came, false);
    t.mock.timers.tick(2);
    await Promise.resolve();
    await Promise.resolve();
  }
  await Promise.resolve();
  assert.equal(came, true);
  for (const turn of [first, other, second, new Turn(1)]) turn.leave();
});
