// Streamed results: `for await (const item of exportUsers())`. A file of its own, so that only clients of such endpoints
// carry it.
//
// On a socket the receiver says how much more may come (CREDIT); a POST is read as fast as the items are taken.
import { Change } from '../change.js';
import { type Bytes, concat, u16, u32, view } from '../raystream/bytes.js';
import { FrameType, frameEnd } from '../raystream/frame.js';
import { type Resume } from '../raystream/handshake.js';
import { WINDOW_LEN } from '../raystream/limits.js';
import { Messages, sealMessage } from '../raystream/message.js';
import { RefusedError } from '../raystream/refused.js';
import type { Opened } from '../raystream/session.js';
import { events } from './events.js';
import type { Io } from './io.js';
import { NetworkError } from './network-error.js';
import { type PostOptions, openOrKeep, reached, request } from './post.js';
import type { CallOptions, EndpointSpec, Streamed, StreamIo, StreamRpc } from './types.js';

/** Kinds of chunks: see `runtime/gateway/src/chunk.rs`. */
export const DATA = 0;
export const END = 1;
export const CREDIT = 2;
const CHUNK_HEAD_LEN = 3;
/** The stream that is the result. */
const RESULT = 0;

/** For generated stubs: makes an endpoint with a streamed result callable. */
export const streamed: Streamed = (spec, call) => {
  const bound = (options: CallOptions) => (...args: Parameters<typeof spec.encode>[0]) => iterate(spec, args, options, call);
  return Object.assign(bound({}), { with: bound }) as unknown as StreamRpc<Parameters<typeof spec.encode>[0], ReturnType<typeof spec.decode>>;
};

async function* iterate<A extends readonly unknown[], T>(
  spec: EndpointSpec<A, T>,
  args: A,
  options: CallOptions,
  call: (args: Uint8Array, options: CallOptions, io: StreamIo) => Promise<Uint8Array>,
): AsyncGenerator<T> {
  const left = new AbortController();
  const signal = options.signal === undefined ? left.signal : AbortSignal.any([left.signal, options.signal]);
  const items = new Items(spec.readOnly);
  try {
    const sent = spec.upload?.(args, items);
    call(spec.encode(sent?.args ?? args), { ...options, signal }, sent?.io ?? items).then(
      () => items.end(),
      (error: unknown) => items.end(error),
    );
    for (let item = await items.next(); item !== undefined; item = await items.next()) yield spec.decode(item);
  } finally {
    const reason = new DOMException('the stream was left', 'AbortError');
    left.abort(reason);
    items.end(reason);
  }
}

/** Items between the network and the loop. */
export class Items implements Io {
  isStarted = false;
  readonly #queue: Bytes[] = [];
  #queuedLen = 0;
  #takenLen = 0;
  #credit: (bytes: number) => void = () => undefined;
  #ended: { readonly error?: unknown } | undefined;
  readonly #change = new Change();

  /** `isSafe`: whether the call may travel in a request that anything on the way may repeat. */
  constructor(private readonly isSafe = false) {}

  begin(send: (chunk: Uint8Array) => void): void {
    this.#credit = (bytes) => send(concat(Uint8Array.of(CREDIT), u16(RESULT), u32(bytes)));
  }

  take(chunk: Uint8Array): void {
    if (chunk.length < CHUNK_HEAD_LEN) throw new RefusedError('not a chunk');
    if (chunk[0] !== DATA || view(chunk).getUint16(1, true) !== RESULT) return;
    this.isStarted = true;
    this.#queue.push(chunk.slice(CHUNK_HEAD_LEN));
    this.#queuedLen += chunk.length;
    this.#change.happened();
  }

  end(error?: unknown): void {
    this.#ended ??= error === undefined ? {} : { error };
    this.#change.happened();
  }

  /** The next item; nothing after the last one. */
  async next(): Promise<Bytes | undefined> {
    for (;;) {
      const item = this.#queue.shift();
      if (item !== undefined) {
        this.#taken(item.length + CHUNK_HEAD_LEN);
        return item;
      }
      if (this.#ended !== undefined) {
        if ('error' in this.#ended) throw this.#ended.error;
        return undefined;
      }
      await this.#change.next();
    }
  }

  async post(resume: Resume, sequence: number, payload: Uint8Array, options: PostOptions, signal: AbortSignal): Promise<Opened> {
    const body = concat(resume.init, ...(await sealMessage(resume, FrameType.RpcCall, sequence, payload)));
    // What only reads may be sent again as it is.
    const frames = this.isSafe ? await events(body, options, signal) : undefined;
    return this.answer(frames ?? framesOf(await request(body, options, signal), signal), resume, sequence, options);
  }

  stop(): void {
    // What has arrived is still to be taken.
  }

  /** Reads an answer to its end. */
  async answer(frames: AsyncGenerator<Bytes>, resume: Resume, sequence: number, options: PostOptions): Promise<Opened> {
    const first = await frames.next();
    if (first.done === true) throw new RefusedError('empty answer');
    const established = await resume.finish(first.value);
    const messages = new Messages();
    for await (const frame of frames) {
      const opened = await openOrKeep(frame, established, options.tickets);
      const message = opened && messages.take(opened);
      if (message?.sequence !== sequence) continue;
      if (message.type !== FrameType.RpcChunk) return message;
      this.take(message.payload);
      while (this.#queuedLen > WINDOW_LEN && this.#ended === undefined) await this.#change.next();
    }
    throw new NetworkError('the answer ended before its end');
  }

  #taken(length: number): void {
    this.#queuedLen -= length;
    this.#takenLen += length;
    if (this.#takenLen >= WINDOW_LEN / 2) {
      if (this.#ended === undefined) this.#credit(this.#takenLen);
      this.#takenLen = 0;
    }
    this.#change.happened();
  }
}

/** The frames of a body, as they arrive. */
export async function* framesOf({ body }: Response, signal: AbortSignal): AsyncGenerator<Bytes> {
  const reader = body?.getReader();
  let rest: Bytes = new Uint8Array();
  try {
    for (;;) {
      const end = frameEnd(rest);
      if (end !== undefined && end <= rest.length) {
        yield rest.subarray(0, end);
        rest = rest.subarray(end);
        continue;
      }
      const read = await reached(signal, async () => reader?.read());
      if (read?.value === undefined) break;
      rest = concat(rest, read.value);
    }
    if (rest.length > 0) throw new NetworkError('the answer ended within a frame');
  } finally {
    void reader?.cancel().catch(() => undefined);
  }
}
