// The Durable Object that holds one PostgreSQL connection.
//
// A socket belongs to the object that opened it, and requests share it by pipelining. Objects of this class never hold
// WebSockets: those hibernate, and a held connection would keep them awake.

import { connect } from "cloudflare:sockets";
import { DurableObject } from "cloudflare:workers";

import { Collector } from "./collector.js";
import { Database, type Login } from "./connection.js";
import type { Bindings, Build } from "./platform.js";

/** Connections of a deployment. Calls are spread over them; a commit that waits for a lock holds up only its own. */
export const CONNECTIONS = 4;

/** Makes the class for a build. */
export function databaseObject(build: Build): new (state: unknown, bindings: Bindings) => object {
  return class extends DurableObject<Bindings> {
    readonly #database = new Database(build.gateway, () => {
      const { address, login } = target(this.env);
      return { socket: connect(address), login };
    });

    readonly #collector = new Collector(() => this.#database.run(build.gateway.collectStatements()));

    /** Runs a batch. Rejects when the connection is lost; the next batch then opens another one. */
    async run(statements: string): Promise<string> {
      const results = await this.#database.run(statements);
      void this.#collector.collect();
      return results;
    }
  };
}

/** Takes the connection's address apart. */
function target(bindings: Bindings): { address: { hostname: string; port: number }; login: Login } {
  const source = bindings.HYPERDRIVE?.connectionString ?? bindings.DATABASE_URL;
  if (source === undefined) {
    throw new Error("neither HYPERDRIVE nor DATABASE_URL is bound: set DATABASE_URL to postgres://kt_gateway:PASSWORD@HOST:PORT/DATABASE");
  }
  const url = new URL(source);
  const mode = url.searchParams.get("sslmode") ?? "prefer";
  if (mode !== "prefer" && mode !== "allow" && mode !== "disable") {
    throw new Error(`DATABASE_URL asks for sslmode=${mode}, which this driver does not speak: bind HYPERDRIVE, which does`);
  }
  return {
    address: { hostname: url.hostname, port: url.port === "" ? 5432 : Number(url.port) },
    login: {
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
    },
  };
}
