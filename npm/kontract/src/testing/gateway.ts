// A gateway for client tests: the Rust echo peer behind `fetch` and WebSocket, with virtual time and the answers a test queues.
import type { Platform } from '../client/platform.js';
import type { Configuration, Pins, TokenStorage, WebSocketLike } from '../client/types.js';
import { type Bytes, concat, u16, utf8, view } from '../raystream/bytes.js';
import { platformEntropy } from '../raystream/crypto.js';
import { EchoPeer } from './echo-peer.js';

/** A call's envelope, taken apart. */
export interface Received {
  readonly route: number;
  readonly token: string;
  readonly key: Bytes;
  readonly args: Bytes;
}

export class Gateway {
  readonly peer: EchoPeer;
  readonly storage = new Map<string, string>();
  /** Waits between tries, in milliseconds. */
  readonly waits: number[] = [];
  /** Requests of `fetch` so far. */
  requests = 0;
  /** What the next requests run into, instead of an answer. */
  readonly troubles: (() => Promise<Response>)[] = [];
  /** Sockets made so far. */
  readonly sockets: FakeSocket[] = [];
  socketsFail = false;
  nowMs = 1_800_000_000_000;
  readonly #timers = new Set<{ readonly ms: number; readonly run: () => void; next: number }>();
  /** Timers go by this, whatever the clock shows. */
  #elapsedMs = 0;
  #identities = 0;

  constructor(peer: EchoPeer) {
    this.peer = peer;
  }

  static async start(suite: 1 | 2): Promise<Gateway> {
    return new Gateway(await EchoPeer.start(suite));
  }

  get pins(): Pins {
    const { identity, serverKey } = this.peer;
    const key = { x25519: base64Url(serverKey.x25519), mlkem: base64Url(serverKey.mlKem) };
    return { suite: identity.suite, buildId: base64Url(identity.buildId), routeHash: base64Url(identity.routeHash), keys: [key] };
  }

  get platform(): Platform {
    return {
      now: () => this.nowMs,
      random: () => 0.5,
      entropy: platformEntropy,
      wait: async (ms) => void this.waits.push(ms),
      every: (ms, run) => {
        const timer = { ms, run, next: this.#elapsedMs + ms };
        this.#timers.add(timer);
        return () => void this.#timers.delete(timer);
      },
    };
  }

  configuration(transport: NonNullable<Configuration['transport']>): Configuration {
    const storage: TokenStorage = {
      getItem: (key) => this.storage.get(key) ?? null,
      setItem: (key, value) => void this.storage.set(key, value),
      removeItem: (key) => void this.storage.delete(key),
    };
    const gateway = this;
    class WebSocket extends FakeSocket {
      constructor() {
        super(gateway);
      }
    }
    return { url: 'http://gateway.test/', transport, storage, fetch: (_url, init) => this.#fetch(init), WebSocket };
  }

  /** Moves both clocks. */
  async setTime(seconds: number): Promise<void> {
    this.nowMs = seconds * 1000;
    await this.peer.setTime(seconds);
  }

  /** Whether anything waits for time to pass. */
  get hasTimers(): boolean {
    return this.#timers.size > 0;
  }

  /** Lets time pass on the client's clock, and what is due happen. */
  async elapse(ms: number): Promise<void> {
    this.nowMs += ms;
    this.#elapsedMs += ms;
    for (const timer of [...this.#timers]) {
      for (; this.#timers.has(timer) && timer.next <= this.#elapsedMs; timer.next += timer.ms) timer.run();
    }
    // The peer answers in order: with this answer, the ones before it have been handed on.
    await this.peer.setTime(this.nowMs / 1000);
    await this.peer.setTime(this.nowMs / 1000);
  }

  /** Queues an identity as the answer; its tokens are `access-N` and `refresh-N`. A refresh keeps its owner. */
  async grant(owner?: string): Promise<void> {
    this.#identities += 1;
    const number = this.#identities;
    const expiresAt = this.nowMs / 1000 + 3600;
    const granted = { accessToken: `access-${number}`, refreshToken: `refresh-${number}`, owner: owner ?? `anon_${number}`, expiresAt };
    await this.peer.respond(utf8(JSON.stringify(granted)));
  }

  /** Queues an error as the answer. */
  fail(status: number, code: string, message: string): Promise<void> {
    return this.peer.fail(concat(u16(status), Uint8Array.of(code.length), utf8(code), utf8(message)));
  }

  /** The calls since the last time. */
  async received(): Promise<Received[]> {
    return (await this.peer.calls()).map((payload) => {
      const tokenLen = view(payload).getUint16(4, true);
      return {
        route: view(payload).getUint32(0, true),
        token: new TextDecoder().decode(payload.subarray(6, 6 + tokenLen)),
        key: payload.slice(6 + tokenLen, 22 + tokenLen),
        args: payload.slice(22 + tokenLen),
      };
    });
  }

  async #fetch(init: RequestInit | undefined): Promise<Response> {
    this.requests += 1;
    init?.signal?.throwIfAborted();
    const trouble = this.troubles.shift();
    if (trouble !== undefined) return Promise.race([trouble(), aborted(init?.signal)]);
    const answer = await this.peer.post(new Uint8Array(await new Response(init?.body).arrayBuffer()));
    return answer === undefined ? new Response(null, { status: 400 }) : new Response(answer);
  }
}

/** A WebSocket whose other end is the peer. */
export class FakeSocket implements WebSocketLike {
  binaryType = 'blob';
  readyState = 0;
  /** Changes what is sent; `undefined` loses it. */
  tamper: (message: Uint8Array) => Uint8Array | undefined = (message) => message;
  readonly #gateway: Gateway;
  readonly #listeners = new Map<string, ((event: never) => void)[]>();
  #isFirst = true;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    gateway.sockets.push(this);
    queueMicrotask(() => (gateway.socketsFail ? this.#end('error', 1006) : this.#opened()));
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    const message = this.readyState === 1 ? this.tamper(data) : undefined;
    // A client says goodbye while its test already stops the peer.
    if (message !== undefined && !this.#gateway.peer.isStopped) void this.#send(message);
  }

  close(code = 1005): void {
    this.#end('close', code);
  }

  /** The other end closes. */
  drop(code: number): void {
    this.#end('close', code);
  }

  async #send(message: Uint8Array): Promise<void> {
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const { peer } = this.#gateway;
    const answers = isFirst ? await peer.open(message) : await peer.answers(message);
    if (answers === undefined) return this.#end('close', 1008);
    for (const answer of answers) this.#emit('message', { data: answer.buffer });
  }

  #opened(): void {
    this.readyState = 1;
    this.#emit('open', undefined);
  }

  #end(type: 'error' | 'close', code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    if (type === 'error') this.#emit('error', undefined);
    this.#emit('close', { code });
  }

  #emit(type: string, event: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }
}

function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
}

function base64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
