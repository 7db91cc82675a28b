// The items of a streamed result, from the endpoint to a loop in the same isolate, one at a time.

import { Change } from "../change.js";
import type { Bytes } from "../raystream/bytes.js";
import { Inbox } from "./inbox.js";
import type { Peer } from "./peer.js";

/** A caller that takes items as it iterates. */
export class Handover implements Peer {
  readonly inbox = new Inbox(undefined, 0);
  readonly signal: AbortSignal;
  readonly #left = new AbortController();
  #item: Bytes | undefined;
  #ended: { readonly error?: unknown } | undefined;
  readonly #change = new Change();

  constructor(gone: AbortSignal) {
    this.signal = AbortSignal.any([gone, this.#left.signal]);
    this.signal.addEventListener("abort", () => this.#change.happened());
  }

  get isGone(): boolean {
    return this.signal.aborted;
  }

  /** Resolves once the item was taken. */
  async send(item: Bytes): Promise<void> {
    this.signal.throwIfAborted();
    this.#item = item;
    this.#change.happened();
    while (this.#item !== undefined) {
      await this.#change.next();
      this.signal.throwIfAborted();
    }
  }

  /** The next item; nothing after the last one. */
  async next(): Promise<Bytes | undefined> {
    for (;;) {
      const item = this.#item;
      this.#item = undefined;
      if (item !== undefined) {
        this.#change.happened();
        return item;
      }
      if (this.#ended !== undefined) {
        if ("error" in this.#ended) throw this.#ended.error;
        return undefined;
      }
      this.signal.throwIfAborted();
      await this.#change.next();
    }
  }

  /** The result is complete. */
  end(): void {
    this.#ended ??= {};
    this.#change.happened();
  }

  /** The call failed. */
  fail(error: unknown): void {
    this.#ended ??= { error };
    this.#change.happened();
  }

  /** The loop was left; the endpoint ends as well. */
  leave(): void {
    this.#left.abort(new DOMException("the stream was left", "AbortError"));
  }
}
