// WebCrypto and the packages have to be the same to the protocol, wherever both are: in Node as far as it goes, and in workerd, which
// has every algorithm. `tests/js/cryptography.mjs` does the same in Chromium.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { build } from 'esbuild';
import { type Findings, compare } from '../testing/primitives.js';
import { expected } from '../testing/replay.js';
import { suites } from '../testing/vectors.js';

/** `webcrypto_modern_algorithms` has ChaCha20-Poly1305 and ML-KEM-768. Without Node's names the client takes it for a browser. */
const CONFIGURATION = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .main) ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "main") ] );
const main :Workerd.Worker = (
  modules = [ (name = "worker.js", esModule = embed "worker.js") ],
  compatibilityDate = "2026-06-01", compatibilityFlags = ["webcrypto_modern_algorithms"] );`;

test('in Node: what WebCrypto has does the same as the packages', async (t) => {
  const findings = await compare();
  t.diagnostic(JSON.stringify(findings));
  assert.deepEqual([findings.hash, findings.x25519], ['same', 'same']);
  // Node has these from version 24 on.
  const older = Number.parseInt(process.versions.node, 10) < 24 ? ['same', 'absent'] : ['same'];
  assert.ok(older.includes(findings.chacha), findings.chacha);
  assert.ok(older.includes(findings.mlKem), findings.mlKem);
});

test('in workerd: WebCrypto does all of it, the same as the packages, and says what the vectors say', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kontract-workerd-'));
  let workerd: ChildProcess | undefined;
  try {
    await build({
      entryPoints: ['src/testing/platform-worker.ts'],
      outfile: join(folder, 'worker.js'),
      bundle: true,
      format: 'esm',
      target: 'es2022',
      logLevel: 'error',
    });
    await writeFile(join(folder, 'config.capnp'), CONFIGURATION);
    const { default: path } = createRequire(import.meta.url)('workerd') as { default: string };
    workerd = spawn(path, ['serve', 'config.capnp', '--control-fd=3'], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    const port = await listening(workerd);
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON.stringify(suites) });
    const { findings, said } = (await response.json()) as { findings: Findings; said: string[][] };
    assert.deepEqual(findings, { hash: 'same', chacha: 'same', x25519: 'same', mlKem: 'same' });
    assert.deepEqual(said, suites.map(expected));
  } finally {
    workerd?.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
});

async function listening(workerd: ChildProcess): Promise<number> {
  for await (const line of createInterface({ input: workerd.stdio[3] as Readable })) {
    const { event, port } = JSON.parse(line) as { event: string; port?: number };
    if (event === 'listen' && port !== undefined) return port;
  }
  throw new Error('workerd did not start');
}
