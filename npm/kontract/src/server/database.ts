// The Durable Object that holds one PostgreSQL connection.
//
// A socket belongs to the object that opened it, and requests share it by pipelining. Objects of this class never hold
// WebSockets: those hibernate, and a held connection would keep them awake.

import { connect } from "cloudflare:sockets";
import { DurableObject } from "cloudflare:workers";

import { Collector } from "./collector.js";
import { Database, type Login } from "./connection.js";
import type { Bindings, Build } from "./platform.js";
import { encrypted } from "./starttls.js";

/** Connections of a deployment. Calls are spread over them; a commit that waits for a lock holds up only its own. */
export const CONNECTIONS = 4;

/** Makes the class for a build. */
export function databaseObject(build: Build): new (state: unknown, bindings: Bindings) => object {
  return class extends DurableObject<Bindings> {
    readonly #database = new Database(build.gateway, () => {
      const { address, login, isEncrypted } = target(this.env);
      const socket = connect(address, { secureTransport: isEncrypted ? "starttls" : "off" });
      return { socket, login, ...(isEncrypted && { upgrade: () => encrypted(socket) }) };
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

/** What each `sslmode` means here: whether TLS. What it is, the platform verifies as in `verify-full`. */
const MODES: Readonly<Record<string, boolean>> = { disable: false, allow: false, prefer: false, require: true, "verify-full": true };

/** Takes the connection's address apart. */
function target(bindings: Bindings): { address: { hostname: string; port: number }; login: Login; isEncrypted: boolean } {
  const source = bindings.HYPERDRIVE?.connectionString ?? bindings.DATABASE_URL;
  // Null is what workerd binds for a variable that is not set.
  if (source === undefined || source === null) {
    throw new Error("neither HYPERDRIVE nor DATABASE_URL is bound: set DATABASE_URL to postgres://kt_gateway:PASSWORD@HOST:PORT/DATABASE");
  }
  const url = new URL(source);
  const mode = url.searchParams.get("sslmode") ?? "prefer";
  const authorities = url.searchParams.get("sslrootcert") ?? "system";
  if (!Object.hasOwn(MODES, mode) || authorities !== "system") {
    throw new Error(
      `DATABASE_URL asks for sslmode=${mode} and sslrootcert=${authorities}: a Worker verifies by the platform's authorities, with ` +
        "sslmode=verify-full; workerd has others in `tlsOptions` of workerd.capnp",
    );
  }
  return {
    address: { hostname: url.hostname, port: url.port === "" ? 5432 : Number(url.port) },
    isEncrypted: MODES[mode] === true,
    login: {
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: decodeURIComponent(url.pathname.slice(1)),
    },
  };
}
