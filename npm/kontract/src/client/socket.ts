// The WebSocket transport: one frame per binary message, many calls at once, told apart by their sequence. A file of its own, which
// only clients that open a socket load.
//
// It imports nothing that runs, enums aside, which are numbers by then: bundlers move what two files share into a third, and the page would load two where it needs one.
import type { Bytes } from '../raystream/bytes.js';
import { FrameType } from '../raystream/kinds.js';
import type { Established, Handshake } from '../raystream/handshake.js';
import type { Messages } from '../raystream/message.js';
import type { Opened } from '../raystream/session.js';
import type { Io } from './io.js';
import type { SocketTools } from './link.js';
import type { PostOptions } from './post.js';
import type { WebSocketLike } from './types.js';

/** The close code of a refusal (RFC 6455, section 7.4.1: policy violation). */
const REFUSED_CODE = 1008;
const NORMAL_CODE = 1000;
/** A socket on which nothing has arrived for this long is asked whether it lives. */
const HEARTBEAT_MS = 60_000;
/** With so many heartbeats unanswered, a connection is dead. */
const HEARTBEATS_MISSED_MAX = 2;
/** Time without traffic after which the next frame uses a new key, in milliseconds. */
const REKEY_IDLE_MS = 60_000;
/** Calls count from 1. */
const HEARTBEAT_SEQUENCE = 0;
/** `WebSocket.OPEN`. */
const OPEN = 1;

interface Pending {
  readonly io: Io | undefined;
  readonly resolve: (opened: Opened) => void;
  readonly reject: (error: Error) => void;
}

/** A socket with an established session. */
export class Socket {
  readonly #socket: WebSocketLike;
  readonly #established: Established;
  readonly #options: PostOptions;
  readonly #tools: SocketTools;
  readonly #messages: Messages;
  readonly #pending = new Map<number, Pending>();
  readonly #stopHeartbeats: () => void;
  #lastSealedAt: number;
  #lastReceivedAt: number;
  #heartbeatsMissed = 0;
  #framesReceived = 0;
  /** Nothing new is sent; calls in flight may still be answered. */
  #isRetired = false;
  #failure: Error | undefined;

  private constructor(socket: WebSocketLike, established: Established, options: PostOptions, tools: SocketTools) {
    this.#socket = socket;
    this.#established = established;
    this.#options = options;
    this.#tools = tools;
    this.#messages = new tools.Messages();
    const { now, every } = options.platform;
    this.#lastSealedAt = this.#lastReceivedAt = now();
    this.#stopHeartbeats = every(HEARTBEAT_MS, () => this.#heartbeat());
  }

  /** Opens a socket and a session on it: resumed if there is a ticket, full with the first pinned key otherwise. */
  static async open(options: PostOptions, tools: SocketTools, signal: AbortSignal): Promise<Socket> {
    const { NetworkError, RefusedError } = tools;
    const { WebSocket, url } = options.settings;
    if (WebSocket === undefined) throw new NetworkError('this platform has no WebSocket; pass one to kontract.configure');
    const { handshake, isFull } = await begin(options, tools);
    signal.throwIfAborted();
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/raystream`);
    socket.binaryType = 'arraybuffer';
    return new Promise((resolve, reject) => {
      let opened: Socket | undefined;
      // Messages are taken one after the other: the handshake's is worked on asynchronously.
      let turn = Promise.resolve();
      let isOver = false;
      const aborted = (): void => fail(signal.reason as Error);
      const fail = (error: Error): void => {
        // To close a socket that was never open is an error of it.
        if (isOver) return;
        isOver = true;
        signal.removeEventListener('abort', aborted);
        opened?.fail(error);
        reject(error);
        socket.close(NORMAL_CODE);
      };
      const receive = async (frame: Bytes): Promise<void> => {
        if (opened !== undefined) return opened.#receive(frame);
        const established = await handshake.finish(frame);
        if (isFull) options.tickets.synchronize(established.sessionId);
        opened = new Socket(socket, established, options, tools);
        signal.removeEventListener('abort', aborted);
        resolve(opened);
      };
      signal.addEventListener('abort', aborted, { once: true });
      socket.addEventListener('open', () => socket.send(handshake.init));
      socket.addEventListener('error', () => fail(new NetworkError('the WebSocket failed')));
      socket.addEventListener('close', ({ code }) => {
        turn = turn.then(() => fail(code === REFUSED_CODE ? new RefusedError('closed with 1008') : new NetworkError('the WebSocket was closed')));
      });
      socket.addEventListener('message', ({ data }) => {
        turn = turn.then(() => receive(bytesOf(data, tools))).catch(fail);
      });
    });
  }

  get sessionId(): Uint8Array {
    return this.#established.sessionId;
  }

  get isOpen(): boolean {
    return this.#failure === undefined && !this.#isRetired && this.#socket.readyState === OPEN;
  }

  /** One call. */
  call(sequence: number, payload: Uint8Array, signal: AbortSignal, io?: Io): Promise<Opened> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (!this.isOpen) throw this.#failure ?? new this.#tools.NetworkError('the WebSocket was closed');
      const framesBefore = this.#framesReceived;
      const aborted = (): void => {
        // Nothing at all came in a call's whole time: the next call had better not rely on this socket.
        if (isTimeout(signal.reason) && this.#framesReceived === framesBefore) this.#isRetired = true;
        giveUp(signal.reason);
      };
      const giveUp = (reason: unknown): void => {
        if (!this.#pending.has(sequence)) return;
        // The server ends what it does for this call.
        if (this.isOpen) void this.#send(FrameType.RpcCancel, sequence, new Uint8Array());
        settle(() => reject(reason as Error));
      };
      const settle = (end: () => void): void => {
        this.#pending.delete(sequence);
        io?.stop();
        signal.removeEventListener('abort', aborted);
        end();
        if (this.#isRetired && this.#pending.size === 0) this.fail(new this.#tools.NetworkError('the WebSocket does not answer'));
      };
      signal.addEventListener('abort', aborted, { once: true });
      this.#pending.set(sequence, {
        io,
        resolve: (opened) => settle(() => resolve(opened)),
        reject: (error) => settle(() => reject(error)),
      });
      void this.#send(FrameType.RpcCall, sequence, payload);
      io?.begin((chunk) => {
        if (this.isOpen && this.#pending.has(sequence)) void this.#send(FrameType.RpcChunk, sequence, chunk);
      }, giveUp);
    });
  }

  /** Ends the session on both sides. */
  close(): void {
    const end = (): void => this.fail(new this.#tools.NetworkError('the session was ended'));
    if (!this.isOpen) return end();
    this.#isRetired = true;
    this.#stopHeartbeats();
    void this.#send(FrameType.Close, HEARTBEAT_SEQUENCE, new Uint8Array()).then(end);
  }

  /** Ends the socket; calls in flight fail with `error`. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#stopHeartbeats();
    this.#established.session.close();
    for (const { reject } of [...this.#pending.values()]) reject(error);
    this.#socket.close(NORMAL_CODE);
  }

  /** Sends a message. Sealing takes time; messages are sealed, and go, in the order of these calls. */
  async #send(type: FrameType, sequence: number, payload: Uint8Array): Promise<void> {
    const { session } = this.#established;
    // Heartbeats leave the time of the last call alone, by which the key is changed.
    if (type !== FrameType.Heartbeat) {
      const now = this.#options.platform.now();
      if (Math.abs(now - this.#lastSealedAt) > REKEY_IDLE_MS) session.rekey();
      this.#lastSealedAt = now;
    }
    try {
      for (const frame of await this.#tools.sealMessage(session, type, sequence, payload)) this.#socket.send(frame);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  /** Asks a silent peer whether it is there. A clock that was set back says nothing of how long it was silent. */
  #heartbeat(): void {
    if (Math.abs(this.#options.platform.now() - this.#lastReceivedAt) < HEARTBEAT_MS) return;
    if (this.#heartbeatsMissed === HEARTBEATS_MISSED_MAX) return this.fail(new this.#tools.NetworkError('the WebSocket does not answer'));
    this.#heartbeatsMissed += 1;
    void this.#send(FrameType.Heartbeat, HEARTBEAT_SEQUENCE, new Uint8Array());
  }

  async #receive(frame: Bytes): Promise<void> {
    const opened = await this.#tools.openOrKeep(frame, this.#established, this.#options.tickets);
    this.#framesReceived += 1;
    this.#heartbeatsMissed = 0;
    this.#lastReceivedAt = this.#options.platform.now();
    // An answer to a call that was given up finds nobody waiting.
    const message = opened && this.#messages.take(opened);
    const pending = message && this.#pending.get(message.sequence);
    if (message?.type === FrameType.RpcChunk) pending?.io?.take(message.payload);
    else if (message !== undefined) pending?.resolve(message);
  }
}

async function begin({ identity, keys, platform, tickets }: PostOptions, { RefusedError, startFull, startResume }: SocketTools): Promise<{ handshake: Handshake; isFull: boolean }> {
  const resumption = tickets.valid;
  if (resumption !== undefined) return { handshake: await startResume(resumption, platform.entropy), isFull: false };
  const [key] = keys;
  if (key === undefined) throw new RefusedError('the build pins no key');
  return { handshake: await startFull(identity, key, platform.entropy), isFull: true };
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

function bytesOf(data: unknown, { RefusedError }: SocketTools): Bytes {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (data instanceof Uint8Array) return Uint8Array.from(data);
  throw new RefusedError('a text message');
}
