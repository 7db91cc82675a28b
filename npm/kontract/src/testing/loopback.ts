// A client's streams and the server's, joined without cryptography and network: chunks as on a WebSocket, and bodies as in a
// POST, whose frames are sealed by nobody.
import type { Io } from '../client/io.js';
import { decodeError } from '../client/envelope.js';
import type { PostOptions } from '../client/post.js';
import type { CallOptions, StreamIo } from '../client/types.js';
import { httpError } from '../errors.js';
import { type Bytes, concat, u16, u32, utf8, view } from '../raystream/bytes.js';
import { FrameType, clearFrame, exactHeader, headerBytes } from '../raystream/frame.js';
import type { Resume } from '../raystream/handshake.js';
import { partsOf } from '../raystream/message.js';
import type { Opened } from '../raystream/session.js';
import { FrameReader } from '../server/body.js';
import { run } from '../server/call.js';
import { exchange } from '../server/exchange.js';
import { Inbox } from '../server/inbox.js';
import { SocketPeer } from '../server/peer.js';
import type { Call, Channel, Incoming, RouteEntry, StreamChunk } from '../server/platform.js';
import type { Runtime } from '../server/runtime.js';
import { Handles, fakeCall, fakeRuntime } from './runtime.js';

/** A call as the client's streams make it. */
export type Carry = (args: Uint8Array, options: CallOptions, io: StreamIo | undefined) => Promise<Uint8Array>;

/** One endpoint, called over either transport; arguments and results are JSON. */
export class Loopback {
  readonly handles = new Handles();
  readonly #runtime: Runtime;
  readonly #maxBytes: number;

  constructor(endpoint: (...args: never[]) => unknown, entry: Partial<RouteEntry> = {}) {
    this.#runtime = fakeRuntime({ endpoint: () => undefined });
    this.#maxBytes = entry.maxBytes ?? 1 << 20;
    const [known] = Object.values(this.#runtime.build.routes);
    Object.assign(known ?? {}, entry, {
      load: async () => ({
        decode: (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as unknown[],
        encode: (value: unknown) => utf8(JSON.stringify(value) ?? ''),
        run: (_context: unknown, args: never[]) => endpoint(...args),
      }),
    });
  }

  readonly socket: Carry = (args, { signal }, io) =>
    new Promise((resolve, reject) => {
      const streams = io as Io | undefined;
      const grant = (stream: number, bytes: number): void => streams?.take(concat(Uint8Array.of(2), u16(stream), u32(bytes)));
      const peer = new SocketPeer((item) => streams?.take(concat(Uint8Array.of(0), u16(0), item)), new Inbox(grant, this.#maxBytes));
      const giveUp = (reason: unknown): void => {
        peer.abort();
        streams?.stop();
        reject(reason as Error);
      };
      signal?.addEventListener('abort', () => giveUp(signal.reason));
      void run(this.#runtime, this.#call(1, args), peer).then((outcome) => {
        streams?.stop();
        if ('result' in outcome) resolve(outcome.result);
        else reject(httpError(outcome.status, outcome.code, outcome.message));
      });
      streams?.begin((chunk) => peer.take(parsed(1, chunk)), giveUp);
    });

  readonly post: Carry = async (args, { signal = new AbortController().signal }, io) => {
    const settings = { url: '', transport: 'post', fetch: (_url: string, init: RequestInit) => this.#fetch(init) };
    const { type, payload } = await (io as Io).post(resume(), 1, args, { settings } as unknown as PostOptions, signal);
    if (type === FrameType.RpcError) throw decodeError(payload);
    return payload;
  };

  async #fetch({ body, signal }: RequestInit): Promise<Response> {
    const frames = new FrameReader(new Response(body as BodyInit).body as ReadableStream<Uint8Array>);
    await frames.next();
    const answers = await exchange(this.#runtime, this.#channel(), frames, () => signal ?? new AbortController().signal);
    if (Array.isArray(answers)) return new Response(concat(RESPONSE, ...answers));
    // What `fetch` does with the body when its signal is aborted.
    return new Response(answers.body.pipeThrough(new TransformStream(), signal == null ? {} : { signal }));
  }

  #call(sequence: number, args: Uint8Array): Call {
    return Object.assign(fakeCall(this.handles, 'endpoint'), { sequence, arguments: Uint8Array.from(args) });
  }

  #channel(): Channel {
    return {
      waiting: false,
      takeResponse: () => RESPONSE,
      takeEarly: () => undefined,
      receive: (_gateway, frame) => this.#received(open(frame)),
      data: (sequence, stream, piece) => message(FrameType.RpcChunk, sequence, concat(Uint8Array.of(0), u16(stream), piece)),
      credit: () => new Uint8Array(),
      respond: (sequence, result) => message(FrameType.RpcResponse, sequence, result),
      fail: (sequence, status, code, text) =>
        message(FrameType.RpcError, sequence, concat(u16(status), Uint8Array.of(code.length), utf8(code), utf8(text))),
      heartbeat: () => message(FrameType.Heartbeat, 0, new Uint8Array()),
      free: () => undefined,
    };
  }

  #received({ type, sequence, payload }: Opened): Incoming {
    return {
      reply: undefined,
      cancelled: undefined,
      closed: false,
      takeCall: () => (type === FrameType.RpcCall ? this.#call(sequence, payload) : undefined),
      takeChunk: () => (type === FrameType.RpcChunk ? parsed(sequence, payload) : undefined),
      free: () => undefined,
    };
  }
}

const RESPONSE = clearFrame(FrameType.HandshakeResponse, new Uint8Array(32));

function resume(): Resume {
  const session = { open } as never;
  return {
    init: clearFrame(FrameType.HandshakeInit, new Uint8Array(8)),
    seal: async (...frame) => seal(...frame),
    finish: async () => ({ session, sessionId: new Uint8Array(), ticketSecret: new Uint8Array() }),
  };
}

function seal(type: FrameType, sequence: number, payload: Uint8Array, flags = 0): Bytes {
  const header = headerBytes({ type, flags, sequence, length: payload.length + 16 });
  return concat(header, new Uint8Array(12), payload, new Uint8Array(16));
}

function open(frame: Uint8Array): Opened {
  const { type, flags, sequence } = exactHeader(frame);
  return { type, flags, sequence, payload: frame.slice(28, -16) };
}

function message(type: FrameType, sequence: number, payload: Uint8Array): Bytes {
  return concat(...partsOf(payload).map(([part, flag]) => seal(type, sequence, part, flag)));
}

function parsed(sequence: number, chunk: Uint8Array): StreamChunk {
  const stream = view(chunk).getUint16(1, true);
  const data = chunk[0] === 0 ? chunk.slice(3) : undefined;
  const credit = chunk[0] === 2 ? view(chunk).getUint32(3, true) : undefined;
  return { sequence, stream, data, credit, free: () => undefined };
}
