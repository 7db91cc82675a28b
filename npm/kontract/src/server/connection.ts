// One connection to PostgreSQL at a time, and another after it was lost.
//
// Knows nothing of workerd: its socket is handed in. Whatever may never come has a limit in time, because a peer that is
// gone often says nothing.

import { textOf } from "./outcome.js";
import type { GatewayModule, Postgres, PostgresSocket } from "./platform.js";

/** Time to connect and log in. */
const CONNECT_MS_MAX = 10_000;

/** Time for a batch, above the statement timeout of the gateway's role. */
const BATCH_MS_MAX = 35_000;

/** A TCP connection. */
export interface TcpSocket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  close(): Promise<void>;
}

/** Who logs in where. */
export interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A connection that was opened, and how it goes on before the login. */
export interface Dialled {
  readonly socket: TcpSocket;
  readonly login: Login;
  /** Makes it an encrypted one. */
  readonly upgrade?: () => Promise<TcpSocket>;
}

/** The database behind connections that follow one another. */
export class Database {
  #connection: Connection | undefined;

  constructor(
    private readonly driver: Pick<GatewayModule, "PostgresSocket">,
    private readonly dial: () => Dialled,
  ) {}

  /** Runs a batch. Rejects when the connection is lost; the next batch then opens another one. */
  async run(statements: string): Promise<string> {
    return (this.#connection ??= this.#open()).run(statements);
  }

  #open(): Connection {
    const connection: Connection = new Connection(this.driver, this.dial(), () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    return connection;
  }
}

/** A connection, until it is lost: then all of its batches fail. */
class Connection {
  #socket: TcpSocket;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  readonly #stream: PostgresSocket;
  readonly #postgres: Promise<Postgres>;
  readonly #lost: () => void;
  #isOver = false;
  #fail: (error: Error) => void = () => undefined;
  /** Rejects when the connection is over: the driver may be waiting for bytes that never come. */
  readonly #over = new Promise<never>((_resolve, reject) => (this.#fail = reject));

  constructor({ PostgresSocket }: Pick<GatewayModule, "PostgresSocket">, dialled: Dialled, lost: () => void) {
    this.#over.catch(() => undefined);
    this.#socket = dialled.socket;
    this.#lost = lost;
    this.#stream = new PostgresSocket((bytes) => {
      this.#writer?.write(bytes).catch((error: unknown) => this.#end(error));
    });
    this.#postgres = this.#limited(CONNECT_MS_MAX, () => this.#logIn(dialled));
    this.#postgres.catch(() => undefined);
  }

  run(statements: string): Promise<string> {
    return this.#limited(BATCH_MS_MAX, async () => (await this.#postgres).run(statements));
  }

  /** Work that ends the connection when it fails or takes longer than `ms`. */
  async #limited<T>(ms: number, work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#end(new Error(`the database did not answer within ${ms} ms`)), ms);
    try {
      return await Promise.race([work(), this.#over]);
    } catch (error) {
      this.#end(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #logIn({ login, upgrade }: Dialled): Promise<Postgres> {
    if (upgrade !== undefined) {
      const socket = await upgrade();
      if (this.#isOver) void socket.close().catch(() => undefined);
      this.#socket = socket;
    }
    this.#writer = this.#socket.writable.getWriter();
    void this.#pump(this.#socket.readable.getReader());
    return this.#stream.connect(login.user, login.password, login.database);
  }

  async #pump(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        this.#stream.push(value);
      }
      this.#end(new Error("the database closed the connection"));
    } catch (error) {
      this.#end(error);
    }
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    console.error(`kontract: the database connection ended: ${textOf(error)}`);
    this.#lost();
    this.#fail(error instanceof Error ? error : new Error(textOf(error)));
    this.#stream.end();
    this.#socket.close().catch(() => undefined);
  }
}
