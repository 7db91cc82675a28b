/** Unions: which member a value is, and which one a message has. */

import type { PathPart } from './error.js';
import type { Reader } from './reader.js';
import { getU8 } from './values.js';
import type { Writer } from './writer.js';

/** The number of the member that a value is, refusing one that is none. */
export function putTag(w: Writer, picked: number, value: unknown, what: string, name: PathPart): number {
  if (picked === 0) throw w.expected(name, what, value);
  return picked;
}

/** The number of the member in a message; 0 if there is no value. */
export function getTag(r: Reader, tagAt: number, at: number, members: number, name: PathPart): number {
  const tag = tagAt === 0 ? 0 : getU8(r, tagAt);
  if (tag > members) throw r.error(name, 'unknown member of a union');
  if ((tag === 0) !== (at === 0)) throw r.error(name, 'half of a union');
  return tag;
}

/** As {@link getTag}, of a value that has to be there. */
export function needTag(r: Reader, tagAt: number, at: number, members: number, name: PathPart): number {
  const tag = getTag(r, tagAt, at, members, name);
  if (tag === 0) throw r.error(name, 'missing');
  return tag;
}

/** Whether every property of an object that has a value is one of its type's. */
export function only(value: object, fields: readonly string[]): boolean {
  for (const key in value) {
    if (!fields.includes(key) && (value as Record<string, unknown>)[key] !== undefined) return false;
  }
  return true;
}

/** Whether a value is a whole number within bounds. */
export function whole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
