// `env.storage.<table>`: the typed face of a transaction.
//
// Decides nothing about transactions: the core in WebAssembly says what to send, this module sends it and turns JSON into
// rows.

import { ConflictError, HttpError, NotFoundError, PermissionError, perms } from "../index.js";
import type { Bytes } from "../raystream/bytes.js";
import { type Row, rowForm } from "./rows.js";
import { textOf } from "./outcome.js";
import type { Patience } from "./patience.js";
import type { DatabaseStub, Step, TableShape, Transaction } from "./platform.js";
import type { Connect } from "./runtime.js";
import { type Turn, isContested } from "./turns.js";

/** Operations on one table inside the current call's transaction. */
export interface TableHandle extends TableReader {
  set(row: Row): Promise<void>;
  update(key: Key, patch: Row): Promise<Row>;
  delete(key: Key): Promise<void>;
  push(row: Row): Promise<void>;
  /** Removes the last row and returns it. */
  pop(): Promise<Row | undefined>;
  /** Removes the first row and returns it. */
  shift(): Promise<Row | undefined>;
  /** Runs one SQL statement that sees this table only. */
  exec(statement: string, params?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** What is kept of a row's versions, the latest first. */
  history(key: Key, options?: { limit?: number }): Promise<Version[]>;
  /** Names the state that this call reads, for `at` in a later one. */
  snapshot(): Promise<string>;
  /** The table as it was at an earlier snapshot. */
  at(snapshot: string): TableReader;
}

/** The part of a table's operations that also reads earlier states. */
export interface TableReader extends AsyncIterable<Row> {
  get(key: Key): Promise<Row | undefined>;
  mget(keys: readonly Key[]): Promise<(Row | undefined)[]>;
  /** Rows in the order in which they were appended, from behind the key `after`. */
  list(options?: { after?: Key; limit?: number }): Promise<Row[]>;
  /** Rows that contain every field of the pattern and meet the conditions. */
  query(pattern: Row, options?: QueryOptions): Promise<Row[]>;
  count(pattern?: Row, options?: Pick<QueryOptions, "where">): Promise<number>;
}

/** What a query asks for beside its pattern. */
export interface QueryOptions {
  /** Comparisons by field. */
  where?: Record<string, Partial<Record<"lt" | "lte" | "gt" | "gte" | "ne", unknown>> & { in?: readonly unknown[] }>;
  /** A field to sort by; numbers come before text, and both before everything else. */
  order?: string;
  descending?: boolean;
  /** The key of the row behind which the page starts. */
  after?: Key;
  limit?: number;
}

/** A state of a row. */
export interface Version {
  version: number;
  row: Row;
  /** When it was committed and when it ended, as far as that is known. */
  at: Date | undefined;
  until: Date | undefined;
}

type Key = string | number | bigint;

/** How an attempt goes about it. */
export interface Manner {
  readonly connect: Connect;
  readonly patience: Patience;
  /** Its place among those who conflict, if it may write. */
  readonly turn?: Turn | undefined;
  /** Whether a first read may go without a session: what comes later is then a little more likely to be a conflict. */
  readonly mayLook?: boolean;
  /** The tables as they were. */
  readonly past?: (snapshot: string) => Record<string, TableReader>;
}

/** One attempt's transaction with the database it runs on. */
export class TransactionScope {
  private database: DatabaseStub;
  private lostConnection: LostConnection | undefined;
  readonly tables: Record<string, TableHandle> = Object.create(null) as Record<string, TableHandle>;

  private batch: Batch | undefined;
  private hasSent = false;
  /** A read that is under way without a session. */
  private looking: { readonly ended: Promise<void>; end(): void } | undefined;

  constructor(
    private readonly transaction: Transaction,
    shapes: Record<string, TableShape>,
    private readonly manner: Manner,
  ) {
    this.database = manner.connect(manner.turn?.what);
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
      const reached = this.reached(this.database, statements);
      // Whoever comes next may read behind this commit.
      this.manner.turn?.leave();
      const results = await reached;
      return rethrow(() => this.transaction.committed(results)) ?? result;
    } catch (error) {
      if (error instanceof RetryableConflict) error.contested = this.transaction.contested;
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
    const hidden = hiddenFields(shape);
    const { json, revive } = rowForm(name, shape.row, hidden);
    const row = (value: unknown): Row | undefined => (value === null ? undefined : revive(value as Row));
    const rows = (value: unknown): Row[] => (value as Row[]).map(revive);
    const settle = (start: () => Step): Promise<unknown> => this.settle(start, shape.ptr);
    const settleRow = (key: Key, start: () => Step): Promise<unknown> => this.settle(start, `${shape.ptr}/${text(key)}`);
    const write = (start: () => Step): Promise<unknown> => this.settle(start);
    const find = (pattern: Row, { after, ...options }: QueryOptions = {}): string => {
      comparable(name, shape, options);
      const asked = [pattern, options.where ?? {}].flatMap(Object.keys).concat(options.order ?? []).find((field) => hidden.includes(field));
      if (asked !== undefined) throw new PermissionError(`${name}.${asked} may not be read`);
      return json({ ...options, match: pattern, ...(after === undefined ? {} : { after: text(after) }) });
    };
    const list = async ({ after, limit }: { after?: Key; limit?: number } = {}): Promise<Row[]> =>
      rows(await settle(() => transaction.list(name, after === undefined ? undefined : text(after), limit)));
    return {
      get: async (key) => row(await settleRow(key, () => transaction.get(name, text(key)))),
      mget: async (keys) => ((await settle(() => transaction.mget(name, keys.map(text)))) as unknown[]).map(row),
      list,
      query: async (pattern, options) => rows(await settle(() => transaction.query(name, find(pattern, options)))),
      count: async (pattern = {}, options) => (await settle(() => transaction.count(name, find(pattern, options)))) as number,
      set: async (value) => void (await write(() => transaction.set(name, json(value)))),
      update: async (key, patch) =>
        revive((await settleRow(key, () => transaction.update(name, text(key), json(patch)))) as Row),
      delete: async (key) => void (await write(() => transaction.delete(name, text(key)))),
      push: async (value) => void (await write(() => transaction.push(name, json(value)))),
      pop: async () => row(await settle(() => transaction.pop(name))),
      shift: async () => row(await settle(() => transaction.shift(name))),
      exec: async (statement, params = []) =>
        (await settle(() => transaction.exec(name, statement, JSON.stringify(params.map(parameter))))) as Record<string, unknown>[],
      history: async (key, { limit } = {}) =>
        ((await settle(() => transaction.history(name, text(key), limit))) as VersionJson[]).map((version) => ({
          version: version.version,
          row: revive(version.row),
          at: version.at === null ? undefined : new Date(version.at),
          until: version.until === null ? undefined : new Date(version.until),
        })),
      snapshot: async () => {
        if (transaction.snapshot === undefined) await list({ limit: 1 });
        return transaction.snapshot ?? "";
      },
      at: (snapshot) => {
        const table = this.manner.past?.(snapshot)[name];
        if (table === undefined) throw new TypeError(`${name}: an earlier state has no earlier state`);
        return table;
      },
      async *[Symbol.asyncIterator]() {
        // Behind a place, not a key: the body may move or remove the row that the page ended with.
        let limit = ROWS_PER_PAGE;
        for (let cursor: string | null | undefined; cursor !== null; ) {
          const from: string | undefined = cursor;
          let page: PageJson;
          try {
            page = (await settle(() => transaction.page(name, from, limit))) as PageJson;
          } catch (error) {
            if (!(error instanceof ResultTooLarge) || limit === 1) throw error;
            limit = Math.ceil(limit / 4);
            continue;
          }
          yield* rows(page.rows);
          cursor = page.next;
        }
      },
    };
  }

  /** Statements of operations that were started together travel together, in the order in which they were started. */
  private async send(request: number, statements: string): Promise<string> {
    const batch = (this.batch ??= this.newBatch());
    const place = batch.requests.push({ request, statements }) - 1;
    return (await batch.results)[place] ?? "";
  }

  private newBatch(): Batch {
    const requests: Batch["requests"] = [];
    const results = Promise.resolve().then(async () => {
      this.batch = undefined;
      this.hasSent = true;
      const lists = requests.map(({ statements }) => statements);
      return runTogether([this.look(requests) ?? lists].flat(), (all) => this.reached(this.database, all));
    });
    return { requests, results };
  }

  /** The one statement of a first read that is alone. */
  private look([first, ...others]: Batch["requests"]): string | undefined {
    if (first === undefined || others.length > 0 || this.manner.mayLook !== true) return undefined;
    const statement = this.transaction.alone(first.request);
    if (statement === undefined) return undefined;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    this.looking = { ended, end };
    return statement;
  }

  /** The read that was alone has its answer, or never gets it. */
  private looked(): void {
    this.looking?.end();
    this.looking = undefined;
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
    for (;;) {
      try {
        const results = await this.reached(this.manner.connect(), this.transaction.resolve());
        return rethrow(() => this.transaction.resolved(results));
      } catch (error) {
        if (!(error instanceof LostConnection)) throw error;
        if (!(await this.manner.patience.again())) throw new HttpError(error.status, error.code, error.message);
      }
    }
  }

  /** Sends what the core asks for until it knows the value. `what` is read, a row or a table, if anything is. */
  private async settle(start: () => Step, what?: string): Promise<unknown> {
    const { turn } = this.manner;
    if (what !== undefined && turn !== undefined && turn.what === undefined && !this.hasSent && isContested(what)) {
      await turn.come(what);
      if (!this.hasSent) this.database = this.manner.connect(what);
    }
    // What a read without a session says is where the others start.
    while (this.looking !== undefined) await this.looking.ended;
    let step = rethrow(start);
    for (;;) {
      const { ready, request, statements } = step;
      step.free();
      if (ready !== undefined) return JSON.parse(ready);
      try {
        const results = await this.send(request, statements);
        step = rethrow(() => this.transaction.answer(request, results));
      } catch (error) {
        if (error instanceof LostConnection) this.lostConnection = error;
        throw error;
      } finally {
        this.looked();
      }
    }
  }
}

/** Requests whose statements leave together, and what each came to. */
interface Batch {
  readonly requests: { readonly request: number; readonly statements: string }[];
  readonly results: Promise<string[]>;
}

interface PageJson {
  rows: Row[];
  next: string | null;
}

interface VersionJson {
  version: number;
  row: Row;
  at: number | null;
  until: number | null;
}

/** Runs lists of statements, each JSON, as one. A single one, the usual case, is passed on unread. */
async function runTogether(lists: string[], run: (statements: string) => Promise<string>): Promise<string[]> {
  if (lists.length === 1) return [await run(lists[0] ?? "[]")];
  const parsed = lists.map((list) => JSON.parse(list) as unknown[]);
  const statements = parsed.flat();
  const results = JSON.parse(await run(JSON.stringify(statements))) as unknown[];
  // A read that was too much beside the others may not be by itself.
  for (const [at, result] of results.entries()) {
    if ((result as { sqlstate?: string } | null)?.sqlstate !== RESULT_TOO_LARGE) continue;
    results[at] = (JSON.parse(await run(JSON.stringify([statements[at]]))) as unknown[])[0];
  }
  let from = 0;
  return parsed.map((list) => JSON.stringify(results.slice(from, (from += list.length))));
}

/** Rows that an iteration reads at once, unless they are large. */
const ROWS_PER_PAGE = 200;

/** SQLSTATE that stands for a result that was too large to pass. */
const RESULT_TOO_LARGE = "KT413";

/** Fields without R, which the database leaves out of what it answers. */
function hiddenFields({ perms: bits = {} }: TableShape): string[] {
  return Object.keys(bits).filter((field) => ((bits[field] ?? 0) & perms.R__) === 0);
}

/** Refuses conditions on fields whose stored form does not compare as their values do. */
function comparable(name: string, { row }: TableShape, { where = {}, order }: QueryOptions): void {
  for (const field of [...Object.keys(where), ...(order === undefined ? [] : [order])]) {
    const form = row.types[row.entity]?.[field];
    if (form !== undefined && form !== "date") {
      throw new TypeError(`${name}.${field}: the database compares numbers, texts, booleans and dates only`);
    }
  }
}

/** Thrown when another call changed what this one read; the whole call runs again. */
export class RetryableConflict extends ConflictError {
  /** What the two met over, if that is known. */
  contested: string | undefined;
}

/** Thrown when the database was lost and nothing is committed; the whole call may run again. */
export class LostConnection extends HttpError {
  constructor(message = "the database is not available; try again") {
    super(503, "UNAVAILABLE", message);
  }
}

/** Thrown when a read found more than passes at once: it would do so again. */
class ResultTooLarge extends HttpError {
  constructor(message: string) {
    super(400, "INVALID_REQUEST", message);
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
      case "NOT_UNIQUE":
        throw new ConflictError(message, code);
      case "PERMISSION_DENIED":
        throw new PermissionError(message);
      case "NOT_FOUND":
        throw new NotFoundError(message);
      case "RESULT_TOO_LARGE":
        throw new ResultTooLarge(message);
      case "INVALID_REQUEST":
        throw new HttpError(400, code, message);
      case "UNAVAILABLE":
        throw new LostConnection(message);
      default:
        throw error;
    }
  }
}

/** A parameter of a statement, as text that SQL casts to what it needs. */
function parameter(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  return typeof value === "object" ? JSON.stringify(value) : String(value as string | number | bigint | boolean);
}

function text(key: Key): string {
  return typeof key === "string" ? key : String(key);
}
