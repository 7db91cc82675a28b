// The frames of a request's body, one after the other, as they arrive.

import type { Bytes } from "../raystream/bytes.js";
import { frameEnd } from "../raystream/frame.js";
import type { Frames } from "./exchange.js";

/** Time for the next frame to arrive: whoever holds one back holds memory. */
const FRAME_MS_MAX = 30_000;

/** What is read of a body after its answer: time for the caller to see the answer. */
const DRAIN_MS_MAX = 10_000;
const DRAIN_LEN_MAX = 64 << 20;

/** A body that is announced to be no longer than this is read at once: a stream costs more than all else of a small call. */
const SHORT_LEN_MAX = 64 * 1024;

/** The frames of a request's body. */
export async function framesOf(request: Request): Promise<Frames> {
  const announced = Number(request.headers.get("content-length") ?? NaN);
  if (announced <= SHORT_LEN_MAX) return new ShortBody(new Uint8Array(await request.arrayBuffer()));
  return new FrameReader(request.body as ReadableStream<Uint8Array> | null);
}

/** The frames of bytes that are all there. */
export class ShortBody implements Frames {
  #rest: Bytes;

  constructor(body: Bytes) {
    this.#rest = body;
  }

  async next(): Promise<Bytes | undefined> {
    if (this.#rest.length === 0) return undefined;
    const end = lengthOf(this.#rest);
    if (end === undefined || end > this.#rest.length) throw new Error("refused");
    const frame = this.#rest.subarray(0, end);
    this.#rest = this.#rest.subarray(end);
    return frame;
  }

  cancel(): void {
    this.#rest = new Uint8Array();
  }

  async drain(): Promise<void> {
    this.cancel();
  }
}

/** Reads the frames of a body; each is within the limits of a frame before it is kept. */
export class FrameReader implements Frames {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #rest: Bytes = new Uint8Array();

  constructor(body: ReadableStream<Uint8Array> | null) {
    this.#reader = body?.getReader();
  }

  /** The next frame; nothing at the body's end. Throws `refused` for what is no frame, or comes too late. */
  async next(): Promise<Bytes | undefined> {
    const parts: Uint8Array[] = [this.#rest];
    let length = this.#rest.length;
    for (;;) {
      // Headers are short: only while one is incomplete are the parts joined early.
      if (parts.length > 1 && (parts[0]?.length ?? 0) < HEADER_LEN) parts.splice(0, parts.length, joined(parts, length));
      const end = lengthOf(parts[0] ?? this.#rest);
      if (end !== undefined && length >= end) {
        const all = parts.length === 1 ? (parts[0] as Bytes) : joined(parts, length);
        this.#rest = all.subarray(end);
        return all.subarray(0, end);
      }
      const piece = await this.#read();
      if (piece === undefined && length === 0) return undefined;
      if (piece === undefined) throw new Error("refused");
      parts.push(piece);
      length += piece.length;
    }
  }

  /**
   * Reads what is left and drops it, within bounds. A caller that still sends when its connection is closed may not see the
   * answer; one that sees the answer sends no more.
   */
  async drain(): Promise<void> {
    const timer = setTimeout(() => this.cancel(), DRAIN_MS_MAX);
    try {
      for (let left = DRAIN_LEN_MAX; left > 0; ) {
        const piece = await this.#read();
        if (piece === undefined) return;
        left -= piece.length;
      }
      this.cancel();
    } catch {
      // The caller is gone, or too slow: nobody waits for this.
    } finally {
      clearTimeout(timer);
    }
  }

  /** Wants no more of the body. */
  cancel(): void {
    void this.#reader?.cancel().catch(() => undefined);
  }

  async #read(): Promise<Uint8Array | undefined> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.cancel();
    }, FRAME_MS_MAX);
    try {
      const value = (await this.#reader?.read())?.value;
      if (isLate) throw new Error("refused");
      return value;
    } finally {
      clearTimeout(timer);
    }
  }
}

const HEADER_LEN = 16;

/** Anything that is no header is refused like everything else. */
function lengthOf(bytes: Uint8Array): number | undefined {
  try {
    return frameEnd(bytes);
  } catch {
    throw new Error("refused");
  }
}

function joined(parts: readonly Uint8Array[], length: number): Bytes {
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
