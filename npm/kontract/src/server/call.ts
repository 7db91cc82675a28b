// Runs an admitted call: decode, transaction, middlewares and endpoint, commit, encode. Again on a conflict, and
// when the connection to the database was lost without a commit.

import type { Bytes } from "../raystream/bytes.js";
import type { Context } from "../define.js";
import { HttpError } from "../index.js";
import { WireError } from "../wire/index.js";
import { type Scope, runInScope } from "./context.js";
import { type Outcome, failureOf } from "./outcome.js";
import { Patience } from "./patience.js";
import type { Call, DatabaseStub, Route, Transaction } from "./platform.js";
import type { Runtime } from "./runtime.js";
import { Turn } from "./turns.js";
import { LostConnection, RetryableConflict, TransactionScope } from "./storage.js";
import { Trace } from "./trace.js";

/** What one frame carries: 1 MiB less the tag and the padding's marker. */
const RESULT_LEN_MAX = (1 << 20) - 17;

/** Runs a call to its end and frees it. Never rejects: whatever is thrown becomes an error for the caller. */
export async function run(runtime: Runtime, call: Call): Promise<Outcome> {
  let name = "a call";
  const trace = new Trace();
  let outcome: Outcome;
  try {
    ({ name } = call);
    outcome = { result: await attempts(runtime, call, trace) };
  } catch (error) {
    outcome = failureOf(name, error);
  } finally {
    call.free();
  }
  trace.report(name, "result" in outcome ? 200 : outcome.status, typeof runtime.bindings.KONTRACT_TRACE === "string");
  return outcome;
}

async function attempts(runtime: Runtime, call: Call, trace: Trace): Promise<Bytes> {
  const entry = runtime.build.routes[call.route];
  if (entry === undefined) throw new HttpError(404, "NOT_FOUND", "no such endpoint in this build");
  const route = await entry.load();
  const context = contextOf(call);
  const database = trace.counting(runtime.database());
  // What inner transactions derive their idempotency keys from, where the caller gave none.
  const seed = crypto.getRandomValues(new Uint8Array(16));
  const retries = { patience: new Patience(runtime.build.gateway), turn: new Turn(call.route), trace };
  try {
    return await untilDone(runtime, retries, () => {
      trace.attempts += 1;
      return runOnce(runtime, call, route, context, database, retries, seed);
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
      if (await turn.come()) continue;
      const pause = runtime.build.gateway.backoffMs(attempt, crypto.getRandomValues(new Uint32Array(1))[0] ?? 0);
      if (pause === undefined) throw error;
      trace.pausedMs += pause;
      await backOff(pause);
    }
  }
}

/** One attempt: a transaction of its own, arguments decoded anew because a handler may have changed them. */
async function runOnce(
  runtime: Runtime,
  call: Call,
  route: Route,
  context: Context,
  database: () => DatabaseStub,
  retries: Retries,
  seed: Uint8Array,
): Promise<Bytes> {
  const args = decodeArguments(route, call.arguments);
  const past: TransactionScope[] = [];
  const transaction = new TransactionScope(call.begin(), database, runtime.build.tables, retries.patience, (snapshot) => {
    const scope = new TransactionScope(call.beginAt(snapshot), database, runtime.build.tables, retries.patience);
    past.push(scope);
    return scope.tables;
  });
  try {
    const scope = { ctx: context, storage: transaction.tables, vars: runtime.vars };
    let inner = 0;
    offerInner(transaction.tables, (body) => {
      const begin = call.beginInner.bind(call, seed, inner++);
      return untilDone(runtime, retries, () => runInner(runtime, begin, database, retries.patience, scope, body));
    });
    const value = await runInScope(scope, async () => route.run(context, args));
    return await transaction.commit(encodeResult(call, route, value));
  } catch (error) {
    // The mutation was done by an earlier attempt of the same caller; whatever the handler made of that, it gets the
    // first answer.
    const first = transaction.alreadyApplied;
    if (first !== undefined) return first;
    throw transaction.lost ?? error;
  } finally {
    for (const scope of past) scope.free();
    transaction.free();
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
  database: () => DatabaseStub,
  patience: Patience,
  scope: Omit<Scope, "storage">,
  body: () => unknown,
): Promise<unknown> {
  const transaction = new TransactionScope(begin(), database, runtime.build.tables, patience);
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

/** A result that no frame can carry must fail before its transaction is committed. */
function encodeResult(call: Call, route: Route, value: unknown): Bytes {
  const result = route.encode(value);
  if (result.length > RESULT_LEN_MAX) {
    throw new HttpError(
      500,
      "RESULT_TOO_LARGE",
      `${call.name} returned ${result.length} bytes, ${RESULT_LEN_MAX} is the most: return less at once, in pages`,
    );
  }
  return result;
}

function contextOf(call: Call): Context {
  const { owner, groups, name, perm } = call;
  return Object.freeze({ owner, groups: Object.freeze(groups), endpoint: name, perm, requestId: crypto.randomUUID() });
}

function backOff(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
