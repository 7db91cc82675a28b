/** Writes FlexBuffers: children before what holds them, the root at the end. Refuses what could not come back as it was. */

import { INHERITED, plain } from './collections.js';
import type { PathPart } from './error.js';
import {
  BLOB,
  BOOL,
  FLOAT,
  INDIRECT_FLOAT,
  INDIRECT_INT,
  INDIRECT_UINT,
  INT,
  KEY,
  MAP,
  MAP_MARK,
  NULL,
  SET_MARK,
  STRING,
  VECTOR,
} from './flex.js';
import { MESSAGE_LEN_MAX } from './limits.js';
import { LONE_SURROGATE, type Writer } from './writer.js';

/** Where the keys of an object lie. */
interface Keys {
  readonly at: number;
  readonly width: number;
}

export class FlexWriter {
  private bytes = new Uint8Array(256);
  private view = new DataView(this.bytes.buffer);
  private pos = 0;
  /**
   * Values that nothing holds yet: the type of each, its number or the position of what it refers to, and the logarithm of
   * the width that it needs or that its parts have.
   */
  private readonly types: number[] = [];
  private readonly numbers: number[] = [];
  private readonly widths: number[] = [];
  private readonly open: object[] = [];
  private readonly keys = new Map<string, number>();
  private readonly keyVectors = new Map<string, Keys>();

  /** For paths and depth. */
  constructor(private readonly w: Writer) {}

  message(value: unknown, name: PathPart): Uint8Array {
    this.value(value, name);
    const [type, number, own] = [this.types[0] as number, this.numbers[0] as number, this.widths[0] as number];
    let width = isInline(type) ? own : 0;
    while (!isInline(type) && aligned(this.pos, width) - number >= 2 ** (8 << width)) width++;
    this.pos = aligned(this.pos, width);
    this.reserve(10, name);
    this.element(this.pos, width, 0);
    this.pos += 1 << width;
    this.bytes[this.pos++] = (type << 2) | own;
    this.bytes[this.pos++] = 1 << width;
    return this.bytes.subarray(0, this.pos);
  }

  /** Puts a value on the stack. */
  private value(value: unknown, name: PathPart): void {
    switch (typeof value) {
      case 'string':
        return this.string(value, name);
      case 'number':
        return this.number(value);
      case 'boolean':
        return this.push(BOOL, value ? 1 : 0, 0);
      case 'undefined':
        return this.push(KEY, this.key('', name), 0);
      case 'bigint':
        return this.bigint(value, name);
      case 'object':
        return value === null ? this.push(NULL, 0, 0) : this.object(value, name);
      default:
        throw this.w.expected(name, 'a value that can be sent', value);
    }
  }

  private number(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      return this.push(FLOAT, value, Math.fround(value) === value || Number.isNaN(value) ? 2 : 3);
    }
    const size = value < 0 ? -1 - value : value;
    this.push(INT, value, size < 0x80 ? 0 : size < 0x8000 ? 1 : size < 0x8000_0000 ? 2 : 3);
  }

  private bigint(value: bigint, name: PathPart): void {
    const signed = BigInt.asIntN(64, value) === value;
    if (!signed && BigInt.asUintN(64, value) !== value) throw this.w.error(name, 'out of the range of a 64-bit integer');
    const at = this.indirect(name);
    this.view.setBigUint64(at, BigInt.asUintN(64, value), true);
    this.push(signed ? INDIRECT_INT : INDIRECT_UINT, at, 3);
  }

  private object(value: object, name: PathPart): void {
    if (value instanceof Date) return this.date(value, name);
    if (value instanceof Uint8Array) return this.run(BLOB, value, name);
    if (this.open.includes(value)) throw this.w.error(name, 'refers to itself');
    this.w.enter(name);
    this.open.push(value);
    const start = this.types.length;
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) this.value(value[i], i);
      this.vector(start, undefined, name);
    } else if (value instanceof Map) {
      this.marked(MAP_MARK, Array.from(value as Map<unknown, unknown>).flat(1), start, name);
    } else if (value instanceof Set) {
      this.marked(SET_MARK, Array.from(value as Set<unknown>), start, name);
    } else {
      this.properties(value, start, name);
    }
    this.open.pop();
    this.w.leave();
  }

  private marked(mark: string, elements: unknown[], start: number, name: PathPart): void {
    this.push(KEY, this.key(mark, name), 0);
    elements.forEach((element, i) => this.value(element, i));
    this.vector(start, undefined, name);
  }

  private properties(value: object, start: number, name: PathPart): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    // An object of another realm has another Object.prototype, which has none above it either.
    if (!plain(value) || (prototype !== null && Object.getPrototypeOf(prototype) !== null)) {
      throw this.w.error('', 'an instance of a class; only plain objects can be sent');
    }
    const names = sorted(Object.keys(value));
    let known = '';
    for (const key of names) {
      if (key in Object.prototype) throw this.w.error(key, INHERITED);
      known += `${this.key(key, key)},`;
    }
    for (const key of names) this.value(value[key], key);
    let keys = this.keyVectors.get(known);
    if (keys === undefined) this.keyVectors.set(known, (keys = this.keyVector(names, name)));
    this.vector(start, keys, name);
  }

  private keyVector(names: string[], name: PathPart): Keys {
    const start = this.types.length;
    for (const key of names) this.push(KEY, this.key(key, name), 0);
    const width = this.elements(start, 1, false, name);
    const at = this.pos - (names.length << width);
    this.drop(start);
    return { at, width };
  }

  /** Replaces the values from `start` on by what holds them: a vector, or with keys a map. */
  private vector(start: number, keys: Keys | undefined, name: PathPart): void {
    const count = this.types.length - start;
    const width = this.elements(start, keys === undefined ? 1 : 3, true, name, keys);
    const at = this.pos - (count << width);
    for (let i = start; i < this.types.length; i++) {
      const type = this.types[i] as number;
      this.bytes[this.pos++] = (type << 2) | (isInline(type) ? width : (this.widths[i] as number));
    }
    this.drop(start);
    this.push(keys === undefined ? VECTOR : MAP, at, width);
  }

  /** Writes what comes before elements and the elements; gives the logarithm of their width. */
  private elements(start: number, prefix: number, typed: boolean, name: PathPart, keys?: Keys): number {
    const count = this.types.length - start;
    let width = 0;
    while (!this.fits(start, width, prefix, keys)) width++;
    const size = 1 << width;
    let at = aligned(this.pos, width);
    this.reserve(at - this.pos + (prefix + count) * size + (typed ? count : 0), name);
    if (keys !== undefined) {
      this.integer(at, width, at - keys.at);
      this.integer(at + size, width, 1 << keys.width);
      at += 2 * size;
    }
    this.integer(at, width, count);
    at += size;
    for (let i = 0; i < count; i++, at += size) this.element(at, width, start + i);
    this.pos = at;
    return width;
  }

  private fits(start: number, width: number, prefix: number, keys: Keys | undefined): boolean {
    const limit = 2 ** (8 << width);
    const base = aligned(this.pos, width);
    if (this.types.length - start >= limit || (keys !== undefined && base - keys.at >= limit)) return false;
    for (let i = start, at = base + (prefix << width); i < this.types.length; i++, at += 1 << width) {
      const inline = isInline(this.types[i] as number);
      if (inline ? (this.widths[i] as number) > width : at - (this.numbers[i] as number) >= limit) return false;
    }
    return true;
  }

  private element(at: number, width: number, place: number): void {
    const type = this.types[place] as number;
    const number = this.numbers[place] as number;
    if (type === FLOAT && width === 2) this.view.setFloat32(at, number, true);
    else if (type === FLOAT) this.view.setFloat64(at, number, true);
    else this.integer(at, width, isInline(type) ? number : at - number);
  }

  private integer(at: number, width: number, value: number): void {
    if (width === 0) this.view.setInt8(at, value);
    else if (width === 1) this.view.setInt16(at, value, true);
    else if (width === 2) this.view.setInt32(at, value, true);
    else this.view.setBigInt64(at, BigInt(value), true);
  }

  private string(value: string, name: PathPart): void {
    if (LONE_SURROGATE.test(value)) throw this.w.error(name, 'text with a lone surrogate');
    this.run(STRING, ENCODER.encode(value), name);
    this.reserve(1, name);
    this.pos++;
  }

  private run(type: number, bytes: Uint8Array, name: PathPart): void {
    const { length } = bytes;
    const width = length < 0x100 ? 0 : length < 0x1_0000 ? 1 : 2;
    this.pos = aligned(this.pos, width);
    this.reserve(length + (1 << width), name);
    this.integer(this.pos, width, length);
    this.pos += 1 << width;
    this.bytes.set(bytes, this.pos);
    this.push(type, this.pos, width);
    this.pos += length;
  }

  private date(value: Date, name: PathPart): void {
    const ms = value.getTime();
    if (!Number.isInteger(ms)) throw this.w.error(name, 'invalid date');
    const at = this.indirect(name);
    this.view.setFloat64(at, ms, true);
    this.push(INDIRECT_FLOAT, at, 3);
  }

  private indirect(name: PathPart): number {
    const at = aligned(this.pos, 3);
    this.reserve(at + 8 - this.pos, name);
    this.pos = at + 8;
    return at;
  }

  /** The position of a key, which is written once. */
  private key(key: string, name: PathPart): number {
    const known = this.keys.get(key);
    if (known !== undefined) return known;
    if (key.includes('\0')) throw this.w.error(name, 'a key with a NUL');
    if (LONE_SURROGATE.test(key)) throw this.w.error(name, 'text with a lone surrogate');
    const bytes = ENCODER.encode(key);
    const at = this.pos;
    this.reserve(bytes.length + 1, name);
    this.bytes.set(bytes, at);
    this.pos += bytes.length + 1;
    this.keys.set(key, at);
    return at;
  }

  private push(type: number, number: number, width: number): void {
    this.types.push(type);
    this.numbers.push(number);
    this.widths.push(width);
  }

  private drop(start: number): void {
    this.types.length = start;
    this.numbers.length = start;
    this.widths.length = start;
  }

  /** Makes room for so many bytes, and for what aligning them takes. */
  private reserve(len: number, name: PathPart): void {
    const end = this.pos + len + 8;
    if (end <= this.bytes.length) return;
    if (end > MESSAGE_LEN_MAX) throw this.w.error(name, `message longer than ${MESSAGE_LEN_MAX} bytes`);
    const bytes = new Uint8Array(Math.max(end, 2 * this.bytes.length));
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}

/** Whether values of a type lie in what holds them. */
function isInline(type: number): boolean {
  return type <= FLOAT || type === BOOL;
}

function aligned(pos: number, width: number): number {
  const mask = (1 << width) - 1;
  return (pos + mask) & ~mask;
}

/** Keys in the order of their bytes, by which other implementations look them up. */
function sorted(keys: string[]): string[] {
  const order = keys.sort();
  if (!order.some((key) => SURROGATE.test(key))) return order;
  const points = order.map((key) => Array.from(key, (char) => char.codePointAt(0) as number));
  const places = points.map((_, place) => place).sort((a, b) => compare(points[a] as number[], points[b] as number[]));
  return places.map((place) => order[place] as string);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  }
  return a.length - b.length;
}

const SURROGATE = /[\uD800-\uDFFF]/u;
const ENCODER = /* @__PURE__ */ new TextEncoder();
