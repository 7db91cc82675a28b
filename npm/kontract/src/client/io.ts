// What a call with streams does with its chunks; the transports know nothing else of streams.
import type { Resume } from '../raystream/handshake.js';
import type { Opened } from '../raystream/session.js';
import type { PostOptions } from './post.js';
import type { StreamIo } from './types.js';

/** The streams of one call. */
export interface Io extends StreamIo {
  /** A call begins on a socket; `send` sends a chunk, `fail` gives the call up. */
  begin(send: (chunk: Uint8Array) => void, fail: (error: unknown) => void): void;
  /** The call on the socket is over. */
  stop(): void;
  /** A chunk arrived on the socket. */
  take(chunk: Uint8Array): void;
  /** Makes the whole call as a POST. */
  post(resume: Resume, sequence: number, payload: Uint8Array, options: PostOptions, signal: AbortSignal): Promise<Opened>;
}
