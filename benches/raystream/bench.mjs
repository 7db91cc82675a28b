// `cargo xtask bench raystream`: encrypted and plain calls side by side, through the same workerd. See benches/README.md.
//
//   bench.mjs KONTRACT [SECONDS]      the program, and how long each line is measured
//
// A request that reads may be sent again as it is, so the load is recorded once and costs the sender nothing: what is measured is
// the server. CPU is that of the workerd process, from /proc.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '../..');
const [program, seconds = '5'] = process.argv.slice(2);
const TEXT = 'x'.repeat(64);
const TICKS_PER_SECOND = 100;

const work = mkdtempSync(join(ROOT, 'target/bench-raystream-'));
const started = [];
try {
  await main();
} finally {
  for (const child of started) {
    child.kill();
    await new Promise((resolve) => (child.exitCode === null ? child.on('exit', resolve) : resolve()));
  }
  rmSync(work, { recursive: true, force: true });
}

async function main() {
  const raystream = await bundled();
  const encrypted = await serveKontract();
  const plain = await servePlain();
  const { handshake, call } = await recorded(raystream, encrypted);
  const loads = [
    ['plain bytes', { ...plain, path: '/bytes', body: Buffer.from(TEXT) }],
    ['plain JSON', { ...plain, path: '/rpc/echo', body: Buffer.from(JSON.stringify([TEXT])) }],
    ['encrypted, resumed', { ...encrypted, path: '/raystream', body: call }],
    ['full handshake, suite 2', { ...encrypted, path: '/raystream', body: handshake }],
  ];
  console.log('| request | connections | CPU µs | requests/s | bytes up | bytes down |\n|---|---|---|---|---|---|');
  for (const [name, load] of loads) {
    for (const connections of [1, 64]) {
      await hammer(load, connections, 0.5);
      const { cpu, count, down, elapsed } = await hammer(load, connections, Number(seconds));
      const cells = [name, connections, Math.round((cpu / count) * 1e6), Math.round(count / elapsed), load.body.length, down];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
  await sizes();
}

/** The TypeScript client's sources, which are not what the package exports. */
async function bundled() {
  const outfile = join(work, 'raystream.mjs');
  const contents = "export * from './handshake.js'; export * from './frame.js'; export { platformEntropy } from './crypto.js';";
  const resolveDir = join(ROOT, 'npm/kontract/src/raystream');
  await build({ stdin: { contents, resolveDir }, bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'error' });
  return import(pathToFileURL(outfile));
}

async function serveKontract() {
  const app = join(work, 'app');
  cpSync(join(HERE, 'app'), app, { recursive: true });
  const child = spawn(program, ['dev', '--json', '--once', '--port', '0', '--project', app], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.event === 'ready') return { app, url: event.url, pid: workerdBelow(child.pid) };
  }
  throw new Error('kontract dev did not start');
}

async function servePlain() {
  const config = join(work, 'plain.capnp');
  cpSync(join(HERE, 'plain.js'), join(work, 'plain.js'));
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "plain", worker = (modules = [(name = "plain.js", esModule = embed "plain.js")], compatibilityDate = "2026-01-01"))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "plain")],
);`,
  );
  const child = spawn(join(ROOT, 'node_modules/.bin/workerd'), ['serve', config, '--control-fd=1'], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.event === 'listen') return { url: `http://127.0.0.1:${event.port}`, pid: workerdBelow(child.pid) };
  }
  throw new Error('workerd did not start');
}

/** The workerd process that is `pid` or below it. */
function workerdBelow(pid) {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [{ pid: Number(name), parent: Number(parent), isWorkerd: stat.includes('(workerd)') }];
    } catch {
      return [];
    }
  });
  const isBelow = (process) => process !== undefined && (process.pid === pid || isBelow(processes.find((other) => other.pid === process.parent)));
  return processes.find((process) => process.isWorkerd && isBelow(process))?.pid ?? assert.fail('no workerd');
}

/** A full handshake and a resumed call of `echo`, as bytes to send as often as one likes. */
async function recorded({ startFull, startResume, ticketOf, frames, FrameType, platformEntropy }, { app, url }) {
  const identity = JSON.parse(readFileSync(join(app, '.kontract/server/identity.json'), 'utf8'));
  const bytes = (numbers) => Uint8Array.from(numbers);
  const client = readFileSync(join(app, '.kontract/client/kontract.js'), 'utf8');
  const [x25519, mlKem] = ['x25519', 'mlkem'].map((name) => Buffer.from(new RegExp(`${name}: "([\\w-]+)"`).exec(client)[1], 'base64url'));
  const pinned = { suite: identity.suite, buildId: bytes(identity.buildId), routeHash: bytes(identity.routeHash) };
  const full = await startFull(pinned, { x25519: Uint8Array.from(x25519), mlKem: Uint8Array.from(mlKem) }, platformEntropy);
  const [response, ticket] = frames(await posted(url, full.init));
  const established = await full.finish(response);
  const resumption = ticketOf(await established.session.open(ticket), established);
  const exchange = async (payload) => {
    const resume = await startResume(resumption, platformEntropy);
    const body = Buffer.concat([resume.init, await resume.seal(FrameType.RpcCall, 1, payload)]);
    const [first, ...rest] = frames(await posted(url, body));
    const { session } = await resume.finish(first);
    return { body, answer: await session.open(rest.at(-1)) };
  };
  const tokens = await exchange(envelope('kontract.auth.anonymous', '', Buffer.from('{}')));
  const { accessToken } = JSON.parse(Buffer.from(tokens.answer.payload).toString());
  const call = await exchange(envelope('echo', accessToken, request1(TEXT)));
  assert.equal(call.answer.type, FrameType.RpcResponse, Buffer.from(call.answer.payload).toString());
  assert.ok(Buffer.from(call.answer.payload).includes(TEXT));
  return { handshake: Buffer.from(full.init), call: call.body };
}

/** As docs/wire.md has it; the call only reads and needs no idempotency key. */
function envelope(name, token, payload) {
  const route = createHash('sha256').update(`kontract route\0${name}`).digest().subarray(0, 4);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(token.length);
  return Buffer.concat([route, length, Buffer.from(token), Buffer.alloc(16), payload]);
}

/** A FlatBuffer: a table whose one slot is a text. */
function request1(text) {
  const head = Buffer.alloc(24);
  [[0, 12], [12, 8], [16, 4], [20, text.length]].forEach(([at, value]) => head.writeUInt32LE(value, at));
  [[4, 6], [6, 8], [8, 4]].forEach(([at, value]) => head.writeUInt16LE(value, at));
  return Buffer.concat([head, Buffer.from(text), Buffer.alloc(4 - (text.length % 4))]);
}

function posted(url, body) {
  return send({ url, path: '/raystream', body }, undefined).then((answer) => Uint8Array.from(answer));
}

function send({ url, path, body }, agent) {
  return new Promise((resolve, reject) => {
    const outgoing = request(url + path, { method: 'POST', agent, headers: { 'content-length': body.length } }, (incoming) => {
      const parts = [];
      incoming.on('data', (part) => parts.push(part));
      incoming.on('error', reject);
      incoming.on('end', () => (incoming.statusCode === 200 ? resolve(Buffer.concat(parts)) : reject(new Error(`HTTP ${incoming.statusCode}`))));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Sends one body over and over for so many seconds. */
async function hammer(load, connections, duration) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const [start, cpu] = [performance.now(), cpuSeconds(load.pid)];
  const end = start + duration * 1000;
  let [count, down] = [0, 0];
  const connection = async () => {
    while (performance.now() < end) {
      down = (await send(load, agent)).length;
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, connection));
  agent.destroy();
  return { count, down, cpu: cpuSeconds(load.pid) - cpu, elapsed: (performance.now() - start) / 1000 };
}

/** User and system time of a process with all its threads. */
function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** What a page downloads: the generated client's runtime, and the same without what raystream needs. */
async function sizes() {
  const contents = "import { createClient } from './client/index.ts'; globalThis.client = createClient(globalThis.pins);";
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: join(ROOT, 'npm/kontract/src') },
    bundle: true, splitting: true, minify: true, format: 'esm', outdir: 'out', write: false, metafile: true, logLevel: 'error',
  });
  // The packages for browsers that lack an algorithm, and what a socket needs, are files of their own.
  const isLoaded = (path) => path.endsWith('stdin.js');
  const loaded = outputFiles.filter(({ path }) => isLoaded(path));
  const brotli = loaded.reduce((sum, { contents: bytes }) => sum + brotliCompressSync(bytes).length, 0);
  const parts = Object.entries(metafile.outputs).filter(([path]) => isLoaded(path)).flatMap(([, { inputs }]) => Object.entries(inputs));
  const all = parts.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0);
  const isProtocol = (path) => path.includes('/raystream/') || path.includes('@noble/');
  const rest = parts.filter(([path]) => !isProtocol(path)).reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0);
  console.log(`\nclient: ${brotli} bytes brotli, ${all} minified; without raystream ${rest} minified`);
}
