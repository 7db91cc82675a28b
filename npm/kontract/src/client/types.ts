// The client's public types.

/** What a build pins in its client. Byte strings are base64url. */
export interface Pins {
  /** 1, or 2 with ML-KEM-768. */
  readonly suite: 1 | 2;
  readonly buildId: string;
  readonly routeHash: string;
  /** The server's static keys: the current one first, then the backup. */
  readonly keys: readonly { readonly x25519: string; readonly mlkem: string }[];
}

/** Options of one call. */
export interface CallOptions {
  /** Ends the call. The server is told: what has not been committed by then never is. */
  readonly signal?: AbortSignal;
  /** Time for the whole call, retries included, in milliseconds; 30,000 by default, `Infinity` for a streamed result or argument. */
  readonly timeoutMs?: number;
  /** Calls of one endpoint with the same arguments and one key have one effect: 16 bytes, or any text. Without it each call has a random key of its own. */
  readonly idempotencyKey?: string | Uint8Array;
}

/** An endpoint as the client sees it. */
export interface Rpc<A extends readonly unknown[], R> {
  (...args: A): Promise<R>;
  /** The same endpoint with options. */
  with(options: CallOptions): (...args: A) => Promise<R>;
}

/** An endpoint whose result is a stream. Each iteration is a call; leaving the loop ends it on the server too. */
export interface StreamRpc<A extends readonly unknown[], T> {
  (...args: A): AsyncIterableIterator<T>;
  /** The same endpoint with options. */
  with(options: CallOptions): (...args: A) => AsyncIterableIterator<T>;
}

/** What the generated stub of an endpoint with a streamed result knows: `decode` reads one item. */
export interface StreamSpec<A extends readonly unknown[], T> extends EndpointSpec<A, T> {
  readonly stream: Streamed;
}

/** Makes an endpoint with a streamed result callable, with what makes a call. */
export type Streamed = <A extends readonly unknown[], T>(
  spec: EndpointSpec<A, T>,
  call: (args: Uint8Array, options: CallOptions, io: StreamIo) => Promise<Uint8Array>,
) => StreamRpc<A, T>;

/** Takes the arguments that are streams of bytes out of the others. */
export type Uploading = <A extends readonly unknown[]>(
  args: A,
  inner?: StreamIo,
) => { readonly args: A; readonly io: StreamIo | undefined };

/** What a generated stub passes on and nobody else looks at. */
export interface StreamIo {
  /** Whether anything of the result was handed on, so that the call cannot be made again. */
  readonly isStarted: boolean;
}

/** What the generated stub of an endpoint knows. */
export interface EndpointSpec<A extends readonly unknown[], R> {
  readonly name: string;
  /** The route id, 32 bits. */
  readonly route: number;
  /** Whether calling it twice is the same as calling it once. */
  readonly readOnly: boolean;
  readonly encode: (args: A) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => R;
  /** Where arguments are files, blobs or streams of bytes. */
  readonly upload?: Uploading;
}

/** Where the refresh token is kept between visits. `localStorage` is one. */
export interface TokenStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The part of WebSocket that the client uses. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
  addEventListener(type: 'close', listener: (event: { code: number }) => void): void;
}

/** How the gateway is reached. */
export interface Configuration {
  /** The gateway's address; in a browser the page's own origin, in Node `KONTRACT_URL`, unless given. */
  readonly url?: string;
  readonly fetch?: typeof globalThis.fetch;
  readonly WebSocket?: new (url: string) => WebSocketLike;
  /** `auto`, the default, is a WebSocket in browsers once one is open, and POST until then and everywhere else. */
  readonly transport?: 'auto' | 'post' | 'websocket';
  readonly storage?: TokenStorage;
}

/** Who the client is to the server. */
export interface Identity {
  /** The owner of what this client stores. */
  readonly owner: string;
  /** When the access token ends; the client renews it by itself. */
  readonly expiresAt: Date;
}

/** A connection to one application's gateway. */
export interface Kontract {
  /** For generated stubs: makes an endpoint callable. */
  endpoint<A extends readonly unknown[], T>(spec: StreamSpec<A, T>): StreamRpc<A, T>;
  endpoint<A extends readonly unknown[], R>(spec: EndpointSpec<A, R>): Rpc<A, R>;
  /** Says how the gateway is reached; ends connections made before. */
  configure(configuration: Configuration): void;
  readonly auth: {
    /** The identity that this client has, or a new anonymous one. The first call does it by itself. */
    anonymous(): Promise<Identity>;
    /** Renews the access token. Calls do it by themselves when needed. */
    refresh(): Promise<Identity>;
  };
  /** Ends connections and calls in flight, so that a Node script exits. A later call connects again. */
  close(): void;
}
