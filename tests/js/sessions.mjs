// The random sessions that `tests/py/sessions.py` recorded, once more with the TypeScript client against a Rust peer of its own:
// `sessions.mjs RECORD PEER`. With the same random bytes every byte that is sent and received has to be the same.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** The client's sources, which are not what the package exports. */
async function load() {
  const folder = mkdtempSync(join(tmpdir(), 'kontract-sessions-'));
  const outfile = join(folder, 'raystream.mjs');
  const source = fileURLToPath(new URL('../../npm/kontract/src/raystream/', import.meta.url));
  const contents = `export * from './handshake.js'; export * from './frame.js'; export { unpad } from './padding.js'; export { encodeEarly } from './early.js';`;
  await build({ stdin: { contents, resolveDir: source }, bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'error' });
  try {
    return await import(pathToFileURL(outfile));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { FrameType, encodeEarly, frames, startFull, startResume, ticketOf } = await load();
const [record, program] = process.argv.slice(2);
const unhex = (text) => Uint8Array.from(Buffer.from(text, 'hex'));
const hex = (bytes) => Buffer.from(bytes).toString('hex');

class Peer {
  static async start(suite) {
    const peer = new Peer();
    peer.process = spawn(program, [String(suite)], { stdio: ['pipe', 'pipe', 'inherit'] });
    peer.lines = createInterface({ input: peer.process.stdout })[Symbol.asyncIterator]();
    const [x25519, mlKem, buildId, routeHash] = (await peer.lines.next()).value.split(' ').map(unhex);
    return Object.assign(peer, { identity: { suite, buildId, routeHash }, serverKey: { x25519, mlKem } });
  }

  async ask(command, bytes) {
    this.process.stdin.write(`${command} ${hex(bytes)}\n`);
    const [status, ...answers] = (await this.lines.next()).value.split(' ');
    assert.equal(status, 'ok', command);
    return answers.map(unhex);
  }
}

/** Random bytes that somebody else drew. */
function drawn(text) {
  let rest = unhex(text);
  return (length) => {
    const bytes = rest.slice(0, length);
    rest = rest.slice(length);
    return bytes;
  };
}

function payloadOf({ length, seed }) {
  return Uint8Array.from({ length }, (_, place) => (seed + 7 * place) & 0xff);
}

class Conversation {
  #peer;
  #session;
  #sequence = 0;
  #early = 0;
  #bytes = createHash('sha256');

  constructor(peer, session) {
    this.#peer = peer;
    this.#session = session;
  }

  /** How many frames were sealed. */
  async run() {
    let resumption = await this.#full();
    for (const step of this.#session.resumes) resumption = await this.#resume(resumption, step);
    if (this.#session.socket !== undefined) await this.#socket(resumption, this.#session.socket);
    assert.equal(this.#bytes.digest('hex'), this.#session.bytes);
    return this.#sequence - this.#early;
  }

  async #ask(command, bytes) {
    const answers = await this.#peer.ask(command, bytes);
    for (const part of [bytes, ...answers]) this.#bytes.update(part);
    return answers;
  }

  async #full() {
    const calls = this.#session.early.map((call) => ({ sequence: ++this.#sequence, payload: payloadOf(call) }));
    this.#early = calls.length;
    const full = await startFull(this.#peer.identity, this.#peer.serverKey, drawn(this.#session.entropy), encodeEarly(calls));
    const [response, ticket, ...answers] = frames((await this.#ask('post', full.init))[0]);
    const established = await full.finish(response);
    const resumption = ticketOf(await established.session.open(ticket), established);
    for (const { sequence, payload } of calls) {
      const opened = await established.session.open(answers.shift());
      assert.deepEqual([opened.sequence, hex(opened.payload)], [sequence, hex(payload)]);
    }
    return resumption;
  }

  async #resume(resumption, { entropy, calls }) {
    const resume = await startResume(resumption, drawn(entropy));
    const sealed = await Promise.all(calls.map((call) => resume.seal(FrameType.RpcCall, ++this.#sequence, payloadOf(call))));
    const [answer] = await this.#ask('post', Buffer.concat([resume.init, ...sealed]));
    const [response, ...rest] = frames(Uint8Array.from(answer));
    const established = await resume.finish(response);
    const opened = await Promise.all(rest.map((frame) => established.session.open(frame)));
    const answers = opened.filter(({ type }) => type === FrameType.RpcResponse).map(({ payload }) => hex(payload));
    assert.deepEqual(answers, calls.map((call) => hex(payloadOf(call))));
    const renewed = opened.find(({ type }) => type === FrameType.HandshakeResponse);
    return renewed === undefined ? resumption : ticketOf(renewed, established);
  }

  async #socket(resumption, { entropy, calls }) {
    const resume = await startResume(resumption, drawn(entropy));
    const [response] = await this.#ask('open', resume.init);
    const { session } = await resume.finish(response);
    for (const call of calls) {
      if (call.rekey) session.rekey();
      const [answer] = await this.#ask('frame', await session.seal(FrameType.RpcCall, ++this.#sequence, payloadOf(call)));
      const opened = await session.open(answer);
      assert.deepEqual([opened.sequence, hex(opened.payload)], [this.#sequence, hex(payloadOf(call))]);
    }
  }
}

const peers = { 1: await Peer.start(1), 2: await Peer.start(2) };
let sessions = 0;
let frameCount = 0;
for await (const line of createInterface({ input: createReadStream(record) })) {
  const session = JSON.parse(line);
  try {
    frameCount += await new Conversation(peers[session.suite], session).run();
  } catch (error) {
    throw new Error(`session ${sessions}: ${error.message}`, { cause: error });
  }
  sessions += 1;
}
for (const peer of Object.values(peers)) peer.process.stdin.end();
console.log(JSON.stringify({ sessions, frames: frameCount }));
