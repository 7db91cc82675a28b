// Arguments that arrive beside a call, piece by piece: what a handler is given for a `File`, a `Blob` or a
// `ReadableStream<Uint8Array>`.
//
// Little is held of each: the caller sends what the handler asks for, or the body of a POST is read as fast as the
// handler reads.

import { Change } from "../change.js";
import type { Bytes } from "../raystream/bytes.js";
import { HttpError } from "../index.js";
import type { UploadKind } from "./platform.js";
import { isDoneWithin } from "./within.js";

/** Bytes of a stream that are asked for and not read yet. */
const WINDOW_LEN = 256 * 1024;

/** What a caller may send beyond that, as it sends whole pieces. */
const PIECE_LEN_MAX = 64 * 1024;

/** A handler may read the streams of a POST in another order than they come in; so much is kept for that. */
const KEPT_LEN_MAX = 16 << 20;

/** Time for the next piece of what a caller on a WebSocket was asked for; that of a POST has as long for a frame. */
const PIECE_MS_MAX = 30_000;

/** What stands in the arguments for a stream. */
interface Handle {
  readonly stream: number;
  readonly size?: number;
  readonly type?: string;
  readonly name?: string;
  readonly lastModified?: number;
}

/** The streams of one call. */
export class Inbox {
  readonly #streams = new Map<number, Incoming>();
  readonly #limit: Limit;
  #count = 0;
  /** A body may arrive before the call that reads it has begun. */
  readonly #begun: Promise<void>;
  #begin: () => void = () => undefined;

  /** `grant` lets the caller send more of a stream. Without it, the caller sends as fast as `take` resolves. */
  constructor(
    private readonly grant: ((stream: number, bytes: number) => void) | undefined,
    bytesMax: number,
  ) {
    this.#limit = { left: bytesMax, max: bytesMax };
    this.#begun = new Promise((resolve) => (this.#begin = resolve));
  }

  /** Whether anything was read, so that the handler cannot run again. */
  get isRead(): boolean {
    return [...this.#streams.values()].some((stream) => stream.isRead);
  }

  /** Arguments with what they stand for. */
  open(args: unknown[], uploads: readonly (readonly [number, UploadKind])[]): unknown[] {
    const opened = [...args];
    this.#count = uploads.length;
    let declared = 0;
    for (const [place, kind] of uploads) {
      const handle = args[place] as Handle | null | undefined;
      if (handle === null || handle === undefined) continue;
      const stream = this.#stream(handle.stream);
      declared += handle.size ?? 0;
      opened[place] = kind === "stream" ? stream.readable : new Received(stream.readable, handle, kind);
    }
    if (declared > this.#limit.max) throw tooLarge(this.#limit.max);
    this.#begin();
    return opened;
  }

  /** A piece arrived, or with `undefined` the end. Resolves when there is room for more. */
  async take(number: number, piece: Bytes | undefined): Promise<void> {
    // Whoever sends only what it is asked for comes after the beginning.
    if (this.grant === undefined) await this.#begun;
    const stream = this.#streams.get(number);
    if (stream === undefined) return;
    if (piece === undefined) return stream.end();
    this.#limit.left -= piece.length;
    if (this.#limit.left < 0) return this.fail(tooLarge(this.#limit.max));
    stream.push(piece);
    if (this.grant !== undefined) return stream.isOverrun ? this.fail(new HttpError(400, "INVALID_REQUEST", "more of a stream than was asked for")) : undefined;
    while (stream.queuedLen > WINDOW_LEN && !stream.isOver) {
      if (stream.queuedLen > KEPT_LEN_MAX) return this.fail(new HttpError(400, "INVALID_REQUEST", "read files and streams in the order in which they are parameters, or use a WebSocket"));
      // Another stream is wanted first: this one has to be kept meanwhile.
      if ([...this.#streams.values()].some((other) => other !== stream && other.isWanted)) return;
      await stream.changed();
    }
  }

  /** Ends every stream with an error. */
  fail(error: Error): void {
    this.#begin();
    for (const stream of this.#streams.values()) stream.fail(error);
  }

  #stream(number: number): Incoming {
    if (!Number.isInteger(number) || number < 1 || number > this.#count) {
      throw new HttpError(400, "INVALID_REQUEST", "a stream has the number of its argument");
    }
    let stream = this.#streams.get(number);
    if (stream === undefined) {
      const { grant } = this;
      stream = new Incoming(grant && ((bytes) => grant(number, bytes)));
      this.#streams.set(number, stream);
    }
    return stream;
  }
}

interface Limit {
  readonly max: number;
  left: number;
}

function tooLarge(max: number): HttpError {
  return new HttpError(413, "TOO_LARGE", `the endpoint takes ${max} bytes`);
}

/** One stream on its way to the handler. */
class Incoming {
  readonly readable: ReadableStream<Uint8Array>;
  queuedLen = 0;
  isRead = false;
  isWanted = false;
  isOver = false;
  readonly #queue: Bytes[] = [];
  #asked = 0;
  #error: Error | undefined;
  readonly #change = new Change();

  constructor(private readonly grant: ((bytes: number) => void) | undefined) {
    this.readable = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          this.isRead = true;
          const piece = await this.#next();
          if (piece === undefined) controller.close();
          else controller.enqueue(piece);
        },
        cancel: () => this.end(),
      },
      { highWaterMark: 0 },
    );
  }

  /** Whether more has come than was asked for; the last piece of what was may be longer. */
  get isOverrun(): boolean {
    return this.#asked < -PIECE_LEN_MAX;
  }

  push(piece: Bytes): void {
    if (this.isOver || piece.length === 0) return;
    this.#queue.push(piece);
    this.queuedLen += piece.length;
    this.#asked -= piece.length;
    this.#change.happened();
  }

  end(): void {
    this.isOver = true;
    this.#change.happened();
  }

  /** A stream that has come whole is left alone. */
  fail(error: Error): void {
    if (this.isOver) return;
    this.#error = error;
    this.end();
  }

  changed(): Promise<void> {
    return this.#change.next();
  }

  async #next(): Promise<Bytes | undefined> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const piece = this.#queue.shift();
      if (piece !== undefined) this.queuedLen -= piece.length;
      const room = WINDOW_LEN - this.queuedLen - this.#asked;
      if (!this.isOver && room >= WINDOW_LEN / 2) {
        this.#asked += room;
        this.grant?.(room);
      }
      this.#change.happened();
      if (piece !== undefined) return piece;
      if (this.isOver) return undefined;
      this.isWanted = true;
      await this.#arrival();
      this.isWanted = false;
    }
  }

  /** Whoever holds a piece back that it was asked for holds the call and its transaction. */
  async #arrival(): Promise<void> {
    const change = this.#change.next();
    // The frames of a body have a limit of their own.
    if (this.grant === undefined) return change;
    if (!(await isDoneWithin(PIECE_MS_MAX, change))) this.fail(new HttpError(400, "INVALID_REQUEST", "the rest of a stream did not come in time"));
  }
}

/** A `File` or `Blob` whose bytes come when they are asked for, once. */
class Received extends File {
  readonly #readable: ReadableStream<Uint8Array>;
  readonly #handle: Handle;

  constructor(readable: ReadableStream<Uint8Array>, handle: Handle, kind: UploadKind) {
    const { name = kind, type = "", lastModified = 0 } = handle;
    super([], name, { type, lastModified });
    this.#readable = readable;
    this.#handle = handle;
  }

  override get size(): number {
    return this.#handle.size ?? 0;
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return new Response(this.#readable).arrayBuffer();
  }

  override text(): Promise<string> {
    return new Response(this.#readable).text();
  }

  override slice(): Blob {
    throw new TypeError("the bytes of a received file come once; read them with stream(), text() or arrayBuffer()");
  }
}
