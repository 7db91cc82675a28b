/** Where a codec is within a value or a message, for errors and against nesting without end. */

import { type PathPart, type WireError, wireError } from './error.js';
import { DEPTH_MAX } from './limits.js';

/** What writers and readers have in common. */
export class Path {
  /** Number of elements of the vector that was begun last. */
  count = 0;
  protected path: PathPart[] = [];
  protected top = 0;
  protected depth = 0;

  /** Begins a value, one level deeper; `leave` ends it. */
  enter(name: PathPart): void {
    if (this.depth === DEPTH_MAX) throw this.error(name, `nested deeper than ${DEPTH_MAX}`);
    this.depth++;
    this.within(name);
  }

  /** Ends a table. */
  leave(): void {
    this.top--;
    this.depth--;
  }

  /** Ends a vector. */
  close(): void {
    this.top--;
  }

  /** The error for a value at a place below the current one. */
  error(name: PathPart, reason: string): WireError {
    return wireError(this.path, this.top, name, reason);
  }

  /** Begins the elements of a vector; `close` ends them. */
  protected within(name: PathPart): void {
    this.path[this.top++] = name;
  }
}
