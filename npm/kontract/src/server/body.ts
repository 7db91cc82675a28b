// The frames of a request's body, one after the other, as they arrive.

import type { Bytes } from "../raystream/bytes.js";
import { frameEnd } from "../raystream/frame.js";
import type { Frames } from "./exchange.js";
import { isDoneWithin } from "./within.js";

/** Time for the next frame to arrive whole: whoever holds one back holds memory. */
const FRAME_MS_MAX = 30_000;

/** The longest HANDSHAKE_INIT: key encapsulation, points, tags and 16 KiB of early data. Nobody has to be believed more before it. */
const INIT_LEN_MAX = 18 * 1024;

/** What is read of a body after its answer: time for the caller to see the answer. */
const DRAIN_MS_MAX = 10_000;
const DRAIN_LEN_MAX = 64 << 20;

/** A body that is announced to be no longer than this is read at once: a stream costs more than all else of a small call. */
const SHORT_LEN_MAX = 64 * 1024;

/** The frames of a request's body. */
export async function framesOf(request: Request): Promise<Frames> {
  const announced = Number(request.headers.get("content-length") ?? NaN);
  if (announced <= SHORT_LEN_MAX) {
    const whole = sent(request.arrayBuffer());
    if (!(await isDoneWithin(FRAME_MS_MAX, whole))) throw new Error("refused");
    return new ShortBody(new Uint8Array(await whole));
  }
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
  #lenMax = INIT_LEN_MAX;

  constructor(body: ReadableStream<Uint8Array> | null) {
    this.#reader = body?.getReader();
  }

  /** The next frame; nothing at the body's end. Throws `refused` for what is no frame, or comes too late. */
  async next(): Promise<Bytes | undefined> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.cancel();
    }, FRAME_MS_MAX);
    try {
      const frame = await this.#frame();
      if (isLate) throw new Error("refused");
      this.#lenMax = Infinity;
      return frame;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Pieces go into one buffer, which grows with what has come: a peer that sends single bytes has us keep bytes. */
  async #frame(): Promise<Bytes | undefined> {
    let buffer = this.#rest;
    for (let length = buffer.length; ; ) {
      const end = lengthOf(buffer.subarray(0, length));
      if (end !== undefined && end > this.#lenMax) throw new Error("refused");
      if (end !== undefined && length >= end) {
        this.#rest = buffer.subarray(end, length);
        return buffer.subarray(0, end);
      }
      const piece = await this.#read();
      if (piece === undefined && length === 0) return undefined;
      if (piece === undefined) throw new Error("refused");
      if (length + piece.length > buffer.length) {
        const larger = new Uint8Array(Math.max(2 * buffer.length, length + piece.length));
        larger.set(buffer.subarray(0, length));
        buffer = larger;
      }
      buffer.set(piece, length);
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
    return this.#reader && (await sent(this.#reader.read())).value;
  }
}

/** What goes wrong while a body is read is its sender's affair: it left, or was too slow. */
async function sent<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch {
    throw new Error("refused");
  }
}

/** Anything that is no header is refused like everything else. */
function lengthOf(bytes: Uint8Array): number | undefined {
  try {
    return frameEnd(bytes);
  } catch {
    throw new Error("refused");
  }
}
