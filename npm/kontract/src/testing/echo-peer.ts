// The Rust peer `runtime/raystream/examples/echo.rs`, driven over its standard streams.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';
import type { Bytes } from '../raystream/bytes.js';
import type { Identity, ServerKey } from '../raystream/handshake.js';
import { hex, unhex } from './hex.js';

export class EchoPeer {
  readonly identity: Identity;
  readonly serverKey: ServerKey;
  isStopped = false;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(process: ChildProcess, lines: AsyncIterator<string>, suite: 1 | 2, pins: string) {
    const [x25519, mlKem, buildId, routeHash] = pins.split(' ').map(unhex) as [Bytes, Bytes, Bytes, Bytes];
    this.identity = { suite, buildId, routeHash };
    this.serverKey = { x25519, mlKem };
    this.#process = process;
    this.#lines = lines;
  }

  static async start(suite: 1 | 2): Promise<EchoPeer> {
    const args = ['run', '--quiet', '--package', 'kontract-raystream', '--example', 'echo', '--', String(suite)];
    const process = spawn('cargo', args, { cwd: resolve('../..'), stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) throw new Error('the echo peer did not start');
    return new EchoPeer(process, lines, suite, first.value);
  }

  /** A POST body; `undefined` when it is refused. */
  async post(body: Uint8Array): Promise<Bytes | undefined> {
    return (await this.#ask(`post ${hex(body)}`))?.[0];
  }

  /** The first message of a socket; the messages that answer it. */
  open(message: Uint8Array): Promise<Bytes[] | undefined> {
    return this.#ask(`open ${hex(message)}`);
  }

  /** A later message of the socket. */
  async frame(message: Uint8Array): Promise<Bytes | undefined> {
    return (await this.answers(message))?.[0];
  }

  /** The messages that answer a further one, which may be none; `undefined` when it is refused. */
  answers(message: Uint8Array): Promise<Bytes[] | undefined> {
    return this.#ask(`frame ${hex(message)}`);
  }

  /** Sets the peer's clock, which starts at 1,800,000,000. */
  async setTime(seconds: number): Promise<void> {
    await this.#ask(`time ${seconds}`);
  }

  /** Queues what the next call is answered with, instead of its own payload. */
  async respond(payload: Uint8Array): Promise<void> {
    await this.#ask(`respond ${hex(payload)}`);
  }

  /** Queues an RPC_ERROR. */
  async fail(payload: Uint8Array): Promise<void> {
    await this.#ask(`fail ${hex(payload)}`);
  }

  /** The payloads of the calls since the last time. */
  async calls(): Promise<Bytes[]> {
    return (await this.#ask('calls')) ?? [];
  }

  stop(): void {
    this.isStopped = true;
    this.#process.stdin?.end();
  }

  async #ask(line: string): Promise<Bytes[] | undefined> {
    this.#process.stdin?.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the echo peer is gone');
    const [status, ...messages] = (value as string).split(' ');
    return status === 'ok' ? messages.map(unhex) : undefined;
  }
}
