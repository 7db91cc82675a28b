// The modules that workerd itself provides, as far as they are used here.

declare module 'cloudflare:workers' {
  /** Base class of objects whose methods can be called from other Workers' code. */
  export abstract class DurableObject<Bindings> {
    protected readonly ctx: { readonly storage: unknown };
    protected readonly env: Bindings;
    constructor(state: unknown, bindings: Bindings);
  }
}

declare module 'cloudflare:sockets' {
  interface Socket {
    readonly readable: ReadableStream<Uint8Array>;
    readonly writable: WritableStream<Uint8Array>;
    close(): Promise<void>;
    /** The same connection from here on in TLS; where it was opened for that. */
    startTls(): Socket;
  }

  /** Opens a TCP connection. */
  export function connect(address: { hostname: string; port: number }, options: { secureTransport: 'off' | 'starttls' }): Socket;
}
