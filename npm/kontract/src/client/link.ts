// The link to the gateway: decides which transport carries a call and when a session is made anew.
import { equal } from '../raystream/bytes.js';
import { startFull, startResume } from '../raystream/handshake.js';
import { Messages, sealMessage } from '../raystream/message.js';
import { RefusedError } from '../raystream/refused.js';
import type { Opened } from '../raystream/session.js';
import type { Io } from './io.js';
import { NetworkError } from './network-error.js';
import { type PostOptions, call as postCall, handshake, openOrKeep, reached } from './post.js';
import type { Socket } from './socket.js';

/** After a socket could not be opened, POST carries everything for this long. */
const SOCKET_PAUSE_MS = 30_000;

/** Time for a handshake or for opening a socket. Without it, one that hangs would hang every later call too. */
const CONNECT_TIMEOUT_MS = 15_000;

export class Link {
  readonly #options: PostOptions;
  /** Ends with the link: unlike a call's own signal, it may end what several calls wait for. */
  readonly #signal: AbortSignal;
  #sequence = 0;
  #socket: Socket | undefined;
  #opening: Promise<Socket> | undefined;
  #handshaking: Promise<Uint8Array> | undefined;
  #noSocketUntil = 0;

  constructor(options: PostOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** The id of the session at hand, if any. */
  get sessionId(): Uint8Array | undefined {
    return this.#openSocket()?.sessionId ?? this.#options.tickets.valid?.sessionId;
  }

  /** The id of the session that the next call belongs to; makes one if there is none. */
  async ready(): Promise<Uint8Array> {
    const socket = this.#openSocket();
    if (socket !== undefined) return socket.sessionId;
    if (this.#options.settings.transport === 'websocket' && this.#maySocket()) {
      try {
        return (await this.#open()).sessionId;
      } catch (error) {
        // POST is tried instead: the network may not let sockets through, and POST tries every pinned key.
        if (error instanceof RefusedError) this.#options.tickets.drop();
        else if (!(error instanceof NetworkError)) throw error;
      }
    }
    const sessionId = this.#options.tickets.valid?.sessionId ?? (await this.#handshake());
    // A socket resumes the session of the POST handshake, so that the access token stays good.
    if (this.#options.settings.transport === 'both' && this.#maySocket()) this.#open().catch(() => undefined);
    return sessionId;
  }

  /** One call. `ready` comes before it. */
  async call(payload: Uint8Array, signal: AbortSignal, io?: Io): Promise<Opened> {
    // 0 is the heartbeats'.
    this.#sequence = (this.#sequence + 1) >>> 0 || 1;
    const sequence = this.#sequence;
    const socket = this.#openSocket();
    if (socket !== undefined) return socket.call(sequence, payload, signal, io);
    const { tickets } = this.#options;
    const resumption = tickets.valid ?? (await handshake(this.#options, signal));
    return postCall(resumption, sequence, payload, this.#options, signal, io);
  }

  /** Gives the session up, if it is still the one that was refused. */
  renew(refused: Uint8Array | undefined): void {
    const current = this.sessionId;
    if (refused !== undefined && current !== undefined && !equal(refused, current)) return;
    this.#options.tickets.drop();
    this.#socket?.fail(new NetworkError('the session is made anew'));
    this.#socket = undefined;
  }

  /** Ends the socket. */
  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #openSocket(): Socket | undefined {
    return this.#socket?.isOpen === true ? this.#socket : undefined;
  }

  #maySocket(): boolean {
    return this.#options.platform.now() >= this.#noSocketUntil;
  }

  #open(): Promise<Socket> {
    this.#opening ??= openSocket(this.#options, this.#patience())
      .then(
        (socket) => (this.#socket = socket),
        (error: unknown) => {
          this.#noSocketUntil = this.#options.platform.now() + SOCKET_PAUSE_MS;
          throw error;
        },
      )
      .finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  #patience(): AbortSignal {
    return AbortSignal.any([this.#signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
  }

  #handshake(): Promise<Uint8Array> {
    this.#handshaking ??= handshake(this.#options, this.#patience())
      .then((resumption) => resumption.sessionId)
      .finally(() => (this.#handshaking = undefined));
    return this.#handshaking;
  }
}

/** What a socket needs of the client's other parts. */
const TOOLS = { Messages, NetworkError, RefusedError, openOrKeep, sealMessage, startFull, startResume };
export type SocketTools = typeof TOOLS;

async function openSocket(options: PostOptions, signal: AbortSignal): Promise<Socket> {
  const { Socket } = await reached(signal, () => import('./socket.js'));
  return Socket.open(options, TOOLS, signal);
}
