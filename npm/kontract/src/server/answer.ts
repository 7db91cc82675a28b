// The body of a POST's answer while its calls run: sealed frames, and a sign of life where there is nothing else to send.
//
// workerd learns that a caller is gone when it writes to it, so that an answer that is silent would hide it for ever.

import type { Bytes } from "../raystream/bytes.js";

/** Bytes of an answer that are made before its reader takes any (`docs/raystream.md`, "Streams"). */
const WINDOW_LEN = 256 * 1024;

/** Longest silence, in milliseconds. */
const SILENCE_MS_MAX = 1_000;

/** Who waits for an answer, and what is sent to them. */
export class Answer {
  #abort: AbortController | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #beat: ReturnType<typeof setInterval> | undefined;
  #isSilent = true;
  #wake: () => void = () => undefined;

  /** `gone` gives what says that the caller left; `heartbeat` seals a frame that says nothing. */
  constructor(
    private readonly gone: () => AbortSignal,
    private readonly heartbeat: () => Bytes,
  ) {}

  /**
   * Aborted when the caller is gone. Made for whoever asks: nobody can be seen to leave before something is sent, and most calls
   * are over by then.
   */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      const gone = this.gone();
      gone.addEventListener("abort", () => this.#leave());
      if (gone.aborted) this.#leave();
    }
    return this.#abort.signal;
  }

  /** Whether the caller is known to be gone. */
  get isGone(): boolean {
    return this.#abort?.signal.aborted === true;
  }

  /** The body. Until it is there nothing can be written; once it is, nothing is sealed but what is written. */
  open(): ReadableStream<Uint8Array> {
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#wake(),
        cancel: () => this.#leave(),
      },
      { highWaterMark: WINDOW_LEN, size: (chunk) => chunk?.length ?? 0 },
    );
    if (!this.signal.aborted) this.#beat = setInterval(() => this.#live(), SILENCE_MS_MAX);
    return body;
  }

  /** Puts frames into the body. */
  write(frames: Bytes): void {
    this.signal.throwIfAborted();
    this.#isSilent = false;
    this.#controller?.enqueue(frames);
  }

  /** Resolves when the reader takes more. Rejects once there is none. */
  async room(): Promise<void> {
    while ((this.#controller?.desiredSize ?? 0) <= 0) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.signal.throwIfAborted();
    }
  }

  /** Ends the body, unless its reader did. */
  close(): void {
    clearInterval(this.#beat);
    if (!this.signal.aborted) this.#controller?.close();
  }

  /** Breaks the body off. */
  fail(error: unknown): void {
    clearInterval(this.#beat);
    if (!this.signal.aborted) this.#controller?.error(error);
  }

  #live(): void {
    // A reader that takes nothing has frames to fetch, and no silence.
    if (this.#isSilent && (this.#controller?.desiredSize ?? 0) > 0) this.#controller?.enqueue(this.heartbeat());
    this.#isSilent = true;
  }

  #leave(): void {
    if (this.#abort === undefined || this.isGone) return;
    clearInterval(this.#beat);
    this.#abort.abort(new DOMException("the caller is gone", "AbortError"));
    this.#wake();
  }
}
