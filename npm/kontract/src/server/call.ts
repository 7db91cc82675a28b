// Runs an admitted call: decode, transaction, middlewares and endpoint, commit, encode. Again on a conflict, and
// when the connection to the database was lost without a commit.

import type { Bytes } from "../raystream/bytes.js";
import type { Context } from "../define.js";
import { ConflictError, HttpError } from "../index.js";
import { WireError } from "../wire/index.js";
import { type Scope, runInScope } from "./context.js";
import { type Outcome, failureOf } from "./outcome.js";
import type { Peer } from "./peer.js";
import { Patience } from "./patience.js";
import type { Call, Route, RouteEntry, Transaction } from "./platform.js";
import type { Connect, Runtime } from "./runtime.js";
import { Turn } from "./turns.js";
import { LostConnection, RetryableConflict, TransactionScope } from "./storage.js";
import { Trace } from "./trace.js";

/** Longest result of an endpoint that only reads, and longest item of a streamed result. */
const RESULT_LEN_MAX = 10 << 20;

/** Longest result of any other: the database keeps it for whoever repeats the call. */
const ANSWER_LEN_MAX = 1 << 20;

/** Runs a call to its end and frees it. Never rejects: whatever is thrown becomes an error for the caller. */
export async function run(runtime: Runtime, call: Call, peer: Peer): Promise<Outcome> {
  const { name = "a call" } = runtime.build.routes[call.route] ?? {};
  const trace = new Trace();
  let outcome: Outcome;
  try {
    outcome = { result: await attempts(runtime, call, peer, trace) };
  } catch (error) {
    // Nobody waits for what became of it, and it is no fault of the endpoint.
    outcome = peer.isGone ? { status: 499, code: "CANCELLED", message: "the caller gave up" } : failureOf(name, error);
  } finally {
    call.free();
  }
  trace.report(name, "result" in outcome ? 200 : outcome.status, typeof runtime.bindings.KONTRACT_TRACE === "string");
  return outcome;
}

async function attempts(runtime: Runtime, call: Call, peer: Peer, trace: Trace): Promise<Bytes> {
  const entry = runtime.build.routes[call.route];
  if (entry === undefined) throw new HttpError(404, "NOT_FOUND", "no such endpoint in this build");
  const route = await loaded(entry);
  const retries = { patience: new Patience(runtime.build.gateway), turn: new Turn(), trace };
  const items = entry.stream === true ? new Items(call, route, peer) : undefined;
  const attempt: Attempt = {
    runtime,
    call,
    route,
    context: contextOf(call, entry, peer),
    database: trace.counting(runtime.database()),
    retries,
    seed: once(() => crypto.getRandomValues(new Uint8Array(16))),
    lenMax: entry.readOnly ? RESULT_LEN_MAX : ANSWER_LEN_MAX,
    items,
    open: (args) => (entry.uploads === undefined ? args : peer.inbox.open(args, entry.uploads)),
    mayWrite: !entry.readOnly,
    mayRepeat: () => items?.hasSent !== true && !(entry.uploads !== undefined && peer.inbox.isRead),
    stopIfGone: () => {
      if (peer.isGone) peer.signal.throwIfAborted();
    },
  };
  try {
    return await untilDone(runtime, retries, () => {
      trace.attempts += 1;
      return runOnce(attempt);
    });
  } finally {
    retries.turn.leave();
  }
}

/** What the transactions of one call share: how long it waits for the database and for its turn, and what that costs. */
interface Retries {
  patience: Patience;
  turn: Turn;
  trace: Trace;
}

/** Runs a transaction again after a conflict, and after the database was lost. */
async function untilDone<T>(runtime: Runtime, { patience, turn, trace }: Retries, once: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once();
    } catch (error) {
      if (error instanceof LostConnection && (await patience.again())) {
        trace.lost += 1;
        continue;
      }
      if (!(error instanceof RetryableConflict)) throw error;
      trace.conflicts += 1;
      const pause = runtime.build.gateway.backoffMs(attempt, crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
      if (pause === undefined) throw error;
      // Whoever finds nobody before it in the line and conflicts again has met somebody who is not in it.
      if (error.contested !== undefined && ((await turn.come(error.contested)) || attempt === 1)) continue;
      trace.pausedMs += pause;
      await backOff(pause);
    }
  }
}

/** What all attempts at a call share. */
interface Attempt {
  readonly runtime: Runtime;
  readonly call: Call;
  readonly route: Route;
  readonly context: Context;
  readonly database: Connect;
  readonly retries: Retries;
  /** What inner transactions derive their idempotency keys from, where the caller gave none. */
  readonly seed: () => Uint8Array;
  /** Longest result, in bytes. */
  readonly lenMax: number;
  /** The result, if it is streamed. */
  readonly items: Items | undefined;
  /** Arguments with the streams that they stand for. */
  open(args: unknown[]): unknown[];
  readonly mayWrite: boolean;
  /** Whether another attempt could do the same. */
  mayRepeat(): boolean;
  /** Throws where nobody waits for the result. */
  stopIfGone(): void;
}

/** One attempt: a transaction of its own, arguments decoded anew because a handler may have changed them. */
async function runOnce(attempt: Attempt): Promise<Bytes> {
  const { runtime, call, route, context, lenMax, items, open, mayRepeat, stopIfGone } = attempt;
  stopIfGone();
  const args = open(decodeArguments(route, call.arguments));
  const storage = new AttemptStorage(attempt);
  try {
    const scope: Scope = {
      ctx: context,
      get storage() {
        return storage.tables;
      },
      vars: runtime.vars,
    };
    const result = await runInScope(scope, async () => {
      const value = await route.run(context, args);
      return items === undefined ? encodeResult(call, route, value, lenMax) : items.sendAll(value);
    });
    // Whoever gave up takes no result, and may do something else instead.
    stopIfGone();
    const answer = await storage.commit(result);
    if (items !== undefined && answer !== result) throw appliedBefore();
    return answer;
  } catch (error) {
    // The mutation was done by an earlier attempt of the same caller; whatever the handler made of that, it gets the
    // first answer.
    const first = storage.alreadyApplied;
    if (first !== undefined && items === undefined) return first;
    if (first !== undefined) throw appliedBefore();
    throw final(storage.lost ?? error, mayRepeat());
  } finally {
    storage.free();
  }
}

/** The transaction of an attempt, begun when its endpoint first reaches for a table: many calls never do. */
class AttemptStorage {
  #scope: TransactionScope | undefined;
  readonly #past: TransactionScope[] = [];
  #isOver = false;

  constructor(private readonly attempt: Attempt) {}

  get tables(): TransactionScope["tables"] {
    return (this.#scope ??= this.#begin()).tables;
  }

  get alreadyApplied(): Bytes | undefined {
    return this.#scope?.alreadyApplied;
  }

  get lost(): LostConnection | undefined {
    return this.#scope?.lost;
  }

  /** Commits with the encoded result and returns the answer to send. */
  async commit(result: Bytes): Promise<Bytes> {
    return this.#scope === undefined ? result : this.#scope.commit(result);
  }

  free(): void {
    this.#isOver = true;
    for (const scope of this.#past) scope.free();
    this.#scope?.free();
  }

  #begin(): TransactionScope {
    if (this.#isOver) throw new Error("env.storage is there until the endpoint has ended; `await` what uses it");
    const { runtime, call, context, database, retries, seed, mayWrite } = this.attempt;
    const { patience, turn, trace } = retries;
    const { tables } = runtime.build;
    const begun = new TransactionScope(call.begin(), tables, {
      connect: database,
      patience,
      turn: mayWrite ? turn : undefined,
      mayLook: trace.attempts === 1,
      past: (snapshot) => {
        const scope = new TransactionScope(call.beginAt(snapshot), tables, { connect: database, patience });
        this.#past.push(scope);
        return scope.tables;
      },
    });
    const outside = { ctx: context, vars: runtime.vars };
    let inner = 0;
    offerInner(begun.tables, (body) => {
      const begin = call.beginInner.bind(call, seed(), inner++);
      return untilDone(runtime, retries, () => runInner(runtime, begin, database, patience, outside, body));
    });
    return begun;
  }
}

/** A streamed result cannot be given again. */
function appliedBefore(): ConflictError {
  return new ConflictError("this call was carried out before, and its items are not kept", "ALREADY_APPLIED");
}

/** Once items are on their way, or streams were read, what is thrown is the end: neither can be taken back for another run. */
function final(error: unknown, mayRepeat: boolean): unknown {
  const isTransient = error instanceof RetryableConflict || error instanceof LostConnection;
  if (mayRepeat || !isTransient) return error;
  return new HttpError(error.status, error.code, error.message);
}

/** A streamed result on its way. */
class Items {
  hasSent = false;

  constructor(
    private readonly call: Call,
    private readonly route: Route,
    private readonly peer: Peer,
  ) {}

  /**
   * Sends what an iteration gives and waits for room after each item. When the caller is gone the iteration ends, so that
   * a generator's `finally` runs. Returns what the transaction is committed with.
   */
  async sendAll(value: unknown): Promise<Bytes> {
    for await (const item of value as AsyncIterable<unknown>) {
      const encoded = encodeResult(this.call, this.route, item, RESULT_LEN_MAX);
      this.peer.signal.throwIfAborted();
      this.hasSent = true;
      await this.peer.send(encoded);
    }
    return new Uint8Array();
  }
}

/** Puts `env.storage.transaction` beside the tables, unless a table has that name. */
function offerInner(tables: Record<string, unknown>, transaction: (body: () => unknown) => Promise<unknown>): void {
  if (!("transaction" in tables)) Object.defineProperty(tables, "transaction", { value: transaction });
}

/**
 * One attempt at an inner transaction, which commits by itself. Its result is kept with the commit, so that the call finds it
 * when it runs again; what JSON does not hold is lost in that.
 */
async function runInner(
  runtime: Runtime,
  begin: () => Transaction,
  database: Connect,
  patience: Patience,
  scope: Omit<Scope, "storage">,
  body: () => unknown,
): Promise<unknown> {
  const transaction = new TransactionScope(begin(), runtime.build.tables, { connect: database, patience });
  // One inside of this one is a part of it.
  offerInner(transaction.tables, async (inside) => inside());
  try {
    const value = await runInScope({ ...scope, storage: transaction.tables }, async () => body());
    return fromJson(await transaction.commit(new TextEncoder().encode(JSON.stringify(value) ?? "")));
  } catch (error) {
    const first = transaction.alreadyApplied;
    if (first !== undefined) return fromJson(first);
    throw transaction.lost ?? error;
  } finally {
    transaction.free();
  }
}

function fromJson(bytes: Bytes): unknown {
  return bytes.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(bytes));
}

/** Arguments that do not have their types are the caller's fault; a result that does not is the endpoint's. */
function decodeArguments(route: Route, bytes: Bytes): unknown[] {
  try {
    return route.decode(bytes);
  } catch (error) {
    if (error instanceof WireError) throw new HttpError(400, error.code, error.message);
    throw error;
  }
}

/** A result that cannot be sent must fail before its transaction is committed. */
function encodeResult(call: Call, route: Route, value: unknown, lenMax: number): Bytes {
  const result = route.encode(value);
  if (result.length > lenMax) {
    throw new HttpError(
      500,
      "RESULT_TOO_LARGE",
      `${call.name} returned ${result.length} bytes, ${lenMax} is the most: return less at once, in pages`,
    );
  }
  return result;
}

/** The endpoints' modules that were loaded: even one that is there already takes longer to import than a small call. */
const modules = new WeakMap<RouteEntry, Route>();

async function loaded(entry: RouteEntry): Promise<Route> {
  const known = modules.get(entry);
  if (known !== undefined) return known;
  const route = await entry.load();
  modules.set(entry, route);
  return route;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function contextOf(call: Call, { name, perm }: RouteEntry, peer: Peer): Context {
  const { owner, groups } = call;
  const requestId = once(() => crypto.randomUUID());
  return Object.freeze({
    owner,
    groups: Object.freeze(groups),
    endpoint: name,
    perm,
    get requestId() {
      return requestId();
    },
    get signal() {
      return peer.signal;
    },
  });
}

function backOff(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
