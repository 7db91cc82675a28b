// Padding: payload ‖ 0x80 ‖ zeros, to the Padmé length of payload + 1. See `docs/raystream.md`, "Padding".
import type { Bytes } from './bytes.js';
import { PLAINTEXT_LEN_MAX } from './limits.js';
import { RefusedError } from './refused.js';

const MARKER = 0x80;

export function pad(payload: Uint8Array): Bytes {
  const padded = new Uint8Array(Math.min(padme(payload.length + 1), PLAINTEXT_LEN_MAX));
  padded.set(payload);
  padded[payload.length] = MARKER;
  return padded;
}

export function unpad(plaintext: Bytes): Bytes {
  const marker = plaintext.findLastIndex((byte) => byte !== 0);
  if (plaintext[marker] !== MARKER) throw new RefusedError('malformed padding');
  return plaintext.subarray(0, marker);
}

/** The least length that Padmé allows for `length` bytes. */
function padme(length: number): number {
  if (length < 2) return length;
  const exponent = log2(length);
  const mantissaBits = (exponent === 0 ? 0 : log2(exponent)) + 1;
  const mask = 2 ** Math.max(exponent - mantissaBits, 0) - 1;
  return (length + mask) & ~mask;
}

function log2(value: number): number {
  return 31 - Math.clz32(value);
}
