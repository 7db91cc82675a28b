// Measures every peer in Node, in turns, so that a slow moment of the machine hits all of them alike. What is measured is the
// processor time of the process, garbage collection included, which other processes change less than the time that passes.
import assert from 'node:assert/strict';
import { messages, peers } from './codecs.js';
import { report } from './report.js';

/** To look at a few of them: `kontract,JSON`. */
const ONLY = process.env.KONTRACT_BENCH_PEERS?.split(',');
const ROUNDS = Number(process.env.KONTRACT_BENCH_ROUNDS ?? 15);
const SAMPLE_MS = 12;
const WARM_MS = 100;
let sink = 0;

for (const [name, value] of Object.entries(messages)) {
  const runs = [];
  for (const [peer, codecs] of Object.entries(peers).filter(([peer]) => ONLY === undefined || ONLY.includes(peer))) {
    const { encode, decode, equal } = codecs[name];
    const made = encode(value);
    const bytes = typeof made === 'string' ? made : Uint8Array.from(made);
    if (equal) assert.deepStrictEqual(JSON.parse(JSON.stringify(decode(bytes))), value, `${peer} gives back what it was given`);
    runs.push({ peer, op: 'encode', size: bytes.length, run: () => encode(value) });
    runs.push({ peer, op: 'decode', size: bytes.length, run: () => decode(bytes) });
    for (const op of ['sum', 'page']) {
      const part = codecs[name][op];
      if (part === undefined || name !== 'rows') continue;
      assert.deepStrictEqual(part(bytes), peers.JSON.rows[op](peers.JSON.rows.encode(value)), `${peer} reads the same`);
      runs.push({ peer, op, size: bytes.length, run: () => part(bytes) });
    }
  }
  for (const run of runs) {
    timed(run.run, 1);
    for (let spent = 0; spent < WARM_MS; ) spent += timed(run.run, 8);
    let count = 1;
    while (timed(run.run, count) < SAMPLE_MS) count *= 2;
    run.count = count;
    run.samples = [];
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of runs) run.samples.push((timed(run.run, run.count) * 1e6) / run.count);
  }
  report(`Node ${process.version}, ${name} (JSON ${JSON.stringify(value).length} characters)`, runs);
}
assert.ok(sink > 0);

function timed(run, count) {
  const began = process.cpuUsage();
  for (let i = 0; i < count; i++) if (run() !== undefined) sink++;
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000;
}
