/**
 * Messages that are read where they are looked at. An object is a view, whose properties are getters; an array of objects is
 * an array of views.
 *
 * The structure, that is tables and vectors with their bounds, is checked when a view is made, so that an array of them is
 * refused as a whole. A value is checked by whoever reads it, with the same functions and errors as elsewhere. No look costs
 * more than a message has bytes, and all views together pay out of one budget, as objects of a message that is read whole do.
 */

import type { PathPart } from './error.js';
import { Reader } from './reader.js';

/** Reads a property from the table at `table`. */
type Getter = (r: LazyReader, table: number, vtable: number) => unknown;

/** An object that is read where it is looked at. */
export interface View {
  /** All of it, as a plain object. */
  toJSON(): unknown;
}

/** Views of one type. */
export type ViewClass = new (place: Place, at: number, name: PathPart) => View;

/** What holds views: the path to it, and how deep it is. */
interface Place {
  readonly reader: LazyReader;
  readonly path: PathPart[];
  readonly top: number;
  readonly depth: number;
}

export class LazyReader extends Reader {
  /** What is left of the budget of all views. */
  private left = this.budget;

  /** A view of the table that `at` refers to. */
  object(at: number, name: PathPart, of: ViewClass): View {
    this.budget = this.left;
    const view = new of(this.place(), at, name);
    this.left = this.budget;
    return view;
  }

  /** Views of the tables in the vector that `at` refers to. */
  objects(at: number, name: PathPart, of: ViewClass): View[] {
    this.budget = this.left;
    const start = this.vector(at, 4, name);
    const place = this.place();
    const views: View[] = [];
    for (let i = 0, n = this.count; i < n; i++) views.push(new of(place, start + 4 * i, i));
    this.close();
    this.left = this.budget;
    return views;
  }

  /** Continues at a place. */
  open({ path, top, depth }: Place): void {
    this.path = path;
    this.top = top;
    this.depth = depth;
    this.budget = this.len;
  }

  private place(): Place {
    return { reader: this, path: this.path.slice(0, this.top), top: this.top, depth: this.depth };
  }
}

/**
 * The views of a type whose table has `slots`, those in `removed` for fields that are gone. `read` makes a plain object.
 * What `values` read is read each time; what `kept` read has an identity, and is read once.
 */
export function view(
  slots: number,
  removed: readonly number[],
  read: (r: Reader, at: number, name: PathPart) => unknown,
  values: Readonly<Record<string, Getter>>,
  kept: Readonly<Record<string, Getter>>,
): ViewClass {
  class Lazy implements View {
    readonly #place: Place;
    readonly #at: number;
    readonly #name: PathPart;
    readonly #table: number;
    readonly #vtable: number;
    #kept: Map<string, unknown> | undefined;

    constructor(place: Place, at: number, name: PathPart) {
      const { reader } = place;
      this.#place = place;
      this.#at = at;
      this.#name = name;
      this.#table = reader.table(at, name, slots);
      this.#vtable = reader.vtable;
      for (const slot of removed) reader.removed(this.#vtable, slot);
      reader.leave();
    }

    toJSON(): unknown {
      const { reader } = this.#place;
      reader.open(this.#place);
      return read(reader, this.#at, this.#name);
    }

    static value(get: Getter): (this: Lazy) => unknown {
      return function () {
        const { reader } = this.#place;
        reader.open(this.#place);
        reader.enter(this.#name);
        return get(reader, this.#table, this.#vtable);
      };
    }

    static kept(get: Getter, name: string): (this: Lazy) => unknown {
      const read = Lazy.value(get);
      return function () {
        this.#kept ??= new Map();
        if (!this.#kept.has(name)) this.#kept.set(name, read.call(this));
        return this.#kept.get(name);
      };
    }
  }
  for (const name in values) Object.defineProperty(Lazy.prototype, name, { get: Lazy.value(values[name] as Getter), enumerable: true });
  for (const name in kept) Object.defineProperty(Lazy.prototype, name, { get: Lazy.kept(kept[name] as Getter, name), enumerable: true });
  return Lazy;
}
