// The caller of a call while it runs: whether it still waits, and the items of a streamed result on their way to it.

import { HttpError } from "../index.js";
import type { Bytes } from "../raystream/bytes.js";
import type { Answer } from "./answer.js";
import type { TakenChunk } from "./frames.js";
import { Inbox } from "./inbox.js";

/** Whether somebody still waits for a call. */
export interface Caller {
  /** Aborted when the caller gave up or is gone. */
  readonly signal: AbortSignal;
  /** Whether it is, without the cost of a signal where nobody has asked for one. */
  readonly isGone: boolean;
}

/** What a call knows of its caller. */
export interface Peer extends Caller {
  /** Sends an item of the result; resolves when there is room for the next. Rejects once nobody waits for it. */
  send(item: Bytes): Promise<void>;
  /** Arguments that arrive beside the call. */
  readonly inbox: Inbox;
}

/** Bytes of a stream that may be sent before the receiver says more (`docs/raystream.md`, "Streams"). */
const WINDOW_LEN = 256 * 1024;

/** The stream of a call that is its result. */
const RESULT = 0;

/** A piece without content, in bytes. */
const CHUNK_HEAD_LEN = 3;

/** A caller on a WebSocket: it says by itself how much it takes. */
export class SocketPeer implements Peer {
  #abort: AbortController | undefined;
  #reason: DOMException | undefined;
  #credit = WINDOW_LEN;
  #wake: () => void = () => undefined;

  constructor(
    private readonly write: (item: Bytes) => void,
    readonly inbox: Inbox,
  ) {}

  /** What the caller says of a stream. */
  take({ stream, data, credit }: TakenChunk): void {
    if (credit !== undefined) return stream === RESULT ? this.#more(credit) : undefined;
    void this.inbox.take(stream, data);
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#reason !== undefined) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  get isGone(): boolean {
    return this.#reason !== undefined;
  }

  async send(item: Bytes): Promise<void> {
    this.signal.throwIfAborted();
    this.write(item);
    this.#credit -= item.length + CHUNK_HEAD_LEN;
    while (this.#credit <= 0) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.signal.throwIfAborted();
    }
  }

  /** The caller takes so many bytes more. */
  #more(bytes: number): void {
    this.#credit = Math.min(this.#credit + bytes, WINDOW_LEN);
    this.#wake();
  }

  abort(): void {
    this.#reason ??= new DOMException("the caller gave up", "AbortError");
    this.#abort?.abort(this.#reason);
    this.inbox.fail(this.#reason);
    this.#wake();
  }
}

/** A caller of a POST: items go into the answer's body, and its reader's pace is theirs. */
export class BodyPeer implements Peer {
  constructor(
    private readonly answer: Answer,
    private readonly seal: (item: Bytes) => Bytes,
    readonly inbox: Inbox,
  ) {
    answer.signal.addEventListener("abort", () => inbox.fail(answer.signal.reason as Error));
    if (answer.signal.aborted) inbox.fail(answer.signal.reason as Error);
  }

  get signal(): AbortSignal {
    return this.answer.signal;
  }

  get isGone(): boolean {
    return this.answer.isGone;
  }

  async send(item: Bytes): Promise<void> {
    this.answer.write(this.seal(item));
    await this.answer.room();
  }
}

/** A caller of a POST who waits for a result as a whole. */
export class PlainPeer implements Peer {
  #inbox: Inbox | undefined;

  constructor(private readonly caller: Caller) {}

  /** Nothing arrives in it. */
  get inbox(): Inbox {
    return (this.#inbox ??= new Inbox(undefined, 0));
  }

  get signal(): AbortSignal {
    return this.caller.signal;
  }

  get isGone(): boolean {
    return this.caller.isGone;
  }

  async send(): Promise<never> {
    throw new HttpError(400, "INVALID_REQUEST", "a streamed result needs a body of its own");
  }
}

/** A caller of whom there is a signal anyway. */
export function callerOf(signal: AbortSignal): Caller {
  return {
    signal,
    get isGone() {
      return signal.aborted;
    },
  };
}
