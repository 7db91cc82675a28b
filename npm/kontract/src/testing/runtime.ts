// The server half without WebAssembly and workerd: calls, channels and transactions that a test scripts.
import type { Context } from '../define.js';
import type { Bytes } from '../raystream/bytes.js';
import { utf8 } from '../raystream/bytes.js';
import { type Peer, PlainPeer, callerOf } from '../server/peer.js';
import type { Build, Call, Channel, Incoming, Route, RouteEntry, Step, Transaction } from '../server/platform.js';
import type { Runtime } from '../server/runtime.js';

/** Handles of the fakes that were made and not freed. */
export class Handles {
  readonly open = new Set<object>();

  made<T extends object>(handle: T): T {
    this.open.add(handle);
    return handle;
  }

  freed(handle: object): void {
    if (!this.open.delete(handle)) throw new Error('freed twice');
  }
}

/** A channel that numbers what it seals, as text: `txid:sequence:result` or `txid:sequence!status:code:message`. */
export class FakeChannel implements Channel {
  #txid = 0;
  isDead = false;
  readonly waiting = false;
  /** Results longer than this cannot be sealed. */
  resultLenMax = 1 << 20;

  constructor(private readonly handles: Handles) {}

  takeResponse(): Bytes {
    return utf8('');
  }

  takeEarly(): undefined {
    return undefined;
  }

  /** `call NAME`, `reply`, `refused`. */
  receive(_gateway: unknown, frame: Uint8Array): Incoming {
    const [kind, name = ''] = new TextDecoder().decode(frame).split(' ');
    if (kind === 'refused') throw new Error('refused');
    const { handles } = this;
    const reply = kind === 'reply' ? this.#seal('reply') : undefined;
    return handles.made({
      reply,
      cancelled: undefined,
      closed: false,
      takeChunk: () => undefined,
      takeCall: () => (kind === 'call' ? fakeCall(handles, name) : undefined),
      free(): void {
        handles.freed(this);
      },
    });
  }

  data(sequence: number, stream: number, piece: Uint8Array): Bytes {
    return this.#seal(`${sequence}/${stream}:${new TextDecoder().decode(piece)}`);
  }

  credit(sequence: number, stream: number, bytes: number): Bytes {
    return this.#seal(`${sequence}/${stream}+${bytes}`);
  }

  respond(sequence: number, result: Uint8Array): Bytes {
    if (result.length > this.resultLenMax) throw new Error('too long');
    return this.#seal(`${sequence}:${new TextDecoder().decode(result)}`);
  }

  fail(sequence: number, status: number, code: string, message: string): Bytes {
    // What wasm-bindgen does with an argument that is no text.
    if (typeof code !== 'string' || typeof message !== 'string') throw new TypeError('not text');
    return this.#seal(`${sequence}!${status}:${code}:${message}`);
  }

  heartbeat(): Bytes {
    return this.#seal('heartbeat');
  }

  free(): void {
    this.isDead = true;
  }

  #seal(text: string): Bytes {
    if (this.isDead) throw new Error('the channel is dead');
    return utf8(`${this.#txid++}:${text}`);
  }
}

/** A caller who waits for a plain result. */
export function fakePeer(): Peer {
  return new PlainPeer(callerOf(new AbortController().signal));
}

/** What the database of a test does with a batch. */
export type Batch = (statements: string) => Promise<string>;

/** A runtime whose endpoints are functions of their context alone; their results are text. */
export function fakeRuntime(endpoints: Record<string, (context: Context) => unknown>, batch: Batch = async () => 'done'): Runtime {
  const names = Object.keys(endpoints);
  const routes: Record<number, RouteEntry> = {};
  for (const name of names) {
    const route: Route = { decode: () => [], encode: (value) => utf8(String(value)), run: (context) => endpoints[name]?.(context) };
    routes[routeOf(name)] = { name, perm: 7, ugroup: null, readOnly: false, load: async () => route };
  }
  const build = { routes, tables: {}, gateway: { backoffMs: () => undefined } } as unknown as Build;
  return { build, bindings: {}, vars: {}, database: () => () => ({ run: batch }) } as unknown as Runtime;
}

/** A call to the endpoint `name`; its sequence is the number at the name's end, or 0. */
export function fakeCall(handles: Handles, name: string, begin: () => Transaction = () => fakeTransaction(handles)): Call {
  return handles.made({
    sequence: Number(/\d*$/.exec(name)?.[0] ?? 0),
    route: routeOf(name),
    name,
    owner: 'anon_1',
    groups: [],
    perm: 7,
    arguments: utf8(''),
    begin,
    beginInner: begin,
    beginAt: begin,
    free(): void {
      handles.freed(this);
    },
  });
}

/** A transaction that writes nothing, unless `parts` say otherwise. */
export function fakeTransaction(handles: Handles, parts: Partial<Transaction> = {}): Transaction {
  const step = (): Step => {
    throw new Error('no table');
  };
  return handles.made({
    get: step,
    mget: step,
    list: step,
    page: step,
    query: step,
    count: step,
    set: step,
    update: step,
    delete: step,
    push: step,
    pop: step,
    shift: step,
    history: step,
    exec: step,
    snapshot: undefined,
    answer: step,
    commit: () => undefined,
    committed: () => undefined,
    resolve: () => 'resolve',
    resolved: () => false,
    alreadyApplied: undefined,
    alone: () => undefined,
    contested: undefined,
    free(): void {
      handles.freed(this);
    },
    ...parts,
  });
}

function routeOf(name: string): number {
  return [...name].reduce((hash, character) => (hash * 31 + character.charCodeAt(0)) >>> 0, 0);
}
