import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Turn, isContested } from './turns.js';

test('calls that met over a row go on in the order in which they came', async () => {
  const order: number[] = [];
  const turns = [1, 2, 3].map(() => new Turn());
  await Promise.all(
    turns.map(async (turn, number) => {
      assert.equal(await turn.come('tbl_a/k'), number > 0, 'whether it waited');
      assert.equal(isContested('tbl_a/k'), true);
      order.push(number);
      await new Promise((resolve) => setTimeout(resolve, 5 * (3 - number)));
      order.push(number);
      turn.leave();
      turn.leave();
    }),
  );
  assert.deepEqual(order, [0, 0, 1, 1, 2, 2]);
  assert.equal(isContested('tbl_a/k'), false);
});

test('a call stands in one line at a time', async () => {
  const [first, second] = [new Turn(), new Turn()];
  await first.come('tbl_a/k');
  await second.come('tbl_a/l');
  await first.come('tbl_b');
  assert.equal(first.what, 'tbl_b');
  assert.equal(await second.come('tbl_a/k'), false, 'the first has left that line');
  first.leave();
  second.leave();
});

test('the next one goes on as soon as the one before has left, wherever that stood', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [first, gone, last] = [new Turn(), new Turn(), new Turn()];
  await first.come('tbl_a/k');
  void gone.come('tbl_a/k');
  let came = false;
  const coming = last.come('tbl_a/k').then(() => (came = true));
  gone.leave();
  await Promise.resolve();
  assert.equal(came, false);
  first.leave();
  await coming;
  assert.equal(came, true);
  last.leave();
  assert.equal(isContested('tbl_a/k'), false);
});

test('other rows do not wait, and nobody waits for ever', async (t) => {
  const [first, other, second] = [new Turn(), new Turn(), new Turn()];
  await first.come('tbl_a/k');
  await other.come('tbl_a/l');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let came = false;
  void second.come('tbl_a/k').then(() => (came = true));
  for (let look = 0; look < 500; look++) {
    assert.equal(came, false);
    t.mock.timers.tick(1);
    await Promise.resolve();
    await Promise.resolve();
  }
  await Promise.resolve();
  assert.equal(came, true);
  for (const turn of [first, other, second, new Turn()]) turn.leave();
});
