// The ticket at hand, and the server's clock as the handshake showed it.
import type { Resumption } from '../raystream/handshake.js';
import type { Platform } from './platform.js';

/** A ticket this close to its end may not arrive in time. */
const MARGIN_MS = 5_000;

export class Tickets {
  readonly #now: Platform['now'];
  #held: Resumption | undefined;
  /** The server's clock less ours: a client whose clock is wrong must not think every ticket expired. */
  #skewMs = 0;

  constructor(now: Platform['now']) {
    this.#now = now;
  }

  /** The ticket, if there is one that the server will take. */
  get valid(): Resumption | undefined {
    const held = this.#held;
    return held !== undefined && held.expiresAt * 1000 - MARGIN_MS > this.serverNow() ? held : undefined;
  }

  /** Milliseconds since 1970 on the server's clock. */
  serverNow(): number {
    return this.#now() + this.#skewMs;
  }

  /** Sets the clock from a fresh session id, a UUID of version 7, whose first 48 bits are the time of its creation. */
  synchronize(sessionId: Uint8Array): void {
    const createdAt = sessionId.subarray(0, 6).reduce((time, byte) => time * 256 + byte, 0);
    this.#skewMs = createdAt - this.#now();
  }

  /** The server's clock shows no later time than this, in milliseconds since 1970. */
  notAfter(time: number): void {
    this.#skewMs = Math.min(this.#skewMs, time - this.#now());
  }

  keep(resumption: Resumption): void {
    this.#held = resumption;
  }

  drop(): void {
    this.#held = undefined;
  }
}
