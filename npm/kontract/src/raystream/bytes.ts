// Byte strings: joining, comparing, little-endian numbers, base64url.

/** Bytes over memory that nobody else shares. */
export type Bytes = Uint8Array<ArrayBuffer>;

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}

export function u16(value: number): Bytes {
  return littleEndian(value, 2);
}

export function u32(value: number): Bytes {
  return littleEndian(value, 4);
}

export function u64(value: number): Bytes {
  return littleEndian(value, 8);
}

function littleEndian(value: number, length: number): Bytes {
  return new Uint8Array(length).map((_, place) => value / 2 ** (8 * place));
}

/** A 64-bit number; `undefined` beyond 2^53 - 1. */
export function readU64(bytes: Uint8Array, offset: number): number | undefined {
  const value = Number(view(bytes).getBigUint64(offset, true));
  return Number.isSafeInteger(value) ? value : undefined;
}

export function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What `String.fromCharCode` takes at once. */
const CHARACTERS_MAX = 0x2000;

/** Writes base64url without padding (RFC 4648, section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += CHARACTERS_MAX) binary += String.fromCharCode(...bytes.subarray(at, at + CHARACTERS_MAX));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Reads base64url without padding (RFC 4648, section 5). */
export function fromBase64Url(text: string): Bytes {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
