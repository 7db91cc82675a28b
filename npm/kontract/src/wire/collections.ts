/** Tuples, sets, maps and records: what generated codecs turn into vectors and tables, and back. */

import type { PathPart } from './error.js';
import type { Reader } from './reader.js';
import type { Shape, Writer } from './writer.js';

/** Begins the table of a tuple of `min` to `max` elements. */
export function tuple(w: Writer, at: number, value: unknown, name: PathPart, shape: Shape, min: number, max: number): number {
  if (!Array.isArray(value)) throw w.expected(name, 'an array', value);
  const { length } = value;
  if (length < min || length > max) {
    const wanted = min === max ? `${min}` : max === UNBOUNDED ? `at least ${min}` : `${min} to ${max}`;
    throw w.error(name, `expected ${wanted} elements, got ${length}`);
  }
  return w.table(at, name, shape);
}

/** A tuple without the elements at its end that are absent; the first `min` always stay. */
export function trimmed(elements: unknown[], min: number): unknown[] {
  while (elements.length > min && elements[elements.length - 1] === undefined) elements.pop();
  return elements;
}

/** The elements of a set, in its order. */
export function elementsOf(w: Writer, value: unknown, name: PathPart): unknown[] {
  if (!(value instanceof Set)) throw w.expected(name, 'a Set', value);
  return Array.from(value as Set<unknown>);
}

/** The entries of a map, in its order. */
export function pairsOf(w: Writer, value: unknown, name: PathPart): [unknown, unknown][] {
  if (!(value instanceof Map)) throw w.expected(name, 'a Map', value);
  return Array.from(value as Map<unknown, unknown>);
}

/** The entries of a record, in its order. */
export function entriesOf(w: Writer, value: unknown, name: PathPart): [string, unknown][] {
  if (!plain(value)) throw w.expected(name, 'an object', value);
  const entries = Object.entries(value);
  for (const [key] of entries) {
    if (key in Object.prototype) throw below(w, name, key, INHERITED);
  }
  return entries;
}

/** The entries of a record whose keys are numbers, in its order. */
export function numberEntriesOf(w: Writer, value: unknown, name: PathPart): [number, unknown][] {
  return entriesOf(w, value, name).map(([key, of]) => {
    if (!numeric(key)) throw below(w, name, key, 'expected a number as key');
    return [Number(key), of];
  });
}

/** Adds an element that was read to a set. */
export function getElement(r: Reader, into: Set<unknown>, value: unknown, name: PathPart): void {
  if (into.has(value)) throw r.error(name, 'element twice');
  into.add(value);
}

/** Adds an entry that was read to a map. */
export function getPair(r: Reader, into: Map<unknown, unknown>, key: unknown, value: unknown): void {
  if (into.has(key)) throw r.error('key', 'key twice');
  into.set(key, value);
}

/** Adds an entry that was read to a record. The record is a plain object, so that what it inherits counts as taken. */
export function getEntry(r: Reader, into: Record<string, unknown>, key: string | number, value: unknown): void {
  if (key in into) throw r.error('', Object.hasOwn(into, key) ? 'key twice' : INHERITED);
  into[key] = value;
}

/** Whether a value is an object that is nothing more special. */
export function plain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  if (Object.getPrototypeOf(value) === Object.prototype) return true;
  return !(Array.isArray(value) || value instanceof Date || value instanceof Map || value instanceof Set || ArrayBuffer.isView(value));
}

/** Whether a key of an object is a number as JavaScript prints it. */
export function numeric(key: string): boolean {
  return String(Number(key)) === key;
}

function below(w: Writer, name: PathPart, key: string, reason: string): Error {
  w.enter(name);
  return w.error(key, reason);
}

/** Code that looks at a decoded object must find what every object has. */
export const INHERITED = 'a key that every object inherits; a Map can hold it';

const UNBOUNDED = 0xffff_ffff;
