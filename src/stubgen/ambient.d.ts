
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
    readonly storage: Storage & Transactions;
    /** Variables and secrets of the deployment. */
    readonly vars: Readonly<Record<string, string>>;
  }

  /** A part of a list: at most `limit` rows behind the row with the key `after`. */
  interface Page<Key> {
    after?: Key;
    limit?: number;
  }

  /** A value that JSON holds. */
  type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

  interface Transactions {
    /**
     * Runs `body` in a transaction of its own, which commits when `body` ends, also when the call fails later; only `body`
     * runs again after a conflict. When the whole call runs again, it gets the first result.
     */
    transaction<T extends Json | void>(body: () => Promise<T>): Promise<T>;
  }

  /** Conditions on fields: comparisons of numbers, text and dates; `ne` and `in` also of booleans and null. */
  type Where<Row> = {
    [Field in keyof Row]?: { lt?: Row[Field]; lte?: Row[Field]; gt?: Row[Field]; gte?: Row[Field]; ne?: Row[Field]; in?: readonly Row[Field][] };
  };

  interface Query<Row, Key> {
    where?: Where<Row>;
    /** Sorted by this field, else in the order in which rows were inserted. */
    order?: keyof Row & string;
    descending?: boolean;
    /** Key of the row of this query that the page follows. */
    after?: Key;
    limit?: number;
  }

  /** What a row was at some time. */
  interface Version<Row> {
    /** From 1, for each row. */
    version: number;
    row: Row;
    /** When it was stored, and when it was replaced or deleted, as far as that is known. */
    at: Date | undefined;
    until: Date | undefined;
  }

  /** Reads of rows of one interface. */
  interface TableReader<Row extends object, Key> extends AsyncIterable<Row> {
    /** The row with a key. */
    get(key: Key): Promise<Row | undefined>;
    /** The rows with these keys, in their order; undefined where there is none. */
    mget(keys: readonly Key[]): Promise<(Row | undefined)[]>;
    /** Rows in the order in which they were inserted. */
    list(page?: Page<Key>): Promise<Row[]>;
    /** Rows that have these values and meet the conditions. */
    query(match: Partial<Row>, options?: Query<Row, Key>): Promise<Row[]>;
    /** The number of rows that have these values and meet the conditions, or of all. */
    count(match?: Partial<Row>, options?: Pick<Query<Row, Key>, 'where'>): Promise<number>;
  }

  /** Rows of one interface. `Patch` has the fields that do not keep the value they were inserted with. */
  interface Table<Row extends object, Key, Patch> extends TableReader<Row, Key> {
    /** Inserts a row, or replaces the one with its key. */
    set(row: Row): Promise<void>;
    /** Changes some fields of a row, and returns it. Throws NotFoundError if there is none. */
    update(key: Key, patch: Patch): Promise<Row>;
    /** Removes the row with a key, if there is one. */
    delete(key: Key): Promise<void>;
    /** Inserts a row at the end. */
    push(row: Row): Promise<void>;
    /** Removes the last row and returns it. */
    pop(): Promise<Row | undefined>;
    /** Removes the first row and returns it. */
    shift(): Promise<Row | undefined>;
    /**
     * Runs one SQL statement that sees this table and nothing else: the columns `id` and `data` (jsonb), parameters as `$1` with a
     * cast (`$1::int`). It may write where the endpoint has W. Every row of the table counts as read.
     */
    exec(statement: string, params?: readonly unknown[]): Promise<Record<string, unknown>[]>;
    /** What is kept of a row's versions, the latest first. */
    history(key: Key, options?: { limit?: number }): Promise<Version<Row>[]>;
    /** Names the state that this call reads, for `at` in a later call. */
    snapshot(): Promise<string>;
    /** The table as it was at a snapshot. Throws NotFoundError when that state is not kept any more. */
    at(snapshot: string): TableReader<Row, Key>;
  }
}
