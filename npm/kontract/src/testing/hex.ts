// Bytes as hexadecimal text.
import type { Bytes } from '../raystream/bytes.js';

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function unhex(text: string): Bytes {
  return Uint8Array.from(text.match(/../gu) ?? [], (digits) => Number.parseInt(digits, 16));
}
