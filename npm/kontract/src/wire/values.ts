/**
 * Values of each type, written and read: what generated codecs call. Functions and no methods, so that a client carries those of
 * the types that its endpoints have, and no others.
 */

import { type Literal, type PathPart, shown } from './error.js';
import type { Reader } from './reader.js';
import type { Shape, Writer } from './writer.js';

/** Begins the table of an object, refusing properties that its type does not have. */
export function putObject(w: Writer, at: number, value: unknown, name: PathPart, shape: Shape): number {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw w.expected(name, 'an object', value);
  }
  const table = w.table(at, name, shape);
  const fields = shape.fields;
  let next = 0;
  for (const key in value) {
    if (key === fields[next]) {
      next++;
      continue;
    }
    const found = fields.indexOf(key);
    if (found < 0) {
      // `error?: undefined` says that there is none.
      if ((value as Record<string, unknown>)[key] === undefined) continue;
      throw w.error(key, 'unknown property');
    }
    next = found + 1;
  }
  return table;
}

/** Begins a vector that `at` refers to; `count` says how many elements, and the result where the first one goes. */
export function putVector(w: Writer, at: number, value: unknown, size: number, name: PathPart): number {
  if (!Array.isArray(value)) throw w.expected(name, 'an array', value);
  const count = value.length;
  const pos = w.begin(at, count * size, size === 8, name);
  w.view.setUint32(pos - 4, count, true);
  w.elements(count, name);
  return pos;
}

export function putBlob(w: Writer, at: number, value: unknown, name: PathPart): void {
  if (!(value instanceof Uint8Array)) throw w.expected(name, 'a Uint8Array', value);
  const start = w.begin(at, value.length, false, name);
  w.view.setUint32(start - 4, value.length, true);
  w.bytes.set(value, start);
}

export function putBool(w: Writer, pos: number, value: unknown, name: PathPart): void {
  if (typeof value !== 'boolean') throw w.expected(name, 'a boolean', value);
  w.view.setUint8(pos, value ? 1 : 0);
}

export function putI8(w: Writer, pos: number, value: unknown, name: PathPart): void {
  w.view.setInt8(pos, integer(w, value, -0x80, 0x7f, name));
}

export function putU8(w: Writer, pos: number, value: unknown, name: PathPart): void {
  w.view.setUint8(pos, integer(w, value, 0, 0xff, name));
}

export function putI16(w: Writer, pos: number, value: unknown, name: PathPart): void {
  w.view.setInt16(pos, integer(w, value, -0x8000, 0x7fff, name), true);
}

export function putU16(w: Writer, pos: number, value: unknown, name: PathPart): void {
  w.view.setUint16(pos, integer(w, value, 0, 0xffff, name), true);
}

export function putI32(w: Writer, pos: number, value: unknown, name: PathPart): void {
  w.view.setInt32(pos, integer(w, value, -0x80000000, 0x7fffffff, name), true);
}

export function putU32(w: Writer, pos: number, value: unknown, name: PathPart): void {
  w.view.setUint32(pos, integer(w, value, 0, 0xffffffff, name), true);
}

export function putF32(w: Writer, pos: number, value: unknown, name: PathPart): void {
  if (typeof value !== 'number') throw w.expected(name, 'a number', value);
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
    throw w.error(name, 'out of the range of float32');
  }
  w.view.setFloat32(pos, value, true);
}

export function putF64(w: Writer, pos: number, value: unknown, name: PathPart): void {
  if (typeof value !== 'number') throw w.expected(name, 'a number', value);
  w.view.setFloat64(pos, value, true);
}

export function putI64(w: Writer, pos: number, value: unknown, name: PathPart): void {
  if (typeof value !== 'bigint') throw w.expected(name, 'a bigint', value);
  if (BigInt.asIntN(64, value) !== value) throw w.error(name, 'out of the range of a 64-bit integer');
  w.view.setBigInt64(pos, value, true);
}

export function putU64(w: Writer, pos: number, value: unknown, name: PathPart): void {
  if (typeof value !== 'bigint') throw w.expected(name, 'a bigint', value);
  if (BigInt.asUintN(64, value) !== value) throw w.error(name, 'out of the range of an unsigned 64-bit integer');
  w.view.setBigUint64(pos, value, true);
}

export function putDate(w: Writer, pos: number, value: unknown, name: PathPart): void {
  if (!(value instanceof Date)) throw w.expected(name, 'a Date', value);
  const ms = value.getTime();
  if (!Number.isInteger(ms)) throw w.error(name, 'invalid date');
  w.view.setUint32(pos, ms >>> 0, true);
  w.view.setInt32(pos + 4, Math.floor(ms / 0x1_0000_0000), true);
}

export function putEnum8(w: Writer, pos: number, value: unknown, values: readonly Literal[], name: PathPart): void {
  w.view.setUint8(pos, place(w, value, values, name));
}

export function putEnum16(w: Writer, pos: number, value: unknown, values: readonly Literal[], name: PathPart): void {
  w.view.setUint16(pos, place(w, value, values, name), true);
}

function integer(w: Writer, value: unknown, min: number, max: number, name: PathPart): number {
  if (typeof value !== 'number') throw w.expected(name, 'an integer', value);
  if (!Number.isInteger(value)) throw w.expected(name, 'an integer', value);
  if (value < min || value > max) throw w.error(name, `expected an integer from ${min} to ${max}`);
  return value;
}

function place(w: Writer, value: unknown, values: readonly Literal[], name: PathPart): number {
  const found = values.indexOf(value as Literal);
  if (found < 0) throw w.error(name, `expected ${shown(values, value)}`);
  return found;
}

export function getBlob(r: Reader, at: number, name: PathPart): Uint8Array {
  return r.borrowed(at, name).slice();
}

export function getBool(r: Reader, pos: number, name: PathPart): boolean {
  const byte = r.view.getUint8(pos);
  if (byte > 1) throw r.error(name, 'expected a boolean');
  return byte === 1;
}

export function getI8(r: Reader, pos: number): number {
  return r.view.getInt8(pos);
}

export function getU8(r: Reader, pos: number): number {
  return r.view.getUint8(pos);
}

export function getI16(r: Reader, pos: number): number {
  return r.view.getInt16(pos, true);
}

export function getU16(r: Reader, pos: number): number {
  return r.view.getUint16(pos, true);
}

export function getI32(r: Reader, pos: number): number {
  return r.view.getInt32(pos, true);
}

export function getU32(r: Reader, pos: number): number {
  return r.view.getUint32(pos, true);
}

export function getF32(r: Reader, pos: number): number {
  return r.view.getFloat32(pos, true);
}

export function getF64(r: Reader, pos: number): number {
  return r.view.getFloat64(pos, true);
}

export function getI64(r: Reader, pos: number): bigint {
  return r.view.getBigInt64(pos, true);
}

export function getU64(r: Reader, pos: number): bigint {
  return r.view.getBigUint64(pos, true);
}

export function getDate(r: Reader, pos: number, name: PathPart): Date {
  const ms = r.view.getInt32(pos + 4, true) * 0x1_0000_0000 + r.view.getUint32(pos, true);
  if (Math.abs(ms) > DATE_MS_MAX) throw r.error(name, 'date out of range');
  return new Date(ms);
}

export function getEnum8(r: Reader, pos: number, values: readonly Literal[], name: PathPart): Literal {
  return valueAt(r, r.view.getUint8(pos), values, name);
}

export function getEnum16(r: Reader, pos: number, values: readonly Literal[], name: PathPart): Literal {
  return valueAt(r, r.view.getUint16(pos, true), values, name);
}

function valueAt(r: Reader, index: number, values: readonly Literal[], name: PathPart): Literal {
  const value = values[index];
  if (value === undefined) throw r.error(name, 'unknown enum value');
  return value;
}

/** What stands for a field that may be absent and may be null: its flag tells which. */
export function getAbsence(r: Reader, table: number, vtable: number, flag: number, pos: number, name: PathPart): null | undefined {
  const at = r.slot(table, vtable, flag, 1, name);
  if (at === 0 || !getBool(r, at, name)) return undefined;
  if (pos !== 0) throw r.error(name, 'both null and a value');
  return null;
}

/** ECMA-262, section 21.4.1.1: times are at most 8.64e15 ms from the epoch. */
export const DATE_MS_MAX = 8.64e15;
