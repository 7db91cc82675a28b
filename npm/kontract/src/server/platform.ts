// What the server half needs of workerd and of the gateway's WebAssembly, as types. The bundle's entry brings the values.

import type { Context, PageContext } from "../define.js";
import type { Bytes } from "../raystream/bytes.js";
import type { RowShape } from "./rows.js";

/** A service or assets binding. */
export interface Fetcher {
  fetch(request: Request): Promise<Response>;
}

/** A Durable Object namespace, as far as it is used here. */
export interface Namespace<Stub> {
  idFromName(name: string): unknown;
  newUniqueId(): unknown;
  get(id: unknown): Stub;
}

/** The Durable Object that holds one database connection. */
export interface DatabaseStub {
  run(statements: string): Promise<string>;
}

/** The Durable Object that keeps the ticket keys. */
export interface KeysStub {
  tickets(): Promise<Uint8Array>;
}

/** Bindings of the Worker: secrets, objects, assets. */
export interface Bindings {
  KONTRACT_KEY: string;
  KONTRACT_BACKUP_KEY: string;
  KONTRACT_IDENTITY_KEY: string;
  /** PostgreSQL as the gateway's own role, `postgres://kt_gateway:…@host:port/database`. */
  DATABASE_URL?: string | null;
  /** Cloudflare's connection pool in front of the same database. */
  HYPERDRIVE?: { connectionString: string };
  /** Origins beside the Worker's own whose pages may open a WebSocket, separated by spaces. */
  KONTRACT_ORIGINS?: string;
  /** Host names that requests may ask for, separated by spaces; set locally, where a page could have its name pointed here. */
  KONTRACT_HOSTNAMES?: string;
  /** Set by the development server, which then gets a line about each call. */
  KONTRACT_TRACE?: string;
  ASSETS?: Fetcher;
  /** Set where ASSETS is a plain folder that knows neither content types nor index pages. */
  KONTRACT_PLAIN_ASSETS?: string;
  DATABASE: Namespace<DatabaseStub>;
  SESSION: Namespace<Fetcher>;
  KEYS: Namespace<KeysStub>;
}

/** Exports of the gateway's WebAssembly, made by wasm-bindgen from `runtime/worker`. */
export interface GatewayModule {
  initSync(options: { module: WebAssembly.Module }): unknown;
  Gateway: new (build: string, key: Uint8Array, backupKey: Uint8Array, identityKey: Uint8Array) => Gateway;
  PostgresSocket: new (send: (bytes: Uint8Array) => void) => PostgresSocket;
  /** JSON of the statement that does one step of garbage collection. */
  collectStatements(): string;
  /** Milliseconds before the next attempt; `undefined` when there is none. `attempt` counts from 1. */
  backoffMs(attempt: number, random: number): number | undefined;
}

export interface Gateway {
  accept(init: Uint8Array, tickets: Uint8Array): Channel;
  /** Whom a refresh token names, or somebody anonymous. */
  visitor(refreshToken: string | undefined): Visitor;
  callOfPage(visitor: Visitor, route: number, args: Uint8Array): PageCall;
}

/** Who a page is drawn for. */
export interface Visitor {
  readonly owner: string;
  free(): void;
}

/** A call that may run, or why not. */
export interface PageCall {
  takeCall(): Call | undefined;
  /** Of the refusal. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
  free(): void;
}

export interface Channel {
  takeResponse(): Bytes;
  /** What the next call of the handshake's early data led to; `undefined` after the last. */
  takeEarly(gateway: Gateway): Incoming | undefined;
  receive(gateway: Gateway, frame: Uint8Array): Incoming;
  /** Whether parts of a call are missing. */
  readonly waiting: boolean;
  /** The frame or frames with a piece of a stream of a call; stream 0 is the result. */
  data(sequence: number, stream: number, piece: Uint8Array): Bytes;
  /** The frame that lets the peer send so many bytes more of a stream. */
  credit(sequence: number, stream: number, bytes: number): Bytes;
  respond(sequence: number, result: Uint8Array): Bytes;
  fail(sequence: number, status: number, code: string, message: string): Bytes;
  /** A frame that says nothing but that the connection lives. */
  heartbeat(): Bytes;
  free(): void;
}

export interface Incoming {
  takeCall(): Call | undefined;
  readonly reply: Bytes | undefined;
  readonly cancelled: number | undefined;
  takeChunk(): StreamChunk | undefined;
  readonly closed: boolean;
  free(): void;
}

/** A piece of a stream of a call, its end, or leave to send more of it. */
export interface StreamChunk {
  readonly sequence: number;
  readonly stream: number;
  readonly data: Bytes | undefined;
  readonly credit: number | undefined;
  free(): void;
}

export interface Call {
  readonly sequence: number;
  readonly route: number;
  readonly name: string;
  readonly owner: string;
  readonly groups: string[];
  readonly perm: number;
  readonly arguments: Bytes;
  begin(): Transaction;
  /** For an inner transaction: `seed` is 16 bytes that all attempts at the call share. */
  beginInner(seed: Uint8Array, number: number): Transaction;
  beginAt(snapshot: string): Transaction;
  free(): void;
}

/** What a storage operation needs next: a value that is known, or statements to run. */
export interface Step {
  /** JSON of the value when it is known. */
  readonly ready: string | undefined;
  readonly request: number;
  /** JSON of the statements to run. */
  readonly statements: string;
  free(): void;
}

export interface Transaction {
  get(table: string, key: string): Step;
  mget(table: string, keys: string[]): Step;
  list(table: string, after: string | undefined, limit: number | undefined): Step;
  /** The next rows of an iteration and where it goes on: `{"rows": […], "next": cursor or null}`. */
  page(table: string, cursor: string | undefined, limit: number): Step;
  /** `find` is JSON: `match`, `where`, `order`, `descending`, `after`, `limit`. */
  query(table: string, find: string): Step;
  count(table: string, find: string): Step;
  pop(table: string): Step;
  shift(table: string): Step;
  history(table: string, key: string, limit: number | undefined): Step;
  /** `params` is a JSON array of texts and nulls. */
  exec(table: string, statement: string, params: string): Step;
  /** The snapshot that is read, after the first read. */
  readonly snapshot: string | undefined;
  set(table: string, row: string): Step;
  update(table: string, key: string, patch: string): Step;
  delete(table: string, key: string): Step;
  push(table: string, row: string): Step;
  /** JSON of a statement that may be sent in place of a step's, alone; no other operation may be started before its answer. */
  alone(request: number): string | undefined;
  answer(request: number, results: string): Step;
  /** JSON of the statements that commit, or `undefined` when nothing was written. */
  commit(answer: Uint8Array): string | undefined;
  /** The first answer, if the mutation was done before. */
  committed(results: string): Bytes | undefined;
  /** What the commit conflicted over: `ptr/key`, or a ptr. */
  readonly contested: string | undefined;
  /** JSON of the statement that tells what became of a commit whose results were lost. */
  resolve(): string;
  /** Whether that commit happened. */
  resolved(results: string): boolean;
  /** The first answer, if an operation found that the mutation was done before. */
  readonly alreadyApplied: Bytes | undefined;
  free(): void;
}

export interface PostgresSocket {
  push(bytes: Uint8Array): void;
  end(): void;
  connect(user: string, password: string, database: string): Promise<Postgres>;
}

export interface Postgres {
  run(statements: string): Promise<string>;
}

/** One endpoint, as the generated `routes/*.js` export it. */
export interface Route {
  decode(bytes: Uint8Array): unknown[];
  encode(value: unknown): Bytes;
  run(context: Context, args: unknown[]): unknown;
}

/** What a handler is given for a stream of bytes. */
export type UploadKind = "stream" | "blob" | "file";

/** The generated route table, by route id. */
export type Routes = Record<number, RouteEntry>;

/** Policy and module of an endpoint. */
export interface RouteEntry {
  name: string;
  perm: number;
  ugroup: string | null;
  readOnly: boolean;
  /** Whether the result is sent item by item. */
  stream?: boolean;
  /** Places of the arguments that are sent as streams, and what the handler is given for each. */
  uploads?: readonly (readonly [number, UploadKind])[];
  /** Most bytes of a call's arguments, where the endpoint says. */
  maxBytes?: number;
  load(): Promise<Route> | Route;
}

/** A table as the generated `tables.js` describes it. */
export interface TableShape {
  ptr: string;
  key: string;
  readonly: string[];
  /** Bits of fields that do not have all of them. */
  perms?: Record<string, number>;
  row: RowShape;
}

/** What the project's `ssr` module exports. */
export interface PagesModule {
  render(request: Request, page: PageContext): Response | Promise<Response>;
}

/** Everything a build hands to the server half. */
export interface Build {
  gateway: GatewayModule;
  wasm: WebAssembly.Module;
  identity: { suite: number; buildId: number[]; routeHash: number[] };
  routes: Routes;
  tables: Record<string, TableShape>;
  /** Loads what draws pages, in projects whose Worker does. */
  pages?: (() => Promise<PagesModule>) | undefined;
}
