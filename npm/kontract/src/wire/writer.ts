/**
 * Writes FlatBuffers, from the front: a table, its vtable, then what the table refers to. Generated codecs call it; it
 * checks every value it is given, so that what was written is always of the declared type.
 *
 * Bytes behind `pos` are zero at all times, which makes padding and absent fields zero without clearing them.
 */

import { describe, type PathPart, type WireError } from './error.js';
import { BUFFER_KEPT_MAX, MESSAGE_LEN_MAX } from './limits.js';
import { Path } from './path.js';

/** How a table is laid out. Made once per type by generated code. */
export interface Shape {
  /** Names of the properties; of a table without properties of its own, none. */
  readonly fields: readonly string[];
  /** The vtable of a table with every field present, as 16-bit words. */
  readonly vtable: Uint16Array;
  /** Bytes of the table itself. */
  readonly size: number;
  /** Whether it has fields of eight bytes; they start at offset 4. */
  readonly wide: boolean;
}

/** A shape: the field of slot `i` is at `offsets[i]`. */
export function shape(fields: readonly string[], offsets: readonly number[], size: number, wide: boolean): Shape {
  const vtable = Uint16Array.of(4 + 2 * offsets.length, size, ...offsets);
  return { fields, vtable, size, wide };
}

/** An empty writer. Its buffer is reused by later messages once `finish` was called. */
export function writer(): Writer {
  const free = spare ?? new Writer();
  spare = undefined;
  return free;
}

/** The single value of a property that every object inherits, such as `constructor`, or `undefined`. */
export function own(value: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

export class Writer extends Path {
  /** The message so far and its numbers, for the functions that write values. Both change when it grows. */
  bytes = new Uint8Array(1024);
  view = new DataView(this.bytes.buffer);
  private pos = 4;
  private vtable = 0;
  private vtables: number[] = [];

  /** Begins a table that `at` refers to; position 0 is the root. Every field counts as present. */
  table(at: number, name: PathPart, shape: Shape): number {
    this.enter(name);
    const { vtable, size, wide } = shape;
    let table = (this.pos + 3) & ~3;
    if (wide && (table & 7) === 0) table += 4;
    const words = vtable.length;
    const end = table + size;
    this.reserve(end + 2 * words, name);
    const view = this.view;
    view.setUint32(at, table - at, true);
    view.setInt32(table, -size, true);
    for (let i = 0; i < words; i++) view.setUint16(end + 2 * i, vtable[i] as number, true);
    this.vtable = end;
    this.pos = end + 2 * words;
    return table;
  }

  /** Marks a field of the table begun last as absent. */
  absent(slot: number): void {
    this.view.setUint16(this.vtable + 4 + 2 * slot, 0, true);
  }

  /** Ends the part of a table that is not references, before the first of its children is written. */
  seal(table: number): void {
    const { view, vtable, vtables } = this;
    const len = view.getUint16(vtable, true);
    const oldest = Math.max(0, vtables.length - VTABLES_COMPARED_MAX);
    for (let i = vtables.length - 1; i >= oldest; i--) {
      const known = vtables[i] as number;
      let same = 0;
      while (same < len && view.getUint16(known + same, true) === view.getUint16(vtable + same, true)) same += 2;
      if (same < len) continue;
      for (let i = 0; i < len; i += 2) view.setUint16(vtable + i, 0, true);
      this.pos = vtable;
      view.setInt32(table, table - known, true);
      return;
    }
    vtables.push(vtable);
  }

  /** Begins the elements of a vector; `close` ends them. */
  elements(count: number, name: PathPart): void {
    this.within(name);
    this.count = count;
  }

  string(at: number, value: unknown, name: PathPart): void {
    if (typeof value !== 'string') throw this.expected(name, 'a string', value);
    const length = value.length;
    if (length > SHORT_TEXT_LEN_MAX) {
      this.text(this.begin(at, length + 1, false, name), value, name);
      return;
    }
    const start = this.begin(at, 2 * length + 1, false, name);
    const bytes = this.bytes;
    let end = start;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit < 0x80) {
        bytes[end++] = unit;
      } else if (unit < 0x800) {
        bytes[end++] = 0xc0 | (unit >> 6);
        bytes[end++] = 0x80 | (unit & 0x3f);
      } else {
        bytes.fill(0, start, end);
        this.text(start, value, name);
        return;
      }
    }
    this.view.setUint32(start - 4, end - start, true);
    this.pos = end + 1;
  }

  /** The message. The writer must not be used afterwards. */
  finish(): Uint8Array {
    const message = this.bytes.slice(0, this.pos);
    if (this.bytes.length <= BUFFER_KEPT_MAX) {
      this.bytes.fill(0, 0, this.pos);
      this.pos = 4;
      this.vtables.length = 0;
      spare = this;
    }
    return message;
  }

  /** Text that is long or not ASCII. The length goes before it once it is known. */
  private text(start: number, value: string, name: PathPart): void {
    const capacity = Math.min(start + 3 * value.length + 1, MESSAGE_LEN_MAX);
    this.reserve(capacity, name);
    const { read, written } = ENCODER.encodeInto(value, this.bytes.subarray(start, capacity - 1));
    if (read !== value.length) throw this.error(name, TOO_LONG);
    if (written !== value.length && LONE_SURROGATE.test(value)) {
      throw this.error(name, 'text with a lone surrogate');
    }
    this.view.setUint32(start - 4, written, true);
    this.pos = start + written + 1;
  }

  /** Begins a length-prefixed run of bytes that `at` refers to. */
  begin(at: number, len: number, wide: boolean, name: PathPart): number {
    let start = ((this.pos + 3) & ~3) + 4;
    if (wide && (start & 7) !== 0) start += 4;
    this.reserve(start + len, name);
    this.view.setUint32(at, start - 4 - at, true);
    this.pos = start + len;
    return start;
  }

  private reserve(end: number, name: PathPart): void {
    if (end <= this.bytes.length) return;
    if (end > MESSAGE_LEN_MAX) throw this.error(name, TOO_LONG);
    const bytes = new Uint8Array(Math.max(end, 2 * this.bytes.length));
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** The error for a value that is something else. */
  expected(name: PathPart, what: string, value: unknown): WireError {
    return this.error(name, `expected ${what}, got ${describe(value)}`);
  }
}

let spare: Writer | undefined;

const TOO_LONG = `message longer than ${MESSAGE_LEN_MAX} bytes`;
const ENCODER = new TextEncoder();
export const LONE_SURROGATE = /\p{Surrogate}/u;

/** Text up to this length is written unit by unit, which is faster than a call of the encoder, in UTF-16 units. */
const SHORT_TEXT_LEN_MAX = 48;

/** Equal vtables are looked for among the newest few, so that writing stays linear in the message. */
const VTABLES_COMPARED_MAX = 16;
