// Arguments that are sent beside the others, piece by piece: `File`, `Blob` and `ReadableStream<Uint8Array>`. A file of its
// own, so that only clients of such endpoints carry it.
//
// On a socket nothing of a stream is sent before the server asks for it (CREDIT), so that a refused call has read nothing.
import { type Bytes, concat, u16, view } from '../raystream/bytes.js';
import { FrameType } from '../raystream/frame.js';
import type { Resume } from '../raystream/handshake.js';
import { sealMessage } from '../raystream/message.js';
import type { Opened } from '../raystream/session.js';
import type { Io } from './io.js';
import { type PostOptions, request } from './post.js';
import { CREDIT, DATA, END, Items, framesOf } from './stream.js';
import type { Uploading } from './types.js';

/** Longest piece of a stream, in bytes. */
const PIECE_LEN = 64 * 1024;

/** Bytes of a POST between two looks at what else is to do. */
const PAUSE_EVERY_LEN = 1 << 20;

type Source = Blob | ReadableStream<Uint8Array>;

/** For generated stubs: sends the arguments at these places as streams; what stands for them among the others is small. */
export function uploading(places: readonly number[]): Uploading {
  return (args, inner) => {
    const sources: Source[] = [];
    const handles = args.map((arg, place) => {
      if (!places.includes(place) || !(arg instanceof Blob || arg instanceof ReadableStream)) return arg;
      sources.push(arg);
      return handleOf(arg, sources.length);
    });
    return { args: handles as unknown as typeof args, io: sources.length === 0 ? inner : new Uploads(sources, inner as Io | undefined) };
  };
}

function handleOf(source: Source, stream: number): object {
  if (source instanceof ReadableStream) return { stream };
  const { size, type } = source;
  const { name, lastModified } = source as Partial<File>;
  return name === undefined ? { stream, size, type } : { stream, size, type, name, lastModified };
}

class Uploads implements Io {
  readonly #sources: readonly Source[];
  readonly #inner: Io | undefined;
  #pumps: Pump[] = [];
  /** What is read from at present. */
  readonly #readers = new Set<ReadableStreamDefaultReader<Uint8Array>>();
  #isAnswered = false;
  /** What a source failed with. */
  #fault: { readonly error: unknown } | undefined;
  /** A stream can be read once; a file again and again. */
  #isRead = false;

  constructor(sources: readonly Source[], inner: Io | undefined) {
    this.#sources = sources;
    this.#inner = inner;
  }

  get isStarted(): boolean {
    return this.#isRead || this.#inner?.isStarted === true;
  }

  begin(send: (chunk: Uint8Array) => void, fail: (error: unknown) => void): void {
    this.#inner?.begin(send, fail);
    this.#pumps = this.#sources.map((source, place) => new Pump(this.#pieces(source), place + 1, send, fail));
  }

  take(chunk: Uint8Array): void {
    const stream = chunk.length === 7 && chunk[0] === CREDIT ? view(chunk).getUint16(1, true) : 0;
    if (stream === 0) this.#inner?.take(chunk);
    else this.#pumps[stream - 1]?.credit(view(chunk).getUint32(3, true));
  }

  stop(): void {
    for (const pump of this.#pumps) pump.stop();
    this.#leave();
  }

  async post(resume: Resume, sequence: number, payload: Uint8Array, options: PostOptions, signal: AbortSignal): Promise<Opened> {
    const inner = this.#inner instanceof Items ? this.#inner : new Items();
    const frames = this.#frames(resume, sequence, payload);
    this.#isAnswered = false;
    try {
      const response = await request(canStream() ? readable(frames) : await collected(frames), options, signal);
      return await inner.answer(framesOf(response, signal), resume, sequence, options);
    } catch (error) {
      throw this.#fault?.error ?? error;
    } finally {
      // The answer may come before the body has gone: nobody takes the rest.
      this.#isAnswered = true;
      this.#leave();
    }
  }

  /** Also a source that keeps its reader waiting learns that nobody wants the rest. */
  #leave(): void {
    for (const reader of this.#readers) void reader.cancel().catch(() => undefined);
  }

  async *#frames(resume: Resume, sequence: number, payload: Uint8Array): AsyncGenerator<Bytes> {
    yield concat(resume.init, ...(await sealMessage(resume, FrameType.RpcCall, sequence, payload)));
    for (const [place, source] of this.#sources.entries()) {
      for await (const piece of this.#posted(source)) yield await resume.seal(FrameType.RpcChunk, sequence, chunk(DATA, place + 1, piece));
      if (this.#isAnswered) return;
      yield await resume.seal(FrameType.RpcChunk, sequence, chunk(END, place + 1));
    }
  }

  /** The pieces of a source for a POST; the platform would hide why it cannot be read. */
  async *#posted(source: Source): AsyncGenerator<Uint8Array> {
    let untilPause = PAUSE_EVERY_LEN;
    try {
      for await (const piece of this.#pieces(source)) {
        // A source that never waits would keep the platform from seeing an early answer.
        untilPause -= piece.length;
        if (untilPause <= 0) {
          untilPause = PAUSE_EVERY_LEN;
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
        if (this.#isAnswered) return;
        yield piece;
      }
    } catch (error) {
      this.#fault = { error };
      throw error;
    }
  }

  async *#pieces(source: Source): AsyncGenerator<Uint8Array> {
    if (source instanceof ReadableStream) this.#isRead = true;
    const reader = (source instanceof ReadableStream ? source : source.stream()).getReader();
    this.#readers.add(reader);
    try {
      for (;;) {
        const { value } = await reader.read();
        if (value === undefined) return;
        for (let at = 0; at < value.length; at += PIECE_LEN) yield value.subarray(at, at + PIECE_LEN);
      }
    } finally {
      this.#readers.delete(reader);
      // Does nothing to a source that is at its end.
      void reader.cancel().catch(() => undefined);
      reader.releaseLock();
    }
  }
}

/** Sends one source on a socket, as far as the server asks for it. */
class Pump {
  #credit = 0;
  #isStopped = false;
  #wake: () => void = () => undefined;

  constructor(pieces: AsyncGenerator<Uint8Array>, stream: number, send: (chunk: Uint8Array) => void, fail: (error: unknown) => void) {
    this.#run(pieces, stream, send).catch(fail);
  }

  credit(bytes: number): void {
    this.#credit += bytes;
    this.#wake();
  }

  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  async #run(pieces: AsyncGenerator<Uint8Array>, stream: number, send: (chunk: Uint8Array) => void): Promise<void> {
    await this.#mayGoOn();
    // What was not asked for is not read, so that another try finds it whole.
    if (this.#isStopped) return;
    for await (const piece of pieces) {
      if (this.#isStopped) return;
      send(chunk(DATA, stream, piece));
      this.#credit -= piece.length;
      await this.#mayGoOn();
      if (this.#isStopped) return;
    }
    if (!this.#isStopped) send(chunk(END, stream));
  }

  async #mayGoOn(): Promise<void> {
    while (this.#credit <= 0 && !this.#isStopped) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

function chunk(kind: number, stream: number, rest: Uint8Array = new Uint8Array()): Bytes {
  return concat(Uint8Array.of(kind), u16(stream), rest);
}

function readable(frames: AsyncGenerator<Bytes>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: async (controller) => {
      const { value, done } = await frames.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => void frames.return(undefined),
  });
}

/** Where a body cannot be a stream, a `Blob` holds it, which browsers keep outside of memory when it is large. */
async function collected(frames: AsyncGenerator<Bytes>): Promise<Blob> {
  let body = new Blob();
  let parts: Bytes[] = [];
  for await (const frame of frames) {
    parts.push(frame);
    if (parts.length < PARTS_MAX) continue;
    body = new Blob([body, ...parts]);
    parts = [];
  }
  return new Blob([body, ...parts]);
}

/** Frames that are collected before they go into a `Blob`. */
const PARTS_MAX = 64;

/** Node can stream a body. Of browsers some can, over HTTP/2 only; the rest would send the text "[object ReadableStream]". */
function canStream(): boolean {
  return (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined;
}
