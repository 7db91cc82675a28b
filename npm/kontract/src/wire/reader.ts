/**
 * Reads FlatBuffers that a peer sent. Nothing is trusted: every position is checked against the bounds of what holds it,
 * every count against the bytes that are left, and each object is paid for out of a budget of as many bytes as the
 * message has. Objects of an honest message do not overlap, so that it always suffices, and a message whose objects
 * share parts is refused in time linear in its length.
 */

import type { PathPart } from './error.js';
import { MESSAGE_LEN_MAX } from './limits.js';
import { Path } from './path.js';

export class Reader extends Path {
  /** Vtable of the table that was begun last. */
  vtable = 0;
  private readonly bytes: Uint8Array;
  /** The message's numbers, for the functions that read values. */
  readonly view: DataView;
  protected readonly len: number;
  protected budget: number;
  /** Where the part of the message ends that was read. */
  private end: number;

  constructor(bytes: Uint8Array) {
    super();
    // A view of its own: a Node Buffer's `slice` would share memory.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.len = bytes.byteLength;
    this.budget = this.len - 4;
    this.end = 4;
    if (this.len < 8 || this.len > MESSAGE_LEN_MAX) throw this.error('', `message of ${this.len} bytes`);
  }

  /** Begins the table that `at` refers to; position 0 is the root. Its type has `slots` fields. */
  table(at: number, name: PathPart, slots: number): number {
    const { view, len } = this;
    const table = this.follow(at, name);
    const vtable = table - view.getInt32(table, true);
    if (vtable < 4 || vtable + 4 > len) throw this.error(name, 'vtable outside of the message');
    const vtableLen = view.getUint16(vtable, true);
    const size = view.getUint16(vtable + 2, true);
    const vtableEnd = vtable + vtableLen;
    const end = table + size;
    if (vtableLen < 4 || (vtableLen & 1) !== 0 || vtableEnd > len) throw this.error(name, 'malformed vtable');
    if (vtableLen > 4 + 2 * slots) throw this.error(name, 'unknown field');
    if (size < 4 || end > len) throw this.error(name, 'table outside of the message');
    if (vtable < end && table < vtableEnd) throw this.error(name, 'vtable over data');
    this.pay(size, end, name);
    if (vtableEnd > this.end) this.end = vtableEnd;
    this.enter(name);
    this.vtable = vtable;
    return table;
  }

  /** Calls the current table by another name in paths: its key, once that is known. */
  rename(name: PathPart): void {
    this.path[this.top - 1] = name;
  }

  /** Where a field of `size` bytes is; 0 if it is absent. */
  slot(table: number, vtable: number, slot: number, size: number, name: PathPart): number {
    const entry = 4 + 2 * slot;
    if (entry >= this.view.getUint16(vtable, true)) return 0;
    const offset = this.view.getUint16(vtable + entry, true);
    if (offset === 0) return 0;
    if (offset < 4 || offset + size > this.view.getUint16(vtable + 2, true)) {
      throw this.error(name, 'field outside of its table');
    }
    return table + offset;
  }

  /** Refuses the field of a slot whose field is gone. */
  removed(vtable: number, slot: number): void {
    if (this.slot(0, vtable, slot, 0, '') !== 0) throw this.error('', 'unknown field');
  }

  /** Where a required field of `size` bytes is. */
  need(table: number, vtable: number, slot: number, size: number, name: PathPart): number {
    const pos = this.slot(table, vtable, slot, size, name);
    if (pos === 0) throw this.error(name, 'missing');
    return pos;
  }

  /** Begins the vector that `at` refers to; `count` says how many elements, and the result where the first one is. */
  vector(at: number, size: number, name: PathPart): number {
    const start = this.run(at, size, 0, name);
    this.within(name);
    return start;
  }

  string(at: number, name: PathPart): string {
    const start = this.run(at, 1, 1, name);
    const end = start + this.count;
    const bytes = this.bytes;
    if (bytes[end] !== 0) throw this.error(name, 'text without its end');
    const text = utf8(bytes, start, end);
    if (text === undefined) throw this.error(name, 'text that is not UTF-8');
    return text;
  }

  /** Bytes of the message itself, which must not get out. */
  borrowed(at: number, name: PathPart): Uint8Array {
    const start = this.run(at, 1, 0, name);
    return this.bytes.subarray(start, start + this.count);
  }

  /** Refuses a message that has more in it than was read, padding aside. */
  finish(): void {
    const isPadding = this.len - this.end < ALIGN_MAX && this.bytes.subarray(this.end).every((byte) => byte === 0);
    if (!isPadding) throw this.error('', 'trailing bytes');
  }

  /** The position that the reference at `at` leads to, always further back, with four bytes to read there. */
  private follow(at: number, name: PathPart): number {
    const offset = this.view.getUint32(at, true);
    const target = at + offset;
    if (offset === 0 || target + 4 > this.len) throw this.error(name, 'reference outside of the message');
    return target;
  }

  /** Where the elements behind a length start; `tail` bytes have to follow them. */
  private run(at: number, size: number, tail: number, name: PathPart): number {
    const pos = this.follow(at, name);
    const count = this.view.getUint32(pos, true);
    const bytes = count * size + tail;
    const start = pos + 4;
    if (bytes > this.len - start) throw this.error(name, 'longer than the message');
    this.pay(bytes + 4, start + bytes, name);
    this.count = count;
    return start;
  }

  private pay(bytes: number, end: number, name: PathPart): void {
    this.budget -= bytes;
    if (this.budget < 0) throw this.error(name, 'objects overlap');
    if (end > this.end) this.end = end;
  }
}

/** Text of UTF-8, or `undefined` where the bytes are something else. */
export function utf8(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start <= SHORT_TEXT_LEN_MAX) {
    const text = ascii(bytes, start, end);
    if (text !== undefined) return text;
  }
  try {
    return DECODER.decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}

/** Text of ASCII alone, else undefined. Eight at a time, as joining is what takes time. */
function ascii(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  let i = start;
  for (; i + 8 <= end; i += 8) {
    const a = bytes[i] as number;
    const b = bytes[i + 1] as number;
    const c = bytes[i + 2] as number;
    const d = bytes[i + 3] as number;
    const e = bytes[i + 4] as number;
    const f = bytes[i + 5] as number;
    const g = bytes[i + 6] as number;
    const h = bytes[i + 7] as number;
    if ((a | b | c | d | e | f | g | h) > 0x7f) return undefined;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  for (; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text up to this length is joined here, which is faster than a call of the decoder, in bytes. */
const SHORT_TEXT_LEN_MAX = 32;

/** Other writers pad at the end, to the widest field, in bytes. */
const ALIGN_MAX = 8;
