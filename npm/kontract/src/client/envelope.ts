// The envelope of a call and of an error: the same layouts as `runtime/wire/src/call.rs` and `error.rs`.
import { type HttpError, httpError } from '../errors.js';
import { type Bytes, concat, u16, u32, utf8, view } from '../raystream/bytes.js';
import { type Entropy, sha256 } from '../raystream/crypto.js';
import { RefusedError } from '../raystream/refused.js';

const KEY_LEN = 16;

/** The key of calls that need none. */
export const NO_KEY: Bytes = new Uint8Array(KEY_LEN);

export interface Envelope {
  readonly route: number;
  /** Access token; empty for a call without one. */
  readonly token: string;
  readonly idempotencyKey: Uint8Array;
  readonly args: Uint8Array;
}

/** `route u32 | token length u16 | token | idempotency key 16 | arguments`. */
export function encodeCall({ route, token, idempotencyKey, args }: Envelope): Bytes {
  const text = utf8(token);
  return concat(u32(route), u16(text.length), text, idempotencyKey, args);
}

/** `status u16 | code length u8 | code | message`. */
export function decodeError(payload: Uint8Array): HttpError {
  const codeLen = payload[2];
  if (codeLen === undefined || payload.length < 3 + codeLen) throw new RefusedError('malformed error');
  const text = new TextDecoder();
  const code = text.decode(payload.subarray(3, 3 + codeLen));
  return httpError(view(payload).getUint16(0, true), code, text.decode(payload.subarray(3 + codeLen)));
}

/** The key of a mutation: the caller's, or a random one. Text becomes the beginning of its hash. */
export async function idempotencyKey(given: string | Uint8Array | undefined, entropy: Entropy): Promise<Bytes> {
  if (given === undefined) return entropy(KEY_LEN);
  if (typeof given === 'string') return (await sha256(utf8(`kontract idempotency\0${given}`))).slice(0, KEY_LEN);
  if (given.length !== KEY_LEN || given.every((byte) => byte === 0)) {
    throw new RangeError('an idempotency key is text or 16 bytes, not all zero');
  }
  return Uint8Array.from(given);
}
