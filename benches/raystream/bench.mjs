// `cargo xtask bench raystream`: encrypted and plain calls side by side, through the same workerd. See benches/README.md.
//
//   bench.mjs KONTRACT PROTOCOL [SECONDS [NAME]]      the program, the folder of raystream alone as WebAssembly, how long each line
//                                                     is measured, and what the names of the lines to measure contain
//
// A request that reads may be sent again as it is, so the load is recorded once and costs the sender nothing; frames of a socket are
// sealed before the clock starts. What is measured is the server: CPU is that of the workerd process, from /proc. Every line is
// measured in rounds, each beside the plain one of its round: the median, and from the least to the most.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { PINS, SECRET } from './shared.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '../..');
const [program, protocol, seconds = '1', wanted = ''] = process.argv.slice(2);
const TEXT = 'x'.repeat(64);
const ROUNDS = 5;
const SOCKETS = 64;
const CALLS_PER_SOCKET = 100;

const work = mkdtempSync(join(ROOT, 'target/bench-raystream-'));
const started = [];
try {
  await main();
} finally {
  for (const child of started) {
    // Asked to end, workerd waits for the sockets that are open.
    child.kill('SIGKILL');
    await new Promise((resolve) => (child.exitCode === null && child.signalCode === null ? child.on('exit', resolve) : resolve()));
  }
  rmSync(work, { recursive: true, force: true });
}

async function main() {
  const raystream = await bundled();
  const encrypted = await serveKontract();
  const plain = await servePlain();
  const { handshake, early, call, sockets } = await recorded(raystream, encrypted);
  const alone = await recordedAlone(raystream, plain);
  const post = (server, path, body, headers) => (connections) => hammer({ ...server, path, body, headers }, connections);
  const loads = [
    ['plain bytes', post(plain, '/bytes', Buffer.from(TEXT))],
    ['plain JSON', post(plain, '/rpc/echo', Buffer.from(JSON.stringify([TEXT])))],
    ['plain call with a token', post(plain, '/rpc', Buffer.from(JSON.stringify({ endpoint: 'echo', args: [TEXT] })), bearer())],
    ['raystream alone, resumed', post(plain, '/protocol', alone)],
    ['encrypted, resumed', post(encrypted, '/raystream', call)],
    ['full handshake, suite 2', post(encrypted, '/raystream', handshake)],
    ['the same with a first call inside', post(encrypted, '/raystream', early)],
    ['plain WebSocket message', (connections) => chatter(plain, connections, () => Array(CALLS_PER_SOCKET).fill(Buffer.from(TEXT)))],
    ['encrypted call on a WebSocket', (connections) => chatter(encrypted, connections, sockets)],
  ];
  const cases = loads.filter(([name]) => name.includes(wanted)).flatMap(([name, run]) => [1, 64].map((connections) => ({ name, connections, run, rounds: [] })));
  for (const { run, connections } of cases) await run(connections);
  for (let round = 0; round < ROUNDS; round++) {
    for (const { run, connections, rounds } of cases) rounds.push(await run(connections));
  }
  console.log('| request | connections | CPU µs | requests/s | bytes up | bytes down |\n|---|---|---|---|---|---|');
  for (const { name, connections, rounds } of cases) {
    const cpu = spread(rounds.map(({ cpu, count }) => (cpu / count) * 1e6));
    const rate = spread(rounds.map(({ count, elapsed }) => count / elapsed));
    console.log(`| ${[name, connections, cpu, rate, rounds[0].up, rounds[0].down].join(' | ')} |`);
  }
  if (wanted === '') await sizes();
}

/** The median, and the least and the most. */
function spread(values) {
  const sorted = values.toSorted((a, b) => a - b).map(Math.round);
  return `${sorted[sorted.length >> 1]} (${sorted[0]} to ${sorted.at(-1)})`;
}

/** The TypeScript client's sources, which are not what the package exports. */
async function bundled() {
  const outfile = join(work, 'raystream.mjs');
  const contents = "export * from './handshake.js'; export * from './frame.js'; export * from './early.js'; export { platformEntropy } from './crypto.js';";
  const resolveDir = join(ROOT, 'npm/kontract/src/raystream');
  await build({ stdin: { contents, resolveDir }, bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'error' });
  return import(pathToFileURL(outfile));
}

/** What `kontract build` makes, as it is deployed: the development server's log of each call is not what is measured. */
async function serveKontract() {
  const app = join(work, 'app');
  cpSync(join(HERE, 'app'), app, { recursive: true });
  const secrets = Object.fromEntries(['KONTRACT_KEY', 'KONTRACT_BACKUP_KEY', 'KONTRACT_IDENTITY_KEY'].map((name) => [name, randomBytes(32).toString('base64url')]));
  writeFileSync(join(app, '.dev.vars'), Object.entries(secrets).map((pair) => `${pair.join('=')}\n`).join(''));
  const { status, stderr } = spawnSync(program, ['build', '--project', app], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  for (const folder of ['objects', 'assets']) mkdirSync(join(work, folder));
  const folders = ['objects', 'assets'].map((name) => `--directory-path=${name}=${join(work, name)}`);
  // The endpoint reaches for no database.
  const env = { ...process.env, ...secrets, DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:1/none' };
  return { app, ...(await serve(join(app, 'dist/server/workerd.capnp'), folders, env)) };
}

async function servePlain() {
  const config = join(work, 'plain.capnp');
  for (const name of ['plain.js', 'shared.js']) cpSync(join(HERE, name), join(work, name));
  cpSync(join(protocol, 'kontract_bench_protocol.js'), join(work, 'protocol.js'));
  cpSync(join(protocol, 'kontract_bench_protocol_bg.wasm'), join(work, 'protocol.wasm'));
  const modules = ['plain.js', 'shared.js', 'protocol.js'].map((name) => `(name = "${name}", esModule = embed "${name}")`);
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "plain", worker = (modules = [${modules}, (name = "protocol.wasm", wasm = embed "protocol.wasm")], compatibilityDate = "2026-01-01"))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "plain")],
);`,
  );
  return serve(config, [], process.env);
}

async function serve(config, options, env) {
  const child = spawn(join(ROOT, 'node_modules/.bin/workerd'), ['serve', config, '--control-fd=1', ...options], { stdio: ['ignore', 'pipe', 'inherit'], env });
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
async function recorded(raystream, { app, url }) {
  const { startFull, startResume, encodeEarly, FrameType, platformEntropy } = raystream;
  const identity = JSON.parse(readFileSync(join(app, '.kontract/server/identity.json'), 'utf8'));
  const bytes = (numbers) => Uint8Array.from(numbers);
  const client = readFileSync(join(app, '.kontract/client/kontract.js'), 'utf8');
  const [x25519, mlKem] = ['x25519', 'mlkem'].map((name) => Buffer.from(new RegExp(`${name}: "([\\w-]+)"`).exec(client)[1], 'base64url'));
  const pinned = { suite: identity.suite, buildId: bytes(identity.buildId), routeHash: bytes(identity.routeHash) };
  const key = { x25519: Uint8Array.from(x25519), mlKem: Uint8Array.from(mlKem) };
  const inside = [envelope('kontract.auth.anonymous', '', Buffer.from('{}')), envelope('echo', '', request1(TEXT))];
  const early = await startFull(pinned, key, platformEntropy, encodeEarly(inside.map((payload, place) => ({ sequence: place + 1, payload }))));
  const { full, resumption, exchange } = await shakenHands(raystream, `${url}/raystream`, pinned, key);
  const tokens = await exchange(envelope('kontract.auth.anonymous', '', Buffer.from('{}')));
  const { accessToken } = JSON.parse(Buffer.from(tokens.answer.payload).toString());
  const call = await exchange(envelope('echo', accessToken, request1(TEXT)));
  assert.equal(call.answer.type, FrameType.RpcResponse, Buffer.from(call.answer.payload).toString());
  assert.ok(Buffer.from(call.answer.payload).includes(TEXT));
  /** A session for a socket: its handshake, and calls that are sealed before anybody waits for them. */
  const sockets = async () => {
    const resume = await startResume(resumption, platformEntropy);
    const payload = envelope('echo', accessToken, request1(TEXT));
    const messages = [resume.init];
    for (let sequence = 1; sequence <= CALLS_PER_SOCKET; sequence++) messages.push(await resume.seal(FrameType.RpcCall, sequence, payload));
    return messages;
  };
  return { handshake: Buffer.from(full.init), early: Buffer.from(early.init), call: call.body, sockets };
}

/** The same by raystream alone: a frame with the text, and nothing around it. */
async function recordedAlone(raystream, { url }) {
  const key = Uint8Array.from(await send({ url, path: '/protocol/key', body: Buffer.alloc(0) }));
  const { exchange } = await shakenHands(raystream, `${url}/protocol`, PINS, { x25519: key.slice(0, 32), mlKem: key.slice(32) });
  const { body, answer } = await exchange(Buffer.from(TEXT));
  assert.equal(Buffer.from(answer.payload).toString(), TEXT);
  return body;
}

/** A session, and what exchanges a frame in resumes of it: the request's body, and the answer, opened. */
async function shakenHands({ startFull, startResume, ticketOf, frames, FrameType, platformEntropy }, url, pinned, key) {
  const full = await startFull(pinned, key, platformEntropy);
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
  return { full, resumption, exchange };
}

/** A token with the claims of kontract's, for the plain call (RFC 7519, HS256). */
function bearer() {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: 'bench', sub: `anon_${'0'.repeat(32)}`, iat: now, exp: now + 3600, groups: [], mask: 7 };
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return { authorization: `Bearer ${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}` };
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
  return send({ url, path: '', body }).then((answer) => Uint8Array.from(answer));
}

function send({ url, path, body, headers }, agent) {
  return new Promise((resolve, reject) => {
    const outgoing = request(url + path, { method: 'POST', agent, headers: { ...headers, 'content-length': body.length } }, (incoming) => {
      const parts = [];
      incoming.on('data', (part) => parts.push(part));
      incoming.on('error', reject);
      incoming.on('end', () => (incoming.statusCode === 200 ? resolve(Buffer.concat(parts)) : reject(new Error(`HTTP ${incoming.statusCode}`))));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Sends a socket's messages one after the other, each when the one before is answered, on so many sockets at once. */
async function chatter({ url, pid }, connections, messagesOf) {
  const count = connections === 1 ? 1 : SOCKETS;
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => ({ messages: await messagesOf(), socket: await dial(`${url.replace('http', 'ws')}/raystream`) })),
  );
  const isEncrypted = sockets[0].messages.length > CALLS_PER_SOCKET;
  if (isEncrypted) for (const { messages, socket } of sockets) await socket.ask(messages.shift());
  const [start, cpu] = [performance.now(), cpuSeconds(pid)];
  let down = 0;
  await Promise.all(sockets.map(async ({ messages, socket }) => {
    for (const message of messages) down = (await socket.ask(message)).byteLength;
  }));
  const result = { count: count * CALLS_PER_SOCKET, up: sockets[0].messages[0].length, down, cpu: cpuSeconds(pid) - cpu, elapsed: (performance.now() - start) / 1000 };
  for (const { socket } of sockets) socket.close();
  return result;
}

async function dial(address) {
  const socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  let [answered, failed] = [() => undefined, () => undefined];
  socket.addEventListener('message', ({ data }) => answered(data));
  socket.addEventListener('close', ({ code }) => failed(new Error(`closed ${code}`)));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', () => reject(new Error('no socket')));
  });
  const ask = (message) =>
    new Promise((resolve, reject) => {
      [answered, failed] = [resolve, reject];
      socket.send(message);
    });
  return { ask, close: () => socket.close() };
}

/** Sends one body over and over for so many seconds. */
async function hammer(load, connections) {
  const duration = Number(seconds);
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
  return { count, up: load.body.length, down, cpu: cpuSeconds(load.pid) - cpu, elapsed: (performance.now() - start) / 1000 };
}

/** Time on a processor of all threads of a process, which the scheduler counts in nanoseconds. */
function cpuSeconds(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]));
  return nanoseconds.reduce((sum, of) => sum + of, 0) / 1e9;
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
