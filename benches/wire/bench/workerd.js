// Measures every peer in workerd, in turns. Its clock stands still while JavaScript runs, so that the processor time of its
// process is read from the outside (Linux).
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { messages, peers } from './codecs.js';
import { report } from './report.js';

/** To look at a few of them: `kontract,JSON`. */
const ONLY = process.env.KONTRACT_BENCH_PEERS?.split(',');
const ROUNDS = Number(process.env.KONTRACT_BENCH_ROUNDS ?? 15);
const SAMPLE_NS = 12e6;
const WARM_NS = 100e6;
const [workerd, folder] = process.argv.slice(2);

const child = spawn(workerd, ['serve', `${folder}/bench.capnp`, '--control-fd=3', '--socket-addr=http=127.0.0.1:0'], {
  stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
});
try {
  const port = await new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`workerd ended with ${code}`)));
    child.stdio[3].on('data', (data) => {
      for (const line of String(data).trim().split('\n')) {
        const event = JSON.parse(line);
        if (event.event === 'listen') resolve(event.port);
      }
    });
  });
  for (const [message, value] of Object.entries(messages)) {
    const runs = Object.entries(peers).filter(([peer]) => ONLY === undefined || ONLY.includes(peer)).flatMap(([peer, codecs]) =>
      ['encode', 'decode', 'sum', 'page']
        .filter((op) => op in codecs[message] && (message === 'rows' || op === 'encode' || op === 'decode'))
        .map((op) => ({ peer, message, op, samples: [] })),
    );
    for (const run of runs) {
      run.count = 1;
      for (let spent = 0; spent < WARM_NS; run.count *= 2) spent += await timed(port, run);
      run.count = Math.max(1, run.count >> 3);
      while ((await timed(port, run)) < SAMPLE_NS) run.count *= 2;
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const run of runs) run.samples.push((await timed(port, run)) / run.count);
    }
    report(`workerd, ${message} (JSON ${JSON.stringify(value).length} characters)`, runs);
  }
} finally {
  child.removeAllListeners('exit');
  child.kill('SIGKILL');
}

async function timed(port, run) {
  const { peer, message, op, count } = run;
  const empty = await spent(port, { peer, message, op, count: 0 });
  return Math.max(0, (await spent(port, { peer, message, op, count }, run)) - empty);
}

async function spent(port, body, run = {}) {
  const began = cpuNs();
  const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${body.peer} ${body.message} ${body.op}: ${await response.text()}`);
  run.size = (await response.json()).size;
  return cpuNs() - began;
}

/** On all threads of workerd: proc(5), schedstat. */
function cpuNs() {
  const tasks = fs.readdirSync(`/proc/${child.pid}/task`);
  return tasks.reduce((sum, task) => sum + Number(fs.readFileSync(`/proc/${child.pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]), 0);
}
