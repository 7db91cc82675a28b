// The Durable Object that holds one PostgreSQL connection.
//
// A socket belongs to the object that opened it, and requests share it by pipelining. Objects of this class never hold
// WebSockets: those hibernate, and a held connection would keep them awake.

import { connect } from "cloudflare:sockets";
import { DurableObject } from "cloudflare:workers";

import type { Bindings, Build, Postgres } from "./platform.js";

/** Connections of a deployment. Calls are spread over them; a commit that waits for a lock holds up only its own. */
export const CONNECTIONS = 4;

interface Target {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
}

/** Makes the class for a build. */
export function databaseObject(build: Build): new (state: unknown, bindings: Bindings) => object {
  return class extends DurableObject<Bindings> {
    #connection: Promise<Postgres> | undefined;

    /** Runs a batch. Rejects when the connection is lost; the next batch then opens another one. */
    async run(statements: string): Promise<string> {
      const connection = (this.#connection ??= open(build, target(this.env)));
      try {
        return await (await connection).run(statements);
      } catch (error) {
        if (this.#connection === connection) this.#connection = undefined;
        throw error;
      }
    }
  };
}

async function open(build: Build, { host, port, user, password, database }: Target): Promise<Postgres> {
  const socket = connect({ hostname: host, port });
  const writer = socket.writable.getWriter();
  const stream = new build.gateway.PostgresSocket((bytes) => {
    // A failed write also ends the readable side, which is where queries under way learn of it.
    writer.write(bytes).catch(() => undefined);
  });
  void pump(socket.readable.getReader(), stream);
  return stream.connect(user, password, database);
}

async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  stream: { push(bytes: Uint8Array): void; end(): void },
): Promise<void> {
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      stream.push(value);
    }
  } catch (error) {
    console.error(`kontract: the database connection broke: ${String(error)}`);
  } finally {
    stream.end();
  }
}

/** Takes the connection's address apart. */
function target(bindings: Bindings): Target {
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
    host: url.hostname,
    port: url.port === "" ? 5432 : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
  };
}
