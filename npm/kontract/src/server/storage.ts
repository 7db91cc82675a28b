// `env.storage.<table>`: the typed face of a transaction.
//
// Decides nothing about transactions: the core in WebAssembly says what to send, this module sends it and turns JSON into
// rows.

import { ConflictError, HttpError, NotFoundError, PermissionError } from "../index.js";
import type { Bytes } from "../raystream/bytes.js";
import { type Row, rowForm } from "./rows.js";
import { textOf } from "./outcome.js";
import type { DatabaseStub, Step, TableShape, Transaction } from "./platform.js";

/** Operations on one table inside the current call's transaction. */
export interface TableHandle {
  get(key: Key): Promise<Row | undefined>;
  mget(keys: readonly Key[]): Promise<(Row | undefined)[]>;
  /** Rows in the order in which they were appended, from behind the key `after`. */
  list(options?: { after?: Key; limit?: number }): Promise<Row[]>;
  /** Rows that contain every field of the pattern. */
  query(pattern: Row, options?: { limit?: number }): Promise<Row[]>;
  count(pattern?: Row): Promise<number>;
  set(row: Row): Promise<void>;
  update(key: Key, patch: Row): Promise<Row>;
  delete(key: Key): Promise<void>;
  push(row: Row): Promise<void>;
}

type Key = string | number | bigint;

/** One attempt's transaction with the database it runs on. */
export class TransactionScope {
  private readonly database: DatabaseStub;
  private lostConnection: LostConnection | undefined;
  readonly tables: Record<string, TableHandle> = Object.create(null) as Record<string, TableHandle>;

  constructor(
    private readonly transaction: Transaction,
    private readonly connect: () => DatabaseStub,
    shapes: Record<string, TableShape>,
  ) {
    this.database = connect();
    for (const [name, shape] of Object.entries(shapes)) {
      this.tables[name] = this.handle(name, shape);
    }
  }

  /** The first answer, if an operation found that this mutation was done before. */
  get alreadyApplied(): Bytes | undefined {
    return this.transaction.alreadyApplied;
  }

  /** That the database was lost and nothing is committed, whatever the handler made of it. */
  get lost(): LostConnection | undefined {
    return this.lostConnection;
  }

  /** Commits with the encoded result and returns the answer to send. */
  async commit(result: Bytes): Promise<Bytes> {
    const statements = rethrow(() => this.transaction.commit(result));
    if (statements === undefined) return result;
    this.lostConnection = undefined;
    try {
      const results = await this.reached(this.database, statements);
      return rethrow(() => this.transaction.committed(results)) ?? result;
    } catch (error) {
      if (!(error instanceof LostConnection)) throw error;
      if (await this.happened()) return result;
      throw (this.lostConnection = error);
    }
  }

  free(): void {
    this.transaction.free();
  }

  private handle(name: string, shape: TableShape): TableHandle {
    const { transaction } = this;
    const { json, revive } = rowForm(name, shape.row);
    const row = (value: unknown): Row | undefined => (value === null ? undefined : revive(value as Row));
    const rows = (value: unknown): Row[] => (value as Row[]).map(revive);
    const settle = (start: () => Step): Promise<unknown> => this.settle(start);
    return {
      get: async (key) => row(await settle(() => transaction.get(name, text(key)))),
      mget: async (keys) => ((await settle(() => transaction.mget(name, keys.map(text)))) as unknown[]).map(row),
      list: async ({ after, limit } = {}) =>
        rows(await settle(() => transaction.list(name, after === undefined ? undefined : text(after), limit))),
      query: async (pattern, { limit } = {}) => rows(await settle(() => transaction.query(name, json(pattern), limit))),
      count: async (pattern = {}) => (await settle(() => transaction.count(name, json(pattern)))) as number,
      set: async (value) => void (await settle(() => transaction.set(name, json(value)))),
      update: async (key, patch) =>
        revive((await settle(() => transaction.update(name, text(key), json(patch)))) as Row),
      delete: async (key) => void (await settle(() => transaction.delete(name, text(key)))),
      push: async (value) => void (await settle(() => transaction.push(name, json(value)))),
    };
  }

  private async reached(database: DatabaseStub, statements: string): Promise<string> {
    try {
      return await database.run(statements);
    } catch (error) {
      console.error(`kontract: the database could not be reached: ${textOf(error)}`);
      throw new LostConnection();
    }
  }

  /**
   * Whether a commit whose results were lost has happened; if not, it never will. Where that cannot be learnt either, the
   * caller repeats the call with its idempotency key, and the ledger tells.
   */
  private async happened(): Promise<boolean> {
    try {
      const results = await this.reached(this.connect(), this.transaction.resolve());
      return rethrow(() => this.transaction.resolved(results));
    } catch (error) {
      if (error instanceof LostConnection) throw new HttpError(error.status, error.code, error.message);
      throw error;
    }
  }

  /** Sends what the core asks for until it knows the value. */
  private async settle(start: () => Step): Promise<unknown> {
    let step = rethrow(start);
    for (;;) {
      const { ready, request, statements } = step;
      step.free();
      if (ready !== undefined) return JSON.parse(ready);
      try {
        const results = await this.reached(this.database, statements);
        step = rethrow(() => this.transaction.answer(request, results));
      } catch (error) {
        if (error instanceof LostConnection) this.lostConnection = error;
        throw error;
      }
    }
  }
}

/** Thrown when another call changed what this one read; the whole call runs again. */
export class RetryableConflict extends ConflictError {}

/** Thrown when the database was lost and nothing is committed; the whole call may run again. */
export class LostConnection extends HttpError {
  constructor(message = "the database is not available; try again") {
    super(503, "UNAVAILABLE", message);
  }
}

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
        throw new LostConnection(message);
      default:
        throw error;
    }
  }
}

function text(key: Key): string {
  return typeof key === "string" ? key : String(key);
}
