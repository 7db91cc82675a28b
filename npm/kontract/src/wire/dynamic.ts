/** Values without a schema, inside of messages: FlexBuffers in a vector of bytes. */

import type { PathPart } from './error.js';
import { FlexReader } from './flex-reader.js';
import { FlexWriter } from './flex-writer.js';
import type { Reader } from './reader.js';
import { putBlob } from './values.js';
import type { Writer } from './writer.js';

/** Writes a value that describes itself. */
export function putDynamic(w: Writer, at: number, value: unknown, name: PathPart): void {
  putBlob(w, at, new FlexWriter(w).message(value, name), name);
}

/** Reads a value that describes itself. */
export function getDynamic(r: Reader, at: number, name: PathPart): unknown {
  return new FlexReader(r, r.borrowed(at, name)).message(name);
}
