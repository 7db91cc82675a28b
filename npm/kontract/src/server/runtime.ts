// What an isolate holds for a build: the gateway with its keys, and the ticket keys of the moment.

import { CONNECTIONS } from "./database.js";
import { TICKET_KEYS_FRESH_MS } from "./keys.js";
import type { Bindings, Build, DatabaseStub, Gateway } from "./platform.js";

/** Takes a stub of a call's connection, or of the one for what calls conflict over. */
export type Connect = (contested?: string) => DatabaseStub;

/** The gateway and what a call needs beside it. */
export interface Runtime {
  readonly build: Build;
  readonly bindings: Bindings;
  readonly gateway: Gateway;
  readonly tickets: Uint8Array;
  readonly vars: Readonly<Record<string, string>>;
  /**
   * The connection of one call. Each attempt takes a stub of its own: one through which a batch has failed may stay broken,
   * and statements keep their order only within one. What calls conflict over has a connection that all of them use.
   */
  database(): Connect;
}

/** Most bytes of a call's arguments where the endpoint does not say. */
export const MAX_BYTES = 10 << 20;

let gateway: Gateway | undefined;
let vars: Readonly<Record<string, string>> | undefined;
let tickets: { keys: Uint8Array; since: number } | undefined;
/** Each is a hash of its name. */
let connections: readonly unknown[] | undefined;
let nextConnection = 0;

/** The runtime of this isolate. Bindings are the same for all requests of an isolate. */
export async function runtimeOf(build: Build, bindings: Bindings): Promise<Runtime> {
  gateway ??= openGateway(build, bindings);
  vars ??= textBindings(bindings);
  const keys = await ticketKeys(bindings);
  return { build, bindings, gateway, tickets: keys, vars, database: () => connection(bindings) };
}

function openGateway(build: Build, bindings: Bindings): Gateway {
  const { suite, buildId, routeHash } = build.identity;
  const routes = Object.values(build.routes).map(({ name, perm, ugroup, maxBytes = MAX_BYTES }) => ({ name, perm, ugroup, maxBytes }));
  const tables = Object.fromEntries(
    Object.entries(build.tables).map(([name, { ptr, key, readonly }]) => [name, { ptr, key, readonly }]),
  );
  return new build.gateway.Gateway(
    JSON.stringify({ suite, buildId, routeHash, routes, tables }),
    secret(bindings, "KONTRACT_KEY"),
    secret(bindings, "KONTRACT_BACKUP_KEY"),
    secret(bindings, "KONTRACT_IDENTITY_KEY"),
  );
}

async function ticketKeys(bindings: Bindings): Promise<Uint8Array> {
  const now = Date.now();
  // A clock that was set back says nothing of their age.
  if (tickets === undefined || Math.abs(now - tickets.since) >= TICKET_KEYS_FRESH_MS) {
    const { KEYS } = bindings;
    const keys = await KEYS.get(KEYS.idFromName("keys")).tickets();
    tickets = { keys, since: now };
  }
  return tickets.keys;
}

function connection({ DATABASE }: Bindings): Connect {
  const ids = (connections ??= Array.from({ length: CONNECTIONS }, (_, number) => DATABASE.idFromName(`connection-${number}`)));
  nextConnection = (nextConnection + 1) % CONNECTIONS;
  const own = nextConnection;
  return (contested) => DATABASE.get(ids[contested === undefined ? own : placeOf(contested)]);
}

function placeOf(contested: string): number {
  let hash = 0;
  for (let at = 0; at < contested.length; at += 1) hash = (Math.imul(hash, 31) + contested.charCodeAt(at)) >>> 0;
  return hash % CONNECTIONS;
}

function secret(bindings: Bindings, name: "KONTRACT_KEY" | "KONTRACT_BACKUP_KEY" | "KONTRACT_IDENTITY_KEY"): Uint8Array {
  const text: unknown = bindings[name];
  if (typeof text !== "string" || !/^[\w-]{43}$/u.test(text)) {
    throw new Error(`${name} is not set to 32 bytes in base64url: \`kontract dev\` writes it to .dev.vars, a deployment needs it as a secret`);
  }
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function textBindings(bindings: Bindings): Readonly<Record<string, string>> {
  const texts = Object.entries(bindings as unknown as Record<string, unknown>).filter(
    (entry): entry is [string, string] =>
      typeof entry[1] === "string" && !entry[0].startsWith("KONTRACT_") && entry[0] !== "DATABASE_URL",
  );
  return Object.freeze(Object.fromEntries(texts));
}
