// Hexadecimal, as vectors and the echo peer spell bytes.
import type { Bytes } from '../raystream/bytes.js';

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function unhex(text: string): Bytes {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}
