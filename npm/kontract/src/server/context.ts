// `ctx` and `env` of server code: one object each, whose properties belong to the call that runs.
//
// The compiler imports them into every server module that uses them. Each call runs in an AsyncLocalStorage scope of its
// own, so that a helper sees its own caller after every `await`, whatever else runs meanwhile.

import { AsyncLocalStorage } from "node:async_hooks";

import type { Context } from "../define.js";
import type { TableHandle } from "./storage.js";

/** What one attempt to run a call can reach. */
export interface Scope {
  ctx: Context;
  readonly storage: Record<string, TableHandle>;
  vars: Readonly<Record<string, string>>;
}

const scopes = new AsyncLocalStorage<Scope>();

/** Runs a call's code in its scope. */
export function runInScope<T>(scope: Scope, body: () => T): T {
  return scopes.run(scope, body);
}

/** The current call. */
export const ctx: Context = {
  get owner() {
    return scope("ctx.owner").ctx.owner;
  },
  get groups() {
    return scope("ctx.groups").ctx.groups;
  },
  get endpoint() {
    return scope("ctx.endpoint").ctx.endpoint;
  },
  get perm() {
    return scope("ctx.perm").ctx.perm;
  },
  get requestId() {
    return scope("ctx.requestId").ctx.requestId;
  },
  get signal() {
    return scope("ctx.signal").ctx.signal;
  },
};

/** What the current call can use. */
export const env = {
  /** The tables. */
  get storage() {
    return scope("env.storage").storage;
  },
  /** Text bindings of the Worker that are not kontract's own. */
  get vars() {
    return scope("env.vars").vars;
  },
};

function scope(what: string): Scope {
  const current = scopes.getStore();
  if (current === undefined) {
    throw new Error(`${what} is there only while an endpoint runs; move this access from the module's top level into a function`);
  }
  return current;
}
