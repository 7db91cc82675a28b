// The link to the gateway: decides which transport carries a call and when a session is made anew.
import { type Bytes, equal } from '../raystream/bytes.js';
import { encodeEarly } from '../raystream/early.js';
import { startFull, startResume } from '../raystream/handshake.js';
import { Messages, sealMessage } from '../raystream/message.js';
import { RefusedError } from '../raystream/refused.js';
import type { Opened } from '../raystream/session.js';
import type { Io } from './io.js';
import { NetworkError } from './network-error.js';
import { type PostOptions, type Shaken, answerTo, call as postCall, handshake, openOrKeep, reached } from './post.js';
import type { Socket } from './socket.js';

/**
 * After a socket could not be opened, or was lost with calls on it, POST carries everything for up to this long; twice as long after
 * each further time. With full jitter, so that a server that comes back is not met by all its clients at once.
 */
const SOCKET_PAUSE_FIRST_MS = 5_000;
const SOCKET_PAUSE_MAX_MS = 60_000;

/** Time for a handshake or for opening a socket. Without it, one that hangs would hang every later call too. */
const CONNECT_TIMEOUT_MS = 15_000;

/** A session that answered calls before it was there. */
export interface Introduction {
  readonly sessionId: Uint8Array;
  readonly answers: readonly Opened[];
}

export class Link {
  readonly #options: PostOptions;
  /** Ends with the link: unlike a call's own signal, it may end what several calls wait for. */
  readonly #signal: AbortSignal;
  #sequence = 0;
  #socket: Socket | undefined;
  #opening: Promise<Socket> | undefined;
  #handshaking: Promise<Shaken> | undefined;
  #pausedAt = 0;
  #pauseMs = 0;
  #socketFailures = 0;

  constructor(options: PostOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  /** The socket at hand, if any. */
  get socket(): Socket | undefined {
    return this.#socket?.isOpen === true ? this.#socket : undefined;
  }

  /** The id of the session at hand, if any. */
  get sessionId(): Uint8Array | undefined {
    return this.socket?.sessionId ?? this.#options.tickets.valid?.sessionId;
  }

  /** The id of the session that the next call belongs to; makes one if there is none. */
  async ready(): Promise<Uint8Array> {
    const socket = this.socket;
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
    this.#openBeside();
    return sessionId;
  }

  /** Whether there was no session yet that could carry a call, and none is being made, so that a handshake may bring one along. */
  get mayIntroduce(): boolean {
    const { settings } = this.#options;
    return settings.transport !== 'websocket' && this.sessionId === undefined && this.#handshaking === undefined;
  }

  /** A full handshake with these calls inside; `mayIntroduce` comes before it. Nothing if they are too long. */
  async introduce(payloads: readonly Uint8Array[]): Promise<Introduction | undefined> {
    const calls = payloads.map((payload) => ({ sequence: this.#nextSequence(), payload }));
    const early = encodeEarly(calls);
    if (early === undefined) return undefined;
    this.#handshaking = this.#shake(early);
    const { resumption, answers } = await this.#handshaking;
    this.#openBeside();
    return { sessionId: resumption.sessionId, answers: calls.map(({ sequence }) => answerTo(sequence, answers)) };
  }

  /** One call. `ready` comes before it. */
  async call(payload: Uint8Array, signal: AbortSignal, io?: Io): Promise<Opened> {
    const sequence = this.#nextSequence();
    const socket = this.socket;
    if (socket !== undefined) return this.#callOn(socket, sequence, payload, signal, io);
    const { tickets } = this.#options;
    const resumption = tickets.valid ?? (await handshake(this.#options, signal)).resumption;
    return postCall(resumption, sequence, payload, this.#options, signal, io);
  }

  async #callOn(socket: Socket, ...call: Parameters<Socket['call']>): Promise<Opened> {
    try {
      const opened = await socket.call(...call);
      this.#socketFailures = 0;
      return opened;
    } catch (error) {
      if (error instanceof NetworkError) this.#pauseSockets();
      throw error;
    }
  }

  #pauseSockets(): void {
    const { now, random } = this.#options.platform;
    const ceiling = Math.min(SOCKET_PAUSE_FIRST_MS * 2 ** this.#socketFailures, SOCKET_PAUSE_MAX_MS);
    this.#socketFailures += 1;
    [this.#pausedAt, this.#pauseMs] = [now(), random() * ceiling];
  }

  /**
   * Gives the session up, if it is still the one that was refused. What a socket refused says nothing about its ticket: the other end
   * of a socket forgets its keys while it sleeps. Whether the ticket was kept for that reason, so that it may be refused as well.
   */
  renew(refused: Uint8Array | undefined, socket: Socket | undefined, mayKeepTicket: boolean): boolean {
    const { tickets } = this.#options;
    // Of the calls that a socket's refusal ends, the first has given it up.
    if (socket !== undefined && socket !== this.#socket) return mayKeepTicket;
    const current = this.sessionId;
    if (refused !== undefined && current !== undefined && !equal(refused, current)) return false;
    const keepsTicket = mayKeepTicket && this.#socket !== undefined && tickets.valid !== undefined;
    this.close();
    if (!keepsTicket) tickets.drop();
    return keepsTicket;
  }

  /** Ends the socket. */
  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** 0 is the heartbeats'. */
  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) >>> 0 || 1;
    return this.#sequence;
  }

  /** A socket resumes the session of the POST handshake, so that the access token stays good. */
  #openBeside(): void {
    if (this.#options.settings.transport === 'both' && this.#maySocket()) this.#open().catch(() => undefined);
  }

  #maySocket(): boolean {
    // A clock that was set back ends the pause.
    return Math.abs(this.#options.platform.now() - this.#pausedAt) >= this.#pauseMs;
  }

  #open(): Promise<Socket> {
    this.#opening ??= openSocket(this.#options, this.#patience())
      .then(
        (socket) => (this.#socket = socket),
        (error: unknown) => {
          this.#pauseSockets();
          throw error;
        },
      )
      .finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  #patience(): AbortSignal {
    return AbortSignal.any([this.#signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
  }

  async #handshake(): Promise<Uint8Array> {
    this.#handshaking ??= this.#shake();
    return (await this.#handshaking).resumption.sessionId;
  }

  #shake(early?: Bytes): Promise<Shaken> {
    return handshake(this.#options, this.#patience(), early).finally(() => (this.#handshaking = undefined));
  }
}

/** What a socket needs of the client's other parts. */
const TOOLS = { Messages, NetworkError, RefusedError, openOrKeep, sealMessage, startFull, startResume };
export type SocketTools = typeof TOOLS;

async function openSocket(options: PostOptions, signal: AbortSignal): Promise<Socket> {
  const { Socket } = await reached(signal, () => import('./socket.js'));
  return Socket.open(options, TOOLS, signal);
}
