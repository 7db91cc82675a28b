// `env.storage.<table>`: the typed face of a transaction.
//
// Decides nothing about transactions: the core in WebAssembly says what to send, this module sends it and turns JSON into
// rows.

import { ConflictError, HttpError, NotFoundError, PermissionError } from "../index.js";
import type { DatabaseStub, Step, TableShape, Transaction } from "./platform.js";

type Row = Record<string, unknown>;

/** Operations on one table inside the current call's transaction. */
export interface TableHandle {
  get(key: Key): Promise<Row | undefined>;
  mget(keys: readonly Key[]): Promise<(Row | undefined)[]>;
  list(options?: { after?: string; limit?: number }): Promise<Row[]>;
  query(contains: Row, options?: { limit?: number }): Promise<Row[]>;
  count(): Promise<number>;
  set(row: Row): Promise<void>;
  update(key: Key, patch: Row): Promise<Row>;
  delete(key: Key): Promise<void>;
  push(row: Row): Promise<void>;
}

type Key = string | number | bigint;

/** Rows that one read returns unless the caller says otherwise. */
const LIMIT_DEFAULT = 1000;

/** One attempt's transaction with the database it runs on. */
export class TransactionScope {
  readonly tables: Record<string, TableHandle> = Object.create(null) as Record<string, TableHandle>;

  constructor(
    private readonly transaction: Transaction,
    private readonly database: DatabaseStub,
    shapes: Record<string, TableShape>,
  ) {
    for (const [name, shape] of Object.entries(shapes)) {
      this.tables[name] = this.handle(name, shape);
    }
  }

  /** Commits with the encoded result and returns the answer to send. */
  async commit(result: Uint8Array): Promise<Uint8Array> {
    const statements = this.transaction.commit(result);
    if (statements === undefined) return result;
    const results = await this.database.run(statements);
    return rethrow(() => this.transaction.committed(results)) ?? result;
  }

  free(): void {
    this.transaction.free();
  }

  private handle(name: string, shape: TableShape): TableHandle {
    const { transaction } = this;
    const dates = new Set(shape.dates);
    const row = (value: unknown): Row | undefined => (value === null ? undefined : revive(value as Row, dates));
    const rows = (value: unknown): Row[] => (value as Row[]).map((found) => revive(found, dates));
    return {
      get: async (key) => row(await this.settle(() => transaction.get(name, text(key)))),
      mget: async (keys) => {
        const found = await this.settle(() => transaction.mget(name, JSON.stringify(keys.map(text))));
        return (found as unknown[]).map(row);
      },
      list: async ({ after, limit = LIMIT_DEFAULT } = {}) => rows(await this.settle(() => transaction.list(name, after, limit))),
      query: async (contains, { limit = LIMIT_DEFAULT } = {}) =>
        rows(await this.settle(() => transaction.query(name, json(contains), limit))),
      count: async () => (await this.settle(() => transaction.count(name))) as number,
      set: async (value) => rethrow(() => transaction.set(name, json(value))),
      update: async (key, patch) => {
        const updated = row(await this.settle(() => transaction.update(name, text(key), json(patch))));
        if (updated === undefined) throw new NotFoundError(`${name} has no row ${text(key)}`);
        return updated;
      },
      delete: async (key) => rethrow(() => transaction.delete(name, text(key))),
      push: async (value) => rethrow(() => transaction.push(name, json(value))),
    };
  }

  /** Sends what the core asks for until it knows the value. */
  private async settle(start: () => Step): Promise<unknown> {
    let step = rethrow(start);
    for (;;) {
      const { ready, request, statements } = step;
      step.free();
      if (ready !== undefined) return JSON.parse(ready);
      const results = await this.database.run(statements);
      step = rethrow(() => this.transaction.answer(request, results));
    }
  }
}

/** Thrown when another call changed what this one read; the whole call runs again. */
export class RetryableConflict extends ConflictError {}

/** Turns an error of the core, whose message is `CODE: text`, into the class that endpoints and clients know. */
function rethrow<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    const [, code, message] = /^([A-Z_]+): (.*)$/su.exec(error instanceof Error ? error.message : "") ?? [];
    if (code === undefined || message === undefined) throw error;
    switch (code) {
      case "CONFLICT":
        throw new RetryableConflict(message);
      case "PERMISSION_DENIED":
        throw new PermissionError(message);
      case "NOT_FOUND":
        throw new NotFoundError(message);
      case "INVALID_REQUEST":
        throw new HttpError(400, code, message);
      case "UNAVAILABLE":
        throw new HttpError(503, code, message);
      default:
        throw error;
    }
  }
}

function text(key: Key): string {
  return typeof key === "string" ? key : String(key);
}

function json(row: Row): string {
  return JSON.stringify(row);
}

function revive(row: Row, dates: ReadonlySet<string>): Row {
  for (const field of dates) {
    const value = row[field];
    if (typeof value === "string") row[field] = new Date(value);
  }
  return row;
}
