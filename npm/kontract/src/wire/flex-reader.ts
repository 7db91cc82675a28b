/**
 * Reads FlexBuffers that a peer sent. As in messages, every position and count is checked, and each object is paid for out
 * of a budget of as many bytes as there are. Keys may be shared, and are read once.
 */

import { getElement, getEntry, getPair } from './collections.js';
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
  UINT,
  VECTOR,
  VECTOR_BOOL,
  VECTOR_FLOAT4,
  VECTOR_INT,
  VECTOR_INT2,
  VECTOR_KEY,
} from './flex.js';
import { type Reader, utf8 } from './reader.js';
import { DATE_MS_MAX } from './values.js';

export class FlexReader {
  private readonly view: DataView;
  private budget: number;
  private readonly keys = new Map<number, string>();
  private readonly keyVectors = new Map<number, string[]>();

  /** The reader of the message is for paths and depth. */
  constructor(
    private readonly r: Reader,
    private readonly bytes: Uint8Array,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.budget = bytes.length;
  }

  message(name: PathPart): unknown {
    const { length } = this.bytes;
    const width = this.bytes[length - 1] as number;
    if (length < 3 || !(width === 1 || width === 2 || width === 4 || width === 8) || length < width + 2) {
      throw this.r.error(name, 'malformed value');
    }
    return this.value(length - 2 - width, width, this.bytes[length - 2] as number, name);
  }

  /** The value of a packed type whose number or reference of `width` bytes is at `at`. */
  private value(at: number, width: number, packed: number, name: PathPart): unknown {
    const type = packed >> 2;
    const own = 1 << (packed & 3);
    switch (type) {
      case NULL:
        return null;
      case INT:
        return this.int(at, width);
      case UINT:
        return this.uint(at, width);
      case FLOAT:
        return this.float(at, width, name);
      case BOOL:
        return this.bool(at, width, name);
      case KEY: {
        const text = this.key(this.follow(at, width, name), name);
        return text === '' ? undefined : text;
      }
      case STRING:
        return this.string(this.follow(at, width, name), own, name);
      case BLOB:
        return this.blob(this.follow(at, width, name), own, name);
      case INDIRECT_INT:
        return BigInt(this.int(this.scalar(at, width, own, name), own));
      case INDIRECT_UINT:
        return BigInt(this.uint(this.scalar(at, width, own, name), own));
      case INDIRECT_FLOAT:
        return this.date(this.scalar(at, width, own, name), own, name);
      case MAP:
        return this.map(this.follow(at, width, name), own, name);
      case VECTOR:
        return this.vector(this.follow(at, width, name), own, name);
      default:
        return this.typed(type, this.follow(at, width, name), own, name);
    }
  }

  private vector(at: number, width: number, name: PathPart): unknown {
    const count = this.counted(at, width, 1, true, name);
    this.r.enter(name);
    const types = at + count * width;
    const mark = count > 0 && (this.bytes[types] as number) >> 2 === KEY ? this.key(this.follow(at, width, 0), 0) : '';
    const element = (i: number, shown: PathPart): unknown =>
      this.value(at + i * width, width, this.bytes[types + i] as number, shown);
    let result: unknown;
    if (mark === MAP_MARK && count % 2 === 1) {
      const map = new Map<unknown, unknown>();
      for (let i = 1; i < count; i += 2) getPair(this.r, map, element(i, i - 1), element(i + 1, i));
      result = map;
    } else if (mark === SET_MARK) {
      const set = new Set<unknown>();
      for (let i = 1; i < count; i++) getElement(this.r, set, element(i, i - 1), i - 1);
      result = set;
    } else {
      const list: unknown[] = [];
      for (let i = 0; i < count; i++) list.push(element(i, i));
      result = list;
    }
    this.r.leave();
    return result;
  }

  private map(at: number, width: number, name: PathPart): Record<string, unknown> {
    const count = this.counted(at, width, 3, true, name);
    const keysWidth = Number(this.uint(at - 2 * width, width));
    const keys = this.keyVector(this.follow(at - 3 * width, width, name), keysWidth, name);
    if (keys.length !== count) throw this.r.error(name, 'malformed value');
    this.r.enter(name);
    const object: Record<string, unknown> = {};
    const types = at + count * width;
    for (let i = 0; i < count; i++) {
      const key = keys[i] as string;
      if (key in object) {
        this.r.enter(key);
        getEntry(this.r, object, key, undefined);
      }
      object[key] = this.value(at + i * width, width, this.bytes[types + i] as number, key);
    }
    this.r.leave();
    return object;
  }

  private keyVector(at: number, width: number, name: PathPart): string[] {
    if (!(width === 1 || width === 2 || width === 4 || width === 8)) throw this.r.error(name, 'malformed value');
    const place = at * 16 + width;
    const known = this.keyVectors.get(place);
    if (known !== undefined) return known;
    const count = this.counted(at, width, 1, false, name);
    const keys: string[] = [];
    for (let i = 0; i < count; i++) keys.push(this.key(this.follow(at + i * width, width, name), name));
    this.keyVectors.set(place, keys);
    return keys;
  }

  /** A vector whose elements are all of one type. Kontract writes none. */
  private typed(type: number, at: number, width: number, name: PathPart): unknown[] {
    let [of, count] = [BOOL, 0];
    if (type >= VECTOR_INT2 && type <= VECTOR_FLOAT4) {
      of = INT + ((type - VECTOR_INT2) % 3);
      count = 2 + Math.floor((type - VECTOR_INT2) / 3);
      this.claim(at, count * width, name);
    } else if (type === VECTOR_BOOL || (type >= VECTOR_INT && type <= VECTOR_KEY)) {
      if (type !== VECTOR_BOOL) of = type - VECTOR_INT + INT;
      count = this.counted(at, width, 1, false, name);
    } else {
      throw this.r.error(name, 'unknown type of value');
    }
    const list: unknown[] = [];
    for (let i = 0; i < count; i++) list.push(this.value(at + i * width, width, of << 2, name));
    return list;
  }

  private string(at: number, width: number, name: PathPart): string {
    const count = this.counted(at, width, 1, false, name, 1);
    if (this.bytes[at + count] !== 0) throw this.r.error(name, 'text without its end');
    const text = utf8(this.bytes, at, at + count);
    if (text === undefined) throw this.r.error(name, 'text that is not UTF-8');
    return text;
  }

  private blob(at: number, width: number, name: PathPart): Uint8Array {
    return this.bytes.slice(at, at + this.counted(at, width, 1, false, name, 1));
  }

  private key(at: number, name: PathPart): string {
    const known = this.keys.get(at);
    if (known !== undefined) return known;
    const end = this.bytes.indexOf(0, at);
    if (end < 0) throw this.r.error(name, 'text without its end');
    this.claim(at, end + 1 - at, name);
    const text = utf8(this.bytes, at, end);
    if (text === undefined) throw this.r.error(name, 'text that is not UTF-8');
    this.keys.set(at, text);
    return text;
  }

  private date(at: number, width: number, name: PathPart): Date {
    const ms = this.float(at, width, name);
    if (!(Math.abs(ms) <= DATE_MS_MAX) || !Number.isInteger(ms)) throw this.r.error(name, 'date out of range');
    return new Date(ms);
  }

  private bool(at: number, width: number, name: PathPart): boolean {
    const value = this.uint(at, width);
    if (value !== 0 && value !== 1) throw this.r.error(name, 'expected a boolean');
    return value === 1;
  }

  /** Numbers that a double cannot hold come as bigints. */
  private int(at: number, width: number): number | bigint {
    if (width === 1) return this.view.getInt8(at);
    if (width === 2) return this.view.getInt16(at, true);
    if (width === 4) return this.view.getInt32(at, true);
    return narrowed(this.view.getBigInt64(at, true));
  }

  private uint(at: number, width: number): number | bigint {
    if (width === 1) return this.view.getUint8(at);
    if (width === 2) return this.view.getUint16(at, true);
    if (width === 4) return this.view.getUint32(at, true);
    return narrowed(this.view.getBigUint64(at, true));
  }

  private float(at: number, width: number, name: PathPart): number {
    if (width === 4) return this.view.getFloat32(at, true);
    if (width !== 8) throw this.r.error(name, 'a number of too few bytes');
    return this.view.getFloat64(at, true);
  }

  /** Where a number is that its holder refers to. */
  private scalar(at: number, width: number, own: number, name: PathPart): number {
    const target = this.follow(at, width, name);
    this.claim(target, own, name);
    return target;
  }

  /** How many elements of `width` bytes start at `at`, behind `prefix` numbers of that width; types and ends follow them. */
  private counted(at: number, width: number, prefix: number, typed: boolean, name: PathPart, unit = width): number {
    const start = at - prefix * width;
    if (start < 0) throw this.r.error(name, 'reference outside of the value');
    const count = Number(this.uint(at - width, width));
    this.claim(start, prefix * width + count * (unit + (typed ? 1 : 0)), name);
    return count;
  }

  /** What a reference leads to. An empty vector may lie where its reference does. */
  private follow(at: number, width: number, name: PathPart): number {
    const target = at - Number(this.uint(at, width));
    if (target < 0) throw this.r.error(name, 'reference outside of the value');
    return target;
  }

  private claim(start: number, bytes: number, name: PathPart): void {
    if (start + bytes > this.bytes.length) throw this.r.error(name, 'longer than the message');
    this.budget -= bytes;
    if (this.budget < 0) throw this.r.error(name, 'objects overlap');
  }
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
