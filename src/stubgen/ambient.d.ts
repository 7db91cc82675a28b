
/** The request that is being answered. */
declare const ctx: kontract.Context;

/** What server code works with. */
declare const env: kontract.Env;

declare const perms: typeof import('kontract').perms;
declare const backend: typeof import('kontract').backend;
declare const mwfilter: typeof import('kontract').mwfilter;
declare const defineMiddleware: typeof import('kontract').defineMiddleware;

declare namespace kontract {
  type Context = import('kontract').Context;

  interface Env {
    /** The tables, within the transaction of this call. */
    readonly storage: Storage;
    /** Variables and secrets of the deployment. */
    readonly vars: Readonly<Record<string, string>>;
  }

  /** A part of a list: at most `limit` rows behind the row with the key `after`. */
  interface Page<Key> {
    after?: Key;
    limit?: number;
  }

  /** Rows of one interface. `Patch` has the fields that do not keep the value they were inserted with. */
  interface Table<Row extends object, Key, Patch> {
    /** The row with a key. */
    get(key: Key): Promise<Row | undefined>;
    /** The rows with these keys, in their order; undefined where there is none. */
    mget(keys: readonly Key[]): Promise<(Row | undefined)[]>;
    /** Rows in the order in which they were inserted. */
    list(page?: Page<Key>): Promise<Row[]>;
    /** Rows that have these values. */
    query(match: Partial<Row>, options?: { limit?: number }): Promise<Row[]>;
    /** Inserts a row, or replaces the one with its key. */
    set(row: Row): Promise<void>;
    /** Changes some fields of a row, and returns it. Throws NotFoundError if there is none. */
    update(key: Key, patch: Patch): Promise<Row>;
    /** Removes the row with a key, if there is one. */
    delete(key: Key): Promise<void>;
    /** Inserts a row at the end. */
    push(row: Row): Promise<void>;
    /** The number of rows that have these values, or of all. */
    count(match?: Partial<Row>): Promise<number>;
  }
}

